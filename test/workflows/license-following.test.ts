import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { CompanyId, LicenseId, UserId } from '../../domain/ids.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { licenseFollowingId } from '../../workflows/ids.ts';
import { licenseChangedSignal } from '../../workflows/messages.ts';
import { aCompany, aLicenseType, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { anEndingLicense, daysFromNow, type EndingLicense } from '../builders/renewals.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

const letterShape = z.array(
  z.object({ template: z.string(), created_at: z.date(), data: z.looseObject({ days: z.number().optional() }) }),
);

describe('a licence that is followed', () => {
  let system: TestSystem;
  let companyId: CompanyId;
  let applicantId: UserId;
  let type: LicenseTypeRow;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    const { db } = system.database;
    applicantId = await aUser(db, 'owner');
    companyId = await aCompany(db, applicantId);
    type = await aLicenseType(db);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const ending = (endsInDays: number, status?: string) =>
    anEndingLicense(db(), { companyId, applicantId, type, endsInDays, ...(status ? { status } : {}) });
  const process = (id: LicenseId) => system.client.workflow.getHandle(licenseFollowingId(id));
  const follow = (id: LicenseId) =>
    system.client.workflow.start('licenseFollowing', {
      workflowId: licenseFollowingId(id),
      taskQueue: system.taskQueue,
      args: [{ licenseId: id }],
    });
  const go = (id: LicenseId, days: number) => travel(system.client, licenseFollowingId(id), days * DAY);
  /** Over the end of the process: it arrives there, or it is over. */
  const goToEnd = async (id: LicenseId, days: number) => {
    await Promise.race([go(id, days).catch(() => undefined), process(id).result()]);
    await process(id).result();
  };
  const lettersOf = async ({ number }: EndingLicense) =>
    letterShape.parse(
      await db()('account_letters')
        .whereRaw("data ->> 'licenseNumber' = ?", [number])
        .orderBy('created_at')
        .select('template', 'created_at', 'data'),
    );
  const daysOf = async (license: EndingLicense) =>
    (await lettersOf(license)).map(({ template, data }) =>
      `${template.replace('license_', '')} ${data.days ?? ''}`.trim(),
    );
  const rungsOf = async ({ id }: EndingLicense) =>
    (await db()('license_reminders').where({ license_id: id }).orderBy('at').pluck<string[]>('rung')).toSorted();
  const statusOf = async ({ id }: EndingLicense) => (await db()('licenses').where({ id }).first('status')).status;
  const isAsleep = (id: LicenseId) =>
    eventually('the process to sleep', async () => {
      const { pendingActivities } = (await process(id).describe()).raw;
      const { historyLength } = await process(id).describe();
      return historyLength > 8 && (pendingActivities ?? []).length === 0;
    });

  together({
    'opens its renewal, reminds at each rung once, by day, and ends to the instant': async () => {
      const license = await ending(90.2);
      await follow(license.id);
      await goToEnd(license.id, 91);
      assert.deepEqual(await daysOf(license), [
        'renewal_open 90',
        ...[60, 30, 14, 7, 1].map((days) => `renewal_reminder ${days}`),
        'expired',
      ]);
      assert.deepEqual(await rungsOf(license), ['1', '14', '30', '60', '7', '90', 'open']);
      for (const { template, created_at } of await lettersOf(license)) {
        const hour = (created_at.getUTCHours() + 7) % 24;
        assert.ok(template === 'license_expired' || (hour >= 8 && hour < 20), `${template} at ${hour}`);
      }
      assert.equal(await statusOf(license), 'expired');
      const [over] = await db()('events').where({ key: `license/${license.id}/expired` });
      assert.equal(over.occurred_at.toISOString(), license.validUntil);
      const events = await db()('events')
        .where({ subject: `license/${license.id}` })
        .orderBy('id')
        .pluck('type');
      assert.equal(events.filter((one: string) => one === 'license.renewal_opened').length, 1);
      assert.equal(events.filter((one: string) => one === 'license.renewal_reminded').length, 5);
    },

    'writes no letter after it is revoked, and its process ends': async () => {
      const license = await ending(61);
      await follow(license.id);
      await go(license.id, 1.6);
      const before = await daysOf(license);
      await db()('licenses').where({ id: license.id }).update({ status: 'revoked' });
      await process(license.id).signal(licenseChangedSignal);
      await process(license.id).result();
      assert.deepEqual([await daysOf(license), await statusOf(license)], [before, 'revoked']);
    },

    'writes none while it is suspended, and one for what was missed when it is back': async () => {
      const license = await ending(32, 'suspended');
      await follow(license.id);
      await go(license.id, 20);
      assert.deepEqual(await daysOf(license), []);
      await db()('licenses').where({ id: license.id }).update({ status: 'active' });
      await process(license.id).signal(licenseChangedSignal);
      await isAsleep(license.id);
      await go(license.id, 1);
      const [first, ...more] = await daysOf(license);
      assert.match(first ?? '', /^renewal_open 1[12]$/);
      assert.deepEqual(more, []);
      assert.deepEqual(await rungsOf(license), ['14', 'open']);
    },

    'writes none once its next term is paid, and is superseded by it': async () => {
      const license = await ending(31);
      await follow(license.id);
      await isAsleep(license.id);
      const next = await ending(365);
      await db()('licenses').where({ id: next.id }).update({ renews_id: license.id, valid_from: license.validUntil });
      await db()('account_letters').delete().whereRaw("data ->> 'licenseNumber' = ?", [license.number]);
      await process(license.id).signal(licenseChangedSignal);
      await goToEnd(license.id, 32);
      assert.deepEqual([await daysOf(license), await statusOf(license)], [['superseded'], 'superseded']);
      const [over] = await db()('events').where({ key: `license/${license.id}/superseded/renewal` });
      assert.equal(over.occurred_at.toISOString(), license.validUntil);
    },

    'is not followed for life, and not once it is over': async () => {
      const forLife = await ending(30);
      await db()('licenses').where({ id: forLife.id }).update({ valid_until: null });
      const over = await ending(-1, 'expired');
      for (const { id } of [forLife, over]) {
        await follow(id);
        await process(id).result();
      }
      assert.deepEqual([await daysOf(forLife), await daysOf(over)], [[], []]);
    },

    'ends one whose end nobody has written down': async () => {
      const license = await ending(-2);
      await follow(license.id);
      await process(license.id).result();
      assert.deepEqual([await daysOf(license), await statusOf(license)], [['expired'], 'expired']);
    },
  });
});

describe('licences without a process', function () {
  this.timeout(90_000);
  let system: TestSystem;
  let companyId: CompanyId;
  let applicantId: UserId;
  let type: LicenseTypeRow;

  before(async () => {
    system = await startSystem();
    const { db } = system.database;
    applicantId = await aUser(db, 'owner');
    companyId = await aCompany(db, applicantId);
    type = await aLicenseType(db);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const ending = (endsInDays: number, changes: { status?: string; followedSince?: string } = {}) =>
    anEndingLicense(db(), { companyId, applicantId, type, endsInDays, ...changes });
  const adopt = (input: object = {}) =>
    system.client.workflow.execute('licenseAdoption', {
      workflowId: `license-adoption-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [input],
    });
  const isRunning = async (id: LicenseId) =>
    (await system.client.workflow.getHandle(licenseFollowingId(id)).describe()).status.name === 'RUNNING';

  it('get one each, page by page and run by run; a second time there is nothing to do', async () => {
    const licenses = await Promise.all(Array.from({ length: 7 }, (_, index) => ending(200 + index)));
    const suspended = await ending(200, { status: 'suspended' });
    const [over, forLife] = [await ending(-3, { status: 'expired' }), await ending(200)];
    await db()('licenses').where({ id: forLife.id }).update({ valid_until: null });
    assert.deepEqual(await adopt({ page: 3, pagesARun: 1 }), { followed: 8, revived: 0, failed: 0 });
    for (const { id } of [...licenses, suspended]) {
      assert.ok(await isRunning(id));
      assert.equal((await db()('events').where({ key: `license/${id}/followed` })).length, 1);
      assert.ok((await db()('licenses').where({ id }).first('followed_since')).followed_since);
    }
    for (const { id } of [over, forLife]) await assert.rejects(isRunning(id));
    assert.deepEqual(await adopt(), { followed: 0, revived: 0, failed: 0 });
  });

  it('get another when theirs is gone', async () => {
    const [gone, there] = [await ending(200), await ending(200)];
    await adopt();
    await system.client.workflow.getHandle(licenseFollowingId(gone.id)).terminate('an accident');
    const never = await ending(200, { followedSince: daysFromNow(-1) });
    assert.deepEqual(await adopt(), { followed: 0, revived: 2, failed: 0 });
    for (const { id } of [gone, never, there]) assert.ok(await isRunning(id));
  });

  it('get their mark when the process was started and the worker died before it said so', async () => {
    const { id } = await ending(200);
    await system.client.workflow.start('licenseFollowing', {
      workflowId: licenseFollowingId(id),
      taskQueue: system.taskQueue,
      args: [{ licenseId: id }],
    });
    assert.deepEqual(await adopt(), { followed: 1, revived: 0, failed: 0 });
    assert.ok((await db()('licenses').where({ id }).first('followed_since')).followed_since);
  });

  it('are looked for by a schedule, once a day', async () => {
    const entries = SCHEDULES.filter(({ id }) => id === 'license-safety-net');
    assert.equal(entries.length, 1);
    const prefix = `${randomUUID()}-`;
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    const schedule = system.client.schedule.getHandle(`${prefix}license-safety-net`);
    const license = await ending(200);
    try {
      await schedule.trigger();
      await eventually('the licence to be followed', () => isRunning(license.id).catch(() => null));
    } finally {
      await schedule.delete();
    }
  });
});
