import assert from 'node:assert/strict';
import { z } from 'zod';
import { basic, postJson, until } from './support.ts';
import { invoiceRequest, startXenditWorld, type XenditWorld } from './xendit-support.ts';

const invoice = z.looseObject({ id: z.string(), status: z.string(), amount: z.number(), invoice_url: z.string() });
const readInvoice = async (response: Response) => invoice.parse(await response.json());
const refund = z.looseObject({ id: z.string(), status: z.string(), amount: z.number() });
const refusal = z.object({
  error_code: z.string(),
  message: z.string(),
  errors: z.array(z.looseObject({})).optional(),
});
const codeOf = async (response: Response) => `${response.status} ${refusal.parse(await response.json()).error_code}`;

describe('the Xendit sandbox', () => {
  let world: XenditWorld;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startXenditWorld({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  const create = (externalId: string, more: object = {}) =>
    world.post('/v2/invoices/', invoiceRequest(externalId, more));
  const open = async (externalId: string, more: object = {}) => readInvoice(await create(externalId, more));
  const paid = async (externalId: string, channel: string) => {
    const { id } = await open(externalId);
    await world.play(`${externalId}/pay?channel=${channel}&webhook=none`);
    return id;
  };

  describe('invoices', () => {
    const refused: [string, object, string][] = [
      ['no external_id', { external_id: '' }, 'external_id'],
      ['a long external_id', { external_id: 'x'.repeat(256) }, 'external_id'],
      ['an amount in words', { amount: '10000' }, 'amount'],
      ['less than a rupiah', { amount: 0.9 }, 'amount'],
      ['a currency that is not enabled', { currency: 'USD' }, 'currency'],
      ['a duration of nothing', { invoice_duration: 0 }, 'invoice_duration'],
      ['more than a year', { invoice_duration: 31_536_001 }, 'invoice_duration'],
      ['an address that runs a script', { success_redirect_url: 'javascript:alert(1)' }, 'success_redirect_url'],
      ['an e-mail address that is none', { payer_email: 'siti' }, 'payer_email'],
    ];
    for (const [what, more, field] of refused) {
      it(`refuses ${what}`, async () => {
        const answer = await create('inv-1', more);
        assert.equal(answer.status, 400);
        const { error_code, errors } = refusal.parse(await answer.json());
        assert.deepEqual([error_code, errors?.map(({ path }) => path)], ['API_VALIDATION_ERROR', [field]]);
      });
    }

    it('refuses methods that it does not have, a wrong key and broken JSON', async () => {
      assert.equal(
        await codeOf(await create('a', { payment_methods: ['PIGEON'] })),
        '400 UNAVAILABLE_PAYMENT_METHOD_ERROR',
      );
      const url = `${world.base}/v2/invoices`;
      assert.equal(await codeOf(await postJson(url, invoiceRequest('a'))), '401 INVALID_API_KEY');
      assert.equal(
        await codeOf(await fetch(url, { headers: { authorization: basic('other') } })),
        '401 INVALID_API_KEY',
      );
      const broken = await fetch(url, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
      assert.equal(await codeOf(broken), '400 INVALID_JSON_FORMAT');
      assert.deepEqual(await world.list(), []);
    });

    it('cuts off fractions of a rupiah, and does not add up the items', async () => {
      const items = [{ name: 'Izin', price: 1, quantity: 1 }];
      assert.equal((await open('inv-1', { amount: 4550.5, items })).amount, 4550);
    });

    it('takes a used external_id again, and lists both, the newest first', async () => {
      const first = await open('inv-1');
      time += 1;
      const second = await open('inv-1');
      await open('inv-2');
      const found = z.array(invoice).parse(await (await world.get('/v2/invoices?external_id=inv-1')).json());
      assert.deepEqual(
        found.map(({ id }) => id),
        [second.id, first.id],
      );
      assert.deepEqual(await (await world.get('/v2/invoices?external_id=inv')).json(), []);
    });

    it('gives an invoice by its own ID only', async () => {
      const { id } = await open('inv-1');
      assert.equal((await readInvoice(await world.get(`/v2/invoices/${id}`))).id, id);
      assert.equal(await codeOf(await world.get('/v2/invoices/inv-1')), '404 INVOICE_NOT_FOUND_ERROR');
      assert.equal(await codeOf(await world.post('/invoices/inv-1/expire!', {})), '404 INVOICE_NOT_FOUND_ERROR');
    });

    it('expires by the clock, telling the merchant once', async () => {
      const { id } = await open('inv-1', { invoice_duration: 60 });
      time += 60_000;
      for (let asked = 0; asked < 3; asked += 1) {
        assert.equal((await readInvoice(await world.get(`/v2/invoices/${id}`))).status, 'EXPIRED');
      }
      await until('the expiry was told', () => world.merchant.received.length > 0);
      await world.play('inv-1/pay-late');
      assert.deepEqual(world.merchant.statuses(), ['EXPIRED', 'PAID']);
    });

    it('expires when asked, and only what is open', async () => {
      const { id } = await open('inv-1');
      assert.equal((await readInvoice(await world.post(`/invoices/${id}/expire!`, {}))).status, 'EXPIRED');
      assert.equal(await codeOf(await world.post(`/invoices/${id}/expire!`, {})), '400 INVALID_INVOICE_STATUS_ERROR');
      const other = await paid('inv-2', 'qris');
      assert.equal(
        await codeOf(await world.post(`/invoices/${other}/expire!`, {})),
        '400 INVALID_INVOICE_STATUS_ERROR',
      );
    });
  });

  describe('events', () => {
    const refusedEvents = async (reference: string, events: readonly string[]) => {
      for (const event of events) assert.equal((await world.play(`${reference}/${event}`)).status, 409, event);
    };

    it('refuses what Xendit never does', async () => {
      await open('inv-1');
      await refusedEvents('inv-1', ['fail', 'reverse', 'challenge', 'settle', 'refund', 'pay?channel=gopay']);
      await world.play('inv-1/expire');
      await refusedEvents('inv-1', ['pay', 'expire', 'refund']);
      await world.play('inv-1/pay-late');
      await refusedEvents('inv-1', ['pay', 'pay-late', 'expire', 'reverse']);
      await world.play('inv-1/settle');
      await refusedEvents('inv-1', ['settle', 'pay']);
    });

    it('points to pay-late when an expired invoice is to be paid', async () => {
      await open('inv-1');
      await world.play('inv-1/expire');
      assert.match(await (await world.play('inv-1/pay')).text(), /pay-late/);
    });
  });

  describe('refunds', () => {
    const ask = (invoiceId: string, key: string, amount: number) =>
      world.post(
        '/refunds',
        { invoice_id: invoiceId, reference_id: `ref-${key}`, amount, currency: 'IDR', reason: 'REQUESTED_BY_CUSTOMER' },
        { 'idempotency-key': key },
      );
    const begun = async (invoiceId: string, key: string, amount: number) =>
      refund.parse(await (await ask(invoiceId, key, amount)).json());
    const statusOf = async (id: string) => refund.parse(await (await world.get(`/refunds/${id}`)).json()).status;
    /** Of a wallet, whose refund ends by itself. */
    const ended = async (id: string) => {
      await until('the refund ended', async () => (await statusOf(id)) !== 'PENDING');
      return statusOf(id);
    };

    it('gives a card back in parts and never more than was paid', async () => {
      const id = await paid('inv-1', 'credit_card');
      const part = await begun(id, 'k1', 4000);
      assert.equal(part.status, 'PENDING');
      assert.equal(await codeOf(await ask(id, 'k2', 1)), '400 REFUND_IN_PROGRESS');
      await world.play('inv-1/refund-settle');
      assert.equal(await statusOf(part.id), 'SUCCEEDED');
      assert.equal(await codeOf(await ask(id, 'k2', 6001)), '400 REFUND_AMOUNT_EXCEEDED');
      const rest = await begun(id, 'k3', 6000);
      await world.play('inv-1/refund-settle');
      assert.equal(await statusOf(rest.id), 'SUCCEEDED');
      assert.equal(await codeOf(await ask(id, 'k4', 1)), '400 REFUND_AMOUNT_EXCEEDED');
    });

    it('gives the first answer to a repeated key, and refuses it for another refund', async () => {
      const id = await paid('inv-1', 'credit_card');
      const first = await begun(id, 'k1', 4000);
      assert.equal((await begun(id, 'k1', 4000)).id, first.id);
      assert.equal(await codeOf(await ask(id, 'k1', 4001)), '409 DUPLICATE_ERROR');
    });

    it('gives OVO back whole or not at all, a virtual account and QRIS never', async () => {
      const ovo = await paid('inv-1', 'ovo');
      assert.equal(await codeOf(await ask(ovo, 'k1', 9999)), '403 PARTIAL_REFUND_NOT_SUPPORTED');
      assert.equal(await ended((await begun(ovo, 'k2', 10_000)).id), 'SUCCEEDED');
      for (const channel of ['bca_va', 'qris']) {
        assert.equal(await codeOf(await ask(await paid(channel, channel), channel, 1)), '403 REFUND_NOT_SUPPORTED');
      }
      assert.equal(await codeOf(await ask((await open('inv-9')).id, 'k9', 1)), '400 INELIGIBLE_TRANSACTION');
      assert.equal(await codeOf(await ask('nothing', 'k0', 1)), '404 DATA_NOT_FOUND');
    });

    it('lets a refund fail later on request, after which the money can go back again', async () => {
      const id = await paid('inv-1', 'credit_card');
      assert.equal((await world.play('inv-1/fail')).status, 200);
      assert.equal(await ended((await begun(id, 'k1', 10_000)).id), 'FAILED');
      const second = await begun(id, 'k2', 10_000);
      await world.play('inv-1/refund-settle');
      assert.equal(await statusOf(second.id), 'SUCCEEDED');
    });

    it('lets a refund fail that had succeeded, and counts only what went back', async () => {
      const id = await paid('inv-1', 'credit_card');
      const { id: refundId } = await begun(id, 'k1', 4000);
      const money = async () => (await world.list()).map((one) => [one['capturedMinor'], one['refundedMinor']]);
      assert.deepEqual(await money(), [[10_000, 0]]);
      await world.play('inv-1/refund-settle');
      assert.deepEqual(await money(), [[10_000, 4000]]);
      await world.play('inv-1/refund-fail');
      assert.equal(await statusOf(refundId), 'FAILED');
      assert.deepEqual(await money(), [[10_000, 0]]);
      for (const event of ['refund-fail', 'refund-settle']) {
        assert.equal((await world.play(`inv-1/${event}`)).status, 409);
      }
    });

    it('refuses a reason that it does not know', async () => {
      const answer = await world.post('/refunds', { invoice_id: 'x', reference_id: 'y', amount: 1, reason: 'WHIM' });
      assert.equal(await codeOf(answer), '400 API_VALIDATION_ERROR');
    });
  });

  describe('lists', () => {
    const page = z.object({
      has_more: z.boolean(),
      data: z.array(z.looseObject({ id: z.string(), reference_id: z.string() })),
      links: z.array(z.object({ href: z.string(), rel: z.literal('next'), method: z.literal('GET') })),
    });
    const read = async (path: string) => page.parse(await (await world.get(path)).json());
    const references = ({ data }: z.infer<typeof page>) => data.map(({ reference_id }) => reference_id);

    it('go through paid invoices, newest first, page by page, whatever comes in meanwhile', async () => {
      for (const name of ['a', 'b', 'c']) {
        await paid(name, 'qris');
        time += 1000;
      }
      await open('never-paid');
      const first = await read('/transactions?types=PAYMENT&limit=2');
      assert.deepEqual([references(first), first.has_more], [['c', 'b'], true]);
      await paid('d', 'qris');
      const next = first.links[0] ?? assert.fail('there is no link to the next page');
      assert.ok(next.href.includes(`after_id=${first.data.at(-1)?.id}`));
      const second = await read(next.href.slice(next.href.indexOf('/transactions')));
      assert.deepEqual([references(second), second.has_more, second.links], [['a'], false, []]);
    });

    it('take a stretch of time with both its ends, a reference, types and states', async () => {
      const start = time;
      for (const name of ['a', 'b', 'c']) {
        await paid(name, 'ovo');
        time += 1000;
      }
      const at = (ms: number) => new Date(start + ms).toISOString();
      assert.deepEqual(references(await read(`/transactions?created[gte]=${at(1000)}&created[lte]=${at(2000)}`)), [
        'c',
        'b',
      ]);
      assert.deepEqual(references(await read(`/transactions?created[lte]=${at(999)}`)), ['a']);
      assert.deepEqual(references(await read('/transactions?reference_id=b&statuses=SUCCESS&statuses=REVERSED')), [
        'b',
      ]);
      assert.deepEqual(references(await read('/transactions?types=DISBURSEMENT')), []);
      assert.deepEqual(references(await read('/transactions?statuses=PENDING')), []);
    });

    it('refuse more than 50 a page, and strangers', async () => {
      assert.equal(await codeOf(await world.get('/transactions?limit=51')), '400 API_VALIDATION_ERROR');
      assert.equal(await codeOf(await world.get('/transactions?created[gte]=yesterday')), '400 API_VALIDATION_ERROR');
      assert.equal(await codeOf(await fetch(`${world.base}/transactions`)), '401 INVALID_API_KEY');
    });

    it('have the refunds of an invoice, and of all', async () => {
      const ids = [await paid('a', 'credit_card'), await paid('b', 'credit_card')];
      for (const [index, invoice_id] of ids.entries()) {
        time += 1000;
        const body = { invoice_id, reference_id: `r${index}`, amount: 1, reason: 'OTHERS' };
        await world.post('/refunds', body);
      }
      assert.deepEqual(references(await read('/refunds')), ['r1', 'r0']);
      const first = await read('/refunds?limit=1');
      assert.equal(first.has_more, true);
      assert.deepEqual(references(await read(`/refunds?after_id=${first.data[0]?.id}`)), ['r0']);
      assert.deepEqual(references(await read(`/refunds?invoice_id=${ids[0]}`)), ['r0']);
      assert.deepEqual(references(await read('/refunds?invoice_id=nothing')), []);
    });
  });

  it('takes many payments at once, for measuring', async () => {
    const payment = { reference: 'many-1', amountMinor: 500, paidAt: '2026-01-02T03:04:05Z', refundedMinor: 200 };
    const preload = (payments: object[]) => postJson(`${world.base}/_sandbox/preload`, { payments });
    assert.equal((await preload([payment, { ...payment, reference: 'many-2' }])).status, 201);
    assert.equal((await preload([{ ...payment, amountMinor: -1 }])).status, 422);
    const money = (await world.list()).map((one) => [one.reference, one['capturedMinor'], one['refundedMinor']]);
    assert.deepEqual(money, [
      ['many-1', 500, 200],
      ['many-2', 500, 200],
    ]);
    assert.equal((await world.gateway.lookUp('many-1')).paidAt, '2026-01-02T03:04:05.000Z');
  });
});
