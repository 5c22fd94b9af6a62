import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import { z } from 'zod';
import { createPersonalData } from '../../db/personal-data.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';
import { someNik } from '../builders/sealed.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { connectToTemporal } from '../support/temporal-connection.ts';

const page = z.object({ items: z.array(z.object({ name: z.string() })), nextCursor: z.string().nullable() });

describe('people and their companies', () => {
  let database: TestDatabase;
  let api: TestApi;
  let connection: Connection;
  let owner: TestPerson;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    connection = await connectToTemporal((await temporal()).address);
    api = await startApi(database, { temporal: new Client({ connection }) });
    owner = await api.person('owner');
  });
  after(async () => {
    await api?.close();
    await connection?.close();
    await database?.drop();
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

    const put = (as: TestPerson, over: object) =>
      api.call('/users/profile', { method: 'PUT', as, body: { name: as.name, locale: 'id', ...over } });
    const changes = (person: TestPerson) =>
      database
        .db('events')
        .where({ actor_id: person.id, type: 'user.changed' })
        .orderBy('id')
        .select('data', 'subject', 'address', 'request_id');

    it('keeps a NIK sealed, shows it masked and warns of what looks odd', async () => {
      const person = await api.person('owner');
      assert.equal((await api.call('/users/profile', { as: person })).body['nik'], null);
      const nik = someNik();
      const { status, body } = await put(person, { nik: nik.replace(/(.{4})/g, '$1 ').trim() });
      assert.deepEqual([status, body['nik'], body['warnings']], [200, maskNumber(nik), []]);
      const row = await database.db('users').where({ id: person.id }).first('nik_encrypted', 'nik_hash', 'nik_masked');
      assert.equal(createPersonalData([PERSONAL_DATA_KEY]).open(row.nik_encrypted, 'users.nik'), nik);
      assert.ok(!Object.values(row).some((value) => String(value).includes(nik)));
      const odd = await put(person, { nik: '9999990101850001' });
      assert.deepEqual([odd.status, odd.body['warnings']], [200, ['nik_region_unknown']]);
      assert.equal((await put(person, { nik: '3174' })).status, 422);
    });

    it('keeps the NIK that is not spoken of, and loses it with null', async () => {
      const [person, nik] = [await api.person('owner'), someNik()];
      await put(person, { nik });
      assert.equal((await put(person, { name: 'Sari' })).body['nik'], maskNumber(nik));
      assert.equal((await put(person, { nik: null })).body['nik'], null);
      const row = await database.db('users').where({ id: person.id }).first('nik_encrypted', 'nik_hash', 'nik_masked');
      assert.deepEqual({ ...row }, { nik_encrypted: null, nik_hash: null, nik_masked: null });
    });

    it('has a NIK that nobody else has; whose it is is not told', async () => {
      const [first, second, nik] = [await api.person('owner'), await api.person('owner'), someNik()];
      await put(first, { nik });
      const { status, body } = await put(second, { nik, name: 'Not stored' });
      assert.deepEqual([status, body['code']], [409, 'number_taken']);
      assert.ok(![first.id, first.name, nik].some((value) => JSON.stringify(body).includes(value)));
      assert.equal((await api.call('/users/profile', { as: second })).body['name'], second.name);
      assert.equal((await put(first, { nik })).status, 200, 'one’s own is no other’s');
    });

    it('is changed with an event that tells which fields, the NIK masked and the name not at all', async () => {
      const [person, nik, other] = [await api.person('owner'), '3174035708850001', '3273015708850002'];
      await put(person, { nik });
      await put(person, { name: 'Sari Dewi', nik: other });
      await put(person, { name: 'Sari Dewi', nik: other });
      await put(person, { name: 'Sari Dewi', nik: null });
      const events = await changes(person);
      assert.deepEqual(
        events.map(({ data }) => data),
        [
          { fields: ['nik'], before: { nik: null }, after: { nik: '3174••••••••0001' } },
          {
            fields: ['name', 'nik'],
            before: { nik: '3174••••••••0001' },
            after: { nik: '3273••••••••0002' },
          },
          { fields: ['nik'], before: { nik: '3273••••••••0002' }, after: { nik: null } },
        ],
      );
      for (const { subject, address, request_id } of events)
        assert.deepEqual([subject, address, typeof request_id], [`user/${person.id}`, '127.0.0.1', 'string']);
    });

    it('changed twice under one key is two changes in the audit', async () => {
      const person = await api.person('owner');
      const headers = { 'idempotency-key': 'profile-1' };
      for (const name of ['A', 'B', 'B'])
        await api.call('/users/profile', { method: 'PUT', as: person, body: { name, locale: 'id' }, headers });
      assert.equal((await changes(person)).length, 2);
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
    it('is there to be onboarded, its tax number masked in the answer and sealed in the database', async () => {
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
        npwp: '0012••••••••1234',
        nib: '1234567890123',
        address: 'Jl. Braga 1, Bandung',
        kbli: ['56101'],
        capital: { amountMinor: 250_000_000, currency: 'IDR', formatted: 'Rp250.000.000' },
        annualSales: { amountMinor: 3_000_000_000, currency: 'IDR', formatted: 'Rp3.000.000.000' },
        scale: 'small',
        status: 'onboarding',
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
      const events = await database
        .db('events')
        .where({ company_id: body.id })
        .orderBy('id')
        .select('type', 'actor_id', 'data');
      assert.deepEqual(events, [
        { type: 'company.created', actor_id: owner.id, data: { legalForm: 'PT_perorangan', scale: 'unknown' } },
        { type: 'onboarding.started', actor_id: owner.id, data: {} },
        // The person's address is verified.
        { type: 'onboarding.step_completed', actor_id: owner.id, data: { step: 'account_verified', times: 1 } },
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
