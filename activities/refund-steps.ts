/** The steps of a refund: each is one transaction under the lock on its payment, and does nothing the second time. */
import type { Knex } from 'knex';
import { findCreditNote, issueCreditNote } from '../db/credit-notes.ts';
import { type NewEvent, recordEachTime } from '../db/events.ts';
import { grantForGoods } from '../db/goods-refunds.ts';
import { reinstateLicenseOf, suspendLicenseOf } from '../db/license-standing.ts';
import { openPaymentCase } from '../db/payment-cases.ts';
import { writeToFinance, writeToPayer } from '../db/refund-letters.ts';
import {
  bookCameBack,
  bookPaid,
  bookReleased,
  bookReserved,
  groundOf,
  hasSuspendedLicense,
  isFullyCredited,
  isSecondTry,
  suspensionKey,
} from '../db/refund-lines.ts';
import {
  aboutRefund,
  dropDestination,
  kindOfCase,
  lockRefund,
  moveRefund,
  type Refund,
  type RefundChange,
} from '../db/refunds.ts';
import type { EventType, Origin } from '../domain/events.ts';
import type { RefundId, UserId } from '../domain/ids.ts';
import type { RefundPaidFrom } from '../domain/ledger.ts';
import {
  chooseChannel,
  leadsTo,
  type RefundChannel,
  type RefundState,
  type TransferOutcome,
} from '../domain/refunds.ts';

const EVENTS: Record<RefundState, EventType> = {
  requested: 'refund.requested',
  approved: 'refund.approved',
  awaiting_destination: 'refund.destination_asked',
  reserved: 'refund.reserved',
  submitted: 'refund.submitted',
  pending: 'refund.pending',
  unknown: 'refund.unknown',
  transfer_due: 'refund.transfer_due',
  succeeded: 'refund.succeeded',
  failed: 'refund.failed',
  rejected: 'refund.rejected',
  cancelled: 'refund.cancelled',
};

interface Move {
  readonly at: string;
  readonly by?: UserId;
  readonly actor?: 'gateway';
  readonly origin?: Origin | undefined;
  readonly data?: NewEvent['data'];
  readonly change?: RefundChange;
}

/** Event and record. A state may be come to again, so its key is numbered; the lock and the edge are the guard. */
async function move(tx: Knex, refund: Refund, to: RefundState, given: Move): Promise<Refund> {
  const { at, by, actor, origin, data, change } = given;
  await recordEachTime(tx, {
    key: `refund/${refund.id}/${to}`,
    type: EVENTS[to],
    ...aboutRefund(refund),
    ...(by ? { by } : {}),
    ...(actor ? { actor } : {}),
    data: { refundId: refund.id, ...data },
    origin,
    at,
  });
  if (!(await moveRefund(tx, refund.id, to, at, change))) {
    throw new Error(`refund ${refund.id} cannot go from ${refund.state} to ${to}`);
  }
  return lockRefund(tx, refund.id);
}

// ---- decisions ------------------------------------------------------------------------------------------------------

export interface RecordedDecision {
  readonly decision: 'approve' | 'reject' | 'cancel';
  /** null = Alur itself: the money is not there any more. */
  readonly by: UserId | null;
  readonly note: string | null;
  readonly origin?: Origin | undefined;
  readonly at: string;
}

const DECIDED = { approve: 'approved', reject: 'rejected', cancel: 'cancelled' } as const;

/** The rule was asked before; a repeat finds the state that it had led to and changes nothing. */
export async function decide(tx: Knex, id: RefundId, made: RecordedDecision): Promise<void> {
  const refund = await lockRefund(tx, id);
  const to = DECIDED[made.decision];
  if (refund.state === to || !leadsTo(refund.state, to)) return;
  const { at, by, origin, note } = made;
  const change = {
    ...(by ? { decidedBy: by } : {}),
    decidedAt: at,
    decisionNote: note,
    ...(to === 'approved' ? {} : { endedAt: at }),
  };
  const after = await move(tx, refund, to, { at, ...(by ? { by } : {}), origin, change });
  if (to === 'approved') return writeToPayer(tx, after, 'refund_approved', at);
  if ((await groundOf(tx, refund)).isReserved) await bookReleased(tx, refund, at);
  await writeToPayer(tx, after, 'refund_refused', at);
  await leaveToFinance(tx, after, at);
}

/** What was to be given back out of suspense is still there: whoever called it off has not said for what. */
async function leaveToFinance(tx: Knex, refund: Refund, at: string): Promise<void> {
  if (refund.source !== 'suspense') return;
  const kind = refund.caseId ? await kindOfCase(tx, refund.caseId) : null;
  await openCase(tx, refund, kind ?? 'refund_failed', { state: refund.state }, at);
}

async function openCase(
  tx: Knex,
  refund: Refund,
  kind: Parameters<typeof openPaymentCase>[1]['kind'],
  facts: Readonly<Record<string, unknown>>,
  at: string,
): Promise<void> {
  await openPaymentCase(tx, {
    key: `refund/${refund.id}/case/${kind}`,
    kind,
    gateway: refund.gateway,
    reference: refund.reference,
    paymentId: refund.paymentId,
    invoiceId: refund.invoiceId,
    applicationId: refund.applicationId,
    companyId: refund.companyId,
    refundId: refund.id,
    amount: refund.amount,
    facts,
    at,
  });
}

// ---- on the way -----------------------------------------------------------------------------------------------------

/** Chooses the way and books it as owed, or asks the payer for one. `gatewayCan` is asked under the lock. */
export async function reserve(
  tx: Knex,
  id: RefundId,
  at: string,
  gatewayCan: (refund: Refund) => boolean,
): Promise<void> {
  const refund = await lockRefund(tx, id);
  if (refund.state !== 'approved' && refund.state !== 'awaiting_destination') return;
  const ground = await groundOf(tx, refund);
  if (ground.paymentState !== 'paid') return takenBackMeanwhile(tx, id, at);
  const channel = chooseChannel({
    channel: refund.channel,
    hasAccount: refund.bankCode !== null,
    gatewayCan: gatewayCan(refund),
  });
  if (channel === null) return refund.state === 'approved' ? askForDestination(tx, refund, { at }) : undefined;
  const reserved = await move(tx, refund, 'reserved', { at, data: { channel }, change: { channel } });
  if (!ground.isReserved) await bookReserved(tx, reserved, ground.invoiceState, at);
}

/** The payment was reversed while its refund waited: there is nothing left to give back. */
const takenBackMeanwhile = (tx: Knex, id: RefundId, at: string): Promise<void> =>
  decide(tx, id, { decision: 'cancel', by: null, note: null, at });

async function askForDestination(tx: Knex, refund: Refund, given: Move): Promise<void> {
  const change = { channel: null, ...given.change };
  const asked = await move(tx, refund, 'awaiting_destination', { ...given, change });
  if (asked.bankCode === null) await writeToPayer(tx, asked, 'refund_destination_needed', given.at);
}

/** Written down before the gateway or a person hears of it. Credit is given at once. */
export async function send(tx: Knex, id: RefundId, at: string): Promise<void> {
  const refund = await lockRefund(tx, id);
  if (refund.state !== 'reserved') return;
  if ((await groundOf(tx, refund)).paymentState !== 'paid') return takenBackMeanwhile(tx, id, at);
  switch (refund.channel) {
    case 'gateway':
      await move(tx, refund, 'submitted', { at, change: { submittedAt: at } });
      return;
    case 'bank_transfer': {
      const due = await move(tx, refund, 'transfer_due', { at, change: { submittedAt: at } });
      return writeToFinance(tx, due, 'refund_to_transfer', at);
    }
    case 'store_credit':
      return succeed(tx, refund, { at, change: { submittedAt: at } });
    case null:
      throw new Error(`refund ${id} is reserved and no way is chosen`);
  }
}

export interface GatewayWord {
  readonly state: 'not_found' | 'pending' | 'unknown' | 'succeeded' | 'failed';
  readonly gatewayRefundId: string | null;
  readonly reason: string | null;
  /** What it gave back, where it says so and where that is not what it was asked for. */
  readonly otherAmount: string | null;
}

/** Writes down what the gateway says. What it has said before, or can no longer say, changes nothing. */
export async function hear(tx: Knex, id: RefundId, said: GatewayWord, at: string): Promise<void> {
  const refund = await lockRefund(tx, id);
  const { reason } = said;
  const change = { gatewayRefundId: said.gatewayRefundId };
  const given = { at, actor: 'gateway', data: reason === null ? {} : { reason }, change } as const;
  if (said.state === 'not_found' || said.state === refund.state || refund.channel !== 'gateway') return;
  if (said.state === 'failed') {
    if (refund.state === 'succeeded') return comeBack(tx, refund, reason, given);
    if (!leadsTo(refund.state, 'failed')) return;
    return reason === 'channel_cannot_refund'
      ? askForDestination(tx, refund, { ...given, change: { ...change, failureCode: reason } })
      : fail(tx, refund, reason, given);
  }
  if (!leadsTo(refund.state, said.state)) return;
  if (said.state !== 'succeeded') return void (await move(tx, refund, said.state, given));
  await succeed(tx, refund, given);
  if (said.otherAmount !== null)
    await openCase(
      tx,
      refund,
      'refund_differs',
      { expected: refund.amount.amountMinor.toString(), found: said.otherAmount },
      at,
    );
}

// ---- how it ends ----------------------------------------------------------------------------------------------------

const PAID_FROM: Record<RefundChannel, RefundPaidFrom> = {
  gateway: 'gateway_clearing',
  bank_transfer: 'bank',
  store_credit: 'store_credit',
};

const paidFrom = ({ id, channel }: Refund): RefundPaidFrom => {
  if (channel === null) throw new Error(`refund ${id} was paid and no way is chosen`);
  return PAID_FROM[channel];
};

async function succeed(tx: Knex, refund: Refund, given: Move): Promise<void> {
  const { at } = given;
  const data = { ...given.data, channel: refund.channel };
  const after = await move(tx, refund, 'succeeded', { ...given, data, change: { ...given.change, endedAt: at } });
  await bookPaid(tx, after, paidFrom(after), at);
  if (after.channel === 'store_credit') await limitCredit(tx, after, at);
  const note = await issueCreditNote(tx, { refundId: refund.id, at });
  if (note !== null || (await isSecondTry(tx, refund))) await suspendIfNothingIsPaid(tx, after, at);
  await writeToPayer(tx, after, 'refund_succeeded', at);
}

/** Credit for goods ends some day; that for anything else never does. */
async function limitCredit(tx: Knex, refund: Refund, at: string): Promise<void> {
  const { id, orderId, returnId, companyId, amount } = refund;
  if (orderId === null && returnId === null) return;
  await grantForGoods(tx, { key: `refund/${id}`, companyId, returnId, ...amount, at });
}

async function suspendIfNothingIsPaid(tx: Knex, refund: Refund, at: string): Promise<void> {
  const { applicationId, invoiceId, id } = refund;
  if (applicationId && (await isFullyCredited(tx, invoiceId)))
    await suspendLicenseOf(tx, { applicationId, reason: 'refunded', key: suspensionKey(id), at });
}

async function fail(tx: Knex, refund: Refund, code: string | null, given: Move): Promise<void> {
  const { at } = given;
  const change = { ...given.change, failureCode: code ?? 'unknown', endedAt: at };
  const after = await move(tx, refund, 'failed', { ...given, change });
  await bookReleased(tx, refund, at);
  await openCase(tx, after, 'refund_failed', { code }, at);
  await writeToPayer(tx, after, 'refund_delayed', at);
}

/** It had arrived, and did not after all: perhaps days later. The credit note stays; the case names it. */
async function comeBack(tx: Knex, refund: Refund, code: string | null, given: Move): Promise<void> {
  const { at } = given;
  const change = { ...given.change, failureCode: code ?? 'unknown', endedAt: at };
  const after = await move(tx, refund, 'failed', { ...given, change, data: { ...given.data, late: true } });
  await bookCameBack(tx, refund, paidFrom(refund), at);
  const note = await findCreditNote(tx, refund.id);
  await openCase(tx, after, 'refund_failed', { code, late: true, creditNote: note?.number ?? null }, at);
  if (refund.applicationId && (await hasSuspendedLicense(tx, refund.id))) {
    const key = `refund/${refund.id}/license-reinstated`;
    await reinstateLicenseOf(tx, { applicationId: refund.applicationId, reason: 'refunded', key, at });
  }
  await writeToPayer(tx, after, 'refund_delayed', at);
}

// ---- by hand --------------------------------------------------------------------------------------------------------

export type TransferReport = TransferOutcome & {
  readonly by: UserId;
  readonly origin?: Origin | undefined;
  readonly at: string;
};

/** What finance says of a transfer. */
export async function report(tx: Knex, id: RefundId, said: TransferReport): Promise<void> {
  const refund = await lockRefund(tx, id);
  const { by, origin, at } = said;
  if (refund.channel !== 'bank_transfer') return;
  if (said.outcome === 'transferred') {
    if (refund.state !== 'transfer_due') return;
    const change = { transferredBy: by, transferReference: said.bankReference };
    const data = { transferredAt: said.transferredAt, nameMatches: refund.nameMatches, nameChecked: said.nameChecked };
    return succeed(tx, refund, { at, by, origin, data, change });
  }
  const given = { at, by, origin, data: { reason: said.problem } };
  if (refund.state === 'succeeded') return comeBack(tx, refund, said.problem, given);
  if (refund.state !== 'transfer_due') return;
  // The account is no good: the payer names another.
  await dropDestination(tx, id);
  await askForDestination(tx, { ...refund, bankCode: null }, { ...given, change: { failureCode: said.problem } });
}

/** Tells again whoever is waited for. */
export async function remind(tx: Knex, id: RefundId, at: string, isLast: boolean): Promise<void> {
  const refund = await lockRefund(tx, id);
  if (refund.state === 'requested')
    return writeToFinance(tx, refund, 'refund_to_approve', at, { but: refund.requestedBy });
  if (refund.state === 'transfer_due') return writeToFinance(tx, refund, 'refund_to_transfer', at);
  if (refund.state !== 'awaiting_destination') return;
  if (isLast) await writeToFinance(tx, refund, 'refund_without_destination', at);
  else await writeToPayer(tx, refund, 'refund_destination_needed', at);
}
