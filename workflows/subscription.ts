/**
 * One subscription for as long as it lives:
 *
 *   what is due next? → wait for it, for a payment, or for somebody who asks → one transaction → what is due next?
 *
 * The record says what is due (domain/subscription-timeline.ts), so a process that starts anew goes on where the last one was.
 * With each term, and whenever its history gets long, it continues as new: years of it are many short histories.
 */
import {
  allHandlersFinished,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Refusal } from '../domain/licensing.ts';
import { hasEnded, refuseChange, type SubscriptionChange } from '../domain/subscription-changes.ts';
import { type Due, nextDue, paidUntil, type Standing } from '../domain/subscription-timeline.ts';
import type { SubscriptionState } from '../domain/subscriptions.ts';
import { clock, nearFirst } from './answers.ts';
import type { Answered, Request } from './desk.ts';
import {
  cardDeclinedSignal,
  invoiceClosedSignal,
  type SubscriptionAnswer,
  type SubscriptionInput,
} from './messages.ts';
import { localRecords, records } from './policies.ts';
import { companyAttribute, dueAtAttribute, stageAttribute, typeAttribute } from './search-attributes.ts';
import { type Collected, openCollections } from './subscription-invoices.ts';
import { openSubscriptionDesk, type SubscriptionAsked } from './subscription-messages.ts';

const near = proxyLocalActivities<Activities>(localRecords);
const { beginSubscription } = proxyActivities<Activities>({ ...records, summary: 'Record that it begins' });
const { advanceSubscription } = proxyActivities<Activities>({ ...records, summary: 'Book payments, do what is due' });
const { changeSubscription } = proxyActivities<Activities>({ ...records, summary: 'Record what somebody asked for' });

/** What is due and is not done for all that: nobody is helped by asking without a break. */
const AGAIN_MS = 60_000;

interface Carried {
  readonly standing: Standing;
  readonly answered: readonly Answered<SubscriptionAnswer>[];
  readonly collected: Collected;
  /** As the search attributes say it. */
  readonly shown: string;
}

/** `not_begun`: the company had another one. */
export interface SubscriptionOutcome {
  readonly state: SubscriptionState | 'not_begun';
}

export async function subscription(
  input: SubscriptionInput & { readonly carried?: Carried },
): Promise<SubscriptionOutcome> {
  const { subscriptionId, companyId, carried } = input;
  let it: Standing | null = carried?.standing ?? null;
  let hasNews = false;
  let stuckUntil = 0;
  let shown = carried?.shown ?? '';

  // What is news is not in what is known: the record is asked.
  const refuse = (change: SubscriptionChange): Refusal | null =>
    it && !hasNews ? refuseChange(it, change, Date.now()) : null;
  const desk = openSubscriptionDesk(refuse, carried?.answered);
  const collections = openCollections(carried?.collected);
  setHandler(invoiceClosedSignal, (closed) => {
    hasNews = collections.closed(closed) || hasNews;
  });
  setHandler(cardDeclinedSignal, (declined) => collections.declined(it, declined));

  it ??= await began();
  if (!it) return { state: 'not_begun' };
  const { term } = it;
  for (;;) {
    await collections.follow(it);
    show(it);
    if (desk.areWaiting()) it = await serve(it, desk.next());
    else if (hasEnded(it.state)) {
      await desk.idle(() => allHandlersFinished() || desk.areWaiting());
      if (!desk.areWaiting()) return { state: it.state };
    } else if (hasNews || isDue(it)) it = await advance(it);
    else if (it.term !== term || workflowInfo().continueAsNewSuggested) await continueIfQuiet(it);
    else await waitFor(nextDue(it, Date.now()));
  }

  // ---- its steps ------------------------------------------------------------------------------------------------------

  async function began(): Promise<Standing | null> {
    const { origin, by, plan, zone, startedAt } = input;
    const begin = { subscriptionId, companyId, by, plan, zone, startedAt, ...(origin ? { origin } : {}) };
    return beginSubscription(begin);
  }

  function isDue(it: Standing): boolean {
    const due = nextDue(it, Date.now());
    return due !== null && Math.max(due.at, stuckUntil) <= Date.now();
  }

  async function advance(before: Standing): Promise<Standing> {
    hasNews = false;
    const asked = { subscriptionId, at: clock() };
    const after = await nearFirst(near.advanceSubscription, advanceSubscription, asked);
    const [was, is] = [nextDue(before, Date.now()), nextDue(after, Date.now())];
    stuckUntil =
      was && is && was.rung === is.rung && was.at === is.at && is.at <= Date.now() ? Date.now() + AGAIN_MS : 0;
    return after;
  }

  async function serve(
    before: Standing,
    request: Request<SubscriptionAsked, SubscriptionAnswer> | undefined,
  ): Promise<Standing> {
    if (!request) return before;
    const { id: key } = request;
    const { change, origin } = request.asked;
    const asked = { subscriptionId, change, key, at: clock(), ...(origin ? { origin } : {}) };
    const { standing, refusal } = await nearFirst(near.changeSubscription, changeSubscription, asked);
    desk.answer(request, refusal ?? answerOf(standing));
    return standing;
  }

  async function waitFor(due: Due | null): Promise<void> {
    const spoken = () => desk.areWaiting() || hasNews;
    if (!due) return void (await desk.idle(spoken));
    const ms = Math.max(due.at, stuckUntil) - Date.now();
    await desk.idle(spoken, { ms, summary: SUMMARIES[due.rung.split('/')[0] ?? ''] ?? due.rung });
  }

  /** Whoever is being answered gets the answer first; whoever speaks meanwhile is served by this run. */
  async function continueIfQuiet(it: Standing): Promise<void> {
    await desk.idle(() => allHandlersFinished() || desk.areWaiting() || hasNews);
    if (desk.areWaiting() || hasNews) return;
    const { carried: _before, origin: _origin, ...same } = input;
    await continueAsNew<typeof subscription>({
      ...same,
      carried: { standing: it, answered: desk.carried(), collected: collections.carried(), shown },
    });
  }

  function show(it: Standing): void {
    const due = nextDue(it, Date.now());
    setCurrentDetails(detailsOf(it, due));
    const ends = new Date(paidUntil(it));
    const now = `${it.state} ${it.planCode} ${ends.toISOString()}`;
    if (now === shown) return;
    shown = now;
    upsertSearchAttributes([
      { key: stageAttribute, value: it.state },
      { key: typeAttribute, value: it.planCode },
      { key: companyAttribute, value: companyId },
      { key: dueAtAttribute, value: ends },
    ]);
  }
}

const answerOf = (it: Standing): SubscriptionAnswer => ({
  state: it.state,
  periodEnd: new Date(it.periodEnd).toISOString(),
  invoiceId: it.upgrade?.invoiceId ?? null,
});

const SUMMARIES: Readonly<Record<string, string>> = {
  reminder: 'Remind of the end of the period',
  invoice: 'Issue the invoice of the next term',
  charge: 'Charge the card on file',
  dunning: 'Ask for the payment that is due',
  suspension: 'Suspend it, unpaid',
  cancellation: 'End it, unpaid',
  end: 'End it, as was asked',
  renewal: 'Begin the next term, which is free',
  plan_change: 'Begin the other plan',
  upgrade_lapse: 'Drop the upgrade, unpaid',
};

function detailsOf(it: Standing, due: Due | null): string {
  const day = (at: number): string => new Date(at).toISOString();
  const lines = [
    `Subscription **${it.state}**, plan \`${it.planCode}\`, term ${it.term}, paid until ${day(paidUntil(it))}`,
    due ? `Next: \`${due.rung}\` at ${day(due.at)}` : 'Nothing happens by itself',
    ...(it.cancelAtPeriodEnd ? ['It ends with its period, as was asked.'] : []),
    ...(it.renewal ? [`Open invoice of the next term: \`payment/${it.renewal.invoiceId}\``] : []),
    ...(it.upgrade ? [`Upgrade that waits for its payment: \`payment/${it.upgrade.invoiceId}\``] : []),
  ];
  return lines.join('\n\n');
}
