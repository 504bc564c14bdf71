// layers.ts: the opt-out layers, one row each, in the order in which they are asked; the first that
// says off decides. From the rows come the check of the environment (consent.ts, and the variables
// in the shell hooks, in launchers' files and in the manual page), the order of the checks on disk
// (resolve-mode.ts has a function for each), the texts of `status` and of the local page, the table
// in docs/privacy.md, and the rows of the tests. Part of the hot path: imports nothing.

interface Row {
  /** As `status`, `doctor` and `-v` name the layer; for a variable its name. */
  name: string;
  /** The environment is asked first, so that with an opt-out there no file is opened. */
  source: 'environment' | 'disk';
  /**
   * A variable opts out where it is set to something else than `0`, `false`, `no` or `off`, or …
   */
  optsOutWhen?: 'set' | 'falsy';
  /** A value of the variable that opts out. */
  example?: string;
  /**
   * A file that exists and cannot be read may say off, so it counts as off, and `status` names it
   * with what is wrong. `absent`: it counts as missing, as it does for its owner.
   */
  unreadable?: 'off' | 'absent';
  /** Who opts out, for docs/privacy.md. */
  who: string;
  /** How to opt out, in Markdown. */
  off: string;
  /** How to take that back, in Markdown. */
  on: string;
}

const variable = <const Name extends string>(name: Name, example: string) =>
  ({
    name,
    source: 'environment',
    optsOutWhen: 'set',
    example,
    who: 'you',
    off: `\`export ${name}=${example}\``,
    on: `\`unset ${name}\`, wherever it is set`,
  }) as const;

export const LAYER_ROWS = [
  variable('LHP_DISABLE_ANALYTICS', '1'),
  variable('DO_NOT_TRACK', '1'),
  // lhp's own variable, for which `off` opts out.
  {
    ...variable('LHP_TELEMETRY', 'off'),
    optsOutWhen: 'falsy',
    off: '`export LHP_TELEMETRY=off` (also `0`, `false` or `no`)',
  },
  variable('OTEL_SDK_DISABLED', 'true'),
  {
    ...variable('PYTEST_CURRENT_TEST', 'test_generate (call)'),
    who: 'pytest',
    off: 'pytest sets `PYTEST_CURRENT_TEST` for the tests it runs',
    on: 'it ends with the tests',
  },
  {
    name: '.lhp_do_not_track',
    source: 'disk',
    unreadable: 'off',
    who: 'project',
    off:
      '`touch .lhp_do_not_track` beside `lhp.yaml`; commit it for the team, ' +
      'or ignore it in git for yourself',
    on: 'delete the file',
  },
  {
    name: 'lhp-otel off',
    source: 'disk',
    unreadable: 'off',
    who: 'you',
    off: '`lhp-otel off`',
    on: '`lhp-otel on`',
  },
  {
    name: 'user configuration',
    source: 'disk',
    unreadable: 'off',
    who: 'you',
    off: '`"enabled": false` in your `config.json`, or one that cannot be read',
    on: 'correct the file, or remove `enabled` from it',
  },
  {
    name: 'lhp telemetry off',
    source: 'disk',
    unreadable: 'absent',
    who: 'you, for lhp itself',
    off: '`lhp telemetry off` (lhp 0.9.2 and later)',
    on: '`lhp telemetry on`',
  },
  {
    name: 'operator configuration',
    source: 'disk',
    unreadable: 'off',
    who: 'the operator',
    off: '`"enabled": false` in the operator’s `config.json`, or one that cannot be read',
    on: 'only the administrator of this machine can',
  },
] as const satisfies readonly Row[];

type AnyRow = (typeof LAYER_ROWS)[number];

/** The name of a layer. */
export type Layer = AnyRow['name'];
/** The layers that are variables. */
export type Variable = Extract<AnyRow, { source: 'environment' }>['name'];
/** The layers that are files. */
export type StoredLayer = Extract<AnyRow, { source: 'disk' }>['name'];

export const LAYERS: readonly Layer[] = LAYER_ROWS.map(({ name }) => name);

/** The variables that opt out, in order. */
export const OPT_OUT_VARIABLES: readonly Variable[] = LAYER_ROWS.flatMap((row) =>
  row.source === 'environment' ? [row.name] : [],
);
