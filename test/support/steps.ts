// steps.ts: does something at the n-th step of code under test that reads the disk. A step is a
// call of one of Node's synchronous functions that look at a file or folder, and the next entry of
// a folder.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const STEPS = [
  'openSync',
  'opendirSync',
  'lstatSync',
  'statSync',
  'fstatSync',
  'readSync',
] as const;

/**
 * Runs `work`; `act` happens right before its step number `at` (from 1). Gives the number of steps,
 * too.
 */
export function atStep<T>(
  at: number,
  act: () => void,
  work: () => T,
): { steps: number; result: T } {
  let steps = 0;
  let acting = false;
  const step = () => {
    if (acting) return;
    steps += 1;
    if (steps !== at) return;
    acting = true;
    act();
    acting = false;
  };
  const putBack = [
    ...STEPS.map((name) => before(fs, name, step)),
    before(fs.Dir.prototype, 'readSync', step),
  ];
  syncBuiltinESMExports();
  try {
    const result = work();
    return { steps, result };
  } finally {
    for (const restore of putBack) restore();
    syncBuiltinESMExports();
  }
}

/** Every change time that is asked for while `work` runs is passed through `change`. */
export function withChangeTimes<T>(change: (ns: bigint) => bigint, work: () => T): T {
  const putBack = (['lstatSync', 'statSync', 'fstatSync'] as const).map((name) =>
    around(fs, name, (real) => (...args: unknown[]) => {
      const stats = real(...args) as { ctimeNs?: bigint } | undefined;
      if (stats?.ctimeNs !== undefined) stats.ctimeNs = change(stats.ctimeNs);
      return stats;
    }),
  );
  syncBuiltinESMExports();
  try {
    return work();
  } finally {
    for (const restore of putBack) restore();
    syncBuiltinESMExports();
  }
}

/** Runs `work`; `act` happens right after this folder was listed for the first time. */
export function afterListing<T>(folder: string, act: () => void, work: () => T): T {
  let acted = false;
  const restore = around(fs, 'readdirSync', (real) => (...args: unknown[]) => {
    const names = real(...args);
    if (args[0] === folder && !acted) {
      acted = true;
      act();
    }
    return names;
  });
  syncBuiltinESMExports();
  try {
    return work();
  } finally {
    restore();
    syncBuiltinESMExports();
  }
}

type Anything = (...args: unknown[]) => unknown;

function around(object: object, name: string, wrap: (real: Anything) => Anything): () => void {
  const holder = object as Record<string, Anything>;
  const real = holder[name] as Anything;
  holder[name] = wrap(real);
  return () => {
    holder[name] = real;
  };
}

const before = (object: object, name: string, step: () => void) =>
  around(
    object,
    name,
    (real) =>
      function (this: unknown, ...args: unknown[]) {
        step();
        return real.apply(this, args);
      },
  );
