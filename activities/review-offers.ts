/** Seats of the supervisor's queue for which somebody is free by now: each case is asked to give its own to them. */
import { getClient, log } from '@temporalio/activity';
import type { SeatWaiting } from '../domain/review-rules.ts';
import { askCase } from './task-moves.ts';

/** A seat, and the process that is asked, by the names that workflows/ knows it under. */
export interface SeatErrand {
  readonly workflowId: string;
  readonly update: string;
  readonly waiting: SeatWaiting;
}

export function createReviewOfferActivities() {
  return {
    /** One after the other, for each choice depends on the one before. Safe to repeat: a seat that is taken refuses. */
    async offerSeats({ errands }: { errands: readonly SeatErrand[] }): Promise<{ offered: number }> {
      const client = getClient();
      let offered = 0;
      for (const { waiting, ...process } of errands) {
        const answer = await askCase(client, process, waiting);
        if ('assignee' in answer && answer.assignee) offered += 1;
        else log.info('a seat stays in the queue', { workflowId: process.workflowId, ...answer });
      }
      return { offered };
    },
  };
}
