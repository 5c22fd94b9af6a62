import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, recordProcess, startTimeOf, stopRecorded } from '../../local/processes.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

describe('processes that an earlier start has left running', () => {
  let directory = '';
  let child: ChildProcess;
  let pid = 0;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    pid = child.pid ?? 0;
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await removeDirectory(directory);
  });

  it('are stopped, and named', async () => {
    recordProcess(directory, 'worker', pid, 'SIGTERM');
    const ended = once(child, 'exit');
    assert.deepEqual(await stopRecorded(directory), ['worker']);
    assert.deepEqual(await ended, [null, 'SIGTERM']);
    assert.deepEqual(await readdir(directory), []);
  });

  it('are killed when they do not listen', async () => {
    const deaf = spawn(process.execPath, [
      '-e',
      'process.on("SIGTERM", () => 0); console.log(1); setInterval(() => 0, 9e5)',
    ]);
    await once(deaf.stdout, 'data');
    recordProcess(directory, 'api', deaf.pid ?? 0, 'SIGTERM');
    const ended = once(deaf, 'exit');
    assert.deepEqual(await stopRecorded(directory, 100), ['api']);
    assert.deepEqual(await ended, [null, 'SIGKILL']);
  });

  it('are never a foreign process that was given the same pid', async () => {
    const record = { pid, startedAt: 'another time', stopSignal: 'SIGTERM' };
    await writeFile(join(directory, 'worker.json'), JSON.stringify(record));
    assert.deepEqual(await stopRecorded(directory), []);
    assert.equal(isRunning({ pid, startedAt: startTimeOf(pid) ?? '' }), true);
  });

  it('are nobody when the record is damaged or the process is gone', async () => {
    recordProcess(directory, 'worker', pid, 'SIGTERM');
    await writeFile(join(directory, 'api.json'), '{"pid":');
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(await stopRecorded(directory), []);
    assert.deepEqual(await readdir(directory), []);
  });
});
