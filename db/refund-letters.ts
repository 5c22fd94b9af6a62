/** Letters about refunds: each written into the outbox with the change that it tells of. */
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { RefundId, UserId } from '../domain/ids.ts';
import type { RefundLetter } from '../domain/mail.ts';
import type { Money } from '../domain/money.ts';
import type { RefundChannel } from '../domain/refunds.ts';
import { writeLetter } from './account-letters.ts';
import { usersWithRole } from './staff.ts';
import { namedUuid } from './uuids.ts';

/** What every letter about a refund tells. */
export interface RefundToTellOf {
  readonly id: RefundId;
  readonly invoiceNumber: string;
  readonly amount: Money;
  readonly channel: RefundChannel | null;
  readonly needsApproval: boolean;
  readonly decisionNote: string | null;
}

/** To the person behind the money: who asked for it or paid, if they still act for the company; else its oldest member. */
export async function writeToPayer(
  tx: Knex,
  refund: RefundToTellOf,
  template: RefundLetter,
  at: string,
): Promise<void> {
  const payer = await payerOfRefund(tx, refund.id);
  if (payer) await write(tx, refund, template, at, payer);
}

/** To everybody in finance; `but` is who has just done it themselves. */
export async function writeToFinance(
  tx: Knex,
  refund: RefundToTellOf,
  template: RefundLetter,
  at: string,
  { but = null }: { readonly but?: UserId | null } = {},
): Promise<void> {
  for (const person of await usersWithRole(tx, 'finance'))
    if (person !== but) await write(tx, refund, template, at, person);
}

async function write(
  tx: Knex,
  refund: RefundToTellOf,
  template: RefundLetter,
  at: string,
  userId: UserId,
): Promise<void> {
  const { amountMinor, currency } = refund.amount;
  const data = {
    refundId: refund.id,
    invoiceNumber: refund.invoiceNumber,
    amount: { amountMinor: amountMinor.toString(), currency },
    way: refund.channel,
    needsApproval: refund.needsApproval,
    note: refund.decisionNote,
  };
  const id = namedUuid(`refund/${refund.id}/${template}/${at}/${userId}`);
  await writeLetter(tx, { id, template, userId, data, at: new Date(at) });
}

/** null when nobody acts for the company any more. Programmes have no mailbox. */
async function payerOfRefund(db: Knex, id: RefundId): Promise<UserId | null> {
  const row: { id: UserId } | undefined = await db('refunds as r')
    .join('payments as p', 'p.id', 'r.payment_id')
    .join('invoices as i', 'i.id', 'r.invoice_id')
    .leftJoin('applications as a', 'a.id', 'i.application_id')
    .leftJoin('subscriptions as s', 's.id', 'i.subscription_id')
    .leftJoin('orders as od', 'od.id', 'i.order_id')
    .join('company_members as m', 'm.company_id', 'r.company_id')
    .join('users as u', 'u.id', 'm.user_id')
    .where({ 'r.id': id, 'u.status': 'active' })
    .where('u.email', 'not like', `%@${INTEGRATOR_MAIL_DOMAIN}`)
    .orderByRaw(
      'coalesce(u.id = r.requested_by, false) desc, coalesce(u.id = p.requested_by, false) desc, ' +
        'coalesce(u.id = coalesce(a.applicant_id, s.started_by, od.placed_by), false) desc, m.created_at, u.id',
    )
    .first({ id: 'u.id' });
  return row?.id ?? null;
}

/** Letters about this refund that no process has in hand yet. Few wait at any time, so reading them all is quick. */
export async function waitingRefundLetters(db: Knex, id: RefundId): Promise<string[]> {
  return db('account_letters')
    .whereNull('taken_at')
    .whereRaw(`data ->> 'refundId' = ?`, [id])
    .orderBy('created_at')
    .pluck<string[]>('id');
}
