/** Letters about a subscription, written into the outbox with the change that they tell of. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { UserId } from '../domain/ids.ts';
import type { SubscriptionLetter, SubscriptionNewsData } from '../domain/mail.ts';
import type { Plan } from '../domain/subscriptions.ts';
import { writeLetter } from './account-letters.ts';
import { type InvoiceOfSubscription, nextPlanOf, type SubscriptionRecord } from './subscription-records.ts';

export interface SubscriptionNews {
  /** The invoice that it is about. */
  readonly invoice?: Pick<InvoiceOfSubscription, 'id' | 'number' | 'dueAt' | 'totalMinor'> | null;
  /** When the next stage begins, or what is told of comes true. */
  readonly nextAt?: number;
  readonly until?: number;
  readonly plan?: Plan;
  readonly isOver?: boolean;
  readonly isUpgrade?: boolean;
  readonly isTrial?: boolean;
}

// Who started it, while they act for the company and have a mailbox, else the member of longest standing.
const READER = `
  select s.user_id as "userId", c.name as "companyName"
  from company_members s join users u on u.id = s.user_id join companies c on c.id = s.company_id
  where s.company_id = :companyId and u.email not like :programmes
  order by s.user_id = :startedBy desc, u.status, s.created_at, s.user_id limit 1`;

/** To whoever looks after it; a company that nobody acts for any more is written to by nobody. */
export async function tellSubscriber(
  tx: Knex,
  it: SubscriptionRecord,
  template: SubscriptionLetter,
  at: number,
  news: SubscriptionNews = {},
): Promise<void> {
  const { rows }: { rows: { userId: UserId; companyName: string }[] } = await tx.raw(READER, {
    companyId: it.companyId,
    startedBy: it.startedBy,
    programmes: `%@${INTEGRATOR_MAIL_DOMAIN}`,
  });
  const [reader] = rows;
  if (!reader) return;
  const data = dataOf(it, reader.companyName, at, news);
  await writeLetter(tx, { id: randomUUID(), userId: reader.userId, at: new Date(at), template, data });
}

function dataOf(it: SubscriptionRecord, companyName: string, at: number, news: SubscriptionNews): SubscriptionNewsData {
  const { invoice = null, until = it.periodEnd, nextAt, isOver = false, isUpgrade = false, isTrial = false } = news;
  const plan = news.plan ?? nextPlanOf(it);
  return {
    companyName,
    planName: plan.name,
    at: iso(at),
    until: iso(until),
    nextAt: nextAt === undefined ? null : iso(nextAt),
    amount: invoice && { amountMinor: invoice.totalMinor.toString(), currency: plan.currency },
    invoiceId: invoice?.id ?? null,
    invoiceNumber: invoice?.number ?? null,
    dueAt: invoice && iso(invoice.dueAt),
    isOver,
    isUpgrade,
    isTrial,
  };
}

const iso = (at: number): string => new Date(at).toISOString();
