import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildInvoice, type InvoiceLineInput, PPN_2025 } from '../../domain/invoicing.ts';
import {
  ACCOUNT_CODES,
  ACCOUNTS,
  type Account,
  balanced,
  captured,
  creditApplied,
  invoiceClosed,
  invoiceIssued,
  naturalBalance,
  type Posting,
  type RefundPaidFrom,
  type RefundSource,
  refundCameBack,
  refundPaid,
  refundReleased,
  refundReserved,
  reversed,
  settled,
  settlementAdjusted,
  sharesOf,
  suspenseApplied,
  suspenseReleased,
  takenBack,
  unapplied,
} from '../../domain/ledger.ts';
import { rupiah } from '../../domain/money.ts';

const RUNS = Number(process.env.ALUR_PROPERTY_RUNS ?? 500);
const check = <Given>(property: fc.IProperty<Given>) => fc.assert(property, { numRuns: RUNS });

const amount = fc.bigInt(0n, 10n ** 15n);
const signed = fc.bigInt(-(10n ** 15n), 10n ** 15n);
const shares = fc.record({ serviceMinor: amount, statutoryMinor: amount, taxMinor: amount });
const source: fc.Arbitrary<RefundSource> = fc.oneof(
  fc.record({ from: fc.constant('invoice' as const), shares }),
  fc.record({ from: fc.constant('suspense' as const), amountMinor: amount }),
);
const payer = fc.constantFrom<RefundPaidFrom>('gateway_clearing', 'bank', 'store_credit');
/** Paid, and what of it was applied. */
const payment = fc.tuple(amount, amount).map(([a, b]) => (a > b ? ([a, b] as const) : ([b, a] as const)));

const on = (postings: readonly Posting[], account: Account): bigint =>
  postings.reduce((sum, posting) => (posting.account === account ? sum + posting.amountMinor : sum), 0n);
const total = (postings: readonly Posting[]): bigint =>
  postings.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
const owed = (from: RefundSource): bigint =>
  from.from === 'suspense'
    ? from.amountMinor
    : from.shares.serviceMinor + from.shares.statutoryMinor + from.shares.taxMinor;

const entries: fc.Arbitrary<Posting[]> = fc.oneof(
  shares.map(invoiceIssued),
  shares.map(invoiceClosed),
  amount.map(unapplied),
  payment.map(([paid, applied]) => captured(paid, applied)),
  payment.map(([paid, applied]) => takenBack(paid, applied)),
  amount.map(suspenseApplied),
  fc
    .tuple(amount, fc.constantFrom('store_credit' as const, 'other_income' as const))
    .map(([a, to]) => suspenseReleased(a, to)),
  amount.map(creditApplied),
  source.map(refundReserved),
  source.map(refundReleased),
  fc.tuple(amount, payer).map(([a, from]) => refundPaid(a, from)),
  fc.tuple(amount, payer).map(([a, to]) => refundCameBack(a, to)),
  fc.tuple(signed, signed).map(([gross, fee]) => settled(gross, fee)),
  signed.map(settlementAdjusted),
);

describe('an entry of the ledger', () => {
  it('balances, names each account once, and posts no nothing; whatever it tells of', () => {
    check(
      fc.property(entries, (postings) => {
        assert.equal(total(postings), 0n);
        assert.ok(postings.every(({ amountMinor }) => amountMinor !== 0n));
        assert.equal(new Set(postings.map(({ account }) => account)).size, postings.length);
        assert.ok(postings.length !== 1);
      }),
    );
  });

  it('that does not balance is a bug', () => {
    assert.throws(() => balanced([{ account: 'bank', amountMinor: 1n }]), /off balance by 1/);
    check(
      fc.property(entries, fc.bigInt(1n, 10n ** 6n), (postings, more) => {
        assert.throws(() => balanced([...postings, { account: 'suspense', amountMinor: more }]), RangeError);
      }),
    );
  });

  it('and its reverse leave nothing', () => {
    check(fc.property(entries, (postings) => assert.deepEqual(balanced([...postings, ...reversed(postings)]), [])));
  });
});

describe('the money of a payment in the ledger', () => {
  it('is a claim for what the invoice adds up to, on the accounts that its lines belong to', () => {
    const line = (kind: InvoiceLineInput['kind'], net: number): InvoiceLineInput => ({
      code: kind,
      description: { id: 'Biaya', en: 'Fee' },
      kind,
      net: rupiah(net),
    });
    const lines = fc.array(
      fc.tuple(fc.constantFrom('statutory' as const, 'service' as const), fc.nat(10 ** 9)).map(([k, n]) => line(k, n)),
      { minLength: 1, maxLength: 8 },
    );
    check(
      fc.property(lines, (given) => {
        const built = buildInvoice(given, PPN_2025);
        const entry = invoiceIssued(sharesOf(built));
        assert.equal(on(entry, 'receivable'), built.total.amountMinor);
        assert.equal(-on(entry, 'vat'), built.tax.amountMinor);
        assert.equal(-on(entry, 'service_revenue') - on(entry, 'statutory_fees'), built.subtotal.amountMinor);
      }),
    );
  });

  it('is all with the gateway, and what the invoice does not need of it is in suspense', () => {
    check(
      fc.property(payment, ([paid, applied]) => {
        const entry = captured(paid, applied);
        assert.deepEqual(
          [on(entry, 'gateway_clearing'), -on(entry, 'receivable'), -on(entry, 'suspense')],
          [paid, applied, paid - applied],
        );
      }),
    );
  });

  it('leaves nothing when the gateway takes it back', () => {
    check(
      fc.property(payment, ([paid, applied]) =>
        assert.deepEqual(balanced([...captured(paid, applied), ...takenBack(paid, applied)]), []),
      ),
    );
  });

  it('is in suspense when its invoice closes, and nothing is claimed any more', () => {
    check(
      fc.property(shares, fc.nat(100), (given, percent) => {
        const charged = given.serviceMinor + given.statutoryMinor + given.taxMinor;
        const part = (charged * BigInt(percent)) / 100n;
        const all = balanced([
          ...invoiceIssued(given),
          ...captured(part, part),
          ...invoiceClosed(given),
          ...unapplied(part),
        ]);
        assert.deepEqual(all, balanced([...captured(part, 0n)]));
      }),
    );
  });

  it('comes back whole: a refund of everything equals the capture', () => {
    check(
      fc.property(shares, (given) => {
        const charged = given.serviceMinor + given.statutoryMinor + given.taxMinor;
        const everything: RefundSource = { from: 'invoice', shares: given };
        const all = [
          ...invoiceIssued(given),
          ...captured(charged, charged),
          ...refundReserved(everything),
          ...refundPaid(charged, 'gateway_clearing'),
        ];
        assert.deepEqual(balanced(all), []);
      }),
    );
  });

  it('is owed while a refund is reserved, and by nobody after it was paid, came back and was released', () => {
    check(
      fc.property(source, payer, (from, by) => {
        const due = owed(from);
        assert.equal(-on(refundReserved(from), 'refunds'), due);
        assert.deepEqual(balanced([...refundReserved(from), ...refundReleased(from)]), []);
        assert.equal(on([...refundReserved(from), ...refundPaid(due, by)], 'refunds'), 0n);
        const all = [
          ...refundReserved(from),
          ...refundPaid(due, by),
          ...refundCameBack(due, by),
          ...refundReleased(from),
        ];
        assert.deepEqual(balanced(all), []);
      }),
    );
  });

  it('has left the gateway when it is settled: what the fee does not take is in the bank', () => {
    check(
      fc.property(amount, signed, (gross, fee) => {
        const all = balanced([...captured(gross, gross), ...settled(gross, fee)]);
        assert.deepEqual(
          [on(all, 'gateway_clearing'), on(all, 'bank'), on(all, 'gateway_fees')],
          [0n, gross - fee, fee],
        );
      }),
    );
  });
});

describe('a balance in a report', () => {
  it('is positive where it is usual', () => {
    const shown = ACCOUNT_CODES.map((account) => [account, naturalBalance(account, rupiah(5)).amountMinor]);
    const debits = ACCOUNT_CODES.filter((account) => ['asset', 'expense'].includes(ACCOUNTS[account]));
    assert.deepEqual(
      shown,
      ACCOUNT_CODES.map((account) => [account, debits.includes(account) ? 5n : -5n]),
    );
    assert.deepEqual(debits, ['receivable', 'gateway_clearing', 'bank', 'gateway_fees', 'written_off']);
  });
});
