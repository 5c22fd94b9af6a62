import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { addCompany, findCompaniesOf, findOwnCompany, type NewCompany } from '../../db/companies.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { addUser } from '../../db/users.ts';
import { asId, type CompanyId, type UserId } from '../../domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = new Date('2026-03-02T02:00:00.123Z');

describe('companies in the database', () => {
  let database: TestDatabase;
  let owner: UserId;
  let stranger: UserId;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    [owner, stranger] = [await person(), await person()];
  });
  after(() => database.drop());

  const person = async (): Promise<UserId> => {
    const id = asId<UserId>(randomUUID());
    await addUser(database.db, {
      id,
      email: `${id}@example.id`,
      passwordHash: 'h',
      name: 'X',
      locale: 'id',
      roles: ['owner'],
    });
    return id;
  };
  const newCompany = (over: Partial<NewCompany> = {}): NewCompany => ({
    id: asId<CompanyId>(randomUUID()),
    name: 'Warung Sari',
    legalForm: 'CV',
    npwpEncrypted: Buffer.of(1),
    npwpHash: randomUUID(),
    npwpMasked: '****',
    nib: null,
    address: 'Bandung',
    kbli: ['56101'],
    capitalMinor: 9_007_199_254_740_993n,
    annualSalesMinor: null,
    scale: 'large',
    ...over,
  });
  const add = (company: NewCompany, by = owner) => addCompany(database.db, company, by, AT);

  it('keep every rupiah, and come back to their members only', async () => {
    const company = newCompany();
    const added = await add(company);
    assert.equal(added?.capitalMinor, 9_007_199_254_740_993n);
    assert.deepEqual(await findOwnCompany(database.db, company.id, owner), added);
    assert.equal(await findOwnCompany(database.db, company.id, stranger), null);
  });

  it('are added once when the request is repeated, with one event', async () => {
    const company = newCompany();
    const [first, second] = [await add(company), await add(company)];
    assert.deepEqual(second, first);
    assert.equal((await database.db('events').where({ company_id: company.id })).length, 1);
  });

  it('do not share a tax number, and a refused one leaves nothing behind', async () => {
    const company = newCompany();
    await add(company);
    const other = newCompany({ npwpHash: company.npwpHash });
    assert.equal(await add(other, stranger), null);
    assert.equal((await database.db('company_members').where({ user_id: stranger })).length, 0);
    assert.equal((await database.db('events').where({ actor_id: stranger })).length, 0);
  });

  it('follow each other page by page, also where their times are finer than a cursor', async () => {
    const many = await person();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push((await add(newCompany(), many))?.id ?? '');
    await database.db.raw(
      `update companies set created_at = created_at + interval '456 microseconds' where id = any(?)`,
      [ids],
    );
    const seen: string[] = [];
    let after: { at: string; id: string } | undefined;
    for (let turn = 0; turn < 10; turn += 1) {
      const [next] = await findCompaniesOf(database.db, many, { limit: 1, after });
      if (!next) break;
      seen.push(next.id);
      after = { at: next.createdAt.toISOString(), id: next.id };
    }
    assert.deepEqual(seen, ids.toSorted());
  });
});

describe('personal data at rest', () => {
  const key = Buffer.alloc(32, 7);
  const data = createPersonalData([key]);

  it('opens with the same key and column, and only untouched', () => {
    const sealed = data.seal('0012345678901234', 'companies.npwp');
    assert.equal(data.open(sealed, 'companies.npwp'), '0012345678901234');
    assert.throws(() => data.open(sealed, 'users.nik'));
    assert.throws(() => createPersonalData([Buffer.alloc(32, 8)]).open(sealed, 'companies.npwp'));
    for (let index = 0; index < sealed.length; index += 1) {
      const altered = Buffer.from(sealed);
      altered.writeUInt8(altered.readUInt8(index) ^ 1, index);
      assert.throws(() => data.open(altered, 'companies.npwp'), `byte ${index}`);
    }
  });

  it('never looks the same twice, but has one fingerprint a column', () => {
    assert.notDeepEqual(data.seal('x', 'a'), data.seal('x', 'a'));
    assert.equal(data.fingerprint('x', 'a'), createPersonalData([key]).fingerprint('x', 'a'));
    assert.notEqual(data.fingerprint('x', 'a'), data.fingerprint('x', 'b'));
    assert.notEqual(data.fingerprint('x', 'a'), createPersonalData([Buffer.alloc(32, 8)]).fingerprint('x', 'a'));
  });
});
