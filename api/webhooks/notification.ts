/** What a gateway's notification comes down to, whoever wrote it. */
import type { GatewayName } from '../../domain/payments.ts';

export interface GatewayNotification {
  readonly gateway: GatewayName;
  /** `payments.gatewayReference`, as the gateway repeats it; what belongs to no payment of ours is an unknown object. */
  readonly reference: string;
  readonly objectId: string;
  /** Names this step of this object: repeats of one notification share it, two different ones do not. */
  readonly status: string;
  readonly body: unknown;
  /** It is about a page that takes a card and no money: the ID that we gave it. */
  readonly cardSetup?: string;
}

export type NotificationReading =
  | { readonly ok: true; readonly notification: GatewayNotification }
  | { readonly ok: false; readonly problem: 'bad_signature' | 'malformed' };

/** undefined for what is no JSON: no schema takes that, so it ends as malformed. */
export function jsonOf(rawBody: Buffer): unknown {
  try {
    return JSON.parse(rawBody.toString('utf8'));
  } catch {
    // The parser's own error is left behind on purpose: it quotes the body.
    return undefined;
  }
}
