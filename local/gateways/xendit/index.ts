/** The Xendit sandbox, put together: invoices, refunds, pay page and callbacks over one store. */
import { join } from 'node:path';
import express, { Router } from 'express';
import { formatMoney, rupiah } from '../../../domain/money.ts';
import type { Faults } from '../faults.ts';
import { createJsonStore } from '../json-store.ts';
import { createNotifier, type Notifier } from '../notifier.ts';
import type { EventOptions, GatewaySandbox, SandboxEvent, SandboxPayment } from '../sandbox.ts';
import { apiRoutes } from './api-routes.ts';
import { asOf, finishRefund, happen, type Invoice, invoice as invoiceSchema } from './invoices.ts';
import { pageRoutes } from './page-routes.ts';
import { malformed } from './refusals.ts';
import { invoiceCallback, refundCallback } from './wire.ts';

export interface XenditSandboxOptions {
  readonly secretKey: string;
  /** Sent with every callback; the merchant knows it too. */
  readonly callbackToken: string;
  readonly stateDir: string | null;
  readonly faults: Faults;
  readonly clock: () => Date;
  /** Where this sandbox is mounted, for the pages' addresses: `http://127.0.0.1:4010/xendit`. */
  readonly url: () => string;
  readonly notificationUrl: () => string;
  /** Xendit's own is 30 seconds. */
  readonly notificationTimeoutMs: number;
  readonly retryScale: number;
}

// https://docs.xendit.co/apidocs/webhook-behavior: 15 and 45 minutes, 2, 3, 6 and 12 hours.
const RETRY_DELAYS_MS = [15, 45, 120, 180, 360, 720].map((minutes) => minutes * 60_000);

/** Everything but 2xx comes again, six times; a merchant that took too long is never asked again. */
function retriesFor(status: number | null, timedOut: boolean): number {
  if (timedOut) return 0;
  return status !== null && status >= 200 && status < 300 ? 0 : RETRY_DELAYS_MS.length;
}

const ONCE: EventOptions = { webhook: 'once', delayMs: 0 };

export function createXenditSandbox(options: XenditSandboxOptions): GatewaySandbox {
  const { clock, faults, callbackToken } = options;
  const book = createBook(options);
  const notifier = createNotifier({
    faults,
    timeoutMs: options.notificationTimeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS.map((delay) => delay * options.retryScale),
    retriesFor,
    encode: (body) => ({ text: JSON.stringify(body), headers: { 'x-callback-token': callbackToken } }),
  });
  const announce = announcer(options, notifier);
  const invoiceUrl = ({ id }: Invoice): string => `${options.url()}/web/${id}`;

  // The API answers at once; its callbacks follow by themselves.
  const change = (invoice: Invoice) => {
    book.save(invoice);
    notifier.later(0, () => announce(invoice, invoiceCallback(invoice), ONCE));
  };
  const changeRefund = (invoice: Invoice) => {
    book.save(invoice);
    notifier.later(0, async () => {
      const finished = finishRefund(book.get(invoice.id) ?? invoice, clock());
      book.save(finished);
      await announce(finished, lastRefund(finished), ONCE);
    });
  };
  /** An expiry that the clock brought is notified when it is noticed. */
  const current = (stored: Invoice): Invoice => {
    const now = asOf(stored, clock());
    if (now !== stored) change(now);
    return now;
  };
  const find = (id: string): Invoice | undefined => {
    const stored = book.get(id);
    return stored === undefined ? undefined : current(stored);
  };

  const view = (invoice: Invoice): SandboxPayment => ({
    gateway: 'xendit',
    reference: invoice.externalId,
    state: invoice.status,
    amount: { amountMinor: invoice.amount, currency: 'IDR', formatted: formatMoney(rupiah(invoice.amount)) },
    channel: invoice.channel,
    createdAt: invoice.createdAt,
    expiresAt: invoice.expiresAt,
    redirectUrl: invoiceUrl(invoice),
    notifications: notifier.deliveries(invoice.id),
  });
  // By our reference, of which the oldest counts, or by Xendit's own ID.
  const play: GatewaySandbox['play'] = async (reference, event, how) => {
    const stored = book.get(reference) ?? book.all().find(({ externalId }) => externalId === reference);
    if (stored === undefined) return null;
    const next = happen(current(stored), event, clock(), how);
    book.save(next);
    const callback = callbackOf(next, event);
    if (callback !== null) await announce(next, callback, how);
    return view(book.get(next.id) ?? next);
  };

  const router = Router();
  router.use(express.json({ limit: '256kb' }), express.urlencoded({ extended: false }), malformed);
  router.use(pageRoutes({ clock, find, save: book.save, play, invoiceUrl }));
  const all = () => book.all().map(current).toReversed();
  router.use(apiRoutes({ ...options, find, all, save: book.save, change, changeRefund, invoiceUrl }));
  return {
    name: 'xendit',
    router,
    list: () => book.all().map((invoice) => view(current(invoice))),
    play,
    close: notifier.close,
  };
}

/** What Xendit tells of an event; null = nothing: settling is silent, and so is what the bank will do to a refund. */
function callbackOf(invoice: Invoice, event: SandboxEvent): object | null {
  switch (event) {
    case 'pay':
    case 'pay-late':
    case 'expire':
      return invoiceCallback(invoice);
    case 'refund':
      return lastRefund(invoice);
    case 'fail':
    case 'settle':
    case 'reverse':
    case 'challenge':
      return null;
  }
}

/** Twice wrapped every other time: the documentation shows both, and a merchant has to read both. */
function lastRefund(invoice: Invoice): object | null {
  const made = invoice.refunds.at(-1);
  return made === undefined ? null : refundCallback(invoice, made, invoice.refunds.length % 2 === 1);
}

function createBook({ stateDir }: XenditSandboxOptions) {
  const store = createJsonStore(stateDir === null ? null : join(stateDir, 'xendit'), invoiceSchema);
  return {
    get: store.get,
    all: () => store.all().toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)),
    save: (invoice: Invoice) => store.put(invoice.id, invoice),
  };
}

/** Sends the callback once or as asked. */
function announcer({ notificationUrl }: XenditSandboxOptions, notifier: Notifier) {
  return async (invoice: Invoice, body: object | null, { webhook, delayMs }: EventOptions): Promise<void> => {
    if (body === null || webhook === 'none') return;
    const deliver = () => notifier.deliver(invoice.id, notificationUrl, body);
    if (webhook === 'late') return notifier.later(delayMs, deliver);
    await deliver();
    if (webhook === 'twice') await deliver();
  };
}
