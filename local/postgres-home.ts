/**
 * Where a cluster lives. Its home holds `data/` (the cluster) and `password`; both are made under a temporary name and
 * renamed together, so a home that exists is whole.
 */
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Account, canEnter, outsideOf } from './account.ts';
import { hasCode } from './failure.ts';

/** The wanted home, or, where the account cannot enter it, one outside with a link to it in the wanted place. */
export async function placeOf(wanted: string, account: Account | null): Promise<string> {
  await mkdir(dirname(wanted), { recursive: true });
  if (account === null) return wanted;
  if ((await linkTarget(wanted)) === null && canEnter(account, dirname(wanted))) return wanted;
  const home = join(outsideOf(dirname(wanted)), basename(wanted));
  await mkdir(dirname(home), { recursive: true, mode: 0o755 });
  if ((await linkTarget(wanted)) !== home) {
    await rm(wanted, { recursive: true, force: true });
    await symlink(home, wanted);
  }
  return home;
}

/** Deletes the cluster, also where only a link to it lies in the wanted place. */
export async function removeHome(wanted: string): Promise<void> {
  const target = await linkTarget(wanted);
  // The whole directory that was made for this repository, which holds nothing else.
  if (target !== null) await rm(dirname(target), { recursive: true, force: true });
  await rm(wanted, { recursive: true, force: true });
}

async function linkTarget(path: string): Promise<string | null> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

const UNFINISHED = '.unfinished-';

/** The name under which a home is made before it is renamed into place. */
export const unfinishedName = (home: string) => `${home}${UNFINISHED}${process.pid}`;

/** Half-made clusters of starts that were killed, and a home that was not made by the last step, the rename. */
export async function discardUnfinished(home: string): Promise<void> {
  const beside = await readdir(dirname(home));
  const leftovers = beside.filter((name) => name.startsWith(basename(home) + UNFINISHED));
  if (existsSync(home) && !isWhole(home)) leftovers.push(basename(home));
  await Promise.all(leftovers.map((name) => rm(join(dirname(home), name), { recursive: true, force: true })));
}

function isWhole(home: string): boolean {
  return ['password', 'data/PG_VERSION', 'data/global/pg_control'].every((file) => existsSync(join(home, file)));
}
