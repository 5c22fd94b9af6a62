/** Which gateway wrote, and whether it was that one. Pure: storing it, signalling and answering are the route's. */
import type { IncomingHttpHeaders } from 'node:http';
import type { GatewayName } from '../../domain/payments.ts';
import { readBillplzNotification } from './billplz.ts';
import { readMidtransNotification } from './midtrans.ts';
import type { NotificationReading } from './notification.ts';
import { readStripeNotification } from './stripe.ts';
import { readXenditNotification } from './xendit.ts';

/** What the gateways' notifications are checked with. A gateway without an entry is not offered. */
export interface GatewaySecrets {
  readonly midtrans: { readonly serverKey: string };
  readonly xendit?: { readonly callbackToken: string } | undefined;
  readonly stripe?: { readonly webhookSecret: string } | undefined;
  readonly billplz?: { readonly xSignatureKey: string } | undefined;
}

export interface ReceivedNotification {
  readonly rawBody: Buffer;
  readonly headers: IncomingHttpHeaders;
  /** Path and query as they came. */
  readonly address: string;
}

/** null = this installation has no account there. */
export function readNotification(
  gateway: GatewayName,
  { rawBody, headers, address }: ReceivedNotification,
  secrets: GatewaySecrets,
): NotificationReading | Promise<NotificationReading> | null {
  const { midtrans, xendit, stripe, billplz } = secrets;
  switch (gateway) {
    case 'midtrans':
      return readMidtransNotification(rawBody, midtrans.serverKey);
    case 'xendit':
      return xendit ? readXenditNotification(rawBody, headers, xendit.callbackToken) : null;
    case 'stripe':
      return stripe ? readStripeNotification(rawBody, headers, stripe.webhookSecret) : null;
    case 'billplz':
      return billplz ? readBillplzNotification(rawBody, address, billplz.xSignatureKey) : null;
  }
}
