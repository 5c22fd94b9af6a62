import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChildSpec, keepRunning, startChild, startNoMoreIn } from '../../local/children.ts';
import { isRunning, readRecord } from '../../local/processes.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

describe('a child process', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(() => removeDirectory(directory));

  const record = () => readRecord(join(directory, 'worker.json'));
  const spec = (script: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
    name: 'worker',
    label: 'the worker',
    command: process.execPath,
    args: ['-e', script],
    cwd: directory,
    stopSignal: 'SIGTERM',
    graceMs: 5_000,
    logFile: join(directory, 'worker.log'),
    runDirectory: directory,
    ready: async () =>
      existsSync(join(directory, 'worker.log')) && /up/.test(readFileSync(join(directory, 'worker.log'), 'utf8')),
    readyWithinMs: 10_000,
    ...more,
  });
  const RUNS = 'console.log("up"); setInterval(() => 0, 9e5)';

  it('does not start any more once the end has begun', async () => {
    startNoMoreIn(directory);
    await assert.rejects(startChild(spec(RUNS)), /the worker is not started any more/);
    assert.equal(record(), null);
  });

  it('is there, recorded, once it is ready, and leaves no record when it was stopped', async () => {
    const child = await startChild(spec(RUNS));
    const running = record();
    assert.equal(running?.pid, child.pid);
    await child.stop();
    assert.equal(record(), null);
    assert.ok(running !== null && !isRunning(running));
  });

  it('that ends while starting is a sentence with its last words', async () => {
    const start = startChild(spec('console.error("no such table"); process.exit(3)', { ready: async () => false }));
    await assert.rejects(
      start,
      /^StartFailure: the worker ended while starting \(code 3\); .*worker\.log ends with:\n {2}no such table$/s,
    );
  });

  it('that cannot be found at all is a sentence too', async () => {
    await assert.rejects(
      startChild(spec('', { command: '/nowhere/node' })),
      /the worker ended while starting \(spawn \/nowhere/,
    );
  });

  it('that dies of a full disk says so', async () => {
    const script = 'console.error("could not write: No space left on device"); process.exit(1)';
    await assert.rejects(startChild(spec(script, { ready: async () => false })), /because the disk is full: make room/);
  });

  it('that is not ready in time is stopped', async () => {
    const start = startChild(spec(RUNS, { ready: async () => false, readyWithinMs: 300 }));
    await assert.rejects(start, /the worker was not ready after 0\.3 s/);
    assert.equal(record(), null);
  });

  it('is killed when it does not stop within its grace', async () => {
    const child = await startChild(spec(`process.on('SIGTERM', () => 0); ${RUNS}`, { graceMs: 100 }));
    await child.stop();
    assert.equal(await child.exited, 'SIGKILL');
  });

  it('that dies is started again with one line each for its end and its return, and not after it was stopped', async () => {
    const said: string[] = [];
    const kept = await keepRunning(spec(RUNS), (line) => void said.push(line));
    const first = record()?.pid ?? 0;
    await appendFile(join(directory, 'worker.log'), '');
    process.kill(first, 'SIGKILL');
    while (said.length < 2) await delay(20);
    assert.match(
      said[0] ?? '',
      /^the worker ended unexpectedly \(SIGKILL\); starting it again in 1 s; see .*worker\.log\.$/,
    );
    assert.equal(said[1], 'the worker is back.');
    const second = record();
    assert.ok(second !== null && second.pid !== first);
    await kept.stop();
    assert.equal(isRunning(second), false);
    assert.equal(said.length, 2);
  });
});
