import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { removeHome } from '../../../local/postgres-home.ts';
import { isRunning, type ProcessRecord, readRecord } from '../../../local/processes.ts';
import { removeDirectory, temporaryDirectory } from '../../support/temporary.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const PROGRAMS = ['postgres', 'temporal', 'worker', 'api'];
const addressesSchema = z.object({
  api: z.string(),
  mailbox: z.string(),
  gateways: z.string(),
  temporalUi: z.string(),
});

describe('npm start', function () {
  this.timeout(120_000);
  let directory = '';
  let supervisor: ChildProcess | null = null;

  before(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(async () => {
    await stop();
  });
  after(async () => {
    await removeHome(join(directory, 'postgres'));
    await removeDirectory(directory);
  });

  function launch(env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, ['local/bootstrap.mjs', 'start'], {
      cwd: REPOSITORY,
      env: { ...process.env, ALUR_LOCAL_DIR: directory, ALUR_PORTS: 'auto', ...env },
    });
    const output = { text: '' };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output.text += String(chunk)));
    return { child, output, ended: once(child, 'exit') };
  }

  /** Starts and waits until ready.json is there. */
  async function start() {
    const launched = launch();
    supervisor = launched.child;
    const began = Date.now();
    while (!existsSync(join(directory, 'ready.json')) || !launched.output.text.includes('Next: npm run demo')) {
      assert.equal(launched.child.exitCode, null, launched.output.text);
      await delay(50);
    }
    return { ...launched, seconds: (Date.now() - began) / 1_000 };
  }

  async function stop(): Promise<void> {
    if (supervisor === null || supervisor.exitCode !== null || supervisor.signalCode !== null) return;
    const ended = once(supervisor, 'exit');
    supervisor.kill('SIGTERM');
    await ended;
  }

  function records(): ProcessRecord[] {
    return PROGRAMS.map((name) => readRecord(join(directory, 'run', `${name}.json`))).filter((one) => one !== null);
  }

  async function addresses() {
    return addressesSchema.parse(JSON.parse(await readFile(join(directory, 'ready.json'), 'utf8')));
  }

  it('brings everything up, answers at each address, and leaves nothing behind when it is stopped', async () => {
    await start();
    const { api, mailbox, gateways, temporalUi } = await addresses();
    assert.equal((await fetch(`${api}/health/ready`)).status, 200);
    assert.deepEqual(await (await fetch(`${mailbox}/api/messages`)).json(), []);
    assert.equal((await fetch(temporalUi)).status, 200);
    assert.ok((await fetch(gateways)).status < 500);
    const running = records();
    assert.equal(running.length, PROGRAMS.length);
    await stop();
    assert.equal(supervisor?.exitCode, 0);
    assert.deepEqual(running.filter(isRunning), []);
    assert.equal(existsSync(join(directory, 'ready.json')), false);
    assert.deepEqual(await readdir(join(directory, 'run')), []);
  });

  it('is ready again within 10 seconds', async () => {
    // The best of three: other work on this machine must not decide it.
    const seconds: number[] = [];
    while (seconds.length < 3 && !seconds.some((one) => one < 10)) {
      seconds.push((await start()).seconds);
      await stop();
    }
    assert.ok(
      seconds.some((one) => one < 10),
      `${seconds.join(' s, ')} s`,
    );
  });

  it('refuses to run twice, and does no harm to the one that runs', async () => {
    await start();
    const running = records();
    const second = launch();
    assert.deepEqual(await second.ended, [1, null]);
    assert.match(
      second.output.text,
      new RegExp(`^Alur is already running \\(process ${supervisor?.pid}\\) at http`, 'm'),
    );
    assert.deepEqual(running.filter(isRunning), running);
    assert.ok(existsSync(join(directory, 'ready.json')));
  });

  it('recovers by itself after the supervisor was killed', async () => {
    const killed = await start();
    const orphans = records();
    killed.child.kill('SIGKILL');
    await killed.ended;
    assert.equal(orphans.filter(isRunning).length, PROGRAMS.length);
    const second = launch();
    supervisor = second.child;
    while (!second.output.text.includes('Next: npm run demo')) {
      assert.equal(second.child.exitCode, null, second.output.text);
      await delay(50);
    }
    assert.match(second.output.text, /An earlier start was cut off; stopped what it left running: .*postgres/);
    assert.deepEqual(orphans.filter(isRunning), []);
  });

  it('stops at once what was on its way up', async () => {
    const { child, ended, output } = launch();
    while (records().length === 0) await delay(20);
    const running = records();
    child.kill('SIGINT');
    assert.deepEqual(await ended, [0, null], output.text);
    assert.deepEqual([...running, ...records()].filter(isRunning), []);
  });

  for (const [variable, value, sentence] of [
    ['ALUR_API_PORT', 'http', /^ALUR_API_PORT is "http"; it must be a port from 1 to 65535\.$/m],
    ['ALUR_LOG_LEVEL', 'loud', /^ALUR_LOG_LEVEL is "loud"; it must be one of .*\.$/m],
    ['ALUR_TEMPORAL_CLI', '/nowhere', /^ALUR_TEMPORAL_CLI is "\/nowhere", which does not run.*\.$/m],
    ['DATABASE_URL', 'postgres://a:b@127.0.0.1:1/x', /^The database that DATABASE_URL names does not answer: .*\.$/m],
    ['TEMPORAL_ADDRESS', '127.0.0.1:1', /^TEMPORAL_ADDRESS is "127\.0\.0\.1:1", where no Temporal answers\.$/m],
  ] as const) {
    it(`says in a sentence what is wrong with ${variable}, and leaves nothing running`, async () => {
      const { ended, output } = launch({ [variable]: value });
      assert.deepEqual(await ended, [1, null]);
      assert.match(output.text, sentence);
      assert.doesNotMatch(output.text, /^ {4}at /m);
      assert.deepEqual(records().filter(isRunning), []);
    });
  }
});
