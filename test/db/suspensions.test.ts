import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { publishCalendar } from '../../db/calendars.ts';
import { changeLegalTime, ledgerOf, resumeClock, startLegalClock, suspendClock } from '../../db/suspensions.ts';
import { type ApplicationId, asId, type CalendarVersionId, type CompanyId, type UserId } from '../../domain/ids.ts';
import type { SuspensionReason } from '../../domain/legal-clock.ts';
import { aCalendar } from '../builders/calendars.ts';
import { aCompany, aLicenseType, anApplication, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const COMPLETE = '2026-03-02T09:00:00+07:00';
const ASKED = '2026-03-03T09:00:00+07:00';
const ANSWERED = '2026-03-05T09:00:00+07:00';

describe('the ledger of the legal clock', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let applicationId: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
    type = await aLicenseType(database.db);
  });
  after(() => database?.drop());

  beforeEach(async () => {
    applicationId = await anApplication(database.db, { companyId, type, applicantId: owner, state: 'completeness' });
  });

  const start = (at = COMPLETE) =>
    database.db.transaction((tx) =>
      startLegalClock(tx, { applicationId, officeId: type.officeId, legalWorkingDays: 5, at }),
    );
  const suspend = (at = ASKED, reason: SuspensionReason = 'correction', round = 1) =>
    database.db.transaction((tx) =>
      suspendClock(tx, { applicationId, reason, stage: 'compliance_check', round, by: owner, at }),
    );
  const resume = (at = ANSWERED) => database.db.transaction((tx) => resumeClock(tx, { applicationId, at }));
  const stored = () =>
    database
      .db('applications')
      .where({ id: applicationId })
      .first('complete_at', 'legal_budget_ms', 'legal_due_at', 'calendar_version');
  const events = () =>
    database.db('events').where({ application_id: applicationId }).orderBy('id').pluck<string[]>('type');

  it('starts when the submission is complete, once', async () => {
    assert.deepEqual(await start(), { legalDueAt: '2026-03-09T09:00:00+07:00' });
    assert.deepEqual(await start('2026-03-04T09:00:00+07:00'), { legalDueAt: '2026-03-09T09:00:00+07:00' });
    assert.deepEqual(await stored(), {
      complete_at: new Date(COMPLETE),
      legal_budget_ms: 5n * 8n * 3_600_000n,
      legal_due_at: new Date('2026-03-09T09:00:00+07:00'),
      calendar_version: 1,
    });
  });

  it('stands still from the question to the answer, and tells both', async () => {
    await start();
    assert.equal(await suspend(), true);
    assert.equal((await stored()).legal_due_at, null);
    assert.deepEqual(await resume(), { legalDueAt: '2026-03-11T09:00:00+07:00' });
    assert.deepEqual((await stored()).legal_due_at, new Date('2026-03-11T09:00:00+07:00'));
    assert.deepEqual(await ledgerOf(database.db, applicationId), [
      {
        reason: 'correction',
        stage: 'compliance_check',
        round: 1,
        by: owner,
        from: Date.parse(ASKED),
        to: Date.parse(ANSWERED),
      },
    ]);
    assert.deepEqual(await events(), ['clock.suspended', 'clock.resumed']);
  });

  it('changes nothing when either is repeated, even after the other', async () => {
    await start();
    await suspend();
    assert.equal(await suspend(), false);
    await resume();
    assert.equal(await suspend(), false, 'the answer of an activity was lost, and it came again');
    assert.deepEqual(await resume('2026-03-06T09:00:00+07:00'), { legalDueAt: '2026-03-11T09:00:00+07:00' });
    assert.equal((await ledgerOf(database.db, applicationId)).length, 1);
    assert.deepEqual(await events(), ['clock.suspended', 'clock.resumed']);
  });

  it('has one open suspension a case, whoever comes second', async () => {
    await start();
    const both = await Promise.all([suspend(ASKED), suspend('2026-03-03T09:00:01+07:00', 'intent_to_reject')]);
    assert.deepEqual(both.toSorted(), [false, true]);
    const open = await database.db('suspensions').where({ application_id: applicationId, to_at: null });
    assert.equal(open.length, 1);
    await assert.rejects(
      () =>
        database.db('suspensions').insert({
          application_id: applicationId,
          reason: 'correction',
          round: 1,
          from_at: ASKED,
        }),
      /suspensions_one_open/,
    );
  });

  it('never starts again from zero: a second suspension leaves what was used before the first', async () => {
    await start();
    await suspend();
    await resume();
    await suspend('2026-03-06T09:00:00+07:00', 'intent_to_reject');
    assert.deepEqual(await resume('2026-03-09T09:00:00+07:00'), { legalDueAt: '2026-03-12T09:00:00+07:00' });
  });

  it('has nothing to stop before it started, and nothing to resume', async () => {
    assert.equal(await suspend(), false);
    assert.deepEqual(await resume(), { legalDueAt: null });
    assert.deepEqual(await events(), []);
  });

  it('tells whoever starts it again while it stands still what it would be if it ran on', async () => {
    await start();
    await suspend();
    assert.deepEqual(await start(ANSWERED), { legalDueAt: '2026-03-11T09:00:00+07:00' });
  });

  it('is resumed at the moment of its suspension by a clock that is behind', async () => {
    await start();
    await suspend();
    assert.deepEqual(await resume('2026-03-02T15:00:00+07:00'), { legalDueAt: '2026-03-09T09:00:00+07:00' });
  });

  it('follows a policy with another legal time, from the beginning', async () => {
    await start();
    const change = (legalWorkingDays: number) =>
      database.db.transaction((tx) => changeLegalTime(tx, { applicationId, legalWorkingDays }));
    assert.deepEqual(await change(10), { legalDueAt: '2026-03-16T09:00:00+07:00' });
    await suspend();
    assert.deepEqual(await change(3), { legalDueAt: null });
    assert.deepEqual(await resume(), { legalDueAt: '2026-03-09T09:00:00+07:00' });
  });

  it('makes a publication wait, so that no due date of the calendar before is stored after it', async () => {
    const office = (await aLicenseType(database.db)).officeId;
    const order: string[] = [];
    let published: Promise<unknown> = Promise.resolve();
    await database.db.transaction(async (tx) => {
      await startLegalClock(tx, { applicationId, officeId: office, legalWorkingDays: 5, at: COMPLETE });
      published = publishCalendar(database.db, {
        id: asId<CalendarVersionId>(randomUUID()),
        officeId: office,
        calendar: aCalendar(),
        reason: 'Test',
        basedOnVersion: 1,
        by: owner,
        at: COMPLETE,
      }).then(() => order.push('published'));
      await waitsForTheLock(office);
      order.push('stored');
    });
    await published;
    assert.deepEqual(order, ['stored', 'published']);

    async function waitsForTheLock(officeId: string): Promise<void> {
      for (let tries = 0; ; tries += 1) {
        const { rows } = await database.db.raw(
          `select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted and objid =
             (hashtext(?)::bigint & x'ffffffff'::bigint)::oid`,
          [`calendar/${officeId}`],
        );
        if (rows[0].waiting > 0) return;
        if (tries > 500) throw new Error('the publication does not wait');
      }
    }
  });
});
