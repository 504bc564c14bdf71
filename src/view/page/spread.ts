// spread.ts: moves positions on a line apart that are too close together.

/**
 * The positions in the same order, at least `gap` apart, and between `low` and `high` if there is
 * enough room.
 *
 * @param places - in ascending order.
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
