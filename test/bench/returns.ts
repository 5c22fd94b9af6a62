/**
 * Returns of goods: what one costs in Temporal actions when all goes well, a thousand of them on their way at the same time, and
 * the arithmetic of what a customer gets for a long order.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { openReturn } from '../../db/returns.ts';
import { asId, type OrderItemId, type ReturnId } from '../../domain/ids.ts';
import { type StatedUnit, statementOf } from '../../domain/return-money.ts';
import { DEFAULT_RETURN_POLICY } from '../../domain/returns.ts';
import { refundId, rmaId } from '../../workflows/ids.ts';
import type { RmaInput } from '../../workflows/messages.ts';
import { aDeliveredOrder, demoProducts } from '../builders/orders.ts';
import { eventually } from '../support/wait.ts';
import { countsOf, totalOf } from './actions.ts';
import { watchMemory } from './asleep.ts';
import { ask } from './cases.ts';
import { type Absolute, absoluteOf, percentile } from './figures.ts';
import type { Machine } from './machine.ts';

const ROUNDS = 5;
const LINES = 200;
const CALCULATIONS = 100;
const MOST_STATEMENT = { atMost: 5 };
const MOST_ACTIONS = { atMost: 60 };
const RETURNS = 3;
/** BENCH_RETURNS for a machine that has other work; a figure that is kept is one of a thousand. */
const IN_FLIGHT = Number(process.env['BENCH_RETURNS'] ?? 1_000);
const UNITS_AN_ORDER = Math.min(100, IN_FLIGHT);
const READS = 200;
const READS_AT_ONCE = 2;
const MOST_READ_MS = { atMost: 50 };
const MOST_WORKER_MB = { atMost: 500 };
const TASK_QUEUE = 'alur';
/** The answer to whoever speaks leaves before the process has gone back to waiting. */
const AT_LEISURE_MS = 1_000;

export async function measureReturns(machine: Machine): Promise<Absolute[]> {
  return [...measureStatements(), ...(await countActions(machine)), ...(await manyInFlight(machine))];
}

// ---- what a customer gets -------------------------------------------------------------------------------------------

/** Two units a line, some of them used: restocking is allotted within each line, the shipping over all. */
export function measureStatements(): Absolute[] {
  const units: StatedUnit[] = Array.from({ length: LINES * 2 }, (_, index) => ({
    orderItemId: asId<OrderItemId>(`item-${Math.floor(index / 2)}`),
    number: (index % 2) + 1,
    netMinor: 99_999n + BigInt(index),
    taxMinor: 10_999n + BigInt(index % 7),
    shippingNetMinor: 101n,
    shippingTaxMinor: 11n,
    state: 'accepted',
    reason: 'no_longer_needed',
    condition: index % 3 === 0 ? 'used' : 'as_new',
    givenBackMinor: 0n,
  }));
  const context = { completesOrder: true, taxRule: null };
  const once = () => statementOf(units, DEFAULT_RETURN_POLICY, context).refundMinor;
  for (let n = 0; n < CALCULATIONS; n += 1) once();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    let sum = 0n;
    for (let n = 0; n < CALCULATIONS; n += 1) sum += once();
    // Looked at, so that nobody optimises away what is measured.
    if (sum <= 0n) throw new Error('a full return brings nothing');
    const { user, system } = process.cpuUsage(before);
    return { wallMs: (performance.now() - startedAt) / CALCULATIONS, cpuMs: (user + system) / 1_000 / CALCULATIONS };
  });
  const what = `Refund of an order of ${LINES} lines, calculated`;
  // The best of them: what else runs on the machine only ever adds.
  const best = (values: readonly number[]) => [Math.min(...values)];
  return [
    absoluteOf(what, 'ms', MOST_STATEMENT, best(rounds.map(({ wallMs }) => wallMs))),
    absoluteOf('– by processor time', 'ms', MOST_STATEMENT, best(rounds.map(({ cpuMs }) => cpuMs))),
  ];
}

// ---- what one costs Temporal ----------------------------------------------------------------------------------------

const shown = z.looseObject({ id: z.string(), state: z.string() });
const ordered = shown.extend({ invoiceId: z.string(), items: z.array(z.looseObject({ id: z.string() })) });
const listed = z.object({ items: z.array(shown) });

/** Asked for, approved, sent, received, inspected, chosen, refunded at the gateway: everybody takes their time. */
async function countActions(machine: Machine): Promise<Absolute[]> {
  const counted: Counted[] = [];
  for (let n = 0; n < RETURNS; n += 1) counted.push(await countedOfOne(machine));
  const actions = counted.map((one) => one.actions);
  const letters = counted.map((one) => one.letters);
  return [
    absoluteOf('Temporal actions of a return with its refund, happy path', '', MOST_ACTIONS, actions),
    absoluteOf('– its letters, each a process of three more', '', null, letters),
  ];
}

interface Counted {
  readonly actions: number;
  /** About the return and about its refund. */
  readonly letters: number;
}

async function countedOfOne(machine: Machine): Promise<Counted> {
  const { client, db, people } = machine;
  const { id: orderId, items } = await aSoldOrder(machine);
  const say = async (path: string, body: unknown, by = people.owner) => {
    await delay(AT_LEISURE_MS);
    return ask(machine, 'POST', path, body, by);
  };
  const asked = { orderId, items: items.map(({ id }) => ({ orderItemId: id, reason: 'no_longer_needed' })) };
  const { id } = shown.parse(await say('returns', asked));
  let last = '';
  const becomes = (state: string) =>
    eventually(
      `return ${id} to be ${state}`,
      async () => {
        last = shown.parse(await ask(machine, 'GET', `returns/${id}`)).state;
        return last === state;
      },
      60_000,
    ).catch((cause: unknown) => {
      throw new Error(`the return is ${last}, not ${state}`, { cause });
    });
  await say(`returns/${id}/approve`, {}, people.seller);
  await becomes('awaiting_shipment');
  const { tracking_number: number } = await db('shipments').where({ return_id: id }).first('tracking_number');
  for (const event of ['pickup', 'deliver']) {
    await delay(AT_LEISURE_MS);
    await post(`${machine.sandboxUrl}/_sandbox/shipments/${number}/${event}`);
  }
  await say(`returns/${id}/receive`, {}, people.warehouse);
  await say(`returns/${id}/inspect`, { condition: 'as_new', disposition: 'restock' }, people.warehouse);
  await say(`returns/${id}/resolve`, { resolution: 'refund' });
  await eventually('its refund', async () => (await db('refunds').where({ return_id: id })).length > 0);
  await becomes('closed_refunded');
  await delay(AT_LEISURE_MS);
  const refunds: string[] = await db('refunds').where({ return_id: id }).pluck('id');
  const counts = await Promise.all(
    [rmaId(asId(id)), ...refunds.map((one) => refundId(asId(one)))].map((one) => countsOf(client, one)),
  );
  const letters: string[] = await db('account_letters')
    .whereRaw("data ->> 'returnId' = ?", [id])
    .orWhereRaw("data ->> 'refundId' = any(?)", [refunds])
    .pluck('id');
  return { actions: counts.reduce((sum, one) => sum + totalOf(one), 0), letters: letters.length };
}

async function aSoldOrder(machine: Machine) {
  const { db, people } = machine;
  const [company] = listed.parse({ items: companies(await ask(machine, 'GET', 'users/companies')) }).items;
  const { coffee } = await demoProducts(db, 10);
  const shipTo = { name: 'Sari Wulandari', street: 'Jalan Kenanga 7', city: 'Bandung', postalCode: '40111' };
  const body = { companyId: company?.id, items: [{ sku: coffee, quantity: 1 }], shipTo };
  const order = ordered.parse(await ask(machine, 'POST', 'orders', body));
  await delay(AT_LEISURE_MS);
  await ask(machine, 'POST', `invoices/${order.invoiceId}/pay`, { gateway: 'midtrans' });
  const payment = await db('payments').where({ invoice_id: order.invoiceId }).first('gateway_reference');
  // By a wallet, to which it can go back.
  await post(`${machine.sandboxUrl}/_sandbox/payments/${payment.gateway_reference}/pay?channel=gopay`);
  await eventually(`order ${order.id} to be paid`, async () => {
    const { state } = shown.parse(await ask(machine, 'GET', `orders/${order.id}`));
    if (state === 'on_hold') await ask(machine, 'POST', `orders/${order.id}/release`, {}, people.seller);
    return state === 'confirmed';
  });
  await ask(
    machine,
    'POST',
    `orders/${order.id}/ship`,
    { carrier: 'jne', trackingNumber: randomUUID() },
    people.warehouse,
  );
  await ask(machine, 'POST', `orders/${order.id}/deliver`, {}, people.warehouse);
  return order;
}

const companies = (body: unknown) =>
  z
    .object({ items: z.array(z.looseObject({ id: z.string() })) })
    .parse(body)
    .items.map(({ id }) => ({ id, state: 'active' }));

async function post(url: string): Promise<void> {
  const response = await fetch(url, { method: 'POST' });
  if (!response.ok) throw new Error(`POST ${url} was answered ${response.status}: ${await response.text()}`);
}

// ---- a thousand at the same time ------------------------------------------------------------------------------------

/** Records by SQL, processes as the API starts them; then each sleeps until somebody looks at it. */
async function manyInFlight(machine: Machine): Promise<Absolute[]> {
  const { client, db, people, apiUrl } = machine;
  const memory = watchMemory(machine.worker);
  const ids: ReturnId[] = [];
  for (let n = 0; n < IN_FLIGHT / UNITS_AN_ORDER; n += 1) ids.push(...(await returnsOfAnOrder(machine)));
  await eventually(
    `${IN_FLIGHT} returns in hand`,
    async () => {
      const [row] = await db('returns').whereIn('id', ids).whereNotNull('taken_at').count({ count: '*' });
      return Number(row?.['count']) === IN_FLIGHT;
    },
    300_000,
  );
  const open = await client.workflow.count(`WorkflowType = 'rma' and ExecutionStatus = 'Running'`);
  machine.say(`  ${open.count} returns in flight`);
  const urls = Array.from({ length: READS }, (_, n) => `${apiUrl}/api/v1/returns/${ids[(n * 37) % ids.length]}`);
  const p95s: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = { kind: 'gets', urls, token: people.seller.token, inFlight: READS_AT_ONCE } as const;
    p95s.push(percentile((await machine.driver(order)).latenciesMs, 0.95));
  }
  memory.stop();
  return [
    absoluteOf(`Status of a return, ${IN_FLIGHT.toLocaleString('en')} in flight, p95`, 'ms', MOST_READ_MS, p95s),
    absoluteOf('– the worker’s memory meanwhile, largest', 'MB', MOST_WORKER_MB, [memory.largest()]),
  ];
}

/** One return a unit: nothing keeps a company from sending things back one by one. */
async function returnsOfAnOrder({ db, client }: Machine): Promise<ReturnId[]> {
  const { coffee } = await demoProducts(db, UNITS_AN_ORDER);
  const order = await aDeliveredOrder(db, { items: [{ sku: coffee, quantity: UNITS_AN_ORDER }] });
  const [item] = order.items;
  if (!item) throw new Error('the order has no item');
  const ids = Array.from({ length: UNITS_AN_ORDER }, () => asId<ReturnId>(randomUUID()));
  for (const [index, returnId] of ids.entries()) {
    await db.transaction((tx) =>
      openReturn(tx, {
        returnId,
        orderId: order.orderId,
        companyId: order.companyId,
        by: order.by,
        wanted: 'refund',
        items: [{ orderItemId: item.id, number: index + 1, reason: 'damaged' }],
        at: new Date().toISOString(),
        policy: DEFAULT_RETURN_POLICY,
      }),
    );
    const input: RmaInput = { returnId };
    await client.workflow.start('rma', { workflowId: rmaId(returnId), taskQueue: TASK_QUEUE, args: [input] });
  }
  return ids;
}
