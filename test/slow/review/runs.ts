/** Many scenarios side by side on one server. */
import fc from 'fast-check';
import type { CaseClocks } from '../../simulate/case-clocks.ts';
import type { TestSystem } from '../../support/system.ts';
import { play, Violation } from './player.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { aCase } from './world.ts';

/** Cases that live at the same time. */
const AT_ONCE = 10;

export interface Ground {
  readonly system: TestSystem;
  readonly clocks: CaseClocks;
  killWorker(): Promise<void>;
}

export interface Failed {
  readonly run: number;
  readonly scenario: Scenario;
  readonly sentences: string;
  readonly log: readonly string[];
}

/** The scenarios follow from the seed: run n is the same whichever of them are played. */
export async function playAll(
  { system, clocks, killWorker }: Ground,
  { seed, runs, most }: { readonly seed: number; readonly runs: number; readonly most: number },
  numbers: readonly number[],
): Promise<Failed[]> {
  const scenarios = fc.sample(scenarioOf(most), { seed, numRuns: runs });
  const failures: Failed[] = [];
  const left = numbers.values();
  const lane = async () => {
    for (const run of left) {
      const scenario = scenarios[run];
      if (!scenario) throw new Error(`there is no run ${run} of ${runs}`);
      try {
        await play(await aCase(system, clocks, scenario), scenario, killWorker);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        const failed = { run, scenario, sentences: error.message, log: error.log };
        failures.push(failed);
        // At once: whoever waits for the rest may lose patience.
        console.log(told(failed, seed));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return failures.toSorted((a, b) => a.run - b.run);
}

export const told = ({ run, sentences, log }: Failed, seed: number): string =>
  [`run ${run} of seed ${seed}:`, sentences, '  --', ...log].join('\n  ');

/** What was lived through: a suite in which nothing happened proves nothing. */
export async function tallied({ database: { db } }: TestSystem): Promise<string> {
  const tally = async (table: string, by: string) => {
    const rows: { what: string; count: bigint }[] = await db(table)
      .groupBy(by)
      .orderBy(by)
      .select({ what: by })
      .count({ count: '*' });
    return rows.map(({ what, count }) => `${what} ${count}`).join(', ');
  };
  return [
    `    cases: ${await tally('applications', 'state')}`,
    `    decisions: ${await tally('decisions', 'decision')}; rungs: ${await tally('escalations', 'rung')}`,
    `    suspensions: ${await tally('suspensions', 'reason')}`,
  ].join('\n');
}
