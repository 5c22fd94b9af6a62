/** What pays an invoice, what is taken back from it, and its end when nobody pays it in time. */
import type { Knex } from 'knex';
import type { EventType } from '../domain/events.ts';
import type { ApplicationId, InvoiceId, PaymentId } from '../domain/ids.ts';
import { creditReturned, unapplied } from '../domain/ledger.ts';
import {
  type GatewayName,
  type InvoiceState,
  isOwed,
  lesser,
  outstandingOf,
  type Payable,
} from '../domain/payments.ts';
import { CLAIMING_REFUND_STATES, type RefundState } from '../domain/refunds.ts';
import { moveApplication } from './application-moves.ts';
import { returnGrants } from './credit-grants.ts';
import { type NewEvent, recordEachTime } from './events.ts';
import { type Instalment, instalmentsOf, markInstalments, unmarkInstalments } from './instalments.ts';
import { type InvoiceForPayment, lockInvoice, postClosing } from './invoices.ts';
import { postEntry } from './ledger.ts';
import { reinstateLicenseOf, suspendLicenseOf } from './license-standing.ts';
import { changeApplied } from './payments.ts';

/** An invoice as the process that collects it needs it. */
export interface CollectedInvoice extends InvoiceForPayment, Payable {
  readonly instalments: readonly Instalment[];
}

/** Locked to the end of the transaction. */
export async function lockCollected(tx: Knex, id: InvoiceId): Promise<CollectedInvoice> {
  const invoice = await lockInvoice(tx, id);
  const instalments = await instalmentsOf(tx, id);
  return { ...invoice, instalments, inParts: instalments.length > 0 };
}

type Owners = Pick<InvoiceForPayment, 'applicationId' | 'subscriptionId' | 'companyId'> &
  Partial<Pick<InvoiceForPayment, 'orderId'>>;

/** Whose timeline an event about an invoice belongs to. */
export const subjectOf = ({ applicationId, subscriptionId, orderId, companyId }: Owners): Partial<NewEvent> => ({
  companyId,
  ...(applicationId ? { applicationId } : {}),
  ...(subscriptionId ? { subject: `subscription/${subscriptionId}` } : {}),
  ...(orderId ? { subject: `order/${orderId}` } : {}),
});

export interface ToApply {
  readonly invoiceId: InvoiceId;
  /** Minor units of the invoice's currency; what is more than is left of it is not applied. */
  readonly amountMinor: bigint;
  /** When it was paid, ISO 8601. */
  readonly paidAt?: string;
  /** What the event says of it: codes and numbers. */
  readonly data?: NewEvent['data'];
  readonly actor?: NewEvent['actor'];
  readonly at: string;
}

export interface Applied {
  readonly appliedMinor: bigint;
  /** Of the invoice, afterwards. */
  readonly state: InvoiceState;
}

/**
 * Pays an invoice with money that is in the books already, in the caller's transaction and under the caller's event. Paid in
 * full it closes: the application goes on to its licence, or gets back the one that a reversal had suspended. An invoice that
 * is neither open nor reversed takes nothing.
 */
export async function applyToInvoice(tx: Knex, given: ToApply): Promise<Applied> {
  const invoice = await lockInvoice(tx, given.invoiceId);
  const left = isOwed(invoice.state) ? outstandingOf(invoice) : 0n;
  const appliedMinor = lesser(given.amountMinor, left);
  if (appliedMinor <= 0n) return { appliedMinor: 0n, state: invoice.state };
  const paidMinor = invoice.paid.amountMinor + appliedMinor;
  if (appliedMinor === left) await closePaid(tx, invoice, given);
  else {
    await tx('invoices').where({ id: invoice.id }).update({ paid_minor: paidMinor });
    await tell(tx, invoice, given, 'invoice.part_paid', `invoice/${invoice.id}/part-paid`);
  }
  await markInstalments(tx, invoice.id, paidMinor, given.paidAt ?? given.at);
  return { appliedMinor, state: appliedMinor === left ? 'paid' : invoice.state };
}

async function closePaid(tx: Knex, invoice: InvoiceForPayment, given: ToApply): Promise<void> {
  const { at, paidAt = at } = given;
  const { id, applicationId, total } = invoice;
  await tx('invoices').where({ id }).update({ state: 'paid', paid_at: paidAt, paid_minor: total.amountMinor });
  const key = await tell(tx, invoice, given, 'invoice.paid', `payment/${id}/invoice-paid`);
  if (!applicationId) return;
  if (invoice.state === 'open') await moveApplication(tx, { id: applicationId, to: 'activating', at });
  else await reinstateLicenseOf(tx, { applicationId, reason: 'payment_reversed', key: `${key}/reinstated`, at });
}

/**
 * Takes back what had paid an invoice. One that was paid is `reversed` from then on, and the licence that it paid is suspended
 * in the same transaction; an open one stays open with less paid.
 */
export async function takeBackFromInvoice(tx: Knex, given: ToApply): Promise<{ readonly state: InvoiceState }> {
  const invoice = await lockInvoice(tx, given.invoiceId);
  const { id, applicationId, state } = invoice;
  const taken = lesser(given.amountMinor, invoice.paid.amountMinor);
  if (taken <= 0n || (state !== 'paid' && !isOwed(state))) return { state };
  const paidMinor = invoice.paid.amountMinor - taken;
  const after = state === 'paid' ? 'reversed' : state;
  await tx('invoices').where({ id }).update({ state: after, paid_minor: paidMinor });
  await unmarkInstalments(tx, id, paidMinor);
  const key = await tell(tx, invoice, given, 'invoice.reversed', `payment/${id}/invoice-reversed`);
  if (state === 'paid' && applicationId)
    await suspendLicenseOf(tx, { applicationId, reason: 'payment_reversed', key: `${key}/suspended`, at: given.at });
  return { state: after };
}

/** May happen to an invoice more than once. The caller's own event guards it, and the lock on the invoice. */
const tell = (tx: Knex, invoice: InvoiceForPayment, { data = {}, actor, at }: ToApply, type: EventType, key: string) =>
  recordEachTime(tx, { key, type, ...subjectOf(invoice), ...(actor ? { actor } : {}), data, at });

export interface Lapsed {
  readonly state: InvoiceState;
  /** What had paid it in parts, and waits in suspense now; the case of each is the caller's to open. */
  readonly parts: readonly { readonly reference: string; readonly amountMinor: bigint }[];
}

/**
 * Closes an open invoice that was not paid in full in time, in the books too. What payments had paid of it is in suspense
 * then; what store credit had paid is credit again.
 * @returns what the invoice is afterwards: somebody may just have paid it
 */
export async function lapseInvoice(tx: Knex, id: InvoiceId, at: string): Promise<Lapsed> {
  const invoice = await lockInvoice(tx, id);
  if (invoice.state !== 'open') return { state: invoice.state, parts: [] };
  await postClosing(tx, invoice, at);
  await giveCreditBack(tx, invoice, at);
  await tx('invoices').where({ id }).update({ state: 'lapsed', paid_minor: 0 });
  return { state: 'lapsed', parts: await unapply(tx, invoice, at) };
}

// Less what has gone back to the payer, or is booked to, as a refund of the invoice.
const PARTS = `
  select * from (
    select p.id, p.gateway, p.gateway_reference as reference, p.attempt, p.applied_minor - coalesce((select sum(l.net_minor + l.tax_minor)
        from refunds r join refund_lines l on l.refund_id = r.id
        where r.payment_id = p.id and r.state = any(:claiming)), 0)::bigint as "amountMinor",
      (select coalesce(sum(r.amount_minor), 0)::bigint from refunds r
        where r.payment_id = p.id and r.source = 'invoice' and r.state = any(:asked)
          and not exists (select from refund_lines l where l.refund_id = r.id)) as "askedMinor"
    from payments p where p.invoice_id = :id and p.state = 'paid') part
  where "amountMinor" > 0 order by attempt`;

/** What payments had paid of the invoice waits in suspense from now on, and so does what is asked back and not booked yet. */
async function unapply(tx: Knex, { id, companyId, total }: InvoiceForPayment, at: string): Promise<Lapsed['parts']> {
  type Part = Lapsed['parts'][number] & {
    readonly id: PaymentId;
    readonly attempt: number;
    readonly gateway: GatewayName;
    readonly askedMinor: bigint;
  };
  const asked = ['requested', 'approved', 'awaiting_destination'] as const satisfies readonly RefundState[];
  const { rows }: { rows: Part[] } = await tx.raw(PARTS, {
    id,
    claiming: [...CLAIMING_REFUND_STATES],
    asked: [...asked],
  });
  for (const { id: paymentId, gateway, attempt, amountMinor } of rows) {
    await postEntry(tx, {
      key: `payment/${id}/${attempt}/unapplied`,
      kind: 'unapplied',
      currency: total.currency,
      postings: unapplied(amountMinor),
      companyId,
      invoiceId: id,
      paymentId,
      gateway,
      at,
    });
    await changeApplied(tx, paymentId, -amountMinor);
  }
  await tx('refunds')
    .where({ invoice_id: id, source: 'invoice' })
    .whereIn('state', asked)
    .whereNotExists(tx('refund_lines').whereRaw('refund_lines.refund_id = refunds.id'))
    .update({ source: 'suspense' });
  // What is asked back already has its way out of suspense; only the rest needs one.
  return rows
    .map(({ reference, amountMinor, askedMinor }) => ({ reference, amountMinor: amountMinor - askedMinor }))
    .filter(({ amountMinor }) => amountMinor > 0n);
}

const CREDIT_USED = `
  select coalesce(sum(p.amount_minor), 0)::bigint as used from ledger_entries e join ledger_postings p on p.entry_id = e.id
  where e.invoice_id = ? and e.kind = 'credit_applied' and p.account = 'store_credit'`;

async function giveCreditBack(tx: Knex, invoice: InvoiceForPayment, at: string): Promise<void> {
  const { rows }: { rows: { used: bigint }[] } = await tx.raw(CREDIT_USED, [invoice.id]);
  const used = rows[0]?.used ?? 0n;
  if (used <= 0n) return;
  await postEntry(tx, {
    key: `invoice/${invoice.id}/closed/credit`,
    kind: 'credit_returned',
    currency: invoice.total.currency,
    postings: creditReturned(used),
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    at,
  });
  await returnGrants(tx, invoice.id, at);
}

/** Whether the invoice of an application, if it has one, is paid now and was not given back in full; or the licence is there. */
export async function mayBeIssued(tx: Knex, applicationId: ApplicationId): Promise<boolean> {
  const invoice: { state: InvoiceState; total: bigint; credited: bigint } | undefined = await tx('invoices')
    .where({ application_id: applicationId })
    .whereNot({ state: 'void' })
    .forUpdate()
    .first({ state: 'state', total: 'total_minor', credited: 'credited_minor' });
  if (!invoice || (invoice.state === 'paid' && invoice.credited < invoice.total)) return true;
  const issued: unknown = await tx('licenses').where({ application_id: applicationId }).first('id');
  return issued !== undefined;
}
