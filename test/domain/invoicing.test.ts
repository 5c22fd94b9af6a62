import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  allotByLargestRemainder,
  buildInvoice,
  creditShares,
  formatCreditNoteNumber,
  formatInvoiceNumber,
  formatLicenseNumber,
  formatReceiptNumber,
  type InvoiceLineInput,
  instalmentsOf,
  PPN_2025,
  type RemainingLine,
  taxRuleOn,
  withoutCredits,
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
      const charged = (l: InvoiceLineInput) => l.net.amountMinor - (l.discount?.amountMinor ?? 0n);
      const taxable = lines.filter((l) => l.kind === 'service').reduce((total, l) => total + charged(l), 0n);
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

  it('taxes what is left of a price after its discount, and says both', () => {
    const cheaper = { ...line('service', 50_000_000), discount: rupiah(10_000_000) };
    const invoice = buildInvoice([cheaper, line('statutory', 100_000)], PPN_2025);
    assert.deepEqual([invoice.lines[0]?.net, invoice.lines[0]?.discount], [rupiah(40_000_000), rupiah(10_000_000)]);
    assert.deepEqual([invoice.tax, invoice.total], [rupiah(4_400_000), rupiah(44_500_000)]);
    assert.deepEqual(invoice.lines[1]?.discount, rupiah(0));
  });

  it('refuses a discount of less than nothing, of more than the price, and in another currency', () => {
    for (const discount of [rupiah(-1), rupiah(6), money(1, 'MYR')]) {
      assert.throws(() => buildInvoice([{ ...line('service', 5, 'jasa'), discount }], PPN_2025), /discount of .*jasa/);
    }
    assert.deepEqual(buildInvoice([{ ...line('service', 5), discount: rupiah(5) }], PPN_2025).total, rupiah(0));
  });

  it('adds up under any rule', () => {
    const property = fc.property(invoiceLines(), taxRules(), (lines, rule) => {
      const invoice = buildInvoice(lines, rule);
      const sumOf = (part: 'net' | 'tax') => invoice.lines.reduce((total, l) => total + l[part].amountMinor, 0n);
      assert.equal(sumOf('net') + sumOf('tax'), invoice.total.amountMinor);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('takes credits off: what is left of an old plan, and the tax on it', () => {
    const { lines, subtotal, tax, total } = buildInvoice(
      [line('service', 300_000), line('service', -50_001)],
      PPN_2025,
    );
    assert.deepEqual([subtotal, tax, total], [rupiah(249_999), rupiah(27_500), rupiah(277_499)]);
    assert.deepEqual(
      lines.map((l) => [l.net.amountMinor, l.taxBase.amountMinor, l.tax.amountMinor]),
      [
        [300_000n, 275_000n, 33_000n],
        [-50_001n, -45_834n, -5_500n],
      ],
    );
  });

  it('with credits still adds up exactly, and a part of tax has the sign of its line', () => {
    const property = fc.property(invoiceLines(), credits(), taxRules(), (charges, parts, rule) => {
      const given = withCredits(charges, parts);
      const service = sumOfKind(given, 'service');
      fc.pre(service + sumOfKind(given, 'statutory') > 0n);
      const built = buildInvoice(given, rule);
      const all = (of: (l: (typeof built.lines)[number]) => bigint) => built.lines.reduce((a, l) => a + of(l), 0n);
      assert.equal(
        all((l) => l.net.amountMinor),
        built.subtotal.amountMinor,
      );
      assert.equal(
        all((l) => l.tax.amountMinor),
        built.tax.amountMinor,
      );
      const exact = service * BigInt(rule.ratePercent) * BigInt(rule.baseNumerator);
      const per = 100n * BigInt(rule.baseDenominator);
      assert.equal(built.tax.amountMinor, (2n * exact + per) / (2n * per));
      for (const { net, tax } of built.lines)
        assert.ok(net.amountMinor < 0n ? tax.amountMinor <= 0n : tax.amountMinor >= 0n);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('refuses credits that exceed the charges of their kind, that leave nothing to pay, and a discount on one', () => {
    assert.throws(() => buildInvoice([line('service', 5), line('service', -6)], PPN_2025), /credits.*exceed/);
    assert.throws(() => buildInvoice([line('statutory', 9), line('service', -1)], PPN_2025), /credits.*exceed/);
    assert.throws(() => buildInvoice([line('service', 5), line('service', -5)], PPN_2025), /nothing to pay/);
    const odd = { ...line('service', -5, 'odd'), discount: rupiah(1) };
    assert.throws(() => buildInvoice([line('service', 50), odd], PPN_2025), /discount of invoice line odd/);
  });

  it('refuses no lines, two currencies and a rule that is none', () => {
    assert.throws(() => buildInvoice([], PPN_2025), /at least one line/);
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

describe('what a credit takes back', () => {
  const of = (position: number, kind: RemainingLine['kind'], netMinor: bigint, taxMinor = 0n): RemainingLine => ({
    position,
    kind,
    netMinor,
    taxMinor,
  });
  const given = [of(1, 'statutory', 250_000n), of(2, 'service', 100_000n, 11_000n)];
  const total = (lines: readonly { netMinor: bigint; taxMinor: bigint }[]) =>
    lines.reduce((all, { netMinor, taxMinor }) => all + netMinor + taxMinor, 0n);

  it('is allotted over prices and taxes', () => {
    assert.deepEqual(creditShares(given, 36_100n), [
      { position: 1, netMinor: 25_000n, taxMinor: 0n },
      { position: 2, netMinor: 10_000n, taxMinor: 1_100n },
    ]);
  });

  it('is everything when everything goes back', () => {
    assert.deepEqual(creditShares(given, 361_000n), [
      { position: 1, netMinor: 250_000n, taxMinor: 0n },
      { position: 2, netMinor: 100_000n, taxMinor: 11_000n },
    ]);
  });

  it('is never more than remains, of the whole nor of a part, and adds up to the amount', () => {
    const property = fc.property(invoiceLines(), fc.double({ min: 0, max: 1, noNaN: true }), (lines, part) => {
      const remaining = linesOf(lines, PPN_2025);
      fc.pre(total(remaining) > 0n);
      const amount = share(total(remaining), part);
      const shares = creditShares(remaining, amount);
      assert.equal(total(shares), amount);
      for (const [i, { netMinor, taxMinor }] of shares.entries()) {
        assert.ok(netMinor >= 0n && netMinor <= (remaining[i]?.netMinor ?? 0n));
        assert.ok(taxMinor >= 0n && taxMinor <= (remaining[i]?.taxMinor ?? 0n));
      }
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('piece by piece takes back exactly the invoice, line by line', () => {
    const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
    const property = fc.property(invoiceLines(), taxRules(), parts, (lines, rule, pieces) => {
      const whole = linesOf(lines, rule);
      let remaining = whole;
      const taken: ReturnType<typeof creditShares>[] = [];
      for (const piece of [...pieces, 1]) {
        if (total(remaining) === 0n) break;
        const shares = creditShares(remaining, share(total(remaining), piece));
        taken.push(shares);
        remaining = remaining.map((l, i) => ({
          ...l,
          netMinor: l.netMinor - (shares[i]?.netMinor ?? 0n),
          taxMinor: l.taxMinor - (shares[i]?.taxMinor ?? 0n),
        }));
      }
      for (const [i, l] of whole.entries()) {
        const sumOf = (of: 'netMinor' | 'taxMinor') => taken.reduce((all, shares) => all + (shares[i]?.[of] ?? 0n), 0n);
        assert.deepEqual([sumOf('netMinor'), sumOf('taxMinor')], [l.netMinor, l.taxMinor]);
      }
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('of an invoice with credits is never more than was charged after them, and gives back exactly what was paid', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    const property = fc.property(invoiceLines(), credits(), taxRules(), part, (charges, parts, rule, piece) => {
      const given = withCredits(charges, parts);
      fc.pre(sumOfKind(given, 'service') + sumOfKind(given, 'statutory') > 0n);
      const built = buildInvoice(given, rule);
      const asked = withoutCredits(built.lines.map((l, i) => of(i + 1, l.kind, l.net.amountMinor, l.tax.amountMinor)));
      assert.equal(total(asked), built.total.amountMinor);
      for (const kind of ['service', 'statutory'] as const)
        assert.equal(
          asked.filter((l) => l.kind === kind).reduce((all, l) => all + l.netMinor, 0n),
          sumOfKind(given, kind),
        );
      for (const [i, { netMinor, taxMinor }] of asked.entries()) {
        const charged = built.lines[i];
        assert.ok(charged);
        const isCredit = charged.net.amountMinor < 0n;
        assert.ok(netMinor >= 0n && (isCredit ? netMinor === 0n : netMinor <= charged.net.amountMinor));
        assert.ok(taxMinor >= 0n && (isCredit ? taxMinor === 0n : taxMinor <= charged.tax.amountMinor));
      }
      const first = creditShares(asked, share(total(asked), piece));
      const rest = asked.map((l, i) => ({
        ...l,
        netMinor: l.netMinor - (first[i]?.netMinor ?? 0n),
        taxMinor: l.taxMinor - (first[i]?.taxMinor ?? 0n),
      }));
      const second = total(rest) === 0n ? [] : creditShares(rest, total(rest));
      assert.equal(total(first) + total(second), built.total.amountMinor);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('leaves an invoice without credits as it is', () => {
    assert.deepEqual(withoutCredits(given), given);
  });

  it('cannot be nothing, nor more than remains', () => {
    assert.throws(() => creditShares(given, 361_001n), /only 361000 remains/);
    for (const amount of [0n, -1n]) assert.throws(() => creditShares(given, amount), /cannot credit/);
  });

  const linesOf = (lines: readonly InvoiceLineInput[], rule: typeof PPN_2025): RemainingLine[] =>
    buildInvoice(lines, rule).lines.map((l, i) => of(i + 1, l.kind, l.net.amountMinor, l.tax.amountMinor));
  /** At least one unit of it, at most all. */
  const share = (whole: bigint, part: number): bigint => {
    const some = (whole * BigInt(Math.round(part * 1_000_000))) / 1_000_000n;
    return some > 0n ? some : 1n;
  };
});

describe('instalments', () => {
  const at = '2026-03-02T02:00:00.000Z';
  const dueAt = '2026-03-09T02:00:00.000Z';

  it('split the total by the terms, and the last is due with the invoice', () => {
    const terms = [
      { percent: 50, dueAfterDays: 1 },
      { percent: 30, dueAfterDays: 4 },
      { percent: 20, dueAfterDays: 5 },
    ];
    assert.deepEqual(instalmentsOf(rupiah(361_001), terms, { at, dueAt }), [
      { position: 1, amountMinor: 180_501n, dueAt: '2026-03-03T02:00:00.000Z' },
      { position: 2, amountMinor: 108_300n, dueAt: '2026-03-06T02:00:00.000Z' },
      { position: 3, amountMinor: 72_200n, dueAt },
    ]);
  });

  it('are none when it is paid all at once', () => {
    assert.deepEqual(instalmentsOf(rupiah(100), [], { at, dueAt }), []);
  });

  it('leave out a part of nothing, and none is due after the invoice', () => {
    const terms = [
      { percent: 99.5, dueAfterDays: 30 },
      { percent: 0.5, dueAfterDays: 60 },
    ];
    assert.deepEqual(instalmentsOf(rupiah(1), terms, { at, dueAt }), [{ position: 1, amountMinor: 1n, dueAt }]);
    assert.deepEqual(
      instalmentsOf(rupiah(1000), terms, { at, dueAt }).map((part) => [part.amountMinor, part.dueAt]),
      [
        [995n, dueAt],
        [5n, dueAt],
      ],
    );
  });
});

describe('numbers of invoices and licences', () => {
  it('each have a series of their own', () => {
    assert.deepEqual(
      [formatInvoiceNumber(2026, 7), formatCreditNoteNumber(2026, 7), formatReceiptNumber(2026, 7)],
      ['INV/2026/000007', 'CN/2026/000007', 'RCP/2026/000007'],
    );
  });

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
  const percent = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 100n }));
  const priced = fc.tuple(kind, amount, percent).map(([k, a, off]) => {
    const discount = rupiah((a * off) / 100n);
    return off === 0n ? line(k, a) : { ...line(k, a), discount };
  });
  return fc.array(priced, { minLength: 1, maxLength: 12 });
}

const taxRules = () =>
  fc
    .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 12 }))
    .map(([ratePercent, baseNumerator, baseDenominator]) => ({
      ...PPN_2025,
      ratePercent,
      baseNumerator,
      baseDenominator,
    }));

/** Thousandths of what is left to charge in a kind. */
const credits = () =>
  fc.array(
    fc.tuple(
      fc.constantFrom<InvoiceLineInput['kind']>('statutory', 'service'),
      fc.oneof(fc.integer({ min: 0, max: 333 }), fc.constant(1000)),
    ),
    { maxLength: 3 },
  );

function withCredits(
  charges: readonly InvoiceLineInput[],
  parts: readonly (readonly [InvoiceLineInput['kind'], number])[],
): InvoiceLineInput[] {
  const credited: InvoiceLineInput[] = [];
  for (const [kind, part] of parts) {
    const left = sumOfKind([...charges, ...credited], kind);
    credited.push(line(kind, -(left * BigInt(part)) / 1000n));
  }
  return [...charges, ...credited];
}

const sumOfKind = (lines: readonly InvoiceLineInput[], kind: InvoiceLineInput['kind']): bigint =>
  lines.reduce((all, l) => (l.kind === kind ? all + l.net.amountMinor - (l.discount?.amountMinor ?? 0n) : all), 0n);

function amounts(lines: readonly InvoiceLineInput[]) {
  const invoice = buildInvoice(lines, PPN_2025);
  const rows = invoice.lines.map((l) =>
    [l.kind, l.net.amountMinor, l.taxBase.amountMinor, l.tax.amountMinor].join(' '),
  );
  return { rows: rows.toSorted(), total: invoice.total };
}
