// projects.ts: the launchers that run a command in the Python environment of a project, and pipx,
// which fetches the command. Sources: the help of pipx, Poetry, Hatch, PDM and Pipenv in the
// versions that scripts/setup.mjs installs for the tests, and Rye's documentation; Rye was not run
// here.
import type { Launcher } from './launcher.ts';

const PIPX_RUN: Launcher = {
  flags: `-q --quiet -v --verbose --skip-maintenance --global --no-cache --refresh --no-path-check
    --path --pypackages --fetch-missing-python --system-site-packages -e --editable`,
  values: `--python-args --with --spec --python --fetch-python -i --index-url --pip-args --cooldown
    --backend`,
  environment: 'pipx',
  package: '--spec',
};

const POETRY: Launcher = {
  flags: `-q --quiet --ansi --no-ansi -n --no-interaction --no-plugins --no-cache -v -vv -vvv
    --verbose`,
  values: '-P --project -C --directory',
  folder: '-C --directory',
  project: '-P --project',
  // Poetry itself reads no .env; widely used plugins do.
  settings: [{ file: '.env' }],
  environment: 'poetry',
  environmentFolders: '.venv',
};

const HATCH = {
  flags: '-v --verbose -q --quiet --color --no-color --interactive --no-interactive',
  values: '-e --env --data-dir --cache-dir --config',
  // It selects a project by name, and the folder of that project is not known here.
  refused: '-p --project',
  settings: [{ file: 'pyproject.toml', table: 'tool.hatch' }, { file: 'hatch.toml' }],
  environment: 'hatch',
} satisfies Launcher;
const HATCH_RUN: Launcher = { ...HATCH, environmentPrefix: true };
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
  projectVariable: 'PDM_PROJECT',
  sets: '--env',
  envFile: '--env-file',
  settings: [{ file: 'pyproject.toml', table: 'tool.pdm' }, { file: 'pdm.toml' }, { file: '.env' }],
  environment: 'pdm',
  environmentFolders: '.venv venv env',
};

const PIPENV: Launcher = {
  flags: '--bare -v --verbose -q --quiet --clear --site-packages --no-site-packages --system',
  values: '--python --pypi-mirror',
  projectVariable: 'PIPENV_PIPFILE',
  settings: [
    { file: '.env', beside: 'Pipfile', unless: 'PIPENV_DONT_LOAD_ENV' },
    { variable: 'PIPENV_DOTENV_LOCATION' },
    { file: 'Pipfile', beside: 'Pipfile' },
  ],
  environment: 'pipenv',
  environmentFolders: '.venv',
};

const RYE_RUN: Launcher = {
  flags: '-v --verbose -q --quiet',
  refused: '-l --list',
  values: '--pyproject --env-file',
  envFile: '--env-file',
  settings: [{ file: 'pyproject.toml', table: 'tool.rye' }, { file: '.env' }],
  environment: 'rye',
  environmentFolders: '.venv',
};

export const PROJECT_LAUNCHERS: Readonly<Record<string, Launcher>> = {
  pipx: {
    ...PIPX_RUN,
    subcommands: { run: PIPX_RUN },
    others: `install inject upgrade uninstall reinstall list environment exec runpip ensurepath
      cache interpreter`,
  },
  poetry: {
    ...POETRY,
    subcommands: { run: POETRY },
    others: `add remove about build cache check config debug env help init install list lock new
      publish search show`,
  },
  hatch: {
    ...HATCH,
    subcommands: { run: HATCH_RUN, env: { ...HATCH, subcommands: { run: HATCH_ENV_RUN } } },
    others: `build check clean config dep fmt lock new project publish python self shell status test
      version`,
  },
  pdm: {
    flags: '-v --verbose -q --quiet --no-cache -I --ignore-python -n --non-interactive',
    values: '-c --config',
    subcommands: { run: PDM_RUN },
    others: `add build cache config fix info init install list lock new outdated publish python
      remove show sync use`,
  },
  pipenv: {
    ...PIPENV,
    subcommands: { run: PIPENV },
    others: `install remove upgrade uninstall lock shell check audit update graph open sync clean
      scripts verify`,
  },
  rye: {
    flags: '-v --verbose -q --quiet',
    values: '--env-file',
    envFile: '--env-file',
    subcommands: { run: RYE_RUN, r: RYE_RUN },
    others: `add build config fetch fmt init install list lint lock make-req publish remove show
      sync test tools use`,
  },
};
