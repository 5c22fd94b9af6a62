/** What every gateway's sandbox offers to the server that mounts it and to the scripts that play with it. */
import type { Router } from 'express';
import type { GatewayName } from '../../domain/payments.ts';
import type { Delivery } from './notifier.ts';

/**
 * What can happen to a payment that the merchant does not cause. `settle` and `challenge` are for cards.
 * - `refund`: somebody refunds in the gateway's dashboard. `refund-settle`: every pending refund is confirmed.
 * - `refund-fail`: the newest refund that has not failed fails, also one that had succeeded; the merchant is told.
 * - `reverse`: a chargeback, dispute or denial takes the money back. `unreverse`: the merchant wins it.
 */
export const SANDBOX_EVENTS = [
  'pay',
  'fail',
  'expire',
  'refund',
  'refund-settle',
  'refund-fail',
  'reverse',
  'unreverse',
  'pay-late',
  'settle',
  'challenge',
] as const;
export type SandboxEvent = (typeof SANDBOX_EVENTS)[number];

/**
 * How the merchant is told of it.
 * - `late`: after `delayMs`, or when the sandbox is flushed. `reordered`: at once, and **then** what was still held back, or,
 *   where nothing was, what the payment would have said before (`pending` after `settlement`).
 * - `forged`: it does **not** happen, and somebody who is not the gateway says that it did: with a wrong signature, or,
 *   where the gateway signs nothing (Xendit), with the right token.
 */
export const WEBHOOK_MODES = ['once', 'none', 'twice', 'late', 'reordered', 'forged'] as const;

export interface EventOptions {
  readonly webhook: (typeof WEBHOOK_MODES)[number];
  /** For `late`: milliseconds until the first attempt. */
  readonly delayMs: number;
  /** The channel that the payer uses when none is chosen yet. */
  readonly channel?: string | undefined;
  /** For `refund`: minor units; absent = all that is left. */
  readonly amountMinor?: number | undefined;
}

export interface SandboxPayment {
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly state: string;
  readonly amount: { readonly amountMinor: number; readonly currency: string; readonly formatted: string };
  readonly channel: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly redirectUrl: string;
  /** What it took and has not lost again to a reversal. Minor units in Alur's scale (IDR 0, MYR 2 decimals). */
  readonly capturedMinor: number;
  /** Of that, what went back by refunds that have succeeded; pending and failed ones do not count. */
  readonly refundedMinor: number;
  readonly notifications: readonly Delivery[];
}

export interface GatewaySandbox {
  readonly name: GatewayName;
  readonly router: Router;
  /** Oldest first. */
  list(): SandboxPayment[];
  /**
   * Makes it happen and answers after the notification's first attempt (unless it is to be late or not at all).
   * null = this gateway has no such reference. @throws ImpossibleEvent
   */
  play(reference: string, event: SandboxEvent, options: EventOptions): Promise<SandboxPayment | null>;
  /** Delivers now what waits for a retry or was held back. Resolves when each was tried once more. */
  flush(): Promise<void>;
  close(): void;
}

/** The real gateway would never do this now; the message says what can be done instead. */
export class ImpossibleEvent extends Error {
  override name = 'ImpossibleEvent';
}
