// launchers.ts: the one table of programs that start another program: wrappers (`nice`, `timeout`)
// and the launchers of Python environments (`uv run`, `poetry run`). One row says how the program's
// words are read, which folder the command runs in, where variables for it come from, and which
// environment it gets. Plain data: it stands before the user's command. command.ts reads words by
// it, switches.ts consent, describe/installation.ts the environment.

/** Which rule finds the environment of a launcher (src/collect/environment). */
export type EnvironmentRule =
  | 'conda'
  | 'hatch'
  | 'micromamba'
  | 'pdm'
  | 'pipenv'
  | 'pixi'
  | 'poetry'
  | 'rye'
  | 'tool'
  | 'uv';

/** A file in which variables for the command may be set. */
export interface Settings {
  /** Its name, looked for from the project's folder upwards. */
  file: string;
  /** Of a TOML file the table that holds them, e.g. `tool.pdm.scripts`; else the whole file. */
  table?: string;
}

export interface Launcher {
  /**
   * Options without a value, separated by spaces. What is in neither list may take a value or not.
   */
  flags?: string;
  /** Options with a value. */
  values?: string;
  /**
   * Options with which no command is started, or none that we can follow or wait for. For every row
   * also -h, --help, -V and --version, where the row does not name them.
   */
  refused?: string;
  /** A word before the command that is no option: the duration of `timeout`. */
  operand?: RegExp;
  /**
   * Words that lead to the command (`run`), and the row by which what stands behind them is read.
   */
  subcommands?: Readonly<Record<string, Launcher>>;
  /** Other first words, for the case that an unknown option stands before them. */
  others?: string;
  /** The words may be `NAME=value`, as for env(1). */
  assigns?: true;
  /** `-5` is an option of nice(1). */
  numbers?: true;
  /** Options that name the folder the command runs in, and the variable that does. */
  folder?: string;
  /** That folder is relative to the project's. */
  folderInProject?: true;
  folderVariable?: string;
  /** Options that name the folder of the project, whose environment is used. */
  project?: string;
  /** Options with which the command is a Python module: `uv run -m`. */
  module?: string;
  /** Options that set a variable, `NAME=value`; that remove one; that remove all. */
  sets?: string;
  unsets?: string;
  clears?: string;
  /** Options with a dotenv file, the one that forbids it, and their variables. */
  envFile?: string;
  noEnvFile?: string;
  envFileVariable?: string;
  settings?: readonly Settings[];
  environment?: EnvironmentRule;
  /** The command's own package is fetched, so that any word can be a command. */
  fetches?: true;
  /** `name:command` names the environment. */
  prefixed?: true;
}

const UV_GLOBAL: Launcher = {
  flags: `-q --quiet -v --verbose --managed-python --no-managed-python --no-python-downloads --offline --no-progress \
--no-config -n --no-cache --system-certs --native-tls --preview --no-preview`,
  values: `--directory --project --config-file --cache-dir --color --allow-insecure-host --python-preference \
--python-fetch --preview-features`,
  folder: '--directory',
  folderVariable: 'UV_WORKING_DIR',
  project: '--project',
};

/** What `uv run` and `uv tool run` have in common. */
const UV_SHARED: Launcher = {
  ...UV_GLOBAL,
  flags: `${UV_GLOBAL.flags} --isolated --no-env-file --no-index --no-sources --reinstall --compile-bytecode --refresh \
-U --upgrade --no-build-isolation --no-build --no-binary --require-build-hashes --no-require-build-hashes --exact`,
  values: `${UV_GLOBAL.values} --env-file -w --with --with-editable --with-requirements --python-platform --index \
--default-index -i --index-url --extra-index-url -f --find-links --index-strategy --keyring-provider \
-P --upgrade-package --upgrade-group --resolution --prerelease --prerelease-package --fork-strategy \
--exclude-newer --exclude-newer-package --no-sources-package --reinstall-package --link-mode -C --config-setting \
--config-settings-package --no-build-isolation-package --no-build-package --no-binary-package --refresh-package \
-p --python`,
  envFile: '--env-file',
  noEnvFile: '--no-env-file',
  envFileVariable: 'UV_ENV_FILE',
};

const UV_RUN: Launcher = {
  ...UV_SHARED,
  flags: `${UV_SHARED.flags} --all-extras --no-dev --dev --only-dev --no-default-groups --all-groups --no-editable \
--active --no-active --no-sync --locked --frozen --all-packages --no-project`,
  values: `${UV_SHARED.values} --extra --no-extra --group --no-group --only-group --no-editable-package --package`,
  module: '-m --module',
  refused: '-s --script --gui-script',
  environment: 'uv',
};

const UV_TOOL_RUN: Launcher = {
  ...UV_SHARED,
  flags: `${UV_SHARED.flags} --lfs`,
  values: `${UV_SHARED.values} --from -c --constraints -b --build-constraints --overrides --torch-backend`,
  environment: 'tool',
  fetches: true,
};

const PIPX_RUN: Launcher = {
  flags: `-q --quiet -v --verbose --skip-maintenance --global --no-cache --refresh --no-path-check --path --pypackages \
--fetch-missing-python --system-site-packages -e --editable`,
  values: `--python-args --with --spec --python --fetch-python -i --index-url --pip-args --cooldown --backend`,
  environment: 'tool',
  fetches: true,
};

const POETRY: Launcher = {
  flags: `-q --quiet --ansi --no-ansi -n --no-interaction --no-plugins --no-cache -v -vv -vvv --verbose`,
  values: '-P --project -C --directory',
  folder: '-C --directory',
  project: '-P --project',
  // Plugins load it.
  settings: [{ file: '.env' }],
  environment: 'poetry',
};

const HATCH: Launcher = {
  flags: `-v --verbose -q --quiet --color --no-color --interactive --no-interactive`,
  values: '-e --env --data-dir --cache-dir --config',
  // A project by its name, wherever it is.
  refused: '-p --project',
  settings: [{ file: 'pyproject.toml', table: 'tool.hatch' }, { file: 'hatch.toml' }],
  environment: 'hatch',
};
const HATCH_RUN: Launcher = { ...HATCH, prefixed: true };
const HATCH_ENV_RUN: Launcher = {
  ...HATCH,
  flags: `${HATCH.flags} --force-continue --ignore-compat`,
  values: `${HATCH.values} -i --include -x --exclude --filter`,
};

const PDM_RUN: Launcher = {
  flags: '-v --verbose -q --quiet -g --global -s --site-packages --recreate',
  values: '-p --project -k --skip --venv --env --env-file --working-dir',
  refused: '-l --list -j --json',
  folder: '--working-dir',
  folderInProject: true,
  project: '-p --project',
  sets: '--env',
  envFile: '--env-file',
  settings: [{ file: 'pyproject.toml', table: 'tool.pdm' }, { file: 'pdm.toml' }, { file: '.env' }],
  environment: 'pdm',
};

const PIPENV: Launcher = {
  flags: `--bare -v --verbose -q --quiet --clear --site-packages --no-site-packages --system`,
  values: '--python --pypi-mirror',
  settings: [{ file: '.env' }, { file: 'Pipfile' }],
  environment: 'pipenv',
};

const PIXI_RUN: Launcher = {
  flags: `-v --verbose -q --quiet --no-progress --frozen --locked --as-is --no-install --no-lockfile-update \
--force-activate --no-completions --skip-deps --no-config --no-deps -x --executable`,
  values: `-m --manifest-path -w --workspace -e --environment --color --auth-file --concurrent-downloads \
--concurrent-solves --pinning-strategy --pypi-keyring-provider --run-post-link-scripts --tls-no-verify -p --platform`,
  // It lists, or takes variables away.
  refused: '-n --dry-run --clean-env',
  project: '-m --manifest-path',
  settings: [
    { file: 'pixi.toml' },
    { file: 'pyproject.toml', table: 'tool.pixi' },
    { file: 'mojoproject.toml' },
    { file: '.env' },
  ],
  environment: 'pixi',
};

const CONDA_RUN: Launcher = {
  flags: `-v --verbose --dev --debug-wrapper-scripts --no-capture-output --live-stream -s -q --quiet`,
  values: '-n --name -p --prefix --cwd',
  folder: '--cwd',
  environment: 'conda',
};
const MICROMAMBA_RUN: Launcher = {
  ...CONDA_RUN,
  flags: `${CONDA_RUN.flags} --no-rc --no-env --json --offline -y --yes`,
  values:
    '-n --name -p --prefix --cwd -r --root-prefix --rc-file -e --env -a --attach --label --log-level',
  refused: '-d --detach --dry-run --clean-env',
  sets: '-e --env',
  environment: 'micromamba',
};
const MICROMAMBA: Launcher = {
  ...MICROMAMBA_RUN,
  subcommands: { run: MICROMAMBA_RUN },
  others: 'install create remove update env list search config shell self-update clean info',
};

const RYE_RUN: Launcher = {
  flags: '-v --verbose -q --quiet',
  refused: '-l --list',
  values: '--pyproject --env-file',
  envFile: '--env-file',
  settings: [{ file: 'pyproject.toml', table: 'tool.rye' }, { file: '.env' }],
  environment: 'rye',
};

const TIME: Launcher = {
  flags: '-p --portability -a --append -q --quiet -v --verbose -l',
  values: '-f --format -o --output',
};

const WRAPPERS: Record<string, Launcher> = {
  caffeinate: { flags: '-d -i -m -s -u', values: '-t -w' },
  choom: { values: '-n --adjust', refused: '-p --pid' },
  chronic: { flags: '-v -e' },
  chrt: {
    flags:
      '-a --all-tasks -b --batch -d --deadline -e --ext -f --fifo -i --idle -o --other -r --rr -R -v --verbose',
    values: '-T --sched-runtime -P --sched-period -D --sched-deadline',
    refused: '-p --pid -m --max',
    operand: /^\d+$/,
  },
  env: {
    flags:
      '-v --debug -0 --null --list-signal-handling --default-signal --ignore-signal --block-signal',
    values: '-u --unset -C --chdir -a --argv0 -P',
    // One word that holds several: not read.
    refused: '-S --split-string',
    assigns: true,
    folder: '-C --chdir',
    unsets: '-u --unset',
    clears: '- -i --ignore-environment',
  },
  ionice: { flags: '-t --ignore', values: '-c --class -n --classdata', refused: '-p -P -u' },
  nice: { values: '-n --adjustment', numbers: true },
  nohup: {},
  numactl: {
    flags: '-a --all -l --localalloc -b --balancing',
    values:
      '-i --interleave -p --preferred -P --preferred-many -m --membind -N --cpunodebind -C --physcpubind',
    refused: '-s --show -H --hardware',
  },
  prlimit: {
    flags:
      '-c --core -d --data -e --nice -f --fsize -i --sigpending -l --memlock -m --rss -n --nofile -q --msgqueue ' +
      '-r --rtprio -s --stack -t --cpu -u --nproc -v --as -x --locks -y --rttime --noheadings --raw --verbose',
    values: '-o --output',
    refused: '-p --pid',
  },
  // Forked, it would have ended before the command.
  setsid: { flags: '-c --ctty -w --wait', refused: '-f --fork' },
  stdbuf: { values: '-i --input -o --output -e --error' },
  taskset: {
    flags: '-a --all-tasks -c --cpu-list',
    refused: '-p --pid',
    operand: /^(0x)?[\da-f]+$|^\d[\d,:-]*$/i,
  },
  time: TIME,
  timeout: {
    flags: '-f --foreground -p --preserve-status -v --verbose',
    values: '-k --kill-after -s --signal',
    operand: /^[\d.]/,
  },
};

/** GNU's programs as Homebrew calls them: gtimeout, gnice. */
const GNU = ['env', 'nice', 'nohup', 'stdbuf', 'time', 'timeout'];

export const LAUNCHERS: Readonly<Record<string, Launcher>> = {
  ...WRAPPERS,
  ...Object.fromEntries(GNU.map((name) => [`g${name}`, WRAPPERS[name] as Launcher])),
  uv: {
    ...UV_GLOBAL,
    subcommands: { run: UV_RUN, tool: { ...UV_GLOBAL, subcommands: { run: UV_TOOL_RUN } } },
    others: `auth init add remove version sync lock export tree format python pip venv build publish cache self help \
install uninstall list upgrade update-shell dir`,
  },
  uvx: UV_TOOL_RUN,
  pipx: {
    ...PIPX_RUN,
    subcommands: { run: PIPX_RUN },
    others:
      'install inject upgrade uninstall reinstall list environment exec runpip ensurepath cache interpreter',
  },
  poetry: {
    ...POETRY,
    subcommands: { run: POETRY },
    others:
      'add remove about build cache check config debug env help init install list lock new publish search show',
  },
  hatch: {
    ...HATCH,
    subcommands: { run: HATCH_RUN, env: { ...HATCH, subcommands: { run: HATCH_ENV_RUN } } },
    others:
      'build check clean config dep fmt lock new project publish python self shell status test version',
  },
  pdm: {
    flags: `-v --verbose -q --quiet --no-cache -I --ignore-python -n --non-interactive`,
    values: '-c --config',
    subcommands: { run: PDM_RUN },
    others:
      'add build cache config fix info init install list lock new outdated publish python remove show sync use',
  },
  pipenv: {
    ...PIPENV,
    subcommands: { run: PIPENV },
    others:
      'install remove upgrade uninstall lock shell check audit update graph open sync clean scripts verify',
  },
  pixi: {
    ...PIXI_RUN,
    subcommands: { run: PIXI_RUN, r: PIXI_RUN },
    others:
      'add init install remove task shell list global exec info search upgrade update tree workspace clean',
  },
  conda: {
    flags: '-v --verbose -q --quiet --no-plugins',
    subcommands: { run: CONDA_RUN },
    others: 'install create remove update env list search config clean info init activate',
  },
  mamba: MICROMAMBA,
  micromamba: MICROMAMBA,
  rye: {
    flags: `-v --verbose -q --quiet`,
    values: '--env-file',
    envFile: '--env-file',
    subcommands: { run: RYE_RUN, r: RYE_RUN },
    others:
      'add build config fetch fmt init install list lint lock make-req publish remove show sync test tools use',
  },
};

/** The row of a launcher and its subcommand: `uv tool run`. */
export function launcherOf(name: string): Launcher {
  const [program = '', ...subcommands] = name.split(' ');
  return subcommands.reduce((row, word) => row.subcommands?.[word] ?? {}, LAUNCHERS[program] ?? {});
}
