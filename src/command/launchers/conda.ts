// conda.ts: the launchers whose environments are those of conda. Source: their documentation; none
// of them was run here.
import type { Launcher } from './launcher.ts';

const PIXI_RUN: Launcher = {
  flags: `-v --verbose -q --quiet --no-progress --frozen --locked --as-is --no-install
    --no-lockfile-update --force-activate --no-completions --skip-deps --no-config --no-deps
    -x --executable`,
  values: `-m --manifest-path -w --workspace -e --environment --color --auth-file
    --concurrent-downloads --concurrent-solves --pinning-strategy --pypi-keyring-provider
    --run-post-link-scripts --tls-no-verify -p --platform`,
  // The first two start nothing; the last one takes variables away.
  refused: '-n --dry-run --clean-env',
  project: '-m --manifest-path',
  projectVariable: 'PIXI_PROJECT_MANIFEST',
  settings: [
    { file: 'pixi.toml' },
    { file: 'pyproject.toml', table: 'tool.pixi' },
    { file: 'mojoproject.toml' },
    { file: '.env' },
  ],
  environment: 'pixi',
  environmentFolders: '.pixi/envs/*',
  conda: true,
};

const CONDA_RUN = {
  flags:
    '-v --verbose --dev --debug-wrapper-scripts --no-capture-output --live-stream -s -q --quiet',
  values: '-n --name -p --prefix --cwd',
  folder: '--cwd',
  environment: 'conda',
  conda: true,
} satisfies Launcher;

const MICROMAMBA_RUN: Launcher = {
  ...CONDA_RUN,
  flags: `${CONDA_RUN.flags} --no-rc --no-env --json --offline -y --yes`,
  values: `-n --name -p --prefix --cwd -r --root-prefix --rc-file -e --env -a --attach --label
    --log-level`,
  refused: '-d --detach --dry-run --clean-env',
  sets: '-e --env',
};
/** mamba 2 has the command line of micromamba. */
const MICROMAMBA: Launcher = {
  ...MICROMAMBA_RUN,
  subcommands: { run: MICROMAMBA_RUN },
  others: 'install create remove update env list search config shell self-update clean info',
};

export const CONDA_LAUNCHERS: Readonly<Record<string, Launcher>> = {
  pixi: {
    ...PIXI_RUN,
    subcommands: { run: PIXI_RUN, r: PIXI_RUN },
    others: `add init install remove task shell list global exec info search upgrade update tree
      workspace clean`,
  },
  conda: {
    flags: '-v --verbose -q --quiet --no-plugins',
    subcommands: { run: CONDA_RUN },
    others: 'install create remove update env list search config clean info init activate',
  },
  mamba: MICROMAMBA,
  micromamba: MICROMAMBA,
};
