import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { CompanyId, PaymentId, RefundId, UserId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { RefundState } from '../domain/refunds.ts';
import type { AfterInTime } from './applications.ts';
import { recordEvent } from './events.ts';
import { seenOnly } from './invoice-reads.ts';
import { type Refund, type RefundRow, refundQuery, toRefund } from './refunds.ts';

/** null when there is no such refund, or the viewer may not see it. */
export async function refundSeenBy(db: Knex, viewer: Actor, id: RefundId): Promise<Refund | null> {
  const row: RefundRow | undefined = await refundQuery(db)
    .where('r.id', id)
    .modify((query) => seenOnly(query, viewer, 'r.company_id'))
    .first();
  return row ? toRefund(row) : null;
}

export interface RefundFilter {
  readonly state?: RefundState | undefined;
  readonly paymentId?: PaymentId | undefined;
  readonly companyId?: CompanyId | undefined;
  readonly after: AfterInTime | null;
  readonly limit: number;
}

/** Newest first. */
export async function listRefunds(db: Knex, viewer: Actor, filter: RefundFilter): Promise<Refund[]> {
  const { state, paymentId, companyId, after, limit } = filter;
  const rows: RefundRow[] = await refundQuery(db)
    .modify((query) => {
      seenOnly(query, viewer, 'r.company_id');
      if (state) query.where('r.state', state);
      if (paymentId) query.where('r.payment_id', paymentId);
      if (companyId) query.where('r.company_id', companyId);
      if (after) query.whereRaw('(r.requested_at, r.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'r.requested_at', order: 'desc' },
      { column: 'r.id', order: 'desc' },
    ])
    .limit(limit);
  return rows.map(toRefund);
}

/** What has happened to it, oldest first: the payer is told when, not by whom. */
export async function stepsOfRefund(db: Knex, id: RefundId): Promise<{ readonly step: string; readonly at: Date }[]> {
  const rows: { type: string; at: Date }[] = await db('events')
    .where({ subject: `refund/${id}` })
    .whereLike('type', 'refund.%')
    .orderBy('id')
    .select({ type: 'type', at: 'occurred_at' });
  return rows.map(({ type, at }) => ({ step: type.slice('refund.'.length), at }));
}

/** In whose names an account may be: the company's, and those of the people who act for it. */
export async function payerNames(db: Knex, companyId: CompanyId): Promise<string[]> {
  const company: { name: string } | undefined = await db('companies').where({ id: companyId }).first('name');
  const people = await db('company_members as m')
    .join('users as u', 'u.id', 'm.user_id')
    .where('m.company_id', companyId)
    .pluck<string[]>('u.name');
  return company ? [company.name, ...people] : people;
}

export interface SealedDestination {
  readonly bankCode: string;
  readonly accountNumber: Buffer;
  readonly accountHolder: Buffer;
  readonly nameMatches: boolean;
  readonly companyName: string;
}

/** Where finance transfers it; null while the payer has given no account. */
export async function sealedDestination(db: Knex, id: RefundId): Promise<SealedDestination | null> {
  const row: SealedDestination | undefined = await db('refunds as r')
    .join('companies as c', 'c.id', 'r.company_id')
    .where('r.id', id)
    .whereNotNull('r.account_number_encrypted')
    .first({
      bankCode: 'r.bank_code',
      accountNumber: 'r.account_number_encrypted',
      accountHolder: 'r.account_holder_encrypted',
      nameMatches: 'r.name_matches',
      companyName: 'c.name',
    });
  return row ?? null;
}

/** Committed before the answer goes out: no event, no answer. Each reading is one of its own. */
export async function recordAccountRead(
  db: Knex,
  read: {
    readonly refund: Pick<Refund, 'id' | 'companyId'>;
    readonly by: UserId;
    readonly origin: Origin;
    readonly at: Date;
  },
): Promise<void> {
  await recordEvent(db, {
    key: `personal-data/read/${randomUUID()}`,
    type: 'personal_data.read',
    companyId: read.refund.companyId,
    by: read.by,
    subject: `refund/${read.refund.id}`,
    origin: read.origin,
    data: { fields: ['account_number', 'account_holder'], reason: 'transfer of a refund' },
    at: read.at.toISOString(),
  });
}
