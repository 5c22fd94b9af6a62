import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { calendarOf, officeOfType } from '../../db/offices.ts';
import { addWorkingDays, formatInZone } from '../../domain/calendar.ts';
import { asId, type OfficeId } from '../../domain/ids.ts';
import { aLicenseType, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the calendar of an office', () => {
  let database: TestDatabase;
  let officeId: OfficeId;

  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  beforeEach(async () => {
    ({ officeId } = await aLicenseType(database.db));
    const closure = (date: string, kind: string, name: string) => ({ office_id: officeId, date, kind, name });
    await database
      .db('office_closures')
      .insert([
        closure('2026-03-03', 'joint_leave', 'Cuti bersama'),
        closure('2026-03-04', 'national', 'Libur nasional'),
        closure('2026-03-05', 'local', 'Hari jadi kota'),
      ]);
  });

  const keepsJointLeave = (counts: boolean) =>
    database.db('offices').where({ id: officeId }).update({ joint_leave_counts: counts });
  const closedDates = async () => [...(await calendarOf(database.db, officeId)).closedDates];

  it('is closed on joint leave where the office keeps it', async () => {
    await keepsJointLeave(true);
    assert.deepEqual(await closedDates(), [
      ['2026-03-03', 'Cuti bersama'],
      ['2026-03-04', 'Libur nasional'],
      ['2026-03-05', 'Hari jadi kota'],
    ]);
  });

  it('is open on joint leave where the office does not keep it, and closed on the other days', async () => {
    await keepsJointLeave(false);
    assert.deepEqual(await closedDates(), [
      ['2026-03-04', 'Libur nasional'],
      ['2026-03-05', 'Hari jadi kota'],
    ]);
  });

  it('moves a deadline accordingly', async () => {
    const due = async () => {
      const calendar = await calendarOf(database.db, officeId);
      return formatInZone(addWorkingDays(calendar, Date.parse(MONDAY), 1).at, calendar.zone);
    };
    await keepsJointLeave(false);
    assert.equal(await due(), '2026-03-03T09:00:00+07:00');
    await keepsJointLeave(true);
    assert.equal(await due(), '2026-03-06T09:00:00+07:00');
  });

  it('has the hours, days and zone of the office, and none of its neighbour', async () => {
    await database
      .db('offices')
      .where({ id: officeId })
      .update({ zone: 'Asia/Jayapura', workdays: [1, 2, 3, 4, 5, 6] });
    const { zone, workdays, opensAtMinute, closesAtMinute } = await calendarOf(database.db, officeId);
    assert.deepEqual(
      { zone, workdays, opensAtMinute, closesAtMinute },
      {
        zone: 'Asia/Jayapura',
        workdays: [1, 2, 3, 4, 5, 6],
        opensAtMinute: 480,
        closesAtMinute: 960,
      },
    );
    const neighbour = await aLicenseType(database.db);
    assert.deepEqual([...(await calendarOf(database.db, neighbour.officeId)).closedDates], []);
  });

  it('of an office or a licence type that does not exist is an error that names it', async () => {
    const missing = asId<OfficeId>(randomUUID());
    await assert.rejects(calendarOf(database.db, missing), new RegExp(missing));
    await assert.rejects(officeOfType(database.db, 'no_such_type'), /no_such_type/);
  });

  it('belongs to the licence type that the office looks after', async () => {
    const { code, officeId: own } = await aLicenseType(database.db);
    assert.equal((await officeOfType(database.db, code)).id, own);
  });
});
