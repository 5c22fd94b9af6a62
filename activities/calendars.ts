/** Working another calendar into the open cases, and looking whether calendars are complete. */
import { getClient, heartbeat, log } from '@temporalio/activity';
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
import { tellProcess } from './processes.ts';

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

/** So many processes wake at once; those that people decide on wait behind them. */
const AT_ONCE = 10;
const HEARD_WITHIN_MS = 3_000;

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
      const told: ApplicationId[] = [];
      const tellOne = async (id: ApplicationId) => {
        const workflowId = `${workflowIdPrefix}${id}`;
        // Decided or withdrawn meanwhile: there is nobody left to plan for.
        const hears = await tellProcess(workflowId, { name: signal, argument: { calendarVersion: version } });
        told.push(id);
        heartbeat();
        return hears ? workflowId : null;
      };
      try {
        for (let from = 0; from < ids.length; from += AT_ONCE) {
          const hearing = await Promise.all(ids.slice(from, from + AT_ONCE).map(tellOne));
          const last = hearing.findLast((workflowId) => workflowId !== null);
          if (last) await heard(last);
        }
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

/**
 * Waits until the process has taken in what it was told, or for some seconds. A server takes signals faster than workers wake
 * processes: the others would queue, for minutes where there are thousands, and every decision behind them.
 */
async function heard(workflowId: string): Promise<void> {
  const client = getClient();
  try {
    await client.withDeadline(Date.now() + HEARD_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).query(ANY_QUESTION),
    );
  } catch (error) {
    // It is told all the same, and reads the record when it wakes.
    log.debug('a process takes long to hear that it was planned anew', { workflowId, error: String(error) });
  }
  heartbeat();
}

/** Every workflow answers it, once it has taken in what came before. */
const ANY_QUESTION = '__temporal_workflow_metadata';
