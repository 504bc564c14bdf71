// consent.ts: may this run be recorded? The first layer that says "off" wins and is named
// (docs/privacy.md). Pure: the environment is a parameter, and what lies on disk is asked through
// functions, in order, and only when no earlier layer has said off: with an opt-out in the
// environment no file is opened. No layer can switch on over another's off.
import { type Answer, isSet } from '../config/setting.ts';
import type { Env } from '../system/host.ts';

export const LAYERS = [
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
] as const;

/** The layer that decided. */
export type Layer = (typeof LAYERS)[number];

/** With a problem the layer has not said off: its file cannot be read, and may have said it. */
export type Consent = { enabled: true } | { enabled: false; layer: Layer; problem?: string };

/** What the layers on disk say; each is asked at most once. */
export interface StoredConsent {
  /** `.lhp_do_not_track` beside lhp.yaml. */
  projectOptOut(): boolean;
  userOff(): Answer;
  /** The user's config.json. */
  userConfigOff(): Answer;
  lhpOff(): boolean;
  /** The operator's config.json. */
  operatorOff(): Answer;
}

export function resolveConsent(env: Env, stored: StoredConsent): Consent {
  const layer = environmentLayer(env);
  return layer === undefined ? storedConsent(stored) : { enabled: false, layer };
}

/** The layers that need no look at the disk. */
export function environmentLayer(env: Env): Layer | undefined {
  if (isSet(env.LHP_DISABLE_ANALYTICS)) return 'LHP_DISABLE_ANALYTICS';
  if (isSet(env.DO_NOT_TRACK)) return 'DO_NOT_TRACK';
  if (lhpTelemetryOff(env)) return 'LHP_TELEMETRY';
  if (isSet(env.OTEL_SDK_DISABLED)) return 'OTEL_SDK_DISABLED';
  if (isSet(env.PYTEST_CURRENT_TEST)) return 'PYTEST_CURRENT_TEST';
  return undefined;
}

function storedConsent(stored: StoredConsent): Consent {
  const questions: [Layer, () => Answer][] = [
    ['.lhp_do_not_track', stored.projectOptOut],
    ['lhp-otel off', stored.userOff],
    ['user configuration', stored.userConfigOff],
    ['lhp telemetry off', stored.lhpOff],
    ['operator configuration', stored.operatorOff],
  ];
  for (const [layer, ask] of questions) {
    const answer = ask();
    if (answer === true) return { enabled: false, layer };
    if (answer !== false) return { enabled: false, layer, problem: answer.problem };
  }
  return { enabled: true };
}

/** Who has decided, as it is said to a person. */
export const decidedBy = ({ layer, problem }: { layer: Layer; problem?: string }): string =>
  problem === undefined ? layer : `${layer}, because it may say off (${problem})`;

/**
 * Off is the word here, so the variable must be there. With upstream off it is our own doing and
 * says nothing.
 */
function lhpTelemetryOff(env: Env): boolean {
  const value = env.LHP_TELEMETRY?.trim();
  return value !== undefined && value !== '' && !isSet(value) && !upstreamOff(env);
}

/** `LHP_OTEL_UPSTREAM=off`: the wrapped lhp runs with its own telemetry off. */
export function upstreamOff(env: Env): boolean {
  const value = env.LHP_OTEL_UPSTREAM?.trim();
  return value !== undefined && value !== '' && !isSet(value);
}
