import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { chooseReviewer, type ReviewerCandidate } from '../domain/assignment.ts';
import { formatInZone, type OfficeZone } from '../domain/calendar.ts';
import type { Rung, RungCode, StagePlan } from '../domain/escalation.ts';
import type { ApplicationId, OfficeId, UserId } from '../domain/ids.ts';
import type { Stage } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';

/** A stage's plan as it is stored and shown: times in the office's zone. */
export interface StoredPlan {
  readonly dueAt: string;
  readonly rungs: readonly StoredRung[];
  readonly skipped: readonly { readonly date: string; readonly reason: string }[];
}

/** A planned rung with its time in words: how it is stored, shown and handed to the process. */
export type StoredRung = Rung & { readonly at: string };

export const storedPlan = (plan: StagePlan, zone: OfficeZone): StoredPlan => ({
  dueAt: formatInZone(plan.dueAt, zone),
  rungs: plan.rungs.map((rung) => ({ ...rung, at: formatInZone(rung.at, zone) })),
  skipped: plan.skipped,
});

export interface OpenedTask {
  readonly assignee: UserId | null;
  readonly plan: StoredPlan;
}

/** The task of this stage and round, if it was opened before. */
export async function findTask(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
  stage: Stage,
): Promise<OpenedTask | null> {
  const row: OpenedTask | undefined = await db('tasks')
    .where({ application_id: applicationId, round, stage })
    .first({ assignee: 'assignee_id', plan: 'plan' });
  return row ?? null;
}

/**
 * Chooses who works on a stage: least open work in the role, never the applicant, never somebody who held another
 * stage of this case. Serialised per role, or two cases opened at once would both choose the same idle reviewer.
 * @param preferred returns to this reviewer when still possible (a corrected case goes back to whoever asked)
 */
export async function assignReviewer(
  tx: Knex,
  wanted: { applicationId: ApplicationId; stage: Stage; role: Role; officeId: OfficeId; preferred: UserId | null },
): Promise<UserId | null> {
  await tx.raw('select pg_advisory_xact_lock(hashtext(?))', [`assign/${wanted.officeId}/${wanted.role}`]);
  const candidates = await reviewerCandidates(tx, wanted);
  if (candidates.some(({ userId }) => userId === wanted.preferred)) return wanted.preferred;
  return chooseReviewer(candidates, new Set());
}

async function reviewerCandidates(
  tx: Knex,
  wanted: { applicationId: ApplicationId; stage: Stage; role: Role; officeId: OfficeId },
): Promise<ReviewerCandidate[]> {
  const result: { rows: { userId: UserId; openTasks: number; lastAssignedAt: Date | null }[] } = await tx.raw(
    `select u.id as "userId", u.last_assigned_at as "lastAssignedAt",
       (select count(*)::int from tasks t where t.assignee_id = u.id and t.state = 'open') as "openTasks"
     from users u
     where u.status = 'active' and u.roles @> array[:role] and u.office_id = :officeId
       and not exists (select from applications a where a.id = :applicationId and a.applicant_id = u.id)
       and not exists (select from applications a join company_members m on m.company_id = a.company_id
                       where a.id = :applicationId and m.user_id = u.id)
       and not exists (select from task_holders h
                       where h.application_id = :applicationId and h.user_id = u.id and h.stage <> :stage)`,
    { ...wanted },
  );
  return result.rows.map((row) => ({ ...row, lastAssignedAt: row.lastAssignedAt?.getTime() ?? null }));
}

/** Whether this person may hold this task: in the role (or a supervisor), and not involved in the case otherwise. */
export async function isEligible(
  tx: Knex,
  wanted: { applicationId: ApplicationId; stage: Stage; role: Role; officeId: OfficeId; userId: UserId },
): Promise<boolean> {
  for (const role of [wanted.role, 'supervisor'] as const) {
    const candidates = await reviewerCandidates(tx, { ...wanted, role });
    if (candidates.some(({ userId }) => userId === wanted.userId)) return true;
  }
  return false;
}

export interface NewTask {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
  readonly role: Role;
  readonly assignee: UserId | null;
  readonly at: string;
  readonly budgetMs: number;
  readonly usedMs: number;
  readonly plan: StoredPlan;
}

export async function insertTask(tx: Knex, task: NewTask): Promise<void> {
  await tx('tasks').insert({
    id: randomUUID(),
    application_id: task.applicationId,
    round: task.round,
    stage: task.stage,
    role: task.role,
    assignee_id: task.assignee,
    state: 'open',
    assigned_at: task.at,
    opened_at: task.at,
    at_risk_at: task.plan.rungs.find(({ code }) => code === 'at_risk')?.at ?? null,
    due_at: task.plan.dueAt,
    budget_ms: task.budgetMs,
    used_ms: task.usedMs,
    plan: JSON.stringify(task.plan),
  });
  if (task.assignee) await noteHolder(tx, { ...task, assignee: task.assignee });
}

/** Moves the open task to another person. @returns false when the task is no longer open */
export async function handTaskTo(
  tx: Knex,
  move: { applicationId: ApplicationId; round: number; stage: Stage; assignee: UserId; at: string },
): Promise<boolean> {
  const changed = await tx('tasks')
    .where({ application_id: move.applicationId, round: move.round, stage: move.stage, state: 'open' })
    .update({ assignee_id: move.assignee, assigned_at: move.at });
  if (changed === 0) return false;
  await tx('applications')
    .where({ id: move.applicationId })
    .update({ assignee_id: move.assignee, updated_at: move.at });
  await noteHolder(tx, move);
  return true;
}

async function noteHolder(
  tx: Knex,
  holder: { applicationId: ApplicationId; stage: Stage; assignee: UserId; at: string },
): Promise<void> {
  await tx('task_holders')
    .insert({ application_id: holder.applicationId, user_id: holder.assignee, stage: holder.stage, since: holder.at })
    .onConflict()
    .ignore();
  await tx('users').where({ id: holder.assignee }).update({ last_assigned_at: holder.at });
}

/** Closes what is open without a decision (withdrawn, lapsed). */
export async function cancelOpenTask(tx: Knex, applicationId: ApplicationId, at: string): Promise<void> {
  await tx('tasks')
    .where({ application_id: applicationId, state: 'open' })
    .update({ state: 'cancelled', closed_at: at });
}

export interface TaskClock {
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly budgetMs: bigint;
  readonly usedMs: bigint;
}

export async function taskClock(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
  stage: Stage,
): Promise<TaskClock> {
  const row: TaskClock | undefined = await db('tasks')
    .where({ application_id: applicationId, round, stage })
    .first({ openedAt: 'opened_at', closedAt: 'closed_at', budgetMs: 'budget_ms', usedMs: 'used_ms' });
  if (!row) throw new Error(`application ${applicationId} has no task ${stage} in round ${round}`);
  return row;
}

/** The ledger of the ladder: true exactly once for a rung of a stage and round. */
export async function noteRung(
  tx: Knex,
  rung: { applicationId: ApplicationId; round: number; stage: Stage; code: RungCode; at: string },
): Promise<boolean> {
  const inserted = await tx('escalations')
    .insert({
      application_id: rung.applicationId,
      round: rung.round,
      stage: rung.stage,
      rung: rung.code,
      fired_at: rung.at,
    })
    .onConflict()
    .ignore()
    .returning('rung');
  return inserted.length > 0;
}
