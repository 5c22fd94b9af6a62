/**
 * A return of goods, from asking to the end:
 *
 *   what is due next? → wait for it, for news, or for somebody who says something → one transaction → what is due next?
 *
 * The record says what is due (domain/return-timeline.ts), so a process that starts anew goes on where the last one was. What it
 * does outside its own transactions is registered before it is done, and undone when the return ends before money has moved.
 */
import {
  allHandlersFinished,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ReturnMoved, ReturnNews } from '../activities/returns.ts';
import { listensUntil, nextReturnDue, POLL_MS, type ReturnStanding } from '../domain/return-timeline.ts';
import { type ReturnEffect, undoFailed } from '../domain/return-undoing.ts';
import { isReturnOver, type ReturnState } from '../domain/returns.ts';
import { clock, nearFirst, orNull } from './answers.ts';
import type { Answered, Request } from './desk.ts';
import { type RmaAnswer, type RmaInput, refundClosedSignal, returnChangedSignal } from './messages.ts';
import {
  carrierQuestions,
  HEARS_AGAIN_MS,
  handingOver,
  LABEL_AGAIN_MS,
  labels,
  localRecords,
  records,
} from './policies.ts';
import { openCompensation, type Undoing } from './rma-compensation.ts';
import { SUMMARIES, showReturn } from './rma-details.ts';
import { openReturnDesk, type ReturnAsked } from './rma-messages.ts';
import { isNews, tellingsOf } from './rma-news.ts';
import { companyAttribute, dueAtAttribute, stageAttribute, typeAttribute } from './search-attributes.ts';

const near = proxyLocalActivities<Activities>(localRecords);
const { takeReturn } = proxyActivities<Activities>({ ...records, summary: 'Read the return' });
const { actOnReturn } = proxyActivities<Activities>({ ...records, summary: 'Record what somebody said' });
const { advanceReturn } = proxyActivities<Activities>({ ...records, summary: 'Book what is news, do what is due' });
const { applyCarrierNews } = proxyActivities<Activities>({ ...carrierQuestions, summary: 'Ask the carrier' });
const { buyReturnLabel } = proxyActivities<Activities>({ ...labels, summary: 'Have the carrier make a label' });
const { tellProcesses } = proxyActivities<Activities>({ ...handingOver, summary: 'Tell the refunds and the orders' });
const { tellWaitingOrders } = proxyActivities<Activities>({ ...records, summary: 'Tell orders that wait for goods' });

/** What is due and is not done for all that: nobody is helped by asking without a break. */
const AGAIN_MS = 60_000;

interface Carried {
  readonly standing: ReturnStanding;
  readonly answered: readonly Answered<RmaAnswer>[];
  readonly effects: readonly ReturnEffect[];
  readonly shown: string;
  readonly labelAt: number;
}

export async function rma(input: RmaInput & { readonly carried?: Carried }): Promise<RmaAnswer> {
  const { returnId, carried } = input;
  let known: ReturnState | null = carried?.standing.state ?? null;
  let hasNews = false;
  let stuckUntil = 0;
  let labelAt = carried?.labelAt ?? 0;
  let lookedAt = Date.now();
  let shown = carried?.shown ?? '';
  const beside: Promise<void>[] = [];
  let besides = 0;

  // What is news, or is being done beside the story, is not in what is known: the record is asked.
  const desk = openReturnDesk(() => (hasNews || besides > 0 ? null : known), carried?.answered);
  const news = (): void => {
    hasNews = true;
  };
  setHandler(returnChangedSignal, news);
  setHandler(refundClosedSignal, news);

  let it = carried?.standing ?? (await begun());
  known = it.state;
  const effects = openCompensation(carried?.effects ?? effectsOf(it), tellLater);
  // Of one that had ended somebody has news, or it would not have been started again.
  if (!carried && isReturnOver(it.state)) hasNews = true;

  for (;;) {
    show();
    if (desk.areWaiting()) await serve(desk.next());
    else if (hasNews || isDue()) await advance();
    else if (isToBeUndone()) await undo();
    else if (needsLabel()) await buyLabel();
    else if (isReturnOver(it.state) && Date.now() >= hearsUntil() && besides === 0) {
      await desk.idle(() => allHandlersFinished() || isSpoken());
      if (!isSpoken()) return { state: it.state };
    } else if (workflowInfo().continueAsNewSuggested) await continueIfQuiet();
    else await wait();
  }

  // ---- its steps ------------------------------------------------------------------------------------------------------

  async function begun(): Promise<ReturnStanding> {
    const asked = { returnId, at: clock() };
    return nearFirst(near.takeReturn, takeReturn, asked);
  }

  async function serve(request: Request<ReturnAsked, RmaAnswer> | undefined): Promise<void> {
    if (!request) return;
    const { message } = request.asked;
    // The transaction may place an order: should it come to light only later that it did, it is undone all the same.
    effects.register('cancel_replacement');
    const asked = {
      returnId,
      messageId: message.messageId,
      at: clock(),
      ...(message.origin ? { origin: message.origin } : {}),
    };
    const { refusal, ...moved } = await nearFirst(near.actOnReturn, actOnReturn, asked);
    become(moved.standing);
    if (isToBeUndone()) await undo();
    desk.answer(request, refusal ?? { state: it.state });
    tellLater(moved.news);
  }

  async function advance(labelFailed = false): Promise<void> {
    const isTold = hasNews;
    hasNews = false;
    lookedAt = Date.now();
    if (isTold && FOLLOWS_PARCELS.includes(it.state)) await bookParcels();
    effects.register('cancel_replacement');
    const asked = { returnId, at: clock(), ...(labelFailed ? { labelFailed } : {}) };
    const before = nextReturnDue(it, Date.now());
    const moved: ReturnMoved = await nearFirst(near.advanceReturn, advanceReturn, asked);
    become(moved.standing);
    const after = nextReturnDue(it, Date.now());
    const isStuck = before && after && before.rung === after.rung && before.at === after.at && after.at <= Date.now();
    stuckUntil = isStuck ? Date.now() + AGAIN_MS : 0;
    tellLater(moved.news);
  }

  async function bookParcels(): Promise<void> {
    for (const shipmentId of it.parcelIds) {
      // What cannot be learned now, the watch over parcels learns, and tells.
      await orNull(applyCarrierNews({ shipmentId, at: clock() }));
    }
  }

  /** A carrier that is away is asked again for as long as the policy says; after that people see to it. */
  async function buyLabel(): Promise<void> {
    effects.register('void_label');
    const label = await orNull(buyReturnLabel({ returnId, shipmentId: it.labelId, at: clock() }));
    labelAt = Date.now() + LABEL_AGAIN_MS;
    await advance(label === null);
  }

  async function undo(): Promise<void> {
    const what: Undoing = { returnId, labelId: it.labelId };
    const left = await effects.undoAll(what);
    if (left.length > 0) goesOnBeside(effects.insist(left, what).then(seen));
  }

  function seen(standing: ReturnStanding | null): void {
    if (standing) hasNews = true;
  }

  function become(next: ReturnStanding): void {
    it = next;
    known = next.state;
    if (it.replacementOrderId === null) effects.forget('cancel_replacement');
    if (it.isPayingOut || it.state.startsWith('closed_')) effects.settle();
  }

  // ---- what is to be done ---------------------------------------------------------------------------------------------

  function isDue(): boolean {
    const now = Date.now();
    const due = nextReturnDue(it, now);
    return (due !== null && Math.max(due.at, stuckUntil) <= now) || (isPolled(it.state) && lookedAt + POLL_MS <= now);
  }

  function isToBeUndone(): boolean {
    return (it.state === 'cancelled' || it.state === 'rejected') && !it.isPayingOut && !effects.isEmpty();
  }

  function needsLabel(): boolean {
    if (it.keepsItems || it.hasLabel) return false;
    return it.state === 'approved' || (it.state === 'label_pending' && labelAt <= Date.now());
  }

  function isSpoken(): boolean {
    return desk.areWaiting() || hasNews;
  }

  /** One that is started once more, for a message or a parcel, does not end before that has come. */
  function hearsUntil(): number {
    const again = workflowInfo().runStartTime.getTime() + HEARS_AGAIN_MS;
    return it.state === 'expired' || it.state === 'cancelled' ? Math.max(listensUntil(it), again) : listensUntil(it);
  }

  async function wait(): Promise<void> {
    const due = nextReturnDue(it, Date.now());
    const times: { at: number; summary: string }[] = [];
    if (due) times.push({ at: Math.max(due.at, stuckUntil), summary: SUMMARIES[due.kind] });
    if (isPolled(it.state)) times.push({ at: lookedAt + POLL_MS, summary: 'Look whether money or goods have moved' });
    if (it.state === 'label_pending') times.push({ at: labelAt, summary: 'Ask the carrier for a label again' });
    if (isReturnOver(it.state) && besides === 0)
      times.push({ at: hearsUntil(), summary: 'Listen for a parcel, or money that comes back' });
    const [next] = times.toSorted((a, b) => a.at - b.at);
    const known = besides;
    const until = (): boolean => isSpoken() || besides !== known;
    await (next ? desk.idle(until, { ms: next.at - Date.now(), summary: next.summary }) : desk.idle(until));
  }

  /** Whoever is being answered gets the answer first; whoever speaks meanwhile is served by this run. */
  async function continueIfQuiet(): Promise<void> {
    await Promise.all(beside);
    await desk.idle(() => allHandlersFinished() || isSpoken());
    if (isSpoken()) return;
    await continueAsNew<typeof rma>({
      returnId,
      carried: { standing: it, answered: desk.carried(), effects: effects.carried(), shown, labelAt },
    });
  }

  // ---- beside the story -----------------------------------------------------------------------------------------------

  /** Refunds and orders that cannot be told now are found by their own sweeps. */
  function tellLater(of: ReturnNews): void {
    if (isNews(of)) goesOnBeside(tellAll(of));
  }

  async function tellAll(of: ReturnNews): Promise<void> {
    const tellings = tellingsOf(of);
    if (tellings.length > 0) await orNull(tellProcesses({ tellings, at: clock() }));
    if (of.restocked.length > 0) await orNull(tellWaitingOrders({ skus: of.restocked }));
  }

  function goesOnBeside(work: Promise<void>): void {
    besides += 1;
    beside.push(
      work.finally(() => {
        besides -= 1;
      }),
    );
  }

  function show(): void {
    const due = nextReturnDue(it, Date.now());
    showReturn(it, due, effects.carried());
    const now = `${it.state} ${it.resolution ?? it.wanted}`;
    // What passes at once is in the details; nobody looks for it.
    if (now === shown || needsLabel() || (it.state === 'approved' && it.hasLabel)) return;
    shown = now;
    upsertSearchAttributes([
      { key: stageAttribute, value: it.state },
      { key: typeAttribute, value: it.resolution ?? it.wanted },
      { key: companyAttribute, value: it.companyId },
      ...(due ? [{ key: dueAtAttribute, value: new Date(due.at) }] : []),
    ]);
  }
}

/** Where it matters where the parcel is; elsewhere the watch over parcels keeps its record. */
const FOLLOWS_PARCELS: readonly ReturnState[] = [
  ...(['label_pending', 'awaiting_shipment', 'in_transit'] as const),
  ...(['lost_in_transit', 'expired', 'cancelled'] as const),
];

const isPolled = (state: ReturnState): boolean => state === 'refunding' || state === 'replacing';

/** Of a return that had a process before: what that one would have to undo. */
function effectsOf(it: ReturnStanding): readonly ReturnEffect[] {
  if (it.isPayingOut || it.state.startsWith('closed_') || it.state === 'expired') return [];
  const all: readonly ReturnEffect[] = [
    'release_units',
    ...(it.hasLabel || it.state === 'approved' || it.state === 'label_pending' ? (['void_label'] as const) : []),
    ...(it.replacementOrderId ? (['cancel_replacement'] as const) : []),
  ];
  return all.filter((effect) => !it.manualReasons.includes(undoFailed(effect)));
}
