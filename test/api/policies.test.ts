import assert from 'node:assert/strict';
import { z } from 'zod';
import { licenseTypeInForce } from '../../db/license-types.ts';
import { DEMO_LICENSE_TYPES } from '../../local/demo-license-types.ts';
import { aLicenseType, FORM_SCHEMA, GOOD_FORM, policy } from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const problem = z.object({ code: z.string(), errors: z.array(z.object({ pointer: z.string(), code: z.string() })) });
const summary = z.looseObject({
  typeCode: z.string(),
  versions: z.array(z.looseObject({ version: z.number(), inForce: z.boolean(), reason: z.string().nullable() })),
});

describe('the policies of a licence type', () => {
  let database: TestDatabase;
  let api: TestApi;
  let admin: TestPerson;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    admin = await api.person('admin');
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const publish = (code: string, more: object = {}) =>
    api.call(`/admin/policies/${code}`, {
      as: admin,
      body: { policy: policy(), formSchema: FORM_SCHEMA, reason: 'A new decree', ...more },
    });
  const pointers = async (code: string, more: object) => {
    const { status, body } = await publish(code, more);
    assert.equal(status, 422, JSON.stringify(body));
    return problem.parse(body).errors.map((error) => `${error.pointer} ${error.code}`);
  };

  it('are listed with their versions and the one in force', async () => {
    const { body } = await api.call('/admin/policies', { as: await api.person('supervisor') });
    const restaurant = z
      .object({ items: z.array(summary) })
      .parse(body)
      .items.find(({ typeCode }) => typeCode === 'restaurant');
    assert.deepEqual(
      restaurant?.versions.map(({ version, inForce }) => [version, inForce]),
      [
        [2, true],
        [1, false],
      ],
    );
    const one = await api.call('/admin/policies/restaurant', { as: admin });
    assert.deepEqual(one.body['openCases'], 0);
    assert.ok(one.body['policy'] && one.body['formSchema'] && one.body['exampleForm']);
    assert.equal((await api.call('/admin/policies/none', { as: admin })).status, 404);
  });

  it('are published as the next version, and the event says what changed', async () => {
    const type = await aLicenseType(database.db);
    const next = { ...policy(), legalWorkingDays: 7, deemedApproval: 'issue' };
    const { status, body } = await publish(type.code, { policy: next });
    assert.deepEqual(
      [status, body['version'], body['changed']],
      [201, 2, ['legalWorkingDays', 'deemedApproval']],
      JSON.stringify(body),
    );
    const current = await licenseTypeInForce(database.db, type.code, new Date());
    assert.deepEqual([current?.version, current?.policy, current?.exampleForm], [2, next, GOOD_FORM]);
    const event = await database
      .db('events')
      .where({ subject: `license_type/${type.code}` })
      .first('type', 'data', 'actor_id');
    assert.deepEqual([event.type, event.actor_id], ['policy.published', admin.id]);
    assert.deepEqual(event.data.before, { legalWorkingDays: 5, deemedApproval: null });
    assert.deepEqual(event.data.after, { legalWorkingDays: 7, deemedApproval: 'issue' });
    const read = summary.parse((await api.call(`/admin/policies/${type.code}`, { as: admin })).body);
    assert.deepEqual(
      read.versions.map(({ version, inForce, reason }) => [version, inForce, reason]),
      [
        [2, true, 'A new decree'],
        [1, false, null],
      ],
    );
  });

  it('of the demonstration pass as they are', async () => {
    for (const { code, policy: one, since2, formSchema, exampleForm } of DEMO_LICENSE_TYPES) {
      const { status, body } = await publish(code, { policy: { ...one, ...since2 }, formSchema, exampleForm });
      assert.deepEqual([status, body['changed']], [201, []], JSON.stringify(body));
    }
  });

  it('wait for their day', async () => {
    const type = await aLicenseType(database.db);
    const next = { ...policy(), legalWorkingDays: 7 };
    await publish(type.code, { policy: next, effectiveFrom: '2099-01-01T00:00:00+07:00' });
    assert.equal((await licenseTypeInForce(database.db, type.code, new Date()))?.version, 1);
    assert.equal((await licenseTypeInForce(database.db, type.code, new Date('2099-01-02')))?.version, 2);
    assert.deepEqual(await pointers(type.code, { effectiveFrom: '2026-01-01T00:00:00Z' }), [
      '/effectiveFrom in_the_past',
    ]);
  });

  it('are refused where their parts do not fit, each place named', async () => {
    const { code } = await aLicenseType(database.db);
    const [first] = policy().stages;
    const quorum = { of: 2, needed: 3, rejection: 'one_ends' };
    assert.deepEqual(
      await pointers(code, { policy: { ...policy(), stages: [{ ...first, sharePercent: 100, quorum }, first] } }),
      [
        '/policy/stages stage_twice',
        '/policy/stages stages_out_of_order',
        '/policy/stages shares_above_100',
        '/policy/stages/0/quorum/needed needed_above_seats',
      ],
    );
  });

  it('are refused where a value is not one', async () => {
    const { code } = await aLicenseType(database.db);
    const given = (changes: object) => pointers(code, { policy: { ...policy(), ...changes } });
    assert.deepEqual((await given({ legalWorkingDays: 0 }))[0]?.split(' ')[0], '/policy/legalWorkingDays');
    assert.deepEqual((await given({ surprise: 1 }))[0]?.split(' ')[0], '/policy/surprise');
    assert.deepEqual(
      (await given({ fee: { statutoryMinor: '1.5', serviceMinor: '0', currency: 'IDR' } }))[0]?.split(' ')[0],
      '/policy/fee/statutoryMinor',
    );
  });

  it('are refused where the example is no form by the schema, or the schema is none', async () => {
    const { code } = await aLicenseType(database.db);
    assert.deepEqual(await pointers(code, { exampleForm: { shopName: 'x' } }), [
      '/exampleForm/contact required',
      '/exampleForm/shopName too_small',
    ]);
    assert.deepEqual(await pointers(code, { formSchema: { type: 'form' } }), ['/formSchema not_a_schema']);
  });

  it('keep their stages while the risk table sends companies through a review', async () => {
    const type = await aLicenseType(database.db, { path: 'automatic' });
    const theirs = await api.person('admin');
    await database.db('users').where({ id: theirs.id }).update({ office_id: type.officeId });
    const rows = [{ kbli: '1', scale: 'large', risk: 'high', typeCode: type.code, path: 'review' }];
    assert.equal((await api.call('/admin/risk-table/import', { as: theirs, body: { rows } })).status, 201);
    assert.deepEqual(await pointers(type.code, { policy: { ...policy(), path: 'automatic', stages: [] } }), [
      '/policy/stages risk_table_needs_stages',
    ]);
  });

  it('are the administrators’ to publish', async () => {
    const { code } = await aLicenseType(database.db);
    const head = await api.person('head');
    assert.equal((await api.call(`/admin/policies/${code}`, { as: head })).status, 200);
    const body = { policy: policy(), formSchema: FORM_SCHEMA, reason: 'mine' };
    assert.equal((await api.call(`/admin/policies/${code}`, { as: head, body })).status, 403);
  });
});
