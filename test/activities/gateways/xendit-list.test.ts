import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener } from 'node:http';
import { GatewayError, type ListedPayment } from '../../../activities/gateways/gateway.ts';
import { createXenditGateway } from '../../../activities/gateways/xendit.ts';
import { rupiah } from '../../../domain/money.ts';
import { against } from '../../local/gateways/support.ts';
import { SECRET_KEY } from '../../local/gateways/xendit-support.ts';

const window = { from: '2022-08-11T00:00:00.000Z', to: '2022-08-12T00:00:00.000Z' };
// As a real account answered: a payment of an invoice, found in a public copy of such an answer.
const real = {
  id: 'txn_c8baac85-5f3d-4e82-b9f6-b9a94b53b9bc',
  product_id: '62f4b5b8ccec448135c51fd4',
  type: 'PAYMENT',
  status: 'SUCCESS',
  channel_category: 'INVOICE',
  channel_code: 'MANDIRI',
  reference_id: 'inv-1',
  account_identifier: '62f4b56830808a0caaa5b3d8',
  currency: 'IDR',
  amount: 8_500_000,
  net_amount: 8_495_005,
  cashflow: 'MONEY_IN',
  settlement_status: 'SETTLED',
  created: '2022-08-11T07:54:33.600Z',
  updated: '2022-08-11T07:54:36.923Z',
};
const refunded = {
  id: 'rfd-1',
  invoice_id: real.product_id,
  payment_request_id: 'pr-1',
  amount: 500_000,
  currency: 'IDR',
  status: 'SUCCEEDED',
  reference_id: 'k1',
  created: '2022-08-11T09:00:00.000Z',
};

interface Said {
  readonly transactions?: readonly object[];
  /** Each array is a page. */
  readonly refunds?: readonly (readonly object[])[];
  readonly asked?: string[];
}

function answer(req: IncomingMessage, { transactions = [real], refunds = [[]] }: Said): object {
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://x');
  if (pathname === '/transactions') return { has_more: false, data: transactions, links: [] };
  const after = searchParams.get('after_id');
  const page = after === null ? 0 : refunds.findIndex((one) => JSON.stringify(one.at(-1)).includes(after)) + 1;
  return { has_more: page + 1 < refunds.length, data: refunds[page] };
}

const server =
  (said: Said): RequestListener =>
  (req, res) => {
    said.asked?.push(req.url ?? '');
    res.writeHead(200).end(JSON.stringify(answer(req, said)));
  };

const listOf = (url: string) => {
  const { list } = createXenditGateway({ secretKey: SECRET_KEY, apiUrl: url, timeoutMs: 2000 });
  assert.ok(list);
  return list;
};

async function listed(said: Said): Promise<readonly ListedPayment[]> {
  let payments: readonly ListedPayment[] = [];
  await against(server(said), async (url) => {
    payments = (await listOf(url)(window, null)).payments;
  });
  return payments;
}
const one = async (said: Said): Promise<ListedPayment> => {
  const [first, ...more] = await listed(said);
  assert.ok(first !== undefined && more.length === 0);
  return first;
};

describe('the list of payments at Xendit', () => {
  const plain: ListedPayment = {
    reference: 'inv-1',
    transactionId: real.product_id,
    state: 'paid',
    paid: rupiah(8_500_000),
    refundedMinor: 0n,
    paidAt: '2022-08-11T07:54:33.600Z',
  };

  it('reads a real answer', async () => {
    assert.deepEqual(await listed({}), [plain]);
  });

  it('names the payment as a look-up does, also where the product is the payment and not the invoice', async () => {
    const modern = { ...real, product_id: 'py-1', product_data: { payment_link_id: real.product_id } };
    assert.equal((await one({ transactions: [modern] })).transactionId, real.product_id);
  });

  it('asks for payments that brought money, within the window to the millisecond', async () => {
    const asked: string[] = [];
    await listed({ asked });
    const query = new URL(asked.find((path) => path.startsWith('/transactions')) ?? '', 'http://x').searchParams;
    assert.deepEqual(
      [...query],
      [
        ['types', 'PAYMENT'],
        ['created[gte]', '2022-08-11T00:00:00.000Z'],
        ['created[lte]', '2022-08-11T23:59:59.999Z'],
        ['limit', '50'],
        ['statuses', 'SUCCESS'],
        ['statuses', 'VOIDED'],
        ['statuses', 'REVERSED'],
      ],
    );
  });

  it('leaves out what a filter let through that should not have', async () => {
    const others = [
      { status: 'PENDING' },
      { status: 'FAILED' },
      { type: 'DISBURSEMENT' },
      { created: '2022-08-12T00:00:00.000Z' },
      { created: '2022-08-10T23:59:59.999Z' },
    ];
    assert.deepEqual(await listed({ transactions: others.map((change) => ({ ...real, ...change })) }), []);
  });

  for (const status of ['VOIDED', 'REVERSED']) {
    it(`takes ${status} money for taken back`, async () => {
      assert.equal((await one({ transactions: [{ ...real, status }] })).state, 'reversed');
    });
  }

  it('shows money that is none of Alur’s, without a reference, an amount or both', async () => {
    const foreign = await one({ transactions: [{ ...real, currency: 'PHP', amount: 6.55, reference_id: 'INV/0048' }] });
    assert.deepEqual(foreign, { ...plain, reference: null, paid: null });
    assert.equal((await one({ transactions: [{ ...real, reference_id: null }] })).reference, null);
  });

  it('adds up the refunds that have succeeded, each once', async () => {
    const transactions = [{ ...real, product_data: { payment_request_id: 'pr-1' } }];
    const refunds = [
      [refunded, { ...refunded, id: 'rfd-2', status: 'PENDING' }, { ...refunded, id: 'rfd-3', status: 'FAILED' }],
      [
        { ...refunded, id: 'rfd-4', invoice_id: null, amount: 1 },
        { ...refunded, id: 'rfd-5', invoice_id: 'x', payment_request_id: 'y' },
      ],
    ];
    const { refundedMinor, state } = await one({ transactions, refunds });
    assert.deepEqual([refundedMinor, state], [500_001n, 'paid']);
  });

  it('says refunded when everything went back', async () => {
    const refunds = [[{ ...refunded, amount: 8_500_000 }]];
    assert.equal((await one({ refunds })).state, 'refunded');
  });

  const old = { ...refunded, id: 'rfd-0', created: '2022-08-10T23:59:59.999Z' };

  it('reads refunds no further back than the window, where they come newest first', async () => {
    const asked: string[] = [];
    await listed({ refunds: [[refunded, old], [refunded]], asked });
    assert.equal(asked.filter((path) => path.startsWith('/refunds')).length, 1);
  });

  it('reads all of them where they come in any other order', async () => {
    const later = { ...refunded, id: 'rfd-9', created: '2022-08-11T10:00:00.000Z' };
    assert.equal((await one({ refunds: [[old, later], [refunded]] })).refundedMinor, 1_500_000n);
  });

  it('reads the refunds once for all pages of a walk, and anew for the next walk', async () => {
    const asked: string[] = [];
    await against(server({ asked }), async (url) => {
      const list = listOf(url);
      await list(window, null);
      await list(window, real.id);
      assert.equal(asked.filter((path) => path.startsWith('/refunds')).length, 1);
      assert.ok(asked.at(-1)?.includes(`after_id=${real.id}`));
      await list(window, null);
      assert.equal(asked.filter((path) => path.startsWith('/refunds')).length, 2);
    });
  });

  it('can be asked again when an answer makes no sense, refunds included', async () => {
    const failed = async (said: Said) => {
      const error = await listed(said).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof GatewayError);
      return [error.kind, error.code];
    };
    const senseless = ['retry_later', 'unreadable_answer'];
    assert.deepEqual(await failed({ transactions: [{ ...real, created: 'yesterday' }] }), senseless);
    assert.deepEqual(await failed({ transactions: [{ id: 'txn_1' }] }), senseless);
    assert.deepEqual(await failed({ refunds: [[{ ...refunded, status: 'FROZEN' }]] }), senseless);
  });

  it('says when the key lacks the permission', async () => {
    await against(
      (_req, res) => res.writeHead(403).end('{"error_code":"REQUEST_FORBIDDEN_ERROR"}'),
      async (url) => {
        const error = await listOf(url)(window, null).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof GatewayError);
        assert.deepEqual([error.kind, error.code], ['refused', 'unauthorized']);
        assert.match(error.message, /transactions/);
      },
    );
  });
});
