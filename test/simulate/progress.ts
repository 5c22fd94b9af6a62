/** How far a simulation is: a bar on a terminal, now and then a line elsewhere. */
import type { Progress, Simulation } from './simulate.ts';

const WIDTH = 30;
const STEP = 0.1;

/** Drafts are made before the year, in about a tenth of the time. */
const DRAFTS_SHARE = 0.1;

export function shareDone({ drafts, submitted, over }: Progress, { cases }: Pick<Simulation, 'cases'>): number {
  const played = (submitted + Math.max(0, over)) / 2;
  return (DRAFTS_SHARE * drafts + (1 - DRAFTS_SHARE) * played) / cases;
}

export function lineOf(progress: Progress, simulation: Pick<Simulation, 'cases'>): string {
  const share = shareDone(progress, simulation);
  const full = Math.floor(share * WIDTH);
  const bar = `[${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}] ${`${Math.floor(share * 100)}`.padStart(3)} %`;
  if (progress.at === null) return `${bar}  ${progress.drafts} of ${simulation.cases} drafts`;
  const open = progress.submitted - progress.over;
  return `${bar}  ${localDate(progress.at)}  ${progress.submitted} submitted, ${open} open`;
}

const WIB_MS = 7 * 3_600_000;
const localDate = (at: number): string => new Date(at + WIB_MS).toISOString().slice(0, 10);

export function progressLine(
  out: { readonly isTTY?: boolean; write(text: string): unknown },
  simulation: Pick<Simulation, 'cases'>,
): (progress: Progress) => void {
  let shown = '';
  let next = 0;
  return (progress) => {
    const line = lineOf(progress, simulation);
    if (out.isTTY) {
      if (line !== shown) out.write(`\r${line.padEnd(shown.length)}`);
      shown = line;
    } else if (shareDone(progress, simulation) >= next) {
      out.write(`${line}\n`);
      next += STEP;
    }
  };
}
