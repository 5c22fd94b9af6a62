/**
 * Once a minute: asks the carrier about parcels of which it has told and nobody has looked, and of which it has been silent for
 * long; tells their orders and returns; makes the papers that are missing. A schedule starts it (worker/schedules.ts); what one
 * run leaves, the next takes, so it may be ended at any time. Histories hold IDs, nothing else.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Telling } from '../activities/money-watch.ts';
import type { ParcelsFound, ToldParcel } from '../activities/shipments.ts';
import { clock } from './answers.ts';
import { orderId as orderWorkflowId, rmaId } from './ids.ts';
import { type OrderInput, orderChangedSignal, type RmaInput, returnChangedSignal } from './messages.ts';
import { parcelSweeps, records, sweeps } from './policies.ts';

const { lookForParcels } = proxyActivities<Activities>({
  ...records,
  summary: 'Look for parcels without news or papers',
});
const { askAboutParcels } = proxyActivities<Activities>({ ...parcelSweeps, summary: 'Ask the carrier' });
const { prepareParcels } = proxyActivities<Activities>({ ...parcelSweeps, summary: 'Labels and packing slips' });
const { tellProcesses } = proxyActivities<Activities>({ ...sweeps, summary: 'Tell orders and returns' });

/** The API tells within seconds of storing a notice. */
const UNTOLD_AFTER_MS = 30_000;
/** A carrier that says nothing for this long is asked: a notice may have been lost on its way. */
const SILENT_FOR_MS = 6 * 3_600_000;
/** Nobody asks about parcels that are older. */
const ASKED_ABOUT_FOR_MS = 90 * 86_400_000;
const PACKED_AGO_MS = 5_000;
const PAGE = 50;

export interface CarrierWatched {
  readonly asked: number;
  readonly told: number;
  readonly prepared: number;
}

/** @param page how many of each sort are looked up @param silentForMs a test waits for no carrier */
export async function carrierWatch(page = PAGE, silentForMs = SILENT_FOR_MS): Promise<CarrierWatched> {
  const found: ParcelsFound = await lookForParcels({
    receivedBefore: ago(UNTOLD_AFTER_MS),
    askedBefore: ago(silentForMs),
    createdAfter: ago(ASKED_ABOUT_FOR_MS),
    packedBefore: ago(PACKED_AGO_MS),
    limit: page,
  });
  const { toAsk, withoutPapers } = found;
  const changed = toAsk.length > 0 ? await askAboutParcels({ parcels: toAsk, at: clock() }) : [];
  const told = changed.length > 0 ? (await tellProcesses({ tellings: changed.map(tellingOf), at: clock() })).told : 0;
  const prepared =
    withoutPapers.length > 0 ? (await prepareParcels({ shipmentIds: withoutPapers, at: clock() })).done : 0;
  return { asked: toAsk.length, told, prepared };
}

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** Signal and start in one: an order or a return that is over may hear of a parcel that turns up. */
function tellingOf({ orderId, returnId }: ToldParcel): Telling {
  if (returnId === null) {
    const input: OrderInput = { orderId };
    const signal = { name: orderChangedSignal.name, argument: null };
    const summary = 'Order, woken by its carrier';
    return {
      inboxIds: [],
      errands: [{ workflowType: 'order', workflowId: orderWorkflowId(orderId), input, signal, summary }],
    };
  }
  const input: RmaInput = { returnId };
  const signal = { name: returnChangedSignal.name, argument: null };
  const summary = 'Return, woken by its carrier';
  return { inboxIds: [], errands: [{ workflowType: 'rma', workflowId: rmaId(returnId), input, signal, summary }] };
}
