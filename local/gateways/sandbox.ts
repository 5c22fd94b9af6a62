/** What every gateway's sandbox offers to the server that mounts it and to the scripts that play with it. */
import type { Router } from 'express';
import type { GatewayName } from '../../domain/payments.ts';
import type { Delivery } from './notifier.ts';

/** What can happen to a payment that the merchant does not cause. `settle` and `challenge` are for cards. */
export const SANDBOX_EVENTS = [
  'pay',
  'fail',
  'expire',
  'refund',
  'reverse',
  'pay-late',
  'settle',
  'challenge',
] as const;
export type SandboxEvent = (typeof SANDBOX_EVENTS)[number];

export const WEBHOOK_MODES = ['once', 'none', 'twice', 'late'] as const;

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
  close(): void;
}

/** The real gateway would never do this now; the message says what can be done instead. */
export class ImpossibleEvent extends Error {
  override name = 'ImpossibleEvent';
}
