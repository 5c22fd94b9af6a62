import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  chargeFor,
  daysAfter,
  isZone,
  monthlyRate,
  monthsAfter,
  shareOf,
  unusedOf,
  wholeDays,
  yearlyRate,
} from '../../domain/billing.ts';

const ZONES = ['Asia/Jakarta', 'Asia/Jayapura', 'Europe/Berlin', 'America/New_York'] as const;
const DAY_MS = 86_400_000;
const at = (iso: string): number => Date.parse(iso);
const iso = (instant: number): string => new Date(instant).toISOString();
const clockOf = (instant: number, zone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(instant);

describe('periods', () => {
  it('end on the same day of the month, or on the last of a shorter one, counted from the anchor', () => {
    const anchor = at('2027-01-31T03:00:00Z');
    assert.deepEqual(
      [1, 2, 3, 13, 14].map((months) => iso(monthsAfter(anchor, months, 'Asia/Jakarta')).slice(0, 10)),
      ['2027-02-28', '2027-03-31', '2027-04-30', '2028-02-29', '2028-03-31'],
    );
  });

  it('take the day from the calendar of their zone, not from that of Greenwich', () => {
    // The 1st in Jayapura, still the 31st in Greenwich.
    assert.equal(iso(monthsAfter(at('2027-01-31T16:00:00Z'), 1, 'Asia/Jayapura')), '2027-02-28T16:00:00.000Z');
  });

  it('keep the hour on the wall when the clocks change; an hour that is left out is read an hour later', () => {
    const march = monthsAfter(at('2027-01-28T01:30:00Z'), 2, 'Europe/Berlin');
    assert.equal(iso(march), '2027-03-28T01:30:00.000Z');
    assert.equal(clockOf(march, 'Europe/Berlin'), '03:30');
    assert.equal(clockOf(monthsAfter(at('2027-01-28T01:30:00Z'), 3, 'Europe/Berlin'), 'Europe/Berlin'), '02:30');
  });

  it('of an hour that there is twice begin with the first', () => {
    assert.equal(iso(monthsAfter(at('2026-09-25T00:30:00Z'), 1, 'Europe/Berlin')), '2026-10-25T00:30:00.000Z');
  });

  it('follow each other for 600 months in every zone: strictly later, at the same hour, 28 to 31 days each', () => {
    const anchors = fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') });
    fc.assert(
      fc.property(anchors, fc.constantFrom(...ZONES), (anchor, zone) => {
        let before = monthsAfter(anchor, 0, zone);
        assert.ok(Math.abs(before - anchor) <= 3_600_000);
        for (let months = 1; months <= 600; months += 1) {
          const end = monthsAfter(anchor, months, zone);
          const days = wholeDays(before, end, zone);
          assert.ok(end > before && days >= 27 && days <= 31, `${iso(before)} – ${iso(end)}: ${days} days`);
          before = end;
        }
      }),
      { numRuns: 12 },
    );
  });

  it('know a zone from what is none', () => {
    assert.deepEqual([isZone('Asia/Jakarta'), isZone('Mars/Olympus')], [true, false]);
  });

  it('count whole days by the calendar, also over a change of the clocks', () => {
    const from = at('2027-03-27T11:00:00Z');
    assert.equal(daysAfter(from, 1, 'Europe/Berlin') - from, DAY_MS - 3_600_000);
    assert.equal(wholeDays(from, daysAfter(from, 30, 'Europe/Berlin'), 'Europe/Berlin'), 30);
    assert.equal(wholeDays(from, from + 30 * DAY_MS, 'Asia/Jakarta'), 30);
    assert.equal(wholeDays(from, from - 1, 'Asia/Jakarta'), 0);
  });
});

describe('money by the day', () => {
  const price = fc.bigInt({ min: 0n, max: 10n ** 12n });

  it('is rounded half up, once', () => {
    assert.deepEqual([shareOf(100n, 1, 3), shareOf(1n, 1, 2), shareOf(5n, 1, 10)], [33n, 1n, 1n]);
    assert.throws(() => shareOf(-1n, 1, 2), RangeError);
    assert.throws(() => shareOf(1n, 1, 0), RangeError);
    assert.throws(() => shareOf(1n, 1.5, 2), RangeError);
  });

  it('never exceeds the price; all days are the price; two parts differ from the whole by at most one unit', () => {
    fc.assert(
      fc.property(price, fc.integer({ min: 1, max: 366 }), fc.nat(366), (minor, whole, some) => {
        const part = Math.min(some, whole);
        const [one, other] = [shareOf(minor, part, whole), shareOf(minor, whole - part, whole)];
        assert.ok(one <= minor);
        assert.equal(shareOf(minor, whole, whole), minor);
        assert.ok(one + other - minor <= 1n && one + other - minor >= 0n);
      }),
    );
  });

  const zone = 'Asia/Jakarta';
  const from = at('2027-04-01T00:00:00Z');
  const term = { from, to: from + 30 * DAY_MS, pausedMs: 0, priceMinor: 300_000n };

  it('counts the day in hand as used, and a pause as no day at all', () => {
    assert.equal(unusedOf([term], from, zone), 300_000n);
    assert.equal(unusedOf([term], from + 1, zone), 290_000n);
    assert.equal(unusedOf([term], from + 20 * DAY_MS, zone), 100_000n);
    assert.equal(unusedOf([term], term.to, zone), 0n);
    const paused = { ...term, to: term.to + 10 * DAY_MS, pausedMs: 10 * DAY_MS };
    assert.equal(unusedOf([paused], from + 30 * DAY_MS, zone), 100_000n);
  });

  it('counts a term that has not begun in full', () => {
    const next = { ...term, from: term.to, to: term.to + 31 * DAY_MS };
    assert.equal(unusedOf([term, next], from + 20 * DAY_MS, zone), 400_000n);
  });

  it('charges the same days at the other price, so an upgrade costs the difference', () => {
    const now = from + 10 * DAY_MS;
    assert.equal(chargeFor([term], 600_000n, now, zone) - unusedOf([term], now, zone), 200_000n);
  });

  it('of a plan per year is a twelfth a month', () => {
    assert.equal(monthlyRate({ priceMinor: '1000', interval: 'year' }), 83n);
    assert.equal(monthlyRate({ priceMinor: '1000', interval: 'month' }), 1_000n);
    assert.equal(yearlyRate({ priceMinor: '1000', interval: 'month' }), 12_000n);
  });
});
