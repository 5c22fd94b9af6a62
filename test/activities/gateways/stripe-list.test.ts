import assert from 'node:assert/strict';
import { GatewayError, type ListedPayment, type PaymentPage } from '../../../activities/gateways/gateway.ts';
import { createStripeGateway } from '../../../activities/gateways/stripe.ts';
import { money, rupiah } from '../../../domain/money.ts';
import { SECRET_KEY, type StripeWorld, sessionForm, startStripe } from '../../local/gateways/stripe-support.ts';
import { against } from '../../local/gateways/support.ts';

const window = { from: '2026-01-02T00:00:00.000Z', to: '2026-01-03T00:00:00.000Z' };
const at = (iso: string) => Date.parse(iso) / 1000;

describe('the list of payments at Stripe', () => {
  let world: StripeWorld;
  let time = 0;
  beforeEach(async () => {
    time = Date.parse('2026-01-02T12:00:00Z');
    world = await startStripe({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  const open = (reference: string, more: Record<string, string> = {}) =>
    world.post('/v1/checkout/sessions', sessionForm(reference, more));
  const list = async (over = window) => {
    const page = await world.gateway.list?.(over, null);
    assert.equal(page?.next, null);
    return page.payments;
  };

  it('has what brought money, as a look-up tells of it, and not what was refused or left', async () => {
    for (const name of ['paid', 'refused', 'held', 'left']) await open(name);
    await world.play('paid/pay?webhook=none');
    await world.play('refused/fail?webhook=none');
    await world.play('held/challenge?webhook=none');
    // By then the search has found it.
    time += 60_000;
    const { transactionId, paidAt } = await world.gateway.lookUp('paid');
    assert.equal(paidAt, '2026-01-02T12:00:00.000Z');
    assert.deepEqual(await list(), [
      { reference: 'paid', transactionId, state: 'paid', paid: rupiah(10_000), refundedMinor: 0n, paidAt },
    ]);
  });

  it('counts a payment when its money comes, however long before it was submitted', async () => {
    time = Date.parse('2025-12-31T00:00:00Z');
    await open('slow');
    await world.play('slow/challenge?webhook=none');
    time = Date.parse('2026-01-02T00:00:00Z');
    await world.play('slow/settle?webhook=none');
    const [slow] = await list();
    assert.deepEqual([slow?.reference, slow?.paidAt], ['slow', '2026-01-02T00:00:00.000Z']);
    assert.equal((await world.gateway.lookUp('slow')).paidAt, '2026-01-02T00:00:00.000Z');
    const before = { from: '2025-12-31T00:00:00.000Z', to: window.from };
    assert.deepEqual(await list(before), []);
  });

  it('tells taken back, won back and refunded apart', async () => {
    for (const name of ['gone', 'won', 'back', 'part']) {
      await open(name);
      await world.play(`${name}/pay?webhook=none`);
    }
    await world.play('gone/reverse?webhook=none');
    await world.play('won/reverse?webhook=none');
    await world.play('won/unreverse?webhook=none');
    await world.play('back/refund?webhook=none');
    await world.play('part/refund?amount=1&webhook=none');
    const said = (await list()).map(({ reference, state, refundedMinor }) => [reference, state, refundedMinor]);
    assert.deepEqual(said.toReversed(), [
      ['gone', 'reversed', 0n],
      ['won', 'paid', 0n],
      ['back', 'refunded', 10_000n],
      ['part', 'paid', 1n],
    ]);
  });

  it('counts refunds that have succeeded: not pending ones, nor one that failed', async () => {
    const ringgit = { 'line_items[0][price_data][currency]': 'myr' };
    await open('bank', ringgit);
    await world.play('bank/pay?channel=fpx&webhook=none');
    await world.play('bank/refund?amount=300&webhook=none');
    const back = async () => (await list()).map(({ refundedMinor, paid }) => [refundedMinor, paid?.currency]);
    assert.deepEqual(await back(), [[0n, 'MYR']]);
    await world.play('bank/refund-settle?webhook=none');
    assert.deepEqual(await back(), [[300n, 'MYR']]);
    await world.play('bank/refund-fail?webhook=none');
    assert.deepEqual(await back(), [[0n, 'MYR']]);
  });

  it('adds up more refunds than come along with a charge', async () => {
    await open('often');
    await world.play('often/pay?webhook=none');
    for (let index = 0; index < 12; index += 1) await world.play('often/refund?amount=10&webhook=none');
    await open('other');
    await world.play('other/pay?webhook=none');
    await world.play('other/refund?amount=7&webhook=none');
    const said = (await list()).map(({ reference, refundedMinor }) => [reference, refundedMinor]);
    assert.deepEqual(said.toReversed(), [
      ['often', 120n],
      ['other', 7n],
    ]);
  });

  it('goes through many pages without losing or repeating any', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => ({
      reference: `many-${index}`,
      currency: 'IDR' as const,
      amountMinor: 1000 + index,
      paidAt: new Date(Date.parse(window.from) + index * 1000).toISOString(),
      refundedMinor: index % 100 === 0 ? 5 : 0,
    }));
    world.sandbox.preload(many);
    const found: ListedPayment[] = [];
    let page: PaymentPage | undefined;
    do {
      page = await world.gateway.list?.(window, page?.next ?? null);
      found.push(...(page?.payments ?? []));
    } while (page !== undefined && page.next !== null);
    assert.deepEqual(
      found.map(({ reference }) => reference).toReversed(),
      many.map(({ reference }) => reference),
    );
    assert.equal(
      found.reduce((sum, { refundedMinor }) => sum + refundedMinor, 0n),
      55n,
    );
  });
});

describe('the list of charges at other Stripe servers', () => {
  const charge = {
    id: 'ch_1',
    object: 'charge',
    amount_captured: 1_000_000,
    balance_transaction: { created: at('2026-01-02T10:00:00Z') },
    created: at('2026-01-02T09:00:00Z'),
    currency: 'idr',
    disputed: false,
    metadata: { alur_reference: 'inv-1' },
    payment_intent: 'pi_1',
    payment_method_details: { type: 'card' },
    refunded: false,
    refunds: { data: [], has_more: false },
    status: 'succeeded',
  };
  const listed = async (change: object, asked: string[] = []): Promise<readonly ListedPayment[]> => {
    let payments: readonly ListedPayment[] = [];
    const body = { object: 'list', data: [{ ...charge, ...change }], has_more: false, url: '/v1/charges' };
    await against(
      (req, res) => {
        asked.push(req.url ?? '');
        res.writeHead(200).end(JSON.stringify(body));
      },
      async (apiUrl) => {
        const { list } = createStripeGateway({ secretKey: SECRET_KEY, apiUrl, timeoutMs: 2000 });
        payments = (await list?.(window, null))?.payments ?? [];
      },
    );
    return payments;
  };

  it('are asked for from three days before the window, with what tells of refunds and of the money’s time', async () => {
    const asked: string[] = [];
    await listed({}, asked);
    assert.equal(asked.length, 1);
    assert.deepEqual(Object.fromEntries(new URL(asked[0] ?? '', 'http://x').searchParams), {
      'created[gte]': String(at('2025-12-30T00:00:00Z')),
      'created[lt]': String(at('2026-01-03T00:00:00Z')),
      limit: '100',
      'expand[0]': 'data.balance_transaction',
      'expand[1]': 'data.refunds',
    });
  });

  it('count by the time of the charge while the money is not booked yet', async () => {
    for (const balance_transaction of [null, 'txn_1']) {
      const [said] = await listed({ balance_transaction });
      assert.equal(said?.paidAt, '2026-01-02T09:00:00.000Z');
    }
  });

  it('show money that is none of Alur’s, without a reference, an amount or both', async () => {
    const [foreign] = await listed({ currency: 'usd', metadata: {}, payment_intent: null });
    assert.deepEqual(foreign, {
      reference: null,
      transactionId: 'ch_1',
      state: 'paid',
      paid: null,
      refundedMinor: 0n,
      paidAt: '2026-01-02T10:00:00.000Z',
    });
    assert.equal((await listed({ amount_captured: 1_000_001 }))[0]?.paid, null);
    assert.deepEqual((await listed({ currency: 'myr', amount_captured: 201 }))[0]?.paid, money(201, 'MYR'));
  });

  it('are left out when they failed, or were only authorised', async () => {
    assert.deepEqual(await listed({ status: 'failed', amount_captured: 0 }), []);
    assert.deepEqual(await listed({ amount_captured: 0 }), []);
  });

  it('can be asked for again when the answer makes no sense', async () => {
    const odd = { id: 're_1', amount: 1, currency: 'idr', status: 'frozen' };
    for (const change of [{ created: 'noon' }, { refunds: { data: [odd], has_more: false } }]) {
      const error = await listed(change).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof GatewayError);
      assert.deepEqual([error.kind, error.code], ['retry_later', 'unreadable_answer']);
    }
  });
});
