import assert from 'node:assert/strict';
import { addWorkingDays, formatInZone } from '../../domain/calendar.ts';
import {
  businessCalendar,
  CLOSURES_A_YEAR,
  changeBetween,
  type OfficeCalendar,
  problemsOf,
  timeOfMinute,
  yearsWithoutHolidays,
} from '../../domain/calendars.ts';
import { aCalendar, closed } from '../builders/calendars.ts';

const wrong = (changes: Partial<OfficeCalendar>): string[] =>
  problemsOf(aCalendar(changes)).map(({ pointer, code }) => `${pointer} ${code}`);

describe("the office's calendar, as people write it", () => {
  it('is sound as it is usually written, and up to midnight', () => {
    assert.deepEqual(wrong({}), []);
    assert.deepEqual(wrong({ opensAt: '00:00', closesAt: '24:00', workdays: [7] }), []);
    assert.deepEqual(wrong({ closures: [closed('2028-02-29'), closed('2028-02-29', 'national')] }), []);
  });

  it('is refused with each place that is wrong named', () => {
    assert.deepEqual(wrong({ opensAt: '8', closesAt: '16:60' }), ['/opensAt not_a_time', '/closesAt not_a_time']);
    assert.deepEqual(wrong({ opensAt: '24:00', closesAt: '24:01' }), ['/opensAt not_a_time', '/closesAt not_a_time']);
    assert.deepEqual(wrong({ opensAt: '16:00' }), ['/closesAt closes_before_opening']);
    assert.deepEqual(wrong({ workdays: [] }), ['/workdays no_workdays']);
    assert.deepEqual(wrong({ workdays: [1, 8, 1.5, 1] }), [
      '/workdays/1 not_a_weekday',
      '/workdays/2 not_a_weekday',
      '/workdays/3 repeated',
    ]);
    assert.deepEqual(
      wrong({ closures: [closed('2026-02-30'), closed('2026-03-02', 'local', ' '), closed('2026-03-02')] }),
      ['/closures/0/date not_a_date', '/closures/1/name no_name', '/closures/2/date repeated'],
    );
  });

  it('must leave days to work on: by number, and by weekday', () => {
    const days = (step: number, count: number) =>
      Array.from({ length: count }, (_, day) =>
        closed(new Date(Date.UTC(2026, 0, 5 + day * step)).toISOString().slice(0, 10)),
      );
    assert.deepEqual(wrong({ closures: days(1, CLOSURES_A_YEAR) }), []);
    assert.deepEqual(wrong({ closures: days(1, CLOSURES_A_YEAR + 1) }), ['/closures too_many']);
    assert.deepEqual(wrong({ workdays: [1], closures: days(7, 50) }), ['/closures hardly_open']);
  });

  it('counts each kind of closure where the office keeps it, the local ones always', () => {
    const closures = [
      closed('2026-03-03', 'national'),
      closed('2026-03-04', 'joint_leave'),
      closed('2026-03-05', 'local'),
    ];
    const due = (changes: Partial<OfficeCalendar>) =>
      formatInZone(
        addWorkingDays(
          businessCalendar(aCalendar({ closures, ...changes })),
          Date.parse('2026-03-02T10:00:00+07:00'),
          1,
        ).at,
        'Asia/Jakarta',
      ).slice(5, 10);
    assert.equal(due({}), '03-06');
    assert.equal(due({ nationalHolidays: false }), '03-03');
    assert.equal(due({ jointLeave: false }), '03-04');
    assert.equal(due({ nationalHolidays: false, jointLeave: false }), '03-03');
  });

  it('has its hours in whole minutes', () => {
    const { opensAtMinute, closesAtMinute } = businessCalendar(aCalendar({ opensAt: '07:45', closesAt: '24:00' }));
    assert.deepEqual([opensAtMinute, closesAtMinute], [465, 1440]);
    assert.deepEqual([timeOfMinute(465), timeOfMinute(1440)], ['07:45', '24:00']);
  });

  it('tells what a publication changes, by date and without names', () => {
    const was = aCalendar({ closures: [closed('2026-03-03'), closed('2026-03-04', 'national', 'Nyepi')] });
    const is = aCalendar({
      closesAt: '15:00',
      closures: [closed('2026-03-04', 'national', 'Hari Raya Nyepi'), closed('2026-03-09'), closed('2026-03-05')],
    });
    assert.deepEqual(changeBetween(was, is), {
      before: { closesAt: '16:00' },
      after: { closesAt: '15:00' },
      added: ['2026-03-05', '2026-03-09'],
      removed: ['2026-03-03'],
    });
  });

  it('lacks the holidays of next year from 1 October on, by the clock of the office', () => {
    const closures = [closed('2026-01-01', 'national'), closed('2027-01-01', 'local')];
    const missing = (at: string, changes: Partial<OfficeCalendar> = {}) =>
      yearsWithoutHolidays(aCalendar({ closures, ...changes }), Date.parse(at));
    assert.deepEqual(missing('2026-09-30T23:59:00+07:00'), []);
    assert.deepEqual(missing('2026-10-01T00:00:00+07:00'), [2027]);
    assert.deepEqual(missing('2026-10-01T00:00:00+07:00', { nationalHolidays: false }), []);
    assert.deepEqual(missing('2027-01-01T00:00:00+07:00'), [2027], 'and of the year that has begun');
    assert.deepEqual(
      missing('2026-10-01T00:00:00+07:00', { closures: [...closures, closed('2027-01-01', 'national')] }),
      [],
    );
  });
});
