import { statfs } from 'node:fs/promises';
import { StartFailure } from './failure.ts';

/** @throws StartFailure when the disk that holds the directory has fewer free megabytes than the purpose needs. */
export async function requireSpace(directory: string, megabytes: number, purpose: string): Promise<void> {
  const disk = await statfs(directory);
  const free = Math.floor((disk.bavail * disk.bsize) / 1e6);
  if (free >= megabytes) return;
  throw new StartFailure(
    `Only ${free} MB are free on the disk of ${directory}, and ${megabytes} MB are needed to ${purpose}: make room there.`,
  );
}
