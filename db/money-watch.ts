/** What waits in vain around money: notices that no process was told of, refunds that none has in hand, payments that are stuck. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type InvoiceId,
  type PaymentCaseId,
  type PaymentId,
  type RefundId,
} from '../domain/ids.ts';
import { type Currency, money } from '../domain/money.ts';
import type { GatewayName } from '../domain/payments.ts';
import { writeLetter } from './account-letters.ts';
import { closeCleared, openPaymentCase } from './payment-cases.ts';
import { AT_GATEWAY } from './payment-inbox.ts';
import { usersWithRole } from './staff.ts';

/** A payment or refund that was written about. */
export interface UntoldNotice {
  readonly inboxId: string;
  readonly gateway: GatewayName;
  /** Our own name of the payment. */
  readonly reference: string;
  readonly invoiceId: InvoiceId;
  readonly refundId: RefundId | null;
  readonly refundIds: readonly RefundId[];
}

/**
 * Stored notices that nobody has looked into, the oldest first.
 * @param since.receivedBefore younger ones are being told by the API that took them
 * @param since.toldBefore of those that a sweep has told of: when it did so last
 */
export async function untoldNotices(
  db: Knex,
  since: { receivedBefore: string; toldBefore: string },
  limit: number,
): Promise<UntoldNotice[]> {
  const { rows }: { rows: NoticeRow[] } = await db.raw(
    `select i.id, i.gateway, p.gateway_reference as reference, p.invoice_id, i.refund_id,
        array(select r.id from refunds r where r.payment_id = p.id and r.state in (${AT_GATEWAY})) as refund_ids
       from payment_inbox i join payments p on p.id = i.payment_id
      where i.handled_at is null and i.received_at < ? and (i.told_at is null or i.told_at < ?)
      order by i.received_at, i.id limit ?`,
    [since.receivedBefore, since.toldBefore, limit],
  );
  return rows.map(({ id, gateway, reference, invoice_id, refund_id, refund_ids }) => ({
    inboxId: String(id),
    gateway,
    reference,
    invoiceId: asId<InvoiceId>(invoice_id),
    refundId: refund_id === null ? null : asId<RefundId>(refund_id),
    refundIds: (refund_id === null ? refund_ids : [refund_id]).map((one) => asId<RefundId>(one)),
  }));
}

interface NoticeRow {
  readonly id: bigint;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly invoice_id: string;
  readonly refund_id: string | null;
  readonly refund_ids: readonly string[];
}

/** A process has accepted the message. What a refund's process has accepted is done with; a payment's marks it itself. */
export async function noteTold(db: Knex, inboxIds: readonly string[], at: string): Promise<void> {
  await db('payment_inbox')
    .whereIn('id', [...inboxIds])
    .update({
      told_at: at,
      handled_at: db.raw('case when refund_id is null then handled_at else ?::timestamptz end', [at]),
    });
}

/** Something about money that does not move. */
interface Stuck {
  readonly key: string;
  readonly kind: 'stuck_paid' | 'stuck_unknown';
  readonly reference: string;
  readonly gateway: GatewayName;
  readonly since: Date;
  readonly paymentId: PaymentId | null;
  readonly refundId: RefundId | null;
  readonly invoiceId: InvoiceId;
  readonly applicationId: ApplicationId | null;
  readonly companyId: CompanyId;
  readonly amountMinor: bigint;
  readonly currency: Currency;
}

const OF_STUCK = `k.state = 'open' and k.kind =`;

/** Paid and not active. An invoice that credit alone has paid knows no gateway: the office's first stands for it. */
const STUCK_PAID = `
  select 'stuck_paid/' || i.id as key, 'stuck_paid' as kind, i.number as reference, coalesce(p.gateway, :gateway) as gateway,
      i.paid_at as since, p.id as "paymentId", null::uuid as "refundId", i.id as "invoiceId", a.id as "applicationId",
      i.company_id as "companyId", i.total_minor as "amountMinor", i.currency
    from applications a join invoices i on i.application_id = a.id and i.state = 'paid'
    left join lateral (select id, gateway from payments where invoice_id = i.id and state = 'paid' order by attempt desc limit 1) p on true
   where a.state = 'activating' and i.paid_at < :before
     and not exists (select from events e where e.key = 'stuck_paid/' || i.id)
   order by i.paid_at limit :limit`;

/** The moment belongs to the key: what was clear in between and is unclear again is a case of its own. */
const STUCK_PAYMENTS = `
  select 'stuck_unknown/' || p.id || '/' || extract(epoch from p.updated_at) as key, 'stuck_unknown' as kind,
      p.gateway_reference as reference, p.gateway, p.updated_at as since, p.id as "paymentId", null::uuid as "refundId", i.id as "invoiceId",
      i.application_id as "applicationId", i.company_id as "companyId", p.amount_minor as "amountMinor", p.currency
    from payments p join invoices i on i.id = p.invoice_id
   where p.state = 'unknown' and p.updated_at < :before
     and not exists (select from payment_cases k where ${OF_STUCK} 'stuck_unknown' and k.payment_id = p.id and k.refund_id is null)
     and not exists (select from events e where e.key = 'stuck_unknown/' || p.id || '/' || extract(epoch from p.updated_at))
   order by p.updated_at limit :limit`;

/**
 * The gateway still calls it pending though its page is over for longer than its process goes on asking (72 hours): one that is
 * under way cannot be ended, and a notice may never come.
 */
const STUCK_PENDING = `
  select 'stuck_unknown/' || p.id || '/pending' as key, 'stuck_unknown' as kind,
      p.gateway_reference as reference, p.gateway, p.expires_at as since, p.id as "paymentId", null::uuid as "refundId", i.id as "invoiceId",
      i.application_id as "applicationId", i.company_id as "companyId", p.amount_minor as "amountMinor", p.currency
    from payments p join invoices i on i.id = p.invoice_id
   where p.state = 'pending' and p.expires_at < cast(:before as timestamptz) - interval '96 hours'
     and not exists (select from payment_cases k where ${OF_STUCK} 'stuck_unknown' and k.payment_id = p.id and k.refund_id is null)
     and not exists (select from events e where e.key = 'stuck_unknown/' || p.id || '/pending')
   order by p.expires_at limit :limit`;

const STUCK_REFUNDS = `
  select 'stuck_unknown/' || r.id || '/' || extract(epoch from r.updated_at) as key, 'stuck_unknown' as kind,
      r.id::text as reference, p.gateway, r.updated_at as since, p.id as "paymentId", r.id as "refundId", i.id as "invoiceId",
      i.application_id as "applicationId", r.company_id as "companyId", r.amount_minor as "amountMinor", r.currency
    from refunds r join payments p on p.id = r.payment_id join invoices i on i.id = r.invoice_id
   where r.state = 'unknown' and r.updated_at < :before
     and not exists (select from payment_cases k where ${OF_STUCK} 'stuck_unknown' and k.refund_id = r.id)
     and not exists (select from events e where e.key = 'stuck_unknown/' || r.id || '/' || extract(epoch from r.updated_at))
   order by r.updated_at limit :limit`;

export interface StuckOptions {
  readonly at: string;
  /** ISO 8601: what has not moved since. */
  readonly before: string;
  readonly limit: number;
  /** Stands in a case about an invoice that no gateway has paid. */
  readonly gateway: GatewayName;
}

export interface Opened {
  readonly kind: Stuck['kind'];
  readonly reference: string;
}

/**
 * Opens a case for each payment, refund or paid invoice that does not move, once, and writes to finance and supervisors
 * about those of this time: one transaction.
 * @returns what was opened, at most `limit` of each of four sorts
 */
export async function openStuckCases(db: Knex, options: StuckOptions): Promise<Opened[]> {
  return db.transaction(async (tx) => {
    const opened: Opened[] = [];
    for (const statement of [STUCK_PAID, STUCK_PAYMENTS, STUCK_PENDING, STUCK_REFUNDS]) {
      const { rows }: { rows: Stuck[] } = await tx.raw(statement, { ...options });
      for (const stuck of rows) if (await openCase(tx, stuck, options.at)) opened.push(stuck);
    }
    if (opened.length > 0) await writeToStaff(tx, opened, options.at);
    return opened.map(({ kind, reference }) => ({ kind, reference }));
  });
}

const openCase = (tx: Knex, { since, amountMinor, currency, ...stuck }: Stuck, at: string): Promise<boolean> =>
  openPaymentCase(tx, { ...stuck, amount: money(amountMinor, currency), facts: { since: since.toISOString() }, at });

/** Names in one letter: a longer list is read where it can be worked on. */
const MOST_NAMED = 20;

async function writeToStaff(tx: Knex, opened: readonly Opened[], at: string): Promise<void> {
  const people = await Promise.all((['finance', 'supervisor'] as const).map((role) => usersWithRole(tx, role)));
  const named = (kind: Stuck['kind']): string[] =>
    opened
      .filter((one) => one.kind === kind)
      .slice(0, MOST_NAMED)
      .map(({ reference }) => reference);
  const data = { count: opened.length, paid: named('stuck_paid'), unclear: named('stuck_unknown') };
  for (const userId of new Set(people.flat()))
    await writeLetter(tx, { id: randomUUID(), template: 'money_stuck', data, at: new Date(at), userId });
}

/** Open cases of both kinds whose matter has moved on since. */
const CLEARED = `
  select k.id from payment_cases k
    left join applications a on a.id = k.application_id
    left join payments p on p.id = k.payment_id
    left join refunds r on r.id = k.refund_id
   where k.state = 'open' and k.kind in ('stuck_paid', 'stuck_unknown')
     and case when k.kind = 'stuck_paid' then a.state is distinct from 'activating'
              when k.refund_id is not null then r.state <> 'unknown'
              else p.state not in ('unknown', 'pending') or (p.state = 'pending' and p.expires_at > k.opened_at - interval '96 hours') end
   order by k.id limit ?`;

/** Closes what has cleared up by itself. @returns how many */
export async function closeClearedCases(db: Knex, { at, limit }: { at: string; limit: number }): Promise<number> {
  const { rows }: { rows: { id: PaymentCaseId }[] } = await db.raw(CLEARED, [limit]);
  for (const { id } of rows) await closeCleared(db, id, 'cleared', at);
  return rows.length;
}

/** How much is stuck now, by kind. */
export async function countStuck(db: Knex): Promise<ReadonlyMap<string, number>> {
  const { rows }: { rows: { kind: string; count: bigint }[] } = await db.raw(
    `select kind, count(*) from payment_cases where state = 'open' and kind in ('stuck_paid', 'stuck_unknown') group by kind`,
  );
  return new Map(rows.map(({ kind, count }) => [kind, Number(count)]));
}
