// forwarded.ts: what the real gateway forwards for a simulated run, as protobuf. The gateway
// forwards one run of each kind to a server of this file; ids, slot and time are then replaced in
// these bytes. So a benchmark can store the runs of many days in a backend within minutes, and what
// is stored is what the client and the gateway would have made of them
// (test/extended/fleet.test.ts compares both).
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CI_SLOT_ATTRIBUTE } from '../../src/contract/contract.ts';
import { post } from '../harness/runs.ts';
import { type Gateway, PEPPER } from '../harness/stack.ts';
import { bodies, kindOf, valuesOf } from './bodies.ts';
import type { SimulatedRun } from './machine.ts';

const NANOSECONDS = 1_000_000n;
/** The collector writes an attribute's text before its key; between them are tag and length. */
const TEXT_TO_KEY = 2;

/** The bytes that the gateway sends to its backend for a run: an OTLP request of one resource. */
export type Forwarded = (run: SimulatedRun) => Promise<Buffer>;

interface Template {
  bytes: Buffer;
  machine: number[];
  project: number[];
  slot: number[];
  time: number[];
}

/** The id that the gateway stores for an id of a client. */
const hashed = (id: string) => createHmac('sha256', PEPPER).update(id).digest('hex');

/**
 * @param start - starts a gateway with this backend (base URL of its OTLP endpoint).
 */
export async function forwardedBy(
  start: (backend: string) => Promise<Gateway>,
): Promise<{ forwarded: Forwarded; stop(): Promise<void> }> {
  let received: Buffer | undefined;
  const backend = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    received = Buffer.concat(parts);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await once(backend.listen(0, '127.0.0.1'), 'listening');
  const { port } = backend.address() as AddressInfo;
  const gateway = await start(`http://127.0.0.1:${port}`);
  const body = bodies();
  const forward = async (run: SimulatedRun): Promise<Template> => {
    // A time of now, because the gateway drops older ones.
    const at = Date.now();
    received = undefined;
    const answer = await post(gateway.url, await body(run, at - run.at));
    if (answer !== '200' || received === undefined)
      throw new Error(`the gateway answered ${answer} and forwarded ${received}`);
    return templateOf(received, run, at);
  };
  const made = new Map<string, Promise<Template>>();
  // One after the other: the server keeps the latest request only.
  let turn: Promise<unknown> = Promise.resolve();
  const ids = new Map<string, Buffer>();
  const idOf = (id: string) => {
    let text = ids.get(id);
    if (text === undefined) {
      text = Buffer.from(hashed(id));
      ids.set(id, text);
    }
    return text;
  };
  return {
    forwarded: async (run) => {
      const kind = kindOf(run);
      let template = made.get(kind);
      if (template === undefined) {
        template = turn.then(() => forward(run));
        turn = template;
        made.set(kind, template);
      }
      return filledIn(await template, run, idOf);
    },
    stop: async () => {
      await gateway.stop();
      backend.close();
      await once(backend, 'close');
    },
  };
}

function templateOf(bytes: Buffer, run: SimulatedRun, at: number): Template {
  const { machine, project, slot } = valuesOf(run);
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(BigInt(at) * NANOSECONDS);
  const template = {
    bytes,
    machine: indexesOf(bytes, hashed(machine)),
    project: indexesOf(bytes, hashed(project)),
    slot: indexesOf(bytes, CI_SLOT_ATTRIBUTE.key).map((key) => key - TEXT_TO_KEY - slot.length),
    time: indexesOf(bytes, time),
  };
  for (const part of ['machine', 'project', 'time'] as const)
    if (template[part].length === 0) throw new Error(`a forwarded run has no ${part}`);
  for (const index of template.slot)
    if (bytes.toString('latin1', index, index + slot.length) !== slot)
      throw new Error('the slot of a forwarded run is not before its key');
  return template;
}

function filledIn(template: Template, run: SimulatedRun, idOf: (id: string) => Buffer): Buffer {
  const { machine, project, slot } = valuesOf(run);
  const bytes = Buffer.from(template.bytes);
  const time = BigInt(run.at) * NANOSECONDS;
  for (const index of template.machine) idOf(machine).copy(bytes, index);
  for (const index of template.project) idOf(project).copy(bytes, index);
  for (const index of template.slot) bytes.write(slot, index, 'latin1');
  for (const index of template.time) bytes.writeBigUInt64LE(time, index);
  return bytes;
}

function indexesOf(bytes: Buffer, part: Buffer | string): number[] {
  const all: number[] = [];
  for (let index = bytes.indexOf(part); index >= 0; index = bytes.indexOf(part, index + 1))
    all.push(index);
  return all;
}
