/** Everything that the deadlines of a case follow from, in one read. */
import type { Knex } from 'knex';
import type { RungCode } from '../domain/escalation.ts';
import type { ApplicationId, OfficeId, UserId } from '../domain/ids.ts';
import type { Suspension, SuspensionReason } from '../domain/legal-clock.ts';
import type { Stage } from '../domain/licensing.ts';
import type { StoredPlan } from './tasks.ts';

export interface NamedSuspension extends Suspension {
  readonly reason: SuspensionReason;
  readonly stage: Stage | null;
  readonly round: number;
  /** null = Alur itself. */
  readonly by: UserId | null;
  readonly byName: string | null;
}

export interface StageClock {
  readonly stage: Stage;
  readonly round: number;
  readonly openedAt: Date;
  readonly budgetMs: bigint;
  /** Working time of this stage that had passed before `openedAt`. */
  readonly usedMs: bigint;
  readonly plan: StoredPlan;
  readonly fired: readonly { readonly code: RungCode; readonly at: string }[];
  /** Of the calendar that it was planned by. */
  readonly calendarVersion: number;
}

export interface CaseDeadlines {
  readonly officeId: OfficeId;
  readonly completeAt: Date | null;
  readonly legalWorkingDays: number | null;
  /** When the office had no more to decide: it approved, or the case was closed. null = it has. */
  readonly endedAt: Date | null;
  readonly suspensions: readonly NamedSuspension[];
  /** Of the stage that is open; its seats have one clock. */
  readonly task: StageClock | null;
}

const MS = (column: string): string => `round(extract(epoch from ${column}) * 1000)`;

const DEADLINES = `
  select y.office_id as "officeId", a.complete_at as "completeAt", a.legal_working_days as "legalWorkingDays",
    case when a.state in ('deemed_approved', 'pending_payment', 'activating', 'active', 'lapsed_unpaid')
      then (select max(e.occurred_at) from events e where e.application_id = a.id
              and e.type in ('decision.recorded', 'application.approved', 'application.deemed_approved'))
      else a.closed_at end as "endedAt",
    coalesce((select json_agg(json_build_object('reason', s.reason, 'stage', s.stage, 'round', s.round, 'by', s.suspended_by,
                'byName', u.name, 'from', ${MS('s.from_at')}, 'to', ${MS('s.to_at')}) order by s.from_at, s.id)
              from suspensions s left join users u on u.id = s.suspended_by where s.application_id = a.id), '[]') as suspensions
  from applications a join license_types y on y.code = a.type_code
  where a.id = ?`;

const OPEN_STAGE = `
  select t.stage, t.round, t.opened_at as "openedAt", t.budget_ms as "budgetMs", t.used_ms as "usedMs", t.plan,
    t.calendar_version as "calendarVersion",
    coalesce((select json_agg(json_build_object('code', e.rung, 'at', e.fired_at) order by e.fired_at) from escalations e
              where e.application_id = t.application_id and e.stage = t.stage and e.round = t.round), '[]') as fired
  from tasks t where t.application_id = ? and t.state = 'open' order by t.seat limit 1`;

/** @throws Error when there is no such case: whoever asks has seen it */
export async function deadlinesOf(db: Knex, applicationId: ApplicationId): Promise<CaseDeadlines> {
  const found: { rows: Omit<CaseDeadlines, 'task'>[] } = await db.raw(DEADLINES, [applicationId]);
  const open: { rows: StageClock[] } = await db.raw(OPEN_STAGE, [applicationId]);
  const [row] = found.rows;
  if (!row) throw new Error(`application ${applicationId} does not exist`);
  return { ...row, task: open.rows[0] ?? null };
}
