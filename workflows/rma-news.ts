/** Whom a return's change concerns: refunds that begin, orders that were placed or have changed. */
import type { Telling } from '../activities/money-watch.ts';
import type { ReturnNews } from '../activities/returns.ts';
import type { OrderId } from '../domain/ids.ts';
import { orderId, refundId as refundWorkflowId } from './ids.ts';
import { type OrderInput, orderChangedSignal, type RefundInput } from './messages.ts';

export const isNews = (of: ReturnNews): boolean =>
  [of.refundIds, of.placed, of.changed, of.restocked].some(({ length }) => length > 0);

export function tellingsOf({ refundIds, placed, changed }: ReturnNews): readonly Telling[] {
  const refunds = refundIds.map((refundId): Telling => {
    const input: RefundInput = { refundId };
    const summary = 'Refund of a return';
    return {
      inboxIds: [],
      errands: [{ workflowType: 'refund', workflowId: refundWorkflowId(refundId), input, signal: null, summary }],
    };
  });
  return [...refunds, ...placed.map((id) => ofOrder(id, false)), ...changed.map((id) => ofOrder(id, true))];
}

function ofOrder(id: OrderId, isTold: boolean): Telling {
  const input: OrderInput = { orderId: id };
  const signal = isTold ? { name: orderChangedSignal.name, argument: null } : null;
  const summary = isTold ? 'Order of which something came back' : 'Order that replaces what came back';
  return { inboxIds: [], errands: [{ workflowType: 'order', workflowId: orderId(id), input, signal, summary }] };
}
