/** An application as its owner and the office read it. */

import type { ApplicationStatus } from '../db/application-status.ts';
import type { Application, ApplicationSummary, DecisionOnRecord } from '../db/applications.ts';
import { decisionsOf, findApplication } from '../db/applications.ts';
import type { Knex } from '../db/connection.ts';
import { documentsOf, type StoredDocument } from '../db/documents.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId } from '../domain/ids.ts';
import { type Actor, percentDone, whoseTurn } from '../domain/licensing.ts';
import { etagOf } from './etag.ts';
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
  closedAt: timeOrNull(application.closedAt),
  createdAt: timeJson(application.createdAt),
  updatedAt: timeJson(application.updatedAt),
});

export const documentJson = (document: StoredDocument) => ({
  id: document.id,
  kind: document.kind,
  filename: document.filename,
  sha256: document.sha256,
  bytes: document.bytes,
  contentType: document.contentType,
  uploadedAt: timeJson(document.uploadedAt),
});

/** Who works on a case inside the office is not shown to its owner. */
const decisionJson = (decision: DecisionOnRecord, own: boolean) => ({
  stage: decision.stage,
  round: decision.round,
  decision: decision.decision,
  reasons: decision.reasons,
  decidedAt: timeJson(decision.at),
  ...(own ? {} : { note: decision.note, decidedBy: { id: decision.by, name: decision.byName } }),
});

/** The whole of it, with an ETag that starts with the form's version: `If-Match` compares that part (see ifVersion). */
export async function applicationReply(db: Knex, application: Application) {
  const [documents, decisions] = await Promise.all([documentsOf(db, application.id), decisionsOf(db, application.id)]);
  const body = {
    ...summaryJson(application),
    formVersion: application.formVersion,
    form: application.form,
    submissionHash: application.submissionHash,
    documents: documents.map(documentJson),
    decisions: decisions.map((decision) => decisionJson(decision, application.own)),
    ...(application.own ? {} : { assigneeId: application.assigneeId }),
  };
  return { body, etag: `"${application.formVersion}.${etagOf(JSON.stringify(body)).slice(1)}` };
}

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
