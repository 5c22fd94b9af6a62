import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type BuiltInvoice, buildInvoice, PPN_2025 } from '../../domain/invoicing.ts';
import {
  allotToUnits,
  type ChargedItem,
  orderLines,
  shippingFee,
  sumOfShare,
  type UnitShare,
} from '../../domain/order-money.ts';

const anItem = fc
  .record({
    quantity: fc.integer({ min: 1, max: 40 }),
    unitPriceMinor: fc.bigInt({ min: 1n, max: 9_999_999n }),
    discountPercent: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ quantity, unitPriceMinor, discountPercent }) => ({
    quantity,
    unitPriceMinor,
    discountMinor: (unitPriceMinor * BigInt(quantity) * BigInt(discountPercent)) / 100n,
  }));

const items = fc
  .array(anItem, { minLength: 1, maxLength: 12 })
  .map((list) => list.map((item, i): ChargedItem => ({ ...item, sku: `SKU-${i}`, name: { id: 'a', en: 'b' } })));

const shipping = fc.bigInt({ min: 0n, max: 99_999n });
const summed = (units: readonly UnitShare[], of: (unit: UnitShare) => bigint) =>
  units.reduce((sum, unit) => sum + of(unit), 0n);

const amountsOf = ({ lines }: BuiltInvoice) =>
  lines.map(({ code, net, tax }) => ({ code, netMinor: net.amountMinor, taxMinor: tax.amountMinor }));

function built(list: readonly ChargedItem[], fee: bigint) {
  const invoice = buildInvoice(orderLines(list, fee, 'IDR'), PPN_2025);
  return { invoice, shares: allotToUnits(list, amountsOf(invoice)) };
}

describe('what the units of an order cost', () => {
  it('adds up to the invoice to the rupiah, line by line and in all', () => {
    fc.assert(
      fc.property(items, shipping, (list, fee) => {
        const { invoice, shares } = built(list, fee);
        assert.equal(summed(shares.flat(), sumOfShare), invoice.total.amountMinor);
        list.forEach(({ sku }, i) => {
          const line = invoice.lines.find(({ code }) => code === sku);
          assert.equal(
            summed(shares[i] ?? [], ({ netMinor }) => netMinor),
            line?.net.amountMinor,
          );
          assert.equal(
            summed(shares[i] ?? [], ({ taxMinor }) => taxMinor),
            line?.tax.amountMinor,
          );
        });
        const charged = invoice.lines.find(({ code }) => code === 'shipping');
        assert.equal(
          summed(shares.flat(), (unit) => unit.shippingNetMinor),
          charged?.net.amountMinor ?? 0n,
        );
        assert.equal(
          summed(shares.flat(), (unit) => unit.shippingTaxMinor),
          charged?.tax.amountMinor ?? 0n,
        );
      }),
    );
  });

  it('is never less than nothing, and differs by one rupiah of net price at most within an item', () => {
    fc.assert(
      fc.property(items, shipping, (list, fee) => {
        for (const units of built(list, fee).shares) {
          const nets = units.map(({ netMinor }) => netMinor).toSorted((a, b) => Number(a - b));
          assert.ok((nets.at(-1) ?? 0n) - (nets[0] ?? 0n) <= 1n);
          for (const unit of units) for (const part of Object.values(unit)) assert.ok(part >= 0n);
        }
      }),
    );
  });

  it('leaves what does not divide to the last unit', () => {
    const list = [{ sku: 'A', name: { id: 'a', en: 'a' }, quantity: 3, unitPriceMinor: 100n, discountMinor: 1n }];
    const [units = []] = built(list, 0n).shares;
    assert.deepEqual(
      units.map(({ netMinor }) => netMinor),
      [99n, 100n, 100n],
    );
  });

  it('refuses an invoice that charges for something else', () => {
    const list = [{ sku: 'A', name: { id: 'a', en: 'a' }, quantity: 1, unitPriceMinor: 100n, discountMinor: 0n }];
    const invoice = buildInvoice(orderLines(list, 0n, 'IDR'), PPN_2025);
    assert.throws(() => allotToUnits([{ sku: 'B', quantity: 1 }], amountsOf(invoice)), /charges for nothing/);
  });

  it('has no line for what costs nothing', () => {
    const free = { sku: 'A', name: { id: 'a', en: 'a' }, quantity: 1, unitPriceMinor: 0n, discountMinor: 0n };
    assert.deepEqual(orderLines([free], 0n, 'IDR'), []);
  });
});

describe('the fee for shipping', () => {
  const policy = { feeMinor: '20000', freeFromMinor: '500000' };
  it('is charged below the threshold and not from it on', () => {
    assert.equal(shippingFee(499_999n, policy), 20_000n);
    assert.equal(shippingFee(500_000n, policy), 0n);
    assert.equal(shippingFee(500_000n, { ...policy, freeFromMinor: null }), 20_000n);
  });

  it('is nothing for what costs nothing', () => assert.equal(shippingFee(0n, policy), 0n));
});
