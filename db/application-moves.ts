import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';
import { type ApplicationState, type CancelCode, isClosed, type Stage, statesBefore } from '../domain/licensing.ts';

export interface Move {
  readonly id: ApplicationId;
  readonly to: ApplicationState;
  /** ISO 8601; what the workflow calls now. */
  readonly at: string;
  readonly round?: number;
  readonly stage?: Stage | null;
  readonly assignee?: UserId | null;
  readonly dueAt?: string | null;
}

/**
 * The only way an application's state changes once it is submitted. Stage, assignee and due date belong to a state, so
 * whatever is not said is cleared.
 * @throws Error when the transition table of domain/licensing.ts has no such edge: a bug, to be seen by ops.
 */
export async function moveApplication(db: Knex, move: Move): Promise<{ companyId: CompanyId; applicantId: UserId }> {
  const [moved]: { companyId: CompanyId; applicantId: UserId }[] = await db('applications')
    .where({ id: move.id })
    .whereIn('state', statesBefore(move.to))
    .update({
      state: move.to,
      stage: move.stage ?? null,
      assignee_id: move.assignee ?? null,
      due_at: move.dueAt ?? null,
      updated_at: move.at,
      ...(move.round === undefined ? {} : { round: move.round }),
      // A case that is taken up again is not over.
      closed_at: isClosed(move.to) ? move.at : null,
    })
    .returning(['company_id as companyId', 'applicant_id as applicantId']);
  if (!moved) throw new Error(`application ${move.id} cannot move to ${move.to} from the state that it is in`);
  return moved;
}

/** Which kind of no case it was that a supervisor cancelled. */
export async function noteClosingCode(tx: Knex, id: ApplicationId, code: CancelCode): Promise<void> {
  await tx('applications').where({ id }).update({ closing_code: code });
}

/** Why its owner withdrew it, in their own words: in the record, which can be erased, not in an event. */
export async function noteClosingReason(tx: Knex, id: ApplicationId, reason: string): Promise<void> {
  await tx('applications').where({ id }).update({ closing_reason: reason });
}

/** Wakes whoever waits for news of a case, where the news is not in its own row (a PDF that was stored). */
export async function announce(db: Knex, id: ApplicationId): Promise<void> {
  await db.raw("select pg_notify('application_changed', ?)", [id]);
}

/** And for news of what belongs to a company: the PDF of a subscription's invoice. */
export async function announceCompany(db: Knex, id: CompanyId): Promise<void> {
  await db.raw("select pg_notify('company_changed', ?)", [id]);
}
