/** Slow because Temporal notices only after some seconds that a worker is gone. */
import assert from 'node:assert/strict';
import { asId, type CompanyId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { calendarChangeId } from '../../workflows/ids.ts';
import { closed, publish } from '../builders/calendars.ts';
import { aCompany, aLicenseType } from '../builders/licensing.ts';
import { openCases } from '../builders/open-cases.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

describe('re-planning when a worker is killed', () => {
  let system: TestSystem;
  let companyId: CompanyId;
  before(async function () {
    this.timeout(60_000);
    system = await startSystem({ worker: false });
    companyId = asId<CompanyId>(await aCompany(system.database.db, demoUserId('owner')));
  });
  after(() => system?.close());

  for (const activity of ['replanCases', 'tellReplanned']) {
    it(`between ${activity} and its answer goes on with another one, and plans and tells of every case once`, async function () {
      this.timeout(120_000);
      const { db } = system.database;
      const type = await aLicenseType(db, { legalWorkingDays: 10 });
      const { officeId } = type;
      await openCases(db, { companyId, type, applicantId: demoUserId('owner'), count: 3 });
      const version = await publish(db, officeId, demoUserId('admin'), { closures: [closed('2026-03-03')] });
      const death = system.workUntilDeath({ activity, when: 'after', inputContains: officeId });
      const handle = await system.client.workflow.start('calendarChange', {
        workflowId: calendarChangeId(officeId, version),
        taskQueue: system.taskQueue,
        args: [{ officeId, version, pageSize: 2 }],
      });
      await death;
      await system.startWorker();
      assert.equal((await handle.result()).outcome, 'replanned');
      const cases = db('applications').where({ type_code: type.code });
      assert.deepEqual(await cases.clone().distinct().pluck('calendar_version'), [version]);
      assert.deepEqual(await cases.clone().distinct().pluck('replan_untold'), [false]);
      const events = await db('events')
        .where({ type: 'task.replanned' })
        .whereIn('application_id', cases.clone().select('id'));
      assert.equal(events.length, 3);
      await system.stopWorker();
    });
  }
});
