import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createPersonalData } from '../../db/personal-data.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';
import { sealedCompany, sealNik, someNpwp } from '../builders/sealed.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

const OLD_KEY = randomBytes(32);
const ofOldKey = createPersonalData([OLD_KEY]);
const current = createPersonalData([PERSONAL_DATA_KEY, OLD_KEY]);
const REASON = 'A tax officer asks about invoice 17';

const found = z.object({ items: z.array(z.looseObject({ id: z.string() })), more: z.boolean() });

describe('personal data, for the office', () => {
  let database: TestDatabase;
  let api: TestApi;
  let supervisor: TestPerson;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, { personalData: current });
    supervisor = await api.person('supervisor');
    await api.stepUp(supervisor);
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const post = (path: string, body: object, as = supervisor, headers: Record<string, string> = {}) =>
    api.call(path, { body, as, headers });
  const ids = async (path: string, body: object) => {
    const answer = await post(path, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return found.parse(answer.body).items.map(({ id }) => id);
  };
  const readings = (subject: string) =>
    database
      .db('events')
      .where({ type: 'personal_data.read', subject })
      .orderBy('id')
      .select('actor_id', 'address', 'request_id', 'data', 'public');

  describe('searching', () => {
    it('finds a company by its tax number, written in any form and sealed with any key, and shows it masked', async () => {
      for (const sealer of [ofOldKey, current]) {
        const { id, npwp } = await sealedCompany(database.db, sealer);
        await database
          .db('companies')
          .where({ id })
          .update({ npwp_masked: maskNumber(npwp) });
        const dotted = npwp.slice(1).replace(/^(..)(...)(...)(.)(...)(...)$/, '$1.$2.$3.$4-$5.$6');
        const { body, headers } = await post('/admin/companies/search', { npwp: dotted });
        const { items, more } = found.parse(body);
        assert.deepEqual([items.map((item) => [item.id, item['npwp']]), more], [[[id, maskNumber(npwp)]], false]);
        assert.ok(!JSON.stringify(body).includes(npwp));
        assert.equal(headers.get('cache-control'), 'no-store');
      }
    });

    it('finds a company by its NIB, and by any part of its name as it is written', async () => {
      const { id } = await sealedCompany(database.db, current);
      await database.db('companies').where({ id }).update({ nib: '9120009999999', name: 'Roti 100% Enak_' });
      assert.deepEqual(await ids('/admin/companies/search', { nib: '9120 0099 9999 9' }), [id]);
      assert.deepEqual(await ids('/admin/companies/search', { name: 'roti 100% enak_' }), [id]);
      assert.deepEqual(await ids('/admin/companies/search', { name: '%%%' }), []);
      assert.deepEqual(await ids('/admin/companies/search', { npwp: someNpwp() }), []);
    });

    it('finds a person by NIK, by address and by name', async () => {
      const person = await api.person('owner');
      const nik = await sealNik(database.db, ofOldKey, person.id);
      assert.deepEqual(await ids('/admin/users/search', { nik }), [person.id]);
      assert.deepEqual(await ids('/admin/users/search', { email: person.email.toUpperCase() }), [person.id]);
      assert.deepEqual(await ids('/admin/users/search', { name: person.name.slice(3) }), [person.id]);
      const { body } = await post('/admin/users/search', { nik });
      assert.equal(found.parse(body).items[0]?.['nik'], maskNumber(nik));
      assert.ok(!JSON.stringify(body).includes(nik));
    });

    it('says when there are more than it shows', async () => {
      for (let index = 0; index < 51; index += 1) await sealedCompany(database.db, current);
      const { items, more } = found.parse((await post('/admin/companies/search', { name: 'CV Lama' })).body);
      assert.deepEqual([items.length, more], [50, true]);
    });

    it('looks for exactly one thing, in the body only', async () => {
      for (const body of [{}, { nib: '9120009999999', name: 'Roti' }, { name: 'ab' }, { npwp: '1' }, { id: 'x' }])
        assert.equal((await post('/admin/companies/search', body)).status, 422, JSON.stringify(body));
      assert.equal((await api.call('/admin/companies/search?npwp=1', { as: supervisor })).status, 404);
    });

    it('is for supervisors and administrators', async () => {
      for (const role of ['owner', 'verifier', 'finance', 'ops', 'integrator'] as const)
        for (const path of ['/admin/companies/search', '/admin/users/search'])
          assert.equal((await post(path, { name: 'Kopi' }, await api.person(role))).status, 403, role);
    });
  });

  describe('reading in clear', () => {
    it('gives the numbers, and leaves who, what and why in the audit, not the number', async () => {
      const { id, npwp } = await sealedCompany(database.db, ofOldKey);
      const answer = await post(`/admin/companies/${id}/personal-data`, { reason: REASON });
      assert.deepEqual([answer.status, answer.body], [200, { id, npwp }]);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      const [event, ...others] = await readings(`company/${id}`);
      assert.deepEqual(others, []);
      assert.deepEqual(event, {
        actor_id: supervisor.id,
        address: '127.0.0.1',
        request_id: answer.headers.get('x-request-id'),
        data: { fields: ['npwp'], reason: REASON },
        public: false,
      });
      assert.ok(!JSON.stringify(await database.db('events').select('data')).includes(npwp));
    });

    it('gives a NIK, and null for who has none', async () => {
      const person = await api.person('owner');
      const path = `/admin/users/${person.id}/personal-data`;
      assert.deepEqual((await post(path, { reason: REASON })).body, { id: person.id, nik: null });
      const nik = await sealNik(database.db, current, person.id);
      assert.deepEqual((await post(path, { reason: REASON })).body, { id: person.id, nik });
      assert.deepEqual(
        (await readings(`user/${person.id}`)).map(({ data }) => data.fields),
        [[], ['nik']],
      );
    });

    it('is an event each time, also when the request is repeated under one key, and is not kept for it', async () => {
      const { id, npwp } = await sealedCompany(database.db, current);
      const headers = { 'idempotency-key': randomUUID() };
      for (let turn = 0; turn < 2; turn += 1) {
        const { body } = await post(`/admin/companies/${id}/personal-data`, { reason: REASON }, supervisor, headers);
        assert.equal(body['npwp'], npwp);
      }
      assert.equal((await readings(`company/${id}`)).length, 2);
      const kept = await database.db('idempotency_keys').select();
      assert.ok(!JSON.stringify(kept).includes(npwp));
    });

    it('answers nothing when the event cannot be written', async () => {
      const { id, npwp } = await sealedCompany(database.db, current);
      await database.db.raw(
        "alter table events add constraint no_reading check (type <> 'personal_data.read') not valid",
      );
      try {
        const answer = await post(`/admin/companies/${id}/personal-data`, { reason: REASON });
        assert.equal(answer.status, 500);
        assert.ok(!JSON.stringify(answer.body).includes(npwp));
      } finally {
        await database.db.raw('alter table events drop constraint no_reading');
      }
      assert.ok(!api.log.some((line) => line.includes(npwp) || line.includes(REASON)));
    });

    it('wants a reason, a fresh second factor, the right, and somebody who is there', async () => {
      const { id } = await sealedCompany(database.db, current);
      const path = `/admin/companies/${id}/personal-data`;
      for (const body of [{}, { reason: 'because' }, { reason: 'x'.repeat(501) }, { reason: ' '.repeat(20) }])
        assert.equal((await post(path, body)).status, 422, JSON.stringify(body));
      const [stale, verifier] = [await api.person('admin'), await api.person('verifier')];
      await api.stepUp(verifier);
      assert.equal((await post(path, { reason: REASON }, stale)).body['code'], 'step_up_required');
      assert.equal((await post(path, { reason: REASON }, verifier)).status, 403);
      for (const noun of ['companies', 'users'])
        assert.equal((await post(`/admin/${noun}/${randomUUID()}/personal-data`, { reason: REASON })).status, 404);
      assert.deepEqual(await readings(`company/${id}`), []);
    });
  });

  describe('the rotation', () => {
    const admin = async () => {
      const person = await api.person('admin');
      await api.stepUp(person);
      return person;
    };
    const started = () => database.db('events').where({ type: 'personal_data.rotation_started' });

    it('tells how far it is while Temporal is away; one that cannot be started leaves no event', async () => {
      await sealedCompany(database.db, ofOldKey);
      const person = await admin();
      const [asked, told] = await Promise.all([
        post('/admin/personal-data/rotation', {}, person),
        api.call('/admin/personal-data/rotation', { as: person }),
      ]);
      assert.deepEqual([asked.status, await started()], [503, []]);
      const { keyId, total, done, remaining, missingKeys, state } = told.body;
      assert.deepEqual([told.status, keyId, missingKeys, state], [200, current.keyId, [], 'unknown']);
      assert.equal(Number(done) + Number(remaining), Number(total));
      assert.ok(Number(remaining) > 0 && Number(done) > 0);
    });

    it('is refused while something is sealed with a key that is not there, and names it', async () => {
      const other = createPersonalData([randomBytes(32)]);
      const { id } = await sealedCompany(database.db, other);
      try {
        const { status, body } = await post('/admin/personal-data/rotation', {}, await admin());
        assert.deepEqual([status, body['code']], [409, 'key_missing']);
        assert.match(
          String(body['detail']),
          new RegExp(`not configured: ${other.keyId} \\(1\\).*ALUR_PERSONAL_DATA_PREVIOUS_KEYS`),
        );
        assert.deepEqual(await started(), []);
      } finally {
        await database.db('companies').where({ id }).delete();
      }
    });

    it('is for administrators with a fresh second factor', async () => {
      assert.equal((await post('/admin/personal-data/rotation', {})).status, 403);
      const stale = await post('/admin/personal-data/rotation', {}, await api.person('admin'));
      assert.equal(stale.body['code'], 'step_up_required');
    });
  });
});
