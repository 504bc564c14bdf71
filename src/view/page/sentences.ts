// sentences.ts: a recorded run, its outcome and a change as sentences.
import { type GenerateEvent, LOSSES } from '../../contract/contract.ts';
import type { Change } from '../../history/changes.ts';
import { LEVELS } from '../../history/words.ts';
import type { Outcome, Run } from '../../spool/run.ts';
import { count, plural, seconds, word } from './format.ts';

const OUTCOME_SENTENCES: Record<Outcome, string> = {
  local: 'Kept on this machine, and sent nowhere.',
  waiting: 'Waiting on this machine to be delivered.',
  sent: 'Delivered to the configured endpoint, in exactly these bytes.',
  lost: 'Given up, and not delivered',
};

export function outcomeSentence({ outcome, reason }: Run): string {
  const sentence = OUTCOME_SENTENCES[outcome];
  if (outcome !== 'lost') return sentence;
  return `${sentence}: ${reason ? LOSSES[reason] : 'the reason is unknown'}.`;
}

export const changeInWords = ({ changed }: Change): string =>
  changed.map(({ what, from, to }) => `${LEVELS[what]} ${value(from)} → ${value(to)}`).join(', ');

const value = (it: string | number | null) => (typeof it === 'string' ? word(it, 20) : count(it));

export function eventSentence(event: GenerateEvent): string {
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
  const inPipelines = pipelines === null ? '' : ` in ${plural(pipelines, 'pipeline')}`;
  const size = flowgroups === null ? '' : ` of ${plural(flowgroups, 'flowgroup')}${inPipelines}`;
  const where = event.is_ci ? 'in CI' : 'not in CI';
  return (
    `${what}${size} for environment ${word(event.environment)}, in ` +
    `${seconds(event.generation_time_seconds)}, with lhp ${word(event.lhp_version)} on Python ` +
    `${word(event.python_version)}, ${where}.`
  );
}
