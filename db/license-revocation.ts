/** A licence that is revoked for good, and what becomes of its renewal: nobody is to pay for a term that would be revoked as well. */
import type { Knex } from 'knex';
import type { ApplicationId, InvoiceId, LicenseId } from '../domain/ids.ts';
import type { LicenseStatus } from '../domain/licenses.ts';
import { moveApplication, noteClosingReason } from './application-moves.ts';
import { recordEvent } from './events.ts';
import { type CollectedInvoice, lockCollected } from './invoice-payments.ts';
import { type ClosingPolicy, closeAsLapsed } from './lapsed-invoices.ts';
import { type ByOffice, endAsRevoked } from './license-standing.ts';

/**
 * Revokes a licence and its next term, where that is issued. A renewal that waits for its payment is cancelled with it, in the
 * same transaction; one that was paid a moment before is issued, and revoked at once.
 * @throws Failure `license_ended`
 */
export async function revokeLicense(tx: Knex, policy: ClosingPolicy, change: ByOffice): Promise<void> {
  // The invoice before the licence, as whoever issues a licence locks them: the other way round the two could wait for each other.
  const open: CollectedInvoice[] = [];
  for (const id of await openInvoicesOfRenewals(tx, change.licenseId)) open.push(await lockCollected(tx, id));
  await endAsRevoked(tx, change);
  for (const invoice of open) await endRenewal(tx, policy, invoice, change);
}

const openInvoicesOfRenewals = (tx: Knex, id: LicenseId): Promise<InvoiceId[]> =>
  tx('invoices as i')
    .join('applications as a', 'a.id', 'i.application_id')
    .where({ 'i.state': 'open', 'a.state': 'pending_payment' })
    .whereIn('a.renews_id', tx('licenses').where({ id }).orWhere({ renews_id: id }).select('id'))
    .orderBy('i.id')
    .pluck<InvoiceId[]>('i.id');

/**
 * The same for a renewal that was approved after its licence was revoked, before anybody is asked to pay. Any other invoice is
 * left as it is.
 */
export async function endRenewalOfRevoked(
  tx: Knex,
  policy: ClosingPolicy,
  invoice: CollectedInvoice,
  at: string,
): Promise<void> {
  const { applicationId } = invoice;
  if (!applicationId || invoice.state !== 'open') return;
  const renewed: { status: LicenseStatus; reason: string | null } | undefined = await tx('licenses as l')
    .join('applications as a', 'a.renews_id', 'l.id')
    .where({ 'a.id': applicationId })
    .first({ status: 'l.status', reason: 'l.status_reason' });
  if (renewed?.status !== 'revoked') return;
  await endRenewal(tx, policy, invoice, { reason: renewed.reason ?? '', at });
}

/** The office's words stay in the record, which can be erased; the event says why in a code. */
async function endRenewal(
  tx: Knex,
  policy: ClosingPolicy,
  invoice: CollectedInvoice,
  { reason, by, origin, at }: Pick<ByOffice, 'reason' | 'at'> & Partial<Pick<ByOffice, 'by' | 'origin'>>,
): Promise<void> {
  const { id, applicationId, companyId, state } = invoice;
  if (!applicationId || state !== 'open') return;
  const isNew = await recordEvent(tx, {
    key: cancelledKey(applicationId),
    type: 'application.cancelled',
    applicationId,
    companyId,
    ...(by ? { by } : {}),
    data: { code: 'license_revoked', invoiceId: id },
    origin,
    at,
  });
  if (!isNew) return;
  await closeAsLapsed(tx, policy, invoice, at);
  await moveApplication(tx, { id: applicationId, to: 'cancelled', at });
  await noteClosingReason(tx, applicationId, reason);
}

const cancelledKey = (id: ApplicationId): string => `activation/${id}/cancelled/license-revoked`;

export interface CancelledRenewal {
  readonly applicationId: ApplicationId;
  readonly invoiceId: InvoiceId;
}

/** Whose processes are to be told that nobody waits for the money any more. */
export async function cancelledRenewals(db: Knex, licenseId: LicenseId): Promise<CancelledRenewal[]> {
  return db('events as e')
    .join('applications as a', 'a.id', 'e.application_id')
    .where({ 'a.renews_id': licenseId, 'a.state': 'cancelled' })
    .whereRaw(`e.key = 'activation/' || a.id || '/cancelled/license-revoked'`)
    .select({ applicationId: 'a.id', invoiceId: db.raw(`(e.data ->> 'invoiceId')::uuid`) });
}
