import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { checkLedger } from '../../db/ledger-check.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { aCompany } from '../builders/licensing.ts';
import { SHIP_TO } from '../builders/orders.ts';
import { aProduct } from '../builders/stock.ts';
import { MIDTRANS_SERVER_KEY } from '../support/machine.ts';
import { type Answer, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

interface Death {
  readonly name: string;
  readonly activity: string;
  readonly when: 'before' | 'after';
  /** What the input of that activity contains, by the order's ID. */
  readonly at: (id: string) => string;
}

const collecting = (id: string) => `"orderId":"${id}","collect":[{`;
const refunding = (id: string) => `"orderId":"${id}","collect":[],`;
const about = (id: string) => `"orderId":"${id}"`;

/** Each is a `kill -9` of the only worker, at one activity of one order; afterwards another worker goes on. */
const WHILE_PLACED: readonly Death[] = [
  {
    name: 'its invoice is on record, and nobody collects it',
    activity: 'handOverOrderMoney',
    when: 'before',
    at: collecting,
  },
  {
    name: 'somebody collects it, and the order was not told',
    activity: 'handOverOrderMoney',
    when: 'after',
    at: collecting,
  },
];
const WHILE_CANCELLED: readonly Death[] = [
  {
    name: 'it is cancelled on record, and its process was not told',
    activity: 'applyOrderMessage',
    when: 'after',
    at: about,
  },
  {
    name: 'its refund is on record, and nobody gives it back',
    activity: 'handOverOrderMoney',
    when: 'before',
    at: refunding,
  },
  {
    name: 'somebody gives it back, and the order was not told',
    activity: 'handOverOrderMoney',
    when: 'after',
    at: refunding,
  },
];

const orderShape = z.looseObject({
  id: z.string(),
  state: z.string(),
  invoiceId: z.string(),
  amounts: z.looseObject({ total: z.looseObject({ amountMinor: z.number() }) }),
});
type Order = z.infer<typeof orderShape>;
const refundsShape = z.looseObject({ refunds: z.array(z.looseObject({ refund_amount: z.string() })).default([]) });

describe('a worker that dies between the record of an order and its money', () => {
  let system: TestSystem;
  const orders = new Map<string, Order & { readonly key: string }>();
  const story = () => storyOf(system);
  const db = () => system.database.db;
  const post = (path: string, body: unknown, key: string = randomUUID()): Promise<Answer> =>
    story().call('POST', path, { as: 'owner', body, headers: { 'idempotency-key': key } });

  async function placed(): Promise<Order> {
    const sku = await aProduct(db(), { priceMinor: 33_333n, stock: [9, 0] });
    const body = {
      companyId: await aCompany(db(), demoUserId('owner')),
      items: [{ sku, quantity: 3 }],
      shipTo: SHIP_TO,
    };
    return orderShape.parse((await story().expect(201, post('orders', body))).body);
  }
  const is = (id: string, state: string) =>
    eventually(`the order to be ${state}`, async () => db()('orders').where({ id, state }).first('id'), 60_000);
  async function pay({ id, invoiceId }: Order): Promise<void> {
    await eventually(
      'the invoice can be paid',
      async () => (await post(`invoices/${invoiceId}/pay`, { gateway: 'midtrans' })).status < 300,
      60_000,
    );
    await story().sandbox(`${invoiceId}-1`, 'pay', '?channel=gopay');
    await is(id, 'confirmed');
  }

  // One dies after the other; what each left behind is found again only when its activity times out, so the last worker
  // waits for all of them at once.
  before(async function () {
    this.timeout(150_000);
    system = await startSystem();
    const paid = await Promise.all(WHILE_CANCELLED.map(placed));
    await Promise.all(paid.map(pay));
    await system.stopWorker();
    for (const [index, { name, activity, when, at }] of WHILE_CANCELLED.entries()) {
      const order = paid[index] ?? assert.fail();
      const key = randomUUID();
      orders.set(name, { ...order, key });
      const death = system.workUntilDeath({ activity, when, inputContains: at(order.id) });
      const asking = post(`orders/${order.id}/cancel`, {}, key);
      await Promise.all([death, asking]);
    }
    for (const { name, activity, when, at } of WHILE_PLACED) {
      const order = await placed();
      orders.set(name, { ...order, key: randomUUID() });
      await system.workUntilDeath({ activity, when, inputContains: at(order.id) });
    }
    await system.startWorker();
  });
  after(() => system?.close());

  const atGateway = async (invoiceId: string): Promise<number[]> => {
    const authorization = `Basic ${Buffer.from(`${MIDTRANS_SERVER_KEY}:`).toString('base64')}`;
    const answer = await fetch(`${system.sandboxUrl}/midtrans/v2/${invoiceId}-1/status`, {
      headers: { authorization },
    });
    return refundsShape.parse(await answer.json()).refunds.map(({ refund_amount }) => Number(refund_amount));
  };
  const countOf = async (id: string, type: string): Promise<number> =>
    (await db()('events').where({ subject: `order/${id}`, type })).length;

  for (const { name } of WHILE_PLACED)
    it(`when ${name}: it is collected once`, async function () {
      this.timeout(90_000);
      const order = orders.get(name) ?? assert.fail();
      await pay(order);
      const total = BigInt(order.amounts.total.amountMinor);
      const payments = await db()('payments').where({ invoice_id: order.invoiceId }).select('state', 'paid_minor');
      assert.deepEqual(payments, [{ state: 'paid', paid_minor: total }]);
      assert.equal(await countOf(order.id, 'order.confirmed'), 1);
    });

  for (const { name } of WHILE_CANCELLED)
    it(`when ${name}: it is cancelled once, and its money goes back once`, async function () {
      this.timeout(90_000);
      const { id, invoiceId, key, amounts } = orders.get(name) ?? assert.fail();
      await is(id, 'cancelled');
      await eventually(
        'its refund to arrive',
        async () => db()('refunds').where({ invoice_id: invoiceId, state: 'succeeded' }).first('id'),
        60_000,
      );
      assert.deepEqual(await atGateway(invoiceId), [amounts.total.amountMinor]);
      assert.equal((await db()('refunds').where({ invoice_id: invoiceId })).length, 1);
      assert.equal(await countOf(id, 'order.cancelled'), 1);
      const again = await eventually('an answer', async () => {
        const answer = await post(`orders/${id}/cancel`, {}, key);
        return answer.status !== 503 && answer.status !== 409 && answer;
      });
      assert.deepEqual([again.status, orderShape.parse(again.body).state], [200, 'cancelled']);
      const units = await db()('order_units').where({ order_id: id }).select('given_back_minor');
      const back = units.reduce((sum: bigint, unit: { given_back_minor: bigint }) => sum + unit.given_back_minor, 0n);
      assert.equal(back, BigInt(amounts.total.amountMinor));
      const told = await db()('account_letters').whereRaw("data ->> 'orderId' = ?", [id]).pluck('template');
      assert.equal(told.filter((template: string) => template === 'order_cancelled').length, 1);
    });

  it('and the books are right', async () => {
    for (const { name, findings } of (await checkLedger(db())).proofs) assert.deepEqual(findings, [], name);
  });
});
