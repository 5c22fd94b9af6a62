/** A stage of a review: opened, paused and opened again, its ladder climbed. Each a transaction, safe to repeat. */
import type { Knex } from 'knex';
import { moveApplication } from '../db/application-moves.ts';
import { recordEvent } from '../db/events.ts';
import { officeOfType, workingCalendarOf } from '../db/offices.ts';
import { caseClock, firedRungs, reopenSeats } from '../db/review-stages.ts';
import { usersWithRole } from '../db/staff.ts';
import { resumeClock } from '../db/suspensions.ts';
import {
  assignReviewer,
  findTask,
  handTaskTo,
  noteRung,
  openSeats,
  type StoredPlan,
  type StoredRung,
  storedPlan,
  taskClock,
} from '../db/tasks.ts';
import { seatsOf } from '../domain/assignment.ts';
import { type BusinessCalendar, workingMsBetween } from '../domain/calendar.ts';
import { planTask, type RungCode, stageBudgetMs } from '../domain/escalation.ts';
import type { EventType } from '../domain/events.ts';
import type { OfficeId, UserId } from '../domain/ids.ts';

import { REVIEWER_ROLES, type ReviewerRole } from '../domain/roles.ts';
import { type AnswerTimes, answerTimesOf } from './answer-times.ts';
import type { ActivityDeps } from './deps.ts';
import { openOrigin } from './origin.ts';
import type { CaseAt, PlannedBy, SeatNow, Sent, StageAt } from './review-inputs.ts';

export interface OpenStage extends StageAt, PlannedBy, Sent {
  readonly typeCode: string;
  /** Working time this stage had used before the applicant was asked to correct. */
  readonly usedMs: number;
  /** Who had it before the applicant corrected something: of the first seat, or of each. */
  readonly preferred: UserId | null;
  readonly preferredSeats?: readonly { readonly seat: number; readonly assignee: UserId }[];
  /** The same round goes on after an announced rejection; null = the applicant had the time to answer, and did not. */
  readonly afterIntent?: { readonly response: { readonly by: UserId; readonly statementId: string } | null };
}

/** What the process is told of its open stage. */
export interface StageNow {
  /** Of the first seat. */
  readonly assignee: UserId | null;
  readonly plan: StoredPlan;
  readonly seats: readonly SeatNow[];
  /** Rungs that are in the plan and need no firing any more. */
  readonly fired: readonly RungCode[];
  readonly legalDueAt: string | null;
  /** Whom to tell that nobody was free; empty when everybody has a seat. */
  readonly supervisors: readonly UserId[];
}

export interface FireRung extends StageAt {
  readonly typeCode: string;
  readonly code: RungCode;
  readonly handOver: boolean;
  readonly assignee: UserId | null;
}

export interface RungFired {
  readonly assignee: UserId | null;
  readonly supervisors: UserId[];
  readonly heads?: UserId[];
  readonly seats?: SeatNow[];
  /** The record says that it fires later, or not at all any more: wait by this plan. */
  readonly notYet?: PlanNow;
  /** It has fired; what is left is waited for by this plan. Absent in histories of before. */
  readonly now?: PlanNow;
}

/** What the record says of what is waited for. */
export interface PlanNow {
  /** null = no stage was asked about. */
  readonly plan: { readonly dueAt: string; readonly rungs: readonly StoredRung[] } | null;
  readonly fired: readonly RungCode[];
  readonly legalDueAt: string | null;
  /** Of the case: until when the applicant may answer, where it is their turn. */
  readonly dueAt: string | null;
  /** While they correct it: when they are reminded. */
  readonly remindAt?: AnswerTimes['remindAt'];
}

export function createReviewStageActivities(deps: ActivityDeps) {
  const { db } = deps;
  return {
    /** Opens a stage: its seats, its reviewers, its plan on the office's calendar. */
    async openStage(input: OpenStage): Promise<StageNow> {
      const office = await officeOfType(db, input.typeCode);
      await db.transaction((tx) => openStage(tx, input, office.id, openOrigin(deps, input.origin)));
      return stageNow(db, input, office.id);
    },

    /**
     * Fires a rung of the ladder, once; at the breach each open seat goes to the supervisor with the least open work. A rung
     * that the record has planned for later does not fire.
     */
    async fireRung(input: FireRung): Promise<RungFired> {
      const office = await officeOfType(db, input.typeCode);
      const isDue = await db.transaction(async (tx) => {
        const fired = await firedRungs(tx, input);
        if (fired.includes(input.code)) return true;
        const task = await findTask(tx, input.applicationId, input.round, input.stage);
        const rung = task?.plan.rungs.find(({ code }) => code === input.code);
        if (!rung || Date.parse(rung.at) > Date.parse(input.at)) return false;
        if (await noteRung(tx, input)) await climb(tx, input, office.id);
        return true;
      });
      const { assignee, seats } = await seatsNow(db, input);
      const supervisors = await usersWithRole(db, 'supervisor', office.id);
      const heads = await usersWithRole(db, 'head', office.id);
      const plan = await planNow(db, input);
      return { assignee, supervisors, heads, seats, ...(isDue ? { now: plan } : { notYet: plan }) };
    },

    /** The plan as it stands in the record: after the calendar or the policy was changed. `stage` null = none is open. */
    readPlan: (input: Pick<CaseAt, 'applicationId'> & { round: number; stage: StageAt['stage'] | null }) =>
      planNow(db, input),
  };
}

export async function planNow(
  db: Knex,
  { applicationId, round, stage }: Pick<StageAt, 'applicationId' | 'round'> & { stage: StageAt['stage'] | null },
): Promise<PlanNow> {
  const clock = await caseClock(db, applicationId);
  if (!stage) {
    const { remindAt } = (await answerTimesOf(db, applicationId)) ?? {};
    return { plan: null, fired: [], ...clock, ...(remindAt ? { remindAt } : {}) };
  }
  const task = await findTask(db, applicationId, round, stage);
  const fired = await firedRungs(db, { applicationId, round, stage });
  return { plan: task && { dueAt: task.plan.dueAt, rungs: task.plan.rungs }, fired, ...clock };
}

async function stageNow(db: Knex, input: OpenStage, officeId: OfficeId): Promise<StageNow> {
  const { plan, seats, assignee } = await seatsNow(db, input);
  const { legalDueAt } = await caseClock(db, input.applicationId);
  const isFree = seats.some((seat) => seat.assignee === null);
  return {
    assignee,
    plan,
    seats,
    fired: await firedRungs(db, input),
    legalDueAt,
    supervisors: isFree ? await usersWithRole(db, 'supervisor', officeId) : [],
  };
}

export async function seatsNow(
  db: Knex,
  { applicationId, round, stage }: Pick<StageAt, 'applicationId' | 'round' | 'stage'>,
): Promise<{ assignee: UserId | null; plan: StoredPlan; seats: SeatNow[] }> {
  const task = await findTask(db, applicationId, round, stage);
  if (!task) throw new Error(`stage ${stage} of ${applicationId} has an event and no task`);
  const seats = task.seats.map(({ seat, role, assignee }) => ({ seat, role: reviewerRole(role), assignee }));
  return { assignee: task.assignee, plan: task.plan, seats };
}

function reviewerRole(role: string): ReviewerRole {
  const known = REVIEWER_ROLES.find((each) => each === role);
  if (!known) throw new Error(`a seat is kept for ${role}, which reviews nothing`);
  return known;
}

async function openStage(
  tx: Knex,
  input: OpenStage,
  officeId: OfficeId,
  origin: ReturnType<typeof openOrigin>,
): Promise<void> {
  const { applicationId, round, stage, afterIntent, at } = input;
  // Before any row is locked: nobody publishes another calendar while this stage is planned by this one.
  const { calendar, version } = await workingCalendarOf(tx, officeId);
  const key = `license-review/${applicationId}/stage/${round}/${stage}${afterIntent ? '/after-intent' : ''}`;
  // The event says who got the seats, so it comes after them: until then the lock on the case is the guard.
  await tx('applications').where({ id: applicationId }).forNoKeyUpdate().first('id');
  if (await tx('events').where({ key }).first('id')) return;
  if (afterIntent) await endIntent(tx, input, afterIntent, origin);
  const { legalDueAt } = await caseClock(tx, applicationId);
  const usedMs = afterIntent ? await usedWorkingMs(tx, input, calendar) : input.usedMs;
  const budgetMs = stageBudgetMs(input.legalWorkingDays, input.sharePercent, calendar);
  const due = legalDueAt === null ? null : Date.parse(legalDueAt);
  const openedAt = Date.parse(at);
  const plan = storedPlan(
    planTask(calendar, { openedAt, budgetMs, usedMs, ladder: input.ladder, legalDueAt: due }),
    calendar.zone,
  );
  const opening = { applicationId, officeId, round, stage, at, budgetMs, usedMs, plan, calendarVersion: version };
  const opened = afterIntent
    ? await reopenSeats(tx, opening)
    : await openSeats(tx, { ...opening, seats: seatsOf(input), preferred: preferredOf(input) });
  await recordEvent(tx, {
    key,
    type: 'task.assigned',
    applicationId,
    data: {
      stage,
      round,
      ...(input.quorum ? { seats: input.quorum.of, needed: input.quorum.needed } : {}),
      holders: opened,
    },
    at,
  });
  for (const { seat, assignee } of opened) if (!assignee) await noteUnassigned(tx, { ...input, seat, why: key });
  await moveOrStay(tx, input, opened.find(({ assignee }) => assignee)?.assignee ?? null, plan.dueAt);
}

function preferredOf({ preferred, preferredSeats }: OpenStage): ReadonlyMap<number, UserId> {
  const former = preferredSeats ?? (preferred ? [{ seat: 1, assignee: preferred }] : []);
  return new Map(former.map(({ seat, assignee }) => [seat, assignee]));
}

/** @param unassigned `why` = the key of the event that left the seat without anybody */
export async function noteUnassigned(tx: Knex, unassigned: StageAt & { seat: number; why: string }): Promise<void> {
  const { applicationId, round, stage, seat, at, why } = unassigned;
  await recordEvent(tx, {
    key: `${why}/unassigned/${seat}`,
    type: 'task.unassigned',
    applicationId,
    data: { stage, round, seat },
    at,
  });
}

async function endIntent(
  tx: Knex,
  input: OpenStage,
  { response }: NonNullable<OpenStage['afterIntent']>,
  origin: ReturnType<typeof openOrigin>,
): Promise<void> {
  const { applicationId, round, stage, at } = input;
  if (response) {
    await recordEvent(tx, {
      key: `license-review/${applicationId}/responded/${round}`,
      type: 'application.responded',
      applicationId,
      by: response.by,
      data: { stage, round, statementId: response.statementId },
      origin,
      at,
    });
  }
  await resumeClock(tx, { applicationId, at });
}

/** Working time of a stage up to now, or until its last seat was closed. */
export async function usedWorkingMs(
  db: Knex,
  { applicationId, round, stage, at }: StageAt,
  calendar: BusinessCalendar,
): Promise<number> {
  const clock = await taskClock(db, applicationId, round, stage);
  const until = clock.closedAt ?? new Date(at);
  return Number(clock.usedMs) + workingMsBetween(calendar, clock.openedAt.getTime(), until.getTime());
}

// The decision before this stage has moved the case here already; the first stage, and one after a pause, has not.
async function moveOrStay(tx: Knex, input: OpenStage, assignee: UserId | null, dueAt: string): Promise<void> {
  const { applicationId: id, round, stage, at } = input;
  const stayed = await tx('applications')
    .where({ id, state: stage })
    .update({ stage, round, assignee_id: assignee, due_at: dueAt, updated_at: at });
  if (stayed === 0) await moveApplication(tx, { id, to: stage, round, stage, assignee, dueAt, at });
}

const RUNG_EVENT: Record<RungCode, EventType> = {
  half: 'task.reminded',
  at_risk: 'task.at_risk',
  breach: 'task.breached',
  head: 'task.breach_told_to_head',
  last_day: 'task.last_legal_day',
};

/** The seats that have voted stay where they are. Nobody gets two seats, so one supervisor takes one of them. */
async function climb(tx: Knex, input: FireRung, officeId: OfficeId): Promise<void> {
  const { applicationId, round, stage, at } = input;
  const task = await findTask(tx, applicationId, round, stage);
  const open = input.handOver ? (task?.seats ?? []).filter(({ state }) => state === 'open') : [];
  const moves: { seat: number; assignee: UserId }[] = [];
  for (const { seat } of open) {
    const wanted = { applicationId, officeId, round, stage, seat, at, role: 'supervisor' as const, preferred: null };
    const taken = new Set([...(task?.seats ?? []), ...moves].flatMap(({ assignee }) => (assignee ? [assignee] : [])));
    const own = open.find((each) => each.seat === seat)?.assignee;
    if (own) taken.delete(own);
    const assignee = await assignReviewer(tx, { ...wanted, except: taken });
    if (assignee) moves.push({ seat, assignee });
  }
  await recordEvent(tx, {
    key: `license-review/${applicationId}/rung/${round}/${stage}/${input.code}`,
    type: RUNG_EVENT[input.code],
    applicationId,
    data: { stage, round, assignee: input.assignee, handedTo: moves[0]?.assignee ?? null, holders: moves },
    at,
  });
  for (const move of moves) await handTaskTo(tx, { applicationId, round, stage, at, ...move });
}
