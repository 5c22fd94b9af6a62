/**
 * One order for as long as something may become of it:
 *
 *   what is due next? → wait for it, for news, or for somebody who asks → one transaction → what is due next?
 *
 * The record says what is due (domain/order-timeline.ts), so a process that starts anew goes on where the last one was. Money is
 * moved by others: each invoice is collected by its own process, which asks the gateway before it gives up, and each refund
 * goes its own way. They tell here how it ended; what they tell is news, and the record decides.
 */
import {
  allHandlersFinished,
  continueAsNew,
  getExternalWorkflowHandle,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { OrderStanding } from '../activities/orders.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { ShopMessageId } from '../domain/ids.ts';
import { ORDER_MESSAGES, type OrderMessageKind, type OrderState, refuseOrderMessage } from '../domain/orders.ts';
import { clock, nearFirst, orNull, refusal } from './answers.ts';
import { type Answered, openDesk, type Request } from './desk.ts';
import { paymentId, refundId as refundProcess, rmaId } from './ids.ts';
import {
  invoiceClosedSignal,
  lookAgainSignal,
  ORDER_UPDATES,
  type OrderAnswer,
  type OrderInput,
  orderChangedSignal,
  refundClosedSignal,
  returnChangedSignal,
  type ShopMessage,
} from './messages.ts';
import { carrierQuestions, handingOver, localRecords, records } from './policies.ts';
import { companyAttribute, dueAtAttribute, stageAttribute } from './search-attributes.ts';

const near = proxyLocalActivities<Activities>(localRecords);
const { advanceOrder } = proxyActivities<Activities>({ ...records, summary: 'Book payments, reserve, do what is due' });
const { applyOrderMessage } = proxyActivities<Activities>({ ...records, summary: 'Record what somebody asked for' });
const { handOverOrderMoney } = proxyActivities<Activities>({
  ...handingOver,
  summary: 'Have money collected or given back',
});
const { tellWaitingOrders } = proxyActivities<Activities>({
  ...handingOver,
  summary: 'Tell who waits for what is free',
});
const { printCreditNote } = proxyActivities<Activities>({ ...handingOver, summary: 'Print a credit note' });
const { applyCarrierNews } = proxyActivities<Activities>({ ...carrierQuestions, summary: 'Ask the carrier' });

/** What is due and is not done for all that: nobody is helped by asking without a break. */
const AGAIN_MS = 600_000;

interface Asked {
  readonly kind: OrderMessageKind;
  readonly messageId: ShopMessageId;
  readonly origin?: SealedOrigin;
}

interface Carried {
  readonly standing: OrderStanding;
  readonly answered: readonly Answered<OrderAnswer>[];
  readonly handedOver: readonly string[];
  /** As the search attributes say it. */
  readonly shown: string;
}

export interface OrderOutcome {
  readonly state: OrderState;
}

export async function order(input: OrderInput & { readonly carried?: Carried }): Promise<OrderOutcome> {
  const { orderId, carried } = input;
  let it: OrderStanding | null = carried?.standing ?? null;
  let hasNews = false;
  let stuckUntil = 0;
  let shown = carried?.shown ?? '';
  const handedOver = new Set<string>(carried?.handedOver ?? []);
  const asked = new Set<string>();

  const desk = openDesk<Asked, OrderAnswer>({
    // What is news is not in what is known: the record is asked.
    refuse: ({ kind }) => (it && !hasNews ? refuseOrderMessage(kind, it) : null),
    ended: refusal('order_not_open', 'The order is over. Read it again.'),
    answered: carried?.answered ?? [],
  });
  for (const kind of ORDER_MESSAGES)
    desk.takes(ORDER_UPDATES[kind], ({ messageId, origin }: ShopMessage) => ({
      kind,
      messageId,
      ...(origin ? { origin } : {}),
    }));
  for (const signal of [orderChangedSignal, invoiceClosedSignal, refundClosedSignal])
    setHandler(signal, () => {
      hasNews = true;
      asked.clear();
    });

  let now: OrderStanding = it ?? (await advance(null));
  for (;;) {
    await tellWhoWaits(it, now);
    await tellReturn(it, now);
    it = now;
    await handOver(now);
    await printNotes(now);
    show(now);
    const parcel = now.news.find((id) => !asked.has(id));
    if (desk.areWaiting()) now = await serve(now, desk.next());
    else if (parcel) {
      asked.add(parcel);
      await orNull(applyCarrierNews({ shipmentId: parcel, at: clock() }));
      hasNews = true;
    } else if (hasNews || isDue(now)) now = await advance(now);
    else if (now.due === null) {
      await desk.idle(() => allHandlersFinished() || desk.areWaiting() || hasNews);
      if (!desk.areWaiting() && !hasNews) return { state: now.state };
    } else if (workflowInfo().continueAsNewSuggested) await continueIfQuiet(now);
    else await waitFor(now);
  }

  // ---- its steps ------------------------------------------------------------------------------------------------------

  function isDue({ due }: OrderStanding): boolean {
    return due !== null && Math.max(due.at, stuckUntil) <= Date.now();
  }

  async function advance(before: OrderStanding | null): Promise<OrderStanding> {
    hasNews = false;
    const after = await nearFirst(near.advanceOrder, advanceOrder, { orderId, at: clock() });
    const isStuck = after.due !== null && after.due.at <= Date.now() && before?.due?.rung === after.due.rung;
    stuckUntil = isStuck ? Date.now() + AGAIN_MS : 0;
    // Nobody has closed the invoice in its time: who collects it is started once more.
    if (isStuck) handedOver.clear();
    return after;
  }

  async function serve(
    before: OrderStanding,
    request: Request<Asked, OrderAnswer> | undefined,
  ): Promise<OrderStanding> {
    if (!request) return before;
    const { kind: _kind, ...message } = request.asked;
    const said = { orderId, ...message, at: clock() };
    const { standing, refusal: why } = await nearFirst(near.applyOrderMessage, applyOrderMessage, said);
    desk.answer(request, why ?? { state: standing.state });
    return standing;
  }

  /** Each once a run of things: whoever is told twice finds it done. */
  async function handOver({ collect, close, refunds }: OrderStanding): Promise<void> {
    const isFresh = (how: string) => (id: string) => !handedOver.has(`${how}/${id}`);
    const money = {
      collect: collect.filter(isFresh('collect')),
      close: close.filter(isFresh('close')),
      refunds: refunds.filter(isFresh('refund')),
    };
    if (money.collect.length + money.close.length + money.refunds.length === 0) return;
    // Who moves money that is not told now finds it by the sweeps of the money; the goods go on.
    await orNull(
      handOverOrderMoney({
        orderId,
        collect: money.collect.map((invoiceId) => ({ invoiceId, workflowId: paymentId(invoiceId) })),
        collector: 'invoicePayment',
        close: money.close.map(paymentId),
        closeSignal: lookAgainSignal.name,
        refunds: money.refunds.map((refundId) => ({ refundId, workflowId: refundProcess(refundId) })),
        refunder: 'refund',
      }),
    );
    for (const id of money.collect) handedOver.add(`collect/${id}`);
    for (const id of money.close) handedOver.add(`close/${id}`);
    for (const id of money.refunds) handedOver.add(`refund/${id}`);
  }

  /** One that cannot be printed now is in the standing still when the record is read again. Earlier standings name none. */
  async function printNotes({ notes = [] }: Partial<Pick<OrderStanding, 'notes'>>): Promise<void> {
    for (const creditNoteId of notes) {
      const key = `note/${creditNoteId}`;
      if (handedOver.has(key)) continue;
      if ((await orNull(printCreditNote({ creditNoteId }))) !== null) handedOver.add(key);
    }
  }

  /** What it gave up a moment ago is another's: the stock's watch tells who is not told here. */
  async function tellWhoWaits(before: OrderStanding | null, { units, freed }: OrderStanding): Promise<void> {
    if (freed.length > 0 && units.cancelled > (before?.units.cancelled ?? 0))
      await orNull(tellWaitingOrders({ skus: freed }));
  }

  /** It has left, or it never will: the return would hear of it by its daily look. Earlier standings name none. */
  async function tellReturn(
    before: OrderStanding | null,
    { returnId = null, state }: Partial<Pick<OrderStanding, 'returnId'>> & Pick<OrderStanding, 'state'>,
  ): Promise<void> {
    if (returnId === null || before === null || before.state === state) return;
    await orNull(getExternalWorkflowHandle(rmaId(returnId)).signal(returnChangedSignal));
  }

  async function waitFor({ due }: OrderStanding): Promise<void> {
    const spoken = () => desk.areWaiting() || hasNews;
    if (!due) return;
    const ms = Math.max(due.at, stuckUntil) - Date.now();
    await desk.idle(spoken, { ms, summary: SUMMARIES[due.rung.split('/')[0] ?? ''] ?? due.rung });
  }

  /** Whoever is being answered gets the answer first; whoever speaks meanwhile is served by this run. */
  async function continueIfQuiet(standing: OrderStanding): Promise<void> {
    await desk.idle(() => allHandlersFinished() || desk.areWaiting() || hasNews);
    if (desk.areWaiting() || hasNews) return;
    const next = { standing, answered: desk.carried(), handedOver: [...handedOver], shown };
    await continueAsNew<typeof order>({ orderId, carried: next });
  }

  function show(standing: OrderStanding): void {
    const { state, companyId, due } = standing;
    setCurrentDetails(detailsOf(standing));
    const dueAt = due && due.rung !== 'look' ? due.at : null;
    const told = `${state} ${dueAt ?? ''}`;
    if (told === shown) return;
    shown = told;
    upsertSearchAttributes([
      { key: stageAttribute, value: state },
      { key: companyAttribute, value: companyId },
      { key: dueAtAttribute, value: dueAt === null ? null : new Date(dueAt) },
    ]);
  }
}

const SUMMARIES: Readonly<Record<string, string>> = {
  unpaid_reminder: 'Remind of the payment',
  unpaid: 'See that an unpaid order has ended',
  hold_reminder: 'Remind sellers of the hold',
  lost: 'Give the parcel up',
  review_request: 'Ask for a review',
  end: 'Nothing can be returned any more',
  look: 'Read the record again',
};

function detailsOf({ number, state, units, due, collect, refunds }: OrderStanding): string {
  const counts = Object.entries(units).filter(([, count]) => count > 0);
  const lines = [
    `Order ${number}: **${state}**`,
    `Units: ${counts.map(([unit, count]) => `${count} ${unit}`).join(', ')}`,
    due ? `Next: \`${due.rung}\` at ${new Date(due.at).toISOString()}` : 'It is over',
    ...collect.map((id) => `Open invoice: \`payment/${id}\``),
    ...refunds.map((id) => `Refund on its way: \`refund/${id}\``),
  ];
  return lines.join('\n\n');
}
