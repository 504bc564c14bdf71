// The recorded duration is that of the whole command, so it is longer than the one lhp prints.
// Every place that shows durations says so, or users who compare the two would take one for wrong.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { FIELDS } from '../../src/contract/fields.ts';

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

it('on the local page', () =>
  expect(FIELDS.generation_time_seconds.how).toMatch(/with the start of Python: more than/));

it.each(['faq.md', 'privacy.md'])('in docs/%s', (page) =>
  expect(read('docs', page)).toMatch(/start of Python: more than|Python has started/),
);

it.each(['dashboards', 'victoriametrics'])('in every panel of seconds in grafana/%s', (folder) => {
  const { panels } = JSON.parse(read('deploy', 'grafana', folder, 'performance.json')) as {
    panels: { description?: string; fieldConfig?: { defaults?: { unit?: string } } }[];
  };
  const seconds = panels.filter(({ fieldConfig }) => fieldConfig?.defaults?.unit === 's');
  expect(seconds.length).toBeGreaterThan(5);
  for (const { description } of seconds)
    expect(description).toContain('including the start of Python. It is longer than');
});
