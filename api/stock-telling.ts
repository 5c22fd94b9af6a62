/**
 * After the stock or a cart has changed: who has to hear of it. Beside the request, and it never throws: what is not told here,
 * because Temporal is away or the API dies, workflows/stock-watch.ts tells.
 */
import { WorkflowIdConflictPolicy, WorkflowNotFoundError } from '@temporalio/client';
import { type SignalDefinition, WorkflowIdReusePolicy } from '@temporalio/common';
import { newsOfAlerts } from '../db/stock-alerts.ts';
import { ordersWaitingFor } from '../db/stock-waiting.ts';
import type { CompanyId, OrderId, Sku } from '../domain/ids.ts';
import { cartId, lowStockId, orderId as orderProcessId } from '../workflows/ids.ts';
import {
  alertChangedSignal,
  type CartInput,
  cartChangedSignal,
  type LowStockInput,
  orderChangedSignal,
} from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';

type Deps = Pick<ApiDeps, 'db' | 'temporal' | 'taskQueue' | 'logger'>;

const TELL_WITHIN_MS = 3_000;

/** Orders that wait for one of these, the oldest first; and the processes of alerts that were raised or are over. */
export async function tellAfterStock(deps: Deps, skus: readonly Sku[]): Promise<void> {
  await quietly(deps, { skus }, async () => {
    for (const sku of await newsOfAlerts(deps.db, skus)) await tellAlert(deps, sku);
    for (const order of await ordersWaitingFor(deps.db, skus)) await tellOrder(deps, order);
  });
}

/** The process of a cart that has something in it; one that runs finds the change in the record. */
export async function watchCart(deps: Deps, companyId: CompanyId): Promise<void> {
  const input: CartInput = { companyId };
  const options = {
    workflowId: cartId(companyId),
    taskQueue: deps.taskQueue,
    args: [input],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: 'A cart that was left',
  };
  await quietly(deps, { companyId }, () => deps.temporal.workflow.start('cart', options));
}

/** The process of a cart that was ordered has nothing to wait for any more. */
export async function tellCart(deps: Deps, companyId: CompanyId): Promise<void> {
  await quietly(deps, { companyId }, () => tellIfThere(deps, cartId(companyId), cartChangedSignal));
}

async function tellAlert({ temporal, taskQueue }: Deps, sku: Sku): Promise<void> {
  const input: LowStockInput = { sku };
  await temporal.workflow.signalWithStart('lowStock', {
    workflowId: lowStockId(sku),
    taskQueue,
    args: [input],
    signal: alertChangedSignal,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: `Low stock: ${sku}`,
  });
}

/** One without a process gets it back from the watch of orders. */
const tellOrder = (deps: Deps, order: OrderId): Promise<void> =>
  tellIfThere(deps, orderProcessId(order), orderChangedSignal);

async function tellIfThere({ temporal }: Deps, workflowId: string, signal: SignalDefinition): Promise<void> {
  try {
    await temporal.workflow.getHandle(workflowId).signal(signal);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function quietly(deps: Deps, about: object, work: () => Promise<unknown>): Promise<void> {
  try {
    await withinTime(deps.temporal, work, TELL_WITHIN_MS);
  } catch (error) {
    deps.logger.warn({ ...about, code: toFailure(error).code }, 'what changed in the shop waits for the watch');
  }
}
