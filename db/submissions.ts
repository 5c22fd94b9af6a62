import { createHash, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { type ApplicationId, asId, type CompanyId, type Sha256, type UserId } from '../domain/ids.ts';
import { type ApplicationState, type ChecklistItem, missingDocuments } from '../domain/licensing.ts';
import { moveApplication } from './application-moves.ts';
import { recordEvent } from './events.ts';

export interface Submission {
  readonly sha256: Sha256;
  readonly form: unknown;
  readonly documents: readonly SubmittedDocument[];
}

export interface SubmittedDocument {
  readonly id: string;
  readonly kind: string;
  readonly filename: string;
  readonly sha256: string;
}

export interface NewSubmission {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly by: UserId;
  readonly origin?: Origin | undefined;
  readonly at: string;
}

/**
 * Freezes form and documents as they are now; what the office decides on is this copy, named by its hash.
 * Called by the API that takes the submission and again by the workflow's first activity: whichever comes first writes,
 * the other finds its event and changes nothing. A draft that its owner withdrew in the same moment stays withdrawn.
 */
export async function freezeSubmission(db: Knex, submission: NewSubmission): Promise<'frozen' | 'withdrawn'> {
  return db.transaction(async (tx) => {
    const application = await lockApplication(tx, submission.applicationId);
    if (application.state === 'withdrawn') return 'withdrawn';
    const isNew = await recordEvent(tx, {
      key: `license-review/${submission.applicationId}/submission/${submission.round}`,
      type: submission.round === 1 ? 'application.submitted' : 'application.resubmitted',
      applicationId: submission.applicationId,
      companyId: application.companyId,
      by: submission.by,
      data: { round: submission.round },
      origin: submission.origin,
      at: submission.at,
    });
    if (!isNew) return 'frozen';
    await insertSubmission(tx, submission, application.form);
    if (submission.round === 1) {
      await moveApplication(tx, { id: submission.applicationId, to: 'submitted', at: submission.at });
      await tx('applications').where({ id: submission.applicationId }).update({ submitted_at: submission.at });
    }
    return 'frozen';
  });
}

async function insertSubmission(tx: Knex, submission: NewSubmission, form: unknown): Promise<void> {
  const documents: SubmittedDocument[] = await tx('documents')
    .where({ application_id: submission.applicationId })
    .whereNull('removed_at')
    .orderBy('uploaded_at')
    .orderBy('id')
    .select('id', 'kind', 'filename', 'sha256');
  await tx('submissions').insert({
    id: randomUUID(),
    application_id: submission.applicationId,
    round: submission.round,
    form: JSON.stringify(form),
    documents: JSON.stringify(documents),
    sha256: createHash('sha256').update(canonicalJson({ form, documents })).digest('hex'),
    submitted_by: submission.by,
    submitted_at: submission.at,
  });
}

interface LockedApplication {
  readonly form: unknown;
  readonly companyId: CompanyId;
  readonly state: ApplicationState;
}

async function lockApplication(tx: Knex, id: ApplicationId): Promise<LockedApplication> {
  const row: LockedApplication | undefined = await tx('applications')
    .where({ id })
    .forUpdate()
    .first({ form: 'form', companyId: 'company_id', state: 'state' });
  if (!row) throw new Error(`application ${id} does not exist`);
  return row;
}

/**
 * The automatic completeness check: moves the case on when the frozen submission has every required document.
 * @returns the kinds that are missing, and the submission's hash
 */
export async function checkCompleteness(
  db: Knex,
  check: {
    applicationId: ApplicationId;
    round: number;
    checklist: readonly ChecklistItem[];
    to: 'completeness' | 'auto_check';
    at: string;
  },
): Promise<{ sha256: Sha256; missing: string[] }> {
  const row: { sha256: string; documents: SubmittedDocument[] } | undefined = await db('submissions')
    .where({ application_id: check.applicationId, round: check.round })
    .first('sha256', 'documents');
  if (!row) throw new Error(`application ${check.applicationId} has no submission of round ${check.round}`);
  const missing = missingDocuments(check.checklist, new Set(row.documents.map(({ kind }) => kind)));
  await db.transaction(async (tx) => {
    const isNew = await recordEvent(tx, {
      key: `license-review/${check.applicationId}/completeness/${check.round}`,
      type: 'application.completeness_checked',
      applicationId: check.applicationId,
      data: { round: check.round, missing },
      at: check.at,
    });
    if (isNew) await moveApplication(tx, { id: check.applicationId, to: check.to, round: check.round, at: check.at });
  });
  return { sha256: asId<Sha256>(row.sha256), missing };
}

/** JSON with sorted keys, so the same content has the same hash whoever serialised it. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
