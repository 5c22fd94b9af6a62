import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockOwner, releaseLock, takeLock } from '../../local/lock.ts';
import { startTimeOf } from '../../local/processes.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

const GONE = { pid: 999_999_999, startedAt: 'long ago' };

describe('the lock of a running system', () => {
  let directory = '';
  let file = '';
  let other: ChildProcess;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    file = join(directory, 'supervisor.json');
    other = spawn('sleep', ['60']);
    await once(other, 'spawn');
  });
  afterEach(async () => {
    other.kill('SIGKILL');
    await removeDirectory(directory);
  });

  const otherIdentity = () => ({ pid: other.pid ?? 0, startedAt: startTimeOf(other.pid ?? 0) ?? '' });
  const write = (lock: object) => writeFile(file, JSON.stringify({ address: 'http://localhost:3000', ...lock }));

  it('refuses a second start and says who is running', async () => {
    await write({ ...otherIdentity(), launcher: null });
    await assert.rejects(
      takeLock(file, 'http://localhost:4000', null),
      new RegExp(`^StartFailure: Alur is already running \\(process ${other.pid}\\) at http://localhost:3000:`),
    );
    assert.equal(lockOwner(file)?.pid, other.pid);
  });

  it('is taken over from a supervisor that was killed', async () => {
    await write({ ...GONE, launcher: null });
    await takeLock(file, 'http://localhost:4000', null);
    assert.equal(lockOwner(file)?.pid, process.pid);
    releaseLock(file);
    assert.equal(existsSync(file), false);
  });

  it('is taken over after stopping a supervisor whose npm was killed', async () => {
    await write({ ...otherIdentity(), launcher: GONE });
    const ended = once(other, 'exit');
    await takeLock(file, 'http://localhost:4000', null);
    assert.deepEqual(await ended, [null, 'SIGTERM']);
    assert.equal(lockOwner(file)?.pid, process.pid);
  });

  it('is taken over when its file is damaged', async () => {
    await writeFile(file, '{"pid"');
    await takeLock(file, 'http://localhost:4000', null);
    assert.equal(lockOwner(file)?.pid, process.pid);
  });
});
