import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { RefundRequest } from '../../../activities/gateways/gateway.ts';
import { createXenditGateway } from '../../../activities/gateways/xendit.ts';
import { money, rupiah } from '../../../domain/money.ts';
import { REFUND_REASONS } from '../../../domain/refunds.ts';
import { against } from '../../local/gateways/support.ts';
import { invoiceRequest, SECRET_KEY, startXenditWorld, type XenditWorld } from '../../local/gateways/xendit-support.ts';
import { failureWithout, REFUND_KEY, refundRequest, told } from './asking.ts';

const failure = failureWithout(SECRET_KEY);

describe('refunding through Xendit', () => {
  let world: XenditWorld;
  beforeEach(async () => {
    world = await startXenditWorld();
  });
  afterEach(() => world.close());

  const paid = async (reference: string) => {
    await world.post('/v2/invoices/', invoiceRequest(reference));
    await world.play(`${reference}/pay?channel=credit_card&webhook=none`);
  };
  const refund = (more: Partial<RefundRequest> = {}) => world.gateway.refund?.(refundRequest(more));

  it('takes every reason that Alur knows', async () => {
    await paid('inv-1');
    for (const reason of REFUND_REASONS) {
      const said = await refund({ reason, key: randomUUID(), amount: rupiah(1) });
      assert.equal(said?.state, 'pending', reason);
      await world.play('inv-1/refund-settle?webhook=none');
    }
  });

  it('says that it is under way while another one is, and takes it afterwards', async () => {
    await paid('inv-1');
    await refund();
    const other = { key: randomUUID() };
    assert.equal(told(await failure(refund(other))), 'unknown in_progress');
    assert.equal((await world.gateway.lookUpRefund?.({ ...refundRequest(other), refundId: null }))?.state, 'not_found');
    await world.play('inv-1/refund-settle');
    assert.equal((await refund(other))?.state, 'pending');
  });

  it('refuses another amount under the same key', async () => {
    await paid('inv-1');
    await refund();
    assert.equal(told(await failure(refund({ amount: rupiah(4001) }))), 'refused reference_used');
  });

  it('gives back what came in on the invoice that is known by name, where two were paid', async () => {
    await paid('inv-1');
    const [first] = await world.list();
    await world.post('/v2/invoices/', invoiceRequest('inv-1'));
    const second = (await world.list())[1]?.redirectUrl.split('/').at(-1) ?? '';
    await world.play(`${second}/pay?channel=credit_card&webhook=none`);
    const all = { amount: rupiah(10_000) };
    await refund({ ...all, transactionId: second });
    await world.play(`${second}/refund-settle`);
    const backs = (await world.list()).map((one) => one['refundedMinor']);
    assert.deepEqual(backs, first ? [0, 10_000] : []);
    assert.equal((await refund({ ...all, key: randomUUID() }))?.state, 'pending');
    const both = { amount: rupiah(20_000), key: randomUUID() };
    assert.equal(told(await failure(refund(both))), 'refused refund_exceeds_payment');
  });

  it('finds a refund by our key among those that others made, by its ID or without', async () => {
    await paid('inv-1');
    await world.play('inv-1/refund?amount=1000&webhook=none');
    await world.play('inv-1/refund-settle?webhook=none');
    const { refundId = null } = (await refund()) ?? {};
    const found = await world.gateway.lookUpRefund?.({ ...refundRequest(), refundId: null });
    assert.deepEqual([found?.refundId, found?.amount], [refundId, rupiah(4000)]);
    const other = await world.gateway.lookUpRefund?.({ ...refundRequest({ key: randomUUID() }), refundId });
    assert.equal(other?.state, 'not_found');
    const lost = await world.gateway.lookUpRefund?.({ ...refundRequest(), refundId: 'rfd-forgotten' });
    assert.equal(lost?.refundId, refundId);
  });

  it('says why one failed', async () => {
    await paid('inv-1');
    await refund();
    await world.play('inv-1/refund-fail');
    const said = await refund();
    assert.deepEqual([said?.state, said?.reason], ['failed', 'refund_failed']);
  });

  it('does not even ask for nothing, or for another currency', async () => {
    await world.fault({ operation: 'status', kind: '5xx_before', times: 2 });
    for (const amount of [rupiah(0), money(100, 'MYR')]) {
      assert.equal(told(await failure(refund({ amount }))), 'refused invalid_request');
    }
  });

  it('cannot refund what nobody paid', async () => {
    await world.post('/v2/invoices/', invoiceRequest('inv-1'));
    assert.equal(told(await failure(refund())), 'refused not_refundable_now');
  });
});

describe('refunds at other Xendit servers', () => {
  const at = (url: string) => createXenditGateway({ secretKey: SECRET_KEY, apiUrl: url, timeoutMs: 2000 });
  const invoice = { id: 'i1', external_id: 'inv-1', status: 'PAID', amount: 10_000, currency: 'IDR' };
  // As in the published example of a refund's notification.
  const made = {
    id: 'rfd-6f4a377d-a201-437f-9119-f8b00cbbe857',
    payment_id: 'ddpy-3cd658ae-25b9-4659-aa36-596ae41a809f',
    invoice_id: null,
    amount: '4000',
    payment_method_type: 'CARD',
    channel_code: 'CARDS',
    currency: 'IDR',
    status: 'SUCCEEDED',
    reason: 'CANCELLATION',
    reference_id: REFUND_KEY,
    failure_code: null,
    refund_fee_amount: null,
    created: '2020-08-30T09:12:33.001Z',
    updated: '2020-08-30T09:12:33.001Z',
    metadata: null,
  };
  /** Has one paid invoice and these refunds; answers a new one as given. */
  const server =
    (refunds: readonly object[], status = 200, body: object | string = {}): RequestListener =>
    (req, res) => {
      if (req.method === 'POST')
        return res.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
      if (req.url?.startsWith('/v2/invoices')) return res.writeHead(200).end(JSON.stringify([invoice]));
      const { pathname, searchParams } = new URL(req.url ?? '', 'http://x');
      if (pathname !== '/refunds') return res.writeHead(200).end(JSON.stringify(refunds[0] ?? null));
      // One a page.
      const from = refunds.findIndex((one) => 'id' in one && one.id === searchParams.get('after_id')) + 1;
      const data = refunds.slice(from, from + 1);
      return res.writeHead(200).end(JSON.stringify({ data, has_more: from + 1 < refunds.length }));
    };

  const refusals: [number, string, string][] = [
    [400, 'REFUND_AMOUNT_EXCEEDED', 'refused refund_exceeds_payment'],
    [400, 'MAXIMUM_REFUND_AMOUNT_REACHED', 'refused refund_exceeds_payment'],
    [403, 'PARTIAL_REFUND_NOT_SUPPORTED', 'refused channel_cannot_refund'],
    [400, 'PARTIAL_REFUND_NOT_SUPPORTED', 'refused channel_cannot_refund'],
    [403, 'REFUND_NOT_SUPPORTED', 'refused channel_cannot_refund'],
    [400, 'PARTIAL_REFUND_COUNTS_EXCEEDED', 'refused channel_cannot_refund'],
    [400, 'INELIGIBLE_TRANSACTION_STATUS', 'refused not_refundable_now'],
    [404, 'DATA_NOT_FOUND', 'refused not_refundable_now'],
    [400, 'INSUFFICIENT_BALANCE', 'retry_later not_refundable_now'],
    [400, 'TEMPORARILY_UNAVAILABLE', 'retry_later not_refundable_now'],
    [400, 'REFUND_IN_PROGRESS', 'unknown in_progress'],
    [409, 'DUPLICATE_ERROR', 'unknown in_progress'],
    [403, 'REQUEST_FORBIDDEN_ERROR', 'refused unauthorized'],
    [401, 'INVALID_API_KEY', 'refused unauthorized'],
    [400, 'API_VALIDATION_ERROR', 'refused invalid_request'],
    [409, 'SOMETHING_ELSE', 'unknown unreadable_answer'],
    [503, 'CHANNEL_UNAVAILABLE', 'unknown gateway_failed'],
  ];
  for (const [status, error_code, kindAndCode] of refusals) {
    it(`takes ${status} ${error_code} for ${kindAndCode}`, async () => {
      await against(server([], status, { error_code, message: 'secret words' }), async (url) => {
        const error = await failure(at(url).refund?.(refundRequest()));
        assert.equal(told(error), kindAndCode);
        assert.doesNotMatch(String(error.stack), /secret words/);
      });
    });
  }

  it('reads the published example, its amount in quotes, behind others on further pages', async () => {
    const other = { ...made, id: 'rfd-other', reference_id: 'other' };
    await against(server([other, made]), async (url) => {
      const said = await at(url).refund?.(refundRequest());
      assert.deepEqual(said, { state: 'succeeded', refundId: made.id, amount: rupiah(4000), reason: null });
    });
  });

  it('takes a refund for pending that was accepted without a word about its state', async () => {
    await against(server([], 200, { ...made, status: undefined }), async (url) => {
      assert.equal((await at(url).refund?.(refundRequest()))?.state, 'pending');
    });
  });

  const unreadable: [string, object | string][] = [
    ['HTML', '<html>'],
    ['another refund', { ...made, reference_id: 'other' }],
    ['another amount', { ...made, amount: 4001 }],
    ['a fraction of a rupiah', { ...made, amount: 4000.5 }],
    ['another currency', { ...made, currency: 'PHP' }],
    ['a state that nobody documented', { ...made, status: 'FROZEN' }],
  ];
  for (const [what, body] of unreadable) {
    it(`calls ${what} unknown when it is the answer to a refund`, async () => {
      await against(server([], 200, body), async (url) => {
        assert.equal(told(await failure(at(url).refund?.(refundRequest()))), 'unknown unreadable_answer');
      });
    });
  }

  it('can ask again when a look-up makes no sense', async () => {
    await against(server([{ ...made, status: undefined }]), async (url) => {
      const query = { ...refundRequest(), refundId: made.id };
      assert.equal(told(await failure(at(url).lookUpRefund?.(query))), 'retry_later unreadable_answer');
    });
  });

  for (const [change, reason] of [
    [{ status: 'CANCELLED' }, 'cancelled'],
    [{ status: 'FAILED', failure_code: 'ACCOUNT_NOT_FOUND' }, 'account_not_found'],
    [{ status: 'FAILED', failure_code: 'words, for people' }, 'refund_failed'],
  ] as const) {
    it(`gives ${reason} as the reason of ${JSON.stringify(change)}`, async () => {
      await against(server([{ ...made, ...change }]), async (url) => {
        const said = await at(url).lookUpRefund?.({ ...refundRequest(), refundId: made.id });
        assert.deepEqual([said?.state, said?.reason], ['failed', reason]);
      });
    });
  }
});
