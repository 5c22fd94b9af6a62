/**
 * Gives money back, once:
 *
 *   asked for → agreed to, where somebody has to → the way chosen and booked as owed → sent → arrived, or not
 *
 * Each step is on record before the next; a process that starts again reads the record and goes on there. Only the gateway's
 * answer to a question, or the word of who transferred it, says that it arrived. What has arrived is watched for some days.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { RefundInHand } from '../activities/refunds.ts';
import type { Refusal } from '../domain/licensing.ts';
import { type RefundState, refuseDestination, refuseRefundDecision, refuseTransferReport } from '../domain/refunds.ts';
import { startLetter } from './account-letter.ts';
import { clock, orNull, refusal } from './answers.ts';
import { openDesk, type Request } from './desk.ts';
import { atGateways } from './gateways.ts';
import { orderId, rmaId } from './ids.ts';
import {
  type DecideRefund,
  decideRefundUpdate,
  type RefundAnswer,
  type RefundInput,
  refundClosedSignal,
  refundDestinationUpdate,
  refundNoticeSignal,
  refundTransferUpdate,
  type Sent,
  type TransferMessage,
} from './messages.ts';
import {
  documents,
  lookUps,
  REFUND_POLL_AFTER_MS,
  REFUND_POLL_DAILY_MS,
  REFUND_REMIND_FINANCE_MS,
  REFUND_REMIND_PAYER_MS,
  REFUND_REMIND_WEEKLY_MS,
  REFUND_WATCH_AFTER_MS,
  records,
} from './policies.ts';
import { companyAttribute } from './search-attributes.ts';

const { takeRefund } = proxyActivities<Activities>({ ...records, summary: 'Read the refund' });
const { decideRefund } = proxyActivities<Activities>({ ...records, summary: 'Record a decision on the refund' });
const { reserveRefund } = proxyActivities<Activities>({
  ...records,
  summary: 'Choose the way and book it as owed, or ask the payer where to',
});
const { sendRefund } = proxyActivities<Activities>({ ...records, summary: 'Record that it is being sent' });
const { refundAtGateway } = atGateways({ ...lookUps, summary: 'Ask the gateway to pay it back' });
const { confirmRefund } = atGateways({ ...lookUps, summary: 'Ask the gateway what became of it' });
const { reportTransfer } = proxyActivities<Activities>({
  ...records,
  summary: 'Record what finance says of the transfer',
});
const { remindOfRefund } = proxyActivities<Activities>({ ...records, summary: 'Remind whoever is waited for' });
const { takeAccountLetters } = proxyActivities<Activities>({ ...records, summary: 'Mark letters as handed over' });
const { printCreditNote } = proxyActivities<Activities>({
  ...documents,
  summary: 'Print the credit note, if there is one',
});

type Asked =
  | { readonly kind: 'decision'; readonly message: DecideRefund }
  | { readonly kind: 'destination'; readonly message: { readonly by: DecideRefund['by'] } & Sent }
  | { readonly kind: 'transfer'; readonly message: TransferMessage };

export async function refund({ refundId }: RefundInput): Promise<RefundAnswer> {
  // The newest notice that was not answered by a question yet; its row of the inbox, where it has one.
  let notice: { readonly inboxId: string | null } | null = null;
  const papers: Promise<unknown>[] = [];
  let known: RefundInHand | null = null;
  let looks = 0;
  let remindedAt = 0;
  let watchedUntil = 0;

  const desk = openDesk<Asked, RefundAnswer>({
    refuse: (asked) => (known ? refuse(known, asked) : null),
    ended: ENDED,
  });
  desk.takes(decideRefundUpdate, (message) => ({ kind: 'decision', message }));
  desk.takes(refundDestinationUpdate, (message) => ({ kind: 'destination', message }));
  desk.takes(refundTransferUpdate, (message) => ({ kind: 'transfer', message }));
  setHandler(refundNoticeSignal, ({ inboxId }) => {
    const newest = notice?.inboxId ?? null;
    notice =
      inboxId === null || (newest !== null && BigInt(newest) > BigInt(inboxId)) ? { inboxId: newest } : { inboxId };
  });

  let it = await learn(await takeRefund({ refundId, at: clock() }));
  upsertSearchAttributes([{ key: companyAttribute, value: it.companyId }]);
  for (;;) {
    while (!isOver()) await goOnOrServe();
    await Promise.all(papers);
    // Whoever speaks at the very end is still answered.
    await desk.idle(() => allHandlersFinished() || desk.areWaiting());
    if (!desk.areWaiting()) return { state: it.state, channel: it.channel };
  }

  // ---- its steps ------------------------------------------------------------------------------------------------------

  async function goOnOrServe(): Promise<void> {
    const request = desk.next();
    if (request) await serve(request);
    else await goOn();
    if (!workflowInfo().continueAsNewSuggested || desk.areWaiting()) return;
    await Promise.all([condition(allHandlersFinished), ...papers]);
    await continueAsNew<typeof refund>({ refundId });
  }

  async function goOn(): Promise<void> {
    switch (it.state) {
      case 'approved':
        return become(await reserveRefund({ refundId, at: clock() }));
      case 'reserved':
        return become(await sendRefund({ refundId, at: clock() }));
      case 'requested':
      case 'transfer_due':
      case 'awaiting_destination':
        return waitForPeople();
      case 'submitted':
        return askGateway();
      case 'pending':
      case 'unknown':
        return waitForGateway();
      case 'succeeded':
        return watch();
      case 'failed':
      case 'rejected':
      case 'cancelled':
        return;
    }
  }

  /** Nobody decides by waiting: what waits is told of again, and stays. */
  async function waitForPeople(): Promise<void> {
    const due = nextReminder(it.state, Date.parse(it.since), remindedAt);
    const isSpoken = () => desk.areWaiting();
    if (due === null) return void (await desk.idle(isSpoken));
    const isAsked = await desk.idle(isSpoken, {
      ms: due.at - Date.now(),
      summary: due.isLast ? 'Tell finance that the payer does not answer' : 'Remind whoever is waited for',
    });
    if (isAsked) return;
    remindedAt = due.at;
    await become(await remindOfRefund({ refundId, at: clock(), isLast: due.isLast }));
  }

  /** It is on record that the gateway is being asked. Asking again under the same key never pays twice. */
  async function askGateway(): Promise<void> {
    const said = await orNull(refundAtGateway({ refundId, at: clock() }));
    if (said && said.state !== 'submitted') return become(said);
    await pause(nextLook(), 'Ask the gateway again');
    if (notice) await look();
  }

  async function waitForGateway(): Promise<void> {
    await pause(nextLook(), 'Ask the gateway, if no notice comes');
    await look();
  }

  function nextLook(): number {
    const wait = REFUND_POLL_AFTER_MS[looks] ?? REFUND_POLL_DAILY_MS;
    const before = looks > 0 ? (REFUND_POLL_AFTER_MS[looks - 1] ?? 0) : 0;
    return wait - before;
  }

  /** A notice ends it, and so does a message. */
  async function pause(ms: number, summary: string): Promise<void> {
    looks += 1;
    await desk.idle(() => notice !== null || desk.areWaiting(), { ms, summary });
  }

  async function look(): Promise<void> {
    const upTo = notice?.inboxId ?? null;
    notice = null;
    const said = await orNull(confirmRefund({ refundId, noticesUpTo: upTo, at: clock() }));
    // The gateway is away; it is asked again when the time comes.
    if (said) await become(said);
  }

  /** A bank may send the money back days after the gateway called it paid. */
  async function watch(): Promise<void> {
    if (notice) return look();
    const next = nextWatch();
    if (next === null) return;
    const isSpoken = await desk.idle(() => notice !== null || desk.areWaiting(), {
      ms: next - Date.now(),
      summary: 'Ask whether it has come back',
    });
    if (isSpoken) return;
    watchedUntil = next;
    if (it.channel === 'gateway') await look();
  }

  function nextWatch(): number | null {
    const { endedAt, channel } = it;
    if (endedAt === null || channel === 'store_credit') return null;
    const ended = Date.parse(endedAt);
    const started = workflowInfo().runStartTime.getTime();
    const due = REFUND_WATCH_AFTER_MS.map((after) => ended + after);
    return due.find((at) => at > watchedUntil && at > started) ?? null;
  }

  function isOver(): boolean {
    if (desk.areWaiting()) return false;
    if (it.state === 'succeeded') return notice === null && nextWatch() === null;
    return it.state === 'failed' || it.state === 'rejected' || it.state === 'cancelled';
  }

  // ---- messages -------------------------------------------------------------------------------------------------------

  /** Another may have been first while this one waited for its turn: the rule is asked again. */
  async function serve(request: Request<Asked, RefundAnswer>): Promise<void> {
    const refusal = refuse(it, request.asked);
    if (!refusal) await obey(request.asked);
    desk.answer(request, refusal ?? { state: it.state, channel: it.channel });
  }

  async function obey(asked: Asked): Promise<void> {
    const at = clock();
    if (asked.kind === 'decision') {
      const { decision, by, note = null, origin } = asked.message;
      return become(await decideRefund({ refundId, decision, by, note, at, ...(origin ? { origin } : {}) }));
    }
    if (asked.kind === 'transfer') {
      const { isPayer: _isPayer, ...said } = asked.message;
      return become(await reportTransfer({ refundId, ...said, at }));
    }
    await become(await takeRefund({ refundId, at }));
    if (it.state === 'awaiting_destination') await become(await reserveRefund({ refundId, at: clock() }));
  }

  async function become(next: RefundInHand): Promise<void> {
    const before = it.state;
    it = await learn(next);
    if (it.state === before) return;
    looks = 0;
    remindedAt = 0;
    // Beside the story: a printer that is away must not keep anybody from hearing that the money has come back.
    if (it.state === 'succeeded') papers.push(printCreditNote({ refundId }));
    if (isClosed(it.state)) papers.push(tellWhoWaits());
  }

  /** A return or an order that has ended meanwhile does not hear it: the record says it too. */
  async function tellWhoWaits(): Promise<void> {
    if (!it.tells) return;
    const { state, tells } = it;
    const waiting = tells.returnId ? rmaId(tells.returnId) : tells.orderId && orderId(tells.orderId);
    if (!waiting) return;
    await orNull(getExternalWorkflowHandle(waiting).signal(refundClosedSignal, { refundId, state }));
  }

  async function learn(next: RefundInHand): Promise<RefundInHand> {
    known = next;
    setCurrentDetails(describe(next));
    await post(next.letters);
    return next;
  }

  /** Each leaves by a process of its own. One that is not handed over here waits for the sweep. */
  async function post(letterIds: readonly string[]): Promise<void> {
    if (letterIds.length === 0) return;
    await Promise.all(letterIds.map((id) => startLetter(id, 'A letter about a refund')));
    await takeAccountLetters({ letterIds, at: clock() });
  }
}

const isClosed = (state: RefundState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'rejected' || state === 'cancelled';

const ENDED = refusal('refund_not_open', 'The refund has come to its end. Read it again.');

function refuse(it: RefundInHand, { kind, message }: Asked): Refusal | null {
  switch (kind) {
    case 'decision':
      return refuseRefundDecision(it, message.decision, message.by, message.isPayer);
    case 'destination':
      return refuseDestination(it);
    case 'transfer': {
      const { outcome, isPayer } = message;
      const nameChecked = message.outcome === 'transferred' && message.nameChecked;
      return refuseTransferReport(it, { outcome, nameChecked, isPayer });
    }
  }
}

/** The next time somebody is told again, after the last one; null = nobody is told any more. */
function nextReminder(state: RefundState, since: number, after: number): { at: number; isLast: boolean } | null {
  const soon = Math.max(since, after);
  if (state === 'awaiting_destination') {
    const times = REFUND_REMIND_PAYER_MS.map((ms) => since + ms);
    const at = times.find((time) => time > soon);
    return at === undefined ? null : { at, isLast: at === times.at(-1) };
  }
  const first = since + REFUND_REMIND_FINANCE_MS;
  const weeks = soon < first ? 0 : Math.floor((soon - first) / REFUND_REMIND_WEEKLY_MS) + 1;
  return { at: first + weeks * REFUND_REMIND_WEEKLY_MS, isLast: false };
}

const WAITED_FOR: Record<RefundState, string> = {
  requested: 'a second person',
  approved: '–',
  awaiting_destination: 'the payer, who says where to',
  reserved: '–',
  submitted: 'the gateway',
  pending: 'the gateway',
  unknown: 'the gateway, whose answer was lost',
  transfer_due: 'finance, who transfers it',
  succeeded: 'nobody; watched in case it comes back',
  failed: 'nobody; finance has a case',
  rejected: 'nobody',
  cancelled: 'nobody',
};

const describe = ({ state, channel, since }: RefundInHand): string =>
  [
    '| state | since | way | waits for |',
    '| --- | --- | --- | --- |',
    `| **${state}** | ${since} | ${channel ?? 'open'} | ${WAITED_FOR[state]} |`,
  ].join('\n');
