/** A company, three products of its own, and three orders of them, placed over HTTP. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { asId, type CompanyId, type InvoiceId, type OrderId, type Sku } from '../../../domain/ids.ts';
import { DEMO_STORES } from '../../../local/demo-products.ts';
import { orderId as orderProcess, paymentId } from '../../../workflows/ids.ts';
import { aCompany } from '../../builders/licensing.ts';
import { aProduct, serialsOf } from '../../builders/stock.ts';
import type { TestSystem } from '../../support/system.ts';
import { eventually } from '../../support/wait.ts';
import type { Scenario } from './scenario.ts';

export type Headers = Readonly<Record<string, string>>;
export const STORE = DEMO_STORES.main;

export interface Played {
  readonly companyId: CompanyId;
  /** Headers of the buyer's session. */
  readonly owner: Headers;
  readonly skus: readonly [Sku, Sku, Sku];
  /** What each product may be followed by: a number of its own for each new thing. */
  newSerials(product: number, count: number): readonly string[];
  readonly orders: readonly OrderId[];
}

const placed = z.looseObject({ id: z.string() });

/** Amounts that do not divide, one product with serial numbers, one that is cheap enough to be kept. */
export async function aShopToPlayIn(system: TestSystem, { baskets, stock }: Scenario): Promise<Played> {
  const { db } = system.database;
  const person = await system.api.person('owner');
  const companyId = await aCompany(db, person.id, { name: `CV ${randomUUID().slice(0, 8)}` });
  const skus = [
    await aProduct(db, { priceMinor: 333_333n, stock: [stock[0], 0] }),
    await aProduct(db, { priceMinor: 9_999n, stock: [stock[1], 0] }),
    await aProduct(db, { priceMinor: 1_250_001n, tracking: 'serial', stock: [stock[2], 0] }),
  ] as const;
  let made = stock[2];
  const orders: OrderId[] = [];
  for (const basket of baskets) {
    const items = skus.flatMap((sku, index) => {
      const quantity = basket[index] ?? 0;
      return quantity > 0 ? [{ sku, quantity }] : [];
    });
    const answer = await ask(system, 'POST', 'orders', person.headers, { companyId, items, shipTo: SHIP_TO });
    if (answer.status !== 201) throw new Error(`an order was answered ${answer.status}: ${answer.text}`);
    orders.push(asId<OrderId>(placed.parse(JSON.parse(answer.text)).id));
  }
  for (const id of orders) await started(system, orderProcess(id));
  const invoices: InvoiceId[] = await db('invoices').whereIn('order_id', orders).pluck('id');
  for (const id of invoices) await started(system, paymentId(id));
  return {
    companyId,
    owner: person.headers,
    skus,
    orders,
    newSerials: (product, count) => {
      if (product !== 2) return [];
      made += count;
      return serialsOf(skus[2], STORE, made).slice(-count);
    },
  };
}

export const SHIP_TO = {
  name: 'Sari Wulandari',
  phone: '+628123456789',
  street: 'Jalan Rahasia 7',
  city: 'Bandung',
  province: 'Jawa Barat',
  postalCode: '40111',
};

const started = (system: TestSystem, workflowId: string): Promise<boolean> =>
  eventually(
    `${workflowId} to be started`,
    () =>
      system.client.workflow
        .getHandle(workflowId)
        .describe()
        .then(
          () => true,
          () => false,
        ),
    60_000,
  );

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** @throws Error when the answer is 500: that is never anybody's fault but ours */
export async function ask(
  system: TestSystem,
  method: string,
  path: string,
  as: Headers,
  body?: unknown,
  key: string = randomUUID(),
): Promise<Answer> {
  const response = await fetch(`${system.api.url}/api/v1/${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...as },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
  });
  const text = await response.text();
  if (response.status === 500) throw new Error(`${method} ${path} answered 500: ${text}`);
  return { status: response.status, text };
}
