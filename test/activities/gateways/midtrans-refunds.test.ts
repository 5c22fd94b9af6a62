import assert from 'node:assert/strict';
import type { PaymentGateway, RefundRequest } from '../../../activities/gateways/gateway.ts';
import { createMidtransGateway } from '../../../activities/gateways/midtrans.ts';
import { type Money, money, rupiah } from '../../../domain/money.ts';
import { against, SERVER_KEY, snapRequest, startWorld, type World } from '../../local/gateways/support.ts';
import { failureWithout, told } from './asking.ts';

const KEY = '0d9f3c1e-9c43-4b7e-8a55-6f0b8f1f2a11';
const CAPTURED = rupiah(10_000);

const asked = (more: Partial<RefundRequest> = {}): RefundRequest => ({
  reference: 'inv-1',
  transactionId: null,
  key: KEY,
  amount: rupiah(4000),
  captured: CAPTURED,
  method: 'credit_card',
  reason: 'duplicate',
  ...more,
});

const query = (refundId: string | null = null) => {
  const { reference, transactionId, key, amount } = asked();
  return { reference, transactionId, key, amount, refundId };
};

const refunding = ({ refund, lookUpRefund }: PaymentGateway) => {
  assert.ok(refund !== null && lookUpRefund !== null);
  return { refund, lookUpRefund };
};

const failure = async (work: Promise<unknown>) => told(await failureWithout(SERVER_KEY)(work));

const transaction = (more: object = {}) => ({
  status_code: '200',
  transaction_id: 't-1',
  order_id: 'inv-1',
  payment_type: 'credit_card',
  gross_amount: '10000.00',
  currency: 'IDR',
  transaction_status: 'settlement',
  ...more,
});
const entry = (more: object = {}) => ({ refund_chargeback_id: 1, refund_key: KEY, refund_amount: '4000.00', ...more });

/** A Midtrans that answers the refund with `posted` and the status with `status`, and keeps what it was asked. */
async function answering(
  posted: { http?: number; body: object },
  status: object,
  test: (gateway: ReturnType<typeof refunding>, requests: string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  await against(
    (req, res) => {
      let text = '';
      req.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      req.on('end', () => {
        requests.push(`${req.method} ${req.url} ${req.headers['idempotency-key'] ?? ''} ${text}`.trim());
        const [code, body] = req.method === 'POST' ? [posted.http ?? 200, posted.body] : [200, status];
        res.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    },
    (url) =>
      test(
        refunding(createMidtransGateway({ serverKey: SERVER_KEY, snapUrl: url, apiUrl: url, timeoutMs: 2000 })),
        requests,
      ),
  );
}

const REFUNDED = { state: 'succeeded', refundId: KEY, amount: rupiah(4000), reason: null };

describe('asking Midtrans for a refund', () => {
  it('sends our key twice: as refund_key and, short enough to count, as Idempotency-Key', async () => {
    const body = transaction({ transaction_status: 'partial_refund', refund_key: KEY, refund_amount: '4000.00' });
    await answering({ body }, {}, async ({ refund }, requests) => {
      assert.deepEqual(await refund(asked()), { ...REFUNDED, state: 'pending' });
      assert.deepEqual(requests, [
        `POST /v2/inv-1/refund refund-${KEY} {"refund_key":"${KEY}","amount":4000,"reason":"duplicate"}`,
      ]);
      assert.ok(`refund-${KEY}`.length <= 46);
    });
  });

  for (const method of ['gopay', 'shopeepay', 'dana', 'ovo', 'qris', 'kredivo', 'akulaku']) {
    it(`takes the word of ${method} for done, whole or listed`, async () => {
      const all = asked({ method, amount: CAPTURED });
      const body = transaction({ payment_type: method, transaction_status: 'refund' });
      await answering({ body }, {}, async ({ refund }) => {
        assert.deepEqual(await refund(all), { ...REFUNDED, amount: CAPTURED });
      });
    });
  }

  it('waits for the bank of a card, and takes its confirmation wherever it stands', async () => {
    const confirmed = entry({ bank_confirmed_at: '2026-11-21 10:00:00' });
    const body = transaction({ transaction_status: 'partial_refund', refunds: [confirmed] });
    await answering({ body }, body, async ({ refund, lookUpRefund }) => {
      assert.deepEqual(await refund(asked()), REFUNDED);
      assert.deepEqual(await lookUpRefund(query()), REFUNDED);
    });
  });

  const impossible: [string, Partial<RefundRequest>, string][] = [
    ['a virtual account', { method: 'bca_va' }, 'channel_cannot_refund'],
    ["Mandiri's bill payment", { method: 'echannel' }, 'channel_cannot_refund'],
    ['a shop’s counter', { method: 'alfamart' }, 'channel_cannot_refund'],
    ['a part of an OVO payment', { method: 'ovo' }, 'channel_cannot_refund'],
    ['a part of a ShopeePay payment', { method: 'shopeepay' }, 'channel_cannot_refund'],
    ['more than was paid', { amount: rupiah(10_001) }, 'refund_exceeds_payment'],
    ['nothing', { amount: rupiah(0) }, 'invalid_request'],
    ['another currency', { amount: money(4000, 'MYR') }, 'invalid_request'],
    ['a key that Midtrans would ignore', { key: 'k'.repeat(40) }, 'invalid_request'],
  ];
  for (const [what, change, code] of impossible) {
    it(`does not even ask for ${what}`, async () => {
      await answering({ body: {} }, {}, async ({ refund }, requests) => {
        assert.equal(await failure(refund(asked(change))), `refused ${code}`);
        assert.deepEqual(requests, []);
      });
    });
  }

  const refusals: [string, string, object, string][] = [
    [
      'a virtual account',
      '412',
      { payment_type: 'bank_transfer', va_numbers: [{ bank: 'bca' }] },
      'refused channel_cannot_refund',
    ],
    ['a part of ShopeePay', '414', { payment_type: 'shopeepay' }, 'refused channel_cannot_refund'],
    ['a card that has not settled', '412', { transaction_status: 'capture' }, 'retry_later not_refundable_now'],
    ['what was charged back', '412', { transaction_status: 'chargeback' }, 'refused not_refundable_now'],
    [
      'what has gone back',
      '412',
      { transaction_status: 'refund', refunds: [entry({ refund_key: 'x', refund_amount: '10000.00' })] },
      'refused refund_exceeds_payment',
    ],
    [
      'more than is left',
      '414',
      { transaction_status: 'partial_refund', refunds: [entry({ refund_key: 'x', refund_amount: '6001.00' })] },
      'refused refund_exceeds_payment',
    ],
    ['more than our balance', '414', {}, 'retry_later not_refundable_now'],
    ['a payment that is gone', '412', { status_code: '404' }, 'refused not_refundable_now'],
  ];
  for (const [what, code, status, expected] of refusals) {
    it(`tells by the payment why ${what} is refused with ${code}`, async () => {
      await answering({ body: { status_code: code } }, transaction(status), async ({ refund }) => {
        assert.equal(await failure(refund(asked({ method: null }))), expected);
      });
    });
  }

  for (const code of ['202', '406', '412', '414']) {
    it(`believes the list of refunds before a ${code}: a repeat may be refused though the first was made`, async () => {
      const listed = transaction({ payment_type: 'gopay', transaction_status: 'refund', refunds: [entry()] });
      await answering({ body: { status_code: code } }, listed, async ({ refund }) => {
        assert.deepEqual(await refund(asked({ method: 'gopay' })), REFUNDED);
      });
    });
  }

  it('has failed for good when the bank denies it', async () => {
    const body = transaction({ status_code: '202' });
    await answering({ body }, transaction(), async ({ refund }) => {
      assert.deepEqual(await refund(asked()), {
        state: 'failed',
        refundId: null,
        amount: null,
        reason: 'denied_by_bank',
      });
    });
  });

  const unclear: [string, { http?: number; body: object }, string][] = [
    ['a used key of which nothing is listed', { body: { status_code: '406' } }, 'unknown in_progress'],
    ['a 202 that is about no transaction', { body: { status_code: '202' } }, 'unknown in_progress'],
    ['a 202 of HTTP', { http: 202, body: {} }, 'unknown in_progress'],
    ['a 409 of HTTP', { http: 409, body: {} }, 'unknown in_progress'],
    ['a 500 in the body', { body: { status_code: '500' } }, 'unknown unreadable_answer'],
    ['a 500 of HTTP', { http: 500, body: {} }, 'unknown gateway_failed'],
    ['a yes about nothing', { body: { status_code: '200' } }, 'unknown unreadable_answer'],
    ['a no without a reason', { body: { status_code: '400' } }, 'refused invalid_request'],
    ['a payment that it does not know', { http: 404, body: { status_code: '404' } }, 'refused invalid_request'],
    ['a wrong key', { http: 401, body: { status_code: '401' } }, 'refused unauthorized'],
  ];
  for (const [what, posted, expected] of unclear) {
    it(`calls ${what} ${expected}`, async () => {
      await answering(posted, transaction(), async ({ refund }) => {
        assert.equal(await failure(refund(asked())), expected);
      });
    });
  }
});

describe('a refund that Midtrans refuses while it cannot be looked up', () => {
  for (const code of ['202', '406', '412', '414']) {
    it(`is unclear after a ${code}: the refusal alone proves nothing`, async () => {
      await answering({ body: transaction({ status_code: code }) }, { status_code: '500' }, async ({ refund }) => {
        assert.equal(await failure(refund(asked())), 'unknown unreadable_answer');
      });
    });
  }
});

describe('asking Midtrans about a refund', () => {
  const said = (refunds: object[], more: object = {}) => transaction({ payment_type: 'gopay', refunds, ...more });

  it('finds it by its key among others', async () => {
    const others = [entry({ refund_key: 'other', refund_amount: '1.00' }), entry()];
    await answering({ body: {} }, said(others), async ({ lookUpRefund }) => {
      assert.deepEqual(await lookUpRefund(query()), REFUNDED);
    });
  });

  it('has none of this key, unless it was told of one: then that one has failed', async () => {
    const other = said([entry({ refund_key: 'other' })]);
    await answering({ body: {} }, other, async ({ lookUpRefund }) => {
      assert.deepEqual(await lookUpRefund(query()), {
        state: 'not_found',
        refundId: null,
        amount: null,
        reason: null,
      });
      assert.deepEqual(await lookUpRefund(query(KEY)), {
        state: 'failed',
        refundId: KEY,
        amount: null,
        reason: 'no_longer_listed',
      });
    });
  });

  for (const [what, status] of [
    ['an amount with a fraction', said([entry({ refund_amount: '4000.50' })])],
    ['a list that is none', { ...said([]), refunds: 'none' }],
  ] as const) {
    it(`cannot read ${what}, and can ask again`, async () => {
      await answering({ body: {} }, status, async ({ lookUpRefund }) => {
        assert.equal(await failure(lookUpRefund(query())), 'retry_later unreadable_answer');
      });
    });
  }

  it('can ask again after an answer that says nothing, whatever HTTP says', async () => {
    await against(
      (_req, res) => res.writeHead(202).end('{}'),
      async (url) => {
        const gateway = createMidtransGateway({ serverKey: SERVER_KEY, snapUrl: url, apiUrl: url });
        assert.equal(await failure(refunding(gateway).lookUpRefund(query())), 'retry_later unreadable_answer');
        assert.equal(await failure(gateway.lookUp('inv-1')), 'retry_later unreadable_answer');
      },
    );
  });

  it('does not lose sight of a payment over a list that it cannot read', async () => {
    await against(
      (_req, res) =>
        res.end(JSON.stringify({ ...transaction({ transaction_status: 'partial_refund' }), refunds: 'none' })),
      async (url) => {
        const gateway = createMidtransGateway({ serverKey: SERVER_KEY, snapUrl: url, apiUrl: url });
        assert.equal((await gateway.lookUp('inv-1')).state, 'paid');
      },
    );
  });
});

describe('a card refund in the Midtrans sandbox', () => {
  let world: World;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startWorld({ clock: () => new Date(time) });
    await world.api('/snap/v1/transactions', snapRequest('inv-1'));
    await world.play('inv-1/pay?channel=credit_card&webhook=none');
  });
  afterEach(() => world.close());

  const stateOf = async (refundId: string | null, amount: Money = rupiah(4000)) =>
    (await refunding(world.gateway).lookUpRefund({ ...query(refundId), amount })).state;

  it('has to wait for the settlement, and then for the bank', async () => {
    const { refund } = refunding(world.gateway);
    assert.equal(await failure(refund(asked())), 'retry_later not_refundable_now');
    await world.play('inv-1/settle?webhook=none');
    assert.equal((await refund(asked())).state, 'pending');
    time += 3 * 86_400_000;
    assert.equal(await stateOf(KEY), 'pending');
    assert.equal((await world.play('inv-1/refund-settle')).status, 200);
    assert.equal(await stateOf(KEY), 'succeeded');
    assert.equal((await world.play('inv-1/refund-settle')).status, 409);
  });

  it('that the bank turns down has failed, and may be tried again under its key', async () => {
    const { refund } = refunding(world.gateway);
    await world.play('inv-1/settle?webhook=none');
    await refund(asked());
    await world.play('inv-1/refund-fail');
    assert.equal(await stateOf(KEY), 'failed');
    assert.equal((await world.play('inv-1/refund-fail')).status, 409);
    // Midtrans remembers its first answer for five minutes, and the list knows better.
    assert.equal((await refund(asked())).state, 'pending');
    assert.equal(await stateOf(KEY), 'failed');
    time += 5 * 60_000 + 1;
    await refund(asked());
    assert.equal(await stateOf(KEY), 'pending');
  });
});
