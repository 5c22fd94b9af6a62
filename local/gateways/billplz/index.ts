/** The Billplz sandbox, put together: bills, pay page and signed callbacks over one store. */
import { join } from 'node:path';
import express, { Router } from 'express';
import { formatMoney, money } from '../../../domain/money.ts';
import type { Faults } from '../faults.ts';
import { createJsonStore } from '../json-store.ts';
import { createNotifier, type Letter } from '../notifier.ts';
import type { EventOptions, GatewaySandbox, SandboxEvent, SandboxPayment } from '../sandbox.ts';
import { apiRoutes, malformed } from './api-routes.ts';
import { asOf, type Bill, bill as billSchema, endsAt, happen, namesOf } from './bills.ts';
import { pageRoutes } from './page-routes.ts';
import { callbackFields, redirectAddress, signedForm } from './wire.ts';

export interface BillplzSandboxOptions {
  readonly apiKey: string;
  /** Signs callbacks and redirects; the merchant knows it too. */
  readonly xSignatureKey: string;
  /** The one collection that exists. */
  readonly collectionId: string;
  /** GETs in five minutes before 429; null = unlimited. Billplz' own limits are 100 and 10. */
  readonly readsAWindow: number | null;
  readonly stateDir: string | null;
  readonly faults: Faults;
  readonly clock: () => Date;
  /** Where this sandbox is mounted: `http://127.0.0.1:4010/billplz`. */
  readonly url: () => string;
  /** Where a callback really goes, given the bill's callback_url. The real Billplz calls just that. */
  readonly callbackAddress: (callbackUrl: string) => string;
  /** Billplz' own is 20 seconds. */
  readonly notificationTimeoutMs: number;
  readonly retryScale: number;
}

// https://www.billplz.com/api#payment-completion: 15 s, 15 m, 15 m, 24 h; the up to 5 random minutes on top are left out.
const RETRY_DELAYS_MS = [15_000, 900_000, 900_000, 86_400_000];

/** Anything but exactly 200 comes again, four times. */
const retriesFor = (status: number | null): number => (status === 200 ? 0 : RETRY_DELAYS_MS.length);

export function createBillplzSandbox(options: BillplzSandboxOptions): GatewaySandbox {
  const { clock, faults, xSignatureKey } = options;
  const book = createBook(options);
  const notifier = createNotifier({
    faults,
    timeoutMs: options.notificationTimeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS.map((delay) => delay * options.retryScale),
    retriesFor,
    encode: (body, forged) => form(textFields(body), forged ? 'the key of somebody else' : xSignatureKey),
    namesOf: (id) => namesOf(book.get(id), id),
  });
  const billUrl = ({ id }: Bill): string => `${options.url()}/bills/${id}`;
  // The end of the 30 days is silent: no callback is documented for it.
  const current = (stored: Bill): Bill => asOf(stored, clock());
  const find = (id: string): Bill | undefined => {
    const stored = book.get(id);
    return stored === undefined ? undefined : current(stored);
  };
  const announce = (bill: Bill, before: Bill, how: EventOptions): Promise<void> => {
    const url = () => options.callbackAddress(bill.callbackUrl);
    const [body, earlier] = [bill, before].map((one) => callbackFields(one, billUrl(one)));
    return notifier.announce({ key: bill.id, url, body, earlier }, how);
  };
  const view = (bill: Bill): SandboxPayment => ({
    gateway: 'billplz',
    reference: bill.reference1 ?? bill.id,
    state: bill.state,
    amount: { amountMinor: bill.amount, currency: 'MYR', formatted: formatMoney(money(bill.amount, 'MYR')) },
    channel: bill.transactions.at(-1)?.channel ?? null,
    createdAt: bill.createdAt,
    expiresAt: endsAt(bill),
    redirectUrl: billUrl(bill),
    capturedMinor: bill.paidAmount,
    refundedMinor: 0,
    notifications: notifier.deliveries(bill.id),
  });
  // By Billplz' own ID, or by our reference, of which the oldest counts.
  const play: GatewaySandbox['play'] = async (reference, event, how) => {
    const stored = book.get(reference) ?? book.all().find(({ reference1 }) => reference1 === reference);
    if (stored === undefined) return null;
    const before = current(stored);
    const next = happen(before, event, clock(), how);
    if (how.webhook !== 'forged') book.save(next);
    if (isTold(event)) await announce(next, before, how);
    return view(find(next.id) ?? before);
  };

  const router = Router();
  router.use(express.json({ limit: '256kb' }), express.urlencoded({ extended: false }), malformed);
  const back = (bill: Bill) => redirectAddress(bill, xSignatureKey);
  router.use(pageRoutes({ find, play, billUrl, redirectAddress: back }));
  router.use(apiRoutes({ ...options, find, save: book.save, billUrl }));
  return {
    name: 'billplz',
    router,
    list: () => book.all().map((bill) => view(current(bill))),
    play,
    flush: () => notifier.flush(),
    close: notifier.close,
  };
}

/** A callback follows a payer's try, good or bad; a bill that ends is not told of. */
const isTold = (event: SandboxEvent): boolean => event === 'pay' || event === 'fail' || event === 'pay-late';

const form = (fields: Record<string, string>, key: string): Letter => ({
  text: signedForm(fields, key),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

function textFields(body: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(body ?? {}).map(([name, value]) => [name, String(value)]));
}

function createBook({ stateDir }: BillplzSandboxOptions) {
  const store = createJsonStore(stateDir === null ? null : join(stateDir, 'billplz'), billSchema);
  return {
    get: store.get,
    all: () => store.all().toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)),
    save: (bill: Bill) => store.put(bill.id, bill),
  };
}
