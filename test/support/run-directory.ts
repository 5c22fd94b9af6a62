/** The temporary folder of a test run, and what is left of runs whose mocha was killed. */
import { chmod, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHome } from '../../local/postgres-home.ts';
import { isRunning, readRecord, recordProcess, stopRecorded } from '../../local/processes.ts';
import { once, stopAtEnd } from './registry.ts';

const PREFIX = 'alur-test-';

/** Linux's file system in memory. A container often has but 64 MB of it. */
const IN_MEMORY = '/dev/shm';
const ENOUGH_BYTES = 3e9;

declare global {
  var alurTestsInMemory: boolean | undefined;
}

/** Of this process, before its run directory is made. The bench never asks for it: its database writes to a disk. */
export function keepInMemory(): void {
  globalThis.alurTestsInMemory = true;
}

/**
 * In memory where that is asked for and there is plenty. A run makes and drops a hundred databases of a thousand files each, and ext4 looks long
 * for an inode while so many were freed a moment ago: half a second of processor time a database.
 */
async function parentDirectory(): Promise<string> {
  if (!globalThis.alurTestsInMemory) return tmpdir();
  const found = await statfs(IN_MEMORY).catch(() => null);
  const isRoomy = found !== null && found.bavail * found.bsize > ENOUGH_BYTES && freemem() > ENOUGH_BYTES;
  return isRoomy ? IN_MEMORY : tmpdir();
}

/** Others may pass through it: PostgreSQL runs as another user when the tests run as root. */
export const runDirectory = once(async () => {
  const directory = await mkdtemp(join(await parentDirectory(), PREFIX));
  await chmod(directory, 0o711);
  recordProcess(join(directory, 'owner'), 'mocha', process.pid, 'SIGTERM');
  stopAtEnd(() => remove(directory));
  return directory;
});

/** Stops servers and removes folders of earlier runs whose mocha was killed. */
export async function sweepAbandoned(): Promise<void> {
  await Promise.all([tmpdir(), IN_MEMORY].map(sweepParent));
}

async function sweepParent(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  await Promise.all(names.filter((name) => name.startsWith(PREFIX)).map((name) => sweep(join(parent, name))));
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
