/** The Midtrans sandbox, put together: Snap, Core API, pay page and notifications over one store of orders. */
import { join } from 'node:path';
import express, { Router } from 'express';
import { formatMoney, rupiah } from '../../../domain/money.ts';
import type { Faults } from '../faults.ts';
import { createJsonStore } from '../json-store.ts';
import { createNotifier, type Notifier } from '../notifier.ts';
import type { EventOptions, GatewaySandbox, SandboxEvent, SandboxPayment } from '../sandbox.ts';
import { apiRoutes, malformed } from './api-routes.ts';
import {
  asOf,
  capturedSoFar,
  confirmedSoFar,
  confirmRefunds,
  confirmsAtOnce,
  happen,
  hasTransaction,
  type Order,
  order as orderSchema,
} from './orders.ts';
import { pageRoutes } from './page-routes.ts';
import { notificationBody } from './wire.ts';

export interface MidtransSandboxOptions {
  readonly serverKey: string;
  readonly stateDir: string | null;
  readonly faults: Faults;
  readonly clock: () => Date;
  /** Where this sandbox is mounted, for the redirect URLs: `http://127.0.0.1:4010/midtrans`. */
  readonly url: () => string;
  readonly notificationUrl: () => string;
  readonly notificationTimeoutMs: number;
  readonly retryScale: number;
}

// https://docs.midtrans.com/docs/https-notification-webhooks: 2, 10, 30, 90 and 210 minutes.
const RETRY_DELAYS_MS = [2, 10, 30, 90, 210].map((minutes) => minutes * 60_000);

function retriesFor(status: number | null): number {
  if (status === null) return 5;
  if (status < 400) return 0;
  if (status === 500) return 1;
  return status === 503 ? 4 : 5;
}

const ONCE: EventOptions = { webhook: 'once', delayMs: 0 };

export function createMidtransSandbox(options: MidtransSandboxOptions): GatewaySandbox {
  const { serverKey, clock, faults } = options;
  const book = createBook(options);
  const notifier = createNotifier({
    faults,
    timeoutMs: options.notificationTimeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS.map((delay) => delay * options.retryScale),
    retriesFor,
  });
  const announce = announcer(options, notifier);

  // The API answers at once; its notifications follow by themselves.
  const change = (order: Order) => {
    book.save(order);
    notifier.later(0, () => announce(order, ONCE));
  };
  const changeRefund = (order: Order) => {
    const told = refundSteps(order);
    notifier.later(0, () => tellSteps(told, ONCE));
  };
  /** Stores a refund, confirmed where that needs no bank; what is told of it comes in two steps all the same. */
  const refundSteps = (order: Order): Order[] => {
    const told = confirmsAtOnce(order) ? [order, confirmRefunds(order, clock())] : [order];
    book.save(told.at(-1) ?? order);
    return told;
  };
  const tellSteps = async (told: readonly Order[], how: EventOptions) => {
    for (const one of told) await announce(one, how);
  };
  /** By order_id, transaction_id or page token. An expiry that the clock brought is notified when it is noticed. */
  const find = (id: string): Order | undefined => {
    const stored = book.find(id);
    if (stored === undefined) return undefined;
    const current = asOf(stored, clock());
    if (current !== stored) change(current);
    return current;
  };

  const view = (order: Order): SandboxPayment => ({
    gateway: 'midtrans',
    reference: order.orderId,
    state: order.status,
    amount: { amountMinor: order.grossAmount, currency: 'IDR', formatted: formatMoney(rupiah(order.grossAmount)) },
    channel: order.channel,
    createdAt: order.createdAt,
    expiresAt: order.expiresAt,
    redirectUrl: pageUrl(options, order),
    capturedMinor: capturedSoFar(order),
    refundedMinor: confirmedSoFar(order),
    notifications: notifier.deliveries(order.orderId),
  });
  const play: GatewaySandbox['play'] = async (reference, event, how) => {
    const order = find(reference);
    if (order === undefined || order.orderId !== reference) return null;
    const next = happen(order, event, clock(), how);
    const telling = { earlier: order, code: codeOf(event) };
    if (how.webhook === 'forged') await announce(next, how, telling);
    else if (event === 'refund') await tellSteps(refundSteps(next), how);
    else {
      book.save(next);
      await announce(next, how, telling);
    }
    return view(book.current(reference) ?? order);
  };

  const router = Router();
  router.use(express.json({ limit: '256kb' }), express.urlencoded({ extended: false }), malformed);
  const redirectUrl = (order: Order) => pageUrl(options, order);
  router.use(pageRoutes({ clock, find, change, play, pageUrl: redirectUrl }));
  router.use(apiRoutes({ serverKey, clock, faults, find, change, changeRefund, save: book.save, redirectUrl }));
  return {
    name: 'midtrans',
    router,
    list: () => book.all().map((order) => view(find(order.orderId) ?? order)),
    play,
    flush: () => notifier.flush(),
    close: notifier.close,
  };
}

// "202: denied by bank" is how the refund API words it; the status' own code would repeat the settlement's notification.
const codeOf = (event: SandboxEvent): string | undefined => (event === 'refund-fail' ? '202' : undefined);

function createBook({ stateDir }: MidtransSandboxOptions) {
  const store = createJsonStore(stateDir === null ? null : join(stateDir, 'midtrans'), orderSchema);
  return {
    all: () => store.all().toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)),
    current: store.get,
    find: (id: string) =>
      store.get(id) ?? store.find(({ token, transactionId }) => token === id || transactionId === id),
    save: (order: Order) => store.put(order.orderId, order),
  };
}

const pageUrl = ({ url }: MidtransSandboxOptions, { token }: Order): string => `${url()}/snap/v3/redirection/${token}`;

interface Telling {
  /** The order before the event. */
  readonly earlier?: Order;
  readonly code?: string | undefined;
}

/** Sends what the order says now, once or as asked; a page without a transaction has nothing to say. */
function announcer({ serverKey, notificationUrl }: MidtransSandboxOptions, notifier: Notifier) {
  return async (order: Order, how: EventOptions, { earlier, code }: Telling = {}): Promise<void> => {
    const key = how.webhook === 'forged' ? 'the key of somebody else' : serverKey;
    const body = notificationBody(order, key, code);
    if (body === null) return;
    const before = earlier === undefined ? null : notificationBody(toldBefore(earlier, order), serverKey);
    await notifier.announce({ key: order.orderId, url: notificationUrl, body, earlier: before }, how);
  };
}

/** A payer who chooses and pays in one event has chosen first: Midtrans said `pending` then. */
const toldBefore = (earlier: Order, order: Order): Order =>
  hasTransaction(earlier) ? earlier : { ...order, status: 'pending', fraudStatus: null, settlementTime: null };
