// notice.ts: the probe of `doctor` for the notice: outside CI nothing is delivered until it was
// shown.
import { type Found, NOTICES } from '../consent/situation.ts';
import type { Paths } from '../system/paths.ts';
import { ok, skipped, type Verdict, warning } from './verdict.ts';

export function probeNotice({ notice }: Pick<Found, 'notice'>, paths: Paths): Verdict {
  const words = NOTICES[notice].replace('@file@', paths.systemConfig);
  if (notice === 'none') return skipped(words);
  if (notice !== 'due') return ok(words);
  return warning(
    words,
    'until then runs wait, at most 7 days; lhp-otel status on a terminal shows it',
  );
}
