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
  /** The same once more: a rejection was appealed. */
  readonly appeal?: { readonly statementId: string };
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
    const { round, appeal } = submission;
    const isNew = await recordEvent(tx, {
      key: `license-review/${submission.applicationId}/submission/${round}`,
      type: appeal ? 'application.appealed' : round === 1 ? 'application.submitted' : 'application.resubmitted',
      applicationId: submission.applicationId,
      companyId: application.companyId,
      by: submission.by,
      data: { round, ...appeal },
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

export interface CheckedSubmission {
  readonly sha256: Sha256;
  /** Kinds of the checklist; a document that was found infected is as good as none. */
  readonly missing: string[];
  /** Whether this call judged it: a repeat finds it judged. */
  readonly isNew: boolean;
}

/** The automatic completeness check of a frozen submission: judges it, and moves the case on to be looked at. */
export async function checkCompleteness(
  tx: Knex,
  check: {
    applicationId: ApplicationId;
    round: number;
    checklist: readonly ChecklistItem[];
    to: 'completeness' | 'auto_check';
    at: string;
  },
): Promise<CheckedSubmission> {
  const { applicationId, round, to, at } = check;
  const { sha256, kinds } = await frozenSubmission(tx, applicationId, round);
  const missing = missingDocuments(check.checklist, kinds);
  const isNew = await recordEvent(tx, {
    key: `license-review/${applicationId}/completeness/${round}`,
    type: 'application.completeness_checked',
    applicationId,
    data: { round, missing },
    at,
  });
  if (isNew) await moveToCheck(tx, { applicationId, round, to, at });
  return { sha256, missing, isNew };
}

/** A submission that waits for its documents to be scanned is with the office already, though nobody judges it yet. */
export async function moveToCheck(
  tx: Knex,
  {
    applicationId,
    round,
    to,
    at,
  }: { applicationId: ApplicationId; round: number; to: 'completeness' | 'auto_check'; at: string },
): Promise<void> {
  const stayed = await tx('applications').where({ id: applicationId, state: to }).update({ round, updated_at: at });
  if (stayed === 0) await moveApplication(tx, { id: applicationId, to, round, at });
}

/** The submission's name, and the kinds of the documents in it that may be looked at. */
export async function frozenSubmission(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
): Promise<{ sha256: Sha256; kinds: ReadonlySet<string> }> {
  const row: { sha256: string; documents: SubmittedDocument[] } | undefined = await db('submissions')
    .where({ application_id: applicationId, round })
    .first('sha256', 'documents');
  if (!row) throw new Error(`application ${applicationId} has no submission of round ${round}`);
  const infected = new Set(
    await db('documents').where({ application_id: applicationId, scan_state: 'infected' }).pluck<string[]>('id'),
  );
  const kinds = new Set(row.documents.filter(({ id }) => !infected.has(id)).map(({ kind }) => kind));
  return { sha256: asId<Sha256>(row.sha256), kinds };
}

/** JSON with sorted keys, so the same content has the same hash whoever serialised it. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
