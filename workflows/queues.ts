/**
 * What asks a payment gateway goes by a task queue of its own, which hands out so many a second and no more, over all
 * workers; see docs/adr/0017-gateways-have-a-queue-of-their-own.md. The nightly walk of a gateway keeps a pace of its own.
 */
import type { Activities } from '../activities/index.ts';

export const GATEWAY_ACTIVITIES = [
  'openAttempt',
  'confirmPayment',
  'chargeCardOnFile',
  'openCardSetup',
  'confirmCardSetup',
  'detachCard',
  'refundAtGateway',
  'confirmRefund',
] as const satisfies readonly (keyof Activities)[];

export type GatewayActivities = Pick<Activities, (typeof GATEWAY_ACTIVITIES)[number]>;

/** @param taskQueue of the workflows */
export const gatewayQueueOf = (taskQueue: string): string => `${taskQueue}-gateways`;
