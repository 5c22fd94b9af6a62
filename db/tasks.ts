import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { chooseReviewer, type ReviewerCandidate, type Seat } from '../domain/assignment.ts';
import { formatInZone, type OfficeZone } from '../domain/calendar.ts';
import type { Rung, RungCode, StagePlan } from '../domain/escalation.ts';
import type { ApplicationId, OfficeId, UserId } from '../domain/ids.ts';
import type { Stage } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';
import { holdingBindings, MAY_HOLD, type WantedHolder } from './holding.ts';

export { holdersOf, whyNotHold } from './holding.ts';

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

/** Of a stage and round; the only one, or one of a quorum. */
export interface SeatHeld {
  readonly seat: number;
  readonly role: Role;
  /** null = nobody was free: any supervisor may take it. */
  readonly assignee: UserId | null;
  readonly state: 'open' | 'decided' | 'cancelled';
}

export interface OpenedTask {
  /** Of the first seat. */
  readonly assignee: UserId | null;
  readonly plan: StoredPlan;
  /** In order. */
  readonly seats: readonly SeatHeld[];
}

/** The tasks of this stage and round, one a seat, if they were opened before. */
export async function findTask(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
  stage: Stage,
): Promise<OpenedTask | null> {
  const rows: (SeatHeld & { plan: StoredPlan })[] = await db('tasks')
    .where({ application_id: applicationId, round, stage })
    .orderBy('seat')
    .select({ seat: 'seat', role: 'role', assignee: 'assignee_id', state: 'state', plan: 'plan' });
  const [first] = rows;
  if (!first) return null;
  // A seat that has voted keeps the plan that it voted under; what is planned anew is the open ones.
  const { plan } = rows.find(({ state }) => state === 'open') ?? first;
  return { assignee: first.assignee, plan, seats: rows.map(({ plan: _, ...seat }) => seat) };
}

export interface WantedReviewer extends WantedHolder {
  /** Returns to this reviewer when still possible (a corrected case goes back to whoever asked). */
  readonly preferred: UserId | null;
  /** Not these, whatever the records say. */
  readonly except?: ReadonlySet<UserId>;
}

/**
 * Chooses who works on a seat: least open work in the role, ties to whoever was assigned longest ago; see MAY_HOLD for
 * who is passed over. Serialised per role, or two cases opened at once would both choose the same idle reviewer.
 * @returns null when nobody may: the supervisor's queue
 */
export async function assignReviewer(tx: Knex, wanted: WantedReviewer): Promise<UserId | null> {
  await queueForRoles(tx, wanted.officeId, [wanted.role]);
  const candidates = await reviewerCandidates(tx, wanted);
  const excluded = wanted.except ?? new Set<UserId>();
  const preferred = candidates.find(({ userId }) => userId === wanted.preferred && !excluded.has(userId));
  return preferred?.userId ?? chooseReviewer(candidates, excluded);
}

/** One queue a role, joined in the order of their names: two transactions that join the same ones never wait for each other. */
async function queueForRoles(tx: Knex, officeId: OfficeId, roles: readonly Role[]): Promise<void> {
  for (const role of [...new Set(roles)].toSorted())
    await tx.raw('select pg_advisory_xact_lock(hashtext(?))', [`assign/${officeId}/${role}`]);
}

async function reviewerCandidates(tx: Knex, wanted: WantedHolder): Promise<ReviewerCandidate[]> {
  const result: { rows: { userId: UserId; openTasks: number; lastAssignedAt: Date | null }[] } = await tx.raw(
    `select u.id as "userId", u.last_assigned_at as "lastAssignedAt",
       (select count(*)::int from tasks o where o.assignee_id = u.id and o.state = 'open') as "openTasks"
     from users u
     where ${MAY_HOLD}`,
    holdingBindings(wanted),
  );
  return result.rows.map((row) => ({ ...row, lastAssignedAt: row.lastAssignedAt?.getTime() ?? null }));
}

export interface NewSeats {
  readonly applicationId: ApplicationId;
  readonly officeId: OfficeId;
  readonly round: number;
  readonly stage: Stage;
  readonly seats: readonly Seat[];
  /** By seat: who had it before the applicant corrected something. */
  readonly preferred: ReadonlyMap<number, UserId>;
  readonly at: string;
  readonly budgetMs: number;
  readonly usedMs: number;
  readonly plan: StoredPlan;
  readonly calendarVersion: number;
}

/** Opens a task a seat, each with a person of its own. @returns who has which seat, in order */
export async function openSeats(
  tx: Knex,
  stage: NewSeats,
): Promise<{ readonly seat: number; readonly assignee: UserId | null }[]> {
  const { applicationId, officeId, round, seats, preferred, at } = stage;
  await queueForRoles(
    tx,
    officeId,
    seats.map(({ role }) => role),
  );
  const opened: { seat: number; assignee: UserId | null }[] = [];
  // Whoever returns to a seat of theirs comes first, or they might be given another one.
  for (const { seat, role } of seats.toSorted(
    (a, b) => Number(preferred.has(b.seat)) - Number(preferred.has(a.seat)),
  )) {
    const wanted = { applicationId, officeId, stage: stage.stage, role, seat, round, at };
    const assignee = await assignReviewer(tx, { ...wanted, preferred: preferred.get(seat) ?? null });
    await insertTask(tx, { ...stage, seat, role, assignee });
    opened.push({ seat, assignee });
  }
  return opened.toSorted((a, b) => a.seat - b.seat);
}

export interface NewTask {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
  /** Absent = the only one. */
  readonly seat?: number;
  readonly role: Role;
  readonly assignee: UserId | null;
  readonly at: string;
  readonly budgetMs: number;
  readonly usedMs: number;
  readonly plan: StoredPlan;
  /** Of the office's calendar that it was planned by. */
  readonly calendarVersion?: number;
}

/** When the stage begins to be at risk; null when its plan has no such rung ahead. */
export const atRiskAt = (plan: StoredPlan): string | null =>
  plan.rungs.find(({ code }) => code === 'at_risk')?.at ?? null;

/** An earlier round had warned of it already: what is left of the ladder begins with a later rung. */
const isPastWarning = ({ plan, usedMs }: Pick<NewTask, 'plan' | 'usedMs'>): boolean =>
  usedMs > 0 && plan.rungs.length > 0 && plan.rungs.every(({ code }) => code !== 'half');

export async function insertTask(tx: Knex, task: NewTask): Promise<void> {
  await tx('tasks').insert({
    id: randomUUID(),
    application_id: task.applicationId,
    round: task.round,
    stage: task.stage,
    seat: task.seat ?? 1,
    role: task.role,
    assignee_id: task.assignee,
    state: 'open',
    assigned_at: task.at,
    opened_at: task.at,
    at_risk_at: atRiskAt(task.plan) ?? (isPastWarning(task) ? task.at : null),
    due_at: task.plan.dueAt,
    budget_ms: task.budgetMs,
    used_ms: task.usedMs,
    plan: JSON.stringify(task.plan),
    ...(task.calendarVersion === undefined ? {} : { calendar_version: task.calendarVersion }),
  });
  if (task.assignee) await noteHolder(tx, { ...task, assignee: task.assignee });
}

export interface HandOver {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
  /** Absent = the only one. */
  readonly seat?: number;
  /** null = the supervisor's queue. */
  readonly assignee: UserId | null;
  readonly at: string;
}

/** Gives an open seat to another person. @returns false when it is no longer open */
export async function handTaskTo(tx: Knex, move: HandOver): Promise<boolean> {
  const { applicationId, round, stage, seat = 1, assignee, at } = move;
  const changed = await tx('tasks')
    .where({ application_id: applicationId, round, stage, seat, state: 'open' })
    .update({ assignee_id: assignee, assigned_at: at });
  if (changed === 0) return false;
  // The case shows the first of its open seats that somebody has.
  await tx('applications')
    .where({ id: applicationId })
    .update({
      assignee_id: tx('tasks')
        .where({ application_id: applicationId, state: 'open' })
        .whereNotNull('assignee_id')
        .orderBy('seat')
        .limit(1)
        .select('assignee_id'),
      updated_at: at,
    });
  if (assignee) await noteHolder(tx, { ...move, assignee });
  return true;
}

async function noteHolder(
  tx: Knex,
  holder: { applicationId: ApplicationId; round: number; stage: Stage; assignee: UserId; at: string },
): Promise<void> {
  const { applicationId, round, stage, assignee, at } = holder;
  await tx('task_holders')
    .insert({ application_id: applicationId, user_id: assignee, stage, since: at, round })
    .onConflict()
    .ignore();
  await tx('users').where({ id: assignee }).update({ last_assigned_at: at });
}

/** Closes what is open without a decision: withdrawn, lapsed, cancelled, or decided by those who had voted. */
export async function cancelOpenTasks(tx: Knex, applicationId: ApplicationId, at: string): Promise<void> {
  await tx('tasks')
    .where({ application_id: applicationId, state: 'open' })
    .update({ state: 'cancelled', closed_at: at });
}

export interface TaskClock {
  readonly openedAt: Date;
  /** Of the last seat; null while one is open. */
  readonly closedAt: Date | null;
  readonly budgetMs: bigint;
  readonly usedMs: bigint;
}

/** A stage has one clock, however many seats. */
export async function taskClock(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
  stage: Stage,
): Promise<TaskClock> {
  const rows: TaskClock[] = await db('tasks')
    .where({ application_id: applicationId, round, stage })
    .orderByRaw('closed_at desc nulls first')
    .limit(1)
    .select({ openedAt: 'opened_at', closedAt: 'closed_at', budgetMs: 'budget_ms', usedMs: 'used_ms' });
  const [row] = rows;
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
