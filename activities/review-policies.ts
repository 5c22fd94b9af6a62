/** Judging a running case by another policy. */
import type { Knex } from 'knex';
import { recordEvent } from '../db/events.ts';
import { officeOfType, workingCalendarOf } from '../db/offices.ts';
import { caseClock, firedRungs, replanSeats } from '../db/review-stages.ts';
import { changeLegalTime } from '../db/suspensions.ts';
import { findTask, type StoredPlan, storedPlan, taskClock } from '../db/tasks.ts';
import type { BusinessCalendar } from '../domain/calendar.ts';
import { planTask, stageBudgetMs } from '../domain/escalation.ts';
import type { UserId } from '../domain/ids.ts';
import type { LicensePolicy, StagePolicy } from '../domain/licensing.ts';
import type { ActivityDeps } from './deps.ts';
import { openOrigin } from './origin.ts';
import type { CaseAt, Sent } from './review-inputs.ts';

export interface MovePolicy extends CaseAt, Sent {
  readonly typeCode: string;
  readonly round: number;
  readonly by: UserId;
  readonly policy: LicensePolicy;
  readonly reason: string;
  /** The open stage, by the policy that it is judged by from now on; null = none is open. */
  readonly stage: StagePolicy | null;
  readonly attempt: string;
}

export function createReviewPolicyActivities(deps: ActivityDeps) {
  const { db } = deps;
  return {
    /** Pins another policy; what is open is planned anew from the time that it has used. */
    async movePolicy(input: MovePolicy): Promise<void> {
      const office = await officeOfType(db, input.typeCode);
      await db.transaction(async (tx) => {
        const { calendar, version } = await workingCalendarOf(tx, office.id);
        if (!(await pin(tx, input, openOrigin(deps, input.origin)))) return;
        const { applicationId, policy } = input;
        await changeLegalTime(tx, { applicationId, legalWorkingDays: policy.legalWorkingDays });
        if (input.stage) await replan(tx, input, input.stage, calendar, version);
      });
    },
  };
}

async function pin(tx: Knex, input: MovePolicy, origin: ReturnType<typeof openOrigin>): Promise<boolean> {
  const { applicationId, typeCode, policy, by, reason, attempt, at } = input;
  const isNew = await recordEvent(tx, {
    key: `license-review/${applicationId}/policy/${attempt}`,
    type: 'application.policy_moved',
    applicationId,
    by,
    data: { reason, from: await versionPinned(tx, applicationId), to: await versionOf(tx, typeCode, policy) },
    origin,
    at,
  });
  if (!isNew) return false;
  await tx('applications')
    .where({ id: applicationId })
    .update({ pinned_policy: JSON.stringify(policy), updated_at: at });
  return true;
}

/** null = a policy that was put together for this case: from a row of the risk table, or by hand. */
async function versionOf(tx: Knex, typeCode: string, policy: LicensePolicy): Promise<number | null> {
  const found: { version: number } | undefined = await tx('license_policies')
    .where({ type_code: typeCode })
    .whereRaw('policy = cast(? as jsonb)', [JSON.stringify(policy)])
    .orderBy('version', 'desc')
    .first('version');
  return found?.version ?? null;
}

async function versionPinned(tx: Knex, applicationId: CaseAt['applicationId']): Promise<number | null> {
  const found: { version: number } | undefined = await tx('applications as a')
    .join('license_policies as p', (on) => on.on('p.type_code', 'a.type_code'))
    .where('a.id', applicationId)
    .whereRaw('case when a.pinned_policy is null then p.id = a.policy_id else p.policy = a.pinned_policy end')
    .orderBy('p.version', 'desc')
    .first('p.version as version');
  return found?.version ?? null;
}

/** What has fired stays as it fired. The clock of the stage goes on: only its budget, ladder and legal time are others. */
async function replan(
  tx: Knex,
  input: MovePolicy,
  stage: StagePolicy,
  calendar: BusinessCalendar,
  calendarVersion: number,
): Promise<void> {
  const { applicationId, round, policy } = input;
  const of = { applicationId, round, stage: stage.stage };
  const task = await findTask(tx, applicationId, round, stage.stage);
  if (!task) return;
  const fired = await firedRungs(tx, of);
  const { openedAt, usedMs } = await taskClock(tx, applicationId, round, stage.stage);
  const { legalDueAt } = await caseClock(tx, applicationId);
  const budgetMs = stageBudgetMs(policy.legalWorkingDays, stage.sharePercent, calendar);
  const again = storedPlan(
    planTask(calendar, {
      openedAt: openedAt.getTime(),
      budgetMs,
      usedMs: Number(usedMs),
      ladder: policy.ladder.filter(({ code }) => !fired.includes(code)),
      legalDueAt: legalDueAt === null ? null : Date.parse(legalDueAt),
    }),
    calendar.zone,
  );
  const past = task.plan.rungs.filter(({ code }) => fired.includes(code));
  const rungs = [...past, ...again.rungs].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const plan: StoredPlan = { ...again, rungs };
  await replanSeats(tx, { ...of, plan, budgetMs, calendarVersion });
}
