// crowd.ts: starts many commands and measures them together with the background processes that they
// leave.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts a command COUNT times, at once or one after the other, becomes the parent of every process
 * that is left behind, and waits for all: the kernel's figures of the commands and of what they
 * left (the reporters).
 */
export const CROWD = `
import ctypes, json, os, sys, threading, time
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
count, at_once, command = int(sys.argv[1]), sys.argv[2] == 'at once', sys.argv[3:]
available = lambda: int(next(line for line in open('/proc/meminfo') if line.startswith('MemAvailable')).split()[1])
start, before, commands, failed = time.time(), available(), set(), 0
low, cpu, peak, ended = before, {True: 0.0, False: 0.0}, {True: 0, False: 0}, 0
def watch():
    global low
    while True:
        low = min(low, available())
        time.sleep(0.2)
threading.Thread(target=watch, daemon=True).start()
def reap():
    global failed, ended
    pid, status, usage = os.wait4(-1, 0)
    own = pid in commands
    cpu[own] += usage.ru_utime + usage.ru_stime
    peak[own] = max(peak[own], usage.ru_maxrss)
    failed += own and status != 0
    if own: ended = time.time() - start
    return pid
for i in range(count):
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=null)
    commands.add(pid)
    while not at_once and reap() != pid: pass
try:
    while True: reap()
except ChildProcessError: pass
print(json.dumps({'failed': failed, 'commands': cpu[True], 'reporters': cpu[False], 'peak': peak[False] / 1024,
    'commandsPeak': peak[True] / 1024, 'ended': ended, 'all': time.time() - start, 'memory': (before - low) / 1024}))`;

/** Seconds and MiB. */
export interface Crowd {
  failed: number;
  commands: number;
  reporters: number;
  peak: number;
  commandsPeak: number;
  ended: number;
  all: number;
  memory: number;
}

/** Runs a program and resolves with its standard output. */
export async function tell(
  words: string[],
  env: Record<string, string | undefined>,
  cwd: string,
  program = process.execPath,
): Promise<string> {
  const child = spawn(program, words, {
    env: env as NodeJS.ProcessEnv,
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child, 'close');
  return said;
}
