import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { answerShopMessage, recordShopMessage, refuseShopMessage, shopMessageAnswer } from '../../db/shop-messages.ts';
import { asId, type OrderId } from '../../domain/ids.ts';
import type { Refusal } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const NO: Refusal = { code: 'order_not_open', message: 'The order is shipped.', facts: { state: 'shipped' } };

describe('what is said to an order', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  const said = () =>
    recordShopMessage(database.db, {
      subject: `order/${asId<OrderId>(randomUUID())}`,
      kind: 'edit',
      by: demoUserId('owner'),
      content: { kind: 'edit', shipTo: { sealed: 'c2VhbGVk' } },
      requestKey: randomUUID(),
      at: new Date(),
    });

  it('is answered where its process said no, and keeps no address', async () => {
    const id = await said();
    await refuseShopMessage(database.db, id, NO, new Date());
    assert.deepEqual(await shopMessageAnswer(database.db, id), { refusal: NO });
    assert.deepEqual((await database.db('shop_messages').where({ id }).first('content')).content, { kind: 'edit' });
  });

  it('keeps the answer that it has', async () => {
    const id = await said();
    await answerShopMessage(database.db, id, null, new Date().toISOString());
    await refuseShopMessage(database.db, id, NO, new Date());
    assert.deepEqual(await shopMessageAnswer(database.db, id), { refusal: null });
  });
});
