/**
 * The papers of one parcel, when somebody asks for them before the minute's watch has made them: its label bought where the
 * carrier is to bring it, its slip printed. Short-lived; started twice it is one run, and what is there already stays.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ShipmentId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { parcelPapers } from './policies.ts';

const { prepareParcel } = proxyActivities<Activities>({ ...parcelPapers, summary: 'Label and packing slip' });

export interface ParcelInput {
  readonly shipmentId: ShipmentId;
}

export async function parcel({ shipmentId }: ParcelInput): Promise<void> {
  await prepareParcel({ shipmentId, at: clock() });
}
