/** Invoices of subscriptions, issued as the process issues them. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { type IssuedInvoice, issueSubscriptionInvoice, type NewSubscriptionInvoice } from '../../db/invoices.ts';
import type { CompanyId, SubscriptionId, UserId } from '../../domain/ids.ts';
import type { InvoiceLineInput } from '../../domain/invoicing.ts';
import { rupiah } from '../../domain/money.ts';
import { MONDAY } from './licensing.ts';
import { aPlan, aSubscription } from './subscriptions.ts';

export const planLine = (amountMinor: number): InvoiceLineInput => ({
  code: amountMinor < 0 ? 'plan_credit' : 'plan',
  description: { id: 'Langganan', en: 'Subscription' },
  kind: 'service',
  net: rupiah(amountMinor),
});

/** Rp100.000 and 11 % of it. */
export const PLAN_TOTAL = 111_000n;

export interface OfSubscription extends IssuedInvoice {
  readonly subscriptionId: SubscriptionId;
}

/** An open one; of a subscription of its own, unless one is given. */
export async function aSubscriptionInvoice(
  db: Knex,
  given: { readonly companyId: CompanyId; readonly by: UserId } & Partial<NewSubscriptionInvoice>,
): Promise<OfSubscription> {
  const { companyId, by, lines = [planLine(100_000)], at = MONDAY } = given;
  const subscriptionId =
    given.subscriptionId ?? (await aSubscription(db, { companyId, by, plan: await aPlan(db), startedAt: at }));
  const invoice = { subscriptionId, companyId, lines, at, dueAt: given.dueAt ?? at, key: given.key ?? randomUUID() };
  return { subscriptionId, ...(await db.transaction((tx) => issueSubscriptionInvoice(tx, invoice))) };
}
