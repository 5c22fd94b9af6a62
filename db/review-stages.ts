/** A stage that goes on after a pause, or by another policy: its tasks are there already. */
import type { Knex } from 'knex';
import type { RungCode } from '../domain/escalation.ts';
import type { ApplicationId, OfficeId, UserId } from '../domain/ids.ts';
import type { Stage } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';
import { assignReviewer, atRiskAt, findTask, handTaskTo, type StoredPlan, whyNotHold } from './tasks.ts';

export interface StageOnRecord {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
}

/** The rungs that have fired at this stage in this round. */
export const firedRungs = (db: Knex, { applicationId, round, stage }: StageOnRecord): Promise<RungCode[]> =>
  db('escalations').where({ application_id: applicationId, round, stage }).orderBy('rung').pluck<RungCode[]>('rung');

export interface CaseClock {
  /** ISO 8601; null = no legal time runs. */
  readonly legalDueAt: string | null;
  /** What the case is waited for until, whoever's turn it is. */
  readonly dueAt: string | null;
}

export async function caseClock(db: Knex, applicationId: ApplicationId): Promise<CaseClock> {
  const found: { legalDueAt: Date | null; dueAt: Date | null } | undefined = await db('applications')
    .where({ id: applicationId })
    .first({ legalDueAt: 'legal_due_at', dueAt: 'due_at' });
  if (!found) throw new Error(`application ${applicationId} does not exist`);
  return { legalDueAt: found.legalDueAt?.toISOString() ?? null, dueAt: found.dueAt?.toISOString() ?? null };
}

interface Replan extends StageOnRecord {
  readonly plan: StoredPlan;
  readonly budgetMs: number;
  readonly calendarVersion: number;
}

const planColumns = ({ plan, budgetMs, calendarVersion }: Replan) => ({
  plan: JSON.stringify(plan),
  due_at: plan.dueAt,
  // A rung that has passed is in no plan any more: what it said stays said.
  ...(atRiskAt(plan) === null ? {} : { at_risk_at: atRiskAt(plan) }),
  budget_ms: budgetMs,
  calendar_version: calendarVersion,
});

/** Another plan for the open seats of a stage. */
export async function replanSeats(tx: Knex, replan: Replan): Promise<void> {
  const { applicationId, round, stage, plan } = replan;
  await tx('tasks').where({ application_id: applicationId, round, stage, state: 'open' }).update(planColumns(replan));
  await tx('applications').where({ id: applicationId, state: stage }).update({ due_at: plan.dueAt });
}

interface Reopening extends Replan {
  readonly officeId: OfficeId;
  readonly at: string;
  readonly usedMs: number;
}

/**
 * The stage goes on after an announced rejection, in the same round: each seat that has not had its last word is open again,
 * with whoever had it where that is still possible.
 */
export async function reopenSeats(
  tx: Knex,
  reopening: Reopening,
): Promise<{ readonly seat: number; readonly assignee: UserId | null }[]> {
  const { applicationId, officeId, round, stage, at, usedMs } = reopening;
  const reopened: { seat: number; role: Role; assignee: UserId | null }[] = await tx('tasks as t')
    .where({ application_id: applicationId, round, stage })
    .whereNotExists(
      tx('decisions as d')
        .whereRaw('d.application_id = t.application_id and d.round = t.round and d.stage = t.stage and d.seat = t.seat')
        .whereNot('d.decision', 'intend_to_reject'),
    )
    .update({ state: 'open', closed_at: null, opened_at: at, used_ms: usedMs, ...planColumns(reopening) })
    .returning(['seat', 'role', 'assignee_id as assignee']);
  const held: { seat: number; assignee: UserId | null }[] = [];
  for (const { seat, role, assignee: former } of reopened.toSorted((a, b) => a.seat - b.seat)) {
    const wanted = { applicationId, officeId, stage, round, role, seat, at };
    const mayStay = former !== null && (await whyNotHold(tx, { ...wanted, userId: former })) === null;
    const assignee = mayStay ? former : await assignReviewer(tx, { ...wanted, preferred: null });
    if (assignee !== former) await handTaskTo(tx, { applicationId, round, stage, seat, assignee, at });
    held.push({ seat, assignee });
  }
  return held;
}

/** The last round in which a stage was opened, and who had its seats then; null when it never was. */
export async function lastOpening(
  db: Knex,
  applicationId: ApplicationId,
  stage: Stage,
): Promise<{ round: number; holders: { seat: number; assignee: UserId }[] } | null> {
  const last: { round: number } | undefined = await db('tasks')
    .where({ application_id: applicationId, stage })
    .orderBy('round', 'desc')
    .first('round');
  if (!last) return null;
  const opened = await findTask(db, applicationId, last.round, stage);
  const holders = (opened?.seats ?? []).flatMap(({ seat, assignee }) => (assignee ? [{ seat, assignee }] : []));
  return { round: last.round, holders };
}
