/**
 * PostgreSQL refuses to run as root, so root runs it as `postgres`, where that user exists, or else `nobody`. Such a user
 * cannot enter a private directory like /root: then binaries and data live under OUTSIDE instead, in a directory whose
 * name follows from the repository's path.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { StartFailure } from './failure.ts';

/** Where root keeps what an unprivileged user must reach and the repository's directory hides. */
export const OUTSIDE = '/var/lib/alur';

export type Account = { name: string; uid: number; gid: number };

/** The account that runs PostgreSQL; null means: the one that runs this process. */
export function unprivilegedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf('-u', name);
    const gid = idOf('-g', name);
    if (uid !== null && gid !== null && uid !== 0) return { name, uid, gid };
  }
  throw new StartFailure(
    'PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody to run it as: ' +
      'start as a normal user, or set DATABASE_URL to a PostgreSQL server that is there already.',
  );
}

function idOf(flag: '-u' | '-g', name: string): number | null {
  const answer = spawnSync('id', [flag, name], { encoding: 'utf8' });
  return answer.status === 0 ? Number.parseInt(answer.stdout, 10) : null;
}

/** Whether the account can enter the directory. */
export function canEnter(account: Account, directory: string): boolean {
  const { uid, gid } = account;
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** The directory under OUTSIDE that belongs to this path: readable name, and a hash against mix-ups. */
export function outsideOf(path: string): string {
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 12);
  const readable = path
    .replace(/[^\w.]+/g, '-')
    .replace(/^-/, '')
    .slice(-60);
  return join(OUTSIDE, `${readable}-${hash}`);
}
