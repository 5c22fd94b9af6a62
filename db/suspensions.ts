/** The ledger of the legal clock: when it started, when it stood still and for whom, when its time is over. */
import type { Knex } from 'knex';
import { type BusinessCalendar, formatInZone } from '../domain/calendar.ts';
import type { ApplicationId, OfficeId, UserId } from '../domain/ids.ts';
import { legalBudgetMs, legalClock, type Suspension, type SuspensionReason } from '../domain/legal-clock.ts';
import type { Stage } from '../domain/licensing.ts';
import { recordEvent } from './events.ts';
import { workingCalendarOf } from './offices.ts';

/**
 * The submission is complete: from now on the legal time runs. Once a case; a repeat, or another round, finds the clock as it
 * is and starts nothing again.
 * @returns ISO 8601 in the office's zone: when the legal time is over (for a clock that stands still: if it ran on from `at`)
 */
export async function startLegalClock(
  tx: Knex,
  start: { applicationId: ApplicationId; officeId: OfficeId; legalWorkingDays: number; at: string },
): Promise<{ legalDueAt: string }> {
  const { applicationId, officeId, legalWorkingDays, at } = start;
  const { calendar, version } = await workingCalendarOf(tx, officeId);
  const clock = await lockClock(tx, applicationId);
  if (clock.completeAt) {
    return { legalDueAt: endOf(calendar, clock, closedAt(await ledgerOf(tx, applicationId), Date.parse(at))) };
  }
  const legalDueAt = endOf(calendar, { completeAt: new Date(at), legalWorkingDays }, []);
  await tx('applications')
    .where({ id: applicationId })
    .update({
      complete_at: at,
      legal_working_days: legalWorkingDays,
      legal_budget_ms: legalBudgetMs(calendar, legalWorkingDays),
      legal_due_at: legalDueAt,
      calendar_version: version,
    });
  return { legalDueAt };
}

/**
 * Another legal time, as of a policy that the case was moved to; what was used of the one before stays used.
 * @returns when it is over, ISO 8601 in the office's zone; null while the clock stands still or has not started
 */
export async function changeLegalTime(
  tx: Knex,
  change: { applicationId: ApplicationId; legalWorkingDays: number },
): Promise<{ legalDueAt: string | null }> {
  const { applicationId, legalWorkingDays } = change;
  const { calendar } = await workingCalendarOf(tx, await officeOfCase(tx, applicationId));
  const { completeAt } = await lockClock(tx, applicationId);
  if (!completeAt) return { legalDueAt: null };
  const ledger = await ledgerOf(tx, applicationId);
  // While it stands still no legal time runs, not even one that was over before.
  const standsStill = ledger.some(({ to }) => to === null);
  const due = standsStill ? null : dueOf(calendar, { completeAt, legalWorkingDays }, ledger);
  const legalDueAt = due === null ? null : formatInZone(due, calendar.zone);
  await tx('applications')
    .where({ id: applicationId })
    .update({
      legal_working_days: legalWorkingDays,
      legal_budget_ms: legalBudgetMs(calendar, legalWorkingDays),
      legal_due_at: legalDueAt,
    });
  return { legalDueAt };
}

export interface SuspendClock {
  readonly applicationId: ApplicationId;
  readonly reason: SuspensionReason;
  /** Where the case was; null = the automatic check. */
  readonly stage: Stage | null;
  readonly round: number;
  /** null = Alur itself. */
  readonly by: UserId | null;
  /** ISO 8601. For an appeal, when the case was rejected: nobody worked on it from then on. */
  readonly at: string;
}

/**
 * The applicant has the case: the legal time stands still. A clock that never started (an incomplete first submission) has
 * nothing to stop, and one that stands still already goes on standing for its first reason.
 * @returns false when there was nothing to do
 */
export async function suspendClock(tx: Knex, suspend: SuspendClock): Promise<boolean> {
  const { applicationId, reason, stage, round, by, at } = suspend;
  const clock = await lockClock(tx, applicationId);
  if (!clock.completeAt || clock.suspendedSince) return false;
  const isNew = await recordEvent(tx, {
    key: `license-review/${applicationId}/clock/suspended/${at}`,
    type: 'clock.suspended',
    applicationId,
    // Alur's own doing: what the person did, with where it came from, stands in the event of the decision.
    data: { reason, stage, round, by },
    at,
  });
  if (!isNew) return false;
  await tx('suspensions').insert({
    application_id: applicationId,
    reason,
    stage,
    round,
    suspended_by: by,
    from_at: at,
  });
  await tx('applications').where({ id: applicationId }).update({ legal_due_at: null });
  return true;
}

/**
 * The office has the case again: what was left of the legal time runs on from `at`.
 * @returns when it is over now, ISO 8601 in the office's zone; unchanged when nothing was suspended, null when nothing runs
 */
export async function resumeClock(
  tx: Knex,
  resume: { applicationId: ApplicationId; at: string },
): Promise<{ legalDueAt: string | null }> {
  const { applicationId, at } = resume;
  const { calendar } = await workingCalendarOf(tx, await officeOfCase(tx, applicationId));
  const clock = await lockClock(tx, applicationId);
  const inZone = (due: number | null) => (due === null ? null : formatInZone(due, calendar.zone));
  if (!clock.suspendedSince) return { legalDueAt: inZone(clock.legalDueAt?.getTime() ?? null) };
  // A run that takes a case up again may have a clock a moment behind that of the run before.
  const to = new Date(Math.max(Date.parse(at), clock.suspendedSince.getTime())).toISOString();
  await recordEvent(tx, {
    key: `license-review/${applicationId}/clock/resumed/${to}`,
    type: 'clock.resumed',
    applicationId,
    data: { since: clock.suspendedSince.toISOString() },
    at: to,
  });
  await tx('suspensions').where({ application_id: applicationId, to_at: null }).update({ to_at: to });
  const legalDueAt = inZone(dueOf(calendar, clock, await ledgerOf(tx, applicationId)));
  await tx('applications').where({ id: applicationId }).update({ legal_due_at: legalDueAt });
  return { legalDueAt };
}

export interface SuspensionEntry extends Suspension {
  readonly reason: SuspensionReason;
  readonly stage: Stage | null;
  readonly round: number;
  readonly by: UserId | null;
}

/** Oldest first. */
export async function ledgerOf(db: Knex, applicationId: ApplicationId): Promise<SuspensionEntry[]> {
  const rows: (Omit<SuspensionEntry, 'from' | 'to'> & { from: Date; to: Date | null })[] = await db('suspensions')
    .where({ application_id: applicationId })
    .orderBy('from_at')
    .orderBy('id')
    .select({ reason: 'reason', stage: 'stage', round: 'round', by: 'suspended_by', from: 'from_at', to: 'to_at' });
  return rows.map(({ from, to, ...row }) => ({ ...row, from: from.getTime(), to: to?.getTime() ?? null }));
}

/** What the end of the legal time follows from, beside the calendar and the ledger. */
interface Begun {
  readonly completeAt: Date | null;
  readonly legalWorkingDays: number | null;
}

interface StoredClock extends Begun {
  readonly legalDueAt: Date | null;
  readonly suspendedSince: Date | null;
}

// The lock on the case is what keeps two who suspend or resume at once from both finding the same clock.
async function lockClock(tx: Knex, applicationId: ApplicationId): Promise<StoredClock> {
  const clock: Omit<StoredClock, 'suspendedSince'> | undefined = await tx('applications')
    .where({ id: applicationId })
    .forNoKeyUpdate()
    .first({ completeAt: 'complete_at', legalWorkingDays: 'legal_working_days', legalDueAt: 'legal_due_at' });
  if (!clock) throw new Error(`application ${applicationId} does not exist`);
  // Afterwards: whoever waited for the lock must see what was suspended meanwhile.
  const open: { since: Date } | undefined = await tx('suspensions')
    .where({ application_id: applicationId, to_at: null })
    .first({ since: 'from_at' });
  return { ...clock, suspendedSince: open?.since ?? null };
}

async function officeOfCase(db: Knex, applicationId: ApplicationId): Promise<OfficeId> {
  const row: { officeId: OfficeId } | undefined = await db('applications as a')
    .join('license_types as t', 't.code', 'a.type_code')
    .where('a.id', applicationId)
    .first({ officeId: 't.office_id' });
  if (!row) throw new Error(`application ${applicationId} does not exist`);
  return row.officeId;
}

function dueOf(calendar: BusinessCalendar, clock: Begun, suspensions: readonly Suspension[]): number | null {
  const { completeAt, legalWorkingDays } = clock;
  if (!completeAt || legalWorkingDays === null) return null;
  const budgetMs = legalBudgetMs(calendar, legalWorkingDays);
  return legalClock(calendar, { completeAt: completeAt.getTime(), budgetMs, suspensions }, 0).dueAt;
}

function endOf(calendar: BusinessCalendar, clock: Begun, suspensions: readonly Suspension[]): string {
  const due = dueOf(calendar, clock, suspensions);
  if (due === null) throw new Error('a legal clock that runs has no end');
  return formatInZone(due, calendar.zone);
}

/** As if the one that is open ended at `at`. */
const closedAt = (ledger: readonly Suspension[], at: number): Suspension[] =>
  ledger.map(({ from, to }) => ({ from, to: to ?? Math.max(from, at) }));
