/** The licence review's side effects: each one transaction, keyed by the case, safe to repeat. */
import type { Knex } from 'knex';
import { moveApplication, noteClosingCode, noteClosingReason } from '../db/application-moves.ts';
import { actsForCase } from '../db/company-members.ts';
import { checkCompliance } from '../db/compliance.ts';
import { type NewDecision, type RefusedByRecord, recordDecision as writeDecision } from '../db/decisions.ts';
import { unscannedOf } from '../db/documents.ts';
import { recordEvent } from '../db/events.ts';
import { issueInvoice } from '../db/invoices.ts';
import { officeOfType, workingCalendarOf } from '../db/offices.ts';
import { auditSample } from '../db/post-audits.ts';
import { findActor } from '../db/staff.ts';
import { statementOf } from '../db/statements.ts';
import { checkCompleteness, freezeSubmission, frozenSubmission, moveToCheck } from '../db/submissions.ts';
import { resumeClock, startLegalClock, suspendClock } from '../db/suspensions.ts';
import { cancelOpenTasks } from '../db/tasks.ts';
import { addWorkingDays, type BusinessCalendar, formatInZone } from '../domain/calendar.ts';
import type { EventType } from '../domain/events.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { ApplicationId, OfficeId, Sha256, UserId } from '../domain/ids.ts';
import type { Actor, ApplicationState, CancelCode, ChecklistItem } from '../domain/licensing.ts';
import { type Bill, billed } from './bills.ts';
import { evaluateRule } from './compliance-rules.ts';
import type { ActivityDeps } from './deps.ts';
import { openOrigin } from './origin.ts';
import type { CaseAt, Sent } from './review-inputs.ts';
import { createReviewPauseActivities } from './review-pauses.ts';
import { createReviewPeopleActivities } from './review-people.ts';
import { createReviewPolicyActivities } from './review-policies.ts';
import { createReviewStageActivities } from './review-stages.ts';

export interface ReceiveSubmission extends CaseAt, Sent {
  readonly round: number;
  readonly by: UserId;
  readonly typeCode: string;
  readonly legalWorkingDays: number;
  readonly checklist: readonly ChecklistItem[];
  readonly to: 'completeness' | 'auto_check';
  /** When the office had it, where it was waited for since; absent = `at`. The clock runs from then. */
  readonly receivedAt?: string;
  /** The same once more, for others to review. */
  readonly appeal?: { readonly statementId: string };
}

export interface SubmissionReceived {
  readonly sha256: Sha256;
  readonly missing: string[];
  /** ISO 8601; of a submission that is not complete, when it would be due if it were. */
  readonly legalDueAt: string;
  /** Documents that nobody has looked into for viruses yet: nothing was judged. */
  readonly scanning?: number;
  /** Compliance rules that are not met, or could not be judged. */
  readonly notMet?: string[];
}

export function createLicensingActivities(deps: ActivityDeps) {
  const { db } = deps;
  return {
    ...createReviewStageActivities(deps),
    ...createReviewPauseActivities(deps),
    ...createReviewPeopleActivities(deps),
    ...createReviewPolicyActivities(deps),

    /**
     * Freezes what was submitted (a no-op where the API did so already) and checks it for completeness; from then on the
     * legal clock runs.
     * @returns null when the owner withdrew the draft in the moment between its submission and this, or when an appeal has
     *   gone on since
     */
    async receiveSubmission(input: ReceiveSubmission): Promise<SubmissionReceived | null> {
      const by = input.appeal ? (await statementOf(db, input.appeal.statementId)).by : input.by;
      const submission = { ...input, by, origin: openOrigin(deps, input.origin) };
      const rejectedAt = input.appeal ? await closedAt(db, input.applicationId) : null;
      // Before anything is written: a run that was started too late must leave nothing behind.
      if (input.appeal && !(await isTakenUp(db, input))) return null;
      if ((await freezeSubmission(db, submission)) === 'withdrawn') return null;
      const office = await officeOfType(db, input.typeCode);
      return db.transaction(async (tx) => {
        const { calendar } = await workingCalendarOf(tx, office.id);
        if (rejectedAt) await stopWhileRejected(tx, input, rejectedAt);
        const scanning = await unscannedOf(tx, input.applicationId);
        return scanning > 0
          ? waitForScans(tx, input, calendar, scanning)
          : judge(tx, input, { officeId: office.id, calendar });
      });
    },

    /** The whole review of a low risk: complete means approved. A sample of them is audited afterwards. */
    async approveAutomatically(
      input: CaseAt & { to: ApplicationState; bill: Bill | null; auditPercent?: number },
    ): Promise<void> {
      await db.transaction(async (tx) => {
        const isNew = await recordEvent(tx, {
          key: `license-review/${input.applicationId}/approved/1`,
          type: 'application.approved',
          applicationId: input.applicationId,
          at: input.at,
        });
        if (!isNew) return;
        const { applicationId, auditPercent: percent, at } = input;
        if (percent !== undefined) await auditSample(tx, deps.secretKey, { applicationId, percent, at });
        await moveApplication(tx, { id: applicationId, to: input.to, at });
        if (input.bill) await issueInvoice(tx, billed(input, input.bill));
      });
    },

    /**
     * One statement; the last approval issues the invoice with it, so that no case waits for money without one.
     * @returns why nothing was recorded: by the records of this moment the person may not hold the task any more
     */
    async recordDecision(
      input: Omit<NewDecision, 'origin'> & Sent & { bill: Bill | null },
    ): Promise<{ refused: RefusedByRecord } | undefined> {
      const { bill } = input;
      const decision = { ...input, origin: openOrigin(deps, input.origin) };
      const refused = bill
        ? await db.transaction(async (tx) => {
            const why = await writeDecision(tx, decision);
            if (!why) await issueInvoice(tx, billed(input, bill));
            return why;
          })
        : await writeDecision(db, decision);
      return refused ? { refused } : undefined;
    },

    /** Ends a case without a licence. `again` tells the runs of one case apart: it may lapse, be reopened, and lapse again. */
    async closeCase(
      input: CaseAt &
        Sent & {
          to: 'withdrawn' | 'lapsed_no_response' | 'cancelled';
          by?: UserId;
          reason?: string;
          code?: CancelCode;
          again?: string;
        },
    ): Promise<void> {
      const { applicationId, to, by, code, reason, again, at } = input;
      await db.transaction(async (tx) => {
        const isNew = await recordEvent(tx, {
          key: `license-review/${applicationId}/closed/${to}${again ? `/${again}` : ''}`,
          type: CLOSING_EVENT[to],
          applicationId,
          ...(by ? { by } : {}),
          ...(code ? { data: { code } } : {}),
          origin: openOrigin(deps, input.origin),
          at,
        });
        if (!isNew) return;
        await cancelOpenTasks(tx, applicationId, at);
        await moveApplication(tx, { id: applicationId, to, at });
        if (code) await noteClosingCode(tx, applicationId, code);
        if (reason) await noteClosingReason(tx, applicationId, reason);
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

    /** What a signal asked for and the rules refused: nobody waits for an answer, so the record is the answer. */
    async recordRefusal(
      input: CaseAt & { attempt: number | string; by: UserId | null; decision: string; code: FailureCode },
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

const CLOSING_EVENT: Record<'withdrawn' | 'lapsed_no_response' | 'cancelled', EventType> = {
  withdrawn: 'application.withdrawn',
  lapsed_no_response: 'application.lapsed_no_response',
  cancelled: 'application.cancelled',
};

/** When a case that is over ended; null when it is open. */
async function closedAt(db: Knex, applicationId: ApplicationId): Promise<string | null> {
  const found: { at: Date | null } | undefined = await db('applications')
    .where({ id: applicationId })
    .first({ at: 'closed_at' });
  return found?.at?.toISOString() ?? null;
}

/** Whether this run takes the appeal up, or an earlier try of it did; else the case has gone on since. */
async function isTakenUp(db: Knex, { applicationId, round, to }: ReceiveSubmission): Promise<boolean> {
  const now: { state: ApplicationState; round: number } | undefined = await db('applications')
    .where({ id: applicationId })
    .first('state', 'round');
  if (now?.state === 'rejected') return now.round < round;
  return now?.state === to && now.round === round;
}

/** Nobody worked on it between the rejection and the appeal. */
async function stopWhileRejected(
  tx: Knex,
  { applicationId, round, at }: ReceiveSubmission,
  since: string,
): Promise<void> {
  await suspendClock(tx, { applicationId, reason: 'appeal', stage: null, round: round - 1, by: null, at: since });
  await resumeClock(tx, { applicationId, at });
}

async function waitForScans(
  tx: Knex,
  input: ReceiveSubmission,
  calendar: BusinessCalendar,
  scanning: number,
): Promise<SubmissionReceived> {
  const { applicationId, round, to, at } = input;
  // A first submission stays `submitted`; a corrected one is with the office from now on.
  if (round > 1) await moveToCheck(tx, { applicationId, round, to, at });
  const { sha256 } = await frozenSubmission(tx, applicationId, round);
  return { sha256, missing: [], legalDueAt: ifItStarted(calendar, input), scanning };
}

async function judge(
  tx: Knex,
  input: ReceiveSubmission,
  { officeId, calendar }: { officeId: OfficeId; calendar: BusinessCalendar },
): Promise<SubmissionReceived> {
  const { applicationId, round, legalWorkingDays, at, receivedAt = at } = input;
  const { sha256, missing } = await checkCompleteness(tx, input);
  // While something is missing the applicant has the case: the clock has not started, or stands still.
  if (missing.length > 0) return { sha256, missing, legalDueAt: ifItStarted(calendar, input) };
  const started = await startLegalClock(tx, { applicationId, officeId, legalWorkingDays, at: receivedAt });
  const resumed = await resumeClock(tx, { applicationId, at: receivedAt });
  const results = await checkCompliance(tx, { applicationId, round, at, evaluate: evaluateRule });
  return {
    sha256,
    missing,
    legalDueAt: resumed.legalDueAt ?? started.legalDueAt,
    notMet: results.flatMap(({ code, outcome }) => (outcome === 'fail' || outcome === 'error' ? [code] : [])),
  };
}

const ifItStarted = (calendar: BusinessCalendar, { receivedAt, at, legalWorkingDays }: ReceiveSubmission): string =>
  formatInZone(addWorkingDays(calendar, Date.parse(receivedAt ?? at), legalWorkingDays).at, calendar.zone);
