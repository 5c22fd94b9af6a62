/**
 * Every ten minutes: are next year's holidays known, and is every published calendar worked into the open cases? A schedule starts
 * it (worker/schedules.ts). An office is told once a year; a publication whose process was never started gets it here.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Errand, Telling } from '../activities/money-watch.ts';
import { clock } from './answers.ts';
import type { CalendarChangeInput } from './calendar-change.ts';
import { calendarChangeId } from './ids.ts';
import { records, sweeps } from './policies.ts';

const { checkCalendars } = proxyActivities<Activities>({ ...records, summary: 'Look through the calendars' });
const { tellProcesses } = proxyActivities<Activities>({ ...sweeps, summary: 'Start what nobody started' });

/** The API starts the process within seconds of the publication. */
const FORGOTTEN_AFTER_MS = 60_000;

export async function calendarCheck(): Promise<{ incomplete: number; started: number }> {
  const before = new Date(Date.now() - FORGOTTEN_AFTER_MS).toISOString();
  const { incomplete, unfinished } = await checkCalendars({ at: clock(), before });
  if (unfinished.length === 0) return { incomplete, started: 0 };
  const { told } = await tellProcesses({ tellings: unfinished.map(telling), at: clock() });
  return { incomplete, started: told };
}

/** One that runs is left to itself. */
function telling(input: CalendarChangeInput): Telling {
  const errand: Errand = {
    workflowType: 'calendarChange',
    workflowId: calendarChangeId(input.officeId, input.version),
    input,
    signal: null,
    summary: 'Re-planning by another calendar, started by the check',
  };
  return { inboxIds: [], errands: [errand] };
}
