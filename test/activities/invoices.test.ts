import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createInvoiceActivities } from '../../activities/invoices.ts';
import { creditNotesOfInvoice, issueCreditNote } from '../../db/credit-notes.ts';
import { createFileStore, type FileStore } from '../../db/files.ts';
import { applyToInvoice } from '../../db/invoice-payments.ts';
import { invoiceOf, issueInvoice } from '../../db/invoices.ts';
import { postEntry } from '../../db/ledger.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { invoiceFacts } from '../../db/printed.ts';
import { issueReceipt, receiptsOfInvoice } from '../../db/receipts.ts';
import { feeLines } from '../../domain/fees.ts';
import { asId, type CompanyId, type InvoiceId, type PaymentId, type RefundId, type UserId } from '../../domain/ids.ts';
import { creditShares } from '../../domain/invoicing.ts';
import { captured } from '../../domain/ledger.ts';
import type { PaymentPolicy } from '../../domain/licensing.ts';
import { aBookedInvoice, aBookedRefund, aCapture, type Captured } from '../builders/books.ts';
import { aCompany, aLicenseType, anApplication, aPayment, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';
import { linesOf } from './documents/pdf-text.ts';

const TUESDAY = '2026-03-03T02:00:00.000Z';
const IN_PARTS: PaymentPolicy = {
  remindAfterDays: [3],
  lapseAfterDays: 7,
  instalments: [
    { percent: 50, dueAfterDays: 2 },
    { percent: 50, dueAfterDays: 7 },
  ],
};

describe('the papers of an invoice', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let directory: string;
  let files: FileStore;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
    directory = await temporaryDirectory();
    files = createFileStore(directory);
  });
  after(async () => {
    await database?.drop();
    await removeDirectory(directory);
  });

  const activities = (store = files) =>
    createInvoiceActivities({
      db: database.db,
      files: store,
      personalData: createPersonalData([PERSONAL_DATA_KEY]),
      money: MONEY_POLICY,
    });
  /** A disk that is full the first time. */
  const failingOnce = (): FileStore => {
    let failed = false;
    const put: FileStore['put'] = (content) => {
      if (failed) return files.put(content);
      failed = true;
      return Promise.reject(new Error('disk full'));
    };
    return { ...files, put };
  };

  const issued = async (payment?: PaymentPolicy): Promise<InvoiceId> => {
    const type = await aLicenseType(database.db, payment ? { payment } : {});
    const given = { companyId, type, applicantId: owner, state: 'pending_payment' } as const;
    const applicationId = await anApplication(database.db, given);
    const invoice = { applicationId, at: MONDAY, dueAt: '2026-03-09T02:00:00.000Z', lines: feeLines(type.policy.fee) };
    await database.db.transaction((tx) => issueInvoice(tx, invoice));
    return (await invoiceOf(database.db, applicationId)).invoiceId;
  };
  const paid = async (invoiceId: InvoiceId, amountMinor = 361_000n, instalment: number | null = null, attempt = 1) => {
    const { id } = await aPayment(database.db, { invoiceId, state: 'paid', attempt });
    await database.db.transaction(async (tx) => {
      await tx('payments').where({ id }).update({
        paid_minor: amountMinor,
        applied_minor: amountMinor,
        paid_at: MONDAY,
        method: 'bca_va',
        instalment,
      });
      await applyToInvoice(tx, { invoiceId, amountMinor, at: MONDAY });
    });
    return id;
  };
  const row = (table: 'receipts' | 'credit_notes', id: string) => database.db(table).where({ id }).first();
  const textOf = async (table: 'receipts' | 'credit_notes', id: string): Promise<string> => {
    const content = await files.read((await row(table, id)).pdf_sha256);
    assert.ok(content);
    return linesOf(content).join('\n');
  };
  const eventsOf = async (key: string): Promise<string[]> =>
    (await database.db('events').where({ key }).select('type')).map(({ type }) => type);

  describe('a receipt', () => {
    it('says what was paid, when, how, for which invoice, and that nothing is owed any more', async () => {
      const payment = await paid(await issued());
      const { receiptId, number } = await activities().printReceipt({ paymentId: payment, at: TUESDAY });
      const text = await textOf('receipts', receiptId);
      for (const part of [
        number,
        'KUITANSI',
        'Rp361.000',
        '2 Maret 2026 pukul 09.00 WIB',
        'Midtrans, BCA VA',
        'CV Uji Coba',
        'Izin Uji',
        'Lunas',
      ]) {
        assert.ok(text.includes(part), `${part} in\n${text}`);
      }
      assert.match(text, /INV\/2026\/\d{6}/);
      assert.doesNotMatch(text, /Angsuran/);
    });

    it('of an instalment says which one it was, and what is still owed, in the payer’s language', async () => {
      await database.db('users').where({ id: owner }).update({ locale: 'en' });
      const invoice = await issued(IN_PARTS);
      const [first, second] = [await paid(invoice, 180_500n, 1), await paid(invoice, 180_500n, 2, 2)];
      const { receiptId } = await activities().printReceipt({ paymentId: second, at: TUESDAY });
      assert.match(await textOf('receipts', receiptId), /RECEIPT[\s\S]*Rp180\.500[\s\S]*2 of 2[\s\S]*paid in full/);
      await database.db('users').where({ id: owner }).update({ locale: 'id' });
      const late = await activities().printReceipt({ paymentId: first, at: TUESDAY });
      assert.match(await textOf('receipts', late.receiptId), /1 dari 2/);
      assert.equal((await receiptsOfInvoice(database.db, invoice)).length, 2);
    });

    it('keeps what was owed when it was issued, though more is paid before it is printed', async () => {
      const invoice = await issued(IN_PARTS);
      const first = await paid(invoice, 180_500n, 1);
      const flaky = activities(failingOnce());
      await assert.rejects(flaky.printReceipt({ paymentId: first, at: TUESDAY }), /disk full/);
      await paid(invoice, 180_500n, 2, 2);
      const { receiptId } = await flaky.printReceipt({ paymentId: first, at: '2026-03-05T02:00:00.000Z' });
      assert.match(await textOf('receipts', receiptId), /3 Maret 2026[\s\S]*Sisa tagihan\nRp180\.500/);
    });

    it('is one for a payment, with one number and one PDF, though five print it at once and one later', async () => {
      const payment = await paid(await issued());
      const print = () => activities().printReceipt({ paymentId: payment, at: TUESDAY });
      const printed = await Promise.all(Array.from({ length: 5 }, print));
      const before = await row('receipts', printed[0]?.receiptId ?? '');
      printed.push(await print());
      assert.equal(new Set(printed.map(({ number }) => number)).size, 1);
      assert.deepEqual(await row('receipts', printed[0]?.receiptId ?? ''), before);
      assert.deepEqual(await eventsOf(`receipt/${payment}/issued`), ['receipt.issued']);
    });

    it('is made for what was taken back before it could be', async () => {
      const invoiceId = await issued();
      const payment = await paid(invoiceId);
      await database.db.transaction(async (tx) => {
        await postEntry(tx, {
          key: `payment/${invoiceId}/1/captured`,
          kind: 'captured',
          currency: 'IDR',
          postings: captured(361_000n, 361_000n),
          paymentId: payment,
          invoiceId,
          at: MONDAY,
        });
        await tx('payments').where({ id: payment }).update({ applied_minor: 0 });
      });
      const { receiptId } = await activities().printReceipt({ paymentId: payment, at: TUESDAY });
      assert.equal((await row('receipts', receiptId)).amount_minor, 361_000n);
    });

    it('is none for a payment that paid nothing of its invoice', async () => {
      const { id } = await aPayment(database.db, { invoiceId: await issued(), state: 'paid' });
      await assert.rejects(activities().printReceipt({ paymentId: id, at: TUESDAY }), /paid nothing/);
      const missing = asId<PaymentId>(randomUUID());
      await assert.rejects(activities().printReceipt({ paymentId: missing, at: TUESDAY }), /does not exist/);
    });

    it('has a number without gap or double among many at once, some of which roll back', async () => {
      const payments = await Promise.all(Array.from({ length: 24 }, async () => paid(await issued())));
      const at = '2028-03-03T02:00:00.000Z';
      const numbers = await numbersOf(payments, (tx, paymentId) => issueReceipt(tx, { paymentId, at }));
      assert.deepEqual(numbers, series('RCP/2028', 18));
    });
  });

  describe('a credit note', () => {
    /** As its reservation leaves it. */
    const refunded = async (invoiceId: InvoiceId, amountMinor: bigint, lines = true): Promise<RefundId> => {
      const paymentId = await paid(invoiceId);
      const id = asId<RefundId>(randomUUID());
      await database.db('refunds').insert({
        id,
        payment_id: paymentId,
        invoice_id: invoiceId,
        company_id: companyId,
        state: 'reserved',
        amount_minor: amountMinor,
        currency: 'IDR',
        source: lines ? 'invoice' : 'suspense',
        reason: 'wrong_amount',
        needs_approval: false,
        requested_at: TUESDAY,
        updated_at: TUESDAY,
      });
      const remaining = [
        { position: 1, kind: 'statutory', netMinor: 250_000n, taxMinor: 0n },
        { position: 2, kind: 'service', netMinor: 100_000n, taxMinor: 11_000n },
      ] as const;
      const shares = lines ? creditShares(remaining, amountMinor) : [];
      for (const { position, netMinor, taxMinor } of shares) {
        const share = { position, net_minor: netMinor, tax_minor: taxMinor };
        await database.db('refund_lines').insert({ refund_id: id, invoice_id: invoiceId, ...share });
      }
      return id;
    };
    const credit = (refundId: RefundId, at = TUESDAY) =>
      database.db.transaction((tx) => issueCreditNote(tx, { refundId, at }));

    it('repeats what the refund took back, line by line, and leaves the invoice as it was', async () => {
      const invoice = await issued();
      const lines = () => database.db('invoice_lines').where({ invoice_id: invoice }).orderBy('position');
      const [before, refundId] = [await lines(), await refunded(invoice, 36_100n)];
      const note = await credit(refundId);
      assert.ok(note);
      const stored = await database.db('credit_note_lines').where({ credit_note_id: note.id }).orderBy('position');
      assert.deepEqual(
        stored.map((line) => [line.code, line.kind, line.net_minor, line.tax_minor]),
        [
          ['statutory_fee', 'statutory', 25_000n, 0n],
          ['service_fee', 'service', 10_000n, 1_100n],
        ],
      );
      const { credited_minor, total_minor } = await database.db('invoices').where({ id: invoice }).first();
      assert.deepEqual([credited_minor, total_minor, await lines()], [36_100n, 361_000n, before]);
      const [read] = await creditNotesOfInvoice(database.db, invoice);
      assert.deepEqual([read?.total.amountMinor, read?.tax.amountMinor, read?.refundId], [36_100n, 1_100n, refundId]);
    });

    it('is one for a refund, and counts once', async () => {
      const invoice = await issued();
      const refundId = await refunded(invoice, 361_000n);
      const notes = [...(await Promise.all([credit(refundId), credit(refundId)])), await credit(refundId)];
      assert.equal(new Set(notes.map((note) => note?.number)).size, 1);
      const { credited_minor } = await database.db('invoices').where({ id: invoice }).first();
      assert.equal(credited_minor, 361_000n);
      assert.deepEqual(await eventsOf(`refund/${refundId}/credited`), ['invoice.credited']);
    });

    it('adds to those before it', async () => {
      const invoice = await issued();
      const first = await refunded(invoice, 1_000n);
      await credit(first);
      await credit(await another(first, 500n));
      const { credited_minor } = await database.db('invoices').where({ id: invoice }).first();
      assert.equal(credited_minor, 1_500n);
    });
    const another = async (refundId: RefundId, netMinor: bigint): Promise<RefundId> => {
      const id = asId<RefundId>(randomUUID());
      const { invoice_id, ...refund } = await database.db('refunds').where({ id: refundId }).first();
      await database.db('refunds').insert({ ...refund, invoice_id, id });
      const share = { position: 1, net_minor: netMinor, tax_minor: 0 };
      await database.db('refund_lines').insert({ refund_id: id, invoice_id, ...share });
      return id;
    };

    it('is none for a refund out of suspense, which corrects no invoice', async () => {
      const refundId = await refunded(await issued(), 5_000n, false);
      assert.equal(await credit(refundId), null);
      assert.equal(await activities().printCreditNote({ refundId }), null);
      assert.deepEqual(await eventsOf(`refund/${refundId}/credited`), []);
    });

    it('is printed once, in the payer’s language, with the invoice that it corrects and why', async () => {
      const refundId = await refunded(await issued(), 111_000n);
      const note = await credit(refundId);
      assert.ok(note);
      const flaky = activities(failingOnce());
      await assert.rejects(flaky.printCreditNote({ refundId }), /disk full/);
      assert.deepEqual(await flaky.printCreditNote({ refundId }), { creditNoteId: note.id });
      const text = await textOf('credit_notes', note.id);
      for (const part of ['NOTA KREDIT', note.number, 'Alasan: jumlah keliru', 'Total dikreditkan', 'Rp111.000']) {
        assert.ok(text.includes(part), `${part} in\n${text}`);
      }
      assert.match(text, /Mengoreksi tagihan: INV\/2026\/\d{6}/);
      const before = await row('credit_notes', note.id);
      await database.db('users').where({ id: owner }).update({ locale: 'en' });
      await activities().printCreditNote({ refundId });
      assert.deepEqual(await row('credit_notes', note.id), before);
      const other = await refunded(await issued(), 111_000n);
      const english = await credit(other);
      await activities().printCreditNote({ refundId: other });
      assert.match(await textOf('credit_notes', english?.id ?? ''), /CREDIT NOTE[\s\S]*Reason: wrong amount/);
      await database.db('users').where({ id: owner }).update({ locale: 'id' });
    });

    it('has a number without gap or double among many at once, some of which roll back', async () => {
      const refunds = await Promise.all(Array.from({ length: 24 }, async () => refunded(await issued(), 1_000n)));
      const at = '2028-03-03T02:00:00.000Z';
      const numbers = await numbersOf(refunds, (tx, refundId) => issueCreditNote(tx, { refundId, at }));
      assert.deepEqual(numbers, series('CN/2028', 18));
    });
  });

  describe('of an invoice of no application that does not say by which rule it was taxed', () => {
    const FIRST_OFFICE = 'Dinas Perizinan Kota Contoh';
    let other: CompanyId;
    let payment: Captured;
    before(async () => {
      const member = await aUser(database.db, 'owner');
      await database.db('users').where({ id: member }).update({ locale: 'en' });
      other = await aCompany(database.db, member);
      payment = await aCapture(database.db, await aBookedInvoice(database.db, other));
    });

    it('are printed all the same, by the first office, in the language of its oldest member', async () => {
      const { receiptId } = await activities().printReceipt({ paymentId: payment.id, at: TUESDAY });
      const receipt = await textOf('receipts', receiptId);
      assert.match(receipt, /RECEIPT[\s\S]*RCP\/2026\/\d{6}[\s\S]*Rp361\.000/);
      assert.ok(receipt.includes(FIRST_OFFICE), receipt);
      assert.doesNotMatch(receipt, /For the licence/);
      const refundId = await aBookedRefund(database.db, payment, { amount: 11_100n, state: 'succeeded' });
      const share = { position: 2, net_minor: 10_000, tax_minor: 1_100 };
      await database.db('refund_lines').insert({ refund_id: refundId, invoice_id: payment.invoice.id, ...share });
      const note = await database.db.transaction((tx) => issueCreditNote(tx, { refundId, at: TUESDAY }));
      assert.deepEqual(await activities().printCreditNote({ refundId }), { creditNoteId: note?.id });
      const credit = await textOf('credit_notes', note?.id ?? '');
      assert.match(credit, /CREDIT NOTE[\s\S]*Rp10\.000[\s\S]*Rp1\.100/);
      // A rate that nobody recorded is not made up.
      assert.doesNotMatch(credit, /%/);
    });

    it('the invoice too', async () => {
      const facts = await invoiceFacts(database.db, payment.invoice.id);
      assert.deepEqual(
        [facts.officeName, facts.locale, facts.taxRule, facts.lines.length],
        [FIRST_OFFICE, 'en', null, 2],
      );
    });

    it('in Indonesian where nobody is left to ask', async () => {
      await database.db('company_members').where({ company_id: other }).delete();
      assert.equal((await invoiceFacts(database.db, payment.invoice.id)).locale, 'id');
    });
  });

  /** Every fourth rolls back. */
  const numbersOf = async <Id>(
    ids: readonly Id[],
    take: (tx: TestDatabase['db'], id: Id) => Promise<{ number: string } | null>,
  ): Promise<string[]> => {
    const taken = ids.map((id, index) =>
      database.db.transaction(async (tx) => {
        const made = await take(tx, id);
        if (index % 4 === 0) throw new Error('rolled back');
        return made?.number ?? 'none';
      }),
    );
    const outcomes = await Promise.allSettled(taken);
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])).toSorted();
  };
  const series = (of: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${of}/${String(index + 1).padStart(6, '0')}`);
});
