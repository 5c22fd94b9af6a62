/** How the API speaks to the process of a refund, and what it puts on record before it does. */
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
} from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { isMember } from '../db/company-members.ts';
import type { Knex } from '../db/connection.ts';
import { recordEvent } from '../db/events.ts';
import { payerNames } from '../db/refund-reads.ts';
import {
  aboutRefund,
  type BankDestination,
  findRefund,
  lockRefund,
  type Refund,
  storeDestination,
} from '../db/refunds.ts';
import { checkName, explainAccount, findBank, maskAccount, parseAccount } from '../domain/bank-accounts.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { RefundId, UserId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import {
  type RefundDecision,
  type RefundSituation,
  refuseDestination,
  refuseRefundDecision,
  refuseTransferReport,
  type TransferOutcome,
} from '../domain/refunds.ts';
import { refundId } from '../workflows/ids.ts';
import {
  decideRefundUpdate,
  type RefundAnswer,
  type RefundInput,
  refundDestinationUpdate,
  refundTransferUpdate,
} from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import type { Locale } from './request.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

/** Starts the process of a refund that is on record, or finds it started: needs no worker. */
export async function startRefund(deps: Pick<ApiDeps, 'temporal' | 'taskQueue'>, id: RefundId): Promise<void> {
  const input: RefundInput = { refundId: id };
  const start = () =>
    deps.temporal.workflow.start('refund', {
      workflowId: refundId(id),
      taskQueue: deps.taskQueue,
      args: [input],
      // The API may have died between the record and this start: the next try must find it, and never make a second.
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: 'Refund of a payment',
    });
  try {
    await withinTime(deps.temporal, start);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** What every message says: about which refund, by whom, and under which key a repeat is the same. */
export interface RefundMessage {
  readonly refund: Refund;
  readonly by: UserId;
  readonly requestKey: string;
  readonly origin: Origin;
}

/** Durable when it returns. Only the records know who acts for the payer by now. */
export async function decideRefund(
  deps: ApiDeps,
  message: RefundMessage,
  decision: RefundDecision,
  note: string | null,
): Promise<RefundAnswer> {
  const { refund, by, origin } = message;
  const isPayer = await isMember(deps.db, refund.companyId, by);
  const said = { decision, by, isPayer, note, origin: sealOrigin(deps, origin) };
  return ask(deps, message, decideRefundUpdate, said, (now) => refuseRefundDecision(now, decision, by, isPayer));
}

export async function reportTransfer(
  deps: ApiDeps,
  message: RefundMessage,
  said: TransferOutcome,
): Promise<RefundAnswer> {
  const { refund, by, origin } = message;
  const isPayer = await isMember(deps.db, refund.companyId, by);
  const nameChecked = said.outcome === 'transferred' && said.nameChecked;
  return ask(deps, message, refundTransferUpdate, { ...said, by, isPayer, origin: sealOrigin(deps, origin) }, (now) =>
    refuseTransferReport(now, { outcome: said.outcome, nameChecked, isPayer }),
  );
}

/** The account is sealed into the record; the process is told only that there is one. */
export async function giveDestination(
  deps: ApiDeps,
  message: RefundMessage,
  given: BankDestination | 'store_credit',
): Promise<RefundAnswer> {
  const { by, origin } = message;
  await deps.db.transaction((tx) => recordDestination(tx, message, given));
  const said = { by, origin: sealOrigin(deps, origin) };
  return ask(deps, message, refundDestinationUpdate, said, () => null);
}

/** In the caller's transaction; once for each key. @throws Failure `refund_not_open` when it is on its way already */
export async function recordDestination(
  tx: Knex,
  { refund: { id }, by, requestKey, origin }: RefundMessage,
  given: BankDestination | 'store_credit',
): Promise<void> {
  const at = new Date().toISOString();
  const refund = await lockRefund(tx, id);
  const key = `refund/${id}/destination/${requestKey}`;
  const data = { refundId: id, channel: given === 'store_credit' ? given : 'bank_transfer' };
  const event = { key, type: 'refund.destination_given', ...aboutRefund(refund), by, data, origin, at } as const;
  if (!(await recordEvent(tx, event))) return;
  throwIf(refuseDestination(refund));
  await storeDestination(tx, id, given, at);
}

/** The process has ended, or was never started: the record says whether there is still something to say to it. */
async function ask<Said>(
  deps: ApiDeps,
  { refund, requestKey }: RefundMessage,
  update: UpdateDefinition<RefundAnswer, [Said]>,
  said: Said,
  rule: (now: RefundSituation) => Refusal | null,
): Promise<RefundAnswer> {
  const { temporal, taskQueue } = deps;
  const workflowId = refundId(refund.id);
  const message = { updateId: requestKey, args: [said] } satisfies { updateId: string; args: [Said] };
  try {
    return await withinTime(temporal, () => temporal.workflow.getHandle(workflowId).executeUpdate(update, message));
  } catch (error) {
    if (toFailure(error).code !== 'not_found') throw error;
  }
  throwIf(rule(situationOf((await findRefund(deps.db, refund.id)) ?? refund)));
  const startWorkflowOperation = new WithStartWorkflowOperation('refund', {
    workflowId,
    taskQueue,
    args: [{ refundId: refund.id }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: 'Refund of a payment',
  });
  return withinTime(temporal, () =>
    temporal.workflow.executeUpdateWithStart(update, { ...message, startWorkflowOperation }),
  );
}

const situationOf = (refund: Refund): RefundSituation => ({
  ...refund,
  decidedAt: refund.decidedAt?.toISOString() ?? null,
});

export function throwIf(refusal: Refusal | null): void {
  if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
}

/**
 * Checks an account and seals it.
 * @throws Failure `bank_account_not_valid` with what is wrong
 */
export async function sealAccount(
  { db, personalData }: Pick<ApiDeps, 'db' | 'personalData'>,
  refund: Pick<Refund, 'companyId' | 'amount'>,
  given: { readonly bankCode: string; readonly accountNumber: string; readonly accountHolder: string },
  locale: Locale,
): Promise<BankDestination> {
  const { currency } = refund.amount;
  const parsed = parseAccount(given.bankCode, given.accountNumber, currency);
  if (!parsed.ok) {
    const detail = explainAccount(parsed.code, findBank(given.bankCode, currency), locale);
    const { code, pointer } = parsed;
    throw new Failure('bank_account_not_valid', locale === 'en' ? detail : '', { errors: [{ pointer, code, detail }] });
  }
  const names = await payerNames(db, refund.companyId);
  return {
    bankCode: parsed.bank.code,
    accountNumberEncrypted: personalData.seal(parsed.number, 'refunds.account_number'),
    accountNumberMasked: maskAccount(parsed.number),
    accountHolderEncrypted: personalData.seal(given.accountHolder, 'refunds.account_holder'),
    nameMatches: checkName(given.accountHolder, names) === 'matches',
  };
}
