// delivery.ts: a user with a project and a collector, for tests of delivery.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  lhpOtel,
  type OtlpServer,
  type ServerSetup,
  startOtlpServer,
  type Told,
} from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  leaveAll,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import type { Status } from '../../src/status.ts';

const GENERATE = ['run', '--', 'lhp', 'generate', '--env', 'dev'];
export const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';

/** A user with a project, a program in the place of lhp that prints nothing, and a collector. */
export interface Place {
  box: Sandbox;
  project: string;
  server: OtlpServer;
  env: Env;
}

const places: Place[] = [];

/** For `afterAll`: ends collectors and removes sandboxes. A process that has stayed is an error. */
export async function leavePlaces(): Promise<void> {
  for (const { server } of places) await server.close();
  expect(await leaveAll(places.map(({ box }) => box))).toEqual([]);
}

export async function place(setup: ServerSetup = {}): Promise<Place> {
  const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: delivery\n');
  const server = await startOtlpServer(setup);
  const made = {
    box,
    project,
    server,
    env: { [`${PREFIX}ENDPOINT`]: server.endpoint, [`${PREFIX}TIMEOUT`]: '5000' },
  };
  places.push(made);
  return made;
}

export const tell = ({ box, project, env }: Place, args: string[], more: Env = {}): Promise<Told> =>
  lhpOtel(box, args, { cwd: project, env: { ...env, ...more } });

/** A wrapped generate; checks that it prints nothing. `more` may name another endpoint. */
export async function generate(where: Place, more: Env = {}): Promise<void> {
  expect(await tell(where, GENERATE, more)).toEqual({ status: 0, stdout: '', stderr: '' });
}

/** The same, and waits until its reporter has ended. */
export async function reported(where: Place, more: Env = {}): Promise<void> {
  await generate(where, more);
  await idle(where.box);
}

export const statusOf = async (where: Place, more: Env = {}) =>
  JSON.parse((await tell(where, ['status', '--json'], more)).stdout) as Status;
export const spooled = ({ box }: Place) =>
  existsSync(box.spoolDir) ? readdirSync(box.spoolDir).sort() : [];
export const history = ({ box }: Place) =>
  existsSync(box.historyDir) ? readdirSync(box.historyDir).sort() : [];
/** File names without their milliseconds. */
export const kinds = (names: string[]) =>
  names.map((name) => name.replace(/^\d{13}/, '').replace(/in-\d{13}/, 'in'));
