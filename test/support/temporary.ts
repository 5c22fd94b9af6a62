import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for one test or one file of tests; delete it with `removeDirectory` in `after` or `afterEach`. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'alur-unit-'));
  // PostgreSQL runs as another user when the tests run as root, and must be able to pass.
  await chmod(directory, 0o711);
  return directory;
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}
