/**
 * Who started which process. A supervisor that was killed with -9 leaves its children running; the next start finds them
 * by these records. A record counts only while pid and start time both match, so a foreign process that was given the
 * same pid later is never touched.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { hasCode } from './failure.ts';

const recordSchema = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
});

/** A process on this machine: pid and start time together never name two. */
export type ProcessRecord = z.infer<typeof recordSchema>;

/** When the process started, in the system's own notation, or null when there is no such (living) process. */
export function startTimeOf(pid: number): string | null {
  return process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

function startTimeFromProc(pid: number): string | null {
  const fields = procStat(pid);
  if (fields === null) return null;
  // A zombie has ended; only its parent has not looked yet.
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return `${fields[19]}/${bootId()}`;
}

/** The fields of /proc/<pid>/stat from the third (state) on; the second, the name, may hold blanks and brackets. */
function procStat(pid: number): string[] | null {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function bootId(): string {
  return (readIfThere('/proc/sys/kernel/random/boot_id') ?? '').trim();
}

function startTimeFromPs(pid: number): string | null {
  const answer = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return answer === '' || answer.startsWith('Z') ? null : answer.replace(/^\S+\s+/, '');
}

/** The process that started this one, or null when it cannot be told. */
export function parentOf(pid: number): number | null {
  if (process.platform === 'linux') return Number(procStat(pid)?.[1] ?? 0) || null;
  return Number(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()) || null;
}

/** The command line, words parted by blanks; empty when it cannot be read. */
export function commandOf(pid: number): string {
  if (process.platform === 'linux') return (readIfThere(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

export function isRunning(record: Pick<ProcessRecord, 'pid' | 'startedAt'>): boolean {
  return startTimeOf(record.pid) === record.startedAt;
}

/** Writes down a child that this process has just started. Synchronous: there must be no moment without the record. */
export function recordProcess(directory: string, name: string, pid: number, stopSignal: ProcessRecord['stopSignal']) {
  const startedAt = startTimeOf(pid);
  if (startedAt === null) return;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify({ pid, startedAt, stopSignal })}\n`);
}

export function forgetProcess(directory: string, name: string): void {
  rmSync(join(directory, `${name}.json`), { force: true });
}

/** What API and worker lean on: stopped after them, or they would wait in vain for an answer while they stop. */
const SERVERS = ['postgres', 'temporal'];

/**
 * Stops every process that is recorded in the directory and still the same one.
 * @returns the names of those that had to be stopped.
 */
export async function stopRecorded(directory: string, graceMs = 5_000): Promise<string[]> {
  const names = recordFiles(directory).map((file) => file.replace(/\.json$/, ''));
  const stop = (some: string[]) => Promise.all(some.map((name) => stopOne(directory, name, graceMs)));
  const programs = await stop(names.filter((name) => !SERVERS.includes(name)));
  const servers = await stop(names.filter((name) => SERVERS.includes(name)));
  return [...programs, ...servers].flat();
}

async function stopOne(directory: string, name: string, graceMs: number): Promise<string[]> {
  const record = readRecord(join(directory, `${name}.json`));
  const wasRunning = record !== null && isRunning(record);
  if (wasRunning) await stopProcess(record, graceMs);
  forgetProcess(directory, name);
  return wasRunning ? [name] : [];
}

/** Asks with the process's own stop signal; kills when it has not ended within the grace time. */
export async function stopProcess(record: ProcessRecord, graceMs: number): Promise<void> {
  signal(record.pid, record.stopSignal);
  if (await ended(record, graceMs)) return;
  signal(record.pid, 'SIGKILL');
  await ended(record, 5_000);
}

async function ended(record: ProcessRecord, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isRunning(record)) {
    if (Date.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

function recordFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((file) => file.endsWith('.json'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** What the file says, or null when it is not a whole record. */
export function readRecord(file: string): ProcessRecord | null {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Half written when the power went: it names no process that could be trusted.
    return null;
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return null;
    throw error;
  }
}
