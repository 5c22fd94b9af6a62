/** The licence review's side effects: each one transaction, keyed by the case, safe to repeat. */
import type { Knex } from 'knex';
import { moveApplication, noteClosingReason } from '../db/application-moves.ts';
import { actsForCase } from '../db/company-members.ts';
import { type NewDecision, recordDecision as writeDecision } from '../db/decisions.ts';
import { recordEvent } from '../db/events.ts';
import { issueInvoice } from '../db/invoices.ts';
import { calendarOf, officeOfType } from '../db/offices.ts';
import { findActor, usersWithRole } from '../db/staff.ts';
import { checkCompleteness, freezeSubmission } from '../db/submissions.ts';
import {
  assignReviewer,
  cancelOpenTask,
  findTask,
  handTaskTo,
  insertTask,
  isEligible,
  noteRung,
  type OpenedTask,
  storedPlan,
  taskClock,
} from '../db/tasks.ts';
import { addWorkingDays, type BusinessCalendar, formatInZone, workingMsBetween } from '../domain/calendar.ts';
import { planStage, type Rung, type RungCode, stageBudgetMs } from '../domain/escalation.ts';
import type { EventType, SealedOrigin } from '../domain/events.ts';
import type { FailureCode } from '../domain/failures.ts';
import { feeLines } from '../domain/fees.ts';
import type { ApplicationId, Sha256, UserId } from '../domain/ids.ts';
import type { Actor, ApplicationState, ChecklistItem, LicensePolicy, Reason, Stage } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';
import type { ActivityDeps } from './deps.ts';
import { openOrigin } from './origin.ts';

interface CaseAt {
  readonly applicationId: ApplicationId;
  /** What the workflow calls now, ISO 8601: records never use an activity's own clock. */
  readonly at: string;
}

/** Where the message came from that led to this; absent in histories of before. */
interface Sent {
  readonly origin?: SealedOrigin;
}

interface StageAt extends CaseAt {
  readonly round: number;
  readonly stage: Stage;
}

/** What an approval makes payable, and until when. */
interface Bill {
  readonly fee: LicensePolicy['fee'];
  readonly dueAt: string;
}

export interface ReceiveSubmission extends CaseAt, Sent {
  readonly round: number;
  readonly by: UserId;
  readonly typeCode: string;
  readonly legalWorkingDays: number;
  readonly checklist: readonly ChecklistItem[];
  readonly to: 'completeness' | 'auto_check';
}

export interface OpenStage extends StageAt {
  readonly typeCode: string;
  readonly role: Role;
  readonly legalWorkingDays: number;
  readonly sharePercent: number;
  readonly ladder: readonly Rung[];
  /** Working time this stage had used before the applicant was asked to correct. */
  readonly usedMs: number;
  readonly preferred: UserId | null;
}

export interface FireRung extends StageAt {
  readonly typeCode: string;
  readonly code: RungCode;
  readonly handOver: boolean;
  readonly assignee: UserId | null;
}

export interface AskForCorrection extends CaseAt {
  readonly typeCode: string;
  readonly round: number;
  /** null = the automatic completeness check asks. */
  readonly stage: Stage | null;
  readonly reasons: readonly Reason[];
  readonly answerWithinWorkingDays: number;
}

export interface ReassignTask extends StageAt, Sent {
  readonly typeCode: string;
  readonly role: Role;
  readonly by: UserId;
  readonly to: UserId;
  readonly reason: string;
  readonly attempt: string;
}

export function createLicensingActivities(deps: ActivityDeps) {
  const { db } = deps;
  return {
    /**
     * Freezes what was submitted (a no-op where the API did so already) and checks it for completeness.
     * @returns null when the owner withdrew the draft in the moment between its submission and this
     */
    async receiveSubmission(
      input: ReceiveSubmission,
    ): Promise<{ sha256: Sha256; missing: string[]; legalDueAt: string } | null> {
      const submission = { ...input, origin: openOrigin(deps, input.origin) };
      if ((await freezeSubmission(db, submission)) === 'withdrawn') return null;
      const checked = await checkCompleteness(db, input);
      const office = await officeOfType(db, input.typeCode);
      const due = addWorkingDays(await calendarOf(db, office.id), Date.parse(input.at), input.legalWorkingDays);
      return { ...checked, legalDueAt: formatInZone(due.at, office.zone) };
    },

    /** Opens a stage: its task, its reviewer, its plan on the office's calendar. */
    async openStage(input: OpenStage): Promise<OpenedTask> {
      const office = await officeOfType(db, input.typeCode);
      const calendar = await calendarOf(db, office.id);
      await db.transaction((tx) => openStage(tx, input, office.id, calendar));
      const opened = await findTask(db, input.applicationId, input.round, input.stage);
      if (!opened) throw new Error(`stage ${input.stage} of ${input.applicationId} has an event and no task`);
      return opened;
    },

    /** The whole review of a low risk: complete means approved. */
    async approveAutomatically(input: CaseAt & { to: ApplicationState; bill: Bill | null }): Promise<void> {
      await db.transaction(async (tx) => {
        const isNew = await recordEvent(tx, {
          key: `license-review/${input.applicationId}/approved/1`,
          type: 'application.approved',
          applicationId: input.applicationId,
          at: input.at,
        });
        if (!isNew) return;
        await moveApplication(tx, { id: input.applicationId, to: input.to, at: input.at });
        if (input.bill) await issueInvoice(tx, billed(input, input.bill));
      });
    },

    /** One statement; the last approval issues the invoice with it, so that no case waits for money without one. */
    async recordDecision(input: Omit<NewDecision, 'origin'> & Sent & { bill: Bill | null }): Promise<void> {
      const { bill } = input;
      const decision = { ...input, origin: openOrigin(deps, input.origin) };
      if (!bill) return writeDecision(db, decision);
      await db.transaction(async (tx) => {
        await writeDecision(tx, decision);
        await issueInvoice(tx, billed(input, bill));
      });
    },

    /** Fires a rung of the ladder, once; at the breach the task goes to the supervisor with the least open work. */
    async fireRung(input: FireRung): Promise<{ assignee: UserId | null; supervisors: UserId[] }> {
      const office = await officeOfType(db, input.typeCode);
      await db.transaction(async (tx) => {
        if (await noteRung(tx, input)) await climb(tx, input, office.id);
      });
      const task = await findTask(db, input.applicationId, input.round, input.stage);
      return { assignee: task?.assignee ?? null, supervisors: await usersWithRole(db, 'supervisor', office.id) };
    },

    /** Gives the case back to the applicant and stops the stage's clock. */
    async askForCorrection(input: AskForCorrection): Promise<{ answerBy: string; usedMs: number }> {
      const office = await officeOfType(db, input.typeCode);
      const calendar = await calendarOf(db, office.id);
      const answerBy = formatInZone(
        addWorkingDays(calendar, Date.parse(input.at), input.answerWithinWorkingDays).at,
        office.zone,
      );
      await db.transaction((tx) => giveBack(tx, input, answerBy));
      return { answerBy, usedMs: input.stage ? await usedSoFar(db, input, input.stage, calendar) : 0 };
    },

    /** Ends a case without a licence. `step` names the end in the event's key. */
    async closeCase(
      input: CaseAt & Sent & { to: 'withdrawn' | 'lapsed_no_response'; by?: UserId; reason?: string },
    ): Promise<void> {
      await db.transaction(async (tx) => {
        const type: EventType = input.to === 'withdrawn' ? 'application.withdrawn' : 'application.lapsed_no_response';
        const isNew = await recordEvent(tx, {
          key: `license-review/${input.applicationId}/closed/${input.to}`,
          type,
          applicationId: input.applicationId,
          ...(input.by ? { by: input.by } : {}),
          origin: openOrigin(deps, input.origin),
          at: input.at,
        });
        if (!isNew) return;
        await cancelOpenTask(tx, input.applicationId, input.at);
        await moveApplication(tx, { id: input.applicationId, to: input.to, at: input.at });
        if (input.reason) await noteClosingReason(tx, input.applicationId, input.reason);
      });
    },

    /** Hands the open task over on a person's word; refused when the other may not hold it. */
    async reassignTask(input: ReassignTask): Promise<{ refused: FailureCode | null }> {
      const office = await officeOfType(db, input.typeCode);
      return db.transaction(async (tx) => {
        if (!(await isEligible(tx, { ...input, officeId: office.id, userId: input.to }))) {
          return { refused: 'reviewer_not_eligible' };
        }
        const isNew = await recordEvent(tx, {
          key: `license-review/${input.applicationId}/reassigned/${input.attempt}`,
          type: 'task.reassigned',
          applicationId: input.applicationId,
          by: input.by,
          data: { stage: input.stage, round: input.round, to: input.to, reason: input.reason },
          origin: openOrigin(deps, input.origin),
          at: input.at,
        });
        if (isNew) await handTaskTo(tx, { ...input, assignee: input.to });
        return { refused: null };
      });
    },

    /** Who a signal from the Temporal UI or CLI speaks for: a user ID or an e-mail address. */
    async resolveActor(input: {
      by: string;
      applicationId: ApplicationId;
    }): Promise<(Actor & { ownCase: boolean }) | null> {
      const actor = await findActor(db, input.by);
      return actor && { ...actor, ownCase: await actsForCase(db, actor.userId, input.applicationId) };
    },

    /** A decision by signal that the rules refused: nobody waits for an answer, so the record is the answer. */
    async recordRefusal(
      input: CaseAt & { attempt: number; by: UserId | null; decision: string; code: FailureCode },
    ): Promise<void> {
      await recordEvent(db, {
        key: `license-review/${input.applicationId}/refused/${input.attempt}`,
        type: 'decision.refused',
        applicationId: input.applicationId,
        ...(input.by ? { by: input.by } : {}),
        data: { decision: input.decision, code: input.code },
        at: input.at,
      });
    },
  };
}

const billed = ({ applicationId, at }: CaseAt, { fee, dueAt }: Bill) => ({
  applicationId,
  at,
  dueAt,
  lines: feeLines(fee),
});

async function openStage(
  tx: Knex,
  input: OpenStage,
  officeId: Parameters<typeof calendarOf>[1],
  calendar: BusinessCalendar,
): Promise<void> {
  const { applicationId, round, stage, at } = input;
  const isNew = await recordEvent(tx, {
    key: `license-review/${applicationId}/stage/${round}/${stage}`,
    type: 'task.assigned',
    applicationId,
    data: { stage, round },
    at,
  });
  if (!isNew) return;
  const assignee = await assignReviewer(tx, { ...input, officeId });
  const budgetMs = stageBudgetMs(input.legalWorkingDays, input.sharePercent, calendar);
  const plan = storedPlan(
    rungsAhead(planStage(calendar, Date.parse(at), budgetMs, input.ladder, input.usedMs), budgetMs, input.usedMs),
    calendar.zone,
  );
  await insertTask(tx, { ...input, assignee, budgetMs, plan });
  await moveOrStay(tx, input, assignee, plan.dueAt);
}

/** A rung that an earlier round had already reached does not fire again because the applicant corrected something. */
const rungsAhead = (plan: ReturnType<typeof planStage>, budgetMs: number, usedMs: number) => ({
  ...plan,
  rungs: plan.rungs.filter((rung) => usedMs === 0 || !('percent' in rung) || (budgetMs * rung.percent) / 100 > usedMs),
});

// The decision before this stage has moved the case here already; the first stage, and one after a correction, has not.
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

async function climb(tx: Knex, input: FireRung, officeId: Parameters<typeof calendarOf>[1]): Promise<void> {
  const supervisor = input.handOver
    ? await assignReviewer(tx, { ...input, officeId, role: 'supervisor', preferred: null })
    : null;
  await recordEvent(tx, {
    key: `license-review/${input.applicationId}/rung/${input.round}/${input.stage}/${input.code}`,
    type: RUNG_EVENT[input.code],
    applicationId: input.applicationId,
    data: { stage: input.stage, round: input.round, assignee: input.assignee, handedTo: supervisor },
    at: input.at,
  });
  if (supervisor) await handTaskTo(tx, { ...input, assignee: supervisor });
}

async function giveBack(tx: Knex, input: AskForCorrection, answerBy: string): Promise<void> {
  const isNew = await recordEvent(tx, {
    key: `license-review/${input.applicationId}/correction/${input.round}`,
    type: 'application.correction_requested',
    applicationId: input.applicationId,
    // Codes only: what the reviewer wrote stands in the decision.
    data: {
      round: input.round,
      stage: input.stage,
      reasons: input.reasons.map(({ code, pointer }) => ({ code, pointer })),
      answerBy,
    },
    at: input.at,
  });
  if (!isNew) return;
  const waiting = await tx('applications')
    .where({ id: input.applicationId, state: 'correction_requested' })
    .update({ due_at: answerBy, updated_at: input.at });
  if (waiting === 0)
    await moveApplication(tx, { id: input.applicationId, to: 'correction_requested', dueAt: answerBy, at: input.at });
}

async function usedSoFar(db: Knex, input: AskForCorrection, stage: Stage, calendar: BusinessCalendar): Promise<number> {
  const clock = await taskClock(db, input.applicationId, input.round, stage);
  const until = clock.closedAt ?? new Date(input.at);
  return Number(clock.usedMs) + workingMsBetween(calendar, clock.openedAt.getTime(), until.getTime());
}
