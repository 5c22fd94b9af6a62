import assert from 'node:assert/strict';
import { z } from 'zod';
import { type CreatePaymentRequest, GatewayError } from '../../../activities/gateways/gateway.ts';
import { createMidtransGateway } from '../../../activities/gateways/midtrans.ts';
import { money, rupiah } from '../../../domain/money.ts';
import { against, SERVER_KEY, startWorld, type World } from '../../local/gateways/support.ts';
import { failureWithout, kindAndCode } from './asking.ts';

const request = (reference: string, more: Partial<CreatePaymentRequest> = {}): CreatePaymentRequest => {
  const now = new Date();
  return {
    reference,
    amount: rupiah(125_000),
    now: now.toISOString(),
    expiresAt: new Date(now.getTime() + 3_600_000).toISOString(),
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

const failure = failureWithout(SERVER_KEY);

describe('paying through Midtrans', () => {
  let world: World;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startWorld({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  it('opens a page that a payer can use, until the expiry that it reports', async () => {
    const asked = request('inv-1', { expiresAt: new Date(Date.now() + 3_650_000).toISOString() });
    const { redirectUrl, expiresAt } = await world.gateway.create(asked);
    const page = await (await fetch(redirectUrl)).text();
    assert.match(page, /Rp125\.000/);
    assert.match(page, /Biaya izin/);
    assert.ok(expiresAt <= asked.expiresAt);
    assert.ok(new Date(asked.expiresAt).getTime() - new Date(expiresAt).getTime() < 61_000);
    const payment = (await listed(world))[0];
    assert.equal(payment?.expiresAt, expiresAt);
  });

  it('closes the page at the expiry, though nothing was chosen on it', async () => {
    const { expiresAt } = await world.gateway.create(request('inv-1'));
    time = new Date(expiresAt).getTime() + 1000;
    assert.equal((await world.play('inv-1/pay')).status, 409);
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'not_found');
  });

  it('offers only the asked method', async () => {
    const { redirectUrl } = await world.gateway.create(request('inv-1', { method: 'qris', locale: 'en' }));
    const page = await (await fetch(redirectUrl)).text();
    assert.match(page, /value="qris"/);
    assert.doesNotMatch(page, /value="bca_va"/);
    assert.match(page, /lang="en"/);
  });

  it('knows nothing until a channel is chosen, then pending, then paid', async () => {
    const { redirectUrl } = await world.gateway.create(request('inv-1'));
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'not_found');
    await fetch(`${redirectUrl}/choose`, { method: 'POST', body: new URLSearchParams({ channel: 'gopay' }) });
    const pending = await world.gateway.lookUp('inv-1');
    assert.deepEqual({ ...pending, transactionId: null }, { ...NOTHING, state: 'pending', method: 'gopay' });
    await world.play('inv-1/pay');
    const paid = await world.gateway.lookUp('inv-1');
    assert.equal(paid.state, 'paid');
    assert.deepEqual(paid.paid, rupiah(125_000));
    assert.ok(paid.paidAt !== null && Math.abs(Date.parse(paid.paidAt) - Date.now()) < 10_000);
    assert.equal(paid.transactionId, pending.transactionId);
  });

  it('never heard of an unknown reference', async () => {
    assert.deepEqual(await world.gateway.lookUp('inv-9'), NOTHING);
  });

  const outcomes = [
    ['fail', 'failed'],
    ['expire?channel=bca_va', 'expired'],
    ['expire', 'not_found'],
    ['pay-late', 'paid'],
    ['pay?channel=credit_card', 'paid'],
    ['challenge?channel=credit_card', 'pending'],
  ] as const;
  for (const [event, state] of outcomes) {
    it(`finds ${state} after ${event}`, async () => {
      await world.gateway.create(request('inv-1'));
      assert.equal((await world.play(`inv-1/${event}`)).status, 200);
      assert.equal((await world.gateway.lookUp('inv-1')).state, state);
    });
  }

  it('finds paid money reversed, charged back and refunded', async () => {
    for (const [channel, event, state] of [
      ['bca_va', 'reverse', 'reversed'],
      ['gopay', 'reverse', 'reversed'],
      ['gopay', 'refund', 'refunded'],
      ['qris', 'refund?amount=1', 'paid'],
    ] as const) {
      const reference = `inv-${channel}-${state}`;
      await world.gateway.create(request(reference));
      await world.play(`${reference}/pay?channel=${channel}`);
      assert.equal((await world.play(`${reference}/${event}`)).status, 200);
      assert.equal((await world.gateway.lookUp(reference)).state, state);
    }
  });

  it('expires a pending payment, and finds the one that was paid meanwhile', async () => {
    const first = await world.gateway.create(request('inv-1'));
    await fetch(`${first.redirectUrl}/choose`, { method: 'POST', body: new URLSearchParams({ channel: 'bca_va' }) });
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
    await world.gateway.create(request('inv-2'));
    await world.play('inv-2/pay');
    assert.equal((await world.gateway.expire('inv-2')).state, 'paid');
  });

  it('cannot expire a page on which nothing is chosen: it stays payable', async () => {
    await world.gateway.create(request('inv-1'));
    assert.equal((await world.gateway.expire('inv-1')).state, 'not_found');
    assert.equal((await world.play('inv-1/pay')).status, 200);
  });

  it('gives the same page again when the creation is repeated at once', async () => {
    const first = await world.gateway.create(request('inv-1'));
    assert.equal((await world.gateway.create(request('inv-1'))).redirectUrl, first.redirectUrl);
  });

  it('never gives a page over another amount', async () => {
    await world.gateway.create(request('inv-1'));
    const other = request('inv-1', { amount: rupiah(1), items: [{ name: 'x', amount: rupiah(1), quantity: 1 }] });
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(other))), REFERENCE_USED);
  });

  it('refuses a wrong server key without repeating it', async () => {
    const gateway = createMidtransGateway({ serverKey: 'wrong-key-here', snapUrl: world.base, apiUrl: world.base });
    const calls = [
      () => gateway.create(request('inv-1')),
      () => gateway.lookUp('inv-1'),
      () => gateway.expire('inv-1'),
    ];
    for (const call of calls) {
      const error = await failure(call());
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'unauthorized' });
      assert.doesNotMatch(error.message, /wrong-key-here/);
    }
  });

  const impossible: [string, Partial<CreatePaymentRequest>][] = [
    ['items that do not add up', { amount: rupiah(125_001) }],
    ['another currency', { amount: money(1250, 'MYR') }],
    ['nothing to pay', { amount: rupiah(0), items: [] }],
    ['a broken quantity', { items: [{ name: 'x', amount: rupiah(250_000), quantity: 0.5 }] }],
    ['a reference that is too long', { reference: 'x'.repeat(51) }],
    ['a reference with a slash', { reference: 'a/b' }],
    ['four minutes', { expiresAt: new Date(Date.now() + 299_000).toISOString() }],
    ['more than seven days', { expiresAt: new Date(Date.now() + 7 * 86_400_000 + 120_000).toISOString() }],
    ['an expiry that is no time', { expiresAt: 'tomorrow' }],
  ];
  for (const [what, change] of impossible) {
    it(`does not even ask for ${what}`, async () => {
      await world.fault({ operation: 'create', kind: '5xx_before', times: 1 });
      const error = await failure(world.gateway.create(request('inv-1', change)));
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    });
  }

  it('cuts item names to what Midtrans takes', async () => {
    const items = [{ name: 'n'.repeat(80), amount: rupiah(125_000), quantity: 1 }];
    assert.ok((await world.gateway.create(request('inv-1', { items }))).redirectUrl);
  });
});

describe('Midtrans when it does not answer', () => {
  let world: World;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startWorld({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  it('calls a lost answer unknown, and a repeat recovers the page', async () => {
    for (const kind of ['timeout_after', '5xx_after'] as const) {
      await world.fault({ operation: 'create', kind, times: 1 });
      const error = await failure(world.gatewayWithin(300).create(request(`inv-${kind}`)));
      assert.equal(error.kind, 'unknown');
      const { redirectUrl } = await world.gateway.create(request(`inv-${kind}`));
      assert.equal((await fetch(redirectUrl)).status, 200);
      assert.equal((await listed(world)).filter(({ reference }) => reference === `inv-${kind}`).length, 1);
    }
  });

  it('says that the reference is used when the repeat comes after the five minutes', async () => {
    await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
    await failure(world.gateway.create(request('inv-1')));
    time += 5 * 60_000 + 1;
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-1')))), REFERENCE_USED);
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'not_found');
  });

  it('finds by looking up what was paid though the answer was lost', async () => {
    await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
    assert.equal((await failure(world.gateway.create(request('inv-1')))).kind, 'unknown');
    await world.play('inv-1/pay');
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'paid');
  });

  it('calls a time-out and a 5xx before the work unknown too: nobody can tell', async () => {
    await world.fault({ operation: 'create', kind: 'timeout_before', times: 1 });
    assert.deepEqual(kindAndCode(await failure(world.gatewayWithin(300).create(request('inv-1')))), {
      kind: 'unknown',
      code: 'timed_out',
    });
    await world.fault({ operation: 'create', kind: '5xx_before', times: 1 });
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-2')))), {
      kind: 'unknown',
      code: 'gateway_failed',
    });
    assert.deepEqual(await listed(world), []);
    assert.ok((await world.gateway.create(request('inv-2'))).redirectUrl);
  });

  it('says so when the first request is still being worked on', async () => {
    await world.fault({ operation: 'create', kind: 'timeout_before', times: 1 });
    const both = await Promise.all([1, 2].map(() => failure(world.gatewayWithin(1000).create(request('inv-1')))));
    assert.deepEqual(both.map(({ code }) => code).sort(), ['in_progress', 'timed_out']);
    assert.deepEqual(
      both.map(({ kind }) => kind),
      ['unknown', 'unknown'],
    );
  });

  it('waits as long as a 429 asks', async () => {
    await world.fault({ operation: 'create', kind: '429', times: 1 });
    const error = await failure(world.gateway.create(request('inv-1')));
    assert.deepEqual({ ...kindAndCode(error), after: error.retryAfterSeconds }, { ...RATE_LIMITED, after: 2 });
  });

  it('looks up again later, whatever went wrong: reading changes nothing', async () => {
    for (const kind of ['timeout_before', 'timeout_after', '5xx_before', '5xx_after', '429'] as const) {
      await world.fault({ operation: 'status', kind, times: 1 });
      assert.equal((await failure(world.gatewayWithin(300).lookUp('inv-1'))).kind, 'retry_later', kind);
    }
  });

  it('calls a lost answer to an expiry unknown', async () => {
    await world.gateway.create(request('inv-1'));
    await world.play('inv-1/fail?webhook=none');
    await world.fault({ operation: 'expire', kind: 'timeout_after', times: 1 });
    assert.equal((await failure(world.gatewayWithin(300).expire('inv-1'))).kind, 'unknown');
    assert.equal((await world.gateway.expire('inv-1')).state, 'failed');
  });
});

describe('Midtrans at other servers', () => {
  const at = (url: string) =>
    createMidtransGateway({ serverKey: SERVER_KEY, snapUrl: url, apiUrl: url, timeoutMs: 2000 });

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

  it('calls a dropped connection unknown', async () => {
    await against(
      (req) => req.socket.destroy(),
      async (url) => {
        const error = await failure(at(url).create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'connection_lost' });
        assert.equal((await failure(at(url).lookUp('inv-1'))).kind, 'retry_later');
      },
    );
  });

  it('calls an answer that breaks off in the middle unknown', async () => {
    await against(
      (_req, res) => {
        res.writeHead(201, { 'content-length': '1000' }).write('{"token":');
        setImmediate(() => res.destroy());
      },
      async (url) => {
        assert.equal((await failure(at(url).create(request('inv-1')))).kind, 'unknown');
      },
    );
  });

  for (const [status, body] of [
    [201, '<html>secret page</html>'],
    [201, '{"token":"t"}'],
    [201, '{"token":"t","redirect_url":"javascript:alert(1)"}'],
    [201, 'null'],
    [409, '{}'],
  ] as const) {
    it(`calls ${status} ${body} unknown, and does not repeat it`, async () => {
      await against(
        (_req, res) => res.writeHead(status).end(body),
        async (url) => {
          const error = await failure(at(url).create(request('inv-1')));
          assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'unreadable_answer' });
          assert.doesNotMatch(String(error.stack) + String(error.cause), /secret page/);
        },
      );
    });
  }

  it('names the refused field and not what was sent in it', async () => {
    await against(
      (_req, res) =>
        res.writeHead(400).end('{"error_messages":["customer_details.email siti@example.com is invalid"]}'),
      async (url) => {
        const error = await failure(at(url).create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
        assert.match(error.message, /customer_details\.email/);
        assert.doesNotMatch(error.message, /siti/);
      },
    );
  });

  it('knows a used reference in Indonesian too', async () => {
    await against(
      (_req, res) => res.writeHead(400).end('{"error_messages":["transaction_details.order_id sudah digunakan"]}'),
      async (url) => assert.deepEqual(kindAndCode(await failure(at(url).create(request('inv-1')))), REFERENCE_USED),
    );
  });

  it('does not follow a redirect with the server key', async () => {
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

  it('believes the status code in the body, not the one of HTTP', async () => {
    for (const [code, expected] of [
      ['404', 'not_found'],
      ['429', 'rate_limited'],
      ['500', 'unreadable_answer'],
      ['401', 'unauthorized'],
    ] as const) {
      await against(
        (_req, res) => res.writeHead(200).end(JSON.stringify({ status_code: code, status_message: 'x' })),
        async (url) => {
          const answer = await at(url)
            .lookUp('inv-1')
            .then(
              ({ state }) => state,
              (error: unknown) => (error instanceof GatewayError ? error.code : error),
            );
          assert.equal(answer, expected);
        },
      );
    }
  });
});

const NOTHING = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };
const REFERENCE_USED = { kind: 'refused', code: 'reference_used' };
const RATE_LIMITED = { kind: 'retry_later', code: 'rate_limited' };

const list = z.object({ items: z.array(z.object({ reference: z.string(), expiresAt: z.string() })) });

async function listed(world: World) {
  const answer = await fetch(`${world.sandbox.url}/_sandbox/payments`);
  return list.parse(await answer.json()).items;
}
