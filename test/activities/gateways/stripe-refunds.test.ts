import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { RefundRequest } from '../../../activities/gateways/gateway.ts';
import { createStripeGateway } from '../../../activities/gateways/stripe.ts';
import { money, rupiah } from '../../../domain/money.ts';
import { REFUND_REASONS } from '../../../domain/refunds.ts';
import { SECRET_KEY, type StripeWorld, sessionForm, startStripe } from '../../local/gateways/stripe-support.ts';
import { against, until } from '../../local/gateways/support.ts';
import { failureWithout, REFUND_KEY, refundRequest, told } from './asking.ts';

const failure = failureWithout(SECRET_KEY);

describe('refunding through Stripe', () => {
  let world: StripeWorld;
  beforeEach(async () => {
    world = await startStripe();
    await world.post('/v1/checkout/sessions', sessionForm('inv-1'));
  });
  afterEach(() => world.close());

  const pay = () => world.play('inv-1/pay?webhook=none');
  const refund = (more: Partial<RefundRequest> = {}) => world.gateway.refund?.(refundRequest(more));
  const held = () => world.sandbox.list()[0]?.refundedMinor;

  it('gives rupiah back in Stripe’s hundredths, filed under our key, for any reason that Alur knows', async () => {
    await pay();
    for (const reason of REFUND_REASONS) {
      const said = await refund({ reason, key: randomUUID(), amount: rupiah(1) });
      assert.deepEqual([said?.state, said?.amount], ['succeeded', rupiah(1)], reason);
    }
    assert.equal(held(), REFUND_REASONS.length);
  });

  it('repeats our reference on the refund, so that news of it find the payment', async () => {
    await pay();
    await refund();
    await world.play('inv-1/refund-fail');
    const { references, statuses } = world.merchant;
    await until('everything was told', () => statuses.length === 4);
    assert.deepEqual(statuses.toSorted(), [
      'charge.refunded/succeeded/400000',
      'refund.created/succeeded',
      'refund.failed/failed',
      'refund.updated/failed',
    ]);
    assert.deepEqual(new Set(references), new Set(['inv-1']));
  });

  it('gives back once, whatever else was refunded meanwhile', async () => {
    await pay();
    const first = await refund();
    const { transactionId } = await world.gateway.lookUp('inv-1');
    assert.equal((await refund({ transactionId }))?.refundId, first?.refundId);
    const again = { payment_intent: transactionId ?? '', amount: '100', 'metadata[alur_refund]': 'another' };
    assert.equal((await world.post('/v1/refunds', again)).status, 200);
    assert.equal((await refund({ transactionId }))?.refundId, first?.refundId);
    assert.equal(held(), 4001);
  });

  it('finds it by its ID, by the key, and not under somebody else’s', async () => {
    await pay();
    const { refundId = null } = (await refund()) ?? {};
    for (const query of [
      refundRequest(),
      { ...refundRequest(), refundId },
      { ...refundRequest(), refundId: 're_forgotten' },
    ]) {
      assert.equal((await world.gateway.lookUpRefund?.({ refundId: null, ...query }))?.refundId, refundId);
    }
    const other = await world.gateway.lookUpRefund?.({ ...refundRequest({ key: randomUUID() }), refundId });
    assert.equal(other?.state, 'not_found');
    const nothing = await world.gateway.lookUpRefund?.({ ...refundRequest({ reference: 'inv-9' }), refundId: null });
    assert.equal(nothing?.state, 'not_found');
  });

  it('refuses another amount under the same key', async () => {
    await pay();
    await refund();
    assert.equal(told(await failure(refund({ amount: rupiah(4001) }))), 'refused reference_used');
  });

  it('cannot refund a page that nobody paid, nor a payment that is disputed', async () => {
    assert.equal(told(await failure(refund())), 'refused not_refundable_now');
    assert.equal(told(await failure(refund({ reference: 'inv-9' }))), 'refused not_refundable_now');
    await pay();
    await world.play('inv-1/reverse?webhook=none');
    assert.equal(told(await failure(refund())), 'refused not_refundable_now');
    await world.play('inv-1/unreverse?webhook=none');
    assert.equal((await refund())?.state, 'succeeded');
  });

  it('does not even ask for nothing', async () => {
    await world.fault({ operation: 'status', kind: '5xx_before', times: 1 });
    assert.equal(told(await failure(refund({ amount: rupiah(0) }))), 'refused invalid_request');
  });
});

describe('refunds at other Stripe servers', () => {
  const at = (apiUrl: string) => createStripeGateway({ secretKey: SECRET_KEY, apiUrl, timeoutMs: 2000 });
  const made = {
    id: 're_1',
    object: 'refund',
    amount: 400_000,
    currency: 'idr',
    status: 'succeeded',
    metadata: { alur_refund: REFUND_KEY },
    payment_intent: 'pi_1',
  };
  const server =
    (refunds: readonly object[], status = 200, body: unknown = {}, sent: string[] = []): RequestListener =>
    (req, res) => {
      if (req.method === 'POST') {
        req.on('data', (part) => sent.push(String(part)));
        req.on('end', () => {
          sent.push(String(req.headers['idempotency-key']));
          res.writeHead(status).end(JSON.stringify(body));
        });
        return;
      }
      const { pathname, searchParams } = new URL(req.url ?? '', 'http://x');
      if (pathname !== '/v1/refunds') return void res.writeHead(200).end(JSON.stringify(refunds[0]));
      const from = refunds.findIndex((one) => 'id' in one && one.id === searchParams.get('starting_after')) + 1;
      const data = refunds.slice(from, from + 1);
      res
        .writeHead(200)
        .end(JSON.stringify({ object: 'list', data, has_more: from + 1 < refunds.length, url: pathname }));
    };
  const known = refundRequest({ transactionId: 'pi_1' });

  const refusals: [number, object, string][] = [
    [400, { code: 'charge_already_refunded' }, 'refused refund_exceeds_payment'],
    [400, { param: 'amount' }, 'refused refund_exceeds_payment'],
    [400, { code: 'amount_too_large', param: 'amount' }, 'refused refund_exceeds_payment'],
    [400, { code: 'parameter_invalid_integer', param: 'amount' }, 'refused invalid_request'],
    [400, { code: 'charge_not_refundable' }, 'refused channel_cannot_refund'],
    [400, { code: 'charge_disputed' }, 'refused not_refundable_now'],
    [400, { code: 'refund_disputed_payment' }, 'refused not_refundable_now'],
    [400, { code: 'payment_intent_unexpected_state' }, 'refused not_refundable_now'],
    [400, { code: 'balance_insufficient' }, 'retry_later not_refundable_now'],
    [400, { code: 'parameter_unknown', param: 'colour' }, 'refused invalid_request'],
    [401, {}, 'refused unauthorized'],
    [409, { code: 'idempotency_key_in_use' }, 'unknown in_progress'],
    [500, { code: 'charge_disputed' }, 'unknown gateway_failed'],
  ];
  for (const [status, error, kindAndCode] of refusals) {
    it(`takes ${status} ${JSON.stringify(error)} for ${kindAndCode}`, async () => {
      const body = { error: { type: 'invalid_request_error', message: 'secret words', ...error } };
      await against(server([], status, body), async (url) => {
        const thrown = await failure(at(url).refund?.(known));
        assert.equal(told(thrown), kindAndCode);
        assert.doesNotMatch(thrown.message, /secret words/);
      });
    });
  }

  it('sends what the documentation asks for', async () => {
    const sent: string[] = [];
    await against(server([], 200, made, sent), async (url) => {
      await at(url).refund?.(refundRequest({ transactionId: 'pi_1', reason: 'duplicate' }));
    });
    const [body = '', key] = sent;
    assert.equal(key, `refund-${REFUND_KEY}`);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
      payment_intent: 'pi_1',
      amount: '400000',
      reason: 'duplicate',
      'metadata[alur_refund]': REFUND_KEY,
      'metadata[alur_reference]': 'inv-1',
    });
  });

  it('finds the one with our key on a further page', async () => {
    const others = [{ ...made, id: 're_2', metadata: {} }, { ...made, id: 're_3', metadata: null }, made];
    await against(server(others), async (url) => {
      assert.equal((await at(url).refund?.(known))?.refundId, 're_1');
    });
  });

  const states: [object, string, string | null][] = [
    [{ status: 'pending', pending_reason: 'insufficient_funds' }, 'pending', 'insufficient_funds'],
    [{ status: 'pending' }, 'pending', null],
    [{ status: 'requires_action' }, 'pending', null],
    [{ status: 'succeeded' }, 'succeeded', null],
    [{ status: 'failed', failure_reason: 'lost_or_stolen_card' }, 'failed', 'lost_or_stolen_card'],
    [{ status: 'failed' }, 'failed', 'failed'],
    [{ status: 'canceled' }, 'failed', 'canceled'],
  ];
  for (const [change, state, reason] of states) {
    it(`reads ${JSON.stringify(change)} as ${state}`, async () => {
      await against(server([{ ...made, ...change }]), async (url) => {
        const said = await at(url).lookUpRefund?.({ ...known, refundId: 're_1' });
        assert.deepEqual(said, { state, refundId: 're_1', amount: rupiah(4000), reason });
      });
    });
  }

  it('reads ringgit to the sen', async () => {
    await against(server([{ ...made, currency: 'myr', amount: 123 }]), async (url) => {
      const said = await at(url).lookUpRefund?.({ ...known, refundId: 're_1' });
      assert.deepEqual(said?.amount, money(123, 'MYR'));
    });
  });

  const strange: [string, object][] = [
    ['a state that nobody documented', { status: 'frozen' }],
    ['no state', { status: null }],
    ['a fraction of a rupiah', { amount: 400_001 }],
    ['another currency', { currency: 'usd' }],
  ];
  for (const [what, change] of strange) {
    it(`does not guess at ${what}`, async () => {
      const said = { ...made, ...change };
      await against(server([said]), async (url) => {
        const looked = await failure(at(url).lookUpRefund?.({ ...known, refundId: 're_1' }));
        assert.equal(told(looked), 'retry_later unreadable_answer');
      });
      await against(server([], 200, said), async (url) => {
        assert.equal(told(await failure(at(url).refund?.(known))), 'unknown unreadable_answer');
      });
    });
  }

  it('calls the answer unknown when it is about another refund', async () => {
    for (const change of [{ metadata: {} }, { amount: 100 }]) {
      await against(server([], 200, { ...made, ...change }), async (url) => {
        assert.equal(told(await failure(at(url).refund?.(known))), 'unknown unreadable_answer');
      });
    }
  });
});
