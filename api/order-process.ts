/** How the API speaks to the process of an order: it starts it, hands over what people ask for, and waits for the answer. */
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import type { OrderMessage } from '../db/order-messages.ts';
import { isOrderInProcess } from '../db/order-processes.ts';
import { recordShopMessage, refuseShopMessage, shopMessageAnswer } from '../db/shop-messages.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Actor, Refusal } from '../domain/licensing.ts';
import { type OrderMessageKind, PAID_BACK } from '../domain/orders.ts';
import { orderId } from '../workflows/ids.ts';
import { ORDER_UPDATES, type OrderInput, type ShopMessage } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { isRefusal, toFailure } from './failures.ts';
import { orderSeenBy } from './order-json.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

/** Starts the process of an order that is on record, or finds it started: needs no worker. */
export async function startOrder(
  deps: Pick<ApiDeps, 'temporal' | 'taskQueue'>,
  id: OrderId,
  workflowIdReusePolicy: WorkflowIdReusePolicy = WorkflowIdReusePolicy.REJECT_DUPLICATE,
): Promise<void> {
  const input: OrderInput = { orderId: id };
  const start = () =>
    deps.temporal.workflow.start('order', {
      workflowId: orderId(id),
      taskQueue: deps.taskQueue,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy,
      staticSummary: 'Order',
    });
  try {
    await withinTime(deps.temporal, start);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

export interface OrderAsked {
  readonly id: OrderId;
  readonly actor: Actor;
  readonly requestKey: string;
  readonly origin: Origin;
}

/** On record first, so that a repeat is the same message whatever has become of the process. Done when it returns. */
export async function askOrder(deps: ApiDeps, asked: OrderAsked, content: OrderMessage): Promise<void> {
  const { id, actor, requestKey, origin } = asked;
  const { kind } = content;
  const messageId = await recordShopMessage(deps.db, {
    ...{ subject: `order/${id}` as const, kind, by: actor.userId, requestKey, at: new Date() },
    content: { ...content },
  });
  const before = await shopMessageAnswer(deps.db, messageId);
  if (before) return refuseWith(before.refusal);
  const handle = deps.temporal.workflow.getHandle(orderId(id));
  const message: ShopMessage = { messageId, by: actor.userId, origin: sealOrigin(deps, origin) };
  try {
    await withinTime(deps.temporal, () =>
      handle.executeUpdate(ORDER_UPDATES[kind], { updateId: messageId, args: [message] }),
    );
  } catch (error) {
    const told = toFailure(error);
    const why = told.code === 'not_found' ? await whyThereIsNoProcess(deps, asked, kind, error) : told;
    if (isRefusal(error) || why.code === 'order_not_open') await refuseShopMessage(deps.db, messageId, why, new Date());
    // The watch may have handed it over meanwhile: what became of it counts, not that it is no longer possible.
    const meanwhile = await shopMessageAnswer(deps.db, messageId);
    if (meanwhile) return refuseWith(meanwhile.refusal);
    throw why === told ? error : why;
  }
}

function refuseWith(refusal: Refusal | null): void {
  if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
}

/** One that is open and has no process gets it back here, from the record; the caller comes again and finds it. */
async function whyThereIsNoProcess(
  deps: ApiDeps,
  { actor, id }: OrderAsked,
  kind: OrderMessageKind,
  cause: unknown,
): Promise<Failure> {
  const { state } = await orderSeenBy(deps, actor, id);
  if (await isOrderInProcess(deps.db, id)) {
    await startOrder(deps, id, WorkflowIdReusePolicy.ALLOW_DUPLICATE);
    return new Failure('temporarily_unavailable', '', { state, retryAfterSeconds: 1 }, { cause });
  }
  const isTooLate = kind === 'deliver' && state === 'cancelled';
  return new Failure(
    'order_not_open',
    isTooLate ? PAID_BACK : `The order is ${state}, and over.`,
    { state },
    { cause },
  );
}
