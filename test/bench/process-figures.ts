/** What the operating system says of a process: resident memory and processor time. */
import { spawnSync } from 'node:child_process';

export interface Memory {
  readonly api: number;
  readonly worker: number;
}

/** MB. */
export const memoryOf = (processes: { api: { pid: number }; worker: { pid: number } }): Memory => ({
  api: residentMb(processes.api.pid),
  worker: residentMb(processes.worker.pid),
});

const residentMb = (pid: number): number => Math.round(Number(ask(pid, 'rss')) / 1024);

/** Milliseconds of processor time so far, as exactly as the system keeps it (whole seconds where `ps` is the source). */
export function processorMs(pid: number): number {
  const parts = ask(pid, 'time').split(/[-:]/).map(Number);
  const [seconds = 0, minutes = 0, hours = 0, days = 0] = parts.toReversed();
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

function ask(pid: number, field: 'rss' | 'time'): string {
  return spawnSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}
