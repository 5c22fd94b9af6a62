import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { OfficeId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { calendarChangeId } from '../../workflows/ids.ts';
import { closed, publish } from '../builders/calendars.ts';
import { aLicenseType } from '../builders/licensing.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const ADMIN = demoUserId('admin');

describe('looking through the calendars', () => {
  let system: TestSystem;
  before(async function () {
    this.timeout(60_000);
    system = await startSystem();
  });
  after(() => system?.close());

  const check = async (): Promise<{ incomplete: number; started: number }> => {
    const { client, taskQueue } = system;
    return client.workflow.execute('calendarCheck', { workflowId: `calendar-check-${randomUUID()}`, taskQueue });
  };
  const holidays = () => {
    const year = new Date().getFullYear();
    return [year, year + 1].map((each) => closed(`${each}-01-01`, 'national'));
  };
  const alarmsOf = (officeId: OfficeId) =>
    system.database
      .db('events')
      .where({ type: 'calendar.incomplete', subject: `calendar/${officeId}` })
      .pluck('data');

  it('raises the alarm for an office without holidays, once a year, with a letter to those who can mend it', async () => {
    const { db } = system.database;
    const { officeId } = await aLicenseType(db);
    const [first, second] = [await check(), await check()];
    assert.ok(first.incomplete >= 1);
    assert.equal(second.incomplete, first.incomplete, 'it is still incomplete');
    const alarms: { year: number }[] = await alarmsOf(officeId);
    const year = new Date().getFullYear();
    assert.deepEqual(alarms[0], { year });
    assert.equal(alarms.length, new Set(alarms.map((alarm) => alarm.year)).size);
    const letters = await db('account_letters')
      .where({ user_id: ADMIN, template: 'calendar_incomplete' })
      .pluck('data');
    assert.equal(letters.length, alarms.length);
    await publish(db, officeId, ADMIN, { closures: holidays() });
    assert.ok((await check()).incomplete < second.incomplete);
  });

  it('starts the re-planning that nobody started', async () => {
    const { db } = system.database;
    const { officeId } = await aLicenseType(db);
    // Published long ago by the clock of the check, and the API died before it could start anything.
    const version = await publish(db, officeId, ADMIN, { closures: holidays() });
    assert.ok((await check()).started >= 1);
    const handle = system.client.workflow.getHandle(calendarChangeId(officeId, version));
    assert.deepEqual(await handle.result(), { outcome: 'replanned', replanned: 0, moved: 0 });
    assert.equal((await check()).started, 0, 'a second time there is nothing to start');
  });
});
