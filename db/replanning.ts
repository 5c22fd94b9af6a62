/**
 * Another calendar for the open cases of an office, a page at a time. A page waits for nobody: what somebody else has locked
 * is left for the next time round, so it can neither hold up a decision for longer than its own transaction nor deadlock.
 */
import type { Knex } from 'knex';
import { type BusinessCalendar, formatInZone, type OfficeZone, workingDay } from '../domain/calendar.ts';
import type { RungCode } from '../domain/escalation.ts';
import { isPublic } from '../domain/events.ts';
import type { ApplicationId, OfficeId, TaskId } from '../domain/ids.ts';
import type { ApplicationState, Stage } from '../domain/licensing.ts';
import {
  type OpenCase,
  type OpenTask,
  type ReplannedCase,
  replanCase,
  STATES_WITH_DEADLINES,
} from '../domain/replanning.ts';
import { dayLengthsOf } from './calendars.ts';
import { versionedCalendarOf } from './offices.ts';
import { atRiskAt, type StoredPlan, storedPlan } from './tasks.ts';

export interface ReplanPage {
  readonly officeId: OfficeId;
  /** Of the calendar; a newer one in force ends the work for this one. */
  readonly version: number;
  /** The last case of the page before; null = from the first. */
  readonly after: ApplicationId | null;
  readonly limit: number;
  readonly at: string;
}

export interface ReplannedPage {
  /** The office has a newer calendar: whoever works for that one goes over all cases. */
  readonly superseded: boolean;
  /** null = the last page of this time round. */
  readonly after: ApplicationId | null;
  readonly replanned: number;
  readonly moved: number;
}

/** Re-plans a page of the cases that were not planned by this version yet, in one transaction. A repeat finds the next ones. */
export async function replanPage(db: Knex, page: ReplanPage): Promise<ReplannedPage> {
  const { officeId, version, limit } = page;
  return db.transaction(async (tx) => {
    const { calendar, version: inForce } = await versionedCalendarOf(tx, officeId);
    if (inForce !== version) return { superseded: true, after: null, replanned: 0, moved: 0 };
    const ids = await lockCases(tx, page);
    const free = await lockTasks(tx, ids);
    const cases = await casesOf(tx, 'a.id = any(:ids)', { ids }, await dayLengths(tx, officeId, calendar));
    const planned = cases
      .filter(({ tasks }) => tasks.every(({ id }) => free.has(id)))
      .map((found) => ({ found, again: replanCase(calendar, found) }));
    const moved = planned.filter(({ again }) => again.moved);
    await writeEvents(tx, page, calendar.zone, moved);
    await writeTasks(tx, version, calendar.zone, planned);
    await writeCases(tx, page, planned);
    await tx('calendar_versions')
      .where({ office_id: officeId, version })
      .update({
        replanned: tx.raw('replanned + ?', [planned.length]),
        moved: tx.raw('moved + ?', [moved.length]),
      });
    const after = ids.length < limit ? null : (ids.at(-1) ?? null);
    return { superseded: false, after, replanned: planned.length, moved: moved.length };
  });
}

const OPEN_OF_OFFICE = `a.closed_at is null and a.submitted_at is not null and a.state = any(:states)
  and a.type_code = any(array(select code from license_types where office_id = :officeId))`;
const states = [...STATES_WITH_DEADLINES];

/** @returns those of the page that nobody else is writing in this moment */
async function lockCases(tx: Knex, { officeId, version, after, limit }: ReplanPage): Promise<ApplicationId[]> {
  const result: { rows: { id: ApplicationId }[] } = await tx.raw(
    `select a.id from applications a
     where ${OPEN_OF_OFFICE} and coalesce(a.calendar_version, 0) < :version
       ${after === null ? '' : 'and a.id > :after'}
     order by a.id limit :limit for no key update of a skip locked`,
    { officeId, version, limit, states, after },
  );
  return result.rows.map(({ id }) => id);
}

async function lockTasks(tx: Knex, ids: readonly ApplicationId[]): Promise<ReadonlySet<TaskId>> {
  const result: { rows: { id: TaskId }[] } = await tx.raw(
    `select id from tasks where application_id = any(?) and state = 'open' order by id for no key update skip locked`,
    [[...ids]],
  );
  return new Set(result.rows.map(({ id }) => id));
}

/** How many cases are not planned by this version yet: those that somebody had locked. */
export async function countUnplanned(db: Knex, officeId: OfficeId, version: number): Promise<number> {
  const result: { rows: { count: number }[] } = await db.raw(
    `select count(*)::int as count from applications a
     where ${OPEN_OF_OFFICE} and coalesce(a.calendar_version, 0) < :version`,
    { officeId, version, states },
  );
  return result.rows[0]?.count ?? 0;
}

/** The open cases of an office in pages, unlocked: for a preview. */
export async function* openCasesOf(
  db: Knex,
  officeId: OfficeId,
  calendar: BusinessCalendar,
  limit: number,
): AsyncGenerator<readonly OpenCase[]> {
  const days = await dayLengths(db, officeId, calendar);
  let after: ApplicationId | undefined;
  for (;;) {
    const beyond = after ? { after } : {};
    const found = await casesOf(
      db,
      `a.id = any(array(select a.id from applications a where ${OPEN_OF_OFFICE} ${after ? 'and a.id > :after' : ''} order by a.id limit :limit))`,
      { officeId, states, limit, ...beyond },
      days,
    );
    yield found;
    after = found.at(-1)?.id;
    if (found.length < limit) return;
  }
}

type DayLengths = (version: number) => number;

// A version without a row is that of an office that never published: its calendar is the one in force.
async function dayLengths(db: Knex, officeId: OfficeId, inForce: BusinessCalendar): Promise<DayLengths> {
  const known = await dayLengthsOf(db, officeId);
  return (version) => known.get(version) ?? workingDay(inForce);
}

interface CaseRow {
  readonly id: ApplicationId;
  readonly state: ApplicationState;
  readonly dueAt: Date | null;
  readonly legalDueAt: Date | null;
  readonly completeAt: Date | null;
  readonly legalWorkingDays: number | null;
  readonly askedAt: Date | null;
  readonly answerDays: number | null;
  readonly suspensions: readonly { readonly from: number; readonly to: number | null }[];
  readonly tasks: readonly TaskRow[];
}

interface TaskRow {
  readonly id: TaskId;
  readonly stage: Stage;
  readonly round: number;
  readonly openedAt: number;
  readonly budgetMs: number;
  readonly usedMs: number;
  readonly version: number;
  readonly plan: StoredPlan;
  readonly fired: readonly RungCode[];
}

const MS = (column: string): string => `round(extract(epoch from ${column}) * 1000)`;

/** Since when the applicant has the case `a`: events tell. */
const ASKED_AT = `case when a.state in ('correction_requested', 'intent_to_reject') then
    (select max(e.occurred_at) from events e where e.application_id = a.id
       and e.type in ('application.correction_requested', 'application.intent_to_reject', 'application.reopened')) end`;

/** And for how many working days: the policy. */
const ANSWER = `
  ${ASKED_AT} as "askedAt",
  case a.state
    when 'correction_requested' then coalesce(a.pinned_policy, p.policy) #>> '{correction,answerWithinWorkingDays}'
    when 'intent_to_reject' then coalesce(a.pinned_policy, p.policy) #>> '{intent,answerWithinWorkingDays}'
  end::int as "answerDays"`;

async function casesOf(db: Knex, which: string, bindings: object, days: DayLengths): Promise<OpenCase[]> {
  const result: { rows: CaseRow[] } = await db.raw(
    `select a.id, a.state, a.due_at as "dueAt", a.legal_due_at as "legalDueAt", a.complete_at as "completeAt",
       a.legal_working_days as "legalWorkingDays", ${ANSWER},
       coalesce((select json_agg(json_build_object('from', ${MS('s.from_at')}, 'to', ${MS('s.to_at')}) order by s.from_at, s.id)
                 from suspensions s where s.application_id = a.id), '[]') as suspensions,
       coalesce((select json_agg(json_build_object('id', t.id, 'stage', t.stage, 'round', t.round, 'openedAt', ${MS('t.opened_at')},
                   'budgetMs', t.budget_ms, 'usedMs', t.used_ms, 'version', t.calendar_version, 'plan', t.plan,
                   'fired', array(select e.rung from escalations e
                                  where e.application_id = t.application_id and e.stage = t.stage and e.round = t.round)) order by t.seat)
                 from tasks t where t.application_id = a.id and t.state = 'open'), '[]') as tasks
     from applications a join license_policies p on p.id = a.policy_id
     where ${which} order by a.id`,
    { ...bindings },
  );
  return result.rows.map((row) => toCase(row, days));
}

function toCase({ askedAt, answerDays, tasks, ...row }: CaseRow, days: DayLengths): OpenCase {
  return {
    ...row,
    dueAt: row.dueAt?.getTime() ?? null,
    legalDueAt: row.legalDueAt?.getTime() ?? null,
    completeAt: row.completeAt?.getTime() ?? null,
    tasks: tasks.map((task) => toTask(task, days)),
    answer: askedAt && answerDays ? { askedAt: askedAt.getTime(), withinWorkingDays: answerDays } : null,
  };
}

const toTask = ({ plan, fired, version, ...row }: TaskRow, days: DayLengths): OpenTask => ({
  ...row,
  dayMs: days(version),
  fired: new Set(fired),
  plan: {
    dueAt: Date.parse(plan.dueAt),
    rungs: plan.rungs.map((rung) => ({ ...rung, at: Date.parse(rung.at) })),
    skipped: plan.skipped,
  },
});

interface Planned {
  readonly found: OpenCase;
  readonly again: ReplannedCase;
}

const timeIn = (at: number | null, zone: OfficeZone): string | null => (at === null ? null : formatInZone(at, zone));

async function writeEvents(tx: Knex, page: ReplanPage, zone: OfficeZone, moved: readonly Planned[]): Promise<void> {
  const { officeId, version, at } = page;
  const rows = moved.map(({ found, again }) => ({
    key: `calendar/${officeId}/${version}/${found.id}`,
    application_id: found.id,
    data: {
      calendarVersion: version,
      dueAt: { from: timeIn(found.dueAt, zone), to: timeIn(again.dueAt, zone) },
      legalDueAt: { from: timeIn(found.legalDueAt, zone), to: timeIn(again.legalDueAt, zone) },
    },
  }));
  await tx.raw(
    `insert into events (key, type, application_id, company_id, actor, data, public, occurred_at)
     select r.key, 'task.replanned', a.id, a.company_id, 'system', r.data, :public, :at
     from jsonb_to_recordset(:rows) as r(key text, application_id uuid, data jsonb)
     join applications a on a.id = r.application_id
     on conflict (key) do nothing`,
    { rows: JSON.stringify(rows), public: isPublic('task.replanned'), at },
  );
}

async function writeTasks(tx: Knex, version: number, zone: OfficeZone, planned: readonly Planned[]): Promise<void> {
  const rows = planned.flatMap(({ again }) =>
    again.tasks.map(({ id, budgetMs, usedMs, plan }) => {
      const stored = storedPlan(plan, zone);
      return {
        id,
        budget_ms: budgetMs,
        used_ms: usedMs,
        due_at: stored.dueAt,
        at_risk_at: atRiskAt(stored),
        plan: stored,
      };
    }),
  );
  await tx.raw(
    `update tasks t set budget_ms = r.budget_ms, used_ms = r.used_ms, due_at = r.due_at, at_risk_at = coalesce(r.at_risk_at, t.at_risk_at), plan = r.plan,
       calendar_version = :version
     from jsonb_to_recordset(:rows)
       as r(id uuid, budget_ms bigint, used_ms bigint, due_at timestamptz, at_risk_at timestamptz, plan jsonb)
     where t.id = r.id`,
    { rows: JSON.stringify(rows), version },
  );
}

async function writeCases(tx: Knex, { version, at }: ReplanPage, planned: readonly Planned[]): Promise<void> {
  const rows = planned.map(({ found, again }) => ({
    id: found.id,
    due_at: timeIn(again.dueAt, 'Asia/Jakarta'),
    legal_due_at: timeIn(again.legalDueAt, 'Asia/Jakarta'),
    legal_budget_ms: again.legalBudgetMs,
    moved: again.moved,
    earlier: again.isEarlier,
  }));
  await tx.raw(
    `update applications a set due_at = r.due_at, legal_due_at = r.legal_due_at,
       legal_budget_ms = coalesce(r.legal_budget_ms, a.legal_budget_ms), calendar_version = :version,
       replan_untold = a.replan_untold or r.earlier,
       updated_at = case when r.moved then greatest(a.updated_at, cast(:at as timestamptz)) else a.updated_at end
     from jsonb_to_recordset(:rows)
       as r(id uuid, due_at timestamptz, legal_due_at timestamptz, legal_budget_ms bigint, moved boolean, earlier boolean)
     where a.id = r.id`,
    { rows: JSON.stringify(rows), version, at },
  );
}

/** Cases of the office with something that comes earlier than their processes, which were not told, sleep until. */
export async function untoldCases(db: Knex, officeId: OfficeId, limit: number): Promise<ApplicationId[]> {
  return db('applications as a')
    .join('license_types as t', 't.code', 'a.type_code')
    .where({ 'a.replan_untold': true, 't.office_id': officeId })
    .orderBy('a.id')
    .limit(limit)
    .pluck<ApplicationId[]>('a.id');
}

/** They are as told as `version` makes them: one that moved again meanwhile is told again. */
export async function noteToldCases(db: Knex, ids: readonly ApplicationId[], version: number): Promise<void> {
  await db('applications')
    .whereIn('id', [...ids])
    .where('calendar_version', '<=', version)
    .update({ replan_untold: false });
}

/** Every open case is planned by this version. @returns false when that was on record */
export async function noteReplanned(tx: Knex, officeId: OfficeId, version: number, at: string): Promise<boolean> {
  const changed = await tx('calendar_versions')
    .where({ office_id: officeId, version, replanned_at: null })
    .update({ replanned_at: at });
  return changed > 0;
}

/** The time that the applicant has to correct something, as the calendar of the moment and the case's policy have it. */
export interface TimeToCorrect {
  readonly askedAt: Date;
  readonly answerBy: Date;
  /** Of the time to answer. */
  readonly remindAtPercent: readonly number[];
  readonly answerWithinWorkingDays: number;
  readonly officeId: OfficeId;
}

/** null = they do not have the case for a correction. */
export async function timeToCorrect(db: Knex, id: ApplicationId): Promise<TimeToCorrect | null> {
  const { rows }: { rows: TimeToCorrect[] } = await db.raw(
    `select ${ASKED_AT} as "askedAt", a.due_at as "answerBy", t.office_id as "officeId",
       coalesce(r.rules -> 'remindAtPercent', '[]') as "remindAtPercent",
       (r.rules ->> 'answerWithinWorkingDays')::int as "answerWithinWorkingDays"
     from applications a
       join license_policies p on p.id = a.policy_id
       join license_types t on t.code = a.type_code
       cross join lateral (select coalesce(a.pinned_policy, p.policy) -> 'correction' as rules) r
     where a.id = ? and a.state = 'correction_requested' and a.due_at is not null`,
    [id],
  );
  const [found] = rows;
  return found?.askedAt ? found : null;
}
