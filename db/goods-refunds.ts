/**
 * Money of units that goes back, out of what paid for them: invoice by invoice, first the captures in their order, then what
 * credit had paid, which becomes credit again. The units' parts say which lines of the invoice are taken back.
 */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import {
  asId,
  type CompanyId,
  type InvoiceId,
  type OrderId,
  type PaymentId,
  type RefundId,
  type ReturnId,
  type UserId,
} from '../domain/ids.ts';
import { allotByLargestRemainder, type CreditShare, creditShares, type RemainingLine } from '../domain/invoicing.ts';
import { goodsCredited } from '../domain/ledger.ts';
import { type Currency, money } from '../domain/money.ts';
import { SHIPPING_LINE } from '../domain/order-money.ts';
import { lesser, type MoneyPolicy } from '../domain/payments.ts';
import type { RefundReason } from '../domain/refunds.ts';
import type { UnitCost, UnitName } from '../domain/return-money.ts';
import type { ReturnPolicy } from '../domain/returns.ts';
import { grantCredit, grantedPartOf } from './credit-grants.ts';
import { issueCreditNoteOfLines } from './credit-notes.ts';
import { recordEvent } from './events.ts';
import { lockInvoice } from './invoices.ts';
import { postEntry } from './ledger.ts';
import { fits, remainingLines } from './refund-lines.ts';
import { leftOfPayment, requestRefund } from './refund-requests.ts';
import { returnPolicy } from './shop-policies.ts';
import { namedUuid } from './uuids.ts';

export interface PayBack {
  /** Of what it is for: the same one pays once. */
  readonly key: string;
  readonly orderId: OrderId;
  readonly returnId: ReturnId | null;
  readonly companyId: CompanyId;
  /** What goes back of each unit, in the parts of its cost. */
  readonly units: readonly (UnitName & UnitCost)[];
  /** It becomes credit instead of going the way that it came. */
  readonly asCredit: boolean;
  readonly reason: RefundReason;
  /** Who in the office agreed to it; they do not agree to the refund as well. null = Alur by policy. */
  readonly requestedBy: UserId | null;
  readonly requestedByPayer?: boolean;
  readonly policy: Pick<MoneyPolicy, 'refundApprovalAbove'>;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
}

export interface PaidBack {
  readonly refundIds: readonly RefundId[];
  /** Given as credit already; minor units. */
  readonly creditMinor: bigint;
  /** What nothing could be found for: a payment was reversed, or given back by hand before. */
  readonly shortMinor: bigint;
}

/**
 * In the caller's transaction, which has locked the order and claims the units' money. A repeat finds what was done. The
 * refunds' processes are started by the caller afterwards, or by the minute's sweep.
 */
export async function payBack(tx: Knex, wish: PayBack): Promise<PaidBack> {
  const invoices = await chargesOf(tx, wish.units);
  const before = await doneBefore(tx, wish.key, invoices);
  if (before) return before;
  const totalMinor = invoices.reduce((sum, { lines }) => sum + sumOf(lines), 0n);
  const refundIds: RefundId[] = [];
  let [creditMinor, shortMinor] = [0n, 0n];
  for (const invoice of invoices) {
    const { id } = invoice;
    await lockInvoice(tx, id);
    let lines = invoice.lines;
    for (const paymentId of await capturesOf(tx, id)) {
      const part = lesser(await leftOfPayment(tx, paymentId), sumOf(lines));
      if (part <= 0n) continue;
      const [taken, rest] = cut(lines, part);
      refundIds.push(await askFor(tx, wish, { paymentId, amountMinor: part, lines: taken, totalMinor }));
      lines = rest;
    }
    const credit = lesser(await creditLeftOf(tx, id), sumOf(lines));
    if (credit > 0n) {
      const [taken, rest] = cut(lines, credit);
      await giveAsCredit(tx, wish, invoice, { amountMinor: credit, lines: taken });
      creditMinor += credit;
      lines = rest;
    }
    shortMinor += sumOf(lines);
  }
  return { refundIds, creditMinor, shortMinor };
}

interface Charged {
  readonly id: InvoiceId;
  readonly currency: Currency;
  readonly lines: readonly CreditShare[];
}

const sumOf = (lines: readonly CreditShare[]): bigint =>
  lines.reduce((sum, { netMinor, taxMinor }) => sum + netMinor + taxMinor, 0n);

const CHARGES = `
  select i.id, i.currency, l.position, sum(u.net)::bigint as "netMinor", sum(u.tax)::bigint as "taxMinor"
  from (
    select g.item, g.number, 'goods' as what, g.net, g.tax from jsonb_to_recordset(cast(:units as jsonb)) as
      g (item uuid, number smallint, net bigint, tax bigint)
    union all
    select g.item, g.number, 'shipping', g."shippingNet", g."shippingTax" from jsonb_to_recordset(cast(:units as jsonb)) as
      g (item uuid, number smallint, "shippingNet" bigint, "shippingTax" bigint)) u
  join order_units o on o.order_item_id = u.item and o.number = u.number
  join order_items t on t.id = u.item
  join invoices i on i.id = o.invoice_id
  left join lateral (
    select min(l.position) as position from invoice_lines l
    where l.invoice_id = i.id and l.code = case u.what when 'goods' then t.sku else :shipping end) l on true
  where u.net + u.tax > 0
  group by i.id, i.currency, i.issued_at, l.position
  order by i.issued_at, i.id, l.position`;

/** By the invoice that charged it and the line on which it did; an invoice that has no such line keeps the amount. */
async function chargesOf(tx: Knex, units: PayBack['units']): Promise<Charged[]> {
  const { rows }: { rows: (Omit<Charged, 'lines'> & CreditShare)[] } = await tx.raw(CHARGES, {
    shipping: SHIPPING_LINE,
    units: JSON.stringify(
      units.map((unit) => ({
        item: unit.orderItemId,
        number: unit.number,
        net: unit.netMinor.toString(),
        tax: unit.taxMinor.toString(),
        shippingNet: unit.shippingNetMinor.toString(),
        shippingTax: unit.shippingTaxMinor.toString(),
      })),
    ),
  });
  const ids = [...new Set(rows.map(({ id }) => id))];
  return ids.flatMap((id) => {
    const ofInvoice = rows.filter((row) => row.id === id);
    const lines = ofInvoice.map(({ position, netMinor, taxMinor }) => ({ position, netMinor, taxMinor }));
    return ofInvoice[0] ? [{ id, currency: ofInvoice[0].currency, lines }] : [];
  });
}

/** So much of these lines, one after the other, and what is left of them. */
function cut(lines: readonly CreditShare[], amountMinor: bigint): [CreditShare[], CreditShare[]] {
  const [taken, rest]: [CreditShare[], CreditShare[]] = [[], []];
  let open = amountMinor;
  for (const line of lines) {
    const part = lesser(open, line.netMinor + line.taxMinor);
    open -= part;
    const [netMinor = 0n, taxMinor = 0n] =
      part > 0n ? allotByLargestRemainder(part, [line.netMinor, line.taxMinor]) : [];
    const { position } = line;
    if (part > 0n) taken.push({ position, netMinor, taxMinor });
    if (part < line.netMinor + line.taxMinor)
      rest.push({ position, netMinor: line.netMinor - netMinor, taxMinor: line.taxMinor - taxMinor });
  }
  return [taken, rest];
}

const capturesOf = (tx: Knex, invoiceId: InvoiceId): Promise<PaymentId[]> =>
  tx('payments').where({ invoice_id: invoiceId, state: 'paid' }).orderBy(['attempt', 'id']).pluck<PaymentId[]>('id');

const refundIdOf = (key: string, paymentId: PaymentId): RefundId =>
  asId<RefundId>(namedUuid(`goods-refund/${key}/${paymentId}`));

async function askFor(
  tx: Knex,
  wish: PayBack,
  part: {
    readonly paymentId: PaymentId;
    readonly amountMinor: bigint;
    readonly lines: readonly CreditShare[];
    readonly totalMinor: bigint;
  },
): Promise<RefundId> {
  const { orderId, returnId, reason, requestedBy, policy, at, origin } = wish;
  const { id } = await requestRefund(tx, {
    id: refundIdOf(wish.key, part.paymentId),
    paymentId: part.paymentId,
    amountMinor: part.amountMinor,
    reason,
    requestedBy,
    requestedByPayer: wish.requestedByPayer ?? false,
    policy,
    at,
    origin,
    orderId,
    returnId,
    wantedLines: part.lines,
    ofTotalMinor: part.totalMinor,
    wantedChannel: wish.asCredit ? 'store_credit' : 'gateway',
  });
  return id;
}

// ---- what credit had paid -------------------------------------------------------------------------------------------

const CREDIT_LEFT = `
  select coalesce(sum(p.amount_minor), 0)::bigint as left from ledger_entries e join ledger_postings p on p.entry_id = e.id
  where e.invoice_id = ? and e.kind in ('credit_applied', 'credit_returned', 'goods_credited') and p.account = 'store_credit'`;

async function creditLeftOf(tx: Knex, invoiceId: InvoiceId): Promise<bigint> {
  const { rows }: { rows: { left: bigint }[] } = await tx.raw(CREDIT_LEFT, [invoiceId]);
  return rows[0]?.left ?? 0n;
}

const creditKey = (key: string, invoiceId: InvoiceId): string => `goods-credit/${key}/${invoiceId}`;

async function giveAsCredit(
  tx: Knex,
  wish: PayBack,
  { id, currency }: Charged,
  { amountMinor, lines }: { readonly amountMinor: bigint; readonly lines: readonly CreditShare[] },
): Promise<void> {
  const { companyId, reason, at } = wish;
  const key = creditKey(wish.key, id);
  const data = { invoiceId: id, amountMinor: amountMinor.toString(), currency };
  const subject = wish.returnId ? (`rma/${wish.returnId}` as const) : (`order/${wish.orderId}` as const);
  if (!(await recordEvent(tx, { key, type: 'invoice.credited', companyId, subject, data, at }))) return;
  const remaining = await remainingLines(tx, id);
  const shares = fits(lines, remaining, amountMinor) ? lines : creditShares(remaining, amountMinor);
  await postEntry(tx, {
    key,
    kind: 'goods_credited',
    currency,
    postings: goodsCredited(sharesByKind(shares, remaining)),
    companyId,
    invoiceId: id,
    at,
  });
  await issueCreditNoteOfLines(tx, { invoiceId: id, lines: shares, reason, at });
  // Credit that never ends does not begin to.
  const grantedMinor = lesser(amountMinor, await grantedPartOf(tx, id));
  await grantForGoods(tx, { companyId, returnId: wish.returnId, key, amountMinor: grantedMinor, currency, at });
}

function sharesByKind(shares: readonly CreditShare[], remaining: readonly RemainingLine[]) {
  const kindOf = (position: number) => remaining.find((line) => line.position === position)?.kind ?? 'service';
  const net = (kind: RemainingLine['kind']) =>
    shares.reduce((sum, { position, netMinor }) => (kindOf(position) === kind ? sum + netMinor : sum), 0n);
  return {
    serviceMinor: net('service'),
    statutoryMinor: net('statutory'),
    taxMinor: shares.reduce((sum, { taxMinor }) => sum + taxMinor, 0n),
  };
}

/** Credit for goods ends as the policy of their return says, or the one in force for what was cancelled; or never. */
export async function grantForGoods(
  tx: Knex,
  given: {
    readonly companyId: CompanyId;
    readonly returnId: ReturnId | null;
    readonly key: string;
    readonly amountMinor: bigint;
    readonly currency: Currency;
    readonly at: string;
  },
): Promise<void> {
  const { companyId, key, amountMinor, currency, at } = given;
  const { creditExpiresAfterMonths } = await policyOf(tx, given.returnId, at);
  if (creditExpiresAfterMonths === null) return;
  const amount = money(amountMinor, currency);
  await grantCredit(tx, { companyId, key, amount, expiresAfterMonths: creditExpiresAfterMonths, at });
}

async function policyOf(tx: Knex, returnId: ReturnId | null, at: string): Promise<ReturnPolicy> {
  const row: { policy: ReturnPolicy } | undefined =
    returnId === null ? undefined : await tx('returns').where({ id: returnId }).first('policy');
  return row?.policy ?? returnPolicy(tx, new Date(at));
}

// ---- a repeat -------------------------------------------------------------------------------------------------------

/** All of it is one transaction: what is there of it is all of it. */
async function doneBefore(tx: Knex, key: string, invoices: readonly Charged[]): Promise<PaidBack | null> {
  const ids = invoices.map(({ id }) => id);
  const payments = await tx('payments').whereIn('invoice_id', ids).pluck<PaymentId[]>('id');
  const refunds: { id: RefundId; amount: bigint }[] = await tx('refunds')
    .whereIn(
      'id',
      payments.map((id) => refundIdOf(key, id)),
    )
    .select({ id: 'id', amount: 'amount_minor' });
  const credits: { amount: bigint }[] = await tx('ledger_entries as e')
    .join('ledger_postings as p', 'p.entry_id', 'e.id')
    .whereIn(
      'e.key',
      ids.map((id) => creditKey(key, id)),
    )
    .where('p.account', 'store_credit')
    .select({ amount: tx.raw('-p.amount_minor') });
  if (refunds.length + credits.length === 0) return null;
  const sum = (rows: readonly { readonly amount: bigint }[]) => rows.reduce((total, { amount }) => total + amount, 0n);
  const creditMinor = sum(credits);
  const wanted = invoices.reduce((total, { lines }) => total + sumOf(lines), 0n);
  return { refundIds: refunds.map(({ id }) => id), creditMinor, shortMinor: wanted - sum(refunds) - creditMinor };
}
