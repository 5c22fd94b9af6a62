/** A year of a small office on the real servers, and what became of it. */
import { startSystem } from '../support/system.ts';
import { createCaseClocks } from './case-clocks.ts';
import { chanceOf } from './chance.ts';
import { planLeaves } from './leave.ts';
import { prepareDrafts, setUpOffice } from './office.ts';
import { arrivals, leavesOf } from './people.ts';
import { playYear } from './play.ts';
import { playedYear } from './year.ts';

export interface Simulation {
  readonly cases: number;
  readonly seed: string;
  readonly year: number;
  /** How many days of it people apply; the cases are played to their end. */
  readonly days: number;
}

export interface Progress {
  readonly drafts: number;
  /** Epoch milliseconds, as the year was. */
  readonly at: number | null;
  readonly submitted: number;
  readonly over: number;
}

export async function simulate(simulation: Simulation, onProgress: (progress: Progress) => void): Promise<void> {
  const { cases: count, seed, year: wanted, days } = simulation;
  const chance = chanceOf(seed);
  const year = playedYear(wanted, Date.now());
  const clocks = createCaseClocks();
  const system = await startSystem({ interceptors: [clocks.interceptor] });
  try {
    await setUpOffice(system, year);
    const leaves = await planLeaves(system, leavesOf(chance, { year: wanted, days }), year);
    const coming = arrivals(chance, count, { year: wanted, days });
    const notYet = { at: null, submitted: 0, over: 0 };
    const cases = await prepareDrafts(system, coming, seed, (drafts) => onProgress({ drafts, ...notYet }));
    await playYear({
      ...{ system, clocks, chance, year, cases, leaves },
      onProgress: (at, counts) => onProgress({ drafts: count, at: at - year.movedMs, ...counts }),
    });
  } finally {
    await system.close();
  }
}
