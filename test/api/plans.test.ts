import assert from 'node:assert/strict';
import { z } from 'zod';
import { planInForce, planVersion } from '../../db/plans.ts';
import { DEFAULT_SUBSCRIPTION_POLICY } from '../../domain/subscriptions.ts';
import { aCompany } from '../builders/licensing.ts';
import { aPlan, aPlanCode, aSubscription } from '../builders/subscriptions.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const amount = z.looseObject({ amountMinor: z.number(), formatted: z.string() });
const plan = z.looseObject({ code: z.string(), version: z.number(), price: amount, priceWithTax: amount });
const listOf = (body: unknown) => z.object({ items: z.array(plan) }).parse(body).items;
const problem = z.looseObject({ errors: z.array(z.object({ pointer: z.string(), code: z.string() })) });

describe('the plans of the office', () => {
  let database: TestDatabase;
  let api: TestApi;
  let admin: TestPerson;
  let owner: TestPerson;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    [admin, owner] = [await api.person('admin'), await api.person('owner')];
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const sound = (code: string) => ({
    code,
    name: { id: 'Paket Usaha', en: 'Business' },
    priceMinor: 150_000,
    currency: 'IDR',
    interval: 'month',
    entitlements: { companies: 2, users: 5, openApplications: null },
  });
  const publish = (code: string, more: object = {}, headers: Record<string, string> = {}) =>
    api.call('/admin/plans', { as: admin, body: { ...sound(code), ...more }, headers });
  const offered = async (code: string) =>
    listOf((await api.call('/plans', { as: owner })).body).find((one) => one.code === code);

  it('are shown to everybody with the price, and with what PPN adds to it', async () => {
    const { code } = await aPlan(database.db, { priceMinor: '99001' });
    const shown = await offered(code);
    assert.deepEqual(
      [shown?.price.formatted, shown?.priceWithTax.formatted, shown?.['name']],
      ['Rp99.001', 'Rp109.891', 'Test plan'],
    );
    const untaxed = await aPlan(database.db, { priceMinor: '99001', isTaxed: false });
    assert.equal((await offered(untaxed.code))?.priceWithTax.amountMinor, 99_001);
    const inIndonesian = await api.call('/plans', { as: owner, headers: { 'accept-language': 'id' } });
    assert.equal(listOf(inIndonesian.body).find((one) => one.code === code)?.['name'], 'Paket Uji');
  });

  it('of the demonstration can be subscribed to, and none of them is what everybody has', async () => {
    const demo = listOf((await api.call('/admin/plans', { as: admin })).body);
    for (const code of ['basic-monthly', 'business-monthly', 'business-yearly']) {
      const found = demo.find((one) => one.code === code);
      assert.deepEqual([found?.['isOffered'], found?.['inForce'], found?.['isDefault']], [true, true, false], code);
    }
  });

  it('are published as the next version, with an event that says what changed; subscriptions keep theirs', async () => {
    const code = aPlanCode();
    assert.deepEqual((await publish(code)).body['version'], 1);
    const first = await planVersion(database.db, code, 1);
    assert.deepEqual(first.policy, DEFAULT_SUBSCRIPTION_POLICY);
    const companyId = await aCompany(database.db, owner.id);
    const subscriptionId = await aSubscription(database.db, { companyId, by: owner.id, plan: first });
    const { status, body } = await publish(code, { priceMinor: 175_000, policy: { graceDays: 3 } });
    assert.deepEqual([status, body['version']], [201, 2], JSON.stringify(body));
    assert.equal((await offered(code))?.price.amountMinor, 175_000);
    const event = await database
      .db('events')
      .where({ type: 'plan.published', subject: `plan/${code}` })
      .orderBy('id', 'desc')
      .first('data', 'actor_id');
    assert.equal(event.actor_id, admin.id);
    assert.deepEqual(event.data.before.priceMinor, '150000');
    assert.deepEqual(Object.keys(event.data.after).toSorted(), ['policy', 'priceMinor']);
    assert.equal(event.data.after.policy.graceDays, 3);
    const kept = await database.db('subscriptions').where({ id: subscriptionId }).first('plan_version');
    assert.equal(kept.plan_version, 1);
    assert.deepEqual(await planVersion(database.db, code, 1), first);
    const all = listOf((await api.call('/admin/plans', { as: admin })).body).filter((one) => one.code === code);
    assert.deepEqual(
      all.map((one) => [one.version, one['inForce']]),
      [
        [2, true],
        [1, false],
      ],
    );
  });

  it('count from their day on, and can be taken off the shelf', async () => {
    const code = aPlanCode();
    const tomorrow = new Date(Date.now() + 86_400_000);
    await publish(code);
    await publish(code, { priceMinor: 1, effectiveFrom: tomorrow.toISOString() });
    assert.equal((await offered(code))?.version, 1);
    assert.equal((await planInForce(database.db, code, tomorrow))?.version, 2);
    assert.equal((await planInForce(database.db, code, new Date('2020-01-01'))) ?? 'none', 'none');
    await publish(code, { isOffered: false });
    assert.equal(await offered(code), undefined);
    assert.equal(await planInForce(database.db, code, new Date()), null);
    assert.equal((await planInForce(database.db, code, tomorrow))?.version, 2, 'what begins later counts later');
  });

  it('are published once when the request is repeated, and one after the other when two come at once', async () => {
    const code = aPlanCode();
    const headers = { 'idempotency-key': `publish-${code}` };
    const [first, again] = [await publish(code, {}, headers), await publish(code, {}, headers)];
    assert.deepEqual([first.body, again.body['version']], [again.body, 1]);
    const both = await Promise.all([publish(code, { priceMinor: 1 }), publish(code, { priceMinor: 2 })]);
    assert.deepEqual(both.map(({ body }) => body['version']).toSorted(), [2, 3]);
  });

  it('are refused with the field that is wrong', async () => {
    const pointers = async (more: object) => {
      const { status, body } = await publish(aPlanCode(), more);
      assert.equal(status, 422, JSON.stringify(body));
      return problem.parse(body).errors.map(({ pointer }) => pointer);
    };
    assert.deepEqual(await pointers({ code: 'Two Words' }), ['/code']);
    assert.deepEqual(await pointers({ priceMinor: -1 }), ['/priceMinor']);
    assert.deepEqual(await pointers({ policy: { dunningDays: [3, 1] } }), ['/policy/dunningDays']);
    assert.deepEqual(await pointers({ policy: { remindDaysBefore: [1, 7] } }), ['/policy/remindDaysBefore']);
    assert.deepEqual(await pointers({ policy: { invoiceDaysBefore: 28 } }), ['/policy/invoiceDaysBefore']);
    assert.deepEqual(await pointers({ entitlements: { companies: 1, users: 1 } }), ['/entitlements/openApplications']);
    assert.deepEqual(await pointers({ effectiveFrom: '2020-01-01T00:00:00Z' }), ['/effectiveFrom']);
  });

  it('are an administrator’s, with a fresh second factor where there is one', async () => {
    const code = aPlanCode();
    const careful = await api.person('admin');
    await api.giveFactor(careful);
    const refused = await api.call('/admin/plans', { as: careful, body: sound(code) });
    assert.deepEqual([refused.status, refused.body['code']], [403, 'step_up_required']);
    await api.stepUp(careful);
    assert.equal((await api.call('/admin/plans', { as: careful, body: sound(code) })).status, 201);
  });
});
