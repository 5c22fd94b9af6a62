import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addWorkingDays,
  addWorkingTime,
  type BusinessCalendar,
  formatInZone,
  isOfficeZone,
  isOpen,
  isWorkingDate,
  localDate,
  nextOpening,
  OFFICE_ZONES,
  workingDay,
  workingMsBetween,
} from '../../domain/calendar.ts';

const RUNS = Number(process.env.ALUR_PROPERTY_RUNS ?? 1000);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const office: BusinessCalendar = {
  zone: 'Asia/Jakarta',
  workdays: [1, 2, 3, 4, 5],
  opensAtMinute: 8 * 60,
  closesAtMinute: 16 * 60,
  closedDates: new Map([
    ['2026-03-18', 'Cuti bersama Nyepi'],
    ['2026-03-19', 'Nyepi'],
    ['2026-03-21', 'Idul Fitri (a Saturday)'],
    ['2026-05-01', 'Hari Buruh'],
  ]),
};
const at = (local: string, offset = '+07:00'): number => Date.parse(`${local}:00${offset}`);
const due = (from: string, workingMs: number): string =>
  formatInZone(addWorkingTime(office, at(from), workingMs).at, 'Asia/Jakarta');

describe('a business calendar', () => {
  it('writes an instant with the offset of its zone', () => {
    const instant = Date.parse('2026-11-21T10:00:00Z');
    assert.equal(formatInZone(instant, 'Asia/Jakarta'), '2026-11-21T17:00:00+07:00');
    assert.equal(formatInZone(instant, 'Asia/Makassar'), '2026-11-21T18:00:00+08:00');
    assert.equal(formatInZone(instant, 'Asia/Jayapura'), '2026-11-21T19:00:00+09:00');
    assert.equal(formatInZone(instant + 7, 'Asia/Jakarta'), '2026-11-21T17:00:00.007+07:00');
  });

  it('keeps the instant when it is written and read again', () => {
    const property = fc.property(instants(1), fc.constantFrom(...OFFICE_ZONES), (instant, zone) => {
      assert.equal(Date.parse(formatInZone(instant, zone)), instant);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('has the offsets that the time zone database has, in every month since 1964', () => {
    for (const zone of OFFICE_ZONES) {
      const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
      for (let month = 0; month < 12 * 80; month++) {
        const instant = Date.UTC(1964, month, 15, 23, 59, 58);
        assert.equal(formatInZone(instant, zone).slice(0, 19), clock.format(instant).replace(' ', 'T'));
      }
    }
  });

  it('knows the three zones and no other', () => {
    assert.equal(isOfficeZone('Asia/Makassar'), true);
    assert.equal(isOfficeZone('Asia/Singapore'), false);
    assert.equal(isOfficeZone('toString'), false);
  });

  it('tells the local date, which is not the date in UTC', () => {
    assert.equal(localDate(Date.parse('2026-12-31T16:59:59Z'), 'Asia/Jakarta'), '2026-12-31');
    assert.equal(localDate(Date.parse('2026-12-31T17:00:00Z'), 'Asia/Jakarta'), '2027-01-01');
  });

  it('is open from opening until just before closing', () => {
    assert.equal(isOpen(office, at('2026-03-16T08:00') - 1), false);
    assert.equal(isOpen(office, at('2026-03-16T08:00')), true);
    assert.equal(isOpen(office, at('2026-03-16T16:00') - 1), true);
    assert.equal(isOpen(office, at('2026-03-16T16:00')), false);
    assert.equal(isOpen(office, at('2026-03-18T10:00')), false);
  });

  it('does not work on weekends and closed dates', () => {
    assert.equal(isWorkingDate(office, '2026-03-17'), true);
    assert.equal(isWorkingDate(office, '2026-03-18'), false);
    assert.equal(isWorkingDate(office, '2026-03-22'), false);
  });

  it('refuses a date that does not exist', () => {
    for (const date of ['2026-02-30', '2026-13-01', '2026-3-1', 'tomorrow', '2026-03-17T00:00:00Z']) {
      assert.throws(() => isWorkingDate(office, date), RangeError, date);
    }
  });
});

describe('a deadline', () => {
  it('runs on within the day', () => {
    assert.equal(due('2026-03-16T09:00', 3 * HOUR), '2026-03-16T12:00:00+07:00');
  });

  it('is the closing instant when the time is used up exactly then', () => {
    assert.equal(due('2026-03-16T14:00', 2 * HOUR), '2026-03-16T16:00:00+07:00');
    assert.equal(due('2026-03-16T14:00', 2 * HOUR + 1), '2026-03-17T08:00:00.001+07:00');
  });

  it('waits for the office to open', () => {
    assert.equal(due('2026-03-16T03:00', HOUR), '2026-03-16T09:00:00+07:00');
    assert.equal(due('2026-03-16T16:00', HOUR), '2026-03-17T09:00:00+07:00');
    assert.equal(due('2026-03-13T20:00', HOUR), '2026-03-16T09:00:00+07:00');
  });

  it('of no time is now when the office is open, and its next opening when not', () => {
    assert.equal(due('2026-03-16T11:11', 0), '2026-03-16T11:11:00+07:00');
    assert.equal(due('2026-03-16T16:00', 0), '2026-03-17T08:00:00+07:00');
    assert.equal(due('2026-03-17T16:00', 0), '2026-03-20T08:00:00+07:00');
  });

  it('names the holidays that moved it, not weekends nor holidays on a weekend', () => {
    const { at: end, skipped } = addWorkingDays(office, at('2026-03-17T14:00'), 5);
    assert.equal(formatInZone(end, 'Asia/Jakarta'), '2026-03-26T14:00:00+07:00');
    assert.deepEqual(skipped, [
      { date: '2026-03-18', reason: 'Cuti bersama Nyepi' },
      { date: '2026-03-19', reason: 'Nyepi' },
    ]);
  });

  it('is not moved by a holiday that is over for the office, nor by one after it', () => {
    assert.deepEqual(addWorkingTime(office, at('2026-03-19T17:00'), HOUR).skipped, []);
    assert.deepEqual(addWorkingTime(office, at('2026-03-17T08:00'), 8 * HOUR).skipped, []);
    assert.equal(addWorkingTime(office, at('2026-03-19T15:59'), HOUR).skipped.length, 1);
  });

  it('counts days of the office: 14:00 and a day is 14:00', () => {
    assert.equal(workingDay(office), 8 * HOUR);
    assert.equal(addWorkingDays(office, at('2026-03-16T14:00'), 1).at, at('2026-03-17T14:00'));
    assert.equal(addWorkingDays(office, at('2026-03-14T10:00'), 1).at, at('2026-03-16T16:00'));
    assert.throws(() => addWorkingDays(office, at('2026-03-16T14:00'), 1.5), RangeError);
  });

  it('is kept by an office that never closes', () => {
    const always = {
      ...office,
      workdays: [1, 2, 3, 4, 5, 6, 7],
      opensAtMinute: 0,
      closesAtMinute: 1440,
      closedDates: new Map(),
    };
    const from = at('2026-03-13T22:00');
    assert.equal(addWorkingTime(always, from, 100 * HOUR).at, from + 100 * HOUR);
    assert.equal(workingMsBetween(always, from, from + 100 * HOUR), 100 * HOUR);
  });

  it('cannot be had from a calendar without working time, and says what to look at', () => {
    const without = { ...office, workdays: [] };
    assert.throws(
      () => addWorkingTime(without, at('2026-03-16T14:00'), 1),
      /five years after 2026-03-16T14:00.*workdays/,
    );
    assert.throws(() => nextOpening(without, at('2026-03-16T14:00')), RangeError);
    const everyDay = new Map(
      Array.from({ length: 2200 }, (_, i) => [localDate(at('2026-01-01T12:00') + i * 24 * HOUR, 'Asia/Jakarta'), 'x']),
    );
    assert.throws(
      () => addWorkingTime({ ...office, closedDates: everyDay }, at('2026-01-01T14:00'), 1),
      /2200 closed dates/,
    );
    assert.equal(workingMsBetween(without, at('2026-03-16T14:00'), at('2027-03-16T14:00')), 0);
  });

  it('refuses hours that are not hours, times that are not whole, and going backwards', () => {
    for (const [opensAtMinute, closesAtMinute] of [
      [960, 480],
      [480, 480],
      [-1, 480],
      [480, 1441],
      [480.5, 960],
      [480, Number.NaN],
    ] as const) {
      const broken = { ...office, opensAtMinute, closesAtMinute };
      assert.throws(() => addWorkingTime(broken, 0, 1), /office hours/);
      assert.throws(() => workingMsBetween(broken, 0, 1), /office hours/);
    }
    assert.throws(() => addWorkingTime(office, Number.NaN, 1), RangeError);
    assert.throws(() => addWorkingTime(office, 0, 0.5), RangeError);
    assert.throws(() => addWorkingTime(office, 0, -1), RangeError);
    assert.throws(() => workingMsBetween(office, 0, Number.POSITIVE_INFINITY), RangeError);
  });

  it('starts from the next opening, which is never behind', () => {
    assert.equal(nextOpening(office, at('2026-03-16T08:00')), at('2026-03-16T08:00'));
    assert.equal(nextOpening(office, at('2026-03-16T08:01')), at('2026-03-17T08:00'));
    assert.equal(nextOpening(office, at('2026-03-17T12:00')), at('2026-03-20T08:00'));
  });
});

describe('working time, against a walk through every five minutes', () => {
  it('is as long', () => {
    const property = fc.property(calendars(), instants(STEP), spans(), (calendar, from, span) => {
      assert.equal(workingMsBetween(calendar, from, from + span), walk(calendar, from, span).workingMs);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('is up at the same instant, for the same reasons', () => {
    const property = fc.property(calendars(), instants(STEP), fc.nat(), (calendar, from, n) => {
      const amount = STEP * (n % (1 + (20 * workingDay(calendar)) / STEP));
      assert.deepEqual(addWorkingTime(calendar, from, amount), walkUntil(calendar, from, amount));
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('adds up over any cut', () => {
    const cuts = fc.tuple(instants(1), instants(1), instants(1)).map((all) => all.toSorted((a, b) => a - b));
    const property = fc.property(calendars(), cuts, (calendar, [a = 0, b = 0, c = 0]) => {
      const [left, right] = [workingMsBetween(calendar, a, b), workingMsBetween(calendar, b, c)];
      assert.equal(left + right, workingMsBetween(calendar, a, c));
      if (a < b) assert.equal(workingMsBetween(calendar, b, a), 0);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('measures what was added, and a millisecond earlier one less', () => {
    const property = fc.property(calendars(), instants(1), fc.nat(), (calendar, from, n) => {
      const amount = 1 + (n % (100 * workingDay(calendar)));
      const end = addWorkingTime(calendar, from, amount).at;
      assert.equal(workingMsBetween(calendar, from, end), amount);
      assert.equal(workingMsBetween(calendar, from, end - 1), amount - 1);
    });
    fc.assert(property, { numRuns: RUNS });
  });
});

const STEP = 5 * MINUTE;
const FIRST_DAY = Date.UTC(2025, 11, 20);
const DAYS = 40;

/** Forty days around a year's end, so that intervals meet the closed dates. */
function instants(step: number) {
  return fc.integer({ min: 0, max: (DAYS * 24 * HOUR) / step }).map((n) => FIRST_DAY + n * step);
}

function spans() {
  return fc.integer({ min: -10, max: (6 * 24 * HOUR) / STEP }).map((steps) => steps * STEP);
}

function calendars(): fc.Arbitrary<BusinessCalendar> {
  const hours = fc.uniqueArray(fc.integer({ min: 0, max: 288 }), { minLength: 2, maxLength: 2 });
  const closed = fc.uniqueArray(fc.integer({ min: -2, max: DAYS + 20 }), { maxLength: 20 });
  return fc
    .record({
      zone: fc.constantFrom(...OFFICE_ZONES),
      workdays: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 }),
      hours: hours.map((pair) => pair.map((fives) => fives * 5).toSorted((a, b) => a - b)),
      closed: closed.map((days) => new Map(days.map((day) => [isoDate(FIRST_DAY + day * 24 * HOUR), `closed ${day}`]))),
    })
    .map(({ zone, workdays, hours: [opensAtMinute = 0, closesAtMinute = 0], closed: closedDates }) => ({
      zone,
      workdays,
      opensAtMinute,
      closesAtMinute,
      closedDates,
    }));
}

const isoDate = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What the office does in the step that begins at an instant, read off a clock on its wall. */
function stepAt(
  calendar: BusinessCalendar,
  instant: number,
): { kind: 'off' | 'open' } | { kind: 'closed'; date: string; reason: string } {
  const hoursAhead = { 'Asia/Jakarta': 7, 'Asia/Makassar': 8, 'Asia/Jayapura': 9 }[calendar.zone];
  const wall = new Date(instant + hoursAhead * HOUR);
  const minute = wall.getUTCHours() * 60 + wall.getUTCMinutes();
  const weekday = wall.getUTCDay() === 0 ? 7 : wall.getUTCDay();
  const inHours = minute >= calendar.opensAtMinute && minute < calendar.closesAtMinute;
  if (!inHours || !calendar.workdays.includes(weekday)) return { kind: 'off' };
  const date = isoDate(wall.getTime());
  const reason = calendar.closedDates.get(date);
  return reason === undefined ? { kind: 'open' } : { kind: 'closed', date, reason };
}

function walk(calendar: BusinessCalendar, from: number, span: number): { workingMs: number } {
  let workingMs = 0;
  for (let now = from; now < from + span; now += STEP) if (stepAt(calendar, now).kind === 'open') workingMs += STEP;
  return { workingMs };
}

function walkUntil(calendar: BusinessCalendar, from: number, amount: number) {
  const skipped = new Map<string, string>();
  let left = amount;
  for (let now = from; ; now += STEP) {
    const step = stepAt(calendar, now);
    if (step.kind === 'closed') skipped.set(step.date, step.reason);
    if (step.kind !== 'open') continue;
    if (left > 0) left -= STEP;
    else return { at: now, skipped: named(skipped) };
    if (left === 0) return { at: now + STEP, skipped: named(skipped) };
  }
}

const named = (skipped: Map<string, string>) => [...skipped].map(([date, reason]) => ({ date, reason }));
