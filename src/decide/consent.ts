// consent.ts: may this run be recorded? The first layer that says "off" wins and is named (docs/privacy.md).
// Pure: the environment is a parameter, and what lies on disk is asked through functions, in order, and only when no
// earlier layer has said off: with an opt-out in the environment no file is opened. No layer can switch on over another's off.
import type { Env } from '../system/deps.ts';

export const LAYERS = [
  'LHP_DISABLE_ANALYTICS',
  'DO_NOT_TRACK',
  'LHP_TELEMETRY',
  'OTEL_SDK_DISABLED',
  'PYTEST_CURRENT_TEST',
  '.lhp_do_not_track',
  'lhp-otel off',
  'lhp telemetry off',
  'operator configuration',
] as const;

/** The layer that decided. */
export type Layer = (typeof LAYERS)[number];

export type Consent = { enabled: true } | { enabled: false; layer: Layer };

/** What the layers on disk say; each is asked at most once. */
export interface StoredConsent {
  /** `.lhp_do_not_track` beside lhp.yaml. */
  projectOptOut(): boolean;
  userOff(): boolean;
  lhpOff(): boolean;
  operatorOff(): boolean;
}

/** One rule for every switch: empty, `0`, `false`, `no` and `off` are not set; anything else is. */
export function isSet(value: string | undefined): boolean {
  return !['', '0', 'false', 'no', 'off'].includes((value ?? '').trim().toLowerCase());
}

export function resolveConsent(env: Env, stored: StoredConsent): Consent {
  const layer = environmentLayer(env) ?? storedLayer(stored);
  return layer === undefined ? { enabled: true } : { enabled: false, layer };
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

function storedLayer(stored: StoredConsent): Layer | undefined {
  if (stored.projectOptOut()) return '.lhp_do_not_track';
  if (stored.userOff()) return 'lhp-otel off';
  if (stored.lhpOff()) return 'lhp telemetry off';
  if (stored.operatorOff()) return 'operator configuration';
  return undefined;
}

/** Off is the word here, so the variable must be there. With upstream off it is our own doing and says nothing. */
function lhpTelemetryOff(env: Env): boolean {
  const value = env.LHP_TELEMETRY?.trim();
  return value !== undefined && value !== '' && !isSet(value) && !upstreamOff(env);
}

/** `LHP_OTEL_UPSTREAM=off`: the wrapped lhp runs with its own telemetry off. */
export function upstreamOff(env: Env): boolean {
  const value = env.LHP_OTEL_UPSTREAM?.trim();
  return value !== undefined && value !== '' && !isSet(value);
}
