/** Seals what has happened since the last time. A schedule starts it every minute (worker/schedules.ts). */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { sealing } from './policies.ts';

const { sealEvents } = proxyActivities<Activities>({ ...sealing, summary: 'Seal the unsealed events, batch by batch' });

export async function auditSeal(): Promise<{ readonly batches: number; readonly events: number }> {
  return sealEvents();
}
