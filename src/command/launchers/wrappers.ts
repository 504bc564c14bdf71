// wrappers.ts: the launchers that change how a command runs (its priority, time limit, variables)
// and not which Python environment it gets. Sources: the manual pages of GNU coreutils, util-linux,
// moreutils, numactl and macOS.
import type { Launcher } from './launcher.ts';

export const WRAPPERS = {
  caffeinate: { flags: '-d -i -m -s -u', values: '-t -w' },
  choom: { values: '-n --adjust', refused: '-p --pid' },
  chronic: { flags: '-v -e' },
  chrt: {
    flags: `-a --all-tasks -b --batch -d --deadline -e --ext -f --fifo -i --idle -o --other
      -r --rr -R -v --verbose`,
    values: '-T --sched-runtime -P --sched-period -D --sched-deadline',
    refused: '-p --pid -m --max',
    operand: /^\d+$/,
  },
  env: {
    flags: `-v --debug -0 --null --list-signal-handling --default-signal --ignore-signal
      --block-signal`,
    values: '-u --unset -C --chdir -a --argv0 -P',
    // Its value is a whole command line in one word, which is not read.
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
    values: `-i --interleave -p --preferred -P --preferred-many -m --membind -N --cpunodebind
      -C --physcpubind`,
    refused: '-s --show -H --hardware',
  },
  prlimit: {
    // The value of a limit stands in the same word: --nofile=1024.
    flags: `-c --core -d --data -e --nice -f --fsize -i --sigpending -l --memlock -m --rss
      -n --nofile -q --msgqueue -r --rtprio -s --stack -t --cpu -u --nproc -v --as -x --locks
      -y --rttime --noheadings --raw --verbose`,
    values: '-o --output',
    refused: '-p --pid',
  },
  setsid: {
    flags: '-c --ctty -w --wait',
    // With --fork it ends before the command does.
    refused: '-f --fork',
  },
  stdbuf: { values: '-i --input -o --output -e --error' },
  taskset: {
    flags: '-a --all-tasks -c --cpu-list',
    refused: '-p --pid',
    operand: /^(0x)?[\da-f]+$|^\d[\d,:-]*$/i,
  },
  time: {
    flags: '-p --portability -a --append -q --quiet -v --verbose -l',
    values: '-f --format -o --output',
  },
  timeout: {
    flags: '-f --foreground -p --preserve-status -v --verbose',
    values: '-k --kill-after -s --signal',
    operand: /^[\d.]/,
  },
} as const satisfies Readonly<Record<string, Launcher>>;

/** GNU programs under the names that Homebrew gives them. */
export const HOMEBREW_WRAPPERS: Readonly<Record<string, Launcher>> = {
  genv: WRAPPERS.env,
  gnice: WRAPPERS.nice,
  gnohup: WRAPPERS.nohup,
  gstdbuf: WRAPPERS.stdbuf,
  gtime: WRAPPERS.time,
  gtimeout: WRAPPERS.timeout,
};
