/**
 * Once a day: erases what was entered for companies whose onboarding expired or was cancelled, when its retention is over. A
 * schedule starts it (worker/schedules.ts). What one run leaves, because it failed or there was too much of it, the next takes.
 */
import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { clock } from './answers.ts';
import { purging } from './policies.ts';

const { eraseOnboardings } = proxyActivities<Activities>({
  ...purging,
  heartbeatTimeout: undefined,
  summary: 'Erase what was entered',
});

const PAGE = 50;
const PAGES = 40;

export interface OnboardingErasure {
  readonly erased: number;
  readonly failed: number;
}

/** @param page how many companies are erased at a time */
export async function onboardingErasure(page = PAGE): Promise<OnboardingErasure> {
  const total = { erased: 0, failed: 0 };
  for (let pages = 0; pages < PAGES; pages += 1) {
    const { erased, failed } = await eraseOnboardings({ at: clock(), limit: page });
    total.erased += erased;
    total.failed += failed;
    setCurrentDetails(`${total.erased} companies erased, ${total.failed} failed`);
    // Those that failed would come again on every page.
    if (failed > 0 || erased < page) break;
  }
  return total;
}
