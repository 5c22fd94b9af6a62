/** Subscriptions: how one begins, and what people change of it. What it does by itself is in subscription-moves.ts. */
import type { Knex } from 'knex';
import { chargeFor, daysAfter, MONTHS_OF, monthsAfter, type PricedTerm, unusedOf } from '../domain/billing.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import {
  asId,
  type CompanyId,
  type PaymentId,
  type RefundId,
  type SubscriptionId,
  type UserId,
} from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import { lesser, type MoneyPolicy } from '../domain/payments.ts';
import { isSamePlan, isUpgrade, refuseChange, type SubscriptionChange } from '../domain/subscription-changes.ts';
import { paidUntil, type Standing, UPGRADE_DAYS } from '../domain/subscription-timeline.ts';
import type { Plan, SubscriptionState } from '../domain/subscriptions.ts';
import { issueSubscriptionInvoice } from './invoices.ts';
import { requestRefund } from './refund-requests.ts';
import { storeDestination } from './refunds.ts';
import { tellSubscriber } from './subscription-letters.ts';
import {
  applyUpgrade,
  end,
  figuresOf,
  type InvoiceCloser,
  iso,
  keyOf,
  lineOf,
  renew,
  settled,
  tell,
  withoutOpen,
} from './subscription-moves.ts';
import {
  addTerm,
  lockSubscription,
  type OpenTerm,
  openTerms,
  type SubscriptionRecord,
  standingOf,
  writeSubscription,
} from './subscription-records.ts';
import { namedUuid } from './uuids.ts';

const DAY_MS = 86_400_000;

// ---- its beginning --------------------------------------------------------------------------------------------------

export interface NewSubscription {
  readonly subscriptionId: SubscriptionId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly plan: Plan;
  /** IANA name; months are counted in it. */
  readonly zone: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly origin?: Origin | undefined;
}

/**
 * Begins with a trial, where the plan has one, else with a period that is billed at once. A repeat finds it.
 * @throws Failure `already_subscribed` when the company has another one that is open
 */
export async function openSubscription(
  tx: Knex,
  input: NewSubscription,
): Promise<{ state: SubscriptionState; periodEnd: string }> {
  const { subscriptionId: id, companyId, by, plan, zone, origin } = input;
  const at = Date.parse(input.startedAt);
  // Two that begin at once are one after the other here, so that the second is refused and not broken by the index.
  await tx('companies').where({ id: companyId }).forUpdate().first('id');
  const other = await tx('subscriptions')
    .where({ company_id: companyId })
    .whereNot({ id })
    .whereNotIn('state', ['cancelled', 'expired'])
    .first('id');
  const isKnown = await tx('subscriptions').where({ id }).first('id');
  if (other && !isKnown) throw new Failure('already_subscribed', 'This company has a subscription already.');
  const data = { ...figuresOf(plan), trialDays: plan.trialDays };
  const isNew = await tell(tx, { id, companyId }, 'started', 'subscription.started', at, { data, by, origin });
  if (isNew) await insert(tx, input, at);
  const it = await lockSubscription(tx, id);
  if (isNew && it.term === 0 && BigInt(plan.priceMinor) === 0n) await renew(tx, it, null, at);
  if (isNew) await tellSubscriber(tx, it, 'subscription_started', at, { isTrial: it.state === 'trialing' });
  const { state, periodEnd } = await lockSubscription(tx, id);
  return { state, periodEnd: iso(periodEnd) };

  async function insert(tx: Knex, input: NewSubscription, at: number): Promise<void> {
    const isTrial = plan.trialDays > 0;
    const firstEnd = isTrial ? daysAfter(at, plan.trialDays, zone) : monthsAfter(at, MONTHS_OF[plan.interval], zone);
    await tx('subscriptions').insert({
      id,
      company_id: companyId,
      started_by: by,
      plan_code: plan.code,
      plan_version: plan.version,
      state: isTrial ? 'trialing' : 'active',
      zone,
      anchor_at: isTrial ? new Date(firstEnd) : input.startedAt,
      term: isTrial ? 1 : 0,
      period_start: input.startedAt,
      period_end: new Date(firstEnd),
      trial_ends_at: isTrial ? new Date(firstEnd) : null,
      state_since: input.startedAt,
      started_at: input.startedAt,
      updated_at: input.startedAt,
    });
    if (isTrial) await addTerm(tx, { id, term: 0 }, { kind: 'trial', plan, from: at, to: firstEnd }, at);
  }
}

export async function readStanding(tx: Knex, id: SubscriptionId): Promise<Standing> {
  return standingOf(await lockSubscription(tx, id));
}

// ---- what people change ---------------------------------------------------------------------------------------------

export interface AskedChange {
  readonly subscriptionId: SubscriptionId;
  readonly change: SubscriptionChange;
  /** Of the message: the same one changes once. */
  readonly key: string;
  readonly at: number;
  readonly origin?: Origin | undefined;
}

export interface ChangeTools extends InvoiceCloser {
  readonly refundPolicy: Pick<MoneyPolicy, 'refundApprovalAbove'>;
}

interface Asked extends Omit<AskedChange, 'change'> {
  readonly tools: ChangeTools;
}

/** @returns why it was not done, or null; and how it stands now, either way */
export async function change(
  tx: Knex,
  tools: ChangeTools,
  asked: AskedChange,
): Promise<{ readonly standing: Standing; readonly refusal: Refusal | null }> {
  const before = await lockSubscription(tx, asked.subscriptionId);
  const isDone = await tx('events')
    .where({ key: keyOf(before, `message/${asked.key}`) })
    .first('id');
  if (isDone) return { standing: standingOf(before), refusal: null };
  const it = await settled(tx, tools, before, asked.at);
  const refusal =
    refuseChange(standingOf(it), asked.change, asked.at) ?? (await obey(tx, it, asked.change, { ...asked, tools }));
  return { standing: standingOf(await lockSubscription(tx, it.id)), refusal };
}

async function obey(
  tx: Knex,
  it: SubscriptionRecord,
  change: SubscriptionChange,
  asked: Asked,
): Promise<Refusal | null> {
  switch (change.kind) {
    case 'cancel':
      await (change.when === 'now' ? cancelNow(tx, it, change.by, asked) : cancelAtEnd(tx, it, change.by, asked));
      return null;
    case 'pause':
      return pause(tx, it, change, asked);
    case 'resume':
      await resume(tx, it, change, asked);
      return null;
    case 'change_plan':
      return changePlan(tx, it, change, asked);
    case 'extend':
      return extend(tx, it, change, asked);
    case 'change_method': {
      const data = { paymentMethodId: change.paymentMethodId };
      await note(tx, it, asked, 'subscription.method_changed', change.by, data);
      await writeSubscription(tx, it, { payment_method_id: change.paymentMethodId }, asked.at);
      return null;
    }
  }
}

const note = (
  tx: Knex,
  it: SubscriptionRecord,
  { key, at, origin }: Asked,
  type: Parameters<typeof tell>[3],
  by: UserId,
  data: Readonly<Record<string, unknown>> = {},
): Promise<boolean> => tell(tx, it, `message/${key}`, type, at, { by, origin, data });

// ---- its end --------------------------------------------------------------------------------------------------------

async function cancelNow(tx: Knex, given: SubscriptionRecord, by: UserId, asked: Asked): Promise<void> {
  const { at, tools, origin } = asked;
  const it = await withoutOpen(tx, tools, given, at, { renewal: true, upgrade: true });
  const usedUntil = it.pausedAt ?? at;
  await note(tx, it, asked, 'subscription.cancellation_asked', by, { when: 'now' });
  await giveBack(tx, it, usedUntil, asked);
  await end(tx, it, at, { why: 'at_once', by, origin });
}

async function cancelAtEnd(tx: Knex, given: SubscriptionRecord, by: UserId, asked: Asked): Promise<void> {
  const { at, tools } = asked;
  const it = await withoutOpen(tx, tools, given, at, { renewal: true, upgrade: true });
  // Nothing is paid any more: the end of the period is now.
  if (paidUntil(it) <= at) return cancelNow(tx, it, by, asked);
  await note(tx, it, asked, 'subscription.cancellation_asked', by, { when: 'period_end', endsAt: iso(paidUntil(it)) });
  const isUnpaid = standingOf(it).nextPlan?.at === null;
  await writeSubscription(tx, it, { cancel_at_period_end: true, ...(isUnpaid ? { pendingPlan: null } : {}) }, at);
  await tellSubscriber(tx, it, 'subscription_cancelled', at, { until: paidUntil(it), plan: it.plan });
}

/** What was paid and not used goes the way that the policy says; each payment through a refund of its own, newest first. */
async function giveBack(tx: Knex, it: SubscriptionRecord, at: number, { tools, at: now }: Asked): Promise<void> {
  const { unusedOnCancel } = it.plan.policy;
  if (unusedOnCancel === 'kept') return;
  const terms = (await openTerms(tx, it, at)).filter(({ kind, isTakenBack }) => kind === 'paid' && !isTakenBack);
  let left = unusedOf(terms.map(asPaid), at, it.zone);
  for (const payment of await paymentsOf(tx, it.id)) {
    if (left <= 0n) return;
    const amountMinor = lesser(left, payment.appliedMinor);
    const id = asId<RefundId>(namedUuid(keyOf(it, `unused/${payment.id}`)));
    if (await isAskedFor(tx, tools, { id, paymentId: payment.id, amountMinor, at: iso(now) })) left -= amountMinor;
    if (unusedOnCancel === 'credit') await storeDestination(tx, id, 'store_credit', iso(now));
  }
}

const asPaid = ({ amountMinor, ...term }: OpenTerm): PricedTerm => ({ ...term, priceMinor: amountMinor });
const asPriced = ({ netMinor, ...term }: OpenTerm): PricedTerm => ({ ...term, priceMinor: netMinor });

const paymentsOf = (tx: Knex, id: SubscriptionId): Promise<{ id: PaymentId; appliedMinor: bigint }[]> =>
  tx('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where({ 'i.subscription_id': id, 'i.state': 'paid', 'p.state': 'paid' })
    .where('p.applied_minor', '>', 0)
    .orderBy([{ column: 'p.paid_at', order: 'desc' }, 'p.id'])
    .select({ id: 'p.id', appliedMinor: 'p.applied_minor' });

/** A payment of which less is left than that keeps nobody from cancelling; finance sees what was not given back. */
async function isAskedFor(
  tx: Knex,
  { refundPolicy }: ChangeTools,
  wish: { readonly id: RefundId; readonly paymentId: PaymentId; readonly amountMinor: bigint; readonly at: string },
): Promise<boolean> {
  try {
    await requestRefund(tx, {
      ...wish,
      reason: 'other',
      requestedBy: null,
      requestedByPayer: false,
      policy: refundPolicy,
    });
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

// ---- pauses and days that are given ---------------------------------------------------------------------------------

async function pause(
  tx: Knex,
  given: SubscriptionRecord,
  change: Extract<SubscriptionChange, { kind: 'pause' }>,
  asked: Asked,
): Promise<Refusal | null> {
  const { at, tools } = asked;
  const it = await withoutOpen(tx, tools, given, at, { renewal: true });
  const refusal = refuseChange(standingOf(it), change, at);
  if (refusal) return refusal;
  await note(tx, it, asked, 'subscription.paused', change.by, figuresOf(it.plan));
  await writeSubscription(tx, it, { state: 'paused', paused_at: new Date(at) }, at);
  return null;
}

/** All that was paid and not used moves by the length of the pause; from the new end on months are counted anew. */
async function resume(tx: Knex, it: SubscriptionRecord, { by }: { readonly by: UserId }, asked: Asked): Promise<void> {
  const { at } = asked;
  if (it.pausedAt === null) {
    await note(tx, it, asked, 'subscription.cancellation_dropped', by);
    return writeSubscription(tx, it, { cancel_at_period_end: false }, at);
  }
  const { pausedAt } = it;
  const ms = at - pausedAt;
  const moved = (instant: number): Date => new Date(instant > pausedAt ? instant + ms : instant);
  await note(tx, it, asked, 'subscription.resumed', by, { ms, ...figuresOf(it.plan) });
  await moveTerms(tx, it, pausedAt, ms);
  const trialEndsAt = it.trialEndsAt === null ? null : moved(it.trialEndsAt);
  const isTrial = trialEndsAt !== null && trialEndsAt.getTime() === it.periodEnd + ms;
  const columns = {
    state: isTrial ? 'trialing' : 'active',
    paused_at: null,
    period_start: moved(it.periodStart),
    period_end: new Date(it.periodEnd + ms),
    trial_ends_at: trialEndsAt,
    anchor_at: new Date(it.periodEnd + ms),
    anchor_months: 0,
  } as const;
  await writeSubscription(tx, it, columns, at);
}

async function moveTerms(tx: Knex, { id }: SubscriptionRecord, pausedAt: number, ms: number): Promise<void> {
  const begun = tx.raw(`case when from_at > :pausedAt then 0 else :ms end`, { pausedAt: new Date(pausedAt), ms });
  await tx('subscription_terms')
    .where({ subscription_id: id })
    .where('to_at', '>', new Date(pausedAt))
    .update({
      from_at: tx.raw(`case when from_at > ? then from_at + ? * interval '1 millisecond' else from_at end`, [
        new Date(pausedAt),
        ms,
      ]),
      to_at: tx.raw(`to_at + ? * interval '1 millisecond'`, [ms]),
      paused_ms: tx.raw('paused_ms + ?', [begun]),
    });
}

async function extend(
  tx: Knex,
  given: SubscriptionRecord,
  change: Extract<SubscriptionChange, { kind: 'extend' }>,
  asked: Asked,
): Promise<Refusal | null> {
  const { at, tools } = asked;
  const it = await withoutOpen(tx, tools, given, at, { renewal: true });
  const refusal = refuseChange(standingOf(it), change, at);
  if (refusal) return refusal;
  const from = paidUntil(it);
  const to = daysAfter(from, change.days, it.zone);
  await note(tx, it, asked, 'subscription.extended', change.by, { days: change.days, from: iso(from), to: iso(to) });
  await addTerm(tx, it, { kind: 'extension', plan: it.plan, from, to, note: change.reason }, at);
  const columns = {
    state: it.state === 'trialing' ? 'trialing' : 'active',
    term: it.term + 1,
    period_end: new Date(to),
    anchor_at: new Date(to),
    anchor_months: 0,
    dunning_step: 0,
    ...(it.state === 'trialing' ? { trial_ends_at: new Date(to) } : {}),
  } as const;
  await writeSubscription(tx, it, columns, at);
  return null;
}

// ---- plans ----------------------------------------------------------------------------------------------------------

async function changePlan(
  tx: Knex,
  given: SubscriptionRecord,
  change: Extract<SubscriptionChange, { kind: 'change_plan' }>,
  asked: Asked,
): Promise<Refusal | null> {
  const { at, tools } = asked;
  const { plan: to, by } = change;
  const unfit = refuseOther(given, to);
  if (unfit) return unfit;
  // What was paid in the last moment was paid for the plan that it was asked for, so it is booked before anything changes. The
  // next term is billed anew once its plan is decided: an invoice at the old price, paid meanwhile, would buy the new plan.
  const it = await withoutOpen(tx, tools, given, at, { upgrade: true, renewal: true });
  const isOldPlan = isSamePlan(to, it.plan);
  const refusal = isOldPlan ? null : refuseChange(standingOf(it), change, at);
  if (refusal) return refusal;
  const data = { before: it.plan.code, beforeVersion: it.plan.version, ...figuresOf(to) };
  if (isOldPlan) {
    await note(tx, it, asked, 'subscription.plan_change_dropped', by, data);
    await writeSubscription(tx, it, { pendingPlan: null, pending_invoice_id: null }, at);
    return null;
  }
  await note(tx, it, asked, 'subscription.plan_change_asked', by, data);
  const isUnpaid = it.state === 'trialing' || (it.state === 'active' && it.term === 0);
  if (isUnpaid) await applyUpgrade(tx, tools, it, at, { plan: to, key: asked.key });
  else if (it.state === 'active' && isUpgrade(it.plan, to)) await upgrade(tx, it, to, asked);
  // From the next term on; an invoice of it that was open is issued anew, and due when it was.
  else await writeSubscription(tx, it, { pendingPlan: to, pending_invoice_id: null }, at);
  return null;
}

const refuseOther = (it: SubscriptionRecord, to: Plan): Refusal | null =>
  to.currency === it.plan.currency && to.isTaxed === it.plan.isTaxed
    ? null
    : {
        code: 'plan_not_offered',
        message: 'That plan is billed in another currency, or otherwise taxed. Start a new subscription for it.',
        facts: { state: it.state },
      };

/** At once, when the difference for the days that are left is paid; where there is none, now. */
async function upgrade(tx: Knex, it: SubscriptionRecord, to: Plan, asked: Asked): Promise<void> {
  const { at, tools, key } = asked;
  const terms = (await openTerms(tx, it, at)).filter(({ kind }) => kind === 'paid' || kind === 'free');
  const creditMinor = unusedOf(terms.filter(({ isTakenBack }) => !isTakenBack).map(asPriced), at, it.zone);
  const chargeMinor = chargeFor(terms.map(asPriced), BigInt(to.priceMinor), at, it.zone);
  if (chargeMinor <= creditMinor) return applyUpgrade(tx, tools, it, at, { plan: to, key });
  const days = { from: at, to: it.periodEnd, zone: it.zone };
  // Not beyond the days that it is for: then the next term is billed, at whichever price.
  const dueAt = Math.min(at + UPGRADE_DAYS * DAY_MS, it.periodEnd);
  const lines = [
    ...(creditMinor > 0n ? [lineOf(it.plan, -creditMinor, days, `${it.plan.code}_unused`)] : []),
    lineOf(to, chargeMinor, days),
  ];
  const about = { subscriptionId: it.id, companyId: it.companyId, key: keyOf(it, `upgrade/${key}`), lines };
  const issued = await issueSubscriptionInvoice(tx, { ...about, at: iso(at), dueAt: iso(dueAt) });
  await writeSubscription(tx, it, { pendingPlan: to, pending_invoice_id: issued.invoiceId }, at);
  const invoice = { id: issued.invoiceId, number: issued.number, totalMinor: issued.totalMinor, dueAt };
  await tellSubscriber(tx, it, 'subscription_invoice', at, { invoice, plan: to, isUpgrade: true });
}
