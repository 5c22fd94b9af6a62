import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { createPersonalData } from '../../db/personal-data.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

const page = z.object({ items: z.array(z.object({ name: z.string() })), nextCursor: z.string().nullable() });

describe('people and their companies', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const npwp = () => `09${String(randomInt(10 ** 12)).padStart(13, '0')}`;
  const company = (over: object = {}) => ({
    name: 'Warung Sari',
    legalForm: 'PT_perorangan',
    npwp: npwp(),
    address: 'Jl. Braga 1, Bandung',
    kbli: ['56101'],
    ...over,
  });
  const add = (body: unknown, as = owner, headers: Record<string, string> = {}) =>
    api.call('/users/companies', { body, as, headers });

  describe('the profile', () => {
    it('is the caller’s own, and can be renamed', async () => {
      const person = await api.person('verifier');
      const read = await api.call('/users/profile', { as: person });
      assert.equal(read.body.id, person.id);
      assert.deepEqual(read.body.roles, ['verifier']);
      const changed = await api.call('/users/profile', {
        method: 'PUT',
        as: person,
        body: { name: 'Budi', locale: 'en' },
      });
      assert.deepEqual([changed.status, changed.body.name, changed.body.locale], [200, 'Budi', 'en']);
      const again = await api.call('/users/profile', { as: person });
      assert.deepEqual(again.body, changed.body);
      assert.notEqual(again.headers.get('etag'), read.headers.get('etag'));
    });

    it('takes neither roles nor another address', async () => {
      for (const more of [{ roles: ['admin'] }, { email: 'x@example.id' }]) {
        const { status } = await api.call('/users/profile', {
          method: 'PUT',
          as: owner,
          body: { name: 'X', locale: 'id', ...more },
        });
        assert.equal(status, 422);
      }
    });
  });

  describe('a company', () => {
    it('is active at once, its tax number masked in the answer and sealed in the database', async () => {
      const { status, body } = await add(
        company({
          npwp: '01.234.567.8-901.234',
          nib: '1234567890123',
          capitalMinor: 250_000_000,
          annualSalesMinor: '3000000000',
        }),
      );
      assert.equal(status, 201);
      const { id, createdAt, updatedAt, ...rest } = body;
      assert.equal(createdAt, updatedAt);
      assert.deepEqual(rest, {
        name: 'Warung Sari',
        legalForm: 'PT_perorangan',
        npwp: '************1234',
        nib: '1234567890123',
        address: 'Jl. Braga 1, Bandung',
        kbli: ['56101'],
        capital: { amountMinor: 250_000_000, currency: 'IDR', formatted: 'Rp250.000.000' },
        annualSales: { amountMinor: 3_000_000_000, currency: 'IDR', formatted: 'Rp3.000.000.000' },
        scale: 'small',
        status: 'active',
      });
      const row = await database.db('companies').where({ id }).first('npwp_encrypted', 'npwp_hash', 'npwp_masked');
      assert.ok(!Object.values(row).some((value) => String(value).includes('12345678901')));
      assert.equal(
        createPersonalData([PERSONAL_DATA_KEY]).open(row.npwp_encrypted, 'companies.npwp'),
        '0012345678901234',
      );
    });

    it('comes with its member and its event, and none of them without the others', async () => {
      const { body } = await add(company());
      assert.deepEqual(await database.db('company_members').where({ company_id: body.id }).pluck('user_id'), [
        owner.id,
      ]);
      const events = await database.db('events').where({ company_id: body.id }).select('type', 'actor_id', 'data');
      assert.deepEqual(events, [
        { type: 'company.created', actor_id: owner.id, data: { legalForm: 'PT_perorangan', scale: 'unknown' } },
      ]);
    });

    it('can be registered once, in whichever form its number is written; who has it is not told', async () => {
      const number = npwp();
      assert.equal((await add(company({ npwp: number }))).status, 201);
      const other = await api.person('owner');
      const dotted = number.replace(/^(..)(...)(...)(.)(...)(...)$/, '$1.$2.$3.$4-$5.$6');
      const { status, body } = await add(company({ npwp: dotted, name: 'Other' }), other);
      assert.deepEqual([status, body.code], [409, 'company_taken']);
      assert.match(String(body.detail), /licensing office/);
      assert.ok(!JSON.stringify(body).includes(owner.id) && !JSON.stringify(body).includes(owner.name));
      assert.deepEqual(page.parse((await api.call('/users/companies', { as: other })).body).items, []);
    });

    it('twenty times at once is registered once', async () => {
      const body = company();
      const answers = await Promise.all(Array.from({ length: 20 }, () => add(body)));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array.from({ length: 19 }, () => 409)]);
    });

    it('with wrong numbers is refused with each reason, in the reader’s language', async () => {
      const wrong = company({ npwp: '123', nib: 'abc', kbli: ['56101', '5'], legalForm: 'GmbH', capitalMinor: -1 });
      const { status, body } = await add(wrong, owner, { 'accept-language': 'id' });
      assert.equal(status, 422);
      const errors = z
        .array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() }))
        .parse(body.errors);
      assert.deepEqual(errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted(), [
        '/capitalMinor too_small',
        '/kbli/1 kbli_not_5_digits',
        '/legalForm not_allowed',
        '/nib nib_not_13_digits',
        '/npwp npwp_not_16_digits',
      ]);
      assert.ok(errors.some(({ detail }) => detail === 'NIB terdiri atas 13 angka'));
      assert.ok(!JSON.stringify(body).includes('abc'), 'what was typed is not repeated');
    });

    it('takes no more rupiah than a JSON number can give back', async () => {
      assert.equal((await add(company({ capitalMinor: '9007199254740991' }))).status, 201);
      assert.equal((await add(company({ capitalMinor: '9007199254740992' }))).status, 422);
    });

    it('is for owners', async () => {
      assert.equal((await add(company(), await api.person('admin'))).status, 403);
    });
  });

  it('lists companies page by page, each once, in the order they came', async () => {
    const person = await api.person('owner');
    const names = ['A', 'B', 'C', 'D', 'E'];
    for (const name of names) assert.equal((await add(company({ name }), person)).status, 201);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const { items, nextCursor } = page.parse(
        (await api.call(`/users/companies?limit=2${cursor}`, { as: person })).body,
      );
      assert.ok(items.length <= 2);
      seen.push(...items.map(({ name }) => name));
      next = nextCursor;
    }
    assert.deepEqual(seen, names);
  });

  it('refuses a cursor that no page has given out', async () => {
    for (const cursor of ['nonsense', 'e30', Buffer.from('{"at":"now","id":"1"}').toString('base64url')]) {
      const { status, body } = await api.call(`/users/companies?cursor=${cursor}`, { as: owner });
      assert.deepEqual(
        [status, body.errors],
        [422, [{ pointer: '/cursor', code: 'invalid_cursor', detail: 'not a cursor of this list' }]],
      );
    }
  });
});
