/** Orders and returns are told of their parcels; papers are made when somebody asks for them. */
import { setImmediate as afterAnswers } from 'node:timers/promises';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { ToldParcel } from '../db/carrier-inbox.ts';
import type { ShipmentId } from '../domain/ids.ts';
import { orderId as orderWorkflowId, parcelId, rmaId } from '../workflows/ids.ts';
import { type OrderInput, orderChangedSignal, type RmaInput, returnChangedSignal } from '../workflows/messages.ts';
import type { ParcelInput } from '../workflows/parcel.ts';
import type { ApiDeps } from './deps.ts';
import { loggable } from './logging.ts';
import { withinTime } from './review-process.ts';

type Told = Pick<ApiDeps, 'temporal' | 'taskQueue' | 'logger'>;

/** After the carrier has had its answer. Never throws: what is not told here, the minute's watch tells. */
export async function tellOfParcel(deps: Told, parcel: ToldParcel): Promise<void> {
  try {
    await afterAnswers();
    await tell(deps, parcel);
  } catch (error) {
    const { shipmentId } = parcel;
    deps.logger.warn({ err: loggable(error), shipmentId }, 'nobody could be told of a parcel; the minute’s watch will');
  }
}

/** One that is over is started again: a parcel may turn up late. */
function tell({ temporal, taskQueue }: Told, { orderId, returnId }: ToldParcel) {
  const common = { taskQueue, workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE } as const;
  return withinTime(temporal, () => {
    if (returnId === null) {
      const input: OrderInput = { orderId };
      return temporal.workflow.signalWithStart('order', {
        ...common,
        workflowId: orderWorkflowId(orderId),
        args: [input],
        signal: orderChangedSignal,
        staticSummary: 'Order, woken by its carrier',
      });
    }
    const input: RmaInput = { returnId };
    return temporal.workflow.signalWithStart('rma', {
      ...common,
      workflowId: rmaId(returnId),
      args: [input],
      signal: returnChangedSignal,
      staticSummary: 'Return, woken by its carrier',
    });
  });
}

const MADE_WITHIN_MS = 10_000;

/** Has the papers of a parcel made, now. @returns false when it takes longer than a person waits */
export async function makePapers({ temporal, taskQueue, logger }: Told, shipmentId: ShipmentId): Promise<boolean> {
  const input: ParcelInput = { shipmentId };
  try {
    await withinTime(
      temporal,
      () =>
        temporal.workflow.execute('parcel', {
          workflowId: parcelId(shipmentId),
          taskQueue,
          args: [input],
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          staticSummary: 'Papers of a parcel',
        }),
      MADE_WITHIN_MS,
    );
    return true;
  } catch (error) {
    logger.warn({ err: loggable(error), shipmentId }, 'the papers of a parcel could not be made at once');
    return false;
  }
}
