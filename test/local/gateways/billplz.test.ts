import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readBillplzNotification, readBillplzRedirect } from '../../../api/webhooks/billplz.ts';
import { xSignature } from '../../../local/gateways/billplz/wire.ts';
import { type BillplzWorld, billForm, readBill, startBillplzWorld, X_SIGNATURE_KEY } from './billplz-support.ts';
import { until } from './support.ts';

const refusal = z.strictObject({ error: z.strictObject({ type: z.string(), message: z.array(z.string()) }) });

const genuine = ({ body, address }: { body: Buffer; address: string }) => {
  const reading = readBillplzNotification(body, address, X_SIGNATURE_KEY);
  assert.ok(reading.ok);
  return reading.notification;
};

describe("the Billplz sandbox's signature", () => {
  it("is the documentation's, of its three examples", () => {
    const request = {
      collection_id: 'inbmmepb',
      description: 'testing',
      email: 'api@billplz.com',
      name: 'Michael',
      amount: '200',
      callback_url: 'https://example.com/webhook',
    };
    const general = 'ef5e54a22af0925cba88fab467119742e90262e3646eea1dee3949938daf3a38';
    assert.equal(xSignature(request, 'abc123cde456'), general);
    const redirect = { billplzid: 'zq0tm2wc', billplzpaid: 'true', billplzpaid_at: '2018-09-27 15:15:09 +0800' };
    const redirected = '4aab095fe5a39b1d534500988f9a0cb085cd1b6d5bbb55dd4e02ea6fa102b47b';
    assert.equal(xSignature(redirect, X_SIGNATURE_KEY), redirected);
    const callback = {
      id: 'zq0tm2wc',
      collection_id: 'yhx5t1pp',
      paid: 'true',
      state: 'paid',
      amount: '100',
      paid_amount: '100',
      due_at: '2018-9-27',
      email: 'tester@test.com',
      mobile: '',
      name: 'TESTER',
      url: 'http://www.billplz-sandbox.com/bills/zq0tm2wc',
      paid_at: '2018-09-27 15:15:09 +0800',
    };
    const called = '0fe0a20b8d557eeae570377783d062a3816a9ea80f368860bacfa7ec3ca4d00e';
    assert.equal(xSignature(callback, X_SIGNATURE_KEY), called);
  });
});

describe('the Billplz sandbox as an API', () => {
  let world: BillplzWorld;
  beforeEach(async () => {
    world = await startBillplzWorld();
  });
  afterEach(() => world.close());

  const open = async (more: Record<string, string> = {}) => readBill(await world.api('POST', '/bills', billForm(more)));
  const refused = async (answer: Response) => {
    const { type, message } = refusal.parse(await answer.json()).error;
    return { status: answer.status, type, message };
  };

  it('answers a new bill as documented', async () => {
    const made = await open({ due_at: '2020-12-31', reference_1_label: 'First Name', reference_1: 'Sara' });
    assert.match(made.id, /^[a-z0-9]{8}$/);
    assert.deepEqual(made, {
      id: made.id,
      collection_id: 'inbmmepb',
      paid: false,
      state: 'due',
      amount: 200,
      paid_amount: 0,
      due_at: '2020-12-31',
      email: 'api@billplz.com',
      mobile: null,
      name: 'SARA',
      url: `${world.base}/bills/${made.id}`,
      reference_1_label: 'First Name',
      reference_1: 'Sara',
      reference_2_label: 'Reference 2',
      reference_2: null,
      redirect_url: null,
      callback_url: 'http://127.0.0.1:1/webhooks/billplz',
      description: 'Maecenas eu placerat ante.',
    });
    assert.deepEqual(await readBill(await world.api('GET', `/bills/${made.id}`)), made);
  });

  it('makes two bills of two requests with one reference: it is not idempotent', async () => {
    const [first, second] = [await open({ reference_1: 'inv-1' }), await open({ reference_1: 'inv-1' })];
    assert.notEqual(first.id, second.id);
    assert.equal(world.sandbox.list().length, 2);
  });

  it('has no list of bills', async () => {
    await open();
    assert.equal((await world.api('GET', '/bills')).status, 404);
    assert.equal((await world.api('GET', '/collections/inbmmepb/bills')).status, 404);
  });

  const invalid: [string, Record<string, string>, RegExp][] = [
    ['no amount', { amount: '' }, /^Amount/],
    ['an amount of nothing', { amount: '0' }, /^Amount/],
    ['an amount with decimals', { amount: '2.00' }, /^Amount/],
    ['a negative amount', { amount: '-200' }, /^Amount/],
    ['a description that is too long', { description: 'x'.repeat(201) }, /^Description/],
    ['no description', { description: '' }, /^Description/],
    ['a name that is too long', { name: 'x'.repeat(256) }, /^Name/],
    ['a callback that is no address', { callback_url: 'here' }, /^Callback url/],
    ['an address that is none', { email: 'sara' }, /^Email/],
    ['a reference that is too long', { reference_1: 'x'.repeat(121) }, /^Reference 1/],
    ['a label that is too long', { reference_1_label: 'x'.repeat(21) }, /^Reference 1 label/],
  ];
  for (const [what, change, message] of invalid) {
    it(`refuses ${what}`, async () => {
      const said = await refused(await world.api('POST', '/bills', billForm(change)));
      assert.equal(said.status, 422);
      assert.match(said.message.join(), message);
      assert.deepEqual(world.sandbox.list(), []);
    });
  }

  it('refuses a bill for nobody, an unknown collection, an unknown bill and a wrong key', async () => {
    const { email: _, ...nobody } = billForm();
    assert.equal((await refused(await world.api('POST', '/bills', nobody))).status, 422);
    assert.equal((await refused(await world.api('POST', '/bills', billForm({ collection_id: 'x' })))).status, 404);
    assert.equal((await refused(await world.api('GET', '/bills/nosuch00'))).status, 404);
    assert.deepEqual(await refused(await world.api('POST', '/bills', billForm(), 'wrong')), {
      status: 401,
      type: 'Unauthorized',
      message: ['Access denied'],
    });
  });

  it('deletes a due bill, and refuses that of a paid or deleted one', async () => {
    const { id } = await open();
    const gone = await world.api('DELETE', `/bills/${id}`);
    assert.deepEqual([gone.status, await gone.json()], [200, {}]);
    assert.equal((await readBill(await world.api('GET', `/bills/${id}`))).state, 'deleted');
    assert.equal((await refused(await world.api('DELETE', `/bills/${id}`))).status, 422);
    const paid = await open();
    await world.play(`${paid.id}/pay?webhook=none`);
    assert.equal((await refused(await world.api('DELETE', `/bills/${paid.id}`))).status, 422);
    assert.equal((await readBill(await world.api('GET', `/bills/${paid.id}`))).state, 'paid');
  });

  it('lists the tries on a bill', async () => {
    const { id } = await open();
    await world.play(`${id}/fail?webhook=none`);
    await world.play(`${id}/pay?webhook=none&channel=touchngo`);
    const list = z.object({ transactions: z.array(z.object({ status: z.string(), payment_channel: z.string() })) });
    const all = list.parse(await (await world.api('GET', `/bills/${id}/transactions`)).json());
    assert.deepEqual(all.transactions, [
      { status: 'failed', payment_channel: 'FPX' },
      { status: 'completed', payment_channel: 'TOUCHNGO' },
    ]);
    const one = list.parse(await (await world.api('GET', `/bills/${id}/transactions?status=completed`)).json());
    assert.equal(one.transactions.length, 1);
  });

  for (const [done, impossible] of [
    ['pay', ['pay', 'fail', 'expire', 'pay-late', 'refund', 'reverse', 'settle', 'challenge']],
    ['expire', ['pay', 'fail', 'expire', 'refund', 'reverse']],
    ['fail', ['refund', 'refund-settle', 'refund-fail', 'reverse', 'unreverse', 'settle', 'challenge']],
  ] as const) {
    it(`cannot, after ${done}, ${impossible.join(' or ')}`, async () => {
      const { id } = await open();
      await world.play(`${id}/${done}?webhook=none`);
      for (const event of impossible) assert.equal((await world.play(`${id}/${event}`)).status, 409, event);
    });
  }

  it('is not paid by a way that it does not have', async () => {
    const { id } = await open();
    assert.equal((await world.play(`${id}/pay?channel=bca_va`)).status, 409);
  });
});

describe('the Billplz sandbox over time', () => {
  it('lets a bill end after thirty days, without a word', async () => {
    let time = Date.now();
    const world = await startBillplzWorld({ clock: () => new Date(time) });
    try {
      const callback_url = `${world.merchant.url}/webhooks/billplz`;
      const { id } = await readBill(await world.api('POST', '/bills', billForm({ callback_url })));
      const paid = await readBill(await world.api('POST', '/bills', billForm({ callback_url })));
      await world.play(`${paid.id}/pay?webhook=none`);
      time += 30 * 86_400_000 - 1;
      assert.equal((await readBill(await world.api('GET', `/bills/${id}`))).state, 'due');
      time += 1;
      assert.equal((await readBill(await world.api('GET', `/bills/${id}`))).state, 'deleted');
      assert.equal((await readBill(await world.api('GET', `/bills/${paid.id}`))).state, 'paid');
      assert.deepEqual(world.merchant.received, []);
    } finally {
      await world.close();
    }
  });

  it('counts GETs and nothing else', async () => {
    const world = await startBillplzWorld({ readsAWindow: 2 });
    try {
      const { id } = await readBill(await world.api('POST', '/bills', billForm()));
      const codes: (number | string | null)[] = [];
      for (const _ of [1, 2, 3]) {
        const answer = await world.api('GET', `/bills/${id}`);
        codes.push(answer.status, answer.headers.get('ratelimit-remaining'));
      }
      assert.deepEqual(codes, [200, '1', 200, '0', 429, '0']);
      const limited = await world.api('GET', `/bills/${id}/transactions`);
      assert.deepEqual(await limited.json(), { error: { type: 'RateLimit', message: ['Too many requests'] } });
      assert.equal((await world.api('POST', '/bills', billForm())).status, 200);
      assert.equal((await world.api('DELETE', `/bills/${id}`)).status, 200);
    } finally {
      await world.close();
    }
  });

  it('remembers its bills over a restart', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'billplz-'));
    try {
      const before = await startBillplzWorld({ stateDir });
      const { id } = await readBill(await before.api('POST', '/bills', billForm()));
      await before.play(`${id}/pay?webhook=none`);
      await before.close();
      const after = await startBillplzWorld({ stateDir });
      const again = await readBill(await after.api('GET', `/bills/${id}`));
      await after.close();
      assert.equal(again.state, 'paid');
    } finally {
      await rm(stateDir, { recursive: true });
    }
  });
});

describe('callbacks of the Billplz sandbox', () => {
  let world: BillplzWorld;
  let id = '';
  beforeEach(async () => {
    world = await startBillplzWorld();
    const callback_url = `${world.merchant.url}/webhooks/billplz?reference=inv-1`;
    const form = billForm({ callback_url, reference_1: 'inv-1' });
    id = (await readBill(await world.api('POST', '/bills', form))).id;
  });
  afterEach(() => world.close());

  it('are forms, signed, sent to the bill’s own address, and carry no reference', async () => {
    await world.play('inv-1/pay');
    const [told] = world.merchant.received;
    assert.ok(told);
    assert.equal(told.contentType, 'application/x-www-form-urlencoded');
    const { reference, objectId, status } = genuine(told);
    assert.deepEqual({ reference, objectId }, { reference: 'inv-1', objectId: id });
    assert.match(status, /^paid\/200\/[A-Z0-9]{12}:completed$/);
    assert.doesNotMatch(told.body.toString(), /inv-1|reference/);
  });

  it('tell of a failed try with a bill that is still due', async () => {
    await world.play('inv-1/fail');
    assert.match(genuine(world.merchant.received[0] ?? assert.fail()).status, /^due\/0\/[A-Z0-9]{12}:failed$/);
  });

  it('do not tell of a bill’s end, and tell when it is paid all the same', async () => {
    await world.play('inv-1/expire');
    assert.deepEqual(world.merchant.received, []);
    await world.play('inv-1/pay-late');
    assert.match(genuine(world.merchant.received[0] ?? assert.fail()).status, /^paid/);
  });

  it('come not at all, twice, or late, as asked', async () => {
    await world.play('inv-1/fail?webhook=none');
    assert.equal(world.merchant.received.length, 0);
    await world.play('inv-1/fail?webhook=late&delayMs=50');
    assert.equal(world.merchant.received.length, 0);
    await until('it came late', () => world.merchant.received.length === 1);
    await world.play('inv-1/pay?webhook=twice');
    const [, once, again] = world.merchant.received.map(genuine);
    assert.deepEqual(once, again);
    assert.ok(once);
  });

  it('come again until the answer is 200: 204 is not good enough', async () => {
    world.merchant.answers.push(503, 204, 302, 200);
    await world.play('inv-1/pay');
    await until('it was taken', () => world.merchant.received.length === 4);
    await until('it was noted', () => world.sandbox.list()[0]?.notifications.length === 4);
    const codes = world.sandbox.list()[0]?.notifications.map(({ status }) => status);
    assert.deepEqual(codes, [503, 204, 302, 200]);
  });
});

describe('callbacks that nobody takes', () => {
  it('are given up after the fifth', async () => {
    // No delay is worth mentioning, so a sixth would come before another bill has had its five.
    const world = await startBillplzWorld({ retryScale: 1e-9 });
    try {
      const deliveries = (nth: number) => world.sandbox.list()[nth]?.notifications.length ?? 0;
      const form = billForm({ callback_url: `${world.merchant.url}/webhooks/billplz` });
      world.merchant.answers.push(...Array.from({ length: 20 }, () => 500));
      for (const nth of [0, 1]) {
        const { id } = await readBill(await world.api('POST', '/bills', form));
        await world.play(`${id}/pay`);
        await until(`the fifth of bill ${nth} came`, () => deliveries(nth) >= 5);
      }
      assert.equal(deliveries(0), 5);
    } finally {
      await world.close();
    }
  });
});

describe('the pay page of the Billplz sandbox', () => {
  let world: BillplzWorld;
  beforeEach(async () => {
    world = await startBillplzWorld();
  });
  afterEach(() => world.close());

  const open = async (more: Record<string, string> = {}) =>
    readBill(
      await world.api('POST', '/bills', billForm({ callback_url: `${world.merchant.url}/webhooks/billplz`, ...more })),
    );
  const press = (url: string, button: string, form: Record<string, string> = {}) =>
    fetch(`${url}/${button}`, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });

  it('says what is paid, and escapes what the merchant sent', async () => {
    const { url } = await open({ description: '<script>Izin</script>' });
    const page = await (await fetch(url)).text();
    assert.match(page, /RM2,00/);
    assert.match(page, /&lt;script&gt;Izin/);
    assert.doesNotMatch(page, /<script>/);
    assert.match(page, /Online banking \(FPX\)/);
  });

  for (const [button, paid] of [
    ['pay', true],
    ['fail', false],
  ] as const) {
    it(`sends the payer back with a signed word after ${button}`, async () => {
      const { id, url } = await open({ redirect_url: 'https://alur.example/paid/1?lang=id' });
      const answer = await press(url, button, { channel: 'card' });
      assert.equal(answer.status, 303);
      const back = answer.headers.get('location') ?? '';
      assert.equal(new URL(back).searchParams.get('lang'), 'id');
      assert.deepEqual(readBillplzRedirect(back, X_SIGNATURE_KEY), { ok: true, billId: id, paid });
      assert.equal(world.merchant.received.length, 1);
    });
  }

  it('shows a receipt when there is no way back', async () => {
    const { url } = await open();
    const answer = await press(url, 'pay');
    assert.equal(answer.headers.get('location'), url);
    const page = await (await fetch(url)).text();
    assert.match(page, /Payment received/);
    assert.doesNotMatch(page, /<form/);
  });

  it('says why a button did nothing', async () => {
    const { url } = await open();
    assert.equal((await press(url, 'expire')).status, 303);
    const again = await press(url, 'pay');
    assert.equal(again.status, 409);
    assert.match(await again.text(), /role="alert">This bill is deleted/);
    assert.equal((await press(url, 'juggle')).status, 409);
  });

  it('says so when there is no such bill', async () => {
    const answer = await fetch(`${world.base}/bills/nothing`);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /There is no such bill/);
  });
});
