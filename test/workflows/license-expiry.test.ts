import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { CompanyId, LicenseId } from '../../domain/ids.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { aCompany, aLicense, aLicenseType, anApplication, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

describe('the end of a licence’s validity', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    system = await startSystem();
    const { db } = system.database;
    companyId = await aCompany(db, await aUser(db, 'owner'));
    type = await aLicenseType(db);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const sweep = (page = 100): Promise<{ expired: number; failed: number }> =>
    system.client.workflow.execute('licenseExpiry', {
      workflowId: `license-expiry-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [page],
    });
  async function licensed(validUntil: string | null): Promise<LicenseId> {
    const { owner } = await db()('company_members').where({ company_id: companyId }).first({ owner: 'user_id' });
    const applicationId = await anApplication(db(), { companyId, type, applicantId: owner, state: 'active' });
    return (await aLicense(db(), { applicationId, companyId, type, validUntil, at: ago(100_000) })).id;
  }
  const statusOf = async (id: LicenseId): Promise<string> =>
    (await db()('licenses').where({ id }).first('status')).status;

  it('is written down to the minute, and not before: not of what holds a minute longer, or for life', async () => {
    const [over, almost, forLife] = [await licensed(ago(0)), await licensed(ago(-1)), await licensed(null)];
    assert.deepEqual(await sweep(), { expired: 1, failed: 0 });
    assert.deepEqual(
      [await statusOf(over), await statusOf(almost), await statusOf(forLife)],
      ['expired', 'active', 'active'],
    );
    assert.deepEqual(await sweep(), { expired: 0, failed: 0 });
    assert.equal((await db()('events').where({ key: `license/${over}/expired` })).length, 1);
  });
  it('is written down page by page', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, (_, index) => licensed(ago(index < 4 ? 5 : index))));
    assert.deepEqual(await sweep(3), { expired: 7, failed: 0 });
    for (const id of ids) assert.equal(await statusOf(id), 'expired');
  });
  it('is written down of all others when it cannot be of one, which is tried again', async () => {
    const [stuck, other] = [await licensed(ago(9)), await licensed(ago(8))];
    await db().raw(
      `create function not_this_one() returns trigger language plpgsql as $$ begin
         if new.id = '${stuck}' then raise exception 'disk of one licence full'; end if; return new; end $$`,
    );
    await db().raw('create trigger stuck before update on licenses for each row execute function not_this_one()');
    assert.deepEqual(await sweep(1), { expired: 1, failed: 1 });
    assert.deepEqual([await statusOf(stuck), await statusOf(other)], ['active', 'expired']);
    assert.equal((await db()('events').where({ key: `license/${stuck}/expired` })).length, 0);
    await db().raw('drop trigger stuck on licenses');
    assert.deepEqual(await sweep(), { expired: 1, failed: 0 });
  });
  it('is seen by a schedule each minute', async () => {
    const entries = SCHEDULES.filter(({ id }) => id === 'license-expiry');
    assert.deepEqual(entries[0]?.spec.intervals, [{ every: '1 minute' }]);
    const prefix = `${randomUUID()}-`;
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    const schedule = system.client.schedule.getHandle(`${prefix}license-expiry`);
    const id = await licensed(ago(1));
    try {
      await schedule.trigger();
      await eventually('the licence to have expired', async () => (await statusOf(id)) === 'expired' || null);
    } finally {
      await schedule.delete();
    }
  });
});
