// spread.ts: places on a line that are too near to each other, moved apart as little as it takes.
// Pure.

/**
 * The places in their order, none nearer than `gap` to the next, all from `low` to `high` where
 * there is room.
 */
export function spread(
  places: readonly number[],
  gap: number,
  low: number,
  high: number,
): number[] {
  const moved = [...places];
  for (const [at, place] of moved.entries())
    moved[at] = Math.max(place, at === 0 ? low : (moved[at - 1] ?? 0) + gap);
  let limit = high;
  for (let at = moved.length - 1; at >= 0 && (moved[at] ?? 0) > limit; at -= 1, limit -= gap)
    moved[at] = limit;
  return moved;
}
