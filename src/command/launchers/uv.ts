// uv.ts: the rows of uv and uvx, which share most of their options. Source: the help of `uv run`
// and `uv tool run`, in the version that scripts/setup.mjs installs for the tests.
import type { Launcher } from './launcher.ts';

const GLOBAL = {
  flags: `-q --quiet -v --verbose --managed-python --no-managed-python --no-python-downloads
    --offline --no-progress --no-config -n --no-cache --system-certs --native-tls --preview
    --no-preview`,
  values: `--directory --project --config-file --cache-dir --color --allow-insecure-host
    --python-preference --python-fetch --preview-features`,
  folder: '--directory',
  folderVariable: 'UV_WORKING_DIR',
  project: '--project',
} satisfies Launcher;

/** What `uv run` and `uv tool run` have in common. */
const SHARED = {
  ...GLOBAL,
  flags: `${GLOBAL.flags} --isolated --no-env-file --no-index --no-sources --reinstall
    --compile-bytecode --refresh -U --upgrade --no-build-isolation --no-build --no-binary
    --require-build-hashes --no-require-build-hashes --exact`,
  values: `${GLOBAL.values} --env-file -w --with --with-editable --with-requirements
    --python-platform --index --default-index -i --index-url --extra-index-url -f --find-links
    --index-strategy --keyring-provider -P --upgrade-package --upgrade-group --resolution
    --prerelease --prerelease-package --fork-strategy --exclude-newer --exclude-newer-package
    --no-sources-package --reinstall-package --link-mode -C --config-setting
    --config-settings-package --no-build-isolation-package --no-build-package --no-binary-package
    --refresh-package -p --python`,
  envFile: '--env-file',
  noEnvFile: '--no-env-file',
  envFileVariable: 'UV_ENV_FILE',
} satisfies Launcher;

const RUN: Launcher = {
  ...SHARED,
  flags: `${SHARED.flags} --all-extras --no-dev --dev --only-dev --no-default-groups --all-groups
    --no-editable --active --no-active --no-sync --locked --frozen --all-packages --no-project`,
  values: `${SHARED.values} --extra --no-extra --group --no-group --only-group
    --no-editable-package --package`,
  module: '-m --module',
  refused: '-s --script --gui-script',
  environment: 'uv',
  environmentFolders: '.venv',
  environmentVariable: 'UV_PROJECT_ENVIRONMENT',
};

const TOOL_RUN: Launcher = {
  ...SHARED,
  flags: `${SHARED.flags} --lfs`,
  values: `${SHARED.values} --from -c --constraints -b --build-constraints --overrides
    --torch-backend`,
  environment: 'uv tool',
  package: '--from',
};

export const UV: Readonly<Record<string, Launcher>> = {
  uv: {
    ...GLOBAL,
    subcommands: { run: RUN, tool: { ...GLOBAL, subcommands: { run: TOOL_RUN } } },
    others: `auth init add remove version sync lock export tree format python pip venv build publish
      cache self help install uninstall list upgrade update-shell dir`,
  },
  uvx: TOOL_RUN,
};
