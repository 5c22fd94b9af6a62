import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { CompanyId } from '../../domain/ids.ts';
import { aBookedInvoice, aCapture, type Captured, TOTAL } from '../builders/books.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const problem = z.object({ code: z.string(), errors: z.array(z.object({ pointer: z.string(), code: z.string() })) });
const lines = z.object({
  items: z.array(z.looseObject({ position: z.int(), state: z.string(), invoiceNumber: z.string().nullable() })),
  nextCursor: z.string().nullable(),
});

describe('settlements of a gateway', () => {
  let database: TestDatabase;
  let api: TestApi;
  let finance: TestPerson;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    finance = await api.person('finance');
    companyId = await aCompany(database.db, await aUser(database.db, 'owner'));
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const paid = async (): Promise<Captured> => aCapture(database.db, await aBookedInvoice(database.db, companyId));
  const payout = () => ({
    gateway: 'midtrans',
    reference: `PAYOUT-${randomUUID()}`,
    currency: 'IDR',
    paidOutAt: '2026-03-05T10:00:00+07:00',
  });
  const post = (body: unknown) => api.call('/admin/settlements', { as: finance, body });
  const pointersOf = (body: unknown) => problem.parse(body).errors.map(({ pointer, code }) => `${pointer} ${code}`);
  const upload = async (csv: string | Uint8Array<ArrayBuffer>, fields: Record<string, string> = payout()) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob([csv], { type: 'text/csv' }), 'report.csv');
    const response = await fetch(`${api.url}/api/v1/admin/settlements/csv`, {
      method: 'POST',
      headers: { ...finance.headers, 'accept-language': 'en' },
      body: form,
    });
    return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) };
  };

  it('come in as JSON, once: a repeat is answered with the first, other content is refused', async () => {
    const payment = await paid();
    const line = { kind: 'payment', reference: payment.reference, grossMinor: Number(TOTAL), feeMinor: 4_400 };
    const body = { ...payout(), netMinor: Number(TOTAL) - 4_400, lines: [line] };
    const first = await post(body);
    assert.equal(first.status, 201, JSON.stringify(first.body));
    assert.equal(first.headers.get('location'), `/api/v1/admin/settlements/${String(first.body['id'])}`);
    const { id: _id, importedAt: _importedAt, ...said } = first.body;
    const rupiah = (amount: number, formatted: string) => ({ amountMinor: amount, currency: 'IDR', formatted });
    assert.deepEqual(said, {
      gateway: 'midtrans',
      reference: body.reference,
      gross: rupiah(361_000, 'Rp361.000'),
      fee: rupiah(4_400, 'Rp4.400'),
      net: rupiah(356_600, 'Rp356.600'),
      paidOutAt: '2026-03-05T03:00:00.000Z',
      source: 'api',
      importedBy: finance.id,
      lines: { matched: 1, differs: 0, unmatched: 0 },
    });
    const again = await post(body);
    assert.deepEqual([again.status, again.body['id']], [200, first.body['id']]);
    const other = await post({ ...body, netMinor: undefined, lines: [{ ...line, feeMinor: 1 }] });
    assert.deepEqual([other.status, other.body['code']], [409, 'settlement_known']);
  });

  it('come in as a CSV file, as spreadsheets write them; the same content as JSON is the same settlement', async () => {
    const payment = await paid();
    const fields = { ...payout(), netMinor: String(TOTAL - 4_400n - 2_500n) };
    const csv = `\uFEFFReference;Kind;Gross;Fee\r\n${payment.reference};payment;${TOTAL};4400\r\n"a; fee";adjustment;0;2500\r\n\r\n`;
    const { status, body } = await upload(csv, fields);
    assert.equal(status, 201, JSON.stringify(body));
    assert.deepEqual([body['source'], body['lines']], ['csv', { matched: 2, differs: 0, unmatched: 0 }]);
    const json = await post({
      ...fields,
      netMinor: Number(fields.netMinor),
      lines: [
        { kind: 'payment', reference: payment.reference, grossMinor: Number(TOTAL), feeMinor: 4_400 },
        { kind: 'adjustment', reference: 'a; fee', grossMinor: 0, feeMinor: 2_500 },
      ],
    });
    assert.deepEqual([json.status, json.body['id']], [200, body['id']]);
  });

  it('that are wrong in form are refused with a pointer to each place', async () => {
    const good = { kind: 'payment', reference: 'r', grossMinor: 5, feeMinor: 0 };
    const form = await post({ ...payout(), lines: [good, { ...good, feeMinor: 1.5 }, { ...good, kind: 'gift' }] });
    assert.deepEqual(
      [form.status, pointersOf(form.body)],
      [422, ['/lines/1/feeMinor wrong_type', '/lines/2/kind not_allowed']],
    );
    const sense = await post({
      ...payout(),
      currency: 'MYR',
      netMinor: 7,
      lines: [good, { ...good, grossMinor: -5 }, { ...good, kind: 'refund' }],
    });
    assert.deepEqual([sense.status, sense.body['code']], [422, 'settlement_not_valid']);
    assert.deepEqual(pointersOf(sense.body), [
      '/currency currency_not_of_gateway',
      '/netMinor net_differs',
      '/lines/1/grossMinor payment_not_positive',
      '/lines/2/grossMinor refund_not_negative',
    ]);
  });

  it('in a file that is wrong are refused with the row and column of each place, a hundred at once', async () => {
    const csv = 'kind,reference,gross,fee\npayment,a,1.000,0\n\ngift,,5,x\npayment,b,5\n';
    const { status, body } = await upload(csv);
    assert.deepEqual([status, body['code']], [422, 'settlement_not_valid']);
    assert.deepEqual(pointersOf(body), [
      'row 2, column gross wrong_amount',
      'row 4, column kind wrong_kind',
      'row 4, column reference wrong_reference',
      'row 4, column fee wrong_amount',
      'row 5 wrong_columns',
    ]);
    const sense = await upload('kind,reference,gross,fee\npayment,a,5,0\n\nrefund,b,5,0\n');
    assert.deepEqual(pointersOf(sense.body), ['row 4, column gross refund_not_negative']);
    const many = `kind,reference,gross,fee\n${'payment,a,x,0\n'.repeat(150)}`;
    assert.equal(pointersOf((await upload(many)).body).length, 100);
    for (const [file, pointer] of [
      ['', ' empty'],
      ['kind,reference,gross,fee\n', ' no_lines'],
      ['kind,reference,gross,tip\na,b,c,d', 'row 1, column fee missing_column'],
      ['kind,reference,gross,fee\npayment,"a,1,2\n', 'row 2 not_csv'],
      [new Uint8Array([0xff, 0xfe, 0x6b, 0x00]), ' not_utf8'],
    ] as const)
      assert.equal(pointersOf((await upload(file)).body)[0], pointer, String(file));
    assert.equal((await upload('x'.repeat(5_000_001))).status, 413);
  });

  it('are listed, the latest payout first, and shown line by line', async () => {
    const payment = await paid();
    const fees = Array.from({ length: 4 }, (_, n) => ({
      kind: 'adjustment',
      reference: `fee ${n}`,
      grossMinor: 0,
      feeMinor: 1,
    }));
    const known = { kind: 'payment', reference: payment.reference, grossMinor: Number(TOTAL), feeMinor: 0 };
    const unknown = { kind: 'payment', reference: 'nobody', grossMinor: 5, feeMinor: 0 };
    const latest = { ...payout(), paidOutAt: '2030-01-01T00:00:00Z', lines: [known, ...fees, unknown] };
    const { body } = await post(latest);
    const { body: page } = await api.call('/admin/settlements?limit=1', { as: finance });
    const items = z.array(z.looseObject({ id: z.string() })).parse(page['items']);
    assert.deepEqual([items[0]?.id, typeof page['nextCursor']], [body['id'], 'string']);
    const other = await api.call('/admin/settlements?gateway=billplz', { as: finance });
    assert.deepEqual(other.body['items'], []);
    const next = await api.call(`/admin/settlements?cursor=${String(page['nextCursor'])}`, { as: finance });
    assert.ok(z.array(z.unknown()).parse(next.body['items']).length > 0);

    const at = `/admin/settlements/${String(body['id'])}`;
    assert.deepEqual((await api.call(at, { as: finance })).body, body);
    const first = lines.parse((await api.call(`${at}/lines?limit=4`, { as: finance })).body);
    assert.deepEqual(
      first.items.map(({ position, invoiceNumber }) => [position, invoiceNumber]),
      [
        [1, payment.invoice.number],
        [2, null],
        [3, null],
        [4, null],
      ],
    );
    const rest = lines.parse((await api.call(`${at}/lines?cursor=${first.nextCursor}`, { as: finance })).body);
    assert.deepEqual([rest.items.map(({ position }) => position), rest.nextCursor], [[5, 6], null]);
    const open = lines.parse((await api.call(`${at}/lines?state=unmatched`, { as: finance })).body);
    assert.deepEqual(
      open.items.map(({ position }) => position),
      [6],
    );
    for (const path of ['', '/lines'])
      assert.equal((await api.call(`/admin/settlements/${randomUUID()}${path}`, { as: finance })).status, 404);
  });

  it('are imported by finance alone; supervisors read them', async () => {
    const supervisor = await api.person('supervisor');
    const refused = await api.call('/admin/settlements', { as: supervisor, body: { ...payout(), lines: [] } });
    assert.deepEqual([refused.status, refused.body['code']], [403, 'forbidden']);
    assert.equal((await api.call('/admin/settlements', { as: supervisor })).status, 200);
    assert.equal((await api.call('/admin/settlements', { as: await api.person('owner') })).status, 403);
  });
});
