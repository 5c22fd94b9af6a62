import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { connect } from '../../db/connection.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, anInvoice, aPayment, aUser } from '../builders/licensing.ts';
import { problem } from '../builders/requests.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { eventually } from '../support/wait.ts';

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
  async function signals(workflowId: string): Promise<number> {
    try {
      const handle = api.deps.temporal.workflow.getHandle(workflowId);
      await handle.describe();
      const { events } = await handle.fetchHistory();
      return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 0;
      throw error;
    }
  }
  const isTold = (invoiceId: string, times: number) =>
    eventually(`${times} signals`, async () => (await signals(`payment/${invoiceId}`)) >= times);

  it('stores what is signed and wakes the process of the invoice, without any worker', async () => {
    const { invoiceId, notice } = await aNotice();
    assert.equal((await send(signed(notice))).status, 200);
    assert.equal((await inbox(notice.order_id)).length, 1);
    await isTold(invoiceId, 1);
  });
  it('stores a notice once, however often it comes at the same time', async () => {
    const { invoiceId, notice } = await aNotice();
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(signed(notice))));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal((await inbox(notice.order_id)).length, 1);
    await isTold(invoiceId, 1);
  });
  it('passes a repeat on again until the process has looked, for the first signal may have been lost', async () => {
    const { invoiceId, notice } = await aNotice();
    await send(signed(notice));
    await isTold(invoiceId, 1);
    await send(signed(notice));
    await isTold(invoiceId, 2);
    await inbox(notice.order_id).update({ handled_at: new Date() });
    assert.equal((await send(signed(notice))).status, 200);
    const other = await aNotice();
    await send(signed(other.notice));
    await isTold(other.invoiceId, 1);
    assert.equal(await signals(`payment/${invoiceId}`), 2);
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
  it('answers that it is stored while Temporal is away, and leaves the telling to the sweep', async () => {
    const alone = await startApi(database, { gateways: { midtrans: { serverKey: SERVER_KEY } } });
    const { notice } = await aNotice();
    assert.equal((await send(signed(notice), 'midtrans', alone)).status, 200);
    assert.equal((await inbox(notice.order_id).whereNull('handled_at')).length, 1);
    await alone.close();
    assert.match(alone.log.join(), /"level":40[^}]*"temporarily_unavailable"[\s\S]*could not be told/);
  });
  it('asks to come again while PostgreSQL is away', async () => {
    const db = connect('postgres://nobody@127.0.0.1:1/none');
    const alone = await startApi({ db, url: database.url }, { gateways: { midtrans: { serverKey: SERVER_KEY } } });
    const { notice } = await aNotice();
    const { status, headers: answered } = await send(signed(notice), 'midtrans', alone);
    assert.equal(status, 503);
    assert.ok(answered.get('retry-after'));
    await alone.close();
    await db.destroy();
  });

  describe('about a refund', () => {
    async function aRefund(state = 'pending') {
      const { invoiceId, notice } = await aNotice();
      const payment = await database.db('payments').where({ invoice_id: invoiceId }).first('id');
      const at = new Date();
      const id = randomUUID();
      await database.db('refunds').insert({
        id,
        payment_id: payment.id,
        invoice_id: invoiceId,
        company_id: companyId,
        state,
        amount_minor: 1_000,
        currency: 'IDR',
        source: 'invoice',
        reason: 'goodwill',
        needs_approval: false,
        gateway_refund_id: `rfd-${id}`,
        requested_at: at,
        updated_at: at,
      });
      return { id, invoiceId, notice };
    }
    const refundIsTold = (id: string, times: number) =>
      eventually(`refund ${id} to be told`, async () => (await signals(`refund/${id}`)) >= times);

    it('tells the processes of its payment’s refunds, and then that of the payment', async () => {
      const { id, invoiceId, notice } = await aRefund();
      await send(signed({ ...notice, transaction_status: 'partial_refund' }));
      await refundIsTold(id, 1);
      await isTold(invoiceId, 1);
    });
    it('tells no refund that no gateway was asked about', async () => {
      const { id, invoiceId, notice } = await aRefund('requested');
      await send(signed(notice));
      await isTold(invoiceId, 1);
      assert.equal(await signals(`refund/${id}`), 0);
    });
    for (const by of ['its key', 'the gateway’s own name of it'] as const) {
      it(`is known by ${by}: only its own process is told, and the notice is done with`, async () => {
        const { id, invoiceId } = await aRefund('succeeded');
        const order_id = by === 'its key' ? id : `nobody-${randomUUID()}`;
        const transaction_id = by === 'its key' ? randomUUID() : `rfd-${id}`;
        await send(signed({ order_id, transaction_id, transaction_status: 'refund' }));
        await refundIsTold(id, 1);
        const done = () => inbox(order_id).whereNotNull('handled_at').first('refund_id');
        assert.equal((await eventually('the notice to be done with', done)).refund_id, id);
        assert.equal(await signals(`payment/${invoiceId}`), 0);
      });
    }
  });

  describe('that is too much', () => {
    it('is refused before it is read whole', async () => {
      const { port } = new URL(api.url);
      const socket = connectTo(Number(port), '127.0.0.1');
      const head = `POST /webhooks/midtrans HTTP/1.1\r\nHost: x\r\nContent-Length: ${5 * 1024 * 1024}\r\n\r\n{`;
      socket.write(head);
      const [answer]: unknown[] = await once(socket, 'data');
      assert.match(String(answer), /^HTTP\/1.1 413 /);
      socket.destroy();
    });
    it('is refused as soon as it is, when it does not say how long it will be', async () => {
      const { port } = new URL(api.url);
      const socket = connectTo(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('POST /webhooks/midtrans HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `${(80 * 1024).toString(16)}\r\n${' '.repeat(80 * 1024)}\r\n`;
      socket.write(chunk);
      const [answer]: unknown[] = await once(socket, 'data');
      assert.match(String(answer), /^HTTP\/1.1 413 /);
      socket.destroy();
    });
    it('is refused when it is nested deeply, whoever signed it', async () => {
      const { notice } = await aNotice();
      const deep = (levels: number) => signed(notice).replace(/}$/, `,"x":${'['.repeat(levels)}${']'.repeat(levels)}}`);
      assert.equal((await send(deep(31))).status, 200);
      assert.equal((await send(deep(32))).body.code, 'malformed_request');
      assert.equal((await send('['.repeat(60_000))).body.code, 'malformed_request');
      assert.equal((await send(signed(notice).replace(/}$/, `,"x":"${'['.repeat(99)}"}`))).status, 200, 'in a text');
    });
  });
});
