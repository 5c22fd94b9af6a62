/**
 * Once a day: whoever has credit that ends within 30 days is told of it; what has ended, and was told of a day before at the
 * least, leaves the books. A schedule starts this (worker/schedules.ts); what one run leaves, the next takes.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { clock } from './answers.ts';
import { records } from './policies.ts';

const { warnOfCredit } = proxyActivities<Activities>({ ...records, summary: 'Tell who has credit that ends soon' });
const { expireCredit } = proxyActivities<Activities>({ ...records, summary: 'End credit whose time is over' });

const PAGE = 50;
/** A history must not grow with the number of customers. */
const PAGES = 200;

/** @param page how many grants at a time */
export async function creditExpiry(page = PAGE): Promise<{ readonly warned: number; readonly expired: number }> {
  const warned = await all(() => warnOfCredit({ at: clock(), limit: page }));
  const expired = await all(() => expireCredit({ at: clock(), limit: page }));
  return { warned, expired };

  async function all(step: () => Promise<{ readonly done: number }>): Promise<number> {
    let total = 0;
    for (let pages = 0; pages < PAGES; pages += 1) {
      const { done } = await step();
      total += done;
      if (done < page) break;
    }
    return total;
  }
}
