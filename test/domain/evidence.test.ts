import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BusinessCalendar } from '../../domain/calendar.ts';
import { countedDays } from '../../domain/evidence.ts';
import { legalClock } from '../../domain/legal-clock.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-03-02T00:00:00+07:00');

const calendar = (changes: Partial<BusinessCalendar> = {}): BusinessCalendar => ({
  zone: 'Asia/Jakarta',
  workdays: [1, 2, 3, 4, 5],
  opensAtMinute: 480,
  closesAtMinute: 960,
  closedDates: new Map([['2026-03-04', 'Hari Uji']]),
  ...changes,
});

describe('the working days that are counted', () => {
  it('leave out what the applicant had, holidays and weekends', () => {
    const from = START + 9 * HOUR;
    const suspensions = [{ from: START + 33 * HOUR, to: START + 82 * HOUR }];
    // Monday from 9; Tuesday until 9; Wednesday is closed; Thursday from 10; Friday; Monday until 9.
    assert.deepEqual(countedDays(calendar(), { from, until: START + 7 * 24 * HOUR + 9 * HOUR, suspensions }), [
      { date: '2026-03-02', workingMs: 7 * HOUR },
      { date: '2026-03-03', workingMs: HOUR },
      { date: '2026-03-05', workingMs: 6 * HOUR },
      { date: '2026-03-06', workingMs: 8 * HOUR },
      { date: '2026-03-09', workingMs: HOUR },
    ]);
  });
  it('add up to what the legal clock says the office has used, at any hours, in any zone', () => {
    const hours = fc.tuple(fc.integer({ min: 0, max: 1380 }), fc.integer({ min: 1, max: 60 }));
    const zones = fc.constantFrom('Asia/Jakarta' as const, 'Asia/Makassar' as const, 'Asia/Jayapura' as const);
    const steps = fc.array(fc.integer({ min: 0, max: 40 * HOUR }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(hours, zones, steps, ([opens, longer], zone, gaps) => {
        const kept = calendar({ zone, opensAtMinute: opens, closesAtMinute: Math.min(1440, opens + longer * 20) });
        let at = START;
        const times = gaps.map((gap) => {
          at += gap;
          return at;
        });
        const [from = START, ...rest] = times;
        const until = rest.at(-1) ?? from;
        const suspensions = rest.flatMap((start, index) =>
          index % 2 === 0 ? [{ from: start, to: rest[index + 1] ?? null }] : [],
        );
        const days = countedDays(kept, { from, until, suspensions });
        const clock = legalClock(kept, { completeAt: from, budgetMs: HOUR, suspensions }, until);
        assert.equal(
          days.reduce((sum, { workingMs }) => sum + workingMs, 0),
          clock.officeMs,
        );
        assert.equal(new Set(days.map(({ date }) => date)).size, days.length);
      }),
      { numRuns: 500 },
    );
  });
});
