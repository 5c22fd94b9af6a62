/** The Stripe sandbox, put together: Checkout, payments, refunds, pay page and signed events over one store of sessions. */
import express, { Router } from 'express';
import type { Stripe } from 'stripe';
import type { Faults } from '../faults.ts';
import { createNotifier, type Letter, type Notifier } from '../notifier.ts';
import { type PreloadableSandbox, preloadRoute } from '../preload.ts';
import type { EventOptions, GatewaySandbox, SandboxEvent, SandboxPayment } from '../sandbox.ts';
import { apiRoutes } from './api-routes.ts';
import { createSessionBook, preloadedSession } from './book.ts';
import { setupEvent } from './card-api.ts';
import { eventsBefore, eventsOf, refundEvents, refundsEnded } from './events.ts';
import { createIdempotencyKeys } from './idempotency.ts';
import { pageRoutes } from './page-routes.ts';
import { alurMinor, formatWire } from './pay-page.ts';
import { malformed } from './refusals.ts';
import { asOf, captured, endsByItself, finishRefunds, givenBack, happen, type Session, stateOf } from './sessions.ts';
import { setupPageRoutes } from './setup-page.ts';
import { asOfNow, createSetupBook, giveCard, type Setup, type TestCard } from './setups.ts';

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

export function createStripeSandbox(options: StripeSandboxOptions): PreloadableSandbox {
  const { clock, faults, stateDir } = options;
  const book = createSessionBook(stateDir);
  const setups = createSetupBook(stateDir);
  const signer = createSigner(options.webhookSecret);
  const notifier = createNotifier({
    faults,
    timeoutMs: options.notificationTimeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS.map((delay) => delay * options.retryScale),
    retriesFor,
    encode: signer.encode,
    namesOf: (id) => namesOf(id, book.get(id)),
  });
  const announce = announcer(options, notifier, signer.ready);
  const pageUrl = ({ id }: Session): string => `${options.url()}/c/pay/${id}`;

  // The API answers at once; its events follow by themselves.
  const ended = (session: Session) => {
    book.save(session);
    notifier.later(0, () => announce(session, eventsOf(session, 'expire', clock()), ONCE), session.id);
  };
  const refunded = (session: Session) => {
    book.save(session);
    notifier.later(0, () => announceRefund(session, ONCE), session.id);
  };
  /** A wallet's refund ends a little later. */
  const announceRefund = async (session: Session, how: EventOptions) => {
    await announce(session, refundEvents(session, clock()), how);
    if (how.webhook === 'forged' || !endsByItself(session)) return;
    const before = book.get(session.id) ?? session;
    const finished = finishRefunds(before);
    book.save(finished);
    await announce(finished, refundsEnded(before, finished, clock()), how);
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
    capturedMinor: alurMinor(captured(session), session.currency),
    refundedMinor: alurMinor(session.payment === null ? 0 : givenBack(session.payment), session.currency),
    notifications: notifier.deliveries(session.id),
  });
  // By our reference or by Stripe's own ID. Amounts come in Alur's units.
  const play: GatewaySandbox['play'] = async (reference, event, how) => {
    const [stored] = book.named(reference);
    if (stored === undefined) return null;
    const session = current(stored);
    const scale = session.currency === 'idr' ? 100 : 1;
    const amountMinor = how.amountMinor === undefined ? undefined : how.amountMinor * scale;
    const next = happen(session, event, clock(), { ...how, amountMinor });
    if (how.webhook !== 'forged') book.save(next);
    if (event === 'refund') await announceRefund(next, how);
    else await announce(next, tidingsOf(session, next, event, clock()), how, eventsBefore(session, event, clock()));
    return view(book.get(next.id) ?? session);
  };
  const preload: PreloadableSandbox['preload'] = (payments) => book.hold(payments.map(preloadedSession));

  const setupUrl = ({ id }: Setup): string => `${options.url()}/c/setup/${id}`;
  const findSetup = (id: string): Setup | undefined => {
    const stored = setups.get(id);
    return stored && asOfNow(stored, clock());
  };
  const give = async (before: Setup, last4: TestCard): Promise<void> => {
    const given = giveCard(before, last4);
    setups.save(given);
    await announce(given, [setupEvent({ setupUrl }, given, clock())], ONCE);
  };

  const router = Router();
  router.use(preloadRoute('stripe', preload));
  router.use(express.urlencoded({ extended: true, limit: '256kb', parameterLimit: 2000 }), malformed);
  router.use(pageRoutes({ find, play, url: pageUrl }));
  router.use(setupPageRoutes({ find: findSetup, url: setupUrl, give }));
  const keys = createIdempotencyKeys(stateDir, clock);
  const sessions = { book, find, current, save: book.save, ended, refunded, url: pageUrl };
  router.use(apiRoutes({ ...options, keys, ...sessions, setups, findSetup, setupUrl }));
  return {
    name: 'stripe',
    router,
    list: () => book.all().map((stored) => view(current(stored))),
    play,
    preload,
    flush: () => notifier.flush(),
    close: notifier.close,
  };
}

const tidingsOf = (before: Session, session: Session, event: SandboxEvent, now: Date): object[] =>
  event === 'refund-settle' || event === 'refund-fail'
    ? refundsEnded(before, session, now)
    : eventsOf(session, event, now);

const namesOf = (id: string, session: Session | undefined): string[] =>
  [id, session?.reference, session?.payment?.intentId].filter((name) => typeof name === 'string');

/** Signs with the SDK, loaded with the first event: a machine that never sells through Stripe starts without it. */
function createSigner(secret: string) {
  let webhooks: (typeof Stripe)['webhooks'] | null = null;
  return {
    ready: async (): Promise<void> => {
      webhooks ??= (await import('stripe')).default.webhooks;
    },
    // Signed anew at each attempt, by the real clock: the merchant refuses what is older than five minutes.
    encode: (body: unknown, forged: boolean): Letter => {
      const payload = JSON.stringify(body, null, 2);
      const signature =
        webhooks?.generateTestHeaderString({
          payload,
          secret: forged ? 'whsec_of_somebody_else' : secret,
        }) ?? '';
      return {
        text: payload,
        headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
      };
    },
  };
}

/** Sends the events in their order, once or as asked; `reordered` = the last one first, the earlier ones after it. */
function announcer({ notificationUrl }: StripeSandboxOptions, notifier: Notifier, ready: () => Promise<void>) {
  return async (
    { id }: Pick<Session, 'id'>,
    events: readonly object[],
    how: EventOptions,
    before: readonly object[] = [],
  ): Promise<void> => {
    if (how.webhook === 'none') return;
    await ready();
    if (how.webhook !== 'reordered') {
      for (const body of events) await notifier.announce({ key: id, url: notificationUrl, body }, how);
      return;
    }
    const [body, ...earlier] = [...before, ...events].toReversed();
    if (body === undefined) return;
    await notifier.announce({ key: id, url: notificationUrl, body }, how);
    for (const late of earlier) await notifier.deliver(id, notificationUrl, late);
  };
}
