// Consent as a table: every layer alone, every value, the order of the layers, and that files are
// read last and only as far as needed. The shell hooks check the same variables.
import { describe, expect, it } from 'vitest';
import { isFalsy, isSet } from '../../src/config/setting.ts';
import { resolveConsent, type StoredConsent } from '../../src/consent/consent.ts';
import { LAYER_ROWS, LAYERS, type StoredLayer } from '../../src/consent/layers.ts';

const VARIABLES = LAYER_ROWS.flatMap((row) => (row.source === 'environment' ? [row] : []));
const FILES = LAYER_ROWS.flatMap((row) => (row.source === 'disk' ? [row] : []));

/** Answers of the files: `off` for these layers, and a note of who was asked. */
function stored(off: readonly string[] = [], asked: string[] = []): StoredConsent {
  const answers = FILES.map(({ name }) => [
    name,
    () => {
      asked.push(name);
      return off.includes(name);
    },
  ]);
  return Object.fromEntries(answers) as StoredConsent;
}

describe('each layer alone switches off and is named', () => {
  it.each(VARIABLES)('$name=$example', ({ name, example }) => {
    expect(resolveConsent({ [name]: example }, stored())).toEqual({ enabled: false, layer: name });
  });
  it.each(FILES)('$name', ({ name }) => {
    expect(resolveConsent({}, stored([name]))).toEqual({ enabled: false, layer: name });
  });
  it('none of them: on', () =>
    expect(resolveConsent({ PATH: '/bin' }, stored())).toEqual({ enabled: true }));
});

describe('the first layer wins', () => {
  it('the environment before the files, in the order that the documents give', () =>
    expect(LAYERS).toEqual([
      'LHP_DISABLE_ANALYTICS',
      'DO_NOT_TRACK',
      'LHP_TELEMETRY',
      'OTEL_SDK_DISABLED',
      'PYTEST_CURRENT_TEST',
      '.lhp_do_not_track',
      'lhp-otel off',
      'user configuration',
      'lhp telemetry off',
      'operator configuration',
    ]));
  it.each(LAYERS.map((layer, index) => [layer, index] as const))(
    '%s, with all later layers off as well',
    (layer, index) => {
      const later = LAYERS.slice(index);
      const env = Object.fromEntries(
        VARIABLES.flatMap(({ name, example }) => (later.includes(name) ? [[name, example]] : [])),
      );
      expect(resolveConsent(env, stored(later))).toEqual({ enabled: false, layer });
    },
  );
});

describe('one rule for all switches', () => {
  it.each(['', '0', 'false', 'no', 'off', 'FALSE', 'No', ' off ', ' 0 ', undefined])(
    '%j is not set',
    (value) => {
      expect(isSet(value)).toBe(false);
      expect(isFalsy(value)).toBe((value ?? '') !== '');
    },
  );
  it.each(['1', 'true', 'yes', 'on', 'TRUE', '2', 'anything', ' 1 ', '-'])('%j is set', (value) => {
    expect(isSet(value)).toBe(true);
    expect(isFalsy(value)).toBe(false);
  });
  it.each(['off', '0', 'false', 'no', ' OFF '])('LHP_TELEMETRY=%j opts out', (value) => {
    expect(resolveConsent({ LHP_TELEMETRY: value }, stored()).enabled).toBe(false);
  });
  it.each(['', ' ', 'on', '1', 'true', 'log', 'send'])(
    'LHP_TELEMETRY=%j does not opt out',
    (value) => {
      expect(resolveConsent({ LHP_TELEMETRY: value }, stored()).enabled).toBe(true);
    },
  );
  it.each(VARIABLES.filter(({ optsOutWhen }) => optsOutWhen === 'set'))(
    '$name=0 is not set',
    ({ name }) => {
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
  ])('%j: with LHP_TELEMETRY=off telemetry is enabled: %s', (upstream, enabled) => {
    expect(
      resolveConsent({ LHP_OTEL_UPSTREAM: upstream, LHP_TELEMETRY: 'off' }, stored()).enabled,
    ).toBe(enabled);
  });
  it('switches nothing else on', () => {
    const env = { LHP_OTEL_UPSTREAM: 'off', DO_NOT_TRACK: '1' };
    expect(resolveConsent(env, stored())).toMatchObject({ layer: 'DO_NOT_TRACK' });
  });
});

describe('a file that cannot be read', () => {
  const problem = 'not valid JSON';
  const unreadable = (name: StoredLayer): StoredConsent => ({
    ...stored(),
    [name]: () => ({ problem }),
  });
  it.each(FILES.filter(({ unreadable }) => unreadable === 'off'))(
    '$name: may say off, so it is off, and the reason is given',
    ({ name }) => {
      const consent = { enabled: false, layer: name, problem };
      expect(resolveConsent({}, unreadable(name))).toEqual(consent);
    },
  );
  it('of lhp itself counts as missing, as it does for lhp', () =>
    expect(resolveConsent({}, unreadable('lhp telemetry off'))).toEqual({ enabled: true }));
});

it('an opt-out in the environment reads no file', () => {
  const asked: string[] = [];
  resolveConsent({ DO_NOT_TRACK: '1' }, stored([], asked));
  expect(asked).toEqual([]);
});
it('files are read in order and only until one says off', () => {
  const asked: string[] = [];
  resolveConsent({}, stored(['lhp-otel off'], asked));
  expect(asked).toEqual(['.lhp_do_not_track', 'lhp-otel off']);
});
