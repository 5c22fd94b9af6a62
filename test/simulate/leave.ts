/** Absences of the simulated year, planned through the API before it begins. */
import { z } from 'zod';
import { type AbsenceId, asId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import type { Leave, Reviewer } from './people.ts';
import type { PlayedYear } from './year.ts';

export interface PlayedLeave {
  readonly id: AbsenceId;
  readonly who: Reviewer;
  /** Epoch milliseconds, midnight; the second is not included. */
  readonly from: number;
  readonly to: number;
}

const DAY_MS = 86_400_000;
const planned = z.looseObject({ id: z.string() });

export async function planLeaves(
  system: TestSystem,
  leaves: readonly Leave[],
  { begins }: PlayedYear,
): Promise<PlayedLeave[]> {
  const story = storyOf(system);
  const played: PlayedLeave[] = [];
  for (const { who, fromDay, toDay, reason } of leaves) {
    const [from, to] = [begins + fromDay * DAY_MS, begins + toDay * DAY_MS];
    const body = {
      userId: demoUserId(who),
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      reason,
    };
    const answer = await story.expect(201, story.call('POST', 'admin/absences', { as: 'supervisor', body }));
    played.push({ id: asId<AbsenceId>(planned.parse(answer.body).id), who, from, to });
  }
  return played;
}
