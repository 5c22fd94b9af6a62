/** The office's calendar, publication by publication. What deadlines are counted by stands in `offices` and `office_closures`. */
import type { Knex } from 'knex';
import { type OfficeZone, workingDay } from '../domain/calendar.ts';
import {
  businessCalendar,
  type CalendarChange,
  type Closure,
  changeBetween,
  inOrder,
  type OfficeCalendar,
  timeOfMinute,
} from '../domain/calendars.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { asId, type CalendarVersionId, type OfficeId, type UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';
import { calendarLock } from './offices.ts';
import { namedUuid } from './uuids.ts';

export interface PublishedCalendar {
  readonly version: number;
  readonly calendar: OfficeCalendar;
}

interface OfficeRow {
  readonly zone: OfficeZone;
  readonly workdays: number[];
  readonly opens: number;
  readonly closes: number;
  readonly nationalHolidays: boolean;
  readonly jointLeave: boolean;
  readonly version: number;
  readonly closures: Closure[];
}

/** The calendar that is in force, as it was published. */
export async function officeCalendarOf(db: Knex, officeId: OfficeId): Promise<PublishedCalendar> {
  const result: { rows: OfficeRow[] } = await db.raw(
    `select o.zone, o.workdays, o.opens_at_minute as opens, o.closes_at_minute as closes,
       o.national_holidays_count as "nationalHolidays", o.joint_leave_counts as "jointLeave", o.calendar_version as version,
       coalesce((select json_agg(json_build_object('date', c.date, 'kind', c.kind, 'name', c.name) order by c.date, c.kind)
                 from office_closures c where c.office_id = o.id), '[]') as closures
     from offices o where o.id = ?`,
    [officeId],
  );
  const [row] = result.rows;
  if (!row) throw new Error(`office ${officeId} does not exist`);
  const { opens, closes, version, ...rest } = row;
  return { version, calendar: { ...rest, opensAt: timeOfMinute(opens), closesAt: timeOfMinute(closes) } };
}

/** The office in which somebody works; null for who works in none. */
export async function officeOfUser(db: Knex, userId: UserId): Promise<OfficeId | null> {
  const row: { officeId: OfficeId | null } | undefined = await db('users')
    .where({ id: userId })
    .first({ officeId: 'office_id' });
  return row?.officeId ?? null;
}

export interface Publication {
  readonly id: CalendarVersionId;
  readonly officeId: OfficeId;
  /** Without problems, see `problemsOf`. */
  readonly calendar: OfficeCalendar;
  readonly reason: string;
  /** The version that it was made from. */
  readonly basedOnVersion: number;
  readonly by: UserId;
  readonly at: string;
  readonly origin?: Origin | undefined;
}

/**
 * Makes it the calendar of the office: its next version, what is counted by, and the event, together. A repeat under the same
 * ID finds its version. Deadlines that were stored before follow by `replanPage`; those computed from now on have it already,
 * for this waits until every transaction that stores one has ended (`workingCalendarOf`).
 * @throws Failure `calendar_changed` when another version has been published since `basedOnVersion`; it names who and when
 */
export async function publishCalendar(db: Knex, publication: Publication): Promise<{ version: number }> {
  const { id, officeId, calendar, by, at } = publication;
  return db.transaction(async (tx) => {
    await tx.raw('select pg_advisory_xact_lock(hashtext(?))', [calendarLock(officeId)]);
    const done: { version: number } | undefined = await tx('calendar_versions').where({ id }).first('version');
    if (done) return done;
    const current = await officeCalendarOf(tx, officeId);
    if (current.version !== publication.basedOnVersion) throw await changedSince(tx, officeId, current.version);
    const version = current.version + 1;
    const change = changeBetween(current.calendar, calendar);
    await recordEvent(tx, { ...eventOf(publication, version, change), at });
    await keepAsFound(tx, officeId, current, at);
    await tx('calendar_versions').insert({
      id,
      office_id: officeId,
      version,
      calendar: JSON.stringify({ ...calendar, closures: inOrder(calendar.closures) }),
      reason: publication.reason,
      published_by: by,
      published_at: at,
    });
    await putInForce(tx, officeId, calendar, version);
    return { version };
  });
}

const eventOf = ({ officeId, by, origin }: Publication, version: number, change: CalendarChange) => ({
  key: `calendar/${officeId}/${version}`,
  type: 'calendar.published' as const,
  by,
  subject: `calendar/${officeId}` as const,
  origin,
  before: change.before,
  after: change.after,
  data: { version, added: change.added, removed: change.removed },
});

async function changedSince(tx: Knex, officeId: OfficeId, version: number): Promise<Failure> {
  const last: { by: UserId | null; at: Date } | undefined = await tx('calendar_versions')
    .where({ office_id: officeId, version })
    .first({ by: 'published_by', at: 'published_at' });
  return new Failure(
    'calendar_changed',
    `The calendar is at version ${version} by now. Read it again, and make another preview.`,
    { ...(last?.by ? { decidedBy: last.by } : {}), ...(last ? { decidedAt: last.at.toISOString() } : {}) },
  );
}

// An office that was set up without a publication: what it worked by until now is a version too.
async function keepAsFound(tx: Knex, officeId: OfficeId, found: PublishedCalendar, at: string): Promise<void> {
  await tx('calendar_versions')
    .insert({
      id: namedUuid(`calendar_version/${officeId}/${found.version}`),
      office_id: officeId,
      version: found.version,
      calendar: JSON.stringify(found.calendar),
      reason: 'As the office had it',
      published_at: at,
      replanned_at: at,
    })
    .onConflict(['office_id', 'version'])
    .ignore();
}

async function putInForce(tx: Knex, officeId: OfficeId, calendar: OfficeCalendar, version: number): Promise<void> {
  const { opensAtMinute, closesAtMinute } = businessCalendar(calendar);
  await tx('offices')
    .where({ id: officeId })
    .update({
      zone: calendar.zone,
      workdays: [...calendar.workdays],
      opens_at_minute: opensAtMinute,
      closes_at_minute: closesAtMinute,
      national_holidays_count: calendar.nationalHolidays,
      joint_leave_counts: calendar.jointLeave,
      calendar_version: version,
    });
  await tx('office_closures').where({ office_id: officeId }).delete();
  if (calendar.closures.length === 0) return;
  await tx('office_closures').insert(calendar.closures.map((closure) => ({ office_id: officeId, ...closure })));
}

export interface CalendarVersion {
  readonly version: number;
  readonly reason: string;
  readonly publishedBy: { readonly id: UserId; readonly name: string } | null;
  readonly publishedAt: Date;
  /** null = the open cases are not all re-planned under it, or another one came before they were. */
  readonly replannedAt: Date | null;
  readonly replanned: number;
  readonly moved: number;
}

/** The newest first. */
export async function calendarVersionsOf(db: Knex, officeId: OfficeId, limit: number): Promise<CalendarVersion[]> {
  const rows: (Omit<CalendarVersion, 'publishedBy'> & { byId: UserId | null; byName: string | null })[] = await db(
    'calendar_versions as v',
  )
    .leftJoin('users as u', 'u.id', 'v.published_by')
    .where('v.office_id', officeId)
    .orderBy('v.version', 'desc')
    .limit(limit)
    .select({
      version: 'v.version',
      reason: 'v.reason',
      byId: 'u.id',
      byName: 'u.name',
      publishedAt: 'v.published_at',
      replannedAt: 'v.replanned_at',
      replanned: 'v.replanned',
      moved: 'v.moved',
    });
  return rows.map(({ byId, byName, ...row }) => ({
    ...row,
    publishedBy: byId && byName ? { id: byId, name: byName } : null,
  }));
}

/** How long a working day was under each version, in milliseconds: budgets of before are in those days. */
export async function dayLengthsOf(db: Knex, officeId: OfficeId): Promise<ReadonlyMap<number, number>> {
  const rows: { version: number; calendar: OfficeCalendar }[] = await db('calendar_versions')
    .where({ office_id: officeId })
    .select('version', { calendar: db.raw("calendar - 'closures' || '{\"closures\": []}'") });
  return new Map(rows.map(({ version, calendar }) => [version, workingDay(businessCalendar(calendar))]));
}

export interface OfficeToCheck {
  readonly officeId: OfficeId;
  readonly name: string;
  readonly calendar: OfficeCalendar;
  readonly version: number;
}

/** Every office with its calendar. */
export async function officesToCheck(db: Knex): Promise<OfficeToCheck[]> {
  const offices: { id: string; name: string }[] = await db('offices').orderBy('id').select('id', 'name');
  const found: OfficeToCheck[] = [];
  for (const { id, name } of offices) {
    const officeId = asId<OfficeId>(id);
    found.push({ officeId, name, ...(await officeCalendarOf(db, officeId)) });
  }
  return found;
}

/** Offices whose calendar in force was published before `before` and is not worked into all open cases. */
export async function unfinishedReplannings(
  db: Knex,
  before: string,
): Promise<{ officeId: OfficeId; version: number }[]> {
  return db('calendar_versions as v')
    .join('offices as o', (on) => on.on('o.id', 'v.office_id').andOn('o.calendar_version', 'v.version'))
    .whereNull('v.replanned_at')
    .where('v.published_at', '<', before)
    .orderBy('o.id')
    .select({ officeId: 'o.id', version: 'v.version' });
}
