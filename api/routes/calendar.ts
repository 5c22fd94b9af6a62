/** The office's calendar: read, tried out, published. */
import { z } from 'zod';
import {
  type CalendarVersion,
  calendarVersionsOf,
  officeCalendarOf,
  officeOfUser,
  publishCalendar,
} from '../../db/calendars.ts';
import { formatInZone, type OfficeZone } from '../../domain/calendar.ts';
import { businessCalendar, type OfficeCalendar, problemsOf, yearsWithoutHolidays } from '../../domain/calendars.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type CalendarVersionId, type OfficeId, type UserId } from '../../domain/ids.ts';
import { type Moving, type Preview, previewCalendar } from '../calendar-preview.ts';
import { startCalendarChangeBeside } from '../calendar-process.ts';
import type { ApiDeps } from '../deps.ts';
import { proposeHolidays } from '../holiday-proposal.ts';
import { page, pageQuery, readCursor } from '../paging.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, type Route } from '../route.ts';
import {
  calendarSchema,
  previewRequestSchema,
  previewSchema,
  proposalSchema,
  publishRequestSchema,
} from '../schemas/calendar.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const tags = ['Admin'];
const VERSIONS_SHOWN = 100;

const read = defineRoute({
  method: 'get',
  path: '/admin/calendar',
  summary: "The working calendar of the caller's office, and how it came about",
  tags,
  permission: 'policy.read',
  problems: ['not_found'],
  responses: { 200: { description: 'The calendar', schema: calendarSchema } },
  async handler({ actor, deps, locale }) {
    return json(200, await calendarJson(deps, await officeOf(deps, actor.userId), locale));
  },
});

const proposal = defineRoute({
  method: 'get',
  path: '/admin/calendar/proposal',
  summary: 'National holidays of a year to start from',
  description:
    'From the package date-holidays. Islamic holidays may be a day off: compare with the joint decree of the ministers.',
  tags,
  permission: 'policy.read',
  query: z.strictObject({ year: z.coerce.number().int().min(2020).max(2100) }),
  responses: { 200: { description: 'A proposal', schema: proposalSchema } },
  handler: async ({ query: { year } }) => json(200, { year, ...proposeHolidays(year) }),
});

const preview = defineRoute({
  method: 'post',
  path: '/admin/calendar/preview',
  summary: 'Which open cases a calendar would move, and by how much',
  description: 'Changes nothing. `limit` and `cursor` page through those that move; the totals are always of all.',
  tags,
  permission: 'policy.read',
  query: z.strictObject({ ...pageQuery, limit: pageQuery.limit.default(100) }),
  body: previewRequestSchema,
  problems: ['not_found', 'calendar_not_valid'],
  // Asked again it is answered again: cases have moved on.
  idempotent: false,
  responses: { 200: { description: 'What would become of the open cases', schema: previewSchema } },
  async handler({ query: { limit, cursor }, body: { calendar }, actor, deps }) {
    requireSound(calendar);
    const officeId = await officeOf(deps, actor.userId);
    const after = readCursor(cursor, z.object({ id: applicationIdSchema }))?.id ?? null;
    const found = await previewCalendar(deps.db, officeId, businessCalendar(calendar), { after, limit });
    return json(200, previewJson(found, limit, calendar.zone));
  },
});

const publish = defineRoute({
  method: 'put',
  path: '/admin/calendar',
  summary: 'Publish a calendar, and have all open cases planned by it',
  description: 'In force at once; `calendar-change/<officeId>/<version>` goes over the open cases meanwhile.',
  tags,
  permission: 'calendar.manage',
  body: publishRequestSchema,
  problems: ['not_found', 'calendar_not_valid', 'calendar_changed'],
  responses: { 200: { description: 'Published', schema: calendarSchema } },
  async handler({ body: { calendar, reason, basedOnVersion }, actor, origin, deps, locale, requestKey }) {
    requireSound(calendar);
    const officeId = await officeOf(deps, actor.userId);
    const { version } = await publishCalendar(deps.db, {
      id: asId<CalendarVersionId>(idFromKey(requestKey, 'calendar_version')),
      officeId,
      calendar,
      reason,
      basedOnVersion,
      by: actor.userId,
      at: new Date().toISOString(),
      origin,
    });
    await startCalendarChangeBeside(deps, { officeId, version });
    return json(200, await calendarJson(deps, officeId, locale));
  },
});

export const calendarRoutes: readonly Route[] = [read, proposal, preview, publish];

async function officeOf({ db }: ApiDeps, userId: UserId): Promise<OfficeId> {
  const officeId = await officeOfUser(db, userId);
  if (officeId) return officeId;
  throw new Failure('not_found', 'Your account belongs to no office, so there is no calendar of yours.');
}

function requireSound(calendar: OfficeCalendar): void {
  const errors = problemsOf(calendar).map(({ pointer, ...rest }) => ({ pointer: `/calendar${pointer}`, ...rest }));
  if (errors.length > 0) throw new Failure('calendar_not_valid', '', { errors });
}

async function calendarJson({ db }: ApiDeps, officeId: OfficeId, locale: Locale) {
  const { calendar, version } = await officeCalendarOf(db, officeId);
  const versions = await calendarVersionsOf(db, officeId, VERSIONS_SHOWN);
  const { workdays, closures, ...rest } = calendar;
  return {
    officeId,
    version,
    calendar: { ...rest, workdays: [...workdays], closures: closures.map((closure) => ({ ...closure })) },
    warnings: warningsOf(calendar, versions[0], locale),
    versions: versions.map(({ publishedAt, replannedAt, ...each }) => ({
      ...each,
      publishedAt: timeJson(publishedAt, calendar.zone),
      replannedAt: timeOrNull(replannedAt, calendar.zone),
    })),
  };
}

const SAID = {
  national_holidays_missing: {
    id: 'Hari libur nasional belum dimasukkan: tenggat pada tahun itu dihitung seakan-akan tidak ada hari libur.',
    en: 'No national holiday of that year is in it: deadlines are counted as if there were none.',
  },
  replanning_unfinished: {
    id: 'Permohonan yang berjalan masih dijadwalkan ulang menurut kalender ini.',
    en: 'Open cases are still being planned by this calendar.',
  },
} as const satisfies Record<string, Record<Locale, string>>;

function warningsOf(calendar: OfficeCalendar, last: CalendarVersion | undefined, locale: Locale) {
  const code = (name: keyof typeof SAID) => ({ code: name, detail: SAID[name][locale] });
  return [
    ...yearsWithoutHolidays(calendar, Date.now()).map((year) => ({ ...code('national_holidays_missing'), year })),
    ...(last && last.replannedAt === null ? [code('replanning_unfinished')] : []),
  ];
}

function previewJson({ total, byStage, moving, ...rest }: Preview, limit: number, zone: OfficeZone) {
  return {
    ...rest,
    openCases: total.moved + total.unchanged,
    ...total,
    byStage: [...byStage].map(([stage, count]) => ({ stage, ...count })),
    ...page(
      moving,
      limit,
      (each) => movingJson(each, zone),
      ({ found }) => ({ id: found.id }),
    ),
  };
}

function movingJson({ found, again, shiftMs }: Moving, zone: OfficeZone) {
  const moves = (from: number | null, to: number | null) => ({ from: inZone(from, zone), to: inZone(to, zone) });
  return {
    applicationId: found.id,
    state: found.state,
    dueAt: moves(found.dueAt, again.dueAt),
    legalDueAt: moves(found.legalDueAt, again.legalDueAt),
    shiftMs,
  };
}

const inZone = (at: number | null, zone: OfficeZone): string | null => (at === null ? null : formatInZone(at, zone));
