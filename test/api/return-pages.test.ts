import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { openReturn } from '../../db/returns.ts';
import { asId, type ReturnId } from '../../domain/ids.ts';
import { DEFAULT_RETURN_POLICY, RETURN_STATES } from '../../domain/returns.ts';
import { aDeliveredOrder, type BuiltOrder } from '../builders/orders.ts';
import { aPng } from '../builders/papers.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { aShopLink, formTo, type ShopVisit, sendForm, visitPage } from '../support/shop-pages.ts';

const DAY = 86_400_000;
const PNG = aPng(1200, 800);

interface Built {
  readonly id: ReturnId;
  readonly number: string;
  readonly token: string;
  readonly order: BuiltOrder;
}

describe('the page of a return', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }) });
  });
  after(async () => {
    await api?.close();
    await connection?.close();
    await database?.drop();
  });

  /** One coffee of two is asked back; the record is then as the test says. */
  async function aReturn(changes: Record<string, unknown> = {}): Promise<Built> {
    const order = await aDeliveredOrder(database.db);
    const [coffee] = order.items;
    assert.ok(coffee);
    const id = asId<ReturnId>(randomUUID());
    const { number } = await database.db.transaction((tx) =>
      openReturn(tx, {
        returnId: id,
        orderId: order.orderId,
        companyId: order.companyId,
        by: order.by,
        items: [{ orderItemId: coffee.id, quantity: 1, reason: 'no_longer_needed' }],
        wanted: 'refund',
        at: new Date().toISOString(),
        policy: DEFAULT_RETURN_POLICY,
      }),
    );
    if (Object.keys(changes).length > 0) await database.db('returns').where({ id }).update(changes);
    return { id, number, order, token: await aShopLink(api, { kind: 'return', id }, order.by) };
  }

  const statementOf = ({ items: [coffee] }: BuiltOrder, deductionMinor: bigint) => ({
    statement_version: 2,
    refund_minor: (111_000n - deductionMinor).toString(),
    statement: JSON.stringify({
      lines: [
        {
          orderItemId: coffee?.id,
          quantity: 1,
          goodsMinor: '111000',
          shippingMinor: '0',
          deductionMinor: deductionMinor.toString(),
          refundMinor: (111_000n - deductionMinor).toString(),
        },
      ],
      deductions:
        deductionMinor > 0n
          ? [
              {
                orderItemId: coffee?.id,
                number: 1,
                code: 'restocking',
                amountMinor: deductionMinor.toString(),
                reason: { id: 'Sudah dipakai.', en: 'It was received used.' },
              },
            ]
          : [],
    }),
  });

  async function aStatement(deductionMinor: bigint, changes: Record<string, unknown> = {}): Promise<Built> {
    const built = await aReturn({ state: 'resolution_pending', state_since: new Date('2026-11-20T03:00:00Z') });
    await database
      .db('returns')
      .where({ id: built.id })
      .update({ ...statementOf(built.order, deductionMinor), ...changes });
    return built;
  }

  const open = ({ token }: Pick<Built, 'token'>, language = 'en', query = ''): Promise<ShopVisit> =>
    visitPage(`${api.url}/returns/${token}${query}`, {}, language);

  let any: Built | undefined;
  for (const state of RETURN_STATES) {
    it(`says in plain words what ${state} means, in both languages`, async () => {
      any ??= await aReturn();
      const built = any;
      await database.db('returns').where({ id: built.id }).update({ state });
      for (const language of ['id', 'en']) {
        const { status, text, headers } = await open(built, language);
        assert.equal(status, 200);
        assert.ok(text.includes(built.number) && text.includes(built.order.number));
        assert.match(
          text,
          /<div class="status (?:good|waiting|caution|bad|neutral)" role="status"><strong>[^<]{4,}<\/strong>[^<]{10,}/,
        );
        assert.doesNotMatch(text, /undefined|\[object|\{\{|<script|style="/);
        assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
        const mayCancel = [
          'requested',
          'under_review',
          'info_requested',
          'approved',
          'label_pending',
          'awaiting_shipment',
        ];
        assert.equal(formTo({ text }, '/cancel') !== null, mayCancel.includes(state));
      }
    });
  }

  it('tells until when an answer is awaited, what was asked, and what happens without one', async () => {
    const built = await aReturn({ state: 'info_requested', state_since: new Date('2026-11-20T03:00:00Z') });
    await said(built, 'request_info', { question: 'Which <b>part</b> is missing?' });
    const { text } = await open(built);
    assert.match(text, /Answer by<\/dt><dd>27 November 2026 at 10:00/);
    assert.match(text, /If we hear nothing<\/dt><dd>the return is closed/);
    assert.match(text, /Which &lt;b&gt;part&lt;\/b&gt; is missing\?/);
    assert.ok(formTo({ text }, '/answer'));
  });

  async function said({ id, order }: Built, kind: string, content: Record<string, unknown>): Promise<void> {
    await database.db('shop_messages').insert({
      id: randomUUID(),
      subject: `rma/${id}`,
      kind,
      said_by: order.by,
      content: JSON.stringify(content),
      at: new Date(),
      answered_at: new Date(),
      answer: JSON.stringify({ refusal: null }),
    });
  }

  it('gives the label with its code and the day by which the parcel must leave', async () => {
    const [sinceDays, inDays] = [-2, 12].map((days) => new Date(Date.now() + days * 86_400_000));
    const built = await aReturn({ state: 'awaiting_shipment', state_since: sinceDays, drop_off_by: inDays });
    const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'Asia/Jakarta' }).format(inDays);
    const pdf = Buffer.from('%PDF-1.7 label');
    const { sha256 } = await api.deps.files.put(pdf);
    const shipmentId = randomUUID();
    await database.db('shipments').insert({
      id: shipmentId,
      direction: 'back',
      order_id: built.order.orderId,
      return_id: built.id,
      carrier: 'sandbox',
      tracking_number: `RT${built.id.slice(0, 8)}`,
      label_sha256: sha256,
      state: 'labelled',
      created_at: new Date(),
      updated_at: new Date(),
    });
    await database.db('returns').where({ id: built.id }).update({ label_shipment_id: shipmentId });
    const { text } = await open(built);
    assert.match(text, new RegExp(`Hand the parcel in by</dt><dd>${day}`));
    assert.match(text, new RegExp(`RT${built.id.slice(0, 8)}`));
    assert.match(text, /<img src="data:image\/svg\+xml;base64,[\w+/&#;=]+" alt="QR code/);
    const label = await fetch(`${api.url}/returns/${built.token}/label.pdf`);
    assert.deepEqual([label.status, label.headers.get('content-type')], [200, 'application/pdf']);
    assert.deepEqual(Buffer.from(await label.arrayBuffer()), pdf);
    const none = await aReturn();
    assert.equal((await fetch(`${api.url}/returns/${none.token}/label.pdf`)).status, 404);
  });

  it('shows each deduction with its reason, and asks to accept or dispute before anything is chosen', async () => {
    const built = await aStatement(15_000n);
    const { text } = await open(built);
    assert.match(text, /It was received used\.<small>1 × Test goods<\/small><\/span><b>−Rp15\.000<\/b>/);
    assert.match(text, /You get<\/span><b>Rp96\.000<\/b>/);
    assert.equal(formTo({ text }, '/accept')?.fields['version'], '2');
    assert.ok(formTo({ text }, '/dispute'));
    assert.equal(formTo({ text }, '/choose'), null);
    const accepted = await aStatement(15_000n, { accepted_version: 2, accepted_at: new Date() });
    const after = await open(accepted);
    assert.equal(formTo(after, '/accept'), null);
    assert.equal(formTo(after, '/choose')?.fields['resolution'], 'refund');
    assert.match(after.text, /Decide by<\/dt><dd>25 November 2026/);
  });

  it('lets choose at once where nothing is taken off, and waits while the statement is disputed', async () => {
    const whole = await open(await aStatement(0n));
    assert.match(whole.text, /Nothing is taken off/);
    assert.ok(formTo(whole, '/choose'));
    const disputed = await open(await aStatement(15_000n, { disputed_at: new Date() }));
    assert.deepEqual(
      ['/accept', '/dispute', '/choose'].map((path) => formTo(disputed, path)),
      [null, null, null],
    );
    assert.match(disputed.text, /no time runs meanwhile/);
    assert.doesNotMatch(disputed.text, /Decide by/);
  });

  it('escapes what people wrote and called their files', async () => {
    const built = await aReturn({ state: 'rejected' });
    await said(built, 'reject', { reason: '<img src=x onerror=alert(1)>' });
    await upload(built, '"><script>alert(1)</script>.png').catch(() => undefined);
    await database.db('returns').where({ id: built.id }).update({ state: 'requested' });
    await upload(built, '"><script>alert(1)</script>.png');
    const { text } = await open(built);
    assert.doesNotMatch(text, /<script|<img src=x/);
    assert.match(text, /&lt;img src/);
  });

  describe('photographs', () => {
    it('are added by a plain form, once however often it is sent, and shown to who has the link', async () => {
      const built = await aReturn();
      const form = formTo(await open(built), '/photos');
      assert.ok(form);
      for (const _ of [1, 2]) {
        const sent = await upload(built, 'rusak.png', PNG, form.fields['key']);
        assert.deepEqual(
          [sent.status, sent.headers.get('location')],
          [303, `/returns/${built.token}?lang=id&done=photos`],
        );
      }
      const shown = await open(built);
      const pictures = [...shown.text.matchAll(/<img src="(\/returns\/[^"]+)" alt="your photograph: rusak.png">/g)];
      assert.equal(pictures.length, 1);
      const picture = await fetch(api.url + pictures[0]?.[1]);
      assert.deepEqual([picture.status, picture.headers.get('content-type')], [200, 'image/png']);
      assert.equal(Buffer.from(await picture.arrayBuffer()).compare(PNG), 0);
      const other = await aReturn();
      const foreign = `${api.url}/returns/${other.token}/photos/${pictures[0]?.[1]?.split('/').at(-1)}`;
      assert.equal((await fetch(foreign)).status, 404);
    });

    it('that are none are refused on the page', async () => {
      const built = await aReturn();
      const refused = await upload(built, 'a.png', Buffer.from('no picture'));
      assert.equal(refused.status, 422);
      assert.match(refused.text, /role="alert"/);
      const large = await upload(built, 'a.png', Buffer.concat([PNG, Buffer.alloc(11_000_000)]));
      assert.equal(large.status, 422);
    });
  });

  function upload(
    { token }: Built,
    name: string,
    content: Buffer = PNG,
    key: string = randomUUID(),
  ): Promise<ShopVisit> {
    const body = new FormData();
    body.set('key', key);
    body.set('file', new Blob([new Uint8Array(content)]), name);
    return visitPage(`${api.url}/returns/${token}/photos`, { method: 'POST', body });
  }

  describe('its forms', () => {
    it('come back with what is missing', async () => {
      const built = await aReturn({ state: 'info_requested' });
      const refused = await sendForm(api, formTo(await open(built), '/answer'), { answer: '   ' }, 'en');
      assert.equal(refused.status, 422);
      assert.match(refused.text, /Please write something/);
      const chosen = await aStatement(0n);
      const none = await sendForm(api, formTo(await open(chosen), '/choose'), { resolution: '' }, 'en');
      assert.match(none.text, /Choose one of them/);
    });

    it('keep what was typed, and the same request, while the system is away', async () => {
      const built = await aReturn({ state: 'info_requested' });
      const away = await startApi(database, { secretKey: api.deps.secretKey });
      try {
        const form = formTo(await open(built), '/answer');
        const refused = await sendForm(away, form, { answer: 'The lid & the spoon' }, 'en');
        assert.equal(refused.status, 503);
        assert.ok(refused.headers.get('retry-after'));
        assert.deepEqual(formTo(refused, '/answer')?.fields, { ...form?.fields, answer: 'The lid & the spoon' });
      } finally {
        await away.close();
      }
    });

    it('say why it is too late, and show the return as it is by now', async () => {
      const built = await aReturn();
      const form = formTo(await open(built), '/cancel');
      await database.db('returns').where({ id: built.id }).update({ state: 'closed_refunded' });
      const refused = await sendForm(api, form, {}, 'en');
      assert.equal(refused.status, 409);
      assert.match(refused.text, /role="alert"/);
      assert.match(refused.text, /DONE: REFUNDED/);
    });

    it('take nothing without a good link', async () => {
      const built = await aReturn();
      const acts = ['answer', 'accept', 'dispute', 'choose', 'cancel'];
      const bodies: readonly Record<string, string>[] = [
        { answer: 'x' },
        { version: '1' },
        { reason: 'x' },
        { resolution: 'refund' },
        {},
      ];
      for (const [index, act] of acts.entries()) {
        const form = { action: `/returns/${'z'.repeat(43)}/${act}`, fields: { key: 'k', ...bodies[index] } };
        assert.equal((await sendForm(api, form)).status, 404, act);
      }
      const old = await aShopLink(
        api,
        { kind: 'return', id: built.id },
        built.order.by,
        new Date(Date.now() - 91 * DAY),
      );
      assert.equal((await sendForm(api, { action: `/returns/${old}/cancel`, fields: { key: 'k' } })).status, 410);
      assert.equal(
        await database
          .db('shop_messages')
          .where({ subject: `rma/${built.id}` })
          .first('id'),
        undefined,
      );
    });
  });

  it('has ended after 90 days, and sends one new link an hour', async () => {
    const built = await aReturn();
    const old = await aShopLink(api, { kind: 'return', id: built.id }, built.order.by, new Date(Date.now() - 90 * DAY));
    const shown = await open({ token: old });
    assert.equal(shown.status, 410);
    assert.ok(!shown.text.includes(built.number));
    for (const _ of [1, 2]) assert.equal((await sendForm(api, formTo(shown, '/link'))).status, 200);
    const letters = await database.db('account_letters').where({ template: 'return_link', user_id: built.order.by });
    assert.equal(letters.length, 1);
  });
});
