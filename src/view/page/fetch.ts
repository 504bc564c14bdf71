// fetch.ts: requests to the page's own server, and what the page shows if one fails.
import { byId } from './dom.ts';

/** Returns `undefined` if the request fails; the page then shows why. */
export async function request(path: string, init?: RequestInit): Promise<Response | undefined> {
  const failure = byId('failure');
  try {
    const response = await fetch(path, init);
    failure.textContent = response.ok ? '' : await response.text();
    return response.ok ? response : undefined;
  } catch {
    failure.textContent = 'The command that opened this page has ended: start lhp-otel view again.';
    return undefined;
  }
}
