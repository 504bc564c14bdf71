// The bytes of a recorded run are a public format: they wait on the disks of users across updates,
// `show --format otlp` prints them, and gateways are configured for them. So the request of each
// event below is compared byte for byte with a file in test/fixtures/requests. After an intended
// change of the format, write the files again and review their diff:
//   npx vitest run --config test/vitest.config.ts test/node/request-bytes.test.ts -u
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import {
  type GenerateEvent,
  LOSS_REASONS,
  type LossReason,
  type Preview,
} from '../../src/contract/contract.ts';
import { conforms } from '../../src/otlp/conforms.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { version } from '../../src/system/version.ts';
import { EVENT } from '../support/event.ts';

const AT = 1_790_000_000_123;
const LOCAL: GenerateEvent = { ...EVENT, is_ci: false };
const ONE_OF_EACH = new Map<LossReason, number>(LOSS_REASONS.map((reason, at) => [reason, at + 1]));

interface Case {
  event: GenerateEvent | Preview;
  startedAt?: number;
  lost?: ReadonlyMap<LossReason, number>;
  slot?: string;
}

const counts = (value: number | null) => ({
  flowgroups_count: value,
  templates_count: value,
  flowgroups_using_templates: value,
  pipelines_count: value,
  files_generated: value,
});

const CASES: Record<string, Case> = {
  'all-set': { event: LOCAL },
  'all-unknown': {
    event: {
      ...LOCAL,
      ...counts(null),
      project_id: '',
      machine_id: '',
      environment: '',
      lhp_version: '',
      python_version: '',
      generation_time_seconds: 0,
    },
  },
  'lower-bounds': {
    event: {
      ...LOCAL,
      ...counts(0),
      environment: '0',
      dry_run: false,
      bundle_enabled: false,
      lhp_version: '0.0',
      python_version: '0.0',
      generation_time_seconds: 0,
    },
    startedAt: AT,
  },
  'upper-bounds': {
    event: {
      ...LOCAL,
      ...counts(1_000_000),
      environment: 'Z'.repeat(32),
      dry_run: true,
      bundle_enabled: true,
      lhp_version: '9999.9999.9999rc9999.dev9999',
      python_version: '9.99',
      generation_time_seconds: 604_800,
    },
    startedAt: AT - 604_800_000,
  },
  'above-bounds': {
    event: {
      ...LOCAL,
      ...counts(1_000_001),
      environment: 'z'.repeat(33),
      lhp_version: '1.2.3.4',
      python_version: '3.123',
      generation_time_seconds: 604_801,
    },
  },
  'below-bounds': { event: { ...LOCAL, ...counts(-1), generation_time_seconds: -1 } },
  'not-numbers': { event: { ...LOCAL, ...counts(0.5), generation_time_seconds: Number.NaN } },
  'short-duration': { event: { ...LOCAL, generation_time_seconds: 0.001 } },
  'other-words': {
    event: {
      ...LOCAL,
      project_id: 'sales_lakehouse',
      machine_id: 'host.example.com',
      environment: 'Jane Doe',
      lhp_version: '0.9.3+local.secret',
      python_version: 'pypy',
    },
  },
  ci: { event: { ...LOCAL, is_ci: true }, slot: '0f' },
  'ci-without-slot': { event: { ...LOCAL, is_ci: true } },
  'ci-with-unusable-slot': { event: { ...LOCAL, is_ci: true }, slot: 'xyz' },
  'slot-outside-ci': { event: LOCAL, slot: '0f' },
  'losses-none': { event: LOCAL, lost: new Map() },
  losses: { event: LOCAL, lost: ONE_OF_EACH },
  'losses-ci': { event: { ...LOCAL, is_ci: true }, lost: ONE_OF_EACH, slot: 'ff' },
  preview: { event: { ...LOCAL, generation_time_seconds: null }, startedAt: AT },
  'preview-ci': { event: { ...LOCAL, is_ci: true, generation_time_seconds: null }, startedAt: AT },
  'start-after-end': { event: LOCAL, startedAt: AT + 1 },
  'start-before-1970': { event: LOCAL, startedAt: -1 },
  'start-not-a-number': { event: LOCAL, startedAt: Number.NaN },
  'start-with-fraction': { event: LOCAL, startedAt: AT - 0.75 },
};

/** The package's version is the only part of a request that a release changes. */
const SCOPE = `"scope":{"name":"lhp-otel","version":"${version}"}`;
const SCOPE_IN_FIXTURE = '"scope":{"name":"lhp-otel","version":"0.0.0"}';

describe('the bytes of a request', () => {
  it.each(Object.entries(CASES))('%s', async (name, { event, startedAt = AT - 2_340, ...more }) => {
    const bytes = Buffer.from(await recordRun(event, { timestamp: AT, startedAt, ...more }));
    const text = bytes.toString('latin1');
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(text).toContain(SCOPE);
    await expect(text.replace(SCOPE, SCOPE_IN_FIXTURE)).toMatchFileSnapshot(
      join(projectRoot, 'test', 'fixtures', 'requests', `${name}.json`),
    );
    // Also without a duration, as a preview is.
    expect(conforms(bytes, AT)).toBe(true);
  });
});
