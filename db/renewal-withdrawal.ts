/** The owner of a renewal that waits for its payment does not want it any more. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { ApplicationId, InvoiceId, LicenseId, UserId } from '../domain/ids.ts';
import type { ApplicationState } from '../domain/licensing.ts';
import { moveApplication, noteClosingReason } from './application-moves.ts';
import { recordEvent } from './events.ts';
import { lockCollected } from './invoice-payments.ts';
import { type ClosingPolicy, closeAsLapsed } from './lapsed-invoices.ts';

export interface RenewalWithdrawal {
  readonly applicationId: ApplicationId;
  readonly by: UserId;
  /** In the owner's words. */
  readonly reason: string;
  readonly at: string;
  readonly origin?: Origin | undefined;
}

/** `withdrawn`, or what the case is instead. */
export interface RenewalWithdrawn {
  readonly state: ApplicationState;
  readonly renews: LicenseId | null;
}

/**
 * Closes the invoice and withdraws the case, in the caller's transaction. The invoice's row decides: money that came a moment
 * before wins, and the licence follows; what comes afterwards is late. An application for a first term is left as it is.
 */
export async function withdrawRenewal(
  tx: Knex,
  policy: ClosingPolicy,
  { applicationId, by, reason, at, origin }: RenewalWithdrawal,
): Promise<RenewalWithdrawn> {
  const open: { id: InvoiceId } | undefined = await tx('invoices')
    .where({ application_id: applicationId, state: 'open' })
    .first('id');
  const invoice = open && (await lockCollected(tx, open.id));
  const now = await stateOf(tx, applicationId);
  if (invoice?.state !== 'open' || now.state !== 'pending_payment' || now.renews === null) return now;
  await recordEvent(tx, {
    key: `activation/${applicationId}/withdrawn`,
    type: 'application.withdrawn',
    applicationId,
    companyId: invoice.companyId,
    by,
    data: { invoiceId: invoice.id },
    origin,
    at,
  });
  await closeAsLapsed(tx, policy, invoice, at);
  await moveApplication(tx, { id: applicationId, to: 'withdrawn', at });
  await noteClosingReason(tx, applicationId, reason);
  return { ...now, state: 'withdrawn' };
}

async function stateOf(tx: Knex, id: ApplicationId): Promise<RenewalWithdrawn> {
  const found: RenewalWithdrawn | undefined = await tx('applications')
    .where({ id })
    .first({ state: 'state', renews: 'renews_id' });
  if (!found) throw new Error(`application ${id} does not exist`);
  return found;
}

/** Whether it was withdrawn while it waited for its payment: then its activation answers for it, not its review. */
export async function wasWithdrawnUnpaid(db: Knex, applicationId: ApplicationId): Promise<boolean> {
  const event: unknown = await db('events')
    .where({ key: `activation/${applicationId}/withdrawn` })
    .first('id');
  return event !== undefined;
}
