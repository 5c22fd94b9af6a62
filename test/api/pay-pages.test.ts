import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ApplicationId, CompanyId, InvoiceId, PaymentId } from '../../domain/ids.ts';
import { type InvoiceState, PAYMENT_STATES, type PaymentState } from '../../domain/payments.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  anInvoice,
  aPayment,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Visit {
  readonly method?: string;
  readonly language?: string;
  /** What the form sends. */
  readonly form?: Readonly<Record<string, string>>;
}

async function visit(url: string, { method = 'GET', language = 'id', form = {} }: Visit = {}): Promise<Page> {
  const answer = await fetch(url, {
    method,
    redirect: 'manual',
    headers: { accept: 'text/html', 'accept-language': language },
    ...(method === 'POST' ? { body: new URLSearchParams(form) } : {}),
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const policyOf = ({ headers }: Page): string => headers.get('content-security-policy') ?? '';
const hasButton = ({ text }: Page): boolean => /<form method="post">[\s\S]*<button>/.test(text);
const refreshesAfter = ({ text }: Page): number => Number(/http-equiv="refresh" content="(\d+)"/.exec(text)?.[1] ?? 0);

describe('the pages of a payer', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id, { name: 'CV Milik Sari' });
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  async function invoiced(state: InvoiceState = 'open'): Promise<InvoiceId> {
    const applicationId: ApplicationId = await anApplication(database.db, { companyId, type, applicantId: owner.id });
    return anInvoice(database.db, { companyId, applicationId, state });
  }
  const payPage = (id: string, options = {}) => visit(`${api.url}/pay/${id}`, options);
  const paidPage = (id: string, options = {}) => visit(`${api.url}/paid/${id}`, options);
  const numberOf = async (id: InvoiceId): Promise<string> =>
    (await database.db('invoices').where({ id }).first('number'))?.number;

  describe('an invoice', () => {
    it('says what is to be paid, to whom and by when, without anybody logged in', async () => {
      const id = await invoiced();
      const shown = await payPage(id);
      assert.equal(shown.status, 200);
      assert.match(shown.headers.get('content-type') ?? '', /^text\/html/);
      for (const fact of [
        'BELUM DIBAYAR',
        await numberOf(id),
        'Izin Uji',
        'Kantor Uji',
        'Rp361.000',
        '9 Maret 2026 pukul 09.00 WIB',
      ])
        assert.ok(shown.text.includes(fact), fact);
      assert.ok(hasButton(shown));
      assert.match(
        (await payPage(id, { language: 'en' })).text,
        /lang="en"[\s\S]*NOT PAID YET[\s\S]*Test licence[\s\S]*Pay now/,
      );
    });
    it('has no button once there is nothing to pay, and says what to do instead', async () => {
      const words = { paid: /LUNAS[\s\S]*e-mail/, lapsed: /permohonan baru/, void: /DIBATALKAN[\s\S]*kantor/ };
      for (const state of ['paid', 'lapsed', 'void'] as const) {
        const shown = await payPage(await invoiced(state));
        assert.deepEqual([shown.status, hasButton(shown)], [200, false], state);
        assert.match(shown.text, words[state]);
      }
    });
    it('leads from a voided invoice to the one in its place', async () => {
      const applicationId = await anApplication(database.db, { companyId, type, applicantId: owner.id });
      const old = await anInvoice(database.db, { companyId, applicationId, state: 'void' });
      const other = await anInvoice(database.db, { companyId, applicationId });
      await database.db('invoices').where({ id: other }).update({ replaces_id: old });
      const shown = await payPage(old, { language: 'en' });
      assert.ok(shown.text.includes(`href="/pay/${other}"`), shown.text);
      assert.match(shown.text, /another has taken its place/);
      assert.ok(!hasButton(shown));
    });
    it('names no company, tax number, address or person, on neither page', async () => {
      const id = await invoiced();
      const payment = await aPayment(database.db, { invoiceId: id });
      const shown = (await payPage(id)).text + (await paidPage(payment.id)).text;
      for (const secret of ['CV Milik Sari', 'Jalan Rahasia', '01.***', owner.name, owner.email, owner.id, companyId])
        assert.ok(!shown.includes(secret), secret);
    });
    it('lets the payer choose among the methods for its amount, each once; any of them is the first choice', async () => {
      const id = await invoiced();
      const { text } = await payPage(id, { language: 'en' });
      const values = [...text.matchAll(/name="method" value="([^"]*)"( checked)?/g)].map(([, value, on]) => [
        value,
        on,
      ]);
      assert.deepEqual(values[0], ['', ' checked']);
      assert.equal(values.filter(([, on]) => on).length, 1);
      assert.equal(new Set(values.map(([value]) => value)).size, values.length);
      assert.match(
        text,
        /<fieldset><legend>How to pay<\/legend>[\s\S]*<span>BCA virtual account<small>Refunds only by bank/,
      );
      await database.db('invoices').where({ id }).update({ total_minor: 20_000_000, subtotal_minor: 19_989_000 });
      const dear = (await payPage(id)).text;
      assert.ok(!dear.includes('value="qris"') && dear.includes('value="bca_va"'));
      assert.doesNotMatch(dear, /name="part"/);
    });
    it('shows its instalments, what is paid and what is left, and asks how much to pay now', async () => {
      const id = await invoiced();
      const instalment = (position: number, amount_minor: number, paid_at: Date | null) => ({
        invoice_id: id,
        position,
        amount_minor,
        due_at: '2026-03-09T02:00:00Z',
        paid_at,
      });
      await database
        .db('invoice_instalments')
        .insert([instalment(1, 161_000, new Date()), instalment(2, 100_000, null), instalment(3, 100_000, null)]);
      await database.db('invoices').where({ id }).update({ paid_minor: 161_000 });
      const { text } = await payPage(id);
      for (const fact of [
        'Sudah dibayar</dt><dd>Rp161.000',
        'Sisa tagihan</dt><dd>Rp200.000',
        'Angsuran 1 dari 3</dt><dd>Rp161.000 · sudah dibayar',
        'Angsuran 2 dari 3</dt><dd>Rp100.000 · 9 Maret 2026',
        'value="next" checked><span>Angsuran berikutnya: Rp100.000',
        'value="all"><span>Seluruh sisa tagihan: Rp200.000',
      ])
        assert.ok(text.includes(fact), fact);
    });
    it('does not tell strangers of the company’s credit', async () => {
      const id = await invoiced();
      await database.db.transaction(async (tx) => {
        const entry = { key: `test/${id}`, kind: 'credit_applied', currency: 'IDR', company_id: companyId };
        const [made] = await tx('ledger_entries')
          .insert({ ...entry, occurred_at: new Date() })
          .returning('id');
        const posting = { entry_id: made.id };
        await tx('ledger_postings').insert([
          { ...posting, account: 'suspense', amount_minor: 77_000 },
          { ...posting, account: 'store_credit', amount_minor: -77_000 },
        ]);
      });
      assert.doesNotMatch((await payPage(id)).text, /77\.000|saldo/i);
    });
    it('is kept out of search engines, caches and other sites’ logs', async () => {
      const { headers } = await payPage(await invoiced());
      assert.deepEqual(
        ['x-robots-tag', 'cache-control', 'referrer-policy'].map((name) => headers.get(name)),
        ['noindex', 'no-store', 'no-referrer'],
      );
    });
    it('runs no script, and its form leads here and to the gateway only', async () => {
      const shown = await payPage(await invoiced());
      assert.doesNotMatch(shown.text, /<script|javascript:|\son\w+=|style="/i);
      assert.match(policyOf(shown), /default-src 'none'.*form-action 'self' http:;/);
      assert.doesNotMatch(policyOf(shown), /script-src|unsafe/);
    });
    it('lets its form lead to encrypted pages only where Alur itself is served encrypted', async () => {
      const secure = await startApi(database, { publicUrl: 'https://alur.example' });
      try {
        const shown = await visit(`${secure.url}/pay/${await invoiced()}`);
        assert.match(policyOf(shown), /form-action 'self' https:;/);
      } finally {
        await secure.close();
      }
    });
    it('is a page also where there is none', async () => {
      for (const id of [randomUUID(), 'no-uuid']) {
        for (const method of ['GET', 'POST']) {
          const shown = await payPage(id, { method });
          assert.equal(shown.status, 404);
          assert.match(shown.text, /TIDAK DIKENAL/);
        }
      }
    });
  });

  describe('the button', () => {
    it('leads nowhere when there is nothing to pay: the page says why', async () => {
      const shown = await payPage(await invoiced('lapsed'), { method: 'POST' });
      assert.deepEqual([shown.status, shown.headers.get('location')], [409, null]);
      assert.match(shown.text, /LEWAT BATAS WAKTU/);
      assert.doesNotMatch(shown.text, /role="alert"/);
    });
    it('says that a method does not fit, and offers the others', async () => {
      const shown = await payPage(await invoiced(), { method: 'POST', form: { method: 'cowrie_shells' } });
      assert.equal(shown.status, 422);
      assert.match(shown.text, /role="alert">[^<]*cara membayar yang lain/);
      assert.ok(hasButton(shown));
    });
    it('asks to try again while the payment process cannot be reached', async () => {
      const shown = await payPage(await invoiced(), { method: 'POST', language: 'en' });
      assert.deepEqual([shown.status, shown.headers.get('retry-after')], [503, '5']);
      assert.match(shown.text, /role="alert">[^<]*nothing was charged/);
      assert.ok(hasButton(shown));
      assert.match(policyOf(shown), /form-action 'self'/);
    });
  });

  describe('a payment', () => {
    const WORDS: Readonly<Record<PaymentState, string>> = {
      created: 'MENUNGGU KONFIRMASI',
      unknown: 'MENUNGGU KONFIRMASI',
      pending: 'MENUNGGU KONFIRMASI',
      paid: 'PEMBAYARAN DITERIMA',
      failed: 'PEMBAYARAN GAGAL',
      expired: 'WAKTU PEMBAYARAN HABIS',
      reversed: 'PEMBAYARAN DITARIK KEMBALI',
    };
    for (const state of PAYMENT_STATES) {
      it(`that is ${state} says so, links to the invoice, and loads again only while it may change by itself`, async () => {
        const invoiceId = await invoiced(state === 'paid' ? 'paid' : 'open');
        const { id } = await aPayment(database.db, { invoiceId, state, at: new Date().toISOString() });
        // What Snap appends to the address is not believed.
        const shown = await paidPage(`${id}?order_id=x&transaction_status=settlement`);
        assert.equal(shown.status, 200);
        assert.ok(shown.text.includes(`<strong>${WORDS[state]}</strong>`));
        assert.ok(shown.text.includes(`href="${api.url}/pay/${invoiceId}"`));
        const waits = WORDS[state] === WORDS.pending;
        assert.equal(refreshesAfter(shown), waits ? 5 : 0);
        assert.equal(shown.text.includes('Periksa sekarang'), waits);
      });
    }
    it('that waits for long is asked about less often', async () => {
      const { id } = await aPayment(database.db, { invoiceId: await invoiced(), state: 'pending' });
      assert.equal(refreshesAfter(await paidPage(id)), 60);
    });
    it('that nobody is sure of says not to pay again', async () => {
      const { id } = await aPayment(database.db, { invoiceId: await invoiced(), state: 'unknown' });
      assert.match((await paidPage(id, { language: 'en' })).text, /unclear, and we are asking[^<]*do not pay again/);
    });
    it('of an instalment says what is left', async () => {
      const invoiceId = await invoiced();
      await database.db('invoices').where({ id: invoiceId }).update({ paid_minor: 161_000 });
      const { id } = await aPayment(database.db, { invoiceId, state: 'paid' });
      const shown = await paidPage(id, { language: 'en' });
      assert.match(shown.text, /PAYMENT RECEIVED[\s\S]*not paid in full yet[\s\S]*Left to pay<\/dt><dd>Rp200\.000/);
    });
    const REFUNDS: readonly (readonly [string, readonly (readonly [string, number])[], RegExp])[] = [
      ['being given back', [['pending', 361_000]], /SEDANG DIKEMBALIKAN[\s\S]*Jangan membayar lagi/],
      [
        'given back',
        [
          ['succeeded', 161_000],
          ['succeeded', 200_000],
        ],
        /SUDAH DIKEMBALIKAN/,
      ],
      [
        'given back in part',
        [
          ['succeeded', 161_000],
          ['failed', 200_000],
        ],
        /DIKEMBALIKAN SEBAGIAN/,
      ],
      ['not given back after all', [['rejected', 361_000]], /PEMBAYARAN DITERIMA/],
    ];
    for (const [name, refunds, words] of REFUNDS) {
      it(`that is ${name} says so`, async () => {
        const invoiceId = await invoiced('paid');
        const { id } = await aPayment(database.db, { invoiceId, state: 'paid' });
        const at = new Date();
        await database.db('refunds').insert(
          refunds.map(([state, amount_minor]) => ({
            id: randomUUID(),
            payment_id: id,
            invoice_id: invoiceId,
            company_id: companyId,
            state,
            amount_minor,
            currency: 'IDR',
            source: 'invoice',
            reason: 'goodwill',
            needs_approval: false,
            requested_at: at,
            updated_at: at,
          })),
        );
        const shown = await paidPage(id);
        assert.match(shown.text, words);
        assert.equal(refreshesAfter(shown), 0);
      });
    }
    it('that came in but settles nothing says not to pay again', async () => {
      const invoiceId = await invoiced('lapsed');
      const { id, reference } = await aPayment(database.db, { invoiceId, state: 'paid' });
      await aCase(id, reference, invoiceId);
      const shown = await paidPage(id, { language: 'en' });
      assert.match(shown.text, /BEING LOOKED INTO[\s\S]*Do not pay again/);
      await database.db('payment_cases').where({ payment_id: id }).update({ state: 'resolved' });
      assert.match((await paidPage(id)).text, /PEMBAYARAN DITERIMA/);
    });
    it('that has paid its invoice says so, though finance compares what else became of it', async () => {
      const invoiceId = await invoiced('paid');
      const { id, reference } = await aPayment(database.db, { invoiceId, state: 'paid' });
      await aCase(id, reference, invoiceId, 'refund_differs');
      assert.match((await paidPage(id)).text, /PEMBAYARAN DITERIMA/);
    });
    it('is a page also where there is none', async () => {
      for (const id of [randomUUID(), 'no-uuid']) {
        const shown = await paidPage(id);
        assert.equal(shown.status, 404);
        assert.match(shown.text, /Tidak ada pembayaran/);
      }
    });

    const aCase = (paymentId: PaymentId, reference: string, invoiceId: InvoiceId, kind = 'late') =>
      database.db('payment_cases').insert({
        id: randomUUID(),
        key: `case/${reference}`,
        kind,
        gateway: 'midtrans',
        reference,
        payment_id: paymentId,
        invoice_id: invoiceId,
        opened_at: new Date(),
      });
  });
});

describe('paying from the link in the letter', () => {
  let system: TestSystem;
  let story: Story;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  it('leads to the gateway and back, and the page tells when the money is there', async () => {
    const applicationId = await story.submitted('retail_kiosk');
    await story.reaches(applicationId, 'pending_payment');
    const letter = `${system.api.url}/pay/${await story.invoiceOf(applicationId)}`;

    const sent = await visit(letter, { method: 'POST' });
    assert.equal(sent.status, 303);
    const gatewayPage = sent.headers.get('location') ?? '';
    assert.ok(gatewayPage.startsWith(`${system.sandboxUrl}/`), gatewayPage);
    const atGateway = await visit(gatewayPage);
    assert.equal(atGateway.status, 200);
    assert.equal((await visit(letter, { method: 'POST' })).headers.get('location'), gatewayPage, 'twice is once');

    const back = /class="back" href="([^"]+)"/.exec(atGateway.text)?.[1] ?? '';
    assert.match(back, new RegExp(`^${system.api.url}/paid/`));
    assert.equal(refreshesAfter(await visit(back)), 5);

    const payment = await system.database.db('payments').first('gateway_reference', 'requested_by');
    const applicant = await system.database.db('applications').where({ id: applicationId }).first('applicant_id');
    assert.equal(payment.requested_by, applicant.applicant_id, 'on behalf of the applicant');
    await story.sandbox(payment.gateway_reference, 'pay');
    await eventually('the page says that it is paid', async () => /PEMBAYARAN DITERIMA/.test((await visit(back)).text));
    const settled = await visit(letter);
    assert.match(settled.text, /LUNAS/);
    assert.ok(!hasButton(settled));
    assert.equal((await visit(letter, { method: 'POST' })).status, 409);
  });
});
