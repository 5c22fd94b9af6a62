import assert from 'node:assert/strict';
import type { CreatePaymentRequest } from '../../../activities/gateways/gateway.ts';
import { createStripeGateway } from '../../../activities/gateways/stripe.ts';
import { money, rupiah } from '../../../domain/money.ts';
import { SECRET_KEY, type StripeWorld, sessionForm, startStripe } from '../../local/gateways/stripe-support.ts';
import { against } from '../../local/gateways/support.ts';
import { failureWithout, kindAndCode } from './asking.ts';

const HOUR = 3_600_000;

const request = (reference: string, more: Partial<CreatePaymentRequest> = {}): CreatePaymentRequest => {
  const now = new Date();
  return {
    reference,
    amount: rupiah(125_000),
    now: now.toISOString(),
    expiresAt: new Date(now.getTime() + HOUR).toISOString(),
    items: [
      { name: 'Biaya izin', amount: rupiah(50_000), quantity: 2 },
      { name: 'Jasa', amount: rupiah(25_000), quantity: 1 },
    ],
    payer: { name: 'Siti Rahayu', email: 'siti@example.com' },
    locale: 'id',
    finishUrl: 'https://alur.example/done',
    ...more,
  };
};
const ringgit = (reference: string, more: Partial<CreatePaymentRequest> = {}) => {
  const amount = money(12_345, 'MYR');
  return request(reference, { amount, items: [{ name: 'Lesen', amount, quantity: 1 }], ...more });
};

const failure = failureWithout(SECRET_KEY);

describe('paying through Stripe', () => {
  let world: StripeWorld;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startStripe({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  it('opens a page that a payer can use, until the expiry that it reports', async () => {
    const asked = request('inv-1');
    const { redirectUrl, expiresAt } = await world.gateway.create(asked);
    const page = await (await fetch(redirectUrl)).text();
    assert.match(page, /Rp125\.000/);
    assert.match(page, /Biaya izin × 2/);
    assert.match(page, /lang="id"/);
    assert.ok(expiresAt <= asked.expiresAt);
    assert.ok(Date.parse(asked.expiresAt) - Date.parse(expiresAt) < 62_000);
    assert.equal(world.sandbox.list()[0]?.expiresAt, expiresAt);
  });

  it('takes ringgit to the sen, by every method that Stripe has for them', async () => {
    const { redirectUrl } = await world.gateway.create(ringgit('inv-1'));
    const page = await (await fetch(redirectUrl)).text();
    assert.match(page, /RM123,45/);
    for (const channel of ['card', 'fpx', 'grabpay']) assert.ok(page.includes(`value="${channel}"`), channel);
    await world.play('inv-1/pay?channel=fpx');
    const { paid, method } = await world.gateway.lookUp('inv-1');
    assert.deepEqual({ paid, method }, { paid: money(12_345, 'MYR'), method: 'fpx' });
  });

  it('carries amounts to the unit', async () => {
    for (const amount of [rupiah(1), rupiah(999_999_999), money(201, 'MYR')]) {
      const reference = `inv-${amount.currency}-${amount.amountMinor}`;
      await world.gateway.create(request(reference, { amount, items: [{ name: 'x', amount, quantity: 1 }] }));
      await world.play(`${reference}/pay?webhook=none`);
      assert.deepEqual((await world.gateway.lookUp(reference)).paid, amount);
    }
  });

  it('offers only the asked method', async () => {
    const { redirectUrl } = await world.gateway.create(ringgit('inv-1', { method: 'fpx', locale: 'en' }));
    const page = await (await fetch(redirectUrl)).text();
    assert.match(page, /value="fpx"/);
    assert.doesNotMatch(page, /value="card"/);
    assert.match(page, /lang="en"/);
  });

  it('is pending from the first moment, then paid', async () => {
    await world.gateway.create(request('inv-1'));
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'pending');
    await world.play('inv-1/pay');
    const said = await world.gateway.lookUp('inv-1');
    assert.deepEqual(
      { ...said, paidAt: null, transactionId: null },
      { state: 'paid', paid: rupiah(125_000), paidAt: null, transactionId: null, method: 'credit_card' },
    );
    assert.match(said.transactionId ?? '', /^pi_/);
    assert.ok(said.paidAt !== null && Math.abs(Date.parse(said.paidAt) - time) < 10_000);
  });

  it('never heard of an unknown reference', async () => {
    await world.gateway.create(request('inv-1'));
    assert.deepEqual(await world.gateway.lookUp('inv-9'), NOTHING);
    assert.deepEqual(await world.gateway.expire('inv-9'), NOTHING);
  });

  const outcomes = [
    [['fail'], 'pending'],
    [['fail', 'pay'], 'paid'],
    [['expire'], 'expired'],
    [['challenge'], 'pending'],
    [['challenge', 'fail'], 'failed'],
    [['challenge', 'settle'], 'paid'],
    [['pay-late'], 'paid'],
    [['pay', 'reverse'], 'reversed'],
    [['pay', 'refund'], 'refunded'],
    [['pay', 'refund?amount=1'], 'paid'],
  ] as const;
  for (const [events, state] of outcomes) {
    it(`finds ${state} after ${events.join(' and ')}`, async () => {
      await world.gateway.create(request('inv-1'));
      for (const event of events) assert.equal((await world.play(`inv-1/${event}`)).status, 200, event);
      assert.equal((await world.gateway.lookUp('inv-1')).state, state);
    });
  }

  it('expires a page at once, and finds the one that was paid meanwhile', async () => {
    const { redirectUrl } = await world.gateway.create(request('inv-1'));
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
    assert.match(await (await fetch(redirectUrl)).text(), /kedaluwarsa/);
    await world.gateway.create(request('inv-2'));
    await world.play('inv-2/pay?webhook=none');
    const said = await world.gateway.expire('inv-2');
    assert.deepEqual({ state: said.state, paid: said.paid }, { state: 'paid', paid: rupiah(125_000) });
  });

  it('cannot expire what is being processed, and finds it paid after the expiry', async () => {
    const { expiresAt } = await world.gateway.create(request('inv-1'));
    await world.play('inv-1/challenge');
    assert.equal((await world.gateway.expire('inv-1')).state, 'pending');
    time = Date.parse(expiresAt) + HOUR;
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'pending');
    await world.play('inv-1/pay-late');
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'paid');
  });

  it('gives the same page again when the creation is repeated, however late', async () => {
    const asked = request('inv-1');
    const first = await world.gateway.create(asked);
    assert.deepEqual(await world.gateway.create(asked), first);
    // Less than the half hour that a new page would need.
    time += 40 * 60_000;
    assert.deepEqual(await world.gateway.create({ ...asked, now: new Date(time).toISOString() }), first);
    assert.equal(world.sandbox.list().length, 1);
  });

  it('gives the page again also when the repeat differs in what does not matter', async () => {
    const asked = request('inv-1');
    const { redirectUrl } = await world.gateway.create(asked);
    assert.equal((await world.gateway.create({ ...asked, locale: 'en' })).redirectUrl, redirectUrl);
    assert.equal(world.sandbox.list().length, 1);
  });

  it('never gives a page over another amount, nor one that has ended', async () => {
    await world.gateway.create(request('inv-1'));
    const other = request('inv-1', { amount: rupiah(100), items: [{ name: 'x', amount: rupiah(100), quantity: 1 }] });
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(other))), REFERENCE_USED);
    await world.play('inv-1/pay');
    const again = request('inv-1', { locale: 'en' });
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(again))), REFERENCE_USED);
    assert.equal(world.sandbox.list().length, 1);
  });

  it('refuses a wrong key without repeating it', async () => {
    const gateway = createStripeGateway({ secretKey: 'sk_test_wrong', apiUrl: world.base });
    const calls = [
      () => gateway.create(request('inv-1')),
      () => gateway.lookUp('inv-1'),
      () => gateway.expire('inv-1'),
    ];
    for (const call of calls) {
      const error = await failure(call());
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'unauthorized' });
      assert.doesNotMatch(error.message, /sk_test_wrong/);
    }
  });

  const large = rupiah(10_000_000_000n);
  const impossible: [string, Partial<CreatePaymentRequest>][] = [
    ['items that do not add up', { amount: rupiah(125_001) }],
    ['items in another currency', { amount: money(125_000, 'MYR') }],
    ['nothing to pay', { amount: rupiah(0), items: [] }],
    ['more than twelve digits', { amount: large, items: [{ name: 'x', amount: large, quantity: 1 }] }],
    ['a broken quantity', { items: [{ name: 'x', amount: rupiah(250_000), quantity: 0.5 }] }],
    ['a reference that is too long', { reference: 'x'.repeat(51) }],
    ['a reference with a quote', { reference: "a'b" }],
    ['more than a day', { expiresAt: new Date(Date.now() + 24 * HOUR + 60_000).toISOString() }],
    ['an expiry in the past', { expiresAt: new Date(Date.now() - 60_000).toISOString() }],
    ['an expiry that is no time', { expiresAt: 'tomorrow' }],
    ['a method that it has not', { method: 'qris' }],
  ];
  for (const [what, change] of impossible) {
    it(`does not even ask for ${what}`, async () => {
      await world.fault({ operation: 'create', kind: '5xx_before', times: 1 });
      const error = await failure(world.gateway.create(request('inv-1', change)));
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    });
  }

  it('opens a page of the full 24 hours', async () => {
    const expiresAt = new Date(Date.now() + 24 * HOUR - 1).toISOString();
    assert.ok((await world.gateway.create(request('inv-1', { expiresAt }))).redirectUrl);
  });

  it('names the refused parameter and not what was sent in it', async () => {
    const tooShort = request('inv-1', { expiresAt: new Date(Date.now() + 60_000).toISOString() });
    const error = await failure(world.gateway.create(tooShort));
    assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    assert.match(error.message, /expires_at/);
    const badEmail = request('inv-1', { payer: { name: 'x', email: 'not an address' } });
    const refusal = await failure(world.gateway.create(badEmail));
    assert.match(refusal.message, /customer_email/);
    assert.doesNotMatch(refusal.message, /not an address/);
  });

  it('takes a hundred items, and cuts their names to what Stripe takes', async () => {
    const items = Array.from({ length: 100 }, () => ({ name: 'n'.repeat(300), amount: rupiah(10), quantity: 1 }));
    const asked = request('inv-1', { amount: rupiah(1000), items });
    assert.ok((await world.gateway.create(asked)).redirectUrl);
    await world.play('inv-1/pay');
    assert.deepEqual((await world.gateway.lookUp('inv-1')).paid, rupiah(1000));
  });

  it('finds by the list, page after page, what another process opened and nobody paid', async () => {
    await world.gateway.create(request('inv-1'));
    for (let other = 0; other < 105; other += 1) await world.post('/v1/checkout/sessions', sessionForm(`o-${other}`));
    assert.equal((await world.gatewayWithin(5000).lookUp('inv-1')).state, 'pending');
  });

  it('finds what was paid long ago by the search, and no longer what expired unpaid', async () => {
    time -= 96 * HOUR;
    const then = { now: new Date(time).toISOString(), expiresAt: new Date(time + HOUR).toISOString() };
    await world.gateway.create(request('inv-1', then));
    await world.gateway.create(request('inv-2', then));
    await world.play('inv-1/pay');
    time += 96 * HOUR;
    const gateway = world.gatewayWithin(5000);
    assert.equal((await gateway.lookUp('inv-1')).state, 'paid');
    await world.play('inv-1/reverse');
    assert.equal((await gateway.lookUp('inv-1')).state, 'reversed');
    assert.deepEqual(await gateway.lookUp('inv-2'), NOTHING);
  });
});

describe('Stripe when it does not answer', () => {
  let world: StripeWorld;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startStripe({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  for (const kind of ['timeout_after', '5xx_after'] as const) {
    it(`calls a lost answer (${kind}) unknown; a look-up finds it, and a repeat recovers the page`, async () => {
      const asked = request('inv-1');
      await world.fault({ operation: 'create', kind, times: 1 });
      // Warm, so that loading the SDK is not what takes the time.
      await world.gateway.lookUp('inv-0');
      assert.equal((await failure(world.gatewayWithin(500).create(asked))).kind, 'unknown');
      assert.equal((await world.gatewayWithin(5000).lookUp('inv-1')).state, 'pending');
      const { redirectUrl } = await world.gateway.create(asked);
      assert.equal((await fetch(redirectUrl)).status, 200);
      assert.equal(world.sandbox.list().length, 1);
    });
  }

  it('finds by looking up what was paid though the answer was lost', async () => {
    await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
    await failure(world.gateway.create(request('inv-1')));
    await world.play('inv-1/pay');
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'paid');
  });

  it('says that the reference is spent when the stored failure has no page that can be paid', async () => {
    const asked = request('inv-1');
    await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
    await failure(world.gateway.create(asked));
    await world.play('inv-1/expire');
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(asked))), REFERENCE_USED);
  });

  it('calls a time-out and a 5xx before the work unknown too: nobody can tell', async () => {
    await world.gateway.lookUp('inv-0');
    await world.fault({ operation: 'create', kind: 'timeout_before', times: 1 });
    const slow = await failure(world.gatewayWithin(500).create(request('inv-1')));
    assert.deepEqual(kindAndCode(slow), { kind: 'unknown', code: 'timed_out' });
    await world.fault({ operation: 'create', kind: '5xx_before', times: 1 });
    const broken = await failure(world.gateway.create(request('inv-2')));
    assert.deepEqual(kindAndCode(broken), { kind: 'unknown', code: 'gateway_failed' });
    assert.deepEqual(world.sandbox.list(), []);
    assert.ok((await world.gateway.create(request('inv-2'))).redirectUrl);
  });

  it('says so when the first request is still being worked on', async () => {
    await world.gateway.lookUp('inv-0');
    await world.fault({ operation: 'create', kind: 'timeout_before', times: 1 });
    const asked = request('inv-1');
    const gateway = world.gatewayWithin(1000);
    const both = await Promise.all([1, 2].map(() => failure(gateway.create(asked))));
    assert.deepEqual(both.map(({ code }) => code).sort(), ['in_progress', 'timed_out']);
    assert.deepEqual(
      both.map(({ kind }) => kind),
      ['unknown', 'unknown'],
    );
  });

  it('waits as long as a 429 asks', async () => {
    await world.fault({ operation: 'create', kind: '429', times: 1 });
    const error = await failure(world.gateway.create(request('inv-1')));
    assert.deepEqual(
      { ...kindAndCode(error), after: error.retryAfterSeconds },
      { kind: 'retry_later', code: 'rate_limited', after: 2 },
    );
  });

  it('looks up again later, whatever went wrong: reading changes nothing', async () => {
    await world.gateway.create(request('inv-1'));
    for (const kind of ['timeout_before', 'timeout_after', '5xx_before', '5xx_after', '429'] as const) {
      await world.fault({ operation: 'status', kind, times: 1 });
      assert.equal((await failure(world.gatewayWithin(500).lookUp('inv-1'))).kind, 'retry_later', kind);
    }
  });

  it('calls a lost answer to an expiry unknown', async () => {
    await world.gateway.create(request('inv-1'));
    await world.fault({ operation: 'expire', kind: 'timeout_after', times: 1 });
    assert.equal((await failure(world.gatewayWithin(500).expire('inv-1'))).kind, 'unknown');
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
  });
});

describe('Stripe at other servers', () => {
  const at = (apiUrl: string) => createStripeGateway({ secretKey: SECRET_KEY, apiUrl, timeoutMs: 2000 });

  it('can try later when nobody listens', async () => {
    let dead = '';
    await against(
      () => undefined,
      async (url) => {
        dead = url;
      },
    );
    const gateway = at(dead);
    const calls = [
      () => gateway.create(request('inv-1')),
      () => gateway.lookUp('inv-1'),
      () => gateway.expire('inv-1'),
    ];
    for (const call of calls) {
      assert.deepEqual(kindAndCode(await failure(call())), { kind: 'retry_later', code: 'unreachable' });
    }
  });

  it('calls a dropped connection unknown, and does not try again by itself', async () => {
    let asked = 0;
    await against(
      (req) => {
        asked += 1;
        req.socket.destroy();
      },
      async (url) => {
        const error = await failure(at(url).create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'connection_lost' });
        assert.equal(asked, 1);
        assert.equal((await failure(at(url).lookUp('inv-1'))).kind, 'retry_later');
      },
    );
  });

  it('does not wait longer than it may for an answer that trickles in', async () => {
    await against(
      (_req, res) => {
        res.writeHead(200);
        const drip = setInterval(() => res.write(' '), 50);
        res.on('close', () => clearInterval(drip));
      },
      async (url) => {
        const gateway = createStripeGateway({ secretKey: SECRET_KEY, apiUrl: url, timeoutMs: 300 });
        const error = await failure(gateway.create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'timed_out' });
      },
    );
  });

  it('calls an answer that breaks off in the middle unknown', async () => {
    await against(
      (_req, res) => {
        res.writeHead(200, { 'content-length': '1000' }).write('{"id":');
        setImmediate(() => res.destroy());
      },
      async (url) => {
        assert.equal((await failure(at(url).create(request('inv-1')))).kind, 'unknown');
      },
    );
  });

  const made = (more: object) =>
    JSON.stringify({
      id: 'cs_1',
      client_reference_id: 'inv-1',
      status: 'open',
      payment_status: 'unpaid',
      url: 'https://checkout.stripe.com/c/pay/cs_1',
      amount_total: 12_500_000,
      currency: 'idr',
      expires_at: 1_900_000_000,
      ...more,
    });

  it('takes the answer that the cases below spoil', async () => {
    await against(
      (_req, res) => res.writeHead(200).end(made({})),
      async (url) => assert.ok((await at(url).create(request('inv-1'))).redirectUrl),
    );
  });

  for (const [what, body] of [
    ['a page of HTML', '<html>secret page</html>'],
    ['half a session', '{"id":"cs_1"}'],
    ['an address that runs a script', made({ url: 'javascript:alert(1)' })],
    ['no address', made({ url: null })],
    ['another amount', made({ amount_total: 125_000 })],
    ['another currency', made({ currency: 'myr' })],
    ['another reference', made({ client_reference_id: 'inv-2' })],
  ] as const) {
    it(`calls ${what} unknown, and does not repeat it`, async () => {
      await against(
        (_req, res) => res.writeHead(200).end(body),
        async (url) => {
          const error = await failure(at(url).create(request('inv-1')));
          assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'unreadable_answer' });
          assert.doesNotMatch(String(error.stack) + String(error.cause), /secret page/);
        },
      );
    });
  }

  it('does not follow a redirect with the key', async () => {
    let asked = 0;
    await against(
      (req, res) => {
        asked += 1;
        res.writeHead(req.url === '/elsewhere' ? 200 : 307, { location: '/elsewhere' }).end('{}');
      },
      async (url) => {
        await failure(at(url).create(request('inv-1')));
        assert.equal(asked, 1);
      },
    );
  });
});

const NOTHING = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };
const REFERENCE_USED = { kind: 'refused', code: 'reference_used' };
