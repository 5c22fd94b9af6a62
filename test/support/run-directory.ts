/** The temporary folder of a test run, and what is left of runs whose mocha was killed. */
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHome } from '../../local/postgres-home.ts';
import { isRunning, readRecord, recordProcess, stopRecorded } from '../../local/processes.ts';
import { once, stopAtEnd } from './registry.ts';

const PREFIX = 'alur-test-';

/** Others may pass through it: PostgreSQL runs as another user when the tests run as root. */
export const runDirectory = once(async () => {
  const directory = await mkdtemp(join(tmpdir(), PREFIX));
  await chmod(directory, 0o711);
  recordProcess(join(directory, 'owner'), 'mocha', process.pid, 'SIGTERM');
  stopAtEnd(() => remove(directory));
  return directory;
});

/** Stops servers and removes folders of earlier runs whose mocha was killed. */
export async function sweepAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  await Promise.all(names.map((name) => sweep(join(tmpdir(), name))));
}

async function sweep(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => null);
  if (found === null || found.uid !== process.getuid?.()) return;
  const owner = readRecord(join(directory, 'owner', 'mocha.json'));
  if (owner === null || isRunning(owner)) return;
  await stopRecorded(join(directory, 'run'));
  await remove(directory);
}

async function remove(directory: string): Promise<void> {
  await removeHome(join(directory, 'postgres'));
  await rm(directory, { recursive: true, force: true });
}
