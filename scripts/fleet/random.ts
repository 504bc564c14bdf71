// random.ts: seeded random numbers for the load model. The same seed gives the same fleet on every
// machine and with every version of Node.
export interface Dice {
  /** From 0 up to, and without, 1. */
  next(): number;
  chance(probability: number): boolean;
  below(count: number): number;
  /** Index of one of these shares, which add up to 1. */
  share(shares: readonly number[]): number;
  /**
   * Log-normal: half of the values are above the median; sigma says how much more the largest are.
   */
  logNormal(median: number, sigma: number): number;
  poisson(mean: number): number;
  exponential(mean: number): number;
}

/**
 * Each machine of a fleet has its own random numbers, so that a larger fleet contains the machines
 * of a smaller one.
 */
export function dice(seed: number, machine: number): Dice {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(machine + 1, 0xc2b2ae35);
  // Mulberry32: 32 bits of state, and enough for arrivals.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    chance: (probability) => next() < probability,
    below: (count) => Math.floor(next() * count),
    share: (shares) => {
      let left = next();
      const found = shares.findIndex((share) => {
        left -= share;
        return left < 0;
      });
      return found < 0 ? shares.length - 1 : found;
    },
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    poisson: (mean) => {
      // Above this, the bell curve is the same within what the model knows, and exp(-mean) would be
      // 0.
      if (mean > 200) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
      let count = 0;
      for (let left = next(); left > Math.exp(-mean); left *= next()) count += 1;
      return count;
    },
    exponential: (mean) => -mean * Math.log(1 - next()),
  };
}
