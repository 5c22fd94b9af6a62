/** What the operating system says of a process: resident memory and processor time. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Memory {
  readonly api: number;
  readonly worker: number;
}

/** MB. */
export const memoryOf = (processes: { api: { pid: number }; worker: { pid: number } }): Memory => ({
  api: residentMb(processes.api.pid),
  worker: residentMb(processes.worker.pid),
});

export const residentMb = (pid: number): number => Math.round(Number(ask(pid, 'rss')) / 1024);

const LINUX_TICKS_A_SECOND = 100;

/** Processor time of all its threads so far, in ms; elsewhere than on Linux as exactly as `ps` says it. */
export function processorMs(pid: number): number {
  if (process.platform !== 'linux') return secondsOf(ask(pid, 'time')) * 1000;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may hold blanks; utime and stime are the 14th and 15th field of the whole line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / LINUX_TICKS_A_SECOND) * 1000;
}

function secondsOf(time: string): number {
  const [seconds = 0, minutes = 0, hours = 0] = time.split(':').map(Number).toReversed();
  return (hours * 60 + minutes) * 60 + seconds;
}

function ask(pid: number, field: 'rss' | 'time'): string {
  return spawnSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}
