/** What comes next in the life of a subscription, and when. Pure; instants are epoch milliseconds. */
import type { InvoiceId, PaymentMethodId, SubscriptionId } from './ids.ts';
import type { SubscriptionPolicy, SubscriptionState } from './subscriptions.ts';

const DAY_MS = 86_400_000;
/** From the issue: of a first invoice, and of one that comes late. */
export const PAY_WITHIN_DAYS = 7;
/** Nobody is reminded of the end of what has just begun, and was told of by another letter. */
const SETTLING_DAYS = 2;
/** An upgrade that is not paid so many days after its invoice comes to nothing. */
export const UPGRADE_DAYS = 3;

/**
 * `reminder/<days before>`, `invoice`, `charge` (of a card on file), `dunning/<days after>`: the last of them ends `past_due`,
 * `suspension`, `cancellation`; `end` of one that was cancelled in time, `renewal` of one that costs nothing, `plan_change` to
 * what the term that begins was paid for, `upgrade_lapse`.
 */
export type Rung =
  | `reminder/${number}`
  | `dunning/${number}`
  | 'invoice'
  | 'charge'
  | 'suspension'
  | 'cancellation'
  | 'end'
  | 'renewal'
  | 'plan_change'
  | 'upgrade_lapse';

export interface Due {
  readonly rung: Rung;
  readonly at: number;
}

const inOrder = (dues: readonly Due[]): Due[] => dues.toSorted((a, b) => a.at - b.at);

/** As if there were always one: a subscription that is not paid has to be told so before it ends. */
export const dunningDaysOf = ({ dunningDays }: SubscriptionPolicy): readonly number[] =>
  dunningDays.length > 0 ? dunningDays : [0];

/** The invoice tells all that the reminder of the same day would. */
export const isRemindedByInvoice = (policy: SubscriptionPolicy): boolean =>
  policy.remindDaysBefore.includes(policy.invoiceDaysBefore);

function remindersOf(policy: SubscriptionPolicy, periodStart: number, periodEnd: number): Due[] {
  return policy.remindDaysBefore
    .filter((days) => days !== policy.invoiceDaysBefore)
    .map((days): Due => ({ rung: `reminder/${days}`, at: periodEnd - days * DAY_MS }))
    .filter(({ at }) => at >= periodStart + SETTLING_DAYS * DAY_MS);
}

const invoiceAt = (policy: SubscriptionPolicy, periodStart: number, periodEnd: number): number =>
  Math.max(periodStart, periodEnd - policy.invoiceDaysBefore * DAY_MS);

/**
 * All that is due of one period that is never paid, in order. A reminder that would come before the period has run for two days is left out.
 * @param period.invoiceDueAt of the invoice of the next term; usually the period's end
 */
export function timetable(
  policy: SubscriptionPolicy,
  period: { readonly periodStart: number; readonly periodEnd: number; readonly invoiceDueAt: number },
): Due[] {
  const { periodStart, periodEnd, invoiceDueAt } = period;
  const dunning = dunningDaysOf(policy).map(
    (days): Due => ({ rung: `dunning/${days}`, at: invoiceDueAt + days * DAY_MS }),
  );
  const graceFrom = dunning.at(-1)?.at ?? invoiceDueAt;
  const suspendedFrom = graceFrom + policy.graceDays * DAY_MS;
  return inOrder([
    ...remindersOf(policy, periodStart, periodEnd),
    { rung: 'invoice', at: invoiceAt(policy, periodStart, periodEnd) },
    ...dunning,
    { rung: 'suspension', at: suspendedFrom },
    { rung: 'cancellation', at: suspendedFrom + policy.suspendedDays * DAY_MS },
  ]);
}

/** When an invoice that is issued now has to be paid: at the end of what is paid, but never sooner than in a week. */
export const invoiceDueAt = (paidUntil: number, at: number): number =>
  Math.max(paidUntil, at + PAY_WITHIN_DAYS * DAY_MS);

/** What the record says of a subscription, as far as its process has to know. No personal data. */
export interface Standing {
  readonly subscriptionId: SubscriptionId;
  readonly state: SubscriptionState;
  readonly stateSince: number;
  readonly planCode: string;
  readonly planVersion: number;
  readonly policy: SubscriptionPolicy;
  /** Whether the next term costs nothing. */
  readonly isFree: boolean;
  /** How many terms there are; 0 = the first was not paid yet. */
  readonly term: number;
  readonly periodStart: number;
  readonly periodEnd: number;
  readonly cancelAtPeriodEnd: boolean;
  /** The open invoice of the next term. */
  readonly renewal: OpenInvoice | null;
  /** An upgrade that waits for its payment. */
  readonly upgrade: (OpenInvoice & PlanName) | null;
  /** The next term is of another plan. `at`: it was paid, and then it begins; null = not yet. */
  readonly nextPlan: (PlanName & { readonly at: number | null }) | null;
  readonly cardId: PaymentMethodId | null;
  /** How many steps of the dunning are done. */
  readonly dunningStep: number;
  /** What was done about the time that is paid (`paidUntil`). */
  readonly rungs: readonly string[];
}

interface PlanName {
  readonly code: string;
  readonly version: number;
}

export interface OpenInvoice {
  readonly invoiceId: InvoiceId;
  readonly dueAt: number;
}

/** Up to when the subscription is paid, or free: where the next term begins. */
export const paidUntil = ({
  term,
  periodStart,
  periodEnd,
}: Pick<Standing, 'term' | 'periodStart' | 'periodEnd'>): number => (term === 0 ? periodStart : periodEnd);

export const chargeRung = (cardId: PaymentMethodId): string => `charge/${cardId}`;

/** Which try to charge the card is due now; 0 = none. It only grows while the invoice is open. */
export const chargeTry = ({ rungs, dunningStep }: Pick<Standing, 'rungs' | 'dunningStep'>): number => {
  const cards = rungs.filter((rung) => rung.startsWith('charge/')).length;
  return cards === 0 ? 0 : cards + dunningStep;
};

/**
 * The next thing that happens by itself; null = nothing does, until somebody says something. What was missed while no process
 * ran is not made up for letter by letter: of several steps that are due only the last is done, and no reminder is sent a day late.
 */
export function nextDue(it: Standing, now: number): Due | null {
  if (it.state === 'paused' || it.state === 'cancelled' || it.state === 'expired') return null;
  return inOrder([...ofUpgrades(it), ...ofThePeriod(it, now)])[0] ?? null;
}

function ofUpgrades({ upgrade, nextPlan }: Standing): Due[] {
  return [
    ...(upgrade ? [{ rung: 'upgrade_lapse', at: upgrade.dueAt } as const] : []),
    ...(nextPlan && nextPlan.at !== null ? [{ rung: 'plan_change', at: nextPlan.at } as const] : []),
  ];
}

function ofThePeriod(it: Standing, now: number): Due[] {
  const { state, policy, stateSince } = it;
  switch (state) {
    case 'trialing':
    case 'active':
      return whilePaid(it, now);
    case 'past_due':
      return whileUnpaid(it, now);
    case 'grace':
      return [
        ...missingInvoice(it),
        ...charging(it),
        { rung: 'suspension', at: stateSince + policy.graceDays * DAY_MS },
      ];
    case 'suspended':
      return [
        ...missingInvoice(it),
        ...charging(it),
        { rung: 'cancellation', at: stateSince + policy.suspendedDays * DAY_MS },
      ];
    case 'paused':
    case 'cancelled':
    case 'expired':
      return [];
  }
}

function whilePaid(it: Standing, now: number): Due[] {
  const { policy, periodStart, renewal, rungs } = it;
  const end = paidUntil(it);
  if (it.cancelAtPeriodEnd) return [{ rung: 'end', at: end }];
  if (it.isFree) return [{ rung: 'renewal', at: end }];
  const reminders = remindersOf(policy, periodStart, end).filter(
    ({ rung, at }) => !rungs.includes(rung) && at > now - DAY_MS && at < end,
  );
  if (renewal) return [...reminders, ...whileUnpaid(it, now)];
  // Two prices for the same days are never open at once: first it is decided which plan the next term is of.
  if (it.upgrade) return reminders;
  return [...reminders, { rung: 'invoice', at: invoiceAt(policy, periodStart, end) }];
}

function whileUnpaid(it: Standing, now: number): Due[] {
  const { renewal, policy, dunningStep } = it;
  if (!renewal) return missingInvoice(it);
  const steps = dunningDaysOf(policy)
    .slice(dunningStep)
    .map((days): Due => ({ rung: `dunning/${days}`, at: renewal.dueAt + days * DAY_MS }));
  const overdue = steps.filter(({ at }) => at <= now);
  return [...charging(it), ...(overdue.length > 0 ? overdue.slice(-1) : steps.slice(0, 1))];
}

/** It was voided, and no other took its place. */
const missingInvoice = ({ renewal, stateSince }: Standing): Due[] =>
  renewal ? [] : [{ rung: 'invoice', at: stateSince }];

/** A card is charged a day before the money is due; one that is given later, at once. */
function charging({ renewal, cardId, rungs }: Standing): Due[] {
  if (!renewal || cardId === null || rungs.includes(chargeRung(cardId))) return [];
  return [{ rung: 'charge', at: renewal.dueAt - DAY_MS }];
}
