/**
 * Once a minute: tells processes of what they were not told, starts refunds that none has in hand, opens the cases of what is
 * stuck and closes those that have cleared up. A schedule starts it (worker/schedules.ts); what one run leaves, the next
 * takes, so it may be ended at any time. Histories hold IDs, nothing else.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Errand, Found, Telling, UntoldNotice } from '../activities/money-watch.ts';
import type { RefundId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { paymentId, refundId as refundWorkflowId } from './ids.ts';
import {
  type GatewayNotice,
  gatewayNoticeSignal,
  type PaymentInput,
  type RefundInput,
  refundNoticeSignal,
} from './messages.ts';
import { records, sweeps } from './policies.ts';

const { lookThroughMoney } = proxyActivities<Activities>({ ...records, summary: 'Look for money that waits in vain' });
const { tellProcesses } = proxyActivities<Activities>({ ...sweeps, summary: 'Tell the processes' });

/** The API tells within seconds of storing a notice. */
const UNTOLD_AFTER_MS = 30_000;
/** Who was told and has not looked waits for a gateway that is away, and would be told for nothing every minute. */
const TELL_AGAIN_AFTER_MS = 900_000;
const UNTAKEN_AFTER_MS = 60_000;
const STUCK_AFTER_MS = 900_000;
const PAGE = 100;
/** What is left then, the next sweep takes: a history must not grow with the length of an outage. */
const PAGES = 10;

export interface MoneyWatched {
  readonly told: number;
  readonly opened: number;
  readonly closed: number;
}

/** @param page how many of each sort are looked up at a time */
export async function moneyWatch(page = PAGE): Promise<MoneyWatched> {
  let [told, opened, closed] = [0, 0, 0];
  for (let pages = 0; pages < PAGES; pages += 1) {
    const found: Found = await lookThroughMoney({
      at: clock(),
      receivedBefore: ago(UNTOLD_AFTER_MS),
      toldBefore: ago(TELL_AGAIN_AFTER_MS),
      requestedBefore: ago(UNTAKEN_AFTER_MS),
      stuckBefore: ago(STUCK_AFTER_MS),
      limit: page,
    });
    const tellings = [...tellingsOf(found.notices), ...found.refunds.map(startOf)];
    if (tellings.length > 0) told += (await tellProcesses({ tellings, at: clock() })).told;
    opened += found.opened;
    closed += found.closed;
    if (!found.more) break;
  }
  return { told, opened, closed };
}

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** The newest notice of an object stands for those before it: its process asks the gateway what is so now. */
function tellingsOf(notices: readonly UntoldNotice[]): Telling[] {
  const byObject = new Map<string, { newest: UntoldNotice; inboxIds: string[] }>();
  for (const notice of notices) {
    const key = notice.refundId ?? notice.reference;
    const { newest, inboxIds } = byObject.get(key) ?? { newest: notice, inboxIds: [] };
    const isNewer = BigInt(notice.inboxId) > BigInt(newest.inboxId);
    byObject.set(key, { newest: isNewer ? notice : newest, inboxIds: [...inboxIds, notice.inboxId] });
  }
  return [...byObject.values()].map(({ newest, inboxIds }) => ({ inboxIds, errands: errandsOf(newest) }));
}

/** The refunds first: once the payment's process has looked, the notice counts as handled. */
const errandsOf = (notice: UntoldNotice): Errand[] => [
  ...notice.refundIds.map((id) => toRefund(id, notice.inboxId)),
  ...(notice.refundId === null ? [toPayment(notice)] : []),
];

function toPayment({ gateway, reference, inboxId, invoiceId }: UntoldNotice): Errand {
  const argument: GatewayNotice = { gateway, reference, inboxId };
  const input: PaymentInput = { invoiceId };
  const summary = 'Payment of an invoice, woken by a late notice';
  const signal = { name: gatewayNoticeSignal.name, argument };
  return { workflowType: 'invoicePayment', workflowId: paymentId(invoiceId), input, signal, summary };
}

function toRefund(refundId: RefundId, inboxId: string): Errand {
  const input: RefundInput = { refundId };
  const signal = { name: refundNoticeSignal.name, argument: { inboxId } };
  const summary = 'Refund, woken by a late notice';
  return { workflowType: 'refund', workflowId: refundWorkflowId(refundId), input, signal, summary };
}

function startOf(refundId: RefundId): Telling {
  const input: RefundInput = { refundId };
  const summary = 'Refund, started by the sweep';
  const errand = { workflowType: 'refund', workflowId: refundWorkflowId(refundId), input, signal: null, summary };
  return { inboxIds: [], errands: [errand] };
}
