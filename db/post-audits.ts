/** Audits after the fact: opened with an approval that nobody gave, decided by somebody who had no part in the case. */
import { createHmac } from 'node:crypto';
import type { Knex } from 'knex';
import { addWorkingDays, formatInZone } from '../domain/calendar.ts';
import type { Origin } from '../domain/events.ts';
import { Failure, type FailureCode } from '../domain/failures.ts';
import {
  type ApplicationId,
  asId,
  type LicenseId,
  type OfficeId,
  type PostAuditId,
  type UserId,
} from '../domain/ids.ts';
import {
  AUDIT_WITHIN_WORKING_DAYS,
  type AuditKind,
  type AuditOutcome,
  type AuditState,
  isSampled,
  PROPOSAL_WITHIN_DAYS,
  type ProposalState,
} from '../domain/post-audits.ts';
import { recordEvent } from './events.ts';
import { proposeSuspension } from './license-letters.ts';
import { suspendLicense } from './license-standing.ts';
import { calendarOf } from './offices.ts';
import { namedUuid } from './uuids.ts';

/** Opens the audit of a case in the transaction that approves it; a repeat finds it there. */
export async function openPostAudit(
  tx: Knex,
  { applicationId, kind, at }: { applicationId: ApplicationId; kind: AuditKind; at: string },
): Promise<void> {
  const id = asId<PostAuditId>(namedUuid(`post-audit/${applicationId}`));
  const isNew = await recordEvent(tx, {
    key: `post-audit/${id}/opened`,
    type: 'post_audit.opened',
    applicationId,
    subject: `post_audit/${id}`,
    data: { kind },
    at,
  });
  if (!isNew) return;
  const officeId = await officeOfCase(tx, applicationId);
  const calendar = await calendarOf(tx, officeId);
  const due = addWorkingDays(calendar, Date.parse(at), AUDIT_WITHIN_WORKING_DAYS);
  await tx('post_audits').insert({
    id,
    application_id: applicationId,
    office_id: officeId,
    kind,
    due_at: formatInZone(due.at, calendar.zone),
    opened_at: at,
  });
}

/**
 * Opens the audit of an automatic approval where it is drawn. Keyed, so that nobody outside can tell beforehand which of
 * their applications nobody will look at.
 * @param secretKey 32 bytes
 */
export async function auditSample(
  tx: Knex,
  secretKey: Buffer,
  { applicationId, percent, at }: { applicationId: ApplicationId; percent: number; at: string },
): Promise<boolean> {
  const name = createHmac('sha256', secretKey).update(`post-audit-sample/${applicationId}`).digest('hex');
  if (!isSampled(name, percent)) return false;
  await openPostAudit(tx, { applicationId, kind: 'sample', at });
  return true;
}

async function officeOfCase(tx: Knex, applicationId: ApplicationId): Promise<OfficeId> {
  const row: { officeId: OfficeId } | undefined = await tx('applications as a')
    .join('license_types as t', 't.code', 'a.type_code')
    .where('a.id', applicationId)
    .first({ officeId: 't.office_id' });
  if (!row) throw new Error(`application ${applicationId} does not exist`);
  return row.officeId;
}

export interface ByPerson {
  readonly id: PostAuditId;
  readonly by: UserId;
  /** The same for a repeat of the same request. */
  readonly requestKey: string;
  readonly at: string;
  readonly origin?: Origin | undefined;
}

interface LockedAudit {
  readonly applicationId: ApplicationId;
  readonly officeId: OfficeId;
  readonly state: AuditState;
  readonly proposal: ProposalState | null;
  readonly decidedBy: UserId | null;
  readonly decidedAt: Date | null;
  readonly licenseId: LicenseId | null;
  readonly licenseNumber: string | null;
}

/**
 * Records what an audit found. A failed one proposes to suspend the licence, in the same transaction.
 * @throws Failure `not_found`, `audit_not_open`; `own_application`, `conflict_declared` or `already_acted` for whoever has a
 *   part in the case
 */
export async function decideAudit(
  tx: Knex,
  decision: ByPerson & { readonly outcome: AuditOutcome; readonly findings: string },
): Promise<void> {
  const { id, outcome, findings, by, at } = decision;
  const audit = await lockAudit(tx, id);
  const isNew = await note(tx, audit, decision, 'decided', { outcome });
  if (!isNew) return;
  if (audit.state !== 'open') throw tooLate(audit);
  await mustBeImpartial(tx, audit, by, { mayHaveAudited: true });
  const proposal = outcome === 'failed' ? 'open' : null;
  await tx('post_audits').where({ id }).update({ state: outcome, findings, decided_by: by, decided_at: at, proposal });
  if (proposal) await propose(tx, audit, decision);
}

async function propose(tx: Knex, audit: LockedAudit, { id, by, at, origin }: ByPerson): Promise<void> {
  const { applicationId, officeId, licenseNumber } = audit;
  await recordEvent(tx, {
    key: `post-audit/${id}/proposed`,
    type: 'license.suspension_proposed',
    applicationId,
    subject: `post_audit/${id}`,
    by,
    origin,
    at,
  });
  await proposeSuspension(tx, { applicationId, number: licenseNumber }, { officeId, at });
}

/**
 * A second person decides what a failed audit proposes. What is dismissed stays on record with its note.
 * @throws Failure `not_found`, `audit_not_open`; as decideAudit for whoever has a part in the case, the auditor among them;
 *   `license_not_active` while there is no licence to suspend, `license_ended`
 */
export async function decideProposal(
  tx: Knex,
  decision: ByPerson & { readonly decision: 'suspend' | 'dismiss'; readonly note: string },
): Promise<void> {
  const { id, by, at, note: words, requestKey } = decision;
  const audit = await lockAudit(tx, id);
  const isNew = await note(tx, audit, decision, 'proposal', { proposal: decision.decision });
  if (!isNew) return;
  if (audit.proposal !== 'open') throw tooLate(audit);
  await mustBeImpartial(tx, audit, by, { mayHaveAudited: false });
  if (decision.decision === 'suspend') {
    const { licenseId } = audit;
    if (!licenseId) throw new Failure('license_not_active', 'No licence was issued yet: there is nothing to suspend.');
    const key = `post-audit/${id}/suspended/${requestKey}`;
    await suspendLicense(tx, { ...decision, licenseId, reason: words, cause: 'audit_failed', key });
  }
  await tx('post_audits')
    .where({ id })
    .update({
      proposal: decision.decision === 'suspend' ? 'suspended' : 'dismissed',
      proposal_decided_by: by,
      proposal_decided_at: at,
      proposal_note: words,
    });
}

/** A proposal for whose next letter it is time, and which week of its waiting that tells of. */
export interface WaitingProposal {
  readonly id: PostAuditId;
  readonly week: number;
}

/** Proposals that nobody has decided on for a week, or for another one since its letter; the oldest first. */
export async function waitingProposals(db: Knex, at: string, limit: number): Promise<WaitingProposal[]> {
  const { rows }: { rows: WaitingProposal[] } = await db.raw(
    `select w.id, w.week from (
       select p.id, p.decided_at, floor(extract(epoch from cast(:at as timestamptz) - p.decided_at) / 86400 / :days)::int as week
       from post_audits p where p.proposal = 'open') w
     where w.week >= 1
       and not exists (select from events e where e.key = 'post-audit/' || w.id || '/proposal-waits/' || w.week)
     order by w.decided_at, w.id limit :limit`,
    { at, days: PROPOSAL_WITHIN_DAYS, limit },
  );
  return rows;
}

/** Writes to supervisors and heads once more, once a week. One that was decided meanwhile needs no letter. */
export async function tellOfWaitingProposal(tx: Knex, { id, week }: WaitingProposal, at: string): Promise<void> {
  const { applicationId, officeId, licenseNumber, proposal } = await lockAudit(tx, id);
  if (proposal !== 'open') return;
  const isNew = await recordEvent(tx, {
    key: `post-audit/${id}/proposal-waits/${week}`,
    type: 'post_audit.proposal_waits',
    applicationId,
    subject: `post_audit/${id}`,
    data: { week },
    at,
  });
  if (isNew) await proposeSuspension(tx, { applicationId, number: licenseNumber }, { officeId, at });
}

/** The guard of what a person does to an audit; what was found stands in the record, not in the event. */
const note = (
  tx: Knex,
  { applicationId }: LockedAudit,
  { id, by, requestKey, at, origin }: ByPerson,
  step: string,
  data: Readonly<Record<string, string>>,
): Promise<boolean> =>
  recordEvent(tx, {
    key: `post-audit/${id}/${step}/${requestKey}`,
    type: step === 'proposal' ? 'post_audit.proposal_decided' : 'post_audit.decided',
    applicationId,
    subject: `post_audit/${id}`,
    by,
    origin,
    data,
    at,
  });

async function lockAudit(tx: Knex, id: PostAuditId): Promise<LockedAudit> {
  const { rows }: { rows: LockedAudit[] } = await tx.raw(
    `select p.application_id as "applicationId", p.office_id as "officeId", p.state, p.proposal, p.decided_by as "decidedBy",
       p.decided_at as "decidedAt", l.id as "licenseId", l.number as "licenseNumber"
     from post_audits p left join licenses l on l.application_id = p.application_id
     where p.id = ? for update of p`,
    [id],
  );
  if (!rows[0]) throw new Failure('not_found', 'There is no such audit, or none that you may see.');
  return rows[0];
}

const tooLate = ({ state, decidedBy, decidedAt }: LockedAudit) =>
  new Failure('audit_not_open', '', {
    state,
    ...(decidedBy && decidedAt ? { decidedBy, decidedAt: decidedAt.toISOString() } : {}),
  });

// By the records of the moment: whoever took a task a second ago has a part in the case.
const PART_IN_CASE = `
  select case
    when exists (select from applications a where a.id = :applicationId and (a.applicant_id = :by
      or exists (select from company_members m where m.company_id = a.company_id and m.user_id = :by))) then 'own_application'
    when exists (select from conflicts c where c.application_id = :applicationId and c.user_id = :by) then 'conflict_declared'
    when exists (select from task_holders h where h.application_id = :applicationId and h.user_id = :by)
      or exists (select from tasks t where t.application_id = :applicationId and t.assignee_id = :by)
      or exists (select from decisions d where d.application_id = :applicationId and d.decided_by = :by) then 'already_acted'
  end as why`;

async function mustBeImpartial(
  tx: Knex,
  { applicationId, decidedBy }: LockedAudit,
  by: UserId,
  { mayHaveAudited }: { readonly mayHaveAudited: boolean },
): Promise<void> {
  const { rows }: { rows: { why: FailureCode | null }[] } = await tx.raw(PART_IN_CASE, { applicationId, by });
  const why = rows[0]?.why ?? (!mayHaveAudited && decidedBy === by ? 'already_acted' : null);
  if (why) throw new Failure(why, WHY_NOT);
}

const WHY_NOT =
  'Whoever has a part in this case does not audit it, and nobody decides on their own audit. Ask a colleague.';
