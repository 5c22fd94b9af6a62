/** One supervisor a repository: who runs, where, and whether it is still the same process. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { hasCode, StartFailure } from './failure.ts';
import { commandOf, isRunning, parentOf, startTimeOf, stopProcess } from './processes.ts';

const identitySchema = z.object({ pid: z.number().int().positive(), startedAt: z.string() });
const lockSchema = identitySchema.extend({ address: z.string(), launcher: identitySchema.nullable() });

export type Identity = z.infer<typeof identitySchema>;
export type Lock = z.infer<typeof lockSchema>;

/**
 * Takes the lock; one whose owner is gone is taken over.
 * @throws StartFailure saying who is running.
 */
export async function takeLock(file: string, address: string, launcher: Identity | null): Promise<void> {
  const mine = `${file}.${process.pid}`;
  const startedAt = startTimeOf(process.pid) ?? '';
  writeFileSync(mine, JSON.stringify({ pid: process.pid, startedAt, address, launcher } satisfies Lock));
  try {
    while (!linked(mine, file)) await settleWithOwner(file);
  } finally {
    rmSync(mine, { force: true });
  }
}

export function releaseLock(file: string): void {
  if (readLock(file)?.pid === process.pid) rmSync(file, { force: true });
}

/** Who holds the lock and is alive, else null. */
export function lockOwner(file: string): Lock | null {
  const lock = readLock(file);
  return lock !== null && isRunning(lock) ? lock : null;
}

/** A link is made whole or not at all, and by one of two at the same time. */
function linked(mine: string, file: string): boolean {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function settleWithOwner(file: string): Promise<void> {
  const owner = lockOwner(file);
  if (owner === null) return discard(file);
  if (owner.launcher === null || isRunning(owner.launcher)) throw new StartFailure(runningSentence(owner));
  // Its npm was killed and it is about to stop by itself; nobody is left who could press Ctrl-C there.
  await stopProcess({ ...owner, stopSignal: 'SIGTERM' }, 40_000);
}

export function runningSentence({ pid, address }: Lock): string {
  return `Alur is already running (process ${pid}) at ${address}: use that one, or stop it with Ctrl-C there or kill ${pid}.`;
}

/** Moved aside first: of two starts that both see a dead owner, only one can move the file. */
function discard(file: string): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  rmSync(aside, { force: true });
}

function readLock(file: string): Lock | null {
  try {
    return lockSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not there, or not whole: nobody can be held to it.
    return null;
  }
}

/** The npm that runs this script, so that it can be noticed when npm alone is killed. null when npm did not start it. */
export function findLauncher(env: NodeJS.ProcessEnv): Identity | null {
  if (env.npm_lifecycle_event === undefined) return null;
  const parent = process.ppid;
  // Some shells stay between npm and the script, others give way to it.
  const pid = /^(\S*\/)?(sh|bash|dash) -c/.test(commandOf(parent)) ? parentOf(parent) : parent;
  const startedAt = pid === null ? null : startTimeOf(pid);
  return pid === null || startedAt === null ? null : { pid, startedAt };
}
