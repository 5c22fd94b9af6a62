import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  allotByLargestRemainder,
  buildInvoice,
  formatInvoiceNumber,
  formatLicenseNumber,
  type InvoiceLineInput,
  PPN_2025,
  taxRuleOn,
} from '../../domain/invoicing.ts';
import { money, rupiah, sameMoney, sum } from '../../domain/money.ts';

const RUNS = Number(process.env.ALUR_PROPERTY_RUNS ?? 500);
const line = (kind: InvoiceLineInput['kind'], amount: bigint | number, code = 'x'): InvoiceLineInput => ({
  code,
  description: { id: 'Jasa', en: 'Service' },
  kind,
  net: rupiah(amount),
});

describe('an invoice', () => {
  it('adds 12 % of 11/12 to a service: Rp50.000.000 carry Rp5.500.000', () => {
    const invoice = buildInvoice([line('service', 50_000_000)], PPN_2025);
    assert.deepEqual(invoice.tax, rupiah(5_500_000));
    assert.deepEqual(invoice.total, rupiah(55_500_000));
    assert.deepEqual(invoice.lines[0]?.taxBase, rupiah(45_833_333));
  });

  it('adds no tax to a statutory fee', () => {
    const invoice = buildInvoice([line('statutory', 100_000), line('service', 50_000)], PPN_2025);
    assert.deepEqual(
      invoice.lines.map((l) => [l.taxBase.amountMinor, l.tax.amountMinor]),
      [
        [0n, 0n],
        [45_833n, 5_500n],
      ],
    );
    assert.deepEqual([invoice.subtotal, invoice.tax, invoice.total], [rupiah(150_000), rupiah(5_500), rupiah(155_500)]);
  });

  it('costs nothing more when all of it is statutory or free', () => {
    const invoice = buildInvoice([line('statutory', 100), line('service', 0)], PPN_2025);
    assert.deepEqual([invoice.tax, invoice.total], [rupiah(0), rupiah(100)]);
  });

  it('rounds the tax half up, once for the whole invoice', () => {
    // 11 % of 50 is 5,5 and of 40 is 4,4.
    assert.deepEqual(buildInvoice([line('service', 50)], PPN_2025).tax, rupiah(6));
    assert.deepEqual(buildInvoice([line('service', 40)], PPN_2025).tax, rupiah(4));
    const five = buildInvoice(
      Array.from({ length: 5 }, () => line('service', 4)),
      PPN_2025,
    );
    assert.deepEqual(five.tax, rupiah(2));
    assert.deepEqual(
      five.lines.map((l) => l.tax.amountMinor),
      [1n, 1n, 0n, 0n, 0n],
    );
  });

  it('takes the tax from the unrounded base', () => {
    // 11/12 of 32 is 29,33: 12 % of that is 3,52, of the rounded 29 only 3,48. And 11/12 of 77: 8,47 against 8,52.
    assert.deepEqual(buildInvoice([line('service', 32)], PPN_2025).tax, rupiah(4));
    assert.deepEqual(buildInvoice([line('service', 77)], PPN_2025).tax, rupiah(8));
  });

  it('adds up, line by line, and takes nothing from anybody', () => {
    const property = fc.property(invoiceLines(), (lines) => {
      const invoice = buildInvoice(lines, PPN_2025);
      assert.ok(
        sameMoney(
          sum(
            invoice.lines.map((l) => l.tax),
            'IDR',
          ),
          invoice.tax,
        ),
      );
      assert.ok(
        sameMoney(
          sum(
            invoice.lines.map((l) => l.net),
            'IDR',
          ),
          invoice.subtotal,
        ),
      );
      assert.equal(invoice.subtotal.amountMinor + invoice.tax.amountMinor, invoice.total.amountMinor);
      for (const l of invoice.lines) {
        assert.ok(l.tax.amountMinor >= 0n && l.taxBase.amountMinor >= 0n && l.taxBase.amountMinor <= l.net.amountMinor);
        if (l.kind === 'statutory') assert.equal(l.tax.amountMinor + l.taxBase.amountMinor, 0n);
      }
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('is off the exact tax by half a rupiah at most, and each line by less than one and a half', () => {
    const property = fc.property(invoiceLines(), (lines) => {
      const invoice = buildInvoice(lines, PPN_2025);
      const taxable = lines.filter((l) => l.kind === 'service').reduce((total, l) => total + l.net.amountMinor, 0n);
      const off = invoice.tax.amountMinor * 100n - taxable * 11n;
      assert.ok(off > -50n && off <= 50n, `${off}`);
      for (const l of invoice.lines) {
        const exact = l.kind === 'service' ? Number(l.net.amountMinor) * 0.11 : 0;
        assert.ok(Math.abs(Number(l.tax.amountMinor) - exact) < 1.5);
      }
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('is the same in any order of its lines', () => {
    const shuffled = invoiceLines().chain((lines) =>
      fc.tuple(fc.constant(lines), fc.shuffledSubarray(lines, { minLength: lines.length })),
    );
    const property = fc.property(shuffled, ([lines, other]) => {
      assert.deepEqual(amounts(lines), amounts(other));
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('refuses no lines, a negative price, two currencies and a rule that is none', () => {
    assert.throws(() => buildInvoice([], PPN_2025), /at least one line/);
    assert.throws(
      () => buildInvoice([line('service', 5), line('service', -1, 'discount')], PPN_2025),
      /discount.*negative/,
    );
    const foreign = { ...line('service', 5, 'abroad'), net: money(5, 'MYR') };
    assert.throws(() => buildInvoice([line('service', 5), foreign], PPN_2025), /abroad is not in IDR/);
    for (const wrong of [{ baseDenominator: 0 }, { ratePercent: -1 }, { ratePercent: 11.5 }]) {
      assert.throws(() => buildInvoice([line('service', 5)], { ...PPN_2025, ...wrong }), /not a tax rule/);
    }
  });
});

describe('the tax rule of a day', () => {
  const next = { ...PPN_2025, ratePercent: 15, effectiveFrom: '2027-01-01' };

  it('is the latest that has begun', () => {
    for (const rules of [
      [PPN_2025, next],
      [next, PPN_2025],
    ]) {
      assert.equal(taxRuleOn(rules, '2026-12-31'), PPN_2025);
      assert.equal(taxRuleOn(rules, '2027-01-01'), next);
    }
  });

  it('is asked for when there is none', () => {
    assert.throws(() => taxRuleOn([PPN_2025], '2024-12-31'), /no tax rule is in force on 2024-12-31/);
  });
});

describe('allotting by largest remainder', () => {
  it('gives what is left to those who lost most by rounding, then to the heavier, then to the earlier', () => {
    assert.deepEqual(allotByLargestRemainder(100n, [1n, 1n, 1n]), [34n, 33n, 33n]);
    assert.deepEqual(allotByLargestRemainder(10n, [15n, 25n, 60n]), [1n, 3n, 6n]);
    assert.deepEqual(allotByLargestRemainder(1n, [1n, 2n, 3n]), [0n, 0n, 1n]);
    assert.deepEqual(allotByLargestRemainder(0n, [0n, 0n]), [0n, 0n]);
    assert.deepEqual(allotByLargestRemainder(7n, [0n, 1n]), [0n, 7n]);
    assert.deepEqual(allotByLargestRemainder(0n, []), []);
  });

  it('gives everything away, to nobody more than a whole unit beside the exact share', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 12 });
    const property = fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), weights, (total, given) => {
      fc.pre(given.some((weight) => weight > 0n));
      const whole = given.reduce((a, b) => a + b, 0n);
      const parts = allotByLargestRemainder(total, given);
      assert.equal(
        parts.reduce((a, b) => a + b, 0n),
        total,
      );
      for (const [i, part] of parts.entries()) {
        const off = part * whole - total * (given[i] ?? 0n);
        assert.ok(off > -whole && off < whole);
      }
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('refuses negatives, and weights that say nothing', () => {
    assert.throws(() => allotByLargestRemainder(-1n, [1n]), RangeError);
    assert.throws(() => allotByLargestRemainder(1n, [2n, -1n]), RangeError);
    assert.throws(() => allotByLargestRemainder(1n, [0n, 0n]), /all weights are zero/);
    assert.throws(() => allotByLargestRemainder(1n, []), RangeError);
  });
});

describe('numbers of invoices and licences', () => {
  it('name the year and count in six digits, or more when they run out', () => {
    assert.equal(formatInvoiceNumber(2026, 1), 'INV/2026/000001');
    assert.equal(formatInvoiceNumber(2026, 1_234_567), 'INV/2026/1234567');
    assert.equal(formatLicenseNumber('retail', 2026, 42), 'UMKM-RETAIL/2026/000042');
    assert.equal(formatLicenseNumber('food_home-2', 2026, 42), 'UMKM-FOOD_HOME-2/2026/000042');
  });

  it('refuse a counter or year that is none, and a type that would break the number apart', () => {
    for (const counter of [0, -1, 1.5, Number.NaN]) assert.throws(() => formatInvoiceNumber(2026, counter), /counter/);
    for (const year of [26, 20266, Number.NaN]) assert.throws(() => formatInvoiceNumber(year, 1), /four digits/);
    for (const type of ['', 'a/b', 'a b', '-a', 'a--b'])
      assert.throws(() => formatLicenseNumber(type, 2026, 1), /licence type/);
  });
});

function invoiceLines() {
  const kind = fc.constantFrom<InvoiceLineInput['kind']>('statutory', 'service');
  // Small amounts beside large ones: rounding shows in the small, overflow would in the large.
  const amount = fc.oneof(fc.bigInt({ min: 0n, max: 60n }), fc.bigInt({ min: 0n, max: 10n ** 13n }));
  return fc.array(
    fc.tuple(kind, amount).map(([k, a]) => line(k, a)),
    { minLength: 1, maxLength: 12 },
  );
}

function amounts(lines: readonly InvoiceLineInput[]) {
  const invoice = buildInvoice(lines, PPN_2025);
  const rows = invoice.lines.map((l) =>
    [l.kind, l.net.amountMinor, l.taxBase.amountMinor, l.tax.amountMinor].join(' '),
  );
  return { rows: rows.toSorted(), total: invoice.total };
}
