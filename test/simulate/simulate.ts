/** A year of a small office on the real servers, and what became of it. */
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';
import { createCaseClocks } from './case-clocks.ts';
import { chanceOf } from './chance.ts';
import { problemsOf } from './invariants.ts';
import { planLeaves } from './leave.ts';
import { type PlayedCase, prepareDrafts, setUpOffice } from './office.ts';
import { arrivals, leavesOf } from './people.ts';
import { playYear } from './play.ts';
import { type CaseRecord, recordsOf } from './records.ts';
import { report } from './report.ts';
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
  /** Epoch milliseconds, as the year was; null = it has not begun. */
  readonly at: number | null;
  readonly submitted: number;
  readonly over: number;
}

export interface Simulated {
  /** Markdown; the same for the same simulation. */
  readonly report: string;
  readonly records: readonly CaseRecord[];
  /** What does not hold, each with the case's number. */
  readonly problems: readonly string[];
}

export async function simulate(
  simulation: Simulation,
  onProgress: (progress: Progress) => void = () => undefined,
): Promise<Simulated> {
  const { cases: count, seed, year: wanted, days } = simulation;
  const chance = chanceOf(seed);
  const year = playedYear(wanted, Date.now());
  const clocks = createCaseClocks();
  const system = await startSystem({ clientOf: clocks.clientOf });
  try {
    await setUpOffice(system, year);
    const leaves = await planLeaves(system, leavesOf(chance, { year: wanted, days }), year);
    const coming = arrivals(chance, count, { year: wanted, days });
    const notYet = { at: null, submitted: 0, over: 0 };
    const cases = await prepareDrafts(system, coming, (drafts) => onProgress({ drafts, ...notYet }));
    const { refused, stuck } = await playYear({
      ...{ system, clocks, chance, year, cases, leaves },
      onProgress: (at, counts) => onProgress({ drafts: count, at: at - year.movedMs, ...counts }),
    });
    const records = await finished(system, cases);
    const problems = records.flatMap((record) =>
      problemsOf(record, year.calendar, stuck.has(record.number)).map(
        (problem) => `case ${record.number} (${record.typeCode}): ${problem}`,
      ),
    );
    return { report: report({ seed, year, leaves, records, refused, stuck, problems }), records, problems };
  } finally {
    await system.close();
  }
}

const ISSUED_WITHIN_MS = 120_000;

/** The last licences are issued beside the year, and nobody waited for them. */
async function finished({ database: { db } }: TestSystem, cases: readonly PlayedCase[]): Promise<CaseRecord[]> {
  await eventually(
    'the last licences',
    async () => (await db('applications').where({ state: 'activating' }).first('id')) === undefined,
    ISSUED_WITHIN_MS,
  );
  return recordsOf(db, cases);
}
