/** A subscription as it is shown, and its pay page's address. */
import { findSubscription, type SubscriptionRead } from '../db/subscription-reads.ts';
import { Failure } from '../domain/failures.ts';
import type { InvoiceId, SubscriptionId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { paidUntil, timetable } from '../domain/subscription-timeline.ts';
import { hasAccess } from '../domain/subscriptions.ts';
import type { ApiDeps } from './deps.ts';
import type { Locale } from './request.ts';
import { moneyJson, timeJson, timeOrNull } from './wire.ts';

/** @throws Failure `not_found` */
export async function subscriptionSeenBy(
  { db }: Pick<ApiDeps, 'db'>,
  actor: Actor,
  id: SubscriptionId,
): Promise<SubscriptionRead> {
  const found = await findSubscription(db, actor, id);
  if (!found) throw new Failure('not_found', 'There is no such subscription, or none that you may see.');
  return found;
}

const payUrl = (publicUrl: string, id: InvoiceId): string => `${publicUrl}/pay/${id}`;

export const subscriptionJson = (it: SubscriptionRead, publicUrl: string, locale: Locale) => ({
  id: it.id,
  companyId: it.companyId,
  state: it.state,
  hasAccess: hasAccess(it.state, it.isTakenBack),
  stateSince: timeJson(it.stateSince),
  plan: {
    code: it.planCode,
    version: it.planVersion,
    name: it.planName[locale],
    price: moneyJson(it.price),
    interval: it.interval,
  },
  period: { from: timeJson(it.periodStart), to: timeJson(it.periodEnd) },
  trialEndsAt: timeOrNull(it.trialEndsAt),
  nextInvoiceAt: timeOrNull(nextInvoiceAt(it)),
  cancelAtPeriodEnd: it.cancelAtPeriodEnd,
  pendingChange:
    it.pendingPlanCode === null
      ? null
      : {
          planCode: it.pendingPlanCode,
          invoiceId: it.pendingInvoiceId,
          payUrl: it.pendingInvoiceId && payUrl(publicUrl, it.pendingInvoiceId),
          from: it.pendingInvoiceId === null ? timeJson(it.periodEnd) : null,
        },
  openInvoice:
    it.openInvoice && it.openInvoiceTotal
      ? {
          id: it.openInvoice.id,
          number: it.openInvoice.number,
          outstanding: moneyJson(it.openInvoiceTotal),
          dueAt: timeJson(it.openInvoice.dueAt),
          payUrl: payUrl(publicUrl, it.openInvoice.id),
        }
      : null,
  dunningStep: it.dunningStep,
  cardId: it.cardId,
  pausedAt: timeOrNull(it.pausedAt),
  startedAt: timeJson(it.startedAt),
  endedAt: timeOrNull(it.endedAt),
  updatedAt: timeJson(it.updatedAt),
});

/** While it is paid for and goes on; what costs nothing has no invoice. */
function nextInvoiceAt(it: SubscriptionRead): Date | null {
  const isPaidFor = it.state === 'trialing' || it.state === 'active';
  if (!isPaidFor || it.cancelAtPeriodEnd || it.openInvoice || it.price.amountMinor === 0n) return null;
  const [periodStart, periodEnd] = [it.periodStart.getTime(), it.periodEnd.getTime()];
  const until = paidUntil({ term: it.term, periodStart, periodEnd });
  const dues = timetable(it.policy, { periodStart, periodEnd: until, invoiceDueAt: until });
  const next = dues.find(({ rung }) => rung === 'invoice');
  return next ? new Date(next.at) : null;
}
