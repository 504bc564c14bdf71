// ask.ts: how the page asks its own server, and what it says when there is none any more.
import { byId } from './dom.ts';

/** Nothing where it fails; the user has been told then. */
export async function ask(path: string, init?: RequestInit): Promise<Response | undefined> {
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
