/** Closing a case of finance, and telling the processes that its money concerns. */
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { resolveCase } from '../db/case-resolutions.ts';
import { assignCase } from '../db/payment-cases.ts';
import { findActor } from '../db/staff.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { asId, type InvoiceId, type PaymentCaseId, type RefundId, type UserId } from '../domain/ids.ts';
import type { CaseResolution } from '../domain/payments.ts';
import { may } from '../domain/roles.ts';
import { paymentId } from '../workflows/ids.ts';
import { lookAgainSignal, type PaymentInput } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { startRefund } from './refund-process.ts';
import { idFromKey } from './request-key.ts';
import { withinTime } from './review-process.ts';

export interface Asked {
  readonly by: UserId;
  readonly origin: Origin;
  readonly requestKey: string;
}

export interface ResolveBody {
  readonly resolution: CaseResolution;
  readonly note: string;
  readonly amountMinor?: number | undefined;
  readonly targetInvoiceId?: InvoiceId | undefined;
}

export async function resolveAndTell(
  deps: ApiDeps,
  caseId: PaymentCaseId,
  body: ResolveBody,
  asked: Asked,
): Promise<void> {
  const done = await resolveCase(deps.db, {
    caseId,
    resolution: body.resolution,
    note: body.note,
    amountMinor: body.amountMinor === undefined ? null : BigInt(body.amountMinor),
    targetInvoiceId: body.targetInvoiceId ?? null,
    refundId: asId<RefundId>(idFromKey(asked.requestKey, 'refund')),
    by: { userId: asked.by, origin: asked.origin, key: asked.requestKey, at: new Date().toISOString() },
    policy: deps.money,
  });
  // Nobody waits for these: the answer is what is on record.
  if (done.hint) {
    const { gateway, ...notice } = done.hint;
    deps.notices.tell(gateway, { ...notice, refundId: null, refundIds: [], handled: false });
  }
  const { paidInvoiceId } = done;
  if (paidInvoiceId) void orLeave(deps, () => wakeCollection(deps, paidInvoiceId));
  const { refundId } = done;
  if (refundId) void orLeave(deps, () => startRefund(deps, refundId));
}

/** It is on record: what cannot be told now, because Temporal is away, the minute's sweep tells. */
async function orLeave(deps: ApiDeps, tell: () => Promise<unknown>): Promise<void> {
  try {
    await withinTime(deps.temporal, tell, 3_000);
  } catch (error) {
    deps.logger.warn({ code: toFailure(error).code }, 'what a case has changed waits for the sweep');
  }
}

async function wakeCollection({ temporal, taskQueue }: ApiDeps, invoiceId: InvoiceId): Promise<void> {
  const input: PaymentInput = { invoiceId };
  await temporal.workflow.signalWithStart('invoicePayment', {
    workflowId: paymentId(invoiceId),
    taskQueue,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    args: [input],
    signal: lookAgainSignal,
    staticSummary: 'Payment of an invoice, paid out of suspense',
  });
}

/** @throws Failure `reviewer_not_eligible` for somebody who does not resolve cases, `not_found`, `case_not_open` */
export async function assign(deps: ApiDeps, caseId: PaymentCaseId, to: UserId, asked: Asked): Promise<void> {
  const person = await findActor(deps.db, to);
  if (!person || !may(person.roles, 'reconciliation.resolve')) {
    throw new Failure('reviewer_not_eligible', 'Choose somebody who is active in finance, or a supervisor.');
  }
  await assignCase(deps.db, caseId, to, {
    userId: asked.by,
    origin: asked.origin,
    key: asked.requestKey,
    at: new Date().toISOString(),
  });
}
