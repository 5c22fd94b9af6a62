import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { connect } from '../../db/connection.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, anInvoice, aPayment, aUser } from '../builders/licensing.ts';
import { problem } from '../builders/requests.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

const SERVER_KEY = 'SB-Mid-server-of-this-test';

interface Notice {
  readonly order_id: string;
  readonly transaction_id: string;
  readonly transaction_status: string;
}

function signed({ order_id, transaction_id, transaction_status }: Notice, key = SERVER_KEY): string {
  const [status_code, gross_amount] = ['200', '361000.00'];
  const signature_key = createHash('sha512')
    .update(order_id + status_code + gross_amount + key)
    .digest('hex');
  return JSON.stringify({
    order_id,
    transaction_id,
    transaction_status,
    status_code,
    gross_amount,
    signature_key,
    currency: 'IDR',
  });
}

describe('the webhook of a gateway', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    const options = {
      temporal: new Client({ connection }),
      taskQueue: `nobody-${randomUUID()}`,
      gateways: { midtrans: { serverKey: SERVER_KEY } },
    };
    api = await startApi(database, options);
    companyId = await aCompany(database.db, await aUser(database.db, 'owner'));
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  const headers = { 'content-type': 'application/json' };
  const send = (body: string, gateway = 'midtrans', to = api) =>
    problem(to, null, 'POST', `//webhooks/${gateway}`, { body, headers });
  const inbox = (reference: string) => database.db('payment_inbox').where({ reference });
  async function aNotice() {
    const invoiceId = await anInvoice(database.db, { companyId });
    const { reference } = await aPayment(database.db, { invoiceId });
    return {
      invoiceId,
      notice: { order_id: reference, transaction_id: randomUUID(), transaction_status: 'settlement' },
    };
  }
  async function signals(invoiceId: string) {
    const { events } = await api.deps.temporal.workflow.getHandle(`payment/${invoiceId}`).fetchHistory();
    return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
  }

  it('stores what is signed and wakes the process of the invoice, without any worker', async () => {
    const { invoiceId, notice } = await aNotice();
    assert.equal((await send(signed(notice))).status, 200);
    assert.equal((await inbox(notice.order_id)).length, 1);
    assert.equal(await signals(invoiceId), 1);
  });
  it('stores a notice once, however often it comes at the same time', async () => {
    const { invoiceId, notice } = await aNotice();
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(signed(notice))));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal((await inbox(notice.order_id)).length, 1);
    assert.ok((await signals(invoiceId)) >= 1);
  });
  it('passes a repeat on again until the process has looked, for the first signal may have been lost', async () => {
    const { invoiceId, notice } = await aNotice();
    await send(signed(notice));
    await send(signed(notice));
    assert.equal(await signals(invoiceId), 2);
    await inbox(notice.order_id).update({ handled_at: new Date() });
    assert.equal((await send(signed(notice))).status, 200);
    assert.equal(await signals(invoiceId), 2);
  });
  it('keeps each status of a transaction apart', async () => {
    const { notice } = await aNotice();
    await send(signed({ ...notice, transaction_status: 'pending' }));
    await send(signed(notice));
    assert.equal((await inbox(notice.order_id)).length, 2);
  });
  it('opens one case for money that belongs to nothing known', async () => {
    const notice = {
      order_id: `nobody-${randomUUID()}`,
      transaction_id: randomUUID(),
      transaction_status: 'settlement',
    };
    assert.equal((await send(signed(notice))).status, 200);
    assert.equal((await send(signed(notice))).status, 200);
    const cases = await database
      .db('payment_cases')
      .where({ reference: notice.order_id })
      .select<{ kind: string }[]>('kind');
    assert.deepEqual(
      cases.map(({ kind }) => kind),
      ['unknown_object'],
    );
    assert.equal((await inbox(notice.order_id)).length, 1);
  });
  it('believes nobody without the key', async () => {
    const { notice } = await aNotice();
    const { status, body } = await send(signed(notice, 'another key'));
    assert.deepEqual([status, body.code], [401, 'bad_signature']);
    assert.equal((await inbox(notice.order_id)).length, 0);
  });
  it('checks the bytes as they were sent', async () => {
    const { notice } = await aNotice();
    assert.equal((await send(signed(notice).replaceAll(',', ' ,\n '))).status, 200);
  });
  it('refuses what is no notification, what is too long, and gateways that the office does not have', async () => {
    assert.equal((await send('{"a":1}')).body.code, 'malformed_request');
    assert.equal((await send('nonsense')).status, 400);
    assert.equal((await send(`"${'x'.repeat(65 * 1024)}"`)).status, 413);
    assert.equal((await send('{}', 'stripe')).status, 404);
  });
  it('asks to come again while Temporal is away, and has stored the notice by then', async () => {
    const alone = await startApi(database, { gateways: { midtrans: { serverKey: SERVER_KEY } } });
    const { notice } = await aNotice();
    const { status, headers: answered } = await send(signed(notice), 'midtrans', alone);
    assert.equal(status, 503);
    assert.ok(answered.get('retry-after'));
    assert.equal((await inbox(notice.order_id)).length, 1);
    await alone.close();
  });
  it('asks to come again while PostgreSQL is away', async () => {
    const db = connect('postgres://nobody@127.0.0.1:1/none');
    const alone = await startApi({ db, url: database.url }, { gateways: { midtrans: { serverKey: SERVER_KEY } } });
    const { notice } = await aNotice();
    assert.equal((await send(signed(notice), 'midtrans', alone)).status, 503);
    await alone.close();
    await db.destroy();
  });
});
