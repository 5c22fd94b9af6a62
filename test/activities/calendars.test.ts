import assert from 'node:assert/strict';
import { Client, Connection, type WorkflowClientInterceptor, WorkflowNotFoundError } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCalendarActivities } from '../../activities/calendars.ts';
import type { OfficeId } from '../../domain/ids.ts';
import { aCompany, aLicenseType, aUser } from '../builders/licensing.ts';
import { openCases } from '../builders/open-cases.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const CASES = 25;
const AT_ONCE = 10;

describe('telling processes that they were planned anew', () => {
  let database: TestDatabase;
  let officeId: OfficeId;
  before(async () => {
    database = await createTestDatabase();
    const owner = await aUser(database.db, 'owner');
    const type = await aLicenseType(database.db);
    officeId = type.officeId;
    await openCases(database.db, {
      companyId: await aCompany(database.db, owner),
      type,
      applicantId: owner,
      count: CASES,
    });
  });
  after(() => database?.drop());
  beforeEach(() => database.db('applications').update({ replan_untold: true }));

  /** The server is not reached: what would be sent to it is answered here. */
  async function tellAll(server: WorkflowClientInterceptor): Promise<number> {
    const client = new Client({ connection: Connection.lazy(), interceptors: { workflow: [server] } });
    const { tellReplanned } = createCalendarActivities({ db: database.db });
    const whom = { officeId, version: 1, workflowIdPrefix: 'review/', signal: 'replanned', limit: 100 };
    let told = 0;
    await new MockActivityEnvironment({}, { client }).run(async () => {
      ({ told } = await tellReplanned(whom));
    });
    return told;
  }
  const untold = async () => (await database.db('applications').where({ replan_untold: true })).length;

  it('wakes some at a time and waits for them: decisions come between, and not behind all of them', async () => {
    let asleep = CASES;
    let waking = 0;
    let most = 0;
    const told = await tellAll({
      async signal() {
        asleep -= 1;
        waking += 1;
        most = Math.max(most, waking);
      },
      async query() {
        waking = 0;
      },
    });
    assert.deepEqual({ told, asleep, waking, most }, { told: CASES, asleep: 0, waking: 0, most: AT_ONCE });
    assert.equal(await untold(), 0);
  });

  it('goes on when one does not hear in time: it is told all the same', async () => {
    const told = await tellAll({
      async signal() {},
      async query() {
        throw new Error('deadline exceeded');
      },
    });
    assert.equal(told, CASES);
    assert.equal(await untold(), 0);
  });

  it('waits for none that has ended', async () => {
    let asked = 0;
    await tellAll({
      async signal({ workflowExecution: { workflowId } }) {
        throw new WorkflowNotFoundError('ended', workflowId, undefined);
      },
      async query() {
        asked += 1;
      },
    });
    assert.equal(asked, 0);
    assert.equal(await untold(), 0);
  });
});
