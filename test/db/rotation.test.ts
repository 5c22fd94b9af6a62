import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { createPersonalData, type PersonalData } from '../../db/personal-data.ts';
import { type RotationProgress, resealPage, rotationProgress, SEALED_COLUMNS } from '../../db/rotation.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';
import { asId, type CompanyId, type UserId } from '../../domain/ids.ts';
import { aBookedInvoice, aBookedRefund, aCapture } from '../builders/books.ts';
import { sealedCompany, sealedUnnamed, sealNik, sealRefundDestination, someNpwp } from '../builders/sealed.ts';
import { anOrderRow, aProduct } from '../builders/stock.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

const NEW_KEY = randomBytes(32);
/** Before, while and after keys are changed. */
const before = createPersonalData([PERSONAL_DATA_KEY]);
const changing = createPersonalData([NEW_KEY, PERSONAL_DATA_KEY]);
const afterwards = createPersonalData([NEW_KEY]);

describe('sealing anew', () => {
  let database: TestDatabase;
  let db: Knex;
  beforeEach(async () => {
    database = await createTestDatabase();
    ({ db } = database);
  });
  afterEach(() => database?.drop());

  const owner = async (): Promise<string> => (await db('users').first('id')).id;
  /** Every column gets values under the earlier key, beside what the demonstration data has. */
  async function fillEveryColumn(sealer: PersonalData = before): Promise<void> {
    const userId = await owner();
    const { id: companyId } = await sealedCompany(db, sealer);
    await sealNik(db, sealer, userId);
    const bought = {
      companyId: asId<CompanyId>(companyId),
      by: asId<UserId>(userId),
      sku: await aProduct(db),
      quantity: 1,
    };
    const { orderId } = await anOrderRow(db, bought);
    await db('orders')
      .where({ id: orderId })
      .update({ ship_to_encrypted: sealer.seal('{"name":"Sari"}', 'orders.ship_to') });
    const at = { created_at: new Date(), expires_at: new Date(Date.now() + 60_000) };
    await db('company_numbers').insert({
      id: randomUUID(),
      company_id: companyId,
      kind: 'nib',
      number_encrypted: sealer.seal('1234567890123', 'company_numbers.number'),
      fingerprint: sealer.fingerprint('1234567890123', 'company_numbers.number'),
      masked: '************',
    });
    await db('second_factors').insert({
      id: randomUUID(),
      user_id: userId,
      kind: 'totp',
      secret_encrypted: sealer.seal('JBSWY3DPEHPK3PXP', 'second_factors.secret'),
      created_at: new Date(),
    });
    await db('account_letters').insert({
      id: randomUUID(),
      template: 'password_reset',
      address_encrypted: sealer.seal('sari@example.id', 'account_letters.address'),
      created_at: new Date(),
    });
    await db('company_invitations').insert({
      id: randomUUID(),
      company_id: companyId,
      email_hash: sealer.fingerprint('sari@example.id', 'company_invitations.email'),
      email_encrypted: sealer.seal('sari@example.id', 'company_invitations.email'),
      email_masked: 's•••@example.id',
      invited_by: userId,
      ...at,
    });
    const invoice = await aBookedInvoice(db, asId<CompanyId>(companyId));
    const refund = { amount: 1_000n, state: 'succeeded' } as const;
    await sealRefundDestination(db, sealer, await aBookedRefund(db, await aCapture(db, invoice), refund));
    await db('oidc_logins').insert({
      state_hash: randomBytes(32).toString('hex'),
      secrets_encrypted: sealer.seal('{"nonce":"n"}', 'oidc_logins.secrets'),
      ...at,
    });
  }
  const sealAll = async (by: PersonalData, limit = 2) => {
    const pages = [];
    for (const { name: column } of SEALED_COLUMNS) {
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof resealPage>> = await resealPage(db, by, { column, after, limit });
        pages.push(page);
        ({ after } = page);
      } while (after !== null);
    }
    return { sealed: pages.reduce((sum, page) => sum + page.sealed, 0), stuck: pages.flatMap(({ stuck }) => stuck) };
  };
  const counts = ({ total, done, remaining }: RotationProgress) => ({ total, done, remaining });

  it('knows every sealed column of the schema, by its true key and its true companions', async () => {
    const { rows }: { rows: { table_name: string; column_name: string }[] } = await db.raw(
      "select table_name, column_name from information_schema.columns where table_schema = 'public' and data_type = 'bytea'",
    );
    const there = rows.map(({ table_name, column_name }) => `${table_name}.${column_name}`).toSorted();
    assert.ok(
      there.every((name) => name.endsWith('_encrypted')),
      `${there}: bytea that is not called encrypted`,
    );
    assert.deepEqual(SEALED_COLUMNS.map(({ table, sealed }) => `${table}.${sealed}`).toSorted(), there);
    for (const spec of SEALED_COLUMNS) {
      assert.equal(`${spec.table}.${spec.sealed}`, `${spec.name}_encrypted`, 'the name that is bound into the seal');
      const columns: Record<string, unknown> = await db(spec.table).columnInfo();
      const base = spec.sealed.replace(/_encrypted$/, '');
      for (const companion of [`${base}_hash`, spec.table === 'company_invitations' ? 'none' : `${base}_masked`])
        assert.equal(
          companion in columns,
          Object.values<unknown>(spec).includes(companion),
          `${spec.table}.${companion}`,
        );
      const keys: { rows: { attname: string }[] } = await db.raw(
        'select attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey) where indisprimary and indrelid = ?::regclass',
        [spec.table],
      );
      assert.deepEqual(
        keys.rows.map(({ attname }) => attname),
        [spec.id],
      );
    }
  });

  it('leaves nothing under the earlier key, in any column, and every value as it was', async () => {
    await fillEveryColumn();
    const found = await rotationProgress(db, changing);
    assert.deepEqual(counts(found), { total: 11, done: 0, remaining: 11 });
    assert.ok(found.columns.every(({ total }) => total > 0));
    assert.deepEqual(await sealAll(changing), { sealed: 11, stuck: [] });
    assert.deepEqual(counts(await rotationProgress(db, afterwards)), { total: 11, done: 11, remaining: 0 });
    for (const { name, table, sealed } of SEALED_COLUMNS)
      for (const value of await db(table).whereNotNull(sealed).pluck<Buffer[]>(sealed))
        assert.ok(afterwards.open(value, name).length > 5, name);
    const person = await db('users').whereNotNull('nik_hash').first();
    assert.equal(
      person.nik_hash,
      afterwards.fingerprint(afterwards.open(person.nik_encrypted, 'users.nik'), 'users.nik'),
    );
    const invitation = await db('company_invitations').first();
    assert.equal(invitation.email_hash, afterwards.fingerprint('sari@example.id', 'company_invitations.email'));
    assert.equal(invitation.email_masked, 's•••@example.id');
  });

  it('writes masks of the old form anew', async () => {
    const { id, npwp } = await sealedCompany(db, before);
    await sealAll(changing);
    const row = await db('companies').where({ id }).first('npwp_masked', 'npwp_hash');
    assert.deepEqual(
      { ...row },
      {
        npwp_masked: maskNumber(npwp),
        npwp_hash: afterwards.fingerprint(npwp, 'companies.npwp'),
      },
    );
  });

  it('does nothing the second time', async () => {
    await fillEveryColumn();
    await sealAll(changing);
    const rows = await db('companies').orderBy('id');
    assert.deepEqual(await sealAll(changing), { sealed: 0, stuck: [] });
    assert.deepEqual(await db('companies').orderBy('id'), rows);
  });

  it('opens what the first release sealed, which names no key', async () => {
    const { id, npwp } = await sealedCompany(db, {
      ...before,
      seal: (value, column) => sealedUnnamed(PERSONAL_DATA_KEY, value, column),
    });
    assert.deepEqual((await rotationProgress(db, before)).missingKeys, []);
    assert.equal((await rotationProgress(db, before)).remaining, 1);
    assert.equal((await sealAll(before)).sealed, 1);
    const { sealed } = await db('companies').where({ id }).first({ sealed: 'npwp_encrypted' });
    assert.equal(before.open(sealed, 'companies.npwp'), npwp);
    assert.equal((await rotationProgress(db, before)).remaining, 0);
  });

  it('names the keys that are missing', async () => {
    await sealedCompany(db, before);
    const { missingKeys, remaining } = await rotationProgress(db, afterwards);
    assert.deepEqual(missingKeys, [{ keyId: before.keyId, count: 2 }]);
    assert.equal(remaining, 2);
    assert.deepEqual((await rotationProgress(db, changing)).missingKeys, []);
  });

  it('loses to whoever writes meanwhile', async () => {
    const [mine, others] = [await sealedCompany(db, before), await sealedCompany(db, before)];
    const written = changing.seal(someNpwp(), 'companies.npwp');
    let asked = 0;
    // The write comes between reading the page and changing the row: each value is opened in between.
    const slow: PersonalData = {
      ...changing,
      open: (sealed, column) => {
        asked += 1;
        return changing.open(sealed, column);
      },
      seal: (value, column) => changing.seal(value, column),
    };
    const lock = await db.transaction();
    await lock('companies').where({ id: mine.id }).update({ npwp_encrypted: written, npwp_hash: 'written meanwhile' });
    const page = resealPage(db, slow, { column: 'companies.npwp', after: null, limit: 10 });
    // It has read the page and waits for the row.
    while (!(await isWaiting())) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(asked > 0);
    await lock.commit();
    assert.deepEqual((await page).stuck, []);
    assert.equal((await page).sealed, 2, 'the demonstration company and the other one');
    const row = await db('companies').where({ id: mine.id }).first('npwp_encrypted', 'npwp_hash');
    assert.deepEqual({ ...row }, { npwp_encrypted: written, npwp_hash: 'written meanwhile' });
    const other = await db('companies').where({ id: others.id }).first('npwp_encrypted');
    assert.equal(afterwards.open(other.npwp_encrypted, 'companies.npwp'), others.npwp);
  });
  const isWaiting = async (): Promise<boolean> => {
    const { rows } = await db.raw(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return rows.length > 0;
  };

  it('leaves alone what does not open and what is there twice, and seals the rest', async () => {
    const broken = await sealedCompany(db, before);
    await db('companies')
      .where({ id: broken.id })
      .update({ npwp_encrypted: Buffer.of(1, 2, 3) });
    const { npwp } = await sealedCompany(db, before);
    // The first of its page, so that the others come after the conflict.
    const first = { id: '00000000-0000-4000-8000-000000000001', npwp };
    const hash = before.fingerprint(npwp, 'companies.npwp');
    await db('companies').where({ npwp_hash: hash }).update({ id: first.id });
    const twin = await sealedCompany(db, afterwards, npwp);
    const { sealed, stuck } = await sealAll(changing, 10);
    assert.equal(sealed, 1);
    assert.deepEqual(
      new Set(stuck.map(({ id, why }) => `${id} ${why}`)),
      new Set([`${broken.id} does_not_open`, `${first.id} number_is_there_twice`]),
    );
    const rows = await db('companies').whereIn('id', [broken.id, first.id, twin.id]).select('id', 'npwp_encrypted');
    const sealedNow = new Map(rows.map((row) => [row.id, row.npwp_encrypted]));
    assert.deepEqual(sealedNow.get(broken.id), Buffer.of(1, 2, 3));
    assert.equal(before.open(sealedNow.get(first.id), 'companies.npwp'), first.npwp);
  });

  it('undoes a page in whose middle it breaks off, and goes on from there', async () => {
    for (let index = 0; index < 4; index += 1) await sealedCompany(db, before);
    let seals = 0;
    const dying: PersonalData = {
      ...changing,
      seal: (value, column) => {
        seals += 1;
        if (seals === 4) throw new Error('the power went');
        return changing.seal(value, column);
      },
    };
    await assert.rejects(sealAll(dying, 2), /the power went/);
    assert.equal((await rotationProgress(db, changing)).done, 2, 'the first page stands, of the second nothing');
    assert.deepEqual(await sealAll(changing, 2), { sealed: 3, stuck: [] });
    assert.equal((await rotationProgress(db, changing)).remaining, 0);
  });
});
