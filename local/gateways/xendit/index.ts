/** The Xendit sandbox, put together: invoices, refunds, pay page and callbacks over one store. */
import express, { Router } from 'express';
import { formatMoney, rupiah } from '../../../domain/money.ts';
import type { Faults } from '../faults.ts';
import { createNotifier, type Notifier } from '../notifier.ts';
import { type PreloadableSandbox, preloadRoute } from '../preload.ts';
import type { EventOptions, GatewaySandbox, SandboxEvent, SandboxPayment } from '../sandbox.ts';
import { apiRoutes } from './api-routes.ts';
import { createInvoiceBook, preloadedInvoice } from './book.ts';
import { asOf, endsByItself, finishRefund, givenBack, happen, type Invoice, isPaid } from './invoices.ts';
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

export function createXenditSandbox(options: XenditSandboxOptions): PreloadableSandbox {
  const { clock, faults, callbackToken } = options;
  const book = createInvoiceBook(options.stateDir);
  const notifier = createNotifier({
    faults,
    timeoutMs: options.notificationTimeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS.map((delay) => delay * options.retryScale),
    retriesFor,
    // A forged one has the right token too: it is the same on every callback, so whoever has seen one knows it.
    encode: (body) => ({ text: JSON.stringify(body), headers: { 'x-callback-token': callbackToken } }),
    namesOf: (id) => [id, book.get(id)?.externalId ?? id],
  });
  const announce = announcer(options, notifier);
  const invoiceUrl = ({ id }: Invoice): string => `${options.url()}/web/${id}`;

  // The API answers at once; its callbacks follow by themselves.
  const change = (invoice: Invoice) => {
    book.save(invoice);
    notifier.later(0, () => announce(invoice, [{ body: invoiceCallback(invoice) }], ONCE), invoice.id);
  };
  const changeRefund = (started: Invoice) => {
    book.save(started);
    if (!endsByItself(started)) return;
    const end = async () => {
      const before = book.get(started.id) ?? started;
      const ended = finishRefund(before, clock());
      book.save(ended);
      await announce(ended, refundTidings(before, ended), ONCE);
    };
    notifier.later(0, end, started.id);
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
    capturedMinor: isPaid(invoice) ? invoice.amount : 0,
    refundedMinor: givenBack(invoice),
    notifications: notifier.deliveries(invoice.id),
  });
  // By our reference, of which the oldest counts, or by Xendit's own ID.
  const play: GatewaySandbox['play'] = async (reference, event, how) => {
    const [stored] = book.named(reference);
    if (stored === undefined) return null;
    const before = current(stored);
    const next = happen(before, event, clock(), how);
    if (how.webhook !== 'forged') book.save(next);
    await announce(next, tidingsOf(before, next, event), how);
    return view(book.get(next.id) ?? before);
  };
  const preload: PreloadableSandbox['preload'] = (payments) => book.hold(payments.map(preloadedInvoice));

  const router = Router();
  router.use(preloadRoute('xendit', preload));
  router.use(express.json({ limit: '256kb' }), express.urlencoded({ extended: false }), malformed);
  router.use(pageRoutes({ clock, find, save: book.save, play, invoiceUrl }));
  const under = (externalId: string | undefined) =>
    (externalId === undefined ? book.all() : book.named(externalId).filter((one) => one.externalId === externalId))
      .map(current)
      .toReversed();
  router.use(apiRoutes({ ...options, book, find, under, save: book.save, change, changeRefund, invoiceUrl }));
  return {
    name: 'xendit',
    router,
    list: () => book.all().map((invoice) => view(current(invoice))),
    play,
    preload,
    flush: () => notifier.flush(),
    close: notifier.close,
  };
}

interface Tiding {
  readonly body: object;
  /** What would have been told before it. */
  readonly earlier?: object | null;
}

/** What Xendit tells of an event: settling is silent, and so is what the bank will do to a refund. */
function tidingsOf(before: Invoice, now: Invoice, event: SandboxEvent): Tiding[] {
  switch (event) {
    case 'pay':
    case 'pay-late':
    case 'expire':
      return [{ body: invoiceCallback(now), earlier: before.status === 'EXPIRED' ? invoiceCallback(before) : null }];
    case 'refund':
    case 'refund-settle':
    case 'refund-fail':
      return refundTidings(before, now);
    case 'fail':
    case 'settle':
    case 'reverse':
    case 'unreverse':
    case 'challenge':
      return [];
  }
}

/** Of each refund that has ended now. Twice wrapped every other time: the documentation shows both. */
function refundTidings(before: Invoice, now: Invoice): Tiding[] {
  return now.refunds.flatMap((made, index) => {
    const was = before.refunds[index];
    if (made.status === 'PENDING' || made.status === was?.status) return [];
    const nested = index % 2 === 0;
    const earlier = was?.status === 'SUCCEEDED' ? refundCallback(before, was, nested) : null;
    return [{ body: refundCallback(now, made, nested), earlier }];
  });
}

/** Sends the callbacks once or as asked. */
function announcer({ notificationUrl }: XenditSandboxOptions, notifier: Notifier) {
  return async (invoice: Invoice, tidings: readonly Tiding[], how: EventOptions): Promise<void> => {
    for (const tiding of tidings) await notifier.announce({ key: invoice.id, url: notificationUrl, ...tiding }, how);
  };
}
