/** An application as its owner and the office read it. */

import type { ApplicationStatus } from '../db/application-status.ts';
import type { Application, ApplicationSummary, DecisionOnRecord } from '../db/applications.ts';
import { decisionsOf, findApplication } from '../db/applications.ts';
import { type CaseParts, casePartsOf, officePartsOf } from '../db/case-reads.ts';
import type { Knex } from '../db/connection.ts';
import { documentsOf, type StoredDocument } from '../db/documents.ts';
import { acceptance } from '../domain/corrections.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId } from '../domain/ids.ts';
import { type Actor, isClosed, type LicensePolicy, percentDone, whoseTurn } from '../domain/licensing.ts';
import { etagOf } from './etag.ts';
import { openFieldsOf } from './open-fields.ts';
import { moneyJson, timeJson, timeOrNull } from './wire.ts';

const noSuchApplication = () => new Failure('not_found', 'There is no such application, or none that you may see.');

/** @throws Failure `not_found` */
export async function applicationSeenBy(db: Knex, viewer: Actor, id: ApplicationId): Promise<Application> {
  const found = await findApplication(db, viewer, id);
  if (!found) throw noSuchApplication();
  return found;
}

/** For what only the people of the company do: staff who see the case are told that it is not theirs to change. */
export async function ownApplication(db: Knex, viewer: Actor, id: ApplicationId): Promise<Application> {
  const found = await applicationSeenBy(db, viewer, id);
  if (!found.own) throw new Failure('forbidden', 'Only the people of the company may do this.');
  return found;
}

export const summaryJson = (application: ApplicationSummary) => ({
  id: application.id,
  companyId: application.companyId,
  companyName: application.companyName,
  typeCode: application.typeCode,
  state: application.state,
  stage: application.stage,
  round: application.round,
  percent: percentDone(application.state),
  whoseTurn: whoseTurn(application.state),
  dueAt: timeOrNull(application.dueAt),
  submittedAt: timeOrNull(application.submittedAt),
  renewsLicenseId: application.renewsId,
  renewal: application.renewal,
  // A case that was taken up again is open, whenever it had been closed.
  closedAt: isClosed(application.state) ? timeOrNull(application.closedAt) : null,
  createdAt: timeJson(application.createdAt),
  updatedAt: timeJson(application.updatedAt),
});

/** What was found inside a file is for those who have to open it. */
export const documentJson = (document: StoredDocument, own: boolean) => ({
  id: document.id,
  kind: document.kind,
  filename: document.filename,
  sha256: document.sha256,
  bytes: document.bytes,
  contentType: document.contentType,
  uploadedAt: timeJson(document.uploadedAt),
  scanState: document.scanState,
  purgedAt: timeOrNull(document.purgedAt),
  ...(own ? {} : { sanity: document.sanity }),
});

/** Who works on a case inside the office is not shown to its owner. */
const decisionJson = (decision: DecisionOnRecord, own: boolean) => ({
  stage: decision.stage,
  round: decision.round,
  decision: decision.decision,
  reasons: decision.reasons,
  decidedAt: timeJson(decision.at),
  ...(decision.soleSupervisor ? { soleSupervisor: true } : {}),
  ...(own
    ? {}
    : {
        note: decision.note,
        seat: decision.seat,
        override: decision.override,
        decidedBy: { id: decision.by, name: decision.byName },
      }),
});

/** The whole of it, with an ETag that starts with the form's version: `If-Match` compares that part (see ifVersion). */
export async function applicationReply(db: Knex, application: Application) {
  const { id, own } = application;
  const [documents, decisions, parts] = await Promise.all([
    documentsOf(db, id),
    decisionsOf(db, id),
    casePartsOf(db, id),
  ]);
  const isAccepted = acceptedIn(parts, decisions);
  const body = {
    ...summaryJson(application),
    formVersion: application.formVersion,
    form: application.form,
    submissionHash: application.submissionHash,
    documents: documents.map((document) => ({ ...documentJson(document, own), accepted: isAccepted(document) })),
    decisions: (own ? toldToOwner(application, decisions) : decisions).map((made) => decisionJson(made, own)),
    statements: parts.statements.map((statement) => ({ ...statement, at: inUtc(statement.at) })),
    legalClock: clockJson(parts),
    ...(own ? { openFields: await openFieldsOf(db, application) } : await officeJson(db, application, decisions)),
  };
  return { body, etag: `"${application.formVersion}.${etagOf(JSON.stringify(body)).slice(1)}` };
}

/**
 * An owner is told what the office decided, not how each of a quorum voted: no vote while its stage is open, afterwards
 * those that its last one agrees with, and one approval of a stage.
 */
function toldToOwner({ round, stage }: Application, decisions: readonly DecisionOnRecord[]): DecisionOnRecord[] {
  return decisions.filter((made, index) => {
    if (made.decision === 'request_correction' || made.decision === 'intend_to_reject') return true;
    if (made.round === round && made.stage === stage) return false;
    const later = decisions.slice(index + 1).filter((one) => one.round === made.round && one.stage === made.stage);
    return made.decision === 'approve' ? later.length === 0 : (later.at(-1) ?? made).decision === 'reject';
  });
}

/** Whether the office has accepted a document, by what it decided on which submission. */
export const acceptedIn = (
  { submissions, policy }: Pick<CaseParts, 'submissions' | 'policy'>,
  decisions: readonly DecisionOnRecord[],
) => acceptance(submissions, decisions, approvalsOfDocuments(policy));

const approvalsOfDocuments = ({ stages }: LicensePolicy): number =>
  stages.find(({ stage }) => stage === 'document_verification')?.quorum?.needed ?? 1;

/** PostgreSQL's own JSON has the offset of the session; here times are told as everywhere. */
const inUtc = (time: string): string => timeJson(new Date(time));
const inUtcOrNull = (time: string | null): string | null => (time === null ? null : inUtc(time));

const clockJson = ({ clock }: CaseParts) =>
  clock.startedAt === null
    ? null
    : {
        startedAt: inUtc(clock.startedAt),
        dueAt: inUtcOrNull(clock.dueAt),
        suspendedSince: inUtcOrNull(clock.suspendedSince),
        suspendedFor: clock.suspendedFor,
      };

/** For the office alone: what was checked, who holds the open stage, and what was voted in this round. */
async function officeJson(db: Knex, application: Application, decisions: readonly DecisionOnRecord[]) {
  const { compliance, registryChecks, seats } = await officePartsOf(db, application.id);
  return {
    assigneeId: application.assigneeId,
    compliance,
    registryChecks: registryChecks.map((check) => ({
      ...check,
      askedAt: inUtc(check.askedAt),
      answeredAt: inUtcOrNull(check.answeredAt),
    })),
    seats,
    // Those of the rounds before are void: another submission is decided on now.
    votes: decisions
      .filter(({ round }) => round === application.round)
      .map((made) => ({ stage: made.stage, ...voteJson(made) })),
  };
}

/** @param vote of somebody in the office: for staff */
export const voteJson = (vote: Pick<DecisionOnRecord, 'seat' | 'decision' | 'by' | 'byName' | 'at'>) => ({
  seat: vote.seat,
  decision: vote.decision,
  by: { id: vote.by, name: vote.byName },
  at: timeJson(vote.at),
});

/**
 * The version of the form that the client has read; null = it does not say. A document that was added meanwhile does not
 * stand in the way of a change of the form.
 * @throws Failure `precondition_failed` for a tag that no application has given out
 */
export function ifVersion(ifMatch: string | undefined): number | null {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null;
  const version = /^"(\d{1,9})\.[\w-]+"$/.exec(ifMatch.trim())?.[1];
  if (version !== undefined) return Number(version);
  throw new Failure('precondition_failed', 'Send the ETag of the application, unchanged, as If-Match.');
}

export const statusJson = (status: ApplicationStatus, publicUrl: string) => ({
  id: status.id,
  state: status.state,
  stage: status.stage,
  round: status.round,
  percent: percentDone(status.state),
  dueAt: timeOrNull(status.dueAt),
  whoseTurn: whoseTurn(status.state),
  ...(status.invoice && {
    invoice: {
      id: status.invoice.id,
      number: status.invoice.number,
      state: status.invoice.state,
      total: moneyJson(status.invoice.total),
      dueAt: timeJson(status.invoice.dueAt),
    },
  }),
  ...(status.license && {
    license: {
      id: status.license.id,
      number: status.license.number,
      status: status.license.status,
      verifyUrl: verifyUrl(publicUrl, status.license.verifyCode),
    },
  }),
  updatedAt: timeJson(status.updatedAt),
});

export const verifyUrl = (publicUrl: string, code: string): string => `${publicUrl}/verify/${encodeURIComponent(code)}`;
