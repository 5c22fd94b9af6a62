import { ASLEEP, type Asleep } from './asleep.ts';
import { atRest, openCases } from './cases.ts';
import { approvals } from './decision.ts';
import { type Absolute, absoluteOf, type Goal, type Pair, pairOf, percentile } from './figures.ts';
import type { Machine } from './machine.ts';

const ROUNDS = 6;
const IN_ROUND = 30;
const WARM = 30;
export const IN_FLIGHT = 4;
const COUNT = ASLEEP.toLocaleString('en');

export interface SleepingFigures {
  readonly pairs: readonly Pair[];
  readonly memory: Absolute;
}

/**
 * Decisions on reviews that have slept, of which the worker remembers nothing, in turns with decisions on new ones in a system
 * that has no others. The same stage, the same policy; a review that was woken is read from its history first.
 */
export async function measureSleeping(empty: Machine, asleep: Asleep): Promise<SleepingFigures> {
  const few = await openCases(empty, WARM + ROUNDS * IN_ROUND);
  await decide(empty, few.splice(0, WARM));
  await decide(asleep.machine, asleep.take(WARM));
  const rounds: { alur: readonly number[]; bare: readonly number[] }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const measured = {
      alur: await decide(asleep.machine, asleep.take(IN_ROUND)),
      bare: await decide(empty, few.splice(0, IN_ROUND)),
    };
    rounds.push(measured);
    empty.say(
      `  p95: ${percentile(measured.alur, 0.95).toFixed(0)} : ${percentile(measured.bare, 0.95).toFixed(0)} ms`,
    );
  }
  const pair = (name: string, share: number, goal: Goal | null): Pair => {
    const of = rounds.map(({ alur, bare }) => ({ alur: percentile(alur, share), bare: percentile(bare, share) }));
    return pairOf(`Decisions among ${COUNT} reviews asleep, ${name}`, 'ms', goal, of);
  };
  const mb = asleep.largestWorkerMb();
  return {
    pairs: [pair('p95', 0.95, { atMost: 1.2 }), pair('p50', 0.5, null)],
    memory: absoluteOf(`Worker’s memory, ${COUNT} reviews asleep, largest`, 'MB', { atMost: 500 }, [mb]),
  };
}

/** Approves at the first stage, and waits until all that it set off is done. @returns how long each answer took; ms */
export async function decide(machine: Machine, ids: readonly string[]): Promise<readonly number[]> {
  const posts = await approvals(machine, ids);
  const { latenciesMs } = await machine.driver({ kind: 'posts', inFlight: IN_FLIGHT, posts });
  await atRest(machine, ids, 'compliance_check', LETTERS);
  return latenciesMs;
}

/** To the applicant, to the first reviewer and to the second. */
const LETTERS = 3;
