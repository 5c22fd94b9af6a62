/**
 * What a subscription does by itself: the record is locked, what was paid meanwhile is booked first, and then at most one thing
 * that is due is done. Each is one transaction; who comes again finds it done.
 */
import type { Knex } from 'knex';
import { daysAfter, MONTHS_OF, monthlyRate, monthsAfter } from '../domain/billing.ts';
import type { EventType, Origin } from '../domain/events.ts';
import type { InvoiceId, SubscriptionId, UserId } from '../domain/ids.ts';
import type { InvoiceLineInput } from '../domain/invoicing.ts';
import { money } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { hasEnded } from '../domain/subscription-changes.ts';
import {
  chargeRung,
  dunningDaysOf,
  invoiceDueAt,
  isRemindedByInvoice,
  nextDue,
  paidUntil,
  type Rung,
  type Standing,
} from '../domain/subscription-timeline.ts';
import type { Plan, SubscriptionState } from '../domain/subscriptions.ts';
import { recordEvent } from './events.ts';
import { issueSubscriptionInvoice } from './invoices.ts';
import { tellSubscriber } from './subscription-letters.ts';
import {
  addTerm,
  type InvoiceOfSubscription,
  lockSubscription,
  nextPlanOf,
  noteRung,
  type SubscriptionRecord,
  standingOf,
  writeSubscription,
} from './subscription-records.ts';

const DAY_MS = 86_400_000;

/** What the caller lends, for it needs more than the database's own rooms. */
export interface InvoiceCloser {
  /** Closes one that is open, in this transaction. @returns `lapsed`, or what it is instead */
  closeInvoice(tx: Knex, id: InvoiceId, at: string): Promise<InvoiceState>;
}

export const iso = (at: number): string => new Date(at).toISOString();

/** Does what is due at `at`, if anything is. Safe to repeat. */
export async function advance(
  tx: Knex,
  tools: InvoiceCloser,
  { subscriptionId, at }: { readonly subscriptionId: SubscriptionId; readonly at: number },
): Promise<Standing> {
  const before = await lockSubscription(tx, subscriptionId);
  const it = await settled(tx, tools, before, at);
  // What was paid changes what is due: whoever asks, asks again.
  if (it !== before || hasEnded(it.state)) return standingOf(it);
  const due = nextDue(standingOf(it), at);
  if (!due || due.at > at) return standingOf(it);
  await climb(tx, tools, it, due.rung, at);
  return standingOf(await lockSubscription(tx, subscriptionId));
}

// ---- what was paid --------------------------------------------------------------------------------------------------

/** Books what has become of the open invoices. @returns the same object when there was nothing to book */
export async function settled(
  tx: Knex,
  tools: InvoiceCloser,
  it: SubscriptionRecord,
  at: number,
): Promise<SubscriptionRecord> {
  if (hasEnded(it.state)) return it;
  const isBooked = (await settleRenewal(tx, it, at)) || (await settleUpgrade(tx, tools, it, at));
  return isBooked ? settled(tx, tools, await lockSubscription(tx, it.id), at) : it;
}

async function settleRenewal(tx: Knex, it: SubscriptionRecord, at: number): Promise<boolean> {
  const { renewal } = it;
  switch (renewal?.state) {
    case 'paid':
      await renew(tx, it, renewal, at);
      return true;
    case 'lapsed':
    case 'void':
      await writeSubscription(tx, it, { renewal_invoice_id: await replacementOf(tx, renewal.id) }, at);
      return true;
    case 'open':
    case 'reversed':
    case undefined:
      return false;
  }
}

async function settleUpgrade(tx: Knex, tools: InvoiceCloser, it: SubscriptionRecord, at: number): Promise<boolean> {
  const { upgrade } = it;
  switch (upgrade?.state) {
    case 'paid':
      await applyUpgrade(tx, tools, it, at, { invoice: upgrade, key: upgrade.id });
      return true;
    case 'lapsed':
    case 'void': {
      const other = await replacementOf(tx, upgrade.id);
      if (other) await writeSubscription(tx, it, { pending_invoice_id: other }, at);
      else await dropUpgrade(tx, it, at);
      return true;
    }
    case 'open':
    case 'reversed':
    case undefined:
      return false;
  }
}

async function replacementOf(tx: Knex, id: InvoiceId): Promise<InvoiceId | null> {
  const found: { id: InvoiceId } | undefined = await tx('invoices').where({ replaces_id: id }).first('id');
  return found?.id ?? null;
}

/** The next term, from where the last one ended, whenever it was paid. */
export async function renew(
  tx: Knex,
  it: SubscriptionRecord,
  invoice: InvoiceOfSubscription | null,
  at: number,
): Promise<void> {
  const plan = nextPlanOf(it);
  const from = paidUntil(it);
  const months = it.anchorMonths + MONTHS_OF[plan.interval];
  const to = monthsAfter(it.anchorAt, months, it.zone);
  const data = {
    term: it.term + 1,
    from: iso(from),
    to: iso(to),
    before: it.state,
    ...figuresOf(plan),
    ...paidBy(invoice),
  };
  if (!(await tell(tx, it, `term/${it.term + 1}`, 'subscription.renewed', at, { data }))) return;
  await addTerm(tx, it, { kind: invoice ? 'paid' : 'free', plan, from, to, ...(invoice ? { invoice } : {}) }, at);
  const columns = {
    state: 'active',
    term: it.term + 1,
    anchor_months: months,
    period_start: new Date(from),
    period_end: new Date(to),
    renewal_invoice_id: null,
    dunning_step: 0,
  } as const;
  await writeSubscription(tx, it, columns, at);
  if (invoice) await tellSubscriber(tx, it, 'subscription_renewed', at, { invoice, until: to });
  // Of another plan: from its beginning on, which may be over by now.
  if (it.pendingPlan && !it.upgrade && from <= at) await beginPlan(tx, it, plan, at, `${it.term + 1}`);
}

const paidBy = (invoice: InvoiceOfSubscription | null) =>
  invoice ? { invoiceId: invoice.id, amountMinor: invoice.totalMinor.toString() } : { amountMinor: '0' };

/** What figures of revenue are made of. */
export const figuresOf = (plan: Plan) => ({
  planCode: plan.code,
  planVersion: plan.version,
  monthlyMinor: monthlyRate(plan).toString(),
  currency: plan.currency,
});

async function beginPlan(tx: Knex, it: SubscriptionRecord, to: Plan, at: number, key: string): Promise<void> {
  const data = { ...figuresOf(to), beforeMonthlyMinor: monthlyRate(it.plan).toString() };
  const change = { before: { planCode: it.plan.code }, after: { planCode: to.code } };
  if (!(await tell(tx, it, `plan/${key}`, 'subscription.plan_changed', at, { data, ...change }))) return;
  await writeSubscription(tx, it, { plan: to, pendingPlan: null, pending_invoice_id: null }, at);
}

/** From now on, for all the days that are left; the open invoice of the next term, at the old price, is closed. */
export async function applyUpgrade(
  tx: Knex,
  tools: InvoiceCloser,
  it: SubscriptionRecord,
  at: number,
  how: { readonly invoice?: InvoiceOfSubscription; readonly plan?: Plan; readonly key: string },
): Promise<void> {
  const plan = how.plan ?? it.pendingPlan;
  if (!plan) throw new Error(`subscription ${it.id} waits for the payment of a plan that it does not name`);
  await beginPlan(tx, it, plan, at, how.key);
  const terms = tx('subscription_terms').where({ subscription_id: it.id });
  await terms.clone().where('to_at', '>', new Date(at)).update({ plan_code: plan.code, plan_version: plan.version });
  if (how.invoice)
    await terms.clone().where({ number: it.term }).increment('amount_minor', Number(how.invoice.totalMinor));
  if (it.renewal) await closeRenewal(tx, tools, it, it.renewal, at);
}

async function dropUpgrade(tx: Knex, it: SubscriptionRecord, at: number): Promise<void> {
  const key = `plan/${it.upgrade?.id ?? it.pendingPlan?.code}/dropped`;
  await tell(tx, it, key, 'subscription.plan_change_dropped', at, { data: { planCode: it.pendingPlan?.code } });
  await writeSubscription(tx, it, { pendingPlan: null, pending_invoice_id: null }, at);
}

// ---- closing --------------------------------------------------------------------------------------------------------

async function closeRenewal(
  tx: Knex,
  tools: InvoiceCloser,
  it: SubscriptionRecord,
  invoice: InvoiceOfSubscription,
  at: number,
): Promise<void> {
  const state = await tools.closeInvoice(tx, invoice.id, iso(at));
  if (state !== 'paid') await writeSubscription(tx, it, { renewal_invoice_id: null }, at);
}

/** Closes what is still open of its invoices; one that was paid in the last moment counts first. */
export async function withoutOpen(
  tx: Knex,
  tools: InvoiceCloser,
  given: SubscriptionRecord,
  at: number,
  which: { readonly renewal?: boolean; readonly upgrade?: boolean },
): Promise<SubscriptionRecord> {
  let it = given;
  if (which.upgrade && it.upgrade) {
    const state = await tools.closeInvoice(tx, it.upgrade.id, iso(at));
    if (state !== 'paid') await dropUpgrade(tx, it, at);
    it = await settled(tx, tools, await lockSubscription(tx, it.id), at);
  }
  // A payment may have come in between, and the next invoice is not issued here: so at most once.
  if (which.renewal && it.renewal) {
    await closeRenewal(tx, tools, it, it.renewal, at);
    it = await settled(tx, tools, await lockSubscription(tx, it.id), at);
  }
  return it;
}

// ---- what is due ----------------------------------------------------------------------------------------------------

async function climb(tx: Knex, tools: InvoiceCloser, it: SubscriptionRecord, rung: Rung, at: number): Promise<void> {
  const [kind = rung, days = ''] = rung.split('/');
  if (kind === 'reminder') return remind(tx, it, Number(days), at);
  if (kind === 'dunning') return dun(tx, it, Number(days), at);
  switch (rung) {
    case 'invoice':
      return bill(tx, it, at);
    case 'charge':
      return void (it.cardId && (await noteRung(tx, it, chargeRung(it.cardId), at)));
    case 'suspension':
      return suspend(tx, it, at);
    case 'cancellation':
      return end(tx, await withoutOpen(tx, tools, it, at, { renewal: true, upgrade: true }), at, { why: 'unpaid' });
    case 'end':
      return end(tx, it, at, { why: 'period_end' });
    case 'renewal':
      return renew(tx, it, null, at);
    case 'plan_change':
      return beginPlan(tx, it, nextPlanOf(it), at, `${it.term}`);
    case 'upgrade_lapse':
      return void (await withoutOpen(tx, tools, it, at, { upgrade: true }));
    default:
      throw new Error(`subscription ${it.id}: nobody knows what to do at ${rung}`);
  }
}

async function remind(tx: Knex, it: SubscriptionRecord, days: number, at: number): Promise<void> {
  if (!(await noteReminder(tx, it, days, at))) return;
  await tellSubscriber(tx, it, 'subscription_reminder', at, { invoice: it.renewal, until: paidUntil(it) });
}

async function noteReminder(tx: Knex, it: SubscriptionRecord, days: number, at: number): Promise<boolean> {
  const isNew = await tell(tx, it, about(it, `reminder/${days}`), 'subscription.reminded', at, { data: { days } });
  return isNew && noteRung(tx, it, `reminder/${days}`, at);
}

/** The invoice of the next term. One that takes the place of another of the same term is due when that was. */
async function bill(tx: Knex, it: SubscriptionRecord, at: number): Promise<void> {
  const plan = nextPlanOf(it);
  const [from, count] = [paidUntil(it), it.rungs.filter((rung) => rung.startsWith('invoice/')).length + 1];
  const dueAt = (await firstDueAt(tx, it)) ?? invoiceDueAt(from, at);
  const issued = await issueSubscriptionInvoice(tx, {
    subscriptionId: it.id,
    companyId: it.companyId,
    key: `${keyOf(it, about(it, `invoice/${count}`))}`,
    lines: [lineOf(plan, plan.priceMinor, termOf(it, plan))],
    at: iso(at),
    dueAt: iso(dueAt),
  });
  const data = {
    ...figuresOf(plan),
    invoiceId: issued.invoiceId,
    amountMinor: issued.totalMinor.toString(),
    dueAt: iso(dueAt),
  };
  if (!(await tell(tx, it, about(it, `invoice/${count}`), 'subscription.invoiced', at, { data }))) return;
  await noteRung(tx, it, `invoice/${count}`, at);
  await writeSubscription(tx, it, { renewal_invoice_id: issued.invoiceId }, at);
  const invoice = { id: issued.invoiceId, number: issued.number, totalMinor: issued.totalMinor, dueAt };
  await tellSubscriber(tx, it, 'subscription_invoice', at, { invoice, until: from });
  if (count === 1 && it.term > 0 && isRemindedByInvoice(it.plan.policy))
    await noteReminder(tx, it, it.plan.policy.invoiceDaysBefore, at);
}

const about = (it: SubscriptionRecord, rung: string): string => `${iso(paidUntil(it))}/${rung}`;

async function firstDueAt(tx: Knex, it: SubscriptionRecord): Promise<number | null> {
  const key = keyOf(it, about(it, 'invoice/1'));
  const found: { dueAt: Date } | undefined = await tx('invoices')
    .where({ subject_key: key })
    .first({ dueAt: 'due_at' });
  return found?.dueAt.getTime() ?? null;
}

const termOf = (it: SubscriptionRecord, plan: Plan) => ({
  from: paidUntil(it),
  to: monthsAfter(it.anchorAt, it.anchorMonths + MONTHS_OF[plan.interval], it.zone),
  zone: it.zone,
});

/** @param netMinor without tax; a credit is negative */
export function lineOf(
  plan: Plan,
  netMinor: bigint | string,
  { from, to, zone }: { readonly from: number; readonly to: number; readonly zone: string },
  code = plan.code,
): InvoiceLineInput {
  const days = `${localDay(from, zone)} – ${localDay(daysAfter(to, -1, zone), zone)}`;
  const credit = BigInt(netMinor) < 0n;
  return {
    code,
    description: {
      id: `${credit ? 'Sisa ' : ''}${plan.name.id}, ${days}`,
      en: `${credit ? 'Unused: ' : ''}${plan.name.en}, ${days}`,
    },
    kind: plan.isTaxed ? 'service' : 'statutory',
    net: money(BigInt(netMinor), plan.currency),
  };
}

const localDay = (at: number, zone: string): string => new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(at);

/** Unpaid when it was due, or so many days later. With the last step the grace begins. */
async function dun(tx: Knex, it: SubscriptionRecord, days: number, at: number): Promise<void> {
  const steps = dunningDaysOf(it.plan.policy);
  const step = steps.indexOf(days) + 1;
  const isLast = step === steps.length;
  if (!(await noteRung(tx, it, `dunning/${days}`, at))) return;
  const data = { days, step, invoiceId: it.renewal?.id, ...figuresOf(it.plan) };
  if (it.state !== 'past_due') {
    await tell(tx, it, about(it, 'past_due'), 'subscription.past_due', at, { data });
    await writeSubscription(tx, it, { state: 'past_due' }, at);
  }
  await tell(tx, it, about(it, `dunning/${days}`), 'subscription.dunned', at, { data });
  if (isLast) await tell(tx, it, about(it, 'grace'), 'subscription.grace', at, { data });
  const state = isLast ? 'grace' : 'past_due';
  await writeSubscription(tx, { ...it, state: 'past_due' }, { state, dunning_step: step }, at);
  const graceFrom = it.renewal ? it.renewal.dueAt + (steps.at(-1) ?? 0) * DAY_MS : at;
  const nextAt = isLast ? at + it.plan.policy.graceDays * DAY_MS : graceFrom + it.plan.policy.graceDays * DAY_MS;
  const news = { invoice: it.renewal, until: paidUntil(it), nextAt };
  await tellSubscriber(tx, it, isLast ? 'subscription_grace' : 'subscription_payment_due', at, news);
}

async function suspend(tx: Knex, it: SubscriptionRecord, at: number): Promise<void> {
  if (!(await noteRung(tx, it, 'suspension', at))) return;
  await tell(tx, it, about(it, 'suspension'), 'subscription.suspended', at, { data: figuresOf(it.plan) });
  await writeSubscription(tx, it, { state: 'suspended' }, at);
  const nextAt = at + it.plan.policy.suspendedDays * DAY_MS;
  await tellSubscriber(tx, it, 'subscription_suspended', at, { invoice: it.renewal, until: paidUntil(it), nextAt });
}

/** For good; its invoices are closed by now, and where one of them was paid after all there is nothing to end. */
export async function end(
  tx: Knex,
  it: SubscriptionRecord,
  at: number,
  how: {
    readonly why: 'unpaid' | 'period_end' | 'at_once';
    readonly by?: UserId;
    readonly origin?: Origin | undefined;
  },
): Promise<void> {
  const { why, by, origin } = how;
  if (why === 'unpaid' && it.state !== 'suspended') return;
  const paid = await tx('subscription_terms').where({ subscription_id: it.id, kind: 'paid' }).first('number');
  const state: SubscriptionState = why === 'unpaid' && !paid ? 'expired' : 'cancelled';
  const data = { why, before: it.state, ...figuresOf(it.plan) };
  const who = { ...(by ? { by } : {}), ...(origin ? { origin } : {}) };
  if (!(await tell(tx, it, 'ended', `subscription.${state}`, at, { data, ...who }))) return;
  await writeSubscription(
    tx,
    it,
    { state, ended_at: new Date(at), pendingPlan: null, cancel_at_period_end: false },
    at,
  );
  await tellSubscriber(tx, it, 'subscription_cancelled', at, { isOver: true, until: at, plan: it.plan });
}

// ---- events ---------------------------------------------------------------------------------------------------------

export const keyOf = (it: Pick<SubscriptionRecord, 'id'>, step: string): string => `subscription/${it.id}/${step}`;

interface Told {
  readonly by?: UserId;
  readonly origin?: Origin | undefined;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** @returns false when it was told before: then there is nothing more to do */
export const tell = (
  tx: Knex,
  it: Pick<SubscriptionRecord, 'id' | 'companyId'>,
  step: string,
  type: EventType,
  at: number,
  told: Told = {},
): Promise<boolean> =>
  recordEvent(tx, {
    key: keyOf(it, step),
    type,
    companyId: it.companyId,
    subject: `subscription/${it.id}`,
    at: iso(at),
    ...told,
  });
