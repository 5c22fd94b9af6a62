import { z } from 'zod';
import type { Application } from '../../db/applications.ts';
import { type TimelineEntry, timeline } from '../../db/events.ts';
import { calendarOf } from '../../db/offices.ts';
import { type OpenTask, openTaskOf } from '../../db/task-reads.ts';
import { type BusinessCalendar, formatInZone, workingMsBetween } from '../../domain/calendar.ts';
import type { UserId } from '../../domain/ids.ts';
import { whoseTurn } from '../../domain/licensing.ts';
import { applicationSeenBy } from '../application-json.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { deadlineSchema, timelineEntrySchema } from '../schemas/licenses.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const params = z.object({ id: applicationIdSchema });
const tags = ['Applications'];
const afterEvent = z.object({ id: z.string().regex(/^\d{1,18}$/) });

const story = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id/timeline',
  summary: 'What has happened in a case, oldest first',
  tags,
  permission: 'application.read',
  params,
  query: z.strictObject(pageQuery),
  problems: ['not_found'],
  responses: { 200: { description: 'A page of events', schema: pageOf(timelineEntrySchema) } },
  async handler({ params: { id }, query: { limit, cursor }, actor, deps }) {
    const { own } = await applicationSeenBy(deps.db, actor, id);
    const after = BigInt(readCursor(cursor, afterEvent)?.id ?? 0);
    const rows = await timeline(deps.db, id, { staff: !own, after, limit: limit + 1 });
    return json(
      200,
      page(
        rows,
        limit,
        (entry) => entryJson(entry, own, actor.userId),
        (entry) => ({ id: entry.id.toString() }),
      ),
    );
  },
});

const entryJson = (entry: TimelineEntry, own: boolean, viewer: UserId) => ({
  id: entry.id.toString(),
  type: entry.type,
  actor: entry.actor,
  ...(entry.by && entry.byName && (!own || entry.by === viewer) && { by: { id: entry.by, name: entry.byName } }),
  data: entry.data,
  at: timeJson(entry.at),
});

const deadline = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id/deadline',
  summary: 'Why a case is due then, how much of the time is used, and what fires next',
  tags,
  permission: 'application.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The deadline', schema: deadlineSchema } },
  async handler({ params: { id }, actor, deps }) {
    const application = await applicationSeenBy(deps.db, actor, id);
    const task = await openTaskOf(deps.db, id);
    const calendar = task && (await calendarOf(deps.db, task.officeId));
    return json(200, {
      applicationId: id,
      state: application.state,
      whoseTurn: whoseTurn(application.state),
      dueAt: task?.plan.dueAt ?? dueOf(application),
      clock: task && calendar && clockJson(task, calendar, new Date()),
    });
  },
});

const dueOf = ({ dueAt }: Application) => timeOrNull(dueAt);

/** Rungs carry the times that were planned, in the office's zone; what has fired is in the ledger of escalations. */
function clockJson(task: OpenTask, calendar: BusinessCalendar, now: Date) {
  const firedAt = new Map(task.fired.map(({ code, at }) => [code, new Date(at)]));
  const rungs = task.plan.rungs.map(({ code, percent, action, at }) => ({ code, percent, action, at }));
  const running = workingMsBetween(calendar, task.openedAt.getTime(), Math.max(now.getTime(), task.openedAt.getTime()));
  return {
    stage: task.stage,
    round: task.round,
    runningSince: formatInZone(task.openedAt.getTime(), calendar.zone),
    budgetMs: Number(task.budgetMs),
    usedMs: Number(task.usedMs) + running,
    holidays: task.plan.skipped,
    rungs: rungs.map((rung) => ({ ...rung, firedAt: timeOrNull(firedAt.get(rung.code) ?? null, calendar.zone) })),
    next: rungs.find(({ code }) => !firedAt.has(code)) ?? null,
  };
}

export const caseHistoryRoutes = [story, deadline];
