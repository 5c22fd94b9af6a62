/** Cases at a stage, as the process opens them, by the thousand: rows without processes. */
import type { Knex } from 'knex';
import { versionedCalendarOf } from '../../db/offices.ts';
import { storedPlan } from '../../db/tasks.ts';
import { formatInZone } from '../../domain/calendar.ts';
import { DEFAULT_LADDER, planTask, stageBudgetMs } from '../../domain/escalation.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import { legalBudgetMs, legalClock } from '../../domain/legal-clock.ts';
import { GOOD_FORM, type LicenseTypeRow } from './licensing.ts';

export interface OpenCasesGiven {
  readonly companyId: CompanyId;
  readonly type: LicenseTypeRow;
  readonly applicantId: UserId;
  readonly count: number;
  /** Since when; a Monday morning unless said otherwise. */
  readonly openedAt?: string;
  readonly assigneeId?: UserId;
}

/** All at compliance_check, opened at the same moment. @returns their IDs, in order */
export async function openCases(db: Knex, given: OpenCasesGiven): Promise<ApplicationId[]> {
  const { type, openedAt: at = '2026-03-02T10:00:00+07:00' } = given;
  const { legalWorkingDays } = type.policy;
  const { calendar, version } = await versionedCalendarOf(db, type.officeId);
  const openedAt = Date.parse(at);
  const entries = { completeAt: openedAt, budgetMs: legalBudgetMs(calendar, legalWorkingDays), suspensions: [] };
  const legalDueAt = legalClock(calendar, entries, openedAt).dueAt ?? openedAt;
  const budgetMs = stageBudgetMs(legalWorkingDays, 50, calendar);
  const planned = planTask(calendar, { openedAt, budgetMs, usedMs: 0, ladder: DEFAULT_LADDER, legalDueAt });
  const plan = storedPlan(planned, calendar.zone);
  const result: { rows: { id: ApplicationId }[] } = await db.raw(
    `with made as (
       insert into applications (id, company_id, type_code, policy_id, applicant_id, form, state, stage, assignee_id, due_at, submitted_at,
         complete_at, legal_working_days, legal_budget_ms, legal_due_at, calendar_version, created_at, updated_at)
       select gen_random_uuid(), :companyId, :typeCode, :policyId, :applicantId, :form, 'compliance_check', 'compliance_check', :assigneeId,
         :dueAt, :at, :at, :days, :legalBudgetMs, :legalDueAt, :version, :at, :at
       from generate_series(1, cast(:count as integer))
       returning id
     ), opened as (
       insert into tasks (id, application_id, round, stage, role, assignee_id, state, assigned_at, opened_at, at_risk_at, due_at, budget_ms,
         used_ms, plan, calendar_version)
       select gen_random_uuid(), id, 1, 'compliance_check', 'examiner', :assigneeId, 'open', :at, :at, :atRiskAt, :dueAt, :budgetMs, 0, :plan, :version
       from made
     )
     select id from made order by id`,
    {
      ...given,
      at,
      assigneeId: given.assigneeId ?? null,
      typeCode: type.code,
      policyId: type.policyId,
      form: JSON.stringify(GOOD_FORM),
      days: legalWorkingDays,
      legalBudgetMs: entries.budgetMs,
      legalDueAt: formatInZone(legalDueAt, calendar.zone),
      dueAt: plan.dueAt,
      atRiskAt: plan.rungs.find(({ code }) => code === 'at_risk')?.at ?? null,
      budgetMs,
      plan: JSON.stringify(plan),
      version,
    },
  );
  return result.rows.map(({ id }) => id);
}
