import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { requestKeyOf } from '../../api/request-key.ts';
import type { OrderMessage } from '../../db/order-messages.ts';
import { recordShopMessage, shopMessageAnswer } from '../../db/shop-messages.ts';
import type { OrderId, ReturnId, ShopMessageId, UserId } from '../../domain/ids.ts';
import type { ReturnContents } from '../../domain/return-messages.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { orderId as orderProcess } from '../../workflows/ids.ts';
import { aReturnOf, deliveredGoods } from '../builders/delivered-goods.ts';
import { aPaidOrder, sealedShipTo } from '../builders/orders.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { together } from '../support/together.ts';

const LONG_AGO_MS = 120_000;

describe('what somebody said while nobody worked', function () {
  this.timeout(60_000);
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const seller = demoUserId('seller');
  const watch = (workflowType: 'orderWatch' | 'rmaWatch', page = 50) =>
    system.client.workflow.execute(workflowType, {
      workflowId: `${workflowType}-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [page],
    });
  interface Said {
    readonly by?: UserId;
    readonly requestKey?: string;
    readonly msAgo?: number;
    /** Where it is written: the watches of the other stories run meanwhile. */
    readonly on?: Knex;
  }
  const toOrder = (id: OrderId, content: OrderMessage, { by = seller, requestKey, msAgo, on }: Said = {}) =>
    recordShopMessage(on ?? db(), {
      subject: `order/${id}`,
      kind: content.kind,
      by,
      content: JSON.parse(JSON.stringify(content)),
      requestKey: requestKey ?? randomUUID(),
      at: new Date(Date.now() - (msAgo ?? LONG_AGO_MS)),
    });
  const toReturn = <Kind extends keyof ReturnContents>(
    id: ReturnId,
    kind: Kind,
    content: ReturnContents[Kind],
    { by = seller, requestKey }: Said = {},
  ) =>
    recordShopMessage(db(), {
      subject: `rma/${id}`,
      kind,
      by,
      content: { ...content },
      requestKey: requestKey ?? randomUUID(),
      at: new Date(Date.now() - LONG_AGO_MS),
    });
  const answer = (id: ShopMessageId) => shopMessageAnswer(db(), id);
  const stateOf = async (table: 'orders' | 'returns', id: string): Promise<string> =>
    (await db()(table).where({ id }).first('state')).state;
  const eventsOf = (subject: string, type: string) => db()('events').where({ subject, type });
  const DONE = { refusal: null };
  async function aReturn(): Promise<ReturnId> {
    return aReturnOf(db(), await deliveredGoods(db(), { priceMinor: 200_000n }));
  }
  /** As the API makes it of who calls what with which key. */
  const keyOf = (path: string, key: string) =>
    requestKeyOf({ caller: seller, method: 'POST', path: `/api/v1${path}`, key });
  const post = async (path: string, key: string, body: unknown) => {
    const response = await fetch(`${system.api.url}/api/v1${path}`, {
      method: 'POST',
      headers: { ...(await system.as('seller')), 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify(body),
    });
    return response.status;
  };

  together({
    'is done by the watch, in the order in which it was said': async () => {
      const { orderId } = await aPaidOrder(db());
      const [second, first] = await db().transaction(async (on) => [
        await toOrder(orderId, { kind: 'release' }, { msAgo: 90_000, on }),
        await toOrder(orderId, { kind: 'hold' }, { msAgo: 100_000, on }),
      ]);
      await watch('orderWatch');
      assert.deepEqual([await answer(first), await answer(second)], [DONE, DONE]);
      assert.equal(await stateOf('orders', orderId), 'confirmed');
    },

    'is done page by page, and what was said just now is left to who says it': async () => {
      const orders = await Promise.all([aPaidOrder(db()), aPaidOrder(db()), aPaidOrder(db())]);
      const said = await Promise.all(orders.map(({ orderId }) => toOrder(orderId, { kind: 'hold' })));
      const fresh = await toOrder((await aPaidOrder(db())).orderId, { kind: 'hold' }, { msAgo: 1_000 });
      await watch('orderWatch', 1);
      assert.deepEqual(await Promise.all(said.map(answer)), [DONE, DONE, DONE]);
      assert.equal(await answer(fresh), null);
    },

    'reaches an order whose process is gone': async () => {
      const { orderId } = await aPaidOrder(db());
      await watch('orderWatch');
      const before = await toOrder(orderId, { kind: 'hold' });
      await watch('orderWatch');
      await system.client.workflow.getHandle(orderProcess(orderId)).terminate();
      const after = await toOrder(orderId, { kind: 'release' });
      await watch('orderWatch');
      assert.deepEqual([await answer(before), await answer(after)], [DONE, DONE]);
    },

    'is refused once nothing can come of it, and its address is gone': async () => {
      const { orderId } = await aPaidOrder(db());
      await db()('orders').where({ id: orderId }).update({ state: 'cancelled', ended_at: new Date() });
      const { sealed, area } = sealedShipTo();
      const shipTo = { sealed: sealed.toString('base64'), area };
      const id = await toOrder(orderId, { kind: 'edit', shipTo });
      await watch('orderWatch');
      assert.equal((await answer(id))?.refusal?.code, 'order_not_open');
      assert.deepEqual((await db()('shop_messages').where({ id }).first('content')).content, { kind: 'edit' });
    },

    'is refused by its process where it cannot be done, and its address is gone': async () => {
      const { orderId } = await aPaidOrder(db());
      await db()('order_units').where({ order_id: orderId }).update({ state: 'shipped' });
      const { sealed, area } = sealedShipTo();
      const id = await toOrder(orderId, { kind: 'edit', shipTo: { sealed: sealed.toString('base64'), area } });
      await watch('orderWatch');
      assert.equal((await answer(id))?.refusal?.code, 'order_not_open');
      assert.deepEqual((await db()('shop_messages').where({ id }).first('content')).content, { kind: 'edit' });
    },

    'is done once, though two watches and who said it come at the same time': async () => {
      const { orderId } = await aPaidOrder(db());
      const [path, key] = [`/orders/${orderId}/hold`, randomUUID()];
      const id = await toOrder(orderId, { kind: 'hold' }, { requestKey: keyOf(path, key) });
      const say = () => post(path, key, {});
      const [, , status] = await Promise.all([watch('orderWatch'), watch('orderWatch'), say()]);
      // Where its process was just being started the same request is repeated.
      assert.deepEqual([status === 503 ? await say() : status, await answer(id)], [200, DONE]);
      assert.equal((await eventsOf(`order/${orderId}`, 'order.held')).length, 1);
    },

    'to a return is done as well, and counts for who says it again': async () => {
      const id = await aReturn();
      const [path, key] = [`/returns/${id}/reject`, randomUUID()];
      const said = await toReturn(id, 'reject', { reason: 'Not ours' }, { requestKey: keyOf(path, key) });
      await Promise.all([watch('rmaWatch'), watch('rmaWatch', 1)]);
      assert.deepEqual([await answer(said), await stateOf('returns', id)], [DONE, 'rejected']);
      assert.equal(await post(path, key, { reason: 'Not ours' }), 200);
      assert.equal((await eventsOf(`rma/${id}`, 'return.rejected')).length, 1);
    },

    'to a return that has ended otherwise is refused': async () => {
      const id = await aReturn();
      await db()('returns').where({ id }).update({ state: 'rejected', taken_at: new Date(), ended_at: new Date() });
      const said = await toReturn(id, 'approve', {});
      await watch('rmaWatch');
      assert.equal((await answer(said))?.refusal?.code, 'return_not_open');
    },
  });
});
