/** Working another calendar into the open cases, and looking whether calendars are complete. */
import { getClient, heartbeat, log } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { tellOfMissingHolidays } from '../db/calendar-alarms.ts';
import { officesToCheck, unfinishedReplannings } from '../db/calendars.ts';
import { recordEvent } from '../db/events.ts';
import {
  countUnplanned,
  noteReplanned,
  noteToldCases,
  type ReplannedPage,
  type ReplanPage,
  replanPage,
  untoldCases,
} from '../db/replanning.ts';
import { yearsWithoutHolidays } from '../domain/calendars.ts';
import type { ApplicationId, OfficeId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';

export type { ReplannedPage } from '../db/replanning.ts';

export interface CalendarOf {
  readonly officeId: OfficeId;
  readonly version: number;
}

/** Whom to tell, by the names that workflows/ knows them under: `<workflowIdPrefix><applicationId>`. */
export interface TellReplanned extends CalendarOf {
  readonly workflowIdPrefix: string;
  readonly signal: string;
  readonly limit: number;
}

/** Signals on their way at once: the server takes hundreds a second, and each wakes a process. */
const AT_ONCE = 16;
const ANSWER_WITHIN_MS = 5_000;

export function createCalendarActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    replanCases: (page: ReplanPage): Promise<ReplannedPage> => replanPage(db, page),

    /** Tells a page of the processes whose deadlines moved; one that has ended is no error. Twice does no harm. */
    async tellReplanned({
      officeId,
      version,
      workflowIdPrefix,
      signal,
      limit,
    }: TellReplanned): Promise<{ told: number }> {
      const ids = await untoldCases(db, officeId, limit);
      const left = ids.values();
      const told: ApplicationId[] = [];
      const work = async () => {
        for (const id of left) {
          await tell(`${workflowIdPrefix}${id}`, signal, { calendarVersion: version });
          told.push(id);
          heartbeat();
        }
      };
      try {
        await Promise.all(Array.from({ length: AT_ONCE }, work));
      } finally {
        // Whoever was told is not told again because another one could not be.
        await noteToldCases(db, told, version);
      }
      return { told: told.length };
    },

    countUnplanned: ({ officeId, version }: CalendarOf): Promise<number> => countUnplanned(db, officeId, version),

    async finishReplanning({ officeId, version, at }: CalendarOf & { at: string }): Promise<void> {
      await db.transaction(async (tx) => {
        const isNew = await recordEvent(tx, {
          key: `calendar/${officeId}/${version}/replanned`,
          type: 'calendar.replanned',
          subject: `calendar/${officeId}`,
          data: { version },
          at,
        });
        if (isNew) await noteReplanned(tx, officeId, version, at);
      });
    },

    /** Raises the alarm for calendars without holidays, and finds publications that nobody works into the cases. */
    async checkCalendars({ at, before }: { at: string; before: string }): Promise<{
      incomplete: number;
      unfinished: CalendarOf[];
    }> {
      let incomplete = 0;
      for (const { officeId, name, calendar } of await officesToCheck(db)) {
        for (const year of yearsWithoutHolidays(calendar, Date.parse(at))) {
          incomplete += 1;
          if (await tellOfMissingHolidays(db, { officeId, officeName: name, year, at }))
            log.error('a calendar has no national holidays of a year', { officeId, year });
        }
      }
      return { incomplete, unfinished: await unfinishedReplannings(db, before) };
    },
  };
}

async function tell(workflowId: string, signal: string, argument: unknown): Promise<void> {
  const client = getClient();
  try {
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).signal(signal, argument),
    );
  } catch (error) {
    // Decided or withdrawn meanwhile: there is nobody left to plan for.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
