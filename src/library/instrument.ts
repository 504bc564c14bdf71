// instrument.ts: wraps the generate function of a host, so that each successful call is recorded.
import { type GenerateFacts, type RecordOptions, recordGenerate } from './library.ts';

/** How {@link instrumentGenerate} learns about a finished run. */
export interface InstrumentOptions<Args extends unknown[], Result> extends RecordOptions {
  /**
   * Gives the facts of a run from its result and its arguments. It is called after success only. If
   * it throws, the error is ignored and the run is recorded without facts. The duration is measured
   * with a monotonic clock, unless `describe` gives `generation_time_seconds`.
   */
  describe?: (result: Awaited<Result>, ...args: Args) => GenerateFacts;
}

/**
 * Wraps a generate function, synchronous or asynchronous. A successful call is recorded with
 * {@link recordGenerate}; a call that throws or rejects is not.
 *
 * @param generate - The function to wrap.
 * @param options - See {@link InstrumentOptions}.
 * @returns A function to call in its place, with the same arguments, `this` and result. It throws
 *   and rejects with what `generate` throws and rejects with, and with nothing else. A call that
 *   starts a reporter process takes some milliseconds; a call soon after it uses the same reporter
 *   and takes a fraction of one.
 */
export function instrumentGenerate<This, Args extends unknown[], Result>(
  generate: (this: This, ...args: Args) => Result,
  options: InstrumentOptions<Args, Result> = {},
): (this: This, ...args: Args) => Result {
  return function (this: This, ...args: Args): Result {
    const started = performance.now();
    const done = (result: Awaited<Result>) => {
      const generation_time_seconds = (performance.now() - started) / 1000;
      recordGenerate({ generation_time_seconds, ...factsOf(options, result, args) }, options);
    };
    const result = generate.apply(this, args);
    if (result instanceof Promise && result.constructor === Promise) {
      // The caller gets the derived promise. With the original one, our handlers would count as the
      // handling of a rejection, and Node would not report one that the host does not handle.
      return result.then((value) => {
        done(value);
        return value;
      }) as Result;
    }
    // A thenable with properties of its own, such as a child process, is returned as it is.
    if (isThenable(result)) {
      result.then(
        (value) => done(value as Awaited<Result>),
        () => {}, // a run that fails is not recorded
      );
    } else done(result as Awaited<Result>);
    return result;
  };
}

function factsOf<Args extends unknown[], Result>(
  { describe }: InstrumentOptions<Args, Result>,
  result: Awaited<Result>,
  args: Args,
): GenerateFacts {
  try {
    return describe?.(result, ...args) ?? {};
  } catch {
    return {}; // the run took place, whatever is wrong with the host's `describe`
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';
