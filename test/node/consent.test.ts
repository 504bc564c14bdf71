// Consent as a table: every layer alone, every truth value, the order of the layers, and that the
// disk is asked last and lazily.
import { describe, expect, it } from 'vitest';
import { isSet } from '../../src/config/setting.ts';
import { LAYERS, resolveConsent, type StoredConsent } from '../../src/consent/consent.ts';
import type { Env } from '../../src/system/host.ts';

const ENV_OFF: Env = {
  LHP_DISABLE_ANALYTICS: '1',
  DO_NOT_TRACK: '1',
  LHP_TELEMETRY: 'off',
  OTEL_SDK_DISABLED: 'true',
  PYTEST_CURRENT_TEST: 'test_a.py::test (call)',
};
const STORED = ['projectOptOut', 'userOff', 'userConfigOff', 'lhpOff', 'operatorOff'] as const;

function stored(off: readonly string[] = [], asked: string[] = []): StoredConsent {
  const answer = (name: string) => () => {
    asked.push(name);
    return off.includes(name);
  };
  return Object.fromEntries(STORED.map((name) => [name, answer(name)])) as unknown as StoredConsent;
}

describe('each layer alone switches off and is named', () => {
  it.each(Object.entries(ENV_OFF))('%s=%s', (name, value) => {
    expect(resolveConsent({ [name]: value }, stored())).toEqual({ enabled: false, layer: name });
  });
  it.each(STORED.map((name, index) => [name, LAYERS[5 + index]]))('%s is "%s"', (name, layer) => {
    expect(resolveConsent({}, stored([name]))).toEqual({ enabled: false, layer });
  });
  it('none of them: on', () =>
    expect(resolveConsent({ PATH: '/bin' }, stored())).toEqual({ enabled: true }));
});

describe('the first layer wins', () => {
  it.each(LAYERS.map((layer, index) => [layer, index] as const))(
    '%s, with all the later ones off too',
    (layer, index) => {
      const env = Object.fromEntries(Object.entries(ENV_OFF).slice(index));
      expect(resolveConsent(env, stored(STORED.slice(Math.max(index - 5, 0))))).toEqual({
        enabled: false,
        layer,
      });
    },
  );
});

describe('one rule of truth', () => {
  it.each(['', '0', 'false', 'no', 'off', 'FALSE', 'No', ' off ', ' 0 ', undefined])(
    '%j is not set',
    (value) => {
      expect(isSet(value)).toBe(false);
    },
  );
  it.each(['1', 'true', 'yes', 'on', 'TRUE', '2', 'anything', ' 1 ', '-'])('%j is set', (value) => {
    expect(isSet(value)).toBe(true);
  });
  it.each(['off', '0', 'false', 'no', ' OFF '])('LHP_TELEMETRY=%j is off', (value) => {
    expect(resolveConsent({ LHP_TELEMETRY: value }, stored()).enabled).toBe(false);
  });
  it.each(['', 'on', '1', 'true', 'log', 'send'])('LHP_TELEMETRY=%j is not off', (value) => {
    expect(resolveConsent({ LHP_TELEMETRY: value }, stored()).enabled).toBe(true);
  });
  it.each(['LHP_DISABLE_ANALYTICS', 'DO_NOT_TRACK', 'OTEL_SDK_DISABLED', 'PYTEST_CURRENT_TEST'])(
    '%s=0 is not set',
    (name) => {
      expect(resolveConsent({ [name]: '0' }, stored()).enabled).toBe(true);
    },
  );
});

describe('LHP_OTEL_UPSTREAM', () => {
  it.each([
    ['off', true],
    ['0', true],
    ['on', false],
    ['', false],
  ])('%j: LHP_TELEMETRY=off is then %s for us', (upstream, enabled) => {
    expect(
      resolveConsent({ LHP_OTEL_UPSTREAM: upstream, LHP_TELEMETRY: 'off' }, stored()).enabled,
    ).toBe(enabled);
  });
  it('switches nothing else on', () => {
    expect(resolveConsent({ LHP_OTEL_UPSTREAM: 'off', DO_NOT_TRACK: '1' }, stored())).toMatchObject(
      {
        layer: 'DO_NOT_TRACK',
      },
    );
  });
});

it('a layer that cannot be read may say off, so it is off, and why is named', () => {
  const problem = 'config.json: not valid JSON';
  const answers: StoredConsent = { ...stored(['operatorOff']), userConfigOff: () => ({ problem }) };
  expect(resolveConsent({}, answers)).toEqual({
    enabled: false,
    layer: 'user configuration',
    problem,
  });
});
it('an opt-out in the environment asks nothing of the disk', () => {
  const asked: string[] = [];
  resolveConsent({ DO_NOT_TRACK: '1' }, stored([], asked));
  expect(asked).toEqual([]);
});
it('the disk is asked in order and only until one says off', () => {
  const asked: string[] = [];
  resolveConsent({}, stored(['userOff'], asked));
  expect(asked).toEqual(['projectOptOut', 'userOff']);
});
