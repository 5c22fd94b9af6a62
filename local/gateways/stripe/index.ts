/** The Stripe sandbox, put together: Checkout, payments, refunds, pay page and signed events over one store of sessions. */
import { join } from 'node:path';
import express, { Router } from 'express';
import type { Stripe } from 'stripe';
import type { Faults } from '../faults.ts';
import { createJsonStore } from '../json-store.ts';
import { createNotifier, type Letter, type Notifier } from '../notifier.ts';
import type { EventOptions, GatewaySandbox, SandboxPayment } from '../sandbox.ts';
import { apiRoutes } from './api-routes.ts';
import { eventsOf, refundEvents, refundFinished } from './events.ts';
import { createIdempotencyKeys } from './idempotency.ts';
import { pageRoutes } from './page-routes.ts';
import { alurMinor, formatWire } from './pay-page.ts';
import { malformed } from './refusals.ts';
import { asOf, finishRefunds, happen, type Session, session as sessionSchema, stateOf } from './sessions.ts';

export interface StripeSandboxOptions {
  readonly secretKey: string;
  /** `whsec_…`; events are signed with it, and the merchant checks them with it. */
  readonly webhookSecret: string;
  readonly stateDir: string | null;
  readonly faults: Faults;
  readonly clock: () => Date;
  /** Where this sandbox is mounted, for the pages' addresses: `http://127.0.0.1:4010/stripe`. */
  readonly url: () => string;
  readonly notificationUrl: () => string;
  readonly notificationTimeoutMs: number;
  readonly retryScale: number;
}

// "Up to three days with an exponential back off"; the steps are not published.
const RETRY_DELAYS_MS = [5, 30, 120, 300, 600, 600, 600, 600, 720, 720].map((minutes) => minutes * 60_000);

/** Everything but 2xx comes again; a redirect is a failure too. */
const retriesFor = (status: number | null): number =>
  status !== null && status >= 200 && status < 300 ? 0 : RETRY_DELAYS_MS.length;

const ONCE: EventOptions = { webhook: 'once', delayMs: 0 };

export function createStripeSandbox(options: StripeSandboxOptions): GatewaySandbox {
  const { clock, faults, stateDir } = options;
  const book = createBook(options);
  const signer = createSigner(options.webhookSecret);
  const notifier = createNotifier({
    faults,
    timeoutMs: options.notificationTimeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS.map((delay) => delay * options.retryScale),
    retriesFor,
    encode: signer.encode,
  });
  const announce = announcer(options, notifier, signer.ready);
  const pageUrl = ({ id }: Session): string => `${options.url()}/c/pay/${id}`;

  // The API answers at once; its events follow by themselves.
  const ended = (session: Session) => {
    book.save(session);
    notifier.later(0, () => announce(session, eventsOf(session, 'expire', clock()), ONCE));
  };
  const refunded = (session: Session) => {
    book.save(session);
    notifier.later(0, () => announceRefund(session, ONCE));
  };
  /** A bank's refund ends a little later. */
  const announceRefund = async (session: Session, how: EventOptions) => {
    await announce(session, refundEvents(session, clock()), how);
    if (session.payment?.refunds.at(-1)?.status !== 'pending') return;
    const finished = finishRefunds(book.get(session.id) ?? session);
    book.save(finished);
    await announce(finished, refundFinished(finished, clock()), how);
  };
  /** An expiry that the clock brought is told when it is noticed. */
  const current = (stored: Session): Session => {
    const now = asOf(stored, clock());
    if (now !== stored) ended(now);
    return now;
  };
  const find = (id: string): Session | undefined => {
    const stored = book.get(id);
    return stored === undefined ? undefined : current(stored);
  };

  const view = (session: Session): SandboxPayment => ({
    gateway: 'stripe',
    reference: session.reference ?? session.id,
    state: stateOf(session),
    amount: {
      amountMinor: alurMinor(session.amount, session.currency),
      currency: session.currency.toUpperCase(),
      formatted: formatWire(session.amount, session.currency),
    },
    channel: session.payment?.channel ?? null,
    createdAt: session.createdAt,
    expiresAt: session.expiresAt,
    redirectUrl: pageUrl(session),
    notifications: notifier.deliveries(session.id),
  });
  // By our reference or by Stripe's own ID. Amounts come in Alur's units.
  const play: GatewaySandbox['play'] = async (reference, event, how) => {
    const stored = book.get(reference) ?? book.all().find((session) => session.reference === reference);
    if (stored === undefined) return null;
    const session = current(stored);
    const scale = session.currency === 'idr' ? 100 : 1;
    const amountMinor = how.amountMinor === undefined ? undefined : how.amountMinor * scale;
    const next = happen(session, event, clock(), { ...how, amountMinor });
    book.save(next);
    await (event === 'refund' ? announceRefund(next, how) : announce(next, eventsOf(next, event, clock()), how));
    return view(book.get(next.id) ?? next);
  };

  const router = Router();
  router.use(express.urlencoded({ extended: true, limit: '256kb', parameterLimit: 2000 }), malformed);
  router.use(pageRoutes({ find, play, url: pageUrl }));
  const keys = createIdempotencyKeys(stateDir, clock);
  const all = () => book.all().map(current);
  router.use(apiRoutes({ ...options, keys, find, all, save: book.save, ended, refunded, url: pageUrl }));
  return { name: 'stripe', router, list: () => all().map(view), play, close: notifier.close };
}

function createBook({ stateDir }: StripeSandboxOptions) {
  const store = createJsonStore(stateDir === null ? null : join(stateDir, 'stripe'), sessionSchema);
  return {
    get: store.get,
    all: () => store.all().toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)),
    save: (session: Session) => store.put(session.id, session),
  };
}

/** Signs with the SDK, loaded with the first event: a machine that never sells through Stripe starts without it. */
function createSigner(secret: string) {
  let webhooks: (typeof Stripe)['webhooks'] | null = null;
  return {
    ready: async (): Promise<void> => {
      webhooks ??= (await import('stripe')).default.webhooks;
    },
    // Signed anew at each attempt, by the real clock: the merchant refuses what is older than five minutes.
    encode: (body: unknown): Letter => {
      const payload = JSON.stringify(body, null, 2);
      const signature = webhooks?.generateTestHeaderString({ payload, secret }) ?? '';
      return {
        text: payload,
        headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
      };
    },
  };
}

/** Sends the events in their order, once or as asked. */
function announcer({ notificationUrl }: StripeSandboxOptions, notifier: Notifier, ready: () => Promise<void>) {
  return async ({ id }: Session, events: readonly object[], { webhook, delayMs }: EventOptions): Promise<void> => {
    if (webhook === 'none') return;
    await ready();
    for (const event of events) {
      const deliver = () => notifier.deliver(id, notificationUrl, event);
      if (webhook === 'late') notifier.later(delayMs, deliver);
      else await deliver();
      if (webhook === 'twice') await deliver();
    }
  };
}
