// words.ts: what the page says of outcomes, losses and changes, in one place each.

import type { GenerateEvent, LossReason } from '../../contract/contract.ts';
import type { Change } from '../../history/changes.ts';
import type { Outcome, Run } from '../../otlp/decode.ts';
import { count, plural, seconds, word } from './format.ts';

export const OUTCOMES: Record<Outcome, { word: string; sentence: string }> = {
  local: { word: 'kept here', sentence: 'Kept on this machine, and sent to nobody.' },
  waiting: { word: 'waiting', sentence: 'Waits on this machine for its delivery.' },
  sent: {
    word: 'delivered',
    sentence: 'Delivered to the configured endpoint, in exactly these bytes.',
  },
  lost: { word: 'given up', sentence: 'Given up, and not delivered' },
};

export const LOSSES: Record<LossReason, string> = {
  rejected: 'the collector refused it for good',
  expired: 'it had waited for more than 7 days',
  spool_full: 'too many runs were waiting',
  unreadable: 'its file was damaged, or could not be written',
};

export function whatBecameOf({ outcome, reason }: Run): string {
  const { sentence } = OUTCOMES[outcome];
  return outcome === 'lost'
    ? `${sentence}: ${reason ? LOSSES[reason] : 'nobody knows why'}.`
    : sentence;
}

export const VERDICTS: Record<Change['verdict'], string> = {
  slower: 'slower',
  faster: 'faster',
  same: 'no clear difference',
  few: 'too few runs to say',
};

const CHANGED: Record<Change['changed'][number]['what'], string> = {
  lhp_version: 'lhp',
  python_version: 'Python',
  flowgroups_count: 'flowgroups',
};

export const changeInWords = ({ changed }: Change): string =>
  changed.map(({ what, from, to }) => `${CHANGED[what]} ${value(from)} → ${value(to)}`).join(', ');

const value = (it: string | number | null) => (typeof it === 'string' ? word(it, 20) : count(it));

/** One run in a sentence. */
export function eventInWords(event: GenerateEvent): string {
  const {
    files_generated: files,
    flowgroups_count: flowgroups,
    pipelines_count: pipelines,
  } = event;
  const what = event.dry_run
    ? 'A dry run'
    : files === null
      ? 'A run'
      : `${plural(files, 'file')} written`;
  const size =
    flowgroups === null
      ? ''
      : ` of ${plural(flowgroups, 'flowgroup')}${pipelines === null ? '' : ` in ${plural(pipelines, 'pipeline')}`}`;
  const where = event.is_ci ? 'in CI' : 'not in CI';
  return `${what}${size} for environment ${word(event.environment)}, in ${seconds(event.generation_time_seconds)}, with lhp ${word(event.lhp_version)} on Python ${word(event.python_version)}, ${where}.`;
}
