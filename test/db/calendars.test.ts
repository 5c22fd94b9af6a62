import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { tellOfMissingHolidays } from '../../db/calendar-alarms.ts';
import {
  calendarVersionsOf,
  dayLengthsOf,
  officeCalendarOf,
  type Publication,
  publishCalendar,
  unfinishedReplannings,
} from '../../db/calendars.ts';
import { calendarOf } from '../../db/offices.ts';
import { asId, type CalendarVersionId, type OfficeId, type UserId } from '../../domain/ids.ts';
import { aCalendar, closed, publish } from '../builders/calendars.ts';
import { aLicenseType, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe("publishing an office's calendar", () => {
  let database: TestDatabase;
  let admin: UserId;
  let officeId: OfficeId;
  before(async () => {
    database = await createTestDatabase();
    admin = await aUser(database.db, 'admin');
  });
  after(() => database?.drop());
  beforeEach(async () => {
    ({ officeId } = await aLicenseType(database.db));
  });

  const publication = (changes: Partial<Publication> = {}): Publication => ({
    id: asId<CalendarVersionId>(randomUUID()),
    officeId,
    calendar: aCalendar({ closures: [closed('2026-03-04', 'national', 'Nyepi'), closed('2026-03-03')] }),
    reason: 'SKB 2026',
    basedOnVersion: 1,
    by: admin,
    at: MONDAY,
    ...changes,
  });

  it('puts it in force, as it was written', async () => {
    const calendar = aCalendar({
      zone: 'Asia/Jayapura',
      workdays: [1, 2, 3, 4, 5, 6],
      opensAt: '07:30',
      closesAt: '24:00',
      nationalHolidays: false,
      closures: [closed('2026-03-03'), closed('2026-03-04', 'national', 'Nyepi')],
    });
    assert.deepEqual(await publishCalendar(database.db, publication({ calendar })), { version: 2 });
    assert.deepEqual(await officeCalendarOf(database.db, officeId), { version: 2, calendar });
    const counted = await calendarOf(database.db, officeId);
    assert.deepEqual([counted.zone, counted.opensAtMinute, counted.closesAtMinute], ['Asia/Jayapura', 450, 1440]);
    assert.deepEqual([...counted.closedDates.keys()], ['2026-03-03'], 'national holidays are switched off');
  });

  it('keeps every version whole, the one that was there before the first publication too', async () => {
    await publishCalendar(database.db, publication());
    await publish(database.db, officeId, admin, { closesAt: '14:00' });
    const versions = await calendarVersionsOf(database.db, officeId, 10);
    assert.deepEqual(
      versions.map(({ version, reason, publishedBy }) => [version, reason, publishedBy?.id ?? null]),
      [
        [3, 'Keputusan uji', admin],
        [2, 'SKB 2026', admin],
        [1, 'As the office had it', null],
      ],
    );
    const lengths = await dayLengthsOf(database.db, officeId);
    assert.deepEqual([...lengths].toSorted(), [
      [1, 8 * 3_600_000],
      [2, 8 * 3_600_000],
      [3, 6 * 3_600_000],
    ]);
  });

  it('tells what changed, with dates and without names', async () => {
    await publishCalendar(database.db, publication());
    const [event] = await database.db('events').where({ subject: `calendar/${officeId}` });
    assert.equal(event.type, 'calendar.published');
    assert.deepEqual(event.data, {
      version: 2,
      added: ['2026-03-03', '2026-03-04'],
      removed: [],
      before: {},
      after: {},
    });
  });

  it('is done once for one request', async () => {
    const same = publication();
    assert.deepEqual(await publishCalendar(database.db, same), { version: 2 });
    assert.deepEqual(await publishCalendar(database.db, same), { version: 2 });
    assert.equal((await officeCalendarOf(database.db, officeId)).version, 2);
  });

  it('leaves nothing behind when it fails', async () => {
    const doubled = aCalendar({ closures: [closed('2026-03-03'), closed('2026-03-03')] });
    await assert.rejects(() => publishCalendar(database.db, publication({ calendar: doubled })));
    assert.deepEqual(await officeCalendarOf(database.db, officeId), { version: 1, calendar: aCalendar() });
    assert.deepEqual(await calendarVersionsOf(database.db, officeId, 10), []);
  });

  it('is found by the check until all cases are planned by it', async () => {
    const version = await publish(database.db, officeId, admin);
    const mine = async (before: string) =>
      (await unfinishedReplannings(database.db, before)).filter((found) => found.officeId === officeId);
    assert.deepEqual(await mine(MONDAY), [], 'its process has just been started');
    assert.deepEqual(await mine('2026-03-03T02:00:00Z'), [{ officeId, version }]);
    await database.db('calendar_versions').where({ office_id: officeId, version }).update({ replanned_at: MONDAY });
    assert.deepEqual(await mine('2026-03-03T02:00:00Z'), []);
  });

  it('without the holidays of a year is told of once, to supervisors of the office and to admins', async () => {
    const supervisor = await aUser(database.db, 'supervisor');
    const elsewhere = await aUser(database.db, 'supervisor');
    await database.db('users').where({ id: supervisor }).update({ office_id: officeId });
    const missing = { officeId, officeName: 'Kantor Uji', year: 2027, at: MONDAY };
    assert.equal(await tellOfMissingHolidays(database.db, missing), true);
    assert.equal(await tellOfMissingHolidays(database.db, { ...missing, at: '2026-10-12T00:00:00Z' }), false);
    assert.equal(await tellOfMissingHolidays(database.db, { ...missing, year: 2028 }), true);
    const letters = (userId: UserId) =>
      database.db('account_letters').where({ user_id: userId, template: 'calendar_incomplete' }).pluck('data');
    assert.deepEqual((await letters(supervisor)).map(({ year }) => year).toSorted(), [2027, 2028]);
    assert.equal((await letters(admin)).length, 2);
    assert.deepEqual(await letters(elsewhere), []);
  });
});
