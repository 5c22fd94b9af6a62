import assert from 'node:assert/strict';
import { z } from 'zod';
import { recordEvent } from '../../db/events.ts';
import { aCompany } from '../builders/licensing.ts';
import { aPlan, aSubscription } from '../builders/subscriptions.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const amount = z.looseObject({ amountMinor: z.number(), formatted: z.string() });
const revenue = z.looseObject({ from: z.string(), mrr: z.record(z.string(), amount), churnRate: z.number() });

describe('the figures of revenue', () => {
  let database: TestDatabase;
  let api: TestApi;
  let finance: TestPerson;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    finance = await api.person('finance');
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const read = async (query: string) => {
    const { status, body } = await api.call(`/admin/revenue?${query}`, { as: finance });
    assert.equal(status, 200, JSON.stringify(body));
    return revenue.parse(body);
  };

  it('are those of a month of the office, in money and in shares', async () => {
    const { db } = database;
    const owner = await api.person('owner');
    const plan = await aPlan(db, { priceMinor: '150000' });
    for (const end of [null, '2026-03-20T00:00:00.000Z']) {
      const companyId = await aCompany(db, owner.id);
      const startedAt = '2026-02-10T00:00:00.000Z';
      const id = await aSubscription(db, { companyId, by: owner.id, plan, startedAt });
      await db('subscriptions').where({ id }).update({ ended_at: end });
      const about = {
        companyId,
        subject: `subscription/${id}`,
        data: { monthlyMinor: '150000', currency: 'IDR' },
      } as const;
      const tell = (type: 'started' | 'renewed' | 'cancelled', at: string) =>
        recordEvent(db, { ...about, key: `subscription/${id}/${type}`, type: `subscription.${type}`, at });
      await tell('started', startedAt);
      await tell('renewed', startedAt);
      if (end) await tell('cancelled', end);
    }
    const { mrr, churnRate, from, ...rest } = await read('month=2026-03');
    assert.deepEqual(
      [mrr['atStart']?.formatted, mrr['churned']?.formatted, mrr['atEnd']?.formatted, churnRate, rest['mrrChurnRate']],
      ['Rp300.000', 'Rp150.000', 'Rp150.000', 0.5, 0.5],
    );
    assert.equal(from, '2026-02-28T17:00:00.000Z');
  });

  it('are zeros for a month in which nothing was', async () => {
    const { mrr, churnRate, ...rest } = await read('month=2021-01&currency=MYR');
    assert.deepEqual([...new Set(Object.values(mrr).map(({ amountMinor }) => amountMinor))], [0]);
    assert.equal(churnRate, 0);
    assert.deepEqual(rest['trials'], { ended: 0, converted: 0, conversionRate: 0 });
    assert.deepEqual(rest['dunning'], { begun: 0, recovered: 0, lost: 0, open: 0, recoveryRate: 0 });
  });

  it('are asked for by month, by those who may', async () => {
    for (const query of ['', '?month=2026-13', '?month=2026-3', '?month=2026-03&currency=USD'])
      assert.equal((await api.call(`/admin/revenue${query}`, { as: finance })).status, 422, query);
    assert.equal((await api.call('/admin/revenue?month=2026-03', { as: await api.person('verifier') })).status, 403);
  });
});
