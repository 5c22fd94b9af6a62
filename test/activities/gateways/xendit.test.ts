import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import type { CreatePaymentRequest } from '../../../activities/gateways/gateway.ts';
import { createXenditGateway } from '../../../activities/gateways/xendit.ts';
import { money, rupiah } from '../../../domain/money.ts';
import { against, until } from '../../local/gateways/support.ts';
import { invoiceRequest, SECRET_KEY, startXenditWorld, type XenditWorld } from '../../local/gateways/xendit-support.ts';
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
const one = (amount: number) => ({
  amount: rupiah(amount),
  items: [{ name: 'Jasa', amount: rupiah(amount), quantity: 1 }],
});

const failure = failureWithout(SECRET_KEY);
const NOTHING = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };
const REFERENCE_USED = { kind: 'refused', code: 'reference_used' };

describe('paying through Xendit', () => {
  let world: XenditWorld;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startXenditWorld({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  it('opens a page that a payer can use, until the expiry that it reports', async () => {
    const asked = request('inv-1', {
      now: new Date(time).toISOString(),
      expiresAt: new Date(time + 3_600_999).toISOString(),
    });
    const { redirectUrl, expiresAt } = await world.gateway.create(asked);
    const page = await (await fetch(redirectUrl)).text();
    assert.match(page, /Rp125\.000/);
    assert.match(page, /Biaya izin/);
    assert.equal(expiresAt, new Date(time + 3_600_000).toISOString());
    assert.equal((await world.list())[0]?.expiresAt, expiresAt);
  });

  it('takes no money after the expiry', async () => {
    const { expiresAt } = await world.gateway.create(request('inv-1'));
    time = new Date(expiresAt).getTime();
    assert.equal((await world.play('inv-1/pay')).status, 409);
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'expired');
  });

  it('offers only the asked method', async () => {
    for (const [method, offered] of [
      ['qris', 'qris'],
      ['bca_va', 'bca_va'],
      ['credit_card', 'credit_card'],
    ] as const) {
      const { redirectUrl } = await world.gateway.create(request(`inv-${method}`, { method, locale: 'en' }));
      const page = await (await fetch(redirectUrl)).text();
      assert.deepEqual(
        [...page.matchAll(/name="channel" value="(\w+)"/g)].map((match) => match[1]),
        [offered],
      );
      assert.match(page, /lang="en"/);
    }
  });

  it('is pending at once, whether a channel is chosen or not, then paid to the unit', async () => {
    const { redirectUrl } = await world.gateway.create(request('inv-1', one(125_001)));
    const pending = await world.gateway.lookUp('inv-1');
    assert.deepEqual({ ...pending, transactionId: null }, { ...NOTHING, state: 'pending' });
    await fetch(`${redirectUrl}/choose`, { method: 'POST', body: new URLSearchParams({ channel: 'ovo' }) });
    await world.play('inv-1/pay');
    const paid = await world.gateway.lookUp('inv-1');
    assert.deepEqual(paid, {
      state: 'paid',
      paid: rupiah(125_001),
      paidAt: new Date(time).toISOString(),
      transactionId: pending.transactionId,
      method: 'ovo',
    });
  });

  for (const [channel, method] of [
    ['bca_va', 'bca_va'],
    ['qris', 'qris'],
    ['credit_card', 'credit_card'],
  ] as const) {
    it(`calls a payment by ${channel} what the house calls it`, async () => {
      await world.gateway.create(request('inv-1'));
      await world.play(`inv-1/pay?channel=${channel}`);
      assert.equal((await world.gateway.lookUp('inv-1')).method, method);
    });
  }

  it('never heard of an unknown reference, nor of one that merely begins alike', async () => {
    await world.gateway.create(request('inv-11'));
    assert.deepEqual(await world.gateway.lookUp('inv-1'), NOTHING);
    assert.deepEqual(await world.gateway.expire('inv-1'), NOTHING);
  });

  it('finds paid money settled, and money that came late', async () => {
    await world.gateway.create(request('inv-1'));
    await world.play('inv-1/pay');
    await world.play('inv-1/settle');
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'paid');
    await world.gateway.create(request('inv-2'));
    assert.equal((await world.gateway.expire('inv-2')).state, 'expired');
    await world.play('inv-2/pay-late');
    assert.deepEqual((await world.gateway.lookUp('inv-2')).paid, rupiah(125_000));
  });

  it('expires an open payment though nothing was chosen, and finds the one that was paid meanwhile', async () => {
    await world.gateway.create(request('inv-1'));
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
    assert.equal((await world.play('inv-1/pay')).status, 409);
    await world.gateway.create(request('inv-2'));
    await world.play('inv-2/pay');
    assert.equal((await world.gateway.expire('inv-2')).state, 'paid');
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
  });

  it('gives the same page again when the creation is repeated, however late', async () => {
    const first = await world.gateway.create(request('inv-1'));
    time += 30 * 60_000;
    assert.deepEqual(await world.gateway.create(request('inv-1')), first);
    assert.equal((await world.list()).length, 1);
  });

  it('never gives a page over another amount, nor one that has ended', async () => {
    await world.gateway.create(request('inv-1'));
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-1', one(1))))), REFERENCE_USED);
    await world.play('inv-1/pay');
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-1')))), REFERENCE_USED);
    await world.gateway.create(request('inv-2'));
    await world.gateway.expire('inv-2');
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-2')))), REFERENCE_USED);
    assert.equal((await world.list()).length, 2);
  });

  it('tells of two invoices under one reference together, and ends both', async () => {
    const body = invoiceRequest('inv-1', { amount: 125_000 });
    await world.post('/v2/invoices/', body);
    time += 5;
    await world.post('/v2/invoices/', body);
    const [older, newer] = await world.list();
    assert.equal((await world.gateway.create(request('inv-1'))).redirectUrl, older?.redirectUrl);
    const id = newer?.redirectUrl.split('/').at(-1);
    await world.play(`${id}/pay`);
    assert.deepEqual(
      { ...(await world.gateway.lookUp('inv-1')), paidAt: null, method: null },
      {
        ...NOTHING,
        state: 'paid',
        paid: rupiah(125_000),
        transactionId: id,
      },
    );
    await world.play('inv-1/pay');
    assert.deepEqual((await world.gateway.lookUp('inv-1')).paid, rupiah(250_000));
    await world.post('/v2/invoices/', invoiceRequest('inv-2'));
    await world.post('/v2/invoices/', invoiceRequest('inv-2'));
    assert.equal((await world.gateway.expire('inv-2')).state, 'expired');
    assert.deepEqual((await world.list()).map(({ state }) => state).sort(), ['EXPIRED', 'EXPIRED', 'PAID', 'PAID']);
  });

  it('refuses a wrong secret key without repeating it', async () => {
    const gateway = createXenditGateway({ secretKey: 'wrong-key-here', apiUrl: world.base });
    for (const call of [gateway.create(request('inv-1')), gateway.lookUp('inv-1'), gateway.expire('inv-1')]) {
      const error = await failure(call);
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'unauthorized' });
      assert.doesNotMatch(error.message, /wrong-key-here/);
    }
  });

  const impossible: [string, Partial<CreatePaymentRequest>][] = [
    ['items that do not add up', { amount: rupiah(125_001) }],
    [
      'another currency',
      { amount: money(1250, 'MYR'), items: [{ name: 'x', amount: money(1250, 'MYR'), quantity: 1 }] },
    ],
    ['nothing to pay', { amount: rupiah(0), items: [] }],
    ['a broken quantity', { items: [{ name: 'x', amount: rupiah(250_000), quantity: 0.5 }] }],
    ['a reference that is too long', { reference: 'x'.repeat(51) }],
    ['a reference with an ampersand', { reference: 'a&b' }],
    ['half a minute', { expiresAt: new Date(Date.now() + 30_000).toISOString() }],
    ['more than a year', { expiresAt: new Date(Date.now() + 366 * 86_400_000).toISOString() }],
    ['an expiry that is no time', { expiresAt: 'tomorrow' }],
  ];
  for (const [what, change] of impossible) {
    it(`does not even ask for ${what}`, async () => {
      await world.fault({ operation: 'status', kind: '5xx_before', times: 1 });
      const error = await failure(world.gateway.create(request('inv-1', change)));
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    });
  }

  it('names the refused field and not what was sent in it', async () => {
    const payer = { name: 'Siti', email: 'siti at example' };
    const error = await failure(world.gateway.create(request('inv-1', { payer })));
    assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    assert.match(error.message, /API_VALIDATION_ERROR, payer_email/);
    assert.doesNotMatch(error.message, /siti/i);
  });

  it('refuses a method that the account does not have', async () => {
    const error = await failure(world.gateway.create(request('inv-1', { method: 'carrier_pigeon' })));
    assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    assert.match(error.message, /UNAVAILABLE_PAYMENT_METHOD_ERROR/);
  });
});

describe('Xendit when it does not answer', () => {
  let world: XenditWorld;
  beforeEach(async () => {
    world = await startXenditWorld();
  });
  afterEach(() => world.close());

  it('finds the page itself when the answer was lost', async () => {
    for (const kind of ['timeout_after', '5xx_after'] as const) {
      await world.fault({ operation: 'create', kind, times: 1 });
      const { redirectUrl } = await world.gatewayWithin(500).create(request(`inv-${kind}`));
      assert.equal((await fetch(redirectUrl)).status, 200);
      assert.equal((await world.list()).filter(({ reference }) => reference === `inv-${kind}`).length, 1);
    }
  });

  it('calls it unknown when nobody can say afterwards either; a look-up finds it, and a repeat its page', async () => {
    await world.fault({ operation: 'create', kind: 'timeout_after', times: 1 });
    const unclear = failure(world.gatewayWithin(1500).create(request('inv-1')));
    await until('the invoice was opened', async () => (await world.list()).length === 1);
    await world.fault({ operation: 'status', kind: '5xx_before', times: 1 });
    assert.deepEqual(kindAndCode(await unclear), { kind: 'unknown', code: 'timed_out' });
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'pending');
    assert.ok((await world.gateway.create(request('inv-1'))).redirectUrl);
    assert.equal((await world.list()).length, 1);
  });

  it('calls a time-out and a 5xx before the work unknown: the request may still be on its way', async () => {
    await world.fault({ operation: 'create', kind: 'timeout_before', times: 1 });
    assert.deepEqual(kindAndCode(await failure(world.gatewayWithin(500).create(request('inv-1')))), {
      kind: 'unknown',
      code: 'timed_out',
    });
    await world.fault({ operation: 'create', kind: '5xx_before', times: 1 });
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-2')))), {
      kind: 'unknown',
      code: 'gateway_failed',
    });
    assert.deepEqual(await world.list(), []);
    assert.ok((await world.gateway.create(request('inv-2'))).redirectUrl);
  });

  it('opens nothing when it cannot look first, and says that nothing was done', async () => {
    for (const kind of ['timeout_before', 'timeout_after', '5xx_before', '429'] as const) {
      await world.fault({ operation: 'status', kind, times: 1 });
      assert.equal((await failure(world.gatewayWithin(300).create(request('inv-1')))).kind, 'retry_later', kind);
    }
    assert.deepEqual(await world.list(), []);
  });

  it('waits as long as a 429 asks', async () => {
    await world.fault({ operation: 'create', kind: '429', times: 1 });
    const error = await failure(world.gateway.create(request('inv-1')));
    assert.deepEqual(
      { ...kindAndCode(error), after: error.retryAfterSeconds },
      {
        kind: 'retry_later',
        code: 'rate_limited',
        after: 2,
      },
    );
    assert.deepEqual(await world.list(), []);
  });

  it('looks up again later, whatever went wrong: reading changes nothing', async () => {
    await world.gateway.create(request('inv-1'));
    for (const kind of ['timeout_before', 'timeout_after', '5xx_before', '5xx_after', '429'] as const) {
      await world.fault({ operation: 'status', kind, times: 1 });
      assert.equal((await failure(world.gatewayWithin(300).lookUp('inv-1'))).kind, 'retry_later', kind);
    }
  });

  it('calls a lost answer to an expiry unknown; asking again finds it ended', async () => {
    await world.gateway.create(request('inv-1'));
    await world.fault({ operation: 'expire', kind: 'timeout_after', times: 1 });
    assert.equal((await failure(world.gatewayWithin(500).expire('inv-1'))).kind, 'unknown');
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
  });
});

describe('Xendit at other servers', () => {
  const at = (url: string) => createXenditGateway({ secretKey: SECRET_KEY, apiUrl: url, timeoutMs: 2000 });
  /** Nothing is found; creating answers as given. */
  const creating =
    (status: number, body: string): RequestListener =>
    (req, res) =>
      req.method === 'GET' ? res.writeHead(200).end('[]') : res.writeHead(status).end(body);
  const listing =
    (...found: object[]): RequestListener =>
    (_req, res) =>
      res.writeHead(200).end(JSON.stringify(found));
  const invoice = {
    id: '62f00ac409accd62c85673c4',
    external_id: 'inv-1',
    status: 'PAID',
    amount: 8_500_000,
    paid_amount: 8_500_000,
    currency: 'IDR',
    paid_at: '2022-08-07T18:58:35.534Z',
    payment_method: 'BANK_TRANSFER',
    payment_channel: 'MANDIRI',
  };

  it('can try later when nobody listens', async () => {
    let dead = '';
    await against(
      () => undefined,
      async (url) => {
        dead = url;
      },
    );
    const gateway = at(dead);
    for (const call of [gateway.create(request('inv-1')), gateway.lookUp('inv-1'), gateway.expire('inv-1')]) {
      assert.deepEqual(kindAndCode(await failure(call)), { kind: 'retry_later', code: 'unreachable' });
    }
  });

  it('calls a dropped connection unknown', async () => {
    await against(
      (req, res) => (req.method === 'GET' ? res.writeHead(200).end('[]') : req.socket.destroy()),
      async (url) => {
        const error = await failure(at(url).create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'connection_lost' });
      },
    );
  });

  const page = 'https://checkout.xendit.co/web/1';
  const answer = {
    ...invoice,
    status: 'PENDING',
    amount: 125_000,
    invoice_url: page,
    expiry_date: '2026-01-01T00:00:00Z',
  };
  const unreadable: [string, number, unknown][] = [
    ['a page of HTML', 200, '<html>secret page</html>'],
    ['nothing', 200, null],
    ['an address that runs a script', 200, { ...answer, invoice_url: 'javascript:alert(1)' }],
    ['an invoice without an address', 200, { ...answer, invoice_url: undefined }],
    ['an expiry that is no time', 200, { ...answer, expiry_date: 'soon' }],
    ['an invoice over another amount', 200, { ...answer, amount: 125_000.5 }],
    ['an invoice under another reference', 200, { ...answer, external_id: 'inv-2' }],
    ['a conflict', 409, {}],
    ['a refusal without a code', 400, []],
  ];
  for (const [what, status, body] of unreadable) {
    it(`calls ${what} unknown, and does not quote it`, async () => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      await against(creating(status, text), async (url) => {
        const error = await failure(at(url).create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'unreadable_answer' });
        assert.doesNotMatch(String(error.stack) + String(error.cause), /secret page/);
      });
    });
  }

  it('stays with unknown when the key is refused only after the request was sent', async () => {
    let asked = 0;
    await against(
      (_req, res) => {
        asked += 1;
        if (asked === 1) return res.writeHead(200).end('[]');
        return asked === 2 ? res.writeHead(502).end() : res.writeHead(401).end('{}');
      },
      async (url) => {
        assert.deepEqual(kindAndCode(await failure(at(url).create(request('inv-1')))), {
          kind: 'unknown',
          code: 'gateway_failed',
        });
      },
    );
  });

  it('does not follow a redirect with the secret key', async () => {
    let asked = 0;
    await against(
      (_req, res) => {
        asked += 1;
        res.writeHead(307, { location: '/elsewhere' }).end('{}');
      },
      async (url) => {
        await failure(at(url).create(request('inv-1')));
        assert.equal(asked, 1);
      },
    );
  });

  it('reads a list as the real service gives it, without addresses', async () => {
    await against(listing(invoice), async (url) => {
      assert.deepEqual(await at(url).lookUp('inv-1'), {
        state: 'paid',
        paid: rupiah(8_500_000),
        paidAt: '2022-08-07T18:58:35.534Z',
        transactionId: '62f00ac409accd62c85673c4',
        method: 'mandiri_va',
      });
    });
  });

  it('takes the whole amount for paid when nothing else is said, and what was taken when it is', async () => {
    await against(listing({ ...invoice, paid_amount: undefined }), async (url) => {
      assert.deepEqual((await at(url).lookUp('inv-1')).paid, rupiah(8_500_000));
    });
    await against(listing({ ...invoice, paid_amount: 8_499_999 }), async (url) => {
      assert.deepEqual((await at(url).lookUp('inv-1')).paid, rupiah(8_499_999));
    });
  });

  for (const [what, change] of Object.entries({
    'a fraction of a rupiah': { paid_amount: 8_500_000.5 },
    'more than a number can hold': { paid_amount: 1e16 },
    'another currency': { currency: 'PHP' },
    'an unknown status': { status: 'FROZEN' },
    'a time that is none': { paid_at: 'yesterday' },
  })) {
    it(`does not guess at ${what}`, async () => {
      await against(listing({ ...invoice, ...change }), async (url) => {
        assert.deepEqual(kindAndCode(await failure(at(url).lookUp('inv-1'))), {
          kind: 'retry_later',
          code: 'unreadable_answer',
        });
      });
    });
  }

  it('believes only the invoices that bear the reference', async () => {
    await against(listing({ ...invoice, external_id: 'inv-10' }), async (url) => {
      assert.deepEqual(await at(url).lookUp('inv-1'), NOTHING);
    });
  });
});
