import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createActivationActivities } from '../../activities/activation.ts';
import { createPaymentActivities } from '../../activities/payments.ts';
import { createFileStore } from '../../db/files.ts';
import { postEntry } from '../../db/ledger.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { requestRefund } from '../../db/refund-requests.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type InvoiceId,
  type RefundId,
  type UserId,
} from '../../domain/ids.ts';
import { invoiceIssued } from '../../domain/ledger.ts';
import { type Money, money, rupiah } from '../../domain/money.ts';
import {
  type GatewayPaymentState,
  ODD_MONEY_KINDS,
  ODD_MONEY_WAYS,
  type OddMoneyKind,
  type OddMoneyPolicy,
} from '../../domain/payments.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  anInvoice,
  aUser,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';
import { type ScriptedGateway, scriptedGateway } from '../support/scripted-gateway.ts';

const LATER = '2026-03-03T02:00:00.000Z';
const TOTAL = 361_000n;

describe('what a gateway says of money', () => {
  let database: TestDatabase;
  let gateway: ScriptedGateway;
  let activities: ReturnType<typeof createPaymentActivities>;
  let activation: ReturnType<typeof createActivationActivities>;
  let owner: UserId;
  let type: LicenseTypeRow;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    const { db } = database;
    gateway = scriptedGateway('midtrans');
    owner = await aUser(db, 'owner');
    type = await aLicenseType(db);
    companyId = await aCompany(db, owner);
    const deps = {
      db,
      gateways: { midtrans: gateway },
      publicUrl: 'https://alur.example',
      personalData: createPersonalData([PERSONAL_DATA_KEY]),
      money: MONEY_POLICY,
    };
    activities = createPaymentActivities(deps);
    const never = async () => assert.fail('not asked');
    activation = createActivationActivities({
      ...deps,
      files: createFileStore('/nonexistent'),
      signer: { sign: never },
      mail: { send: never, close: () => undefined },
      sms: null,
      registries: null,
      carrier: null,
      scanner: null,
      documentRetentionDays: 3_650,
      secretKey: PERSONAL_DATA_KEY,
      auditPrivateKeyPem: '',
    });
  });
  after(() => database?.drop());

  interface Bill {
    readonly invoiceId: InvoiceId;
    readonly applicationId: ApplicationId;
  }

  /** An open invoice over 361.000, as the approval issues it, with an application that waits for its payment. */
  const bill = async (given: { oddMoney?: OddMoneyPolicy; parts?: readonly bigint[] } = {}): Promise<Bill> => {
    const { db } = database;
    const applicationId = await anApplication(db, { companyId, type, applicantId: owner, state: 'pending_payment' });
    const invoiceId = await anInvoice(db, { companyId, applicationId });
    await db('invoices')
      .where({ id: invoiceId })
      .update({ odd_money: JSON.stringify(given.oddMoney ?? {}) });
    for (const [index, amount] of (given.parts ?? []).entries())
      await db('invoice_instalments').insert({
        invoice_id: invoiceId,
        position: index + 1,
        amount_minor: amount,
        due_at: '2026-03-04T02:00:00Z',
      });
    await db.transaction((tx) =>
      postEntry(tx, {
        key: `invoice/${invoiceId}/issued`,
        kind: 'invoice_issued',
        currency: 'IDR',
        postings: invoiceIssued({ serviceMinor: 100_000n, statutoryMinor: 250_000n, taxMinor: 11_000n }),
        companyId,
        invoiceId,
        at: MONDAY,
      }),
    );
    return { invoiceId, applicationId };
  };

  const open = async ({ invoiceId }: Bill, attempt = 1, part?: 'next' | 'all') => {
    const reference = `${invoiceId}-${attempt}`;
    const opened = await activities.openAttempt({
      invoiceId,
      attempt,
      reference,
      gateway: 'midtrans',
      method: null,
      ...(part ? { part } : {}),
      by: owner,
      locale: 'id',
      at: MONDAY,
      expiresAt: '2099-01-01T00:00:00Z',
    });
    assert.equal(opened.outcome, 'open');
    return reference;
  };

  /** Asks twice each time: a repeat must change nothing. */
  const hears = async (
    { invoiceId }: Bill,
    reference: string,
    state: GatewayPaymentState,
    paid: Money | null = null,
  ) => {
    gateway.says(reference, state, paid);
    const question = { invoiceId, reference, at: LATER, noticesUpTo: null, expireFirst: false };
    const first = await activities.confirmPayment(question);
    const books = await entriesOf(invoiceId);
    const second = await activities.confirmPayment(question);
    assert.deepEqual(await entriesOf(invoiceId), books, 'a repeat enters nothing');
    assert.deepEqual([second.attempt.state, second.invoiceState], [first.attempt.state, first.invoiceState]);
    assert.deepEqual([second.caseKind, second.isReceived, second.refundId], [null, false, null]);
    return first;
  };

  const entriesOf = async (invoiceId: InvoiceId): Promise<string[]> =>
    database.db('ledger_entries').where({ invoice_id: invoiceId }).orderBy('id').pluck<string[]>('key');

  /** Balance of an account over everything that is about an invoice; each entry is balanced by the database. */
  const balance = async (invoiceId: InvoiceId, account: string, currency = 'IDR'): Promise<bigint> => {
    const [row]: { sum: bigint | null }[] = await database
      .db('ledger_entries as e')
      .join('ledger_postings as p', 'p.entry_id', 'e.id')
      .where({ 'e.invoice_id': invoiceId, 'p.account': account, 'e.currency': currency })
      .select(database.db.raw('sum(p.amount_minor)::bigint as sum'));
    return row?.sum ?? 0n;
  };
  const invoiceNow = async ({ invoiceId }: Bill) =>
    database.db('invoices').where({ id: invoiceId }).first('state', 'paid_minor');
  const casesOf = async ({ invoiceId }: Bill) =>
    database
      .db('payment_cases')
      .where({ invoice_id: invoiceId })
      .orderBy('opened_at')
      .select('kind', 'state', 'resolution', 'amount_minor', 'currency');
  const short = (keys: string[], { invoiceId }: Bill) => keys.map((key) => key.replaceAll(invoiceId, '*'));
  const stateOf = async ({ applicationId }: Bill): Promise<string> => {
    const row: { state: string } | undefined = await database
      .db('applications')
      .where({ id: applicationId })
      .first('state');
    return row?.state ?? '';
  };
  const license = (given: Bill) =>
    activation.issueLicense({ applicationId: given.applicationId, typeCode: type.code, validityMonths: 60, at: LATER });
  const statusOf = async ({ applicationId }: Bill) =>
    (await database.db('licenses').where({ application_id: applicationId }).first('status'))?.status;

  it('enters a capture that pays the invoice with the payment, and nothing stays owed', async () => {
    const given = await bill();
    const said = await hears(given, await open(given), 'paid', rupiah(TOTAL));
    assert.deepEqual([said.invoiceState, said.isReceived, said.caseKind], ['paid', true, null]);
    assert.deepEqual(short(await entriesOf(given.invoiceId), given), ['invoice/*/issued', 'payment/*/1/captured']);
    assert.equal(await balance(given.invoiceId, 'receivable'), 0n);
    assert.equal(await balance(given.invoiceId, 'gateway_clearing'), TOTAL);
    assert.equal(await stateOf(given), 'activating');
    const payment = await database.db('payments').where({ invoice_id: given.invoiceId }).first('applied_minor');
    assert.deepEqual(payment, { applied_minor: TOTAL });
  });

  it('pays an invoice in parts, in the order of its instalments, and asks for what is left only', async () => {
    const given = await bill({ parts: [100_000n, 100_000n, 161_000n] });
    const first = await open(given);
    const said = await hears(given, first, 'paid', rupiah(100_000));
    assert.deepEqual([said.invoiceState, said.isPartPaid, said.isReceived], ['open', true, true]);
    assert.equal(await stateOf(given), 'pending_payment');
    await hears(given, await open(given, 2), 'paid', rupiah(50_000));
    assert.deepEqual(await casesOf(given), [], 'a part of a part is no case');
    await hears(given, await open(given, 3), 'paid', rupiah(50_000));
    const paid = await database
      .db('invoice_instalments')
      .where({ invoice_id: given.invoiceId })
      .orderBy('position')
      .select(database.db.raw('paid_at is not null as paid'));
    assert.deepEqual(
      paid.map((row: { paid: boolean }) => row.paid),
      [true, true, false],
    );
    const last = await hears(given, await open(given, 4), 'paid', rupiah(161_000));
    assert.equal(last.invoiceState, 'paid');
    assert.equal(await balance(given.invoiceId, 'receivable'), 0n);
    const asked = gateway.created.filter(({ reference }) => reference.startsWith(given.invoiceId));
    assert.deepEqual(
      asked.map(({ amount }) => amount.amountMinor),
      [100_000n, 100_000n, 50_000n, 161_000n],
    );
  });

  /** Makes money of each kind odd, over an invoice of 361.000; what of it waits in suspense. */
  const ODD: Record<OddMoneyKind, (given: Bill) => Promise<Money>> = {
    late: async (given) => {
      const reference = await open(given);
      await activation.lapseUnpaid({ invoiceId: given.invoiceId, at: LATER });
      await hears(given, reference, 'paid', rupiah(TOTAL));
      return rupiah(TOTAL);
    },
    twice: async (given) => {
      const first = await open(given);
      await hears(given, first, 'expired');
      await hears(given, await open(given, 2), 'paid', rupiah(TOTAL));
      await hears(given, first, 'paid', rupiah(TOTAL));
      return rupiah(TOTAL);
    },
    short: async (given) => {
      await hears(given, await open(given), 'paid', rupiah(TOTAL - 1n));
      return rupiah(TOTAL - 1n);
    },
    over: async (given) => {
      const said = await hears(given, await open(given), 'paid', rupiah(TOTAL + 500n));
      assert.equal(said.invoiceState, 'paid', 'the payer gets the licence');
      return rupiah(500);
    },
    wrong_currency: async (given) => {
      await hears(given, await open(given), 'paid', money(5_000, 'MYR'));
      return money(5_000, 'MYR');
    },
  };

  for (const kind of ODD_MONEY_KINDS) {
    for (const way of ODD_MONEY_WAYS) {
      it(`${kind} money by policy ${way}`, async () => {
        const given = await bill({ oddMoney: { [kind]: way } });
        const { amountMinor, currency } = await ODD[kind](given);
        const resolved = way === 'store_credit';
        assert.deepEqual(await casesOf(given), [
          {
            kind,
            state: resolved ? 'resolved' : 'open',
            resolution: resolved ? 'store_credit' : null,
            amount_minor: amountMinor,
            currency,
          },
        ]);
        assert.equal(await balance(given.invoiceId, 'suspense', currency), resolved ? 0n : -amountMinor);
        assert.equal(await balance(given.invoiceId, 'store_credit', currency), resolved ? -amountMinor : 0n);
        const refunds = await database
          .db('refunds')
          .where({ invoice_id: given.invoiceId })
          .select('amount_minor', 'currency', 'source', 'requested_by');
        const refund = { amount_minor: amountMinor, currency, source: 'suspense', requested_by: null };
        assert.deepEqual(refunds, way === 'refund' ? [refund] : []);
      });
    }
  }

  it('a reversal suspends the licence at once and is mirrored in the books; a dispute that is won undoes it', async () => {
    const given = await bill();
    const reference = await open(given);
    await hears(given, reference, 'paid', rupiah(TOTAL));
    assert.ok(await license(given));
    for (const time of [1, 2]) {
      const said = await hears(given, reference, 'reversed');
      assert.deepEqual([said.invoiceState, said.caseKind], ['reversed', 'reversed'], `time ${time}`);
      assert.equal(await statusOf(given), 'suspended');
      assert.equal(await balance(given.invoiceId, 'receivable'), TOTAL, 'the payer owes again');
      assert.equal(await balance(given.invoiceId, 'gateway_clearing'), 0n);
      const back = await hears(given, reference, 'paid', rupiah(TOTAL));
      assert.equal(back.invoiceState, 'paid');
      assert.equal(await statusOf(given), 'active');
      assert.equal(await balance(given.invoiceId, 'receivable'), 0n);
    }
    assert.deepEqual(short(await entriesOf(given.invoiceId), given).slice(1), [
      'payment/*/1/captured',
      'payment/*/1/taken-back',
      'payment/*/1/given-back',
      'payment/*/1/taken-back/2',
      'payment/*/1/given-back/2',
    ]);
    const cases = await casesOf(given);
    assert.deepEqual(
      cases.map(({ kind, state, resolution }: Record<string, unknown>) => [kind, state, resolution]),
      Array.from({ length: 2 }, () => ['reversed', 'resolved', 'nothing_to_do']),
    );
    const letters = await database
      .db('account_letters')
      .where({ user_id: owner })
      .whereRaw(`data->>'licenseNumber' = (select number from licenses where application_id = ?)`, [
        given.applicationId,
      ])
      .pluck('template');
    assert.equal(letters.filter((template) => template === 'license_suspended').length, 2);
    assert.equal(letters.filter((template) => template === 'license_reinstated').length, 2);
  });

  it('a reversal before the licence leaves none, until the money is back', async () => {
    const given = await bill();
    const reference = await open(given);
    await hears(given, reference, 'paid', rupiah(TOTAL));
    await hears(given, reference, 'reversed');
    assert.equal(await license(given), null);
    assert.equal(await stateOf(given), 'activating');
    await hears(given, reference, 'paid', rupiah(TOTAL));
    const issued = await license(given);
    assert.ok(issued);
    await hears(given, reference, 'reversed');
    assert.deepEqual(await license(given), issued, 'what is there is found again, suspended');
    assert.equal(await statusOf(given), 'suspended');
  });

  it('an instalment that is taken back is owed again, and the invoice stays open', async () => {
    const given = await bill({ parts: [161_000n, 200_000n] });
    const first = await open(given);
    await hears(given, first, 'paid', rupiah(161_000));
    await hears(given, first, 'reversed');
    assert.deepEqual(await invoiceNow(given), { state: 'open', paid_minor: 0n });
    const marked = await database
      .db('invoice_instalments')
      .where({ invoice_id: given.invoiceId })
      .whereNotNull('paid_at');
    assert.deepEqual(marked, []);
    await hears(given, await open(given, 2), 'paid', rupiah(161_000));
    const asked = gateway.created.filter(({ reference }) => reference.startsWith(given.invoiceId));
    assert.deepEqual(
      asked.map(({ amount }) => amount.amountMinor),
      [161_000n, 161_000n],
    );
    assert.deepEqual(await invoiceNow(given), { state: 'open', paid_minor: 161_000n });
  });

  it('the parts of an invoice that lapses wait in suspense, a case each', async () => {
    const given = await bill({ parts: [161_000n, 200_000n], oddMoney: { late: 'store_credit' } });
    await hears(given, await open(given), 'paid', rupiah(161_000));
    for (const _ of [1, 2]) await activation.lapseUnpaid({ invoiceId: given.invoiceId, at: LATER });
    assert.equal(await balance(given.invoiceId, 'receivable'), 0n);
    assert.equal(await balance(given.invoiceId, 'suspense'), -161_000n);
    assert.deepEqual(await casesOf(given), [
      { kind: 'short', state: 'open', resolution: null, amount_minor: 161_000n, currency: 'IDR' },
    ]);
    assert.equal(await stateOf(given), 'lapsed_unpaid');
  });

  it('a part that is asked back when its invoice lapses goes back once, and only the rest is kept as credit', async () => {
    const given = await bill({ parts: [161_000n, 200_000n], oddMoney: { short: 'store_credit' } });
    await hears(given, await open(given), 'paid', rupiah(161_000));
    const payment = await database.db('payments').where({ invoice_id: given.invoiceId }).first('id');
    await database.db.transaction((tx) =>
      requestRefund(tx, {
        id: asId<RefundId>(randomUUID()),
        paymentId: payment.id,
        amountMinor: 100_000n,
        reason: 'goodwill',
        requestedBy: null,
        at: LATER,
        policy: MONEY_POLICY,
        requestedByPayer: false,
      }),
    );
    await activation.lapseUnpaid({ invoiceId: given.invoiceId, at: LATER });
    assert.equal(await balance(given.invoiceId, 'suspense'), -100_000n);
    assert.equal(await balance(given.invoiceId, 'store_credit'), -61_000n);
  });

  it('money that came and went unseen leaves both traces in the books', async () => {
    const given = await bill();
    const said = await hears(given, await open(given), 'refunded', rupiah(TOTAL));
    assert.deepEqual([said.attempt.state, said.invoiceState], ['reversed', 'open']);
    assert.deepEqual(short(await entriesOf(given.invoiceId), given).slice(1), [
      'payment/*/1/captured',
      'payment/*/1/taken-back',
    ]);
    assert.equal(await balance(given.invoiceId, 'suspense'), 0n);
  });

  it('a refund that nobody here has asked for is a case, once', async () => {
    const given = await bill();
    const reference = await open(given);
    await hears(given, reference, 'paid', rupiah(TOTAL));
    const said = await hears(given, reference, 'refunded', rupiah(TOTAL));
    assert.deepEqual([said.attempt.state, said.caseKind], ['paid', 'refund_differs']);
    assert.equal((await casesOf(given)).length, 1);
  });

  it('an attempt is let go though the gateway cannot end it, and what it brings later is accounted for', async () => {
    const given = await bill({ parts: [161_000n, 200_000n] });
    const reference = await open(given);
    const { invoiceId } = given;
    const question = { invoiceId, reference, at: LATER, noticesUpTo: null, expireFirst: true };
    assert.equal((await activities.confirmPayment(question)).attempt.state, 'pending');
    assert.equal((await activities.confirmPayment({ ...question, letGo: true })).attempt.state, 'expired');
    await open(given, 2, 'all');
    await hears(given, reference, 'paid', rupiah(161_000));
    const over = await hears(given, `${invoiceId}-2`, 'paid', rupiah(TOTAL));
    assert.deepEqual([over.invoiceState, over.caseKind], ['paid', 'over']);
    assert.equal(await balance(invoiceId, 'suspense'), -161_000n);
    assert.equal(await balance(invoiceId, 'receivable'), 0n);
  });

  it('store credit pays once a request, and only as much as there is', async () => {
    const { db } = database;
    const rich = await aCompany(db, owner, { name: 'CV Kredit' });
    const give = (amountMinor: bigint) =>
      db.transaction((tx) =>
        postEntry(tx, {
          key: `test/${randomUUID()}`,
          kind: 'suspense_released',
          currency: 'IDR',
          postings: [
            { account: 'suspense', amountMinor },
            { account: 'store_credit', amountMinor: -amountMinor },
          ],
          companyId: rich,
          at: MONDAY,
        }),
      );
    await give(400_000n);
    const bills: Bill[] = [];
    for (const _ of [1, 2]) {
      const given = await bill();
      await db('invoices').where({ id: given.invoiceId }).update({ company_id: rich });
      bills.push(given);
    }
    const [first, second] = bills;
    assert.ok(first && second);
    const pay = ({ invoiceId }: Bill, key: string) =>
      activities.payInvoiceWithCredit({ invoiceId, key, by: owner, at: LATER });
    const all = await Promise.all([pay(first, 'a'), pay(first, 'a'), pay(second, 'b')]);
    const applied = all.map(({ appliedMinor }) => BigInt(appliedMinor));
    assert.equal((applied[0] ?? 0n) + (applied[2] ?? 0n), 400_000n);
    assert.equal(applied[0], applied[1]);
    const credit = await Promise.all(bills.map(({ invoiceId }) => balance(invoiceId, 'store_credit')));
    assert.deepEqual(
      credit.reduce((sum, one) => sum + one, 0n),
      400_000n,
    );
    const open = applied[0] === TOTAL ? second : first;
    assert.deepEqual(await pay(open, 'c'), { appliedMinor: '0', invoiceState: 'open' });
    await activation.lapseUnpaid({ invoiceId: open.invoiceId, at: LATER });
    assert.equal(await balance(open.invoiceId, 'store_credit'), 0n, 'credit is credit again');
    assert.equal(await balance(open.invoiceId, 'suspense'), 0n);
  });

  it('a licence without an invoice is issued, and one that was refunded in full before is not', async () => {
    const free = await anApplication(database.db, { companyId, type, applicantId: owner, state: 'activating' });
    assert.ok(await license({ applicationId: free, invoiceId: asId<InvoiceId>(randomUUID()) }));
    const given = await bill();
    await hears(given, await open(given), 'paid', rupiah(TOTAL));
    await database.db('invoices').where({ id: given.invoiceId }).update({ credited_minor: TOTAL });
    assert.equal(await license(given), null);
  });
});
