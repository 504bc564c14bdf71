// consent.ts: may this run be recorded? The layers (layers.ts) are asked in order. The first that
// says off decides, and is named; none can switch on over another's off. Pure: the environment is a
// parameter, and the files are asked through functions, in order, and only while no layer before
// has said off. So with an opt-out in the environment no file is opened.
import { type Answer, isFalsy, isSet } from '../config/setting.ts';
import type { Env } from '../system/host.ts';
import { LAYER_ROWS, type Layer, type StoredLayer, type Variable } from './layers.ts';

/** With a `problem`, the layer could not be read, and may say off. */
export type Consent = { enabled: true } | { enabled: false; layer: Layer; problem?: string };

/** What the files say; each function is called at most once. */
export type StoredConsent = Readonly<Record<StoredLayer, () => Answer>>;

export function resolveConsent(env: Env, stored: StoredConsent): Consent {
  const variable = environmentLayer(env);
  return variable === undefined ? storedConsent(stored) : { enabled: false, layer: variable };
}

/** The first variable that opts out. Reads no file. */
export function environmentLayer(env: Env): Variable | undefined {
  for (const row of LAYER_ROWS)
    if (row.source === 'environment' && optsOut(row, env)) return row.name;
  return undefined;
}

function optsOut({ name, optsOutWhen }: { name: string; optsOutWhen: string }, env: Env): boolean {
  if (optsOutWhen === 'set') return isSet(env[name]);
  // Under LHP_OTEL_UPSTREAM=off lhp-otel itself sets LHP_TELEMETRY, so it says nothing about us.
  return isFalsy(env[name]) && !upstreamOff(env);
}

function storedConsent(stored: StoredConsent): Consent {
  for (const row of LAYER_ROWS) {
    if (row.source !== 'disk') continue;
    const answer = stored[row.name]();
    if (answer === true) return { enabled: false, layer: row.name };
    if (answer !== false && row.unreadable === 'off')
      return { enabled: false, layer: row.name, problem: answer.problem };
  }
  return { enabled: true };
}

/** The layer that decided, in words. */
export const decidedBy = ({ layer, problem }: { layer: Layer; problem?: string }): string =>
  problem === undefined ? layer : `${layer}, because it may say off (${problem})`;

/** `LHP_OTEL_UPSTREAM=off`: the wrapped lhp runs with its own telemetry off. */
export const upstreamOff = (env: Env): boolean => isFalsy(env.LHP_OTEL_UPSTREAM);
