import assert from 'node:assert/strict';
import { type BillplzOptions, createBillplzGateway } from '../../../activities/gateways/billplz.ts';
import type { CreatePaymentRequest } from '../../../activities/gateways/gateway.ts';
import { readBillplzNotification } from '../../../api/webhooks/billplz.ts';
import { money, rupiah } from '../../../domain/money.ts';
import {
  API_KEY,
  type BillplzWorld,
  billForm,
  COLLECTION,
  createTestBook,
  readBill,
  startBillplzWorld,
  X_SIGNATURE_KEY,
} from '../../local/gateways/billplz-support.ts';
import { against } from '../../local/gateways/support.ts';
import { failureWithout, kindAndCode } from './asking.ts';

const ringgit = (sen: number) => money(sen, 'MYR');

const request = (reference: string, more: Partial<CreatePaymentRequest> = {}): CreatePaymentRequest => {
  const now = new Date();
  return {
    reference,
    amount: ringgit(12_550),
    now: now.toISOString(),
    expiresAt: new Date(now.getTime() + 3_600_000).toISOString(),
    items: [
      { name: 'Licence fee', amount: ringgit(5025), quantity: 2 },
      { name: 'Service', amount: ringgit(2500), quantity: 1 },
    ],
    payer: { name: 'Siti Rahayu', email: 'siti@example.com' },
    locale: 'en',
    finishUrl: 'https://alur.example/paid/1?lang=en',
    ...more,
  };
};

const failure = failureWithout(API_KEY);

const NOTHING = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };
const LOST = { kind: 'unknown', code: 'answer_lost' };
const REFERENCE_USED = { kind: 'refused', code: 'reference_used' };

const billsIn = (world: BillplzWorld, reference: string) =>
  world.sandbox.list().filter((bill) => bill.reference === reference);

describe('paying through Billplz', () => {
  let world: BillplzWorld;
  beforeEach(async () => {
    world = await startBillplzWorld();
  });
  afterEach(() => world.close());

  it('opens a page that a payer can use, over the amount to the sen', async () => {
    const asked = request('inv-1');
    const { redirectUrl, expiresAt } = await world.gateway.create(asked);
    const page = await (await fetch(redirectUrl)).text();
    assert.match(page, /RM125,50/);
    assert.match(page, /Licence fee × 2, Service/);
    assert.match(page, /inv-1/);
    assert.equal(expiresAt, asked.expiresAt);
    assert.equal(billsIn(world, 'inv-1')[0]?.amount.amountMinor, 12_550);
  });

  it('never heard of an unknown reference', async () => {
    assert.deepEqual(await world.gateway.lookUp('inv-9'), NOTHING);
    assert.deepEqual(await world.gateway.expire('inv-9'), NOTHING);
  });

  it('finds the bill due, then paid to the sen', async () => {
    await world.gateway.create(request('inv-1'));
    const pending = await world.gateway.lookUp('inv-1');
    assert.deepEqual({ ...pending, transactionId: null }, { ...NOTHING, state: 'pending' });
    await world.play('inv-1/pay');
    const paid = await world.gateway.lookUp('inv-1');
    assert.deepEqual(paid, { ...pending, state: 'paid', paid: ringgit(12_550) });
  });

  it('leaves a bill open on which the payer failed', async () => {
    await world.gateway.create(request('inv-1'));
    await world.play('inv-1/fail');
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'pending');
    assert.equal((await world.play('inv-1/pay')).status, 200);
  });

  it('expires a due bill, and finds the one that was paid meanwhile', async () => {
    const { redirectUrl } = await world.gateway.create(request('inv-1'));
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
    assert.doesNotMatch(await (await fetch(redirectUrl)).text(), /<form/);
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
    await world.gateway.create(request('inv-2'));
    await world.play('inv-2/pay');
    assert.equal((await world.gateway.expire('inv-2')).state, 'paid');
  });

  it('finds a deleted bill paid when the payer was already at the bank', async () => {
    await world.gateway.create(request('inv-1'));
    await world.gateway.expire('inv-1');
    assert.equal((await world.play('inv-1/pay-late')).status, 200);
    const { state, paid } = await world.gateway.lookUp('inv-1');
    assert.deepEqual({ state, paid }, { state: 'paid', paid: ringgit(12_550) });
  });

  it('gives the same page again when the creation is repeated', async () => {
    const first = await world.gateway.create(request('inv-1'));
    assert.deepEqual((await world.gateway.create(request('inv-1'))).redirectUrl, first.redirectUrl);
    assert.equal(billsIn(world, 'inv-1').length, 1);
  });

  it('never gives a page over another amount, or one that has ended', async () => {
    await world.gateway.create(request('inv-1'));
    const other = { amount: ringgit(1), items: [{ name: 'x', amount: ringgit(1), quantity: 1 }] };
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-1', other)))), REFERENCE_USED);
    await world.play('inv-1/pay');
    assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-1')))), REFERENCE_USED);
    assert.equal(billsIn(world, 'inv-1').length, 1);
  });

  it('believes no bill of another reference or collection, and deletes none', async () => {
    const other = await readBill(await world.api('POST', '/bills', billForm({ reference_1: 'inv-2' })));
    await world.book.learn('inv-1', other.id);
    await world.play('inv-2/pay');
    assert.deepEqual(await world.gateway.lookUp('inv-1'), NOTHING);
    const third = await readBill(await world.api('POST', '/bills', billForm({ reference_1: 'inv-3' })));
    await world.book.learn('inv-1', third.id);
    assert.deepEqual(await world.gateway.expire('inv-1'), NOTHING);
    assert.equal((await readBill(await world.api('GET', `/bills/${third.id}`))).state, 'due');
    await world.book.learn('inv-3', third.id);
    assert.deepEqual(await world.gatewayWith({ collectionId: 'another' }).lookUp('inv-3'), NOTHING);
  });

  it('makes nothing of a bill that Billplz does not know', async () => {
    await world.book.learn('inv-1', 'nosuch00');
    assert.deepEqual(await world.gateway.lookUp('inv-1'), NOTHING);
  });

  it('refuses a wrong API key without repeating it', async () => {
    await world.gateway.create(request('inv-1'));
    const gateway = world.gatewayWith({ apiKey: 'wrong-key-here' });
    const calls = [
      () => gateway.create(request('inv-2')),
      () => gateway.lookUp('inv-1'),
      () => gateway.expire('inv-1'),
    ];
    for (const call of calls) {
      const error = await failure(call());
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'unauthorized' });
      assert.doesNotMatch(error.message, /wrong-key-here/);
    }
  });

  it('can ask again after a refusal: nothing was made', async () => {
    const error = await failure(world.gatewayWith({ collectionId: 'nosuch' }).create(request('inv-1')));
    assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    assert.match(error.message, /BILLPLZ_COLLECTION_ID/);
    const badAddress = request('inv-1', { payer: { name: 'Siti', email: 'siti at home' } });
    const refused = await failure(world.gateway.create(badAddress));
    assert.match(refused.message, /email/);
    assert.doesNotMatch(refused.message, /siti/i);
    assert.ok((await world.gateway.create(request('inv-1'))).redirectUrl);
  });

  const impossible: [string, Partial<CreatePaymentRequest>][] = [
    ['items that do not add up', { amount: ringgit(12_551) }],
    ['another currency', { amount: rupiah(12_550) }],
    ['items in another currency', { items: [{ name: 'x', amount: rupiah(12_550), quantity: 1 }] }],
    ['nothing to pay', { amount: ringgit(0), items: [] }],
    ['a broken quantity', { items: [{ name: 'x', amount: ringgit(25_100), quantity: 0.5 }] }],
    ['a reference that is too long', { reference: 'x'.repeat(51) }],
    ['a reference with a slash', { reference: 'a/b' }],
    ['a method, which it cannot impose', { method: 'fpx' }],
    ['an expiry that is over', { expiresAt: new Date(Date.now() - 1000).toISOString() }],
    ['more than thirty days', { expiresAt: new Date(Date.now() + 31 * 86_400_000).toISOString() }],
    ['an expiry that is no time', { expiresAt: 'tomorrow' }],
  ];
  for (const [what, change] of impossible) {
    it(`does not even ask for ${what}`, async () => {
      await world.fault({ operation: 'create', kind: '5xx_before', times: 1 });
      const error = await failure(world.gateway.create(request('inv-1', change)));
      assert.deepEqual(kindAndCode(error), { kind: 'refused', code: 'invalid_request' });
    });
  }

  it('cuts descriptions and names to what Billplz takes', async () => {
    const items = [{ name: 'n'.repeat(300), amount: ringgit(12_550), quantity: 1 }];
    const payer = { name: 'p'.repeat(300), email: 'siti@example.com' };
    assert.ok((await world.gateway.create(request('inv-1', { items, payer }))).redirectUrl);
  });
});

describe('Billplz when it does not answer', () => {
  let world: BillplzWorld;
  beforeEach(async () => {
    world = await startBillplzWorld();
  });
  afterEach(() => world.close());

  for (const kind of ['timeout_after', '5xx_after'] as const) {
    it(`never makes a second bill after a ${kind}, and says that it cannot tell`, async () => {
      await world.fault({ operation: 'create', kind, times: 1 });
      assert.equal((await failure(world.gatewayWith({ timeoutMs: 300 }).create(request('inv-1')))).kind, 'unknown');
      assert.deepEqual(await world.gateway.lookUp('inv-1'), NOTHING);
      for (const _ of [1, 2]) {
        const error = await failure(world.gateway.create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), LOST);
        assert.match(error.message, /dashboard/);
      }
      assert.equal(billsIn(world, 'inv-1').length, 1);
    });
  }

  for (const kind of ['timeout_before', '5xx_before'] as const) {
    it(`does not ask again after a ${kind} either: nobody can tell whether a bill exists`, async () => {
      await world.fault({ operation: 'create', kind, times: 1 });
      assert.equal((await failure(world.gatewayWith({ timeoutMs: 300 }).create(request('inv-1')))).kind, 'unknown');
      assert.deepEqual(kindAndCode(await failure(world.gateway.create(request('inv-1')))), LOST);
      assert.deepEqual(world.sandbox.list(), []);
    });
  }

  it('learns a lost bill from the callback, whose address says whose it is', async () => {
    await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
    await failure(world.gateway.create(request('inv-1')));
    await world.play('inv-1/pay');
    const [told] = world.merchant.received;
    assert.ok(told);
    const reading = readBillplzNotification(told.body, told.address, X_SIGNATURE_KEY);
    assert.ok(reading.ok);
    assert.equal(reading.notification.reference, 'inv-1');
    await world.book.learn(reading.notification.reference, reading.notification.objectId);
    const { state, paid, transactionId } = await world.gateway.lookUp('inv-1');
    const expected = { state: 'paid', paid: ringgit(12_550), transactionId: reading.notification.objectId };
    assert.deepEqual({ state, paid, transactionId }, expected);
  });

  it('gives the page of a lost bill once a person has found its ID', async () => {
    await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
    await failure(world.gateway.create(request('inv-1')));
    const [lost] = world.sandbox.list();
    assert.ok(lost);
    await world.book.learn('inv-1', lost.redirectUrl.split('/').at(-1) ?? '');
    assert.equal((await world.gateway.create(request('inv-1'))).redirectUrl, lost.redirectUrl);
  });

  it('makes one bill of two requests at once', async () => {
    const both = await Promise.allSettled([1, 2].map(() => world.gateway.create(request('inv-1'))));
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal(billsIn(world, 'inv-1').length, 1);
  });

  it('notes that it asks before it asks', async () => {
    const gateway = world.gatewayWith({
      book: {
        ...createTestBook(),
        begin: async () => {
          throw new Error('the database is away');
        },
      },
    });
    await assert.rejects(gateway.create(request('inv-1')), /database is away/);
    assert.deepEqual(world.sandbox.list(), []);
  });

  it('asks again after a 429, as late as it was told: nothing was made', async () => {
    await world.fault({ operation: 'create', kind: '429', times: 1 });
    const error = await failure(world.gateway.create(request('inv-1')));
    assert.deepEqual({ ...kindAndCode(error), after: error.retryAfterSeconds }, { ...RATE_LIMITED, after: 2 });
    assert.ok((await world.gateway.create(request('inv-1'))).redirectUrl);
  });

  it('looks up again later, whatever went wrong: reading changes nothing', async () => {
    await world.gateway.create(request('inv-1'));
    for (const kind of ['timeout_before', 'timeout_after', '5xx_before', '5xx_after', '429'] as const) {
      await world.fault({ operation: 'status', kind, times: 1 });
      const gateway = world.gatewayWith({ timeoutMs: 300 });
      assert.equal((await failure(gateway.lookUp('inv-1'))).kind, 'retry_later', kind);
    }
  });

  it('calls a lost answer to an expiry unknown, and the repeat clears it up', async () => {
    await world.gateway.create(request('inv-1'));
    await world.fault({ operation: 'expire', kind: '5xx_after', times: 1 });
    assert.deepEqual(kindAndCode(await failure(world.gateway.expire('inv-1'))), {
      kind: 'unknown',
      code: 'gateway_failed',
    });
    assert.equal((await world.gateway.expire('inv-1')).state, 'expired');
  });
});

const RATE_LIMITED = { kind: 'retry_later', code: 'rate_limited' };

describe('Billplz when it counts questions', () => {
  it('waits until its window ends', async () => {
    let time = Date.now();
    const world = await startBillplzWorld({ readsAWindow: 1, clock: () => new Date(time) });
    try {
      await world.gateway.create(request('inv-1'));
      await world.gateway.lookUp('inv-1');
      time += 60_000;
      const error = await failure(world.gateway.lookUp('inv-1'));
      assert.deepEqual({ ...kindAndCode(error), after: error.retryAfterSeconds }, { ...RATE_LIMITED, after: 240 });
      time += 240_000;
      assert.equal((await world.gateway.lookUp('inv-1')).state, 'pending');
    } finally {
      await world.close();
    }
  });
});

describe('Billplz at other servers', () => {
  const at = (url: string, more: Partial<BillplzOptions> = {}) => {
    const book = createTestBook();
    const callbackUrl = 'https://alur.example/webhooks/billplz';
    const options = {
      apiKey: API_KEY,
      apiUrl: url,
      collectionId: COLLECTION,
      callbackUrl,
      book,
      timeoutMs: 2000,
      ...more,
    };
    return { book, gateway: createBillplzGateway(options) };
  };
  const bill = (more: object) =>
    JSON.stringify({
      id: '8X0Iyzaw',
      collection_id: COLLECTION,
      paid: false,
      state: 'due',
      amount: 12_550,
      paid_amount: 0,
      url: 'https://www.billplz.com/bills/8X0Iyzaw',
      reference_1: 'inv-1',
      ...more,
    });

  it('sends what the documentation asks for, with our reference in the callback’s address', async () => {
    let sent = '';
    await against(
      (req, res) => {
        req.on('data', (chunk) => (sent += chunk)).on('end', () => res.end(bill({})));
      },
      async (url) => {
        const asked = request('inv-1', { now: '2025-12-31T15:00:00.000Z', expiresAt: '2025-12-31T16:00:00.000Z' });
        const { redirectUrl } = await at(url, {
          callbackUrl: 'https://alur.example/webhooks/billplz?x=1',
        }).gateway.create(asked);
        assert.equal(redirectUrl, 'https://www.billplz.com/bills/8X0Iyzaw');
      },
    );
    assert.deepEqual(JSON.parse(sent), {
      collection_id: COLLECTION,
      email: 'siti@example.com',
      name: 'Siti Rahayu',
      amount: 12_550,
      callback_url: 'https://alur.example/webhooks/billplz?x=1&reference=inv-1',
      redirect_url: 'https://alur.example/paid/1?lang=en',
      description: 'Licence fee × 2, Service',
      due_at: '2026-01-01',
      deliver: false,
      reference_1_label: 'Alur reference',
      reference_1: 'inv-1',
    });
  });

  it('can try later when nobody listens', async () => {
    let dead = '';
    await against(
      () => undefined,
      async (url) => {
        dead = url;
      },
    );
    const { gateway, book } = at(dead);
    assert.deepEqual(kindAndCode(await failure(gateway.create(request('inv-1')))), UNREACHABLE);
    assert.deepEqual([...book.begun], []);
    await book.learn('inv-1', '8X0Iyzaw');
    assert.deepEqual(kindAndCode(await failure(gateway.lookUp('inv-1'))), UNREACHABLE);
    assert.deepEqual(kindAndCode(await failure(gateway.expire('inv-1'))), UNREACHABLE);
  });

  it('calls a dropped connection unknown, and does not ask again', async () => {
    let asked = 0;
    await against(
      (req) => {
        asked += 1;
        req.socket.destroy();
      },
      async (url) => {
        const { gateway } = at(url);
        const error = await failure(gateway.create(request('inv-1')));
        assert.deepEqual(kindAndCode(error), { kind: 'unknown', code: 'connection_lost' });
        assert.deepEqual(kindAndCode(await failure(gateway.create(request('inv-1')))), LOST);
        assert.equal(asked, 1);
      },
    );
  });

  for (const [status, body] of [
    [200, '<html>secret page</html>'],
    [200, '{"id":"8X0Iyzaw"}'],
    [200, bill({ url: 'javascript:alert(1)' })],
    [200, bill({ amount: 12_551 })],
    [200, bill({ reference_1: 'inv-2' })],
    [200, bill({ collection_id: 'another' })],
    [200, 'null'],
    [408, '{}'],
    [503, '{}'],
  ] as const) {
    it(`calls ${status} ${body.slice(0, 30)}… to a creation unknown`, async () => {
      await against(
        (_req, res) => res.writeHead(status).end(body),
        async (url) => {
          const { gateway, book } = at(url);
          const error = await failure(gateway.create(request('inv-1')));
          assert.equal(error.kind, 'unknown');
          assert.doesNotMatch(String(error.stack) + String(error.cause), /secret page/);
          assert.deepEqual([...book.begun], ['inv-1']);
        },
      );
    });
  }

  for (const body of [bill({ state: 'floating' }), bill({ paid: true }), bill({ paid_amount: 1.5 })]) {
    it(`asks again later about ${body.slice(40, 110)}`, async () => {
      await against(
        (_req, res) => res.end(body),
        async (url) => {
          const { gateway, book } = at(url);
          await book.learn('inv-1', '8X0Iyzaw');
          const error = await failure(gateway.lookUp('inv-1'));
          assert.deepEqual(kindAndCode(error), { kind: 'retry_later', code: 'unreadable_answer' });
        },
      );
    });
  }

  it('finds the bill paid that could not be deleted any more', async () => {
    const asked: string[] = [];
    await against(
      (req, res) => {
        asked.push(req.method ?? '');
        const due = asked.length === 1;
        const said = due ? bill({}) : bill({ state: 'paid', paid: true, paid_amount: 12_550 });
        if (req.method === 'DELETE') res.writeHead(422).end('{"error":{"type":"RecordInvalid","message":"Paid"}}');
        else res.end(said);
      },
      async (url) => {
        const { gateway, book } = at(url);
        await book.learn('inv-1', '8X0Iyzaw');
        assert.equal((await gateway.expire('inv-1')).state, 'paid');
      },
    );
    assert.deepEqual(asked, ['GET', 'DELETE', 'GET']);
  });

  it('does not follow a redirect with the API key', async () => {
    let asked = 0;
    await against(
      (_req, res) => {
        asked += 1;
        res.writeHead(307, { location: '/elsewhere' }).end('{}');
      },
      async (url) => {
        await failure(at(url).gateway.create(request('inv-1')));
        assert.equal(asked, 1);
      },
    );
  });
});

const UNREACHABLE = { kind: 'retry_later', code: 'unreachable' };
