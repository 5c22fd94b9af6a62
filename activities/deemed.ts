/** Approval by law (fiktif positif): the legal time is used up, the application was complete, nobody decided. */
import type { Knex } from 'knex';
import { moveApplication } from '../db/application-moves.ts';
import { recordEvent } from '../db/events.ts';
import { attachEvidencePdf, findEvidence, writeEvidence } from '../db/evidence.ts';
import { issueInvoice } from '../db/invoices.ts';
import { openPostAudit } from '../db/post-audits.ts';
import { cancelOpenTasks } from '../db/tasks.ts';
import type { ApplicationId, Sha256 } from '../domain/ids.ts';
import { type ApplicationState, canMove, type Stage } from '../domain/licensing.ts';
import { type Bill, billed } from './bills.ts';
import type { ActivityDeps } from './deps.ts';
import { renderEvidence } from './documents/evidence.ts';

export interface ApproveByLaw {
  readonly applicationId: ApplicationId;
  readonly round: number;
  /** The stage that is open; null = none at this moment, the case is complete and waits for the next. */
  readonly stage: Stage | null;
  readonly to: 'pending_payment' | 'activating';
  /** null when there is nothing to pay. */
  readonly bill: Bill | null;
  /** ISO 8601: what the workflow calls now. */
  readonly at: string;
}

export interface ApprovedByLaw {
  readonly approved: boolean;
  /** Where the case is: `to` when it was approved, else what somebody else has made of it. */
  readonly state: ApplicationState;
  /**
   * ISO 8601; null while the clock stands still. Not approved and still at this stage: the calendar was changed meanwhile,
   * the time is over then. Wait for it, do not ask again before.
   */
  readonly legalDueAt: string | null;
}

export function createDeemedActivities({ db, files }: Pick<ActivityDeps, 'db' | 'files'>) {
  return {
    /**
     * Approves a case by law, in one transaction: event, evidence, tasks cancelled, post-audit, state, invoice. Whatever was
     * decided first counts: then this changes nothing and says where the case is.
     */
    approveByLaw: (input: ApproveByLaw): Promise<ApprovedByLaw> => db.transaction((tx) => approve(tx, input)),

    /** The evidence as a paper, printed once; whoever comes second uses the bytes that the first stored. */
    async printEvidence({ applicationId }: { applicationId: ApplicationId }): Promise<{ sha256: Sha256 }> {
      const evidence = await findEvidence(db, applicationId);
      if (!evidence)
        throw new Error(`application ${applicationId} was not granted by law: there is no evidence to print`);
      if (evidence.pdf) return { sha256: evidence.pdf };
      const stored = await files.put(await renderEvidence(evidence));
      return { sha256: await attachEvidencePdf(db, applicationId, stored.sha256) };
    },
  };
}

async function approve(tx: Knex, input: ApproveByLaw): Promise<ApprovedByLaw> {
  const { applicationId, round, stage, to, bill, at } = input;
  const found = await lockCase(tx, applicationId);
  const legalDueAt = found.legalDueAt?.toISOString() ?? null;
  if (await findEvidence(tx, applicationId)) return { approved: true, state: to, legalDueAt };
  const isDue = found.legalDueAt !== null && found.legalDueAt.getTime() <= Date.parse(at);
  const isSameStep = found.round === round && (stage === null ? !found.hasTask : found.stage === stage);
  if (!isDue || !isSameStep || !canMove(found.state, 'deemed_approved'))
    return { approved: false, state: found.state, legalDueAt };
  await recordEvent(tx, {
    key: `license-review/${applicationId}/deemed_approved`,
    type: 'application.deemed_approved',
    applicationId,
    data: { stage, round, legalDueAt },
    at,
  });
  await writeEvidence(tx, input);
  await cancelOpenTasks(tx, applicationId, at);
  await openPostAudit(tx, { applicationId, kind: 'deemed', at });
  await moveApplication(tx, { id: applicationId, to: 'deemed_approved', at });
  await moveApplication(tx, { id: applicationId, to, at });
  if (bill) await issueInvoice(tx, billed(input, bill));
  return { approved: true, state: to, legalDueAt };
}

interface LockedCase {
  readonly state: ApplicationState;
  readonly round: number;
  readonly stage: Stage | null;
  readonly legalDueAt: Date | null;
  readonly hasTask: boolean;
}

// The locks come first, and with them the question who was first: a decision that is being recorded at this moment is waited
// for. In the order in which a decision takes them, or the two would wait for each other.
async function lockCase(tx: Knex, id: ApplicationId): Promise<LockedCase> {
  await tx('tasks').where({ application_id: id, state: 'open' }).orderBy('seat').forUpdate().select('id');
  const found: LockedCase | undefined = await tx('applications')
    .where({ id })
    .forNoKeyUpdate()
    .first({
      state: 'state',
      round: 'round',
      stage: 'stage',
      legalDueAt: 'legal_due_at',
      hasTask: tx.raw("exists (select from tasks t where t.application_id = applications.id and t.state = 'open')"),
    });
  if (!found) throw new Error(`application ${id} does not exist`);
  return found;
}
