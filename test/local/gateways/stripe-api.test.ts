import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type StripeWorld, sessionForm, startStripe } from './stripe-support.ts';
import { postJson } from './support.ts';

const HOUR = 3_600_000;
const sessionBody = z.looseObject({ id: z.string(), url: z.string().nullable(), status: z.string() });
const refusal = z.object({
  error: z.object({
    type: z.string(),
    code: z.string().optional(),
    message: z.string(),
    param: z.string().optional(),
  }),
});
const listed = z.object({ data: z.array(z.looseObject({ id: z.string() })), has_more: z.boolean() });
const refundBody = z.looseObject({ id: z.string(), amount: z.number(), status: z.string() });

const read = async (answer: Response) => sessionBody.parse(await answer.json());
const refused = async (answer: Response) => ({
  status: answer.status,
  ...refusal.parse(await answer.json()).error,
});

describe('the Stripe sandbox', () => {
  let world: StripeWorld;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startStripe({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  const create = (reference: string, more: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    world.post('/v1/checkout/sessions', sessionForm(reference, more), headers);
  const inSeconds = (ms: number): string => String(Math.floor((time + ms) / 1000));
  const item = 'line_items[0][price_data]';
  const second = 'line_items[1]';

  describe('Checkout Sessions', () => {
    const cases: [string, () => Record<string, string>, string | undefined, RegExp][] = [
      ['another mode', () => ({ mode: 'subscription' }), 'mode', /mode/],
      ['an unknown parameter', () => ({ amount: '5' }), 'amount', /unknown parameter: amount/],
      ['an unknown one within', () => ({ [`${item}[price]`]: '5' }), `${item}[price]`, /unknown parameter/],
      ['a fraction of a sen', () => ({ [`${item}[unit_amount]`]: '1.5' }), `${item}[unit_amount]`, /integer/],
      ['a foreign currency', () => ({ [`${item}[currency]`]: 'usd' }), `${item}[currency]`, /currency/],
      ['nothing to pay', () => ({ [`${item}[unit_amount]`]: '0' }), undefined, /at least/],
      ['thirteen digits', () => ({ [`${item}[unit_amount]`]: '1000000000000' }), undefined, /no more than/],
      ['no quantity', () => ({ 'line_items[0][quantity]': '0' }), 'line_items[0][quantity]', /at least 1/],
      ['a long name', () => ({ [`${item}[product_data][name]`]: 'x'.repeat(251) }), undefined, /name/],
      ['29 minutes', () => ({ expires_at: inSeconds(29 * 60_000) }), 'expires_at', /at least 30 minutes/],
      ['25 hours', () => ({ expires_at: inSeconds(25 * HOUR) }), 'expires_at', /less than 24 hours/],
      ['a script to return to', () => ({ success_url: 'javascript:alert(1)' }), 'success_url', /URL/],
      ['no address of mail', () => ({ customer_email: 'siti' }), 'customer_email', /email/],
      ['FPX for rupiah', () => ({ 'allowed_payment_method_types[0]': 'fpx' }), 'allowed_payment_method_types', /fpx/],
      [
        'two currencies',
        () => ({
          [`${second}[quantity]`]: '1',
          [`${second}[price_data][currency]`]: 'myr',
          [`${second}[price_data][unit_amount]`]: '500',
          [`${second}[price_data][product_data][name]`]: 'x',
        }),
        'line_items',
        /same currency/,
      ],
      [
        'less than two ringgit',
        () => ({ [`${item}[currency]`]: 'myr', [`${item}[unit_amount]`]: '199' }),
        undefined,
        /200/,
      ],
    ];
    for (const [what, more, param, message] of cases) {
      it(`refuse ${what}`, async () => {
        const said = await refused(await create('inv-1', more()));
        assert.equal(said.status, 400);
        assert.match(said.message, message);
        if (param !== undefined) assert.equal(said.param, param);
        assert.deepEqual(world.sandbox.list(), []);
      });
    }

    it('take the bounds of the expiry themselves', async () => {
      for (const span of [30 * 60_000 + 1000, 24 * HOUR]) {
        assert.equal((await create(`inv-${span}`, { expires_at: inSeconds(span) })).status, 200);
      }
    });

    it('take the same reference again: only the key guards against it', async () => {
      assert.notEqual((await read(await create('inv-1'))).id, (await read(await create('inv-1'))).id);
    });

    it('refuse a wrong key, an unknown endpoint and an unknown session', async () => {
      const answer = await fetch(`${world.base}/v1/checkout/sessions`, { headers: { authorization: 'Bearer wrong' } });
      assert.equal(answer.status, 401);
      assert.equal((await fetch(`${world.base}/v1/checkout/sessions`, { method: 'POST' })).status, 401);
      assert.equal((await world.get('/v1/customers')).status, 404);
      assert.equal((await refused(await world.get('/v1/checkout/sessions/cs_none'))).code, 'resource_missing');
    });

    it('expire when open, by the clock too, and not when they have ended', async () => {
      const { id } = await read(await create('inv-1'));
      const ended = await read(await world.post(`/v1/checkout/sessions/${id}/expire`));
      assert.deepEqual([ended.status, ended.url], ['expired', null]);
      const again = await refused(await world.post(`/v1/checkout/sessions/${id}/expire`));
      assert.deepEqual([again.status, again.type], [400, 'invalid_request_error']);
      assert.match(again.message, /status of `expired`/);
      const other = await read(await create('inv-2'));
      time += 24 * HOUR + 1000;
      assert.equal((await read(await world.get(`/v1/checkout/sessions/${other.id}`))).status, 'expired');
    });

    it('have a payment only when somebody tried to pay, whole when that is asked for', async () => {
      const { id } = await read(await create('inv-1'));
      assert.equal((await read(await world.get(`/v1/checkout/sessions/${id}`)))['payment_intent'], null);
      await world.play('inv-1/pay');
      const plain = await read(await world.get(`/v1/checkout/sessions/${id}`));
      assert.match(String(plain['payment_intent']), /^pi_/);
      const whole = await read(await world.get(`/v1/checkout/sessions/${id}?expand[0]=payment_intent.latest_charge`));
      const shape = z.object({ amount_received: z.literal(1_000_000), latest_charge: z.object({ id: z.string() }) });
      assert.ok(shape.safeParse(whole['payment_intent']).success);
    });
  });

  describe('Idempotency-Key', () => {
    const key = { 'idempotency-key': 'inv-1' };

    it('repeats the first answer for 24 hours', async () => {
      const first = await read(await create('inv-1', {}, key));
      time += 24 * HOUR - 1000;
      const again = await create('inv-1', {}, key);
      assert.equal(again.headers.get('idempotent-replayed'), 'true');
      assert.equal((await read(again)).id, first.id);
      time += 1000;
      assert.notEqual((await read(await create('inv-1', {}, key))).id, first.id);
    });

    it('refuses other parameters, and another endpoint', async () => {
      const { id } = await read(await create('inv-1', {}, key));
      assert.equal((await refused(await create('inv-1', { locale: 'id' }, key))).type, 'idempotency_error');
      const elsewhere = await world.post(`/v1/checkout/sessions/${id}/expire`, {}, key);
      assert.equal((await refused(elsewhere)).type, 'idempotency_error');
    });

    it('does not remember a refusal', async () => {
      assert.equal((await create('inv-1', { mode: 'setup' }, key)).status, 400);
      assert.equal((await create('inv-1', {}, key)).status, 200);
    });

    it('remembers a failure of the server, although the work was done', async () => {
      await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
      assert.equal((await create('inv-1', {}, key)).status, 500);
      const again = await create('inv-1', {}, key);
      assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [500, 'true']);
      assert.equal(world.sandbox.list().length, 1);
    });

    it('says that the first request is under way', async () => {
      await world.fault({ operation: 'create', kind: 'timeout_before', times: 1 });
      const leaving = new AbortController();
      const ask = () =>
        fetch(`${world.base}/v1/checkout/sessions`, {
          method: 'POST',
          headers: { authorization: 'Bearer sk_test_for_tests', ...key },
          body: new URLSearchParams(sessionForm('inv-1')),
          signal: leaving.signal,
        });
      // Whichever comes first is held; only the other one is answered.
      const both = [ask(), ask()];
      const said = await Promise.race(both);
      assert.equal((await refused(said)).code, 'idempotency_key_in_use');
      leaving.abort();
      await Promise.allSettled(both);
    });
  });

  describe('lists', () => {
    it('go newest first, page by page, from a moment on', async () => {
      for (const name of ['a', 'b', 'c']) {
        await create(name);
        time += 1000;
      }
      const page = async (query: string) => {
        const { data, has_more } = listed.parse(await (await world.get(`/v1/checkout/sessions?${query}`)).json());
        return { names: data.map((one) => one['client_reference_id']), last: data.at(-1)?.id, has_more };
      };
      const first = await page('limit=2');
      assert.deepEqual([first.names, first.has_more], [['c', 'b'], true]);
      const next = await page(`limit=2&starting_after=${first.last}`);
      assert.deepEqual([next.names, next.has_more], [['a'], false]);
      assert.deepEqual((await page(`created[gte]=${inSeconds(-2000)}`)).names, ['c', 'b']);
      assert.equal((await world.get('/v1/checkout/sessions?starting_after=cs_none')).status, 404);
      assert.equal((await world.get('/v1/checkout/sessions?limit=101')).status, 400);
    });

    it('have the charges of a stretch of time, their refunds and bookings where asked for', async () => {
      for (const name of ['a', 'b', 'c']) {
        await create(name);
        await world.play(`${name}/pay?webhook=none`);
        time += 1000;
      }
      await create('never-paid');
      const page = async (query: string) => {
        const { data, has_more } = listed.parse(await (await world.get(`/v1/charges?${query}`)).json());
        return { data, has_more };
      };
      const ids = (await page('limit=3')).data.map(({ id }) => id);
      const first = await page(`created[gte]=${inSeconds(-3000)}&created[lt]=${inSeconds(-1000)}&limit=1`);
      assert.deepEqual([first.data.map(({ id }) => id), first.has_more], [ids.slice(1, 2), true]);
      const next = await page(`starting_after=${ids[0]}`);
      assert.deepEqual([next.data.map(({ id }) => id), next.has_more], [ids.slice(1), false]);
      assert.equal((await world.get('/v1/charges?starting_after=ch_none')).status, 404);
      const [plain] = first.data;
      assert.deepEqual([typeof plain?.['balance_transaction'], plain?.['refunds']], ['string', undefined]);
      const [whole] = (await page('limit=1&expand[0]=data.refunds&expand[1]=data.balance_transaction')).data;
      const shape = z.object({ balance_transaction: z.object({ created: z.number() }), refunds: listed });
      assert.ok(shape.safeParse(whole).success);
    });

    it('find payments by metadata, a minute late', async () => {
      await create('inv-1');
      await world.play('inv-1/pay');
      const query = encodeURIComponent("metadata['alur_reference']:'inv-1'");
      const found = async () =>
        z
          .object({ data: z.array(z.object({ amount: z.number() })) })
          .parse(await (await world.get(`/v1/payment_intents/search?query=${query}`)).json()).data;
      assert.deepEqual(await found(), []);
      time += 60_000;
      assert.deepEqual(await found(), [{ amount: 1_000_000 }]);
      assert.equal((await world.get('/v1/payment_intents/search?query=amount>5')).status, 400);
    });
  });

  describe('refunds', () => {
    const paid = async (more: Record<string, string> = {}, channel = 'card') => {
      const { id } = await read(await create('inv-1', more));
      await world.play(`inv-1/pay?webhook=none&channel=${channel}`);
      return String((await read(await world.get(`/v1/checkout/sessions/${id}`)))['payment_intent']);
    };
    const refund = (payment_intent: string, amount: string | null, headers: Record<string, string> = {}) =>
      world.post('/v1/refunds', { payment_intent, ...(amount === null ? {} : { amount }) }, headers);

    it('give a card back in parts and never more than was paid', async () => {
      const intent = await paid();
      const part = refundBody.parse(await (await refund(intent, '400000')).json());
      assert.deepEqual([part.amount, part.status], [400_000, 'succeeded']);
      const { code, param, message } = await refused(await refund(intent, '600001'));
      assert.deepEqual({ code, param }, { code: undefined, param: 'amount' });
      assert.match(message, /greater than unrefunded amount/);
      assert.equal(refundBody.parse(await (await refund(intent, null)).json()).amount, 600_000);
      assert.equal((await refused(await refund(intent, '1'))).code, 'charge_already_refunded');
      assert.equal(listed.parse(await (await world.get(`/v1/refunds?payment_intent=${intent}`)).json()).data.length, 2);
    });

    it('are made once for each key', async () => {
      const intent = await paid();
      const key = { 'idempotency-key': 'refund-1' };
      const ids = [await refund(intent, '1', key), await refund(intent, '1', key)].map(async (answer) =>
        refundBody.parse(await answer.json()),
      );
      const [first, again] = await Promise.all(ids);
      assert.equal(first?.id, again?.id);
    });

    it('refuse what is not paid, disputed or unknown', async () => {
      const intent = await paid();
      await world.play('inv-1/reverse?webhook=none');
      assert.equal((await refused(await refund(intent, '1'))).code, 'charge_disputed');
      assert.equal((await refused(await refund('pi_none', '1'))).code, 'resource_missing');
      assert.equal((await refund(intent, '0')).status, 400);
    });

    it('through a bank are pending first', async () => {
      const intent = await paid({ [`${item}[currency]`]: 'myr' }, 'fpx');
      assert.equal(refundBody.parse(await (await refund(intent, null)).json()).status, 'pending');
    });
  });

  describe('its page', () => {
    const open = async (more: Record<string, string> = {}) => (await read(await create('inv-1', more))).url ?? '';
    const text = async (url: string) => (await fetch(url)).text();
    const press = (url: string, button: string, form: Record<string, string> = {}) =>
      fetch(`${url}/${button}`, { method: 'POST', body: new URLSearchParams(form) });

    it('says what is paid, in Indonesian or English, and escapes what the merchant sent', async () => {
      const url = await open({ [`${item}[product_data][name]`]: '<script>Izin</script>', locale: 'id' });
      const page = await text(url);
      assert.match(page, /Rp10\.000/);
      assert.match(page, /&lt;script&gt;Izin/);
      assert.doesNotMatch(page, /<script>/);
      assert.match(page, /Bayar dengan kartu/);
      assert.match(await text(`${url}?lang=en`), /Pay with card/);
    });

    it('leads through a declined card to a paid one, and back to the merchant', async () => {
      const url = await open({ success_url: 'https://alur.example/done?s={CHECKOUT_SESSION_ID}' });
      assert.match(await (await press(url, 'fail')).text(), /declined/);
      const done = await (await press(url, 'pay', { channel: 'card' })).text();
      assert.match(done, /Payment received/);
      assert.doesNotMatch(done, /<form/);
      assert.match(done, /alur\.example\/done\?s&#x3D;cs_test_/);
      const again = await press(url, 'pay');
      assert.equal(again.status, 409);
      assert.match(await again.text(), /role="alert"/);
    });

    it('holds a payment and lets it through', async () => {
      const url = await open();
      assert.match(await (await press(url, 'challenge')).text(), /being processed/);
      assert.match(await (await press(url, 'settle')).text(), /Payment received/);
    });

    it('says so when there is no such page or button', async () => {
      const answer = await fetch(`${world.base}/c/pay/nothing`);
      assert.equal(answer.status, 404);
      assert.match(await answer.text(), /Halaman pembayaran ini tidak ada/);
      assert.equal((await press(await open(), 'explode')).status, 409);
    });
  });

  describe('playing with it', () => {
    for (const [done, impossible] of [
      ['pay', ['pay', 'fail', 'expire', 'pay-late', 'settle', 'challenge']],
      ['expire', ['pay', 'fail', 'expire', 'pay-late', 'refund', 'reverse', 'settle', 'challenge']],
      ['challenge', ['pay', 'expire', 'refund', 'reverse', 'challenge']],
      ['fail', ['settle', 'refund', 'reverse']],
    ] as const) {
      it(`cannot, after ${done}, ${impossible.join(' or ')}`, async () => {
        await create('inv-1');
        assert.equal((await world.play(`inv-1/${done}`)).status, 200);
        for (const event of impossible) assert.equal((await world.play(`inv-1/${event}`)).status, 409, event);
      });
    }

    it('takes amounts in Alur’s units, and shows them so', async () => {
      await create('inv-1');
      await world.play('inv-1/pay');
      assert.equal((await world.play('inv-1/refund?amount=10001')).status, 409);
      assert.equal((await world.play('inv-1/refund?amount=10000')).status, 200);
      const [payment] = world.sandbox.list();
      assert.deepEqual(payment?.amount, { amountMinor: 10_000, currency: 'IDR', formatted: 'Rp10.000' });
      assert.equal(payment.state, 'refunded');
    });

    it('refuses a channel that the payment does not take', async () => {
      await create('inv-1');
      assert.equal((await world.play('inv-1/pay?channel=grabpay')).status, 409);
    });
  });
});

describe('many payments at the Stripe sandbox', () => {
  it('are taken at once, for measuring', async () => {
    const world = await startStripe();
    try {
      const payment = { reference: 'many-1', amountMinor: 500, paidAt: '2026-01-02T03:04:05Z', refundedMinor: 200 };
      const preload = (payments: object[]) => postJson(`${world.base}/_sandbox/preload`, { payments });
      const ringgit = { ...payment, reference: 'many-2', currency: 'MYR' };
      assert.equal((await preload([payment, ringgit])).status, 201);
      assert.equal((await preload([{ ...payment, currency: 'USD' }])).status, 422);
      const money = world.sandbox.list().map((one) => [one.amount.currency, one.capturedMinor, one.refundedMinor]);
      assert.deepEqual(money, [
        ['IDR', 500, 200],
        ['MYR', 500, 200],
      ]);
      assert.equal((await world.gateway.lookUp('many-1')).paidAt, '2026-01-02T03:04:05.000Z');
    } finally {
      await world.close();
    }
  });
});

describe('the memory of the Stripe sandbox', () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'alur-stripe-'));
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  it('outlives a restart, keys included', async () => {
    const key = { 'idempotency-key': 'inv-1' };
    const first = await startStripe({ stateDir });
    const { id } = await read(await first.post('/v1/checkout/sessions', sessionForm('inv-1'), key));
    await first.play('inv-1/pay');
    await first.close();
    const second = await startStripe({ stateDir });
    assert.equal((await second.gateway.lookUp('inv-1')).state, 'paid');
    assert.equal((await read(await second.post('/v1/checkout/sessions', sessionForm('inv-1'), key))).id, id);
    assert.equal(second.sandbox.list().length, 1);
    await second.close();
  });
});
