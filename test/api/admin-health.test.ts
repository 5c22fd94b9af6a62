import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { systemHealth } from '../../api/system-health.ts';
import { connect } from '../../db/connection.ts';
import { receiveNotice } from '../../db/payment-inbox.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { SCHEDULE_IDS } from '../../workflows/ids.ts';
import { aCompany, anInvoice, aPayment, aUser } from '../builders/licensing.ts';
import { startApi } from '../support/api.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const part = z.looseObject({ status: z.string() });
const health = z.object({
  status: z.string(),
  checkedAt: z.string(),
  postgres: part,
  temporal: part,
  worker: z.object({ workflows: part, activities: part }),
  schedules: z.array(part.extend({ id: z.string() })),
  outbox: part,
  inbox: part,
});

describe('the health of the whole', function () {
  this.timeout(60_000);
  let system: TestSystem;

  before(async () => {
    system = await startSystem();
  });
  after(() => system?.close());

  const read = async (api = system.api) => {
    const { status, body } = await api.call('/admin/health', { as: await api.person('ops') });
    assert.equal(status, 200, JSON.stringify(body));
    return health.parse(body);
  };

  it('names the parts, the workers that ask for tasks, and what waits', async () => {
    const { db } = system.database;
    await db('account_letters').insert({
      id: randomUUID(),
      template: 'welcome',
      user_id: await aUser(db, 'owner'),
      created_at: new Date(Date.now() - 90_000),
    });
    const invoiceId = await anInvoice(db, { companyId: await aCompany(db, await aUser(db, 'owner')), state: 'paid' });
    const { reference } = await aPayment(db, { invoiceId });
    const at = new Date(Date.now() - 300_000).toISOString();
    await receiveNotice(db, { gateway: 'midtrans', reference, objectId: randomUUID(), status: 'x', body: {}, at });
    await eventually('the worker to ask', async () => (await read()).worker.activities['workers'] === 1);
    const { postgres, temporal, worker, outbox, inbox } = await read();
    assert.deepEqual([postgres.status, temporal.status], ['ok', 'ok']);
    assert.equal(worker.workflows['workers'], 1);
    assert.ok(Date.now() - Date.parse(String(worker.activities['lastSeenAt'])) < 120_000);
    assert.deepEqual([outbox['waiting'], inbox['waiting']], [1, 1]);
    assert.ok(Number(outbox['lagSeconds']) >= 90 && Number(inbox['lagSeconds']) >= 300);
  });

  it('knows every schedule there is', () => {
    assert.deepEqual(SCHEDULES.map(({ id }) => id).toSorted(), [...SCHEDULE_IDS].toSorted());
  });

  it('shows of a schedule when it ran and how that ended, when it runs next, and whether it is paused', async () => {
    const { client, taskQueue, api } = system;
    const prefix = `${randomUUID()}-`;
    const ids = ['overdue-invoices', 'people-watch'];
    const entries = SCHEDULES.filter(({ id }) => ids.includes(id));
    await ensureSchedules(client, taskQueue, { entries, prefix });
    const [schedule, paused] = ids.map((id) => client.schedule.getHandle(prefix + id));
    assert.ok(schedule && paused);
    const now = async () => {
      const { schedules } = await systemHealth(api.deps, { ids: [...ids, 'not-there'], prefix });
      return schedules;
    };
    try {
      await paused.pause('a test');
      const [before, still, none] = await now();
      assert.ok(before?.status === 'ok' && still?.status === 'ok');
      assert.deepEqual(
        [before.lastRunAt, before.lastOutcome, before.paused, before.missed],
        [null, undefined, false, 0],
      );
      assert.ok(before.nextRunAt && before.nextRunAt.getTime() > Date.now());
      assert.deepEqual([still.paused, still.nextRunAt], [true, null]);
      assert.deepEqual(none, { id: 'not-there', status: 'unavailable' });
      await schedule.trigger();
      await eventually('it to have run', async () => {
        const [it] = await now();
        return it?.status === 'ok' && it.lastRunAt !== null && it.lastOutcome === 'completed';
      });
    } finally {
      await Promise.all([schedule.delete(), paused.delete()]);
    }
  });

  it('is degraded, and told all the same, when parts are away', async () => {
    const lonely = await startApi(system.database);
    try {
      const began = Date.now();
      const { status, postgres, temporal, worker, schedules, outbox } = await read(lonely);
      assert.ok(Date.now() - began < 6_000, 'each part has two seconds, and all of them at once');
      assert.deepEqual([status, postgres.status, outbox.status], ['degraded', 'ok', 'ok']);
      const away = [temporal, worker.workflows, worker.activities, ...schedules].map((each) => each.status);
      assert.deepEqual([...new Set(away)], ['unavailable']);
    } finally {
      await lonely.close();
    }
    const db = connect('postgres://nobody@127.0.0.1:1/nothing', 1);
    try {
      const { postgres, inbox, temporal } = await systemHealth({ ...system.api.deps, db }, { ids: [] });
      assert.deepEqual([postgres.status, inbox.status, temporal.status], ['unavailable', 'unavailable', 'ok']);
    } finally {
      await db.destroy();
    }
  });

  it('is degraded while no worker asks for tasks', async () => {
    const idle = await startApi(system.database, { temporal: system.client, taskQueue: `nobody-${randomUUID()}` });
    try {
      const { status, worker } = await read(idle);
      assert.deepEqual([status, worker.workflows['workers']], ['degraded', 0]);
    } finally {
      await idle.close();
    }
  });

  it('is for ops and administrators', async () => {
    const as = await system.api.person('supervisor');
    assert.equal((await system.api.call('/admin/health', { as })).status, 403);
  });
});
