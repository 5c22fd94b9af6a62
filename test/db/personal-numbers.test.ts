import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { addCompany } from '../../db/companies.ts';
import { createPersonalData, type PersonalData } from '../../db/personal-data.ts';
import { changeProfile } from '../../db/personal-numbers.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';
import { asId, type CompanyId, type UserId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { someNik, someNpwp } from '../builders/sealed.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

const NEW_KEY = randomBytes(32);
/** While keys are changed, processes know both, and not yet all of them seal with the same. */
const early = createPersonalData([PERSONAL_DATA_KEY, NEW_KEY]);
const promoted = createPersonalData([NEW_KEY, PERSONAL_DATA_KEY]);
const oldOnly = createPersonalData([PERSONAL_DATA_KEY]);

describe('a personal number while keys are changed', () => {
  let database: TestDatabase;
  let db: Knex;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
  });
  after(() => database?.drop());

  const register = (by: PersonalData, npwp: string) => {
    const [npwpHash = '', ...otherNpwpHashes] = by.fingerprints(npwp, 'companies.npwp');
    const company = {
      id: asId<CompanyId>(randomUUID()),
      name: 'Warung Sari',
      legalForm: 'CV' as const,
      npwpEncrypted: by.seal(npwp, 'companies.npwp'),
      npwpHash,
      otherNpwpHashes,
      npwpMasked: maskNumber(npwp),
      nib: null,
      address: 'Bandung',
      kbli: ['56101'],
      capitalMinor: null,
      annualSalesMinor: null,
      scale: 'unknown' as const,
    };
    return addCompany(db, company, demoUserId('owner'), new Date());
  };
  const person = async (): Promise<UserId> => {
    const id = asId<UserId>(randomUUID());
    await db('users').insert({ id, email: `${id}@example.test`, name: 'Sari', roles: ['owner'] });
    return id;
  };
  const setNik = async (by: PersonalData, id: UserId, nik: string) => {
    const sealed = {
      encrypted: by.seal(nik, 'users.nik'),
      hashes: by.fingerprints(nik, 'users.nik'),
      masked: maskNumber(nik),
    };
    const origin = { address: '127.0.0.1', requestId: 'r' };
    return changeProfile(db, id, { name: 'Sari', locale: 'id', nik: sealed }, { origin, at: new Date() });
  };
  const changes = async (id: UserId) => (await db('events').where({ actor_id: id, type: 'user.changed' })).length;

  it('opens whether its key is the current one or among the others', () => {
    for (const sealer of [early, promoted])
      for (const opener of [early, promoted])
        assert.equal(
          opener.open(sealer.seal('0012345678901000', 'companies.npwp'), 'companies.npwp'),
          '0012345678901000',
        );
    assert.throws(
      () => oldOnly.open(promoted.seal('0012345678901000', 'companies.npwp'), 'companies.npwp'),
      new RegExp(`sealed with the key ${promoted.keyId}, which is not there`),
    );
  });

  it('is refused to a second company, whichever key the first was registered under', async () => {
    for (const [first, second] of [
      [oldOnly, promoted],
      [promoted, early],
      [early, promoted],
    ] as const) {
      const npwp = someNpwp();
      assert.ok(await register(first, npwp));
      assert.equal(await register(second, npwp), null);
    }
  });

  it('goes to one of many who register it at once, under one key or the other', async () => {
    const npwp = someNpwp();
    const sealers = [oldOnly, promoted, early, promoted, oldOnly, early, promoted, early];
    const answers = await Promise.all(sealers.map((by) => register(by, npwp)));
    assert.equal(answers.filter((company) => company !== null).length, 1);
    const hashes = promoted.fingerprints(npwp, 'companies.npwp');
    assert.equal((await db('companies').whereIn('npwp_hash', hashes)).length, 1);
  });

  it('goes to one of many people at once as well', async () => {
    const nik = someNik();
    const people = await Promise.all(Array.from({ length: 8 }, person));
    const answers = await Promise.all(people.map((id, index) => setNik(index % 2 ? early : promoted, id, nik)));
    assert.equal(answers.filter((answer) => answer === 'number_taken').length, 7);
    const hashes = promoted.fingerprints(nik, 'users.nik');
    assert.equal((await db('users').whereIn('nik_hash', hashes)).length, 1);
  });

  it('that is sent again under the other key is no change', async () => {
    const [id, nik] = [await person(), someNik()];
    await setNik(early, id, nik);
    await setNik(promoted, id, nik);
    assert.equal(await changes(id), 1);
  });

  it('that is refused leaves everything else of the profile as it was', async () => {
    const [first, second, nik] = [await person(), await person(), someNik()];
    await setNik(early, first, nik);
    const before = await db('users').where({ id: second }).first();
    assert.equal(await setNik(early, second, nik), 'number_taken');
    assert.deepEqual(await db('users').where({ id: second }).first(), before);
    assert.equal(await changes(second), 0);
  });
});
