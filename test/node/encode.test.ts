// What becomes of a request that cannot be written. The SDK's reader does not throw for a failed
// export, so the transport has to keep the error.
import { describe, expect, it } from 'vitest';
import { exportRun } from '../../src/otlp/encode.ts';
import { EVENT } from '../support/event.ts';

const OPTIONS = { timestamp: 1_790_000_000_123, startedAt: 1_790_000_000_000 };

describe('exportRun', () => {
  it('passes the request to be written once', async () => {
    const written: Uint8Array[] = [];
    await exportRun(EVENT, OPTIONS, (request) => written.push(request));
    expect(written).toHaveLength(1);
  });

  it('throws the error of writing', async () => {
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const write = () => {
      throw full;
    };
    await expect(exportRun(EVENT, OPTIONS, write)).rejects.toBe(full);
  });
});
