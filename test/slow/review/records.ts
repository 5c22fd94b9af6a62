/** All that is on record of a case, in one read; times are epoch milliseconds. */
import type { Knex } from 'knex';
import { versionedCalendarOf } from '../../../db/offices.ts';
import type { StoredPlan } from '../../../db/tasks.ts';
import type { BusinessCalendar } from '../../../domain/calendar.ts';
import type { EventType } from '../../../domain/events.ts';
import type { ApplicationId, OfficeId, UserId } from '../../../domain/ids.ts';
import {
  type ApplicationState,
  type Decision,
  isClosed,
  isStage,
  type LicensePolicy,
  type Stage,
} from '../../../domain/licensing.ts';
import type { Role } from '../../../domain/roles.ts';

export interface TaskRecord {
  readonly stage: Stage;
  readonly round: number;
  readonly seat: number;
  readonly role: Role;
  readonly assignee: UserId | null;
  readonly state: 'open' | 'decided' | 'cancelled';
  readonly openedAt: number;
  readonly closedAt: number | null;
  readonly dueAt: number;
  readonly budgetMs: number;
  readonly usedMs: number;
  readonly plan: StoredPlan;
}

export interface EventRecord {
  readonly id: number;
  readonly type: EventType;
  readonly by: UserId | null;
  readonly at: number;
  readonly data: EventData;
}

export interface EventData {
  readonly stage?: Stage | null;
  readonly round?: number;
  readonly seat?: number;
  readonly to?: string | null;
  readonly missing?: readonly string[];
  readonly decision?: Decision;
  readonly holders?: readonly { readonly seat: number; readonly assignee: UserId | null }[];
  readonly code?: string;
}

export interface DecisionRecord {
  readonly stage: Stage;
  readonly round: number;
  readonly seat: number;
  readonly decision: Decision;
  readonly by: UserId;
  readonly at: number;
  readonly hash: string;
  readonly override: boolean;
  /** By a supervisor who had a part before the appeal, for want of another. */
  readonly sole: boolean;
}

export interface CaseRecord {
  readonly state: ApplicationState;
  readonly stage: Stage | null;
  readonly round: number;
  readonly assignee: UserId | null;
  readonly dueAt: number | null;
  readonly legalDueAt: number | null;
  readonly completeAt: number | null;
  readonly closedAt: number | null;
  readonly legalWorkingDays: number | null;
  readonly policy: LicensePolicy;
  readonly tasks: readonly TaskRecord[];
  readonly holders: readonly { readonly userId: UserId; readonly stage: Stage; readonly round: number }[];
  readonly rungs: readonly {
    readonly stage: Stage;
    readonly round: number;
    readonly code: string;
    readonly at: number;
  }[];
  readonly suspensions: readonly { readonly reason: string; readonly from: number; readonly to: number | null }[];
  readonly decisions: readonly DecisionRecord[];
  readonly events: readonly EventRecord[];
  readonly conflicts: readonly UserId[];
  readonly submissions: readonly { readonly round: number; readonly sha256: string }[];
  /** Of registries that have not answered. */
  readonly asking: readonly { readonly round: number; readonly at: number }[];
  /** The last round of the review that was appealed against; 0 = none was. */
  readonly appealedRound: number;
  readonly absences: readonly {
    readonly id: string;
    readonly userId: UserId;
    readonly from: number;
    readonly to: number;
  }[];
  readonly calendar: BusinessCalendar;
  readonly calendarVersion: number;
}

const MS = (column: string): string => `round(extract(epoch from ${column}) * 1000)`;
const list = (columns: string, from: string, order: string): string =>
  `(select coalesce(json_agg(json_build_object(${columns}) order by ${order}), '[]') from ${from})`;

const CASE = `select a.state, a.stage, a.round, a.assignee_id as assignee, ${MS('a.due_at')}::float8 as "dueAt",
  ${MS('a.legal_due_at')}::float8 as "legalDueAt", ${MS('a.complete_at')}::float8 as "completeAt", ${MS('a.closed_at')}::float8 as "closedAt",
  a.legal_working_days::float8 as "legalWorkingDays", coalesce(a.pinned_policy, p.policy) as policy,
  ${list(
    `'stage', t.stage, 'round', t.round, 'seat', t.seat, 'role', t.role, 'assignee', t.assignee_id, 'state', t.state,
     'openedAt', ${MS('t.opened_at')}, 'closedAt', ${MS('t.closed_at')}, 'dueAt', ${MS('t.due_at')}, 'budgetMs', t.budget_ms,
     'usedMs', t.used_ms, 'plan', t.plan`,
    'tasks t where t.application_id = a.id',
    't.opened_at, t.round, t.seat',
  )} as tasks,
  ${list("'userId', h.user_id, 'stage', h.stage, 'round', h.round", 'task_holders h where h.application_id = a.id', 'h.since')} as holders,
  ${list(
    `'stage', e.stage, 'round', e.round, 'code', e.rung, 'at', ${MS('e.fired_at')}`,
    'escalations e where e.application_id = a.id',
    'e.fired_at, e.rung',
  )} as rungs,
  ${list(
    `'reason', s.reason, 'from', ${MS('s.from_at')}, 'to', ${MS('s.to_at')}`,
    'suspensions s where s.application_id = a.id',
    's.from_at, s.id',
  )} as suspensions,
  ${list(
    `'stage', d.stage, 'round', d.round, 'seat', d.seat, 'decision', d.decision, 'by', d.decided_by, 'at', ${MS('d.decided_at')},
     'hash', d.submission_sha256, 'override', d.override,
     'sole', d.override and exists (select from events n where n.application_id = d.application_id and n.type = 'decision.recorded'
       and n.actor_id = d.decided_by and n.occurred_at = d.decided_at and n.data \\? 'soleSupervisor')`,
    'decisions d where d.application_id = a.id',
    'd.decided_at, d.seat',
  )} as decisions,
  ${list(
    `'id', v.id, 'type', v.type, 'by', v.actor_id, 'at', ${MS('v.occurred_at')}, 'data', v.data`,
    'events v where v.application_id = a.id',
    'v.id',
  )} as events,
  array(select c.user_id from conflicts c where c.application_id = a.id) as conflicts,
  ${list("'round', m.round, 'sha256', m.sha256", 'submissions m where m.application_id = a.id', 'm.round')} as submissions,
  ${list(
    `'round', r.round, 'at', ${MS('r.asked_at')}`,
    "registry_checks r where r.application_id = a.id and r.state = 'asking'",
    'r.registry',
  )} as asking,
  coalesce((select max(w.round) from applicant_statements w where w.application_id = a.id and w.kind = 'appeal'), 0) as "appealedRound",
  ${list(
    `'id', b.id, 'userId', b.user_id, 'from', ${MS('b.from_at')}, 'to', ${MS('b.to_at')}`,
    `absences b join users u on u.id = b.user_id and u.office_id = y.office_id where b.cancelled_at is null`,
    'b.from_at',
  )} as absences
  from applications a join license_policies p on p.id = a.policy_id join license_types y on y.code = a.type_code
  where a.id = ?`;

export async function caseRecord(db: Knex, id: ApplicationId, officeId: OfficeId): Promise<CaseRecord> {
  const found: { rows: Omit<CaseRecord, 'calendar' | 'calendarVersion'>[] } = await db.raw(CASE, [id]);
  const [row] = found.rows;
  if (!row) throw new Error(`there is no application ${id}`);
  const { calendar, version } = await versionedCalendarOf(db, officeId);
  return { ...row, calendar: sameCalendar(`${officeId}/${version}`, calendar), calendarVersion: version };
}

// The reference clock remembers what it has judged by the calendar's identity.
const calendars = new Map<string, BusinessCalendar>();
function sameCalendar(name: string, calendar: BusinessCalendar): BusinessCalendar {
  const known = calendars.get(name) ?? calendar;
  calendars.set(name, known);
  return known;
}

export const forgetCalendars = (): void => calendars.clear();

export const isOver = ({ state }: Pick<CaseRecord, 'state'>): boolean => isClosed(state);

/** The office has decided for it: nobody reviews any more. */
export const isApproved = ({ state }: Pick<CaseRecord, 'state'>): boolean =>
  state === 'pending_payment' || state === 'activating' || state === 'active';

/** Seats of the stage that is open, the voted ones too; none while nobody decides. */
export const openSeats = (record: CaseRecord): TaskRecord[] =>
  isStage(record.state)
    ? record.tasks
        .filter(({ stage, round, state }) => stage === record.state && round === record.round && state !== 'cancelled')
        .toSorted((a, b) => a.seat - b.seat)
    : [];

export const firedAt = (record: CaseRecord, { stage, round }: { stage: Stage; round: number }): Set<string> =>
  new Set(record.rungs.filter((rung) => rung.stage === stage && rung.round === round).map(({ code }) => code));

/** Whether the law approves what nobody decides in time. */
export const deems = (record: CaseRecord): boolean =>
  record.policy.deemedApproval === 'issue' && !record.events.some(({ type }) => type === 'application.appealed');

/** What the process does by itself next, and when; null = it only waits. */
export function nextMoment(record: CaseRecord): number | null {
  const { state, dueAt, legalDueAt, policy, asking } = record;
  if (state === 'correction_requested' || state === 'intent_to_reject') return dueAt;
  if (state === 'auto_check')
    return asking[0] ? asking[0].at + (policy.registries?.giveUpAfterMinutes ?? 0) * 60_000 : null;
  const [seat] = openSeats(record).filter((each) => each.state === 'open');
  if (!seat) return null;
  const fired = firedAt(record, seat);
  const ahead = seat.plan.rungs.filter(({ code }) => !fired.has(code)).map(({ at }) => Date.parse(at));
  const moments = [...ahead, ...(deems(record) && legalDueAt !== null ? [legalDueAt] : [])];
  return moments.length === 0 ? null : Math.min(...moments);
}

/** Whether the process has done everything that it does by itself by now. */
export function isAtRest(record: CaseRecord, now: number): boolean {
  if (isOver(record) || record.state === 'pending_payment') return true;
  const { state, completeAt, suspensions } = record;
  const next = nextMoment(record);
  if (next !== null && next <= now) return false;
  if (state === 'correction_requested' || state === 'intent_to_reject')
    return next !== null && (completeAt === null || suspensions.some(({ to }) => to === null));
  // In this world only the registry of companies is ever silent.
  if (state === 'auto_check') return next !== null && record.policy.registries?.ask.includes('nib') === true;
  return openSeats(record).some((seat) => seat.state === 'open');
}
