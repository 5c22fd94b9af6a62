import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { grantCredit } from '../../db/credit-grants.ts';
import { postEntry } from '../../db/ledger.ts';
import { checkLedger } from '../../db/ledger-check.ts';
import type { CompanyId, InvoiceId, OrderId, Sku } from '../../domain/ids.ts';
import { suspenseReleased } from '../../domain/ledger.ts';
import { money } from '../../domain/money.ts';
import { paymentId } from '../../workflows/ids.ts';
import { aCompany } from '../builders/licensing.ts';
import { SHIP_TO } from '../builders/orders.ts';
import { aPng } from '../builders/papers.ts';
import { ask, type Problem } from '../builders/requests.ts';
import { aProduct } from '../builders/stock.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { EICAR } from '../support/clamd.ts';
import { mailbox } from '../support/machine.ts';
import { aShopLink, formTo, type ShopVisit, sendForm, visitPage } from '../support/shop-pages.ts';
import { storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

interface Order extends Problem {
  readonly id: OrderId;
  readonly state: string;
  readonly invoiceId: InvoiceId;
  readonly items: readonly { readonly id: string }[];
}
interface CreditNoteRow {
  readonly id: string;
  readonly refund_id: string | null;
  readonly total_minor: bigint;
  readonly pdf_sha256: string | null;
}
interface Return extends Problem {
  readonly id: string;
  readonly state: string;
  readonly photos: readonly { readonly id: string; readonly scanState: string }[];
}

/** Of which the customer hears by mail, between the first letter and the last. */
const STEPS = [
  'order_confirmed',
  'order_shipped',
  'return_requested',
  'return_approved',
  'return_received',
  'return_inspected',
  'return_refund_sent',
];

describe('what was bought and comes back, on the pages', function () {
  this.timeout(90_000);
  let system: TestSystem;
  let owner: TestPerson;
  let seller: TestPerson;
  let warehouse: TestPerson;
  let finance: TestPerson;
  before(async () => {
    system = await startSystem();
    const person = system.api.person;
    [owner, seller, warehouse, finance] = await Promise.all([
      person('owner'),
      person('seller'),
      person('warehouse'),
      person('finance'),
    ]);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const done = async <Body extends Problem>(as: TestPerson, path: string, body: object = {}): Promise<Body> => {
    const answer = await ask<Body>(system.api, as, 'POST', path, { body });
    assert.ok(answer.status < 300, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const orderOf = async (id: OrderId): Promise<Order> =>
    (await ask<Order>(system.api, owner, 'GET', `/orders/${id}`)).body;
  const open = (path: string): Promise<ShopVisit> => visitPage(new URL(path, system.api.url).href, {}, 'en');
  const send = (page: ShopVisit, to: string, typed: Readonly<Record<string, string>> = {}) =>
    sendForm(system.api, formTo(page, to), typed, 'en');
  const goneOn = async (answer: ShopVisit): Promise<ShopVisit> => {
    assert.equal(answer.status, 303, answer.text);
    return open(answer.headers.get('location') ?? '');
  };
  const shows = (page: ShopVisit, ...texts: (string | RegExp)[]) => {
    for (const text of texts) assert.match(page.text, text instanceof RegExp ? text : new RegExp(text));
  };

  const withCredit = (companyId: CompanyId, amountMinor: bigint) =>
    db().transaction(async (tx) => {
      const [key, at] = [`test/${randomUUID()}`, new Date().toISOString()];
      const entry = { currency: 'IDR', companyId, at } as const;
      const arrived = [
        { account: 'bank', amountMinor },
        { account: 'suspense', amountMinor: -amountMinor },
      ] as const;
      await postEntry(tx, { ...entry, key: `${key}/in`, kind: 'settlement_adjusted', postings: arrived });
      const postings = suspenseReleased(amountMinor, 'store_credit');
      await postEntry(tx, { ...entry, key, kind: 'suspense_released', postings });
      await grantCredit(tx, { companyId, key, amount: money(amountMinor, 'IDR'), expiresAfterMonths: 12, at });
    });

  /** Some of it is paid with credit, and what is left through a gateway that gives money back by itself. */
  async function bought(quantity: number, creditMinor: bigint): Promise<Order & { readonly sku: Sku }> {
    const companyId = await aCompany(db(), owner.id);
    await withCredit(companyId, creditMinor);
    const sku = await aProduct(db(), { priceMinor: 100_000n, stock: [20, 0] });
    const body = { companyId, items: [{ sku, quantity }], shipTo: SHIP_TO };
    const order = await done<Order>(owner, '/orders', body);
    await eventually('who collects it', () =>
      system.client.workflow
        .getHandle(paymentId(order.invoiceId))
        .describe()
        .catch(() => null),
    );
    await done(owner, `/invoices/${order.invoiceId}/pay-with-credit`);
    const left = await db()('invoices').where({ id: order.invoiceId }).first('state');
    if (left.state === 'open') {
      await done(owner, `/invoices/${order.invoiceId}/pay`, { gateway: 'midtrans' });
      await storyOf(system).sandbox(`${order.invoiceId}-1`, 'pay', '?channel=gopay');
    }
    await eventually('the order to be confirmed', async () => (await orderOf(order.id)).state === 'confirmed');
    return { ...order, sku };
  }

  /** Those that wait in the outbox go out; @returns the link of the newest that leads there */
  async function linkInMail(template: string, page: 'orders' | 'returns'): Promise<string> {
    await db()('account_letters')
      .whereNull('taken_at')
      .update({ created_at: db().raw(`created_at - interval '2 minutes'`) });
    const workflowId = `letters-${randomUUID()}`;
    await system.client.workflow.execute('accountLetterSweep', { workflowId, taskQueue: system.taskQueue });
    const link = new RegExp(`${system.api.url}(/${page}/[\\w-]{43})`);
    return eventually(`the letter ${template}`, async () => {
      if (!(await sentOf()).includes(template)) return null;
      const mails = (await mailbox()).messages().filter(({ to }) => to.includes(owner.email));
      return mails.flatMap(({ text }) => link.exec(text ?? '')?.[1] ?? []).at(-1);
    });
  }
  const sentOf = (): Promise<string[]> =>
    db()('mail_deliveries').where({ user_id: owner.id, state: 'sent' }).pluck('template');
  const notesOf = (id: OrderId): Promise<CreditNoteRow[]> =>
    db()('credit_notes as n').join('invoices as i', 'i.id', 'n.invoice_id').where('i.order_id', id).select('n.*');

  it('goes from the form to the refund: approved, labelled, inspected, accepted, paid back and told', async () => {
    const order = await bought(2, 50_000n);
    await done(seller, `/orders/${order.id}/ship`, { carrier: 'jne' });
    await done(seller, `/orders/${order.id}/deliver`);
    const orderLink = await linkInMail('order_delivered', 'orders');
    const [item] = order.items;
    assert.ok(item);
    const chosen = { [`quantity.${item.id}`]: '2', [`reason.${item.id}`]: 'no_longer_needed', wanted: 'refund' };
    const asked = await goneOn(await send(await open(`${orderLink}/return`), '/return', chosen));
    shows(asked, 'We have received your request');
    const { id } = await db()('returns').where({ order_id: order.id }).first('id');
    await done(seller, `/returns/${id}/approve`);
    const is = (state: string) =>
      eventually(
        `the return to be ${state}`,
        async () => (await db()('returns').where({ id }).first('state')).state === state,
      );
    await is('awaiting_shipment');

    const link = await linkInMail('return_approved', 'returns');
    const labelled = await open(link);
    shows(labelled, 'Hand the parcel in by', 'Tracking number', /data:image\/svg/, `href="${link}/label.pdf"`);
    assert.equal((await open(`${link}/label.pdf`)).headers.get('content-type'), 'application/pdf');
    await done(warehouse, `/returns/${id}/receive`);
    await done(warehouse, `/returns/${id}/inspect`, { condition: 'used' });
    const stated = await open(link);
    shows(stated, /15% of its price/, 'I accept', 'I do not agree');
    shows(await goneOn(await send(stated, '/accept')), 'You have accepted the statement');

    const refund = await eventually('the refund to be asked for', () =>
      db()('refunds').where({ return_id: id }).first(),
    );
    if (refund.needs_approval) await done(finance, `/refunds/${refund.id}/approve`);
    await is('closed_refunded');
    shows(await open(link), /<div class="status good" role="status"><strong>/, 'You have accepted this statement');
    const { refund_minor: owed } = await db()('returns').where({ id }).first('refund_minor');
    assert.equal((await db()('refunds').where({ return_id: id }).first('state')).state, 'succeeded');
    await linkInMail('return_refund_done', 'returns');
    const written: string[] = await db()('account_letters').where({ user_id: owner.id }).pluck('template');
    for (const template of STEPS) assert.ok(written.includes(template), `${template} in ${written}`);
    await eventually('all letters to be sent', async () => {
      const sent = await sentOf();
      return written.every((template) => sent.includes(template));
    });
    const printed = await eventually('both credit notes to be printed', async () => {
      const notes = await notesOf(order.id);
      return notes.length === 2 && notes.every(({ pdf_sha256 }) => pdf_sha256 !== null) && notes;
    });
    // All of the capture has gone back, and what is left of it comes as credit again.
    assert.equal(printed.filter(({ refund_id }) => refund_id === null).length, 1);
    assert.equal(
      printed.reduce((sum, { total_minor }) => sum + BigInt(total_minor), 0n),
      BigInt(owed),
    );
    for (const { name, findings } of (await checkLedger(db())).proofs) assert.deepEqual(findings, [], name);
  });

  it('is cancelled on the page while it was not sent: once, with a credit note for what credit had paid', async () => {
    const order = await bought(1, 500_000n);
    const link = `/orders/${await aShopLink(system.api, { kind: 'order', id: order.id }, owner.id)}`;
    const page = await open(link);
    shows(page, 'Cancel what was not sent', '1 × ');
    const [first, second] = [await send(page, '/cancel'), await send(page, '/cancel')];
    assert.equal(second.headers.get('location'), first.headers.get('location'));
    const after = await goneOn(first);
    shows(after, 'CANCELLED', 'What was not sent is cancelled');
    assert.equal(formTo(after, '/cancel'), null);
    const events = await db()('events').where({ subject: `order/${order.id}`, type: 'order.cancelled' });
    assert.equal(events.length, 1);
    const note = await eventually('the credit note to be printed', async () =>
      (await notesOf(order.id)).find(({ pdf_sha256 }) => pdf_sha256 !== null),
    );
    const pdf = await fetch(`${system.api.url}/api/v1/credit-notes/${note.id}/pdf`, { headers: owner.headers });
    assert.deepEqual([pdf.status, pdf.headers.get('content-type')], [200, 'application/pdf']);
  });

  it('is not cancelled on the page once it has been sent, and says so', async () => {
    const order = await bought(1, 500_000n);
    const link = `/orders/${await aShopLink(system.api, { kind: 'order', id: order.id }, owner.id)}`;
    const page = await open(link);
    await done(seller, `/orders/${order.id}/ship`, { carrier: 'jne' });
    const refused = await send(page, '/cancel');
    assert.equal(refused.status, 409);
    shows(refused, /role="alert"><li>/, 'ON ITS WAY');
    assert.equal(formTo(refused, '/cancel'), null);
    const stranger = await sendForm(system.api, { action: `/orders/${'y'.repeat(43)}/cancel`, fields: { key: 'x' } });
    assert.equal(stranger.status, 404);
  });

  describe('its photographs', () => {
    let api: TestApi;
    let id: string;
    let link: string;
    before(async () => {
      const { client: temporal, taskQueue, deps } = system;
      const { tokens, secretKey } = system.api.deps;
      api = await startApi(system.database, {
        temporal,
        taskQueue,
        tokens,
        secretKey,
        files: deps.files,
        scansDocuments: true,
      });
      const order = await bought(1, 500_000n);
      await done(seller, `/orders/${order.id}/ship`, { carrier: 'jne' });
      await done(seller, `/orders/${order.id}/deliver`);
      const items = [{ orderItemId: order.items[0]?.id, reason: 'damaged' }];
      id = (await done<Return>(owner, '/returns', { orderId: order.id, items })).id;
      const { id: returnId } = await db()('returns').where({ id }).first('id');
      link = `/returns/${await aShopLink(api, { kind: 'return', id: returnId }, owner.id)}`;
    });
    after(() => api?.close());

    const upload = async (as: TestPerson, content: Buffer): Promise<string> => {
      const body = new FormData();
      body.set('file', new Blob([new Uint8Array(content)], { type: 'image/png' }), 'bukti.png');
      const answer = await ask<Return>(api, as, 'POST', `/returns/${id}/photos`, { body });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return answer.body.id;
    };
    const infected = () => Buffer.concat([aPng(8, 8), EICAR]);
    const becomes = (photo: string, scanState: string) =>
      eventually(`the photograph to be ${scanState}`, async () => {
        const { body } = await ask<Return>(api, owner, 'GET', `/returns/${id}`);
        return body.photos.find((one) => one.id === photo)?.scanState === scanState;
      });
    const fetched = async (as: TestPerson, photo: string) =>
      (await fetch(`${api.url}/api/v1/returns/${id}/photos/${photo}`, { headers: as.headers })).status;

    it('are shown to both sides once the scanner has passed them', async () => {
      const photo = await upload(owner, aPng(9, 9));
      await becomes(photo, 'clean');
      assert.deepEqual([await fetched(owner, photo), await fetched(seller, photo)], [200, 200]);
      shows(await open(link), `${link}/photos/${photo}`);
    });

    it('are shown to nobody when they are infected; who added them is told, once', async () => {
      const [claim, inspection] = [await upload(owner, infected()), await upload(warehouse, infected())];
      for (const photo of [claim, inspection]) {
        await becomes(photo, 'infected');
        assert.deepEqual([await fetched(owner, photo), await fetched(seller, photo)], [409, 409]);
        assert.equal((await open(`${link}/photos/${photo}`)).status, 404);
      }
      const page = await open(link);
      assert.ok(!page.text.includes(claim));
      shows(page, /your photograph: bukti\.png – not accepted: the virus scanner found malware/);
      const letters = (template: string) => db()('account_letters').where({ template }).select('user_id', 'data');
      assert.deepEqual(
        (await letters('return_photo_infected')).map(({ user_id }) => user_id),
        [owner.id],
      );
      const toStaff = (await letters('return_to_staff')).filter(({ data }) => data.reasons.includes('photo_infected'));
      assert.equal(toStaff.filter(({ user_id }) => user_id === warehouse.id).length, 1);
    });

    it('that nobody has scanned are taken up by the sweep, with those from before there was a scanner', async () => {
      const { body } = await ask<Return>(api, owner, 'GET', `/returns/${id}`);
      const [photo] = body.photos.filter(({ scanState }) => scanState === 'clean');
      assert.ok(photo);
      for (const scanState of ['waiting', 'not_scanned']) {
        const again = randomUUID();
        await db()('return_photos').insert({
          ...(await db()('return_photos').where({ id: photo.id }).first()),
          id: again,
          scan_state: scanState,
          uploaded_at: new Date(Date.now() - 120_000),
        });
        const sweep = { workflowId: `scans-${again}`, taskQueue: system.taskQueue };
        await system.client.workflow.execute('documentScanSweep', sweep);
        await becomes(again, 'clean');
      }
    });
  });
});
