/** What was asked of the applicant, and what they sent each time. */
import type { Knex } from 'knex';
import type { ApplicationId, Sha256 } from '../domain/ids.ts';
import type { Reason, Stage } from '../domain/licensing.ts';
import type { SubmittedDocument } from './submissions.ts';

export interface AskedCorrection {
  /** null = asked for by the automatic check. */
  readonly stage: Stage | null;
  readonly reasons: readonly Reason[];
}

/**
 * The correction that was asked for in this round; null when none was. A reviewer's stands in the decision, which is there from
 * the moment that the case is the applicant's; that of the automatic check in the event that gives the case back.
 */
export async function correctionOf(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
): Promise<AskedCorrection | null> {
  const decisions: { stage: Stage; reasons: Reason[] }[] = await db('decisions')
    .where({ application_id: applicationId, round, decision: 'request_correction' })
    .orderBy('decided_at')
    .select('stage', 'reasons');
  const [first] = decisions;
  if (first) return { stage: first.stage, reasons: decisions.flatMap(({ reasons }) => reasons) };
  const { rows }: { rows: { stage: Stage | null; reasons: Reason[] | null }[] } = await db.raw(
    `select data ->> 'stage' as stage, data -> 'reasons' as reasons from events
      where application_id = :applicationId and type = 'application.correction_requested' and (data ->> 'round')::integer = :round
      order by id desc limit 1`,
    { applicationId, round },
  );
  return rows[0] ? { stage: rows[0].stage, reasons: rows[0].reasons ?? [] } : null;
}

/** The form as the office has it, of the last submission; undefined before the first. */
export async function submittedForm(db: Knex, applicationId: ApplicationId): Promise<unknown> {
  const last: { form: unknown } | undefined = await db('submissions')
    .where('application_id', applicationId)
    .orderBy('round', 'desc')
    .first('form');
  return last?.form;
}

export interface SubmissionOnRecord {
  readonly round: number;
  readonly sha256: Sha256;
  readonly submittedAt: Date;
  readonly documents: readonly SubmittedDocument[];
}

/** Without their forms; oldest first. */
export async function submissionsOf(db: Knex, applicationId: ApplicationId): Promise<SubmissionOnRecord[]> {
  const found: SubmissionOnRecord[] = await db('submissions')
    .where('application_id', applicationId)
    .orderBy('round')
    .select({ round: 'round', sha256: 'sha256', submittedAt: 'submitted_at', documents: 'documents' });
  return found;
}

/** Forms by round, of these rounds. */
export async function formsOf(
  db: Knex,
  applicationId: ApplicationId,
  rounds: readonly number[],
): Promise<ReadonlyMap<number, unknown>> {
  const found: { round: number; form: unknown }[] = await db('submissions')
    .where('application_id', applicationId)
    .whereIn('round', [...rounds])
    .select('round', 'form');
  return new Map(found.map(({ round, form }) => [round, form]));
}
