/** What a refund takes back of its invoice, line by line, and what stands of it in the books. */
import type { Knex } from 'knex';
import type { InvoiceId, RefundId } from '../domain/ids.ts';
import { type CreditShare, creditShares, type RemainingLine, withoutCredits } from '../domain/invoicing.ts';
import {
  type EntryKind,
  type Posting,
  type RefundPaidFrom,
  type RefundSource,
  refundCameBack,
  refundPaid,
  refundReleased,
  refundReserved,
  reversed,
  type Shares,
  suspenseApplied,
} from '../domain/ledger.ts';
import { type InvoiceState, isOwed, type PaymentState } from '../domain/payments.ts';
import { takeBackFromInvoice } from './invoice-payments.ts';
import { postEntry } from './ledger.ts';
import { changeApplied } from './payments.ts';
import type { Refund } from './refunds.ts';

type Step = 'taken-off' | 'reserved' | 'released' | 'paid' | 'came-back';

const KINDS: Record<Step, EntryKind> = {
  'taken-off': 'suspense_applied',
  reserved: 'refund_reserved',
  released: 'refund_released',
  paid: 'refund_paid',
  'came-back': 'refund_came_back',
};

async function post(tx: Knex, refund: Refund, step: Step, postings: readonly Posting[], at: string): Promise<void> {
  await postEntry(tx, {
    key: `refund/${refund.id}/${step}`,
    kind: KINDS[step],
    currency: refund.amount.currency,
    postings,
    companyId: refund.companyId,
    invoiceId: refund.invoiceId,
    paymentId: refund.paymentId,
    refundId: refund.id,
    gateway: refund.gateway,
    at,
  });
}

/** What a refund hangs on, under its lock. */
export interface RefundGround {
  readonly paymentState: PaymentState;
  readonly invoiceState: InvoiceState;
  /** Whether it stands as owed in the books: since it was reserved, until it was released. */
  readonly isReserved: boolean;
}

export async function groundOf(tx: Knex, refund: Pick<Refund, 'id' | 'paymentId'>): Promise<RefundGround> {
  const row: RefundGround | undefined = await tx('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('p.id', refund.paymentId)
    .first({
      paymentState: 'p.state',
      invoiceState: 'i.state',
      isReserved: tx.raw('exists (select from ledger_entries e where e.key = ?)', [`refund/${refund.id}/reserved`]),
    });
  if (!row) throw new Error(`payment ${refund.paymentId} does not exist`);
  return row;
}

/**
 * Books it as owed, and fixes which lines of the invoice it takes back. Only a paid invoice is credited: of one that is
 * still to be paid the money is taken off first, and of one that nobody has to pay it is in suspense already.
 */
export async function bookReserved(tx: Knex, refund: Refund, invoiceState: InvoiceState, at: string): Promise<void> {
  if (refund.source === 'invoice' && invoiceState === 'paid') {
    await post(tx, refund, 'reserved', refundReserved(await fixLines(tx, refund)), at);
    return;
  }
  if (refund.source === 'invoice') {
    if (isOwed(invoiceState)) await takeOff(tx, refund, at);
    await tx('refunds').where({ id: refund.id }).update({ source: 'suspense' });
  }
  await post(tx, refund, 'reserved', refundReserved(fromSuspense(refund)), at);
}

const fromSuspense = (refund: Refund): RefundSource => ({ from: 'suspense', amountMinor: refund.amount.amountMinor });

async function takeOff(tx: Knex, refund: Refund, at: string): Promise<void> {
  const { amountMinor } = refund.amount;
  await takeBackFromInvoice(tx, { invoiceId: refund.invoiceId, amountMinor, data: { refundId: refund.id }, at });
  await changeApplied(tx, refund.paymentId, -amountMinor);
  await post(tx, refund, 'taken-off', reversed(suspenseApplied(amountMinor)), at);
}

/** No longer owed. */
export async function bookReleased(tx: Knex, refund: Refund, at: string): Promise<void> {
  await post(tx, refund, 'released', refundReleased(await sourceOf(tx, refund)), at);
}

export async function bookPaid(tx: Knex, refund: Refund, from: RefundPaidFrom, at: string): Promise<void> {
  await post(tx, refund, 'paid', refundPaid(refund.amount.amountMinor, from), at);
}

/**
 * It had arrived and came back. A credit note is never undone, so what it credited stays credited; the money is the payer's
 * still and waits in suspense, where the next refund of the payment finds it.
 */
export async function bookCameBack(tx: Knex, refund: Refund, to: RefundPaidFrom, at: string): Promise<void> {
  await post(tx, refund, 'came-back', refundCameBack(refund.amount.amountMinor, to), at);
  await post(tx, refund, 'released', refundReleased(fromSuspense(refund)), at);
}

interface LineRow extends RemainingLine {
  readonly takenNet: bigint;
  readonly takenTax: bigint;
}

// What other refunds have reserved or credited is taken; a refund that failed before it had arrived has given it back.
const LINES = `
  select l.position, l.kind, l.net_minor as "netMinor", l.tax_minor as "taxMinor",
    coalesce(t.net, 0) + coalesce(c.net, 0) as "takenNet", coalesce(t.tax, 0) + coalesce(c.tax, 0) as "takenTax"
  from invoice_lines l
  left join (
    select x.position, sum(x.net_minor)::bigint as net, sum(x.tax_minor)::bigint as tax
    from refund_lines x join refunds r on r.id = x.refund_id
    where x.invoice_id = :invoiceId and (r.state not in ('rejected', 'cancelled', 'failed')
      or exists (select from credit_notes c where c.refund_id = r.id))
    group by x.position) t on t.position = l.position
  left join (
    select n.position, sum(n.net_minor)::bigint as net, sum(n.tax_minor)::bigint as tax
    from credit_note_lines n join credit_notes c on c.id = n.credit_note_id
    where c.invoice_id = :invoiceId and c.refund_id is null
    group by n.position) c on c.position = l.position
  where l.invoice_id = :invoiceId
  order by l.position`;

/** What is left of an invoice's lines to take back. The caller has locked the invoice. */
export async function remainingLines(tx: Knex, invoiceId: InvoiceId): Promise<RemainingLine[]> {
  const { rows }: { rows: LineRow[] } = await tx.raw(LINES, { invoiceId });
  return withoutCredits(rows).map(({ position, kind, netMinor, taxMinor }, index) => ({
    position,
    kind,
    netMinor: netMinor - (rows[index]?.takenNet ?? 0n),
    taxMinor: taxMinor - (rows[index]?.takenTax ?? 0n),
  }));
}

interface WantedLine {
  readonly position: number;
  readonly netMinor: string;
  readonly taxMinor: string;
}

/** The lines that were asked for, where they come to the amount and are still there; else of each line its share. */
async function sharesFor(tx: Knex, refund: Refund, remaining: readonly RemainingLine[]): Promise<CreditShare[]> {
  const row: { wanted: readonly WantedLine[] | null } | undefined = await tx('refunds')
    .where({ id: refund.id })
    .first({ wanted: 'wanted_lines' });
  const { amountMinor } = refund.amount;
  const wanted = row?.wanted?.map(({ position, netMinor, taxMinor }) => ({
    position,
    netMinor: BigInt(netMinor),
    taxMinor: BigInt(taxMinor),
  }));
  return wanted && fits(wanted, remaining, amountMinor) ? wanted : creditShares(remaining, amountMinor);
}

export function fits(
  wanted: readonly CreditShare[],
  remaining: readonly RemainingLine[],
  amountMinor: bigint,
): boolean {
  const sum = wanted.reduce((total, { netMinor, taxMinor }) => total + netMinor + taxMinor, 0n);
  return (
    sum === amountMinor &&
    wanted.every(({ position, netMinor, taxMinor }) => {
      const line = remaining.find((one) => one.position === position);
      return line !== undefined && netMinor <= line.netMinor && taxMinor <= line.taxMinor;
    })
  );
}

async function fixLines(tx: Knex, refund: Refund): Promise<RefundSource> {
  const remaining = await remainingLines(tx, refund.invoiceId);
  const parts = (await sharesFor(tx, refund, remaining)).filter(({ netMinor, taxMinor }) => netMinor + taxMinor > 0n);
  await tx('refund_lines').insert(
    parts.map(({ position, netMinor, taxMinor }) => ({
      refund_id: refund.id,
      invoice_id: refund.invoiceId,
      position,
      net_minor: netMinor,
      tax_minor: taxMinor,
    })),
  );
  return sourceOf(tx, refund);
}

/** As it was reserved. */
async function sourceOf(tx: Knex, refund: Refund): Promise<RefundSource> {
  const lines: { kind: 'service' | 'statutory'; net: bigint; tax: bigint }[] = await tx('refund_lines as x')
    .join('invoice_lines as l', (on) => on.on('l.invoice_id', 'x.invoice_id').andOn('l.position', 'x.position'))
    .where('x.refund_id', refund.id)
    .select({ kind: 'l.kind', net: 'x.net_minor', tax: 'x.tax_minor' });
  if (lines.length === 0) return fromSuspense(refund);
  const net = (kind: 'service' | 'statutory') =>
    lines.reduce((sum, line) => (line.kind === kind ? sum + line.net : sum), 0n);
  const shares: Shares = {
    serviceMinor: net('service'),
    statutoryMinor: net('statutory'),
    taxMinor: lines.reduce((sum, { tax }) => sum + tax, 0n),
  };
  return { from: 'invoice', shares };
}

/** Whether credit notes have taken back all of a paid invoice: then what it paid for is no longer paid for. */
export async function isFullyCredited(tx: Knex, invoiceId: InvoiceId): Promise<boolean> {
  const row: unknown = await tx('invoices')
    .where({ id: invoiceId, state: 'paid' })
    .whereRaw('credited_minor = total_minor')
    .first('id');
  return row !== undefined;
}

/** Whether an earlier refund of this payment was credited and came back: this one may be its second try. */
export async function isSecondTry(tx: Knex, refund: Pick<Refund, 'id' | 'paymentId'>): Promise<boolean> {
  const row: unknown = await tx('refunds as r')
    .join('credit_notes as c', 'c.refund_id', 'r.id')
    .where({ 'r.payment_id': refund.paymentId, 'r.state': 'failed' })
    .first('r.id');
  return row !== undefined;
}

export const suspensionKey = (id: RefundId): string => `refund/${id}/license-suspended`;

export async function hasSuspendedLicense(tx: Knex, id: RefundId): Promise<boolean> {
  return (
    (await tx('events')
      .where({ key: suspensionKey(id) })
      .first('id')) !== undefined
  );
}
