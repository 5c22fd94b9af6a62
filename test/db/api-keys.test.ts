import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { accessTakenAwaySince } from '../../db/access.ts';
import {
  createApiKey,
  findApiKey,
  findStoredKey,
  listApiKeys,
  type NewApiKey,
  noteKeyUse,
  revokeApiKey,
  rotateApiKey,
} from '../../db/api-keys.ts';
import { letterFacts } from '../../db/letters.ts';
import { payerOf } from '../../db/payers.ts';
import { KEY_STATES, keyStateAt } from '../../domain/api-keys.ts';
import { asId, type CompanyId, type UserId } from '../../domain/ids.ts';
import { aCompany, aLicenseType, anApplication, anInvoice, aUser } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const NOON = new Date('2026-03-02T05:00:00Z');
const later = (seconds: number) => new Date(NOON.getTime() + seconds * 1000);
const origin = { address: '203.0.113.9', requestId: 'req-12345678' };
let names = 0;

describe('API keys in the database', () => {
  let database: TestDatabase;
  let admin: UserId;

  before(async () => {
    database = await createTestDatabase();
    admin = await aUser(database.db, 'admin');
  });
  after(() => database.drop());

  const secret = () => {
    names += 1;
    const prefix = `alur_live_${String(names).padStart(8, '0')}`;
    return { id: randomUUID(), prefix, keyHash: names.toString(16).padStart(64, '0') };
  };
  const wish = (changes: Partial<NewApiKey> = {}): NewApiKey => ({
    ...secret(),
    name: 'Kasir',
    environment: 'live',
    scopes: ['invoice.read'],
    networks: [],
    requestsPerMinute: 100,
    expiresAt: null,
    account: { kind: 'new', userId: asId<UserId>(randomUUID()), companyIds: [] },
    by: admin,
    at: NOON,
    origin,
    ...changes,
  });
  async function created(changes: Partial<NewApiKey> = {}) {
    const outcome = await createApiKey(database.db, wish(changes));
    return outcome.outcome === 'created' ? outcome.key : assert.fail(outcome.outcome);
  }
  async function forCompany(companyId: CompanyId): Promise<UserId> {
    const account = { kind: 'new', userId: asId<UserId>(randomUUID()), companyIds: [companyId] } as const;
    return (await created({ account })).userId;
  }

  it('leaves nothing behind when a company is unknown: neither account, nor key, nor event', async () => {
    const { db } = database;
    const counts = () =>
      Promise.all(['users', 'api_keys', 'events', 'company_members'].map((name) => db(name).count()));
    const known = await aCompany(db, await aUser(db, 'owner'));
    const unknown = asId<CompanyId>(randomUUID());
    const before = await counts();
    const account = { kind: 'new', userId: asId<UserId>(randomUUID()), companyIds: [known, unknown] } as const;
    const outcome = await createApiKey(db, wish({ account }));
    assert.deepEqual(outcome, { outcome: 'unknown_companies', companyIds: [unknown] });
    assert.deepEqual(await counts(), before);
  });

  it('lists each key under the one state that the rule gives it at that moment', async () => {
    const { db } = database;
    const keys = [
      await created(),
      await created({ expiresAt: later(60) }),
      await created({ expiresAt: later(60) }),
      await created(),
    ];
    for (const { id } of keys.slice(2)) await revokeApiKey(db, { id, by: admin, at: later(1), origin });
    const ids = keys.map(({ id }) => id);
    for (const at of [later(59), later(60), later(61)]) {
      for (const state of KEY_STATES) {
        const listed = await listApiKeys(db, { state, at, after: null, limit: 1000 });
        const expected = await Promise.all(ids.map((id) => findApiKey(db, id)));
        assert.deepEqual(
          listed
            .map(({ id }) => id)
            .filter((id) => ids.includes(id))
            .toSorted(),
          expected.flatMap((key) => (key && keyStateAt(key, at) === state ? [key.id] : [])).toSorted(),
          `${state} at ${at.toISOString()}`,
        );
      }
    }
  });

  it('gives a key one successor, however many ask at once', async () => {
    const { db } = database;
    const { id } = await created();
    const rotate = () =>
      rotateApiKey(db, { id, successor: secret(), overlapSeconds: 60, by: admin, at: later(5), origin });
    const outcomes = (await Promise.all([rotate(), rotate(), rotate()])).map(({ outcome }) => outcome);
    assert.deepEqual(outcomes.toSorted(), ['rotated', 'rotated_before', 'rotated_before']);
    assert.equal((await db('api_keys').where({ replaces: id })).length, 1);
    assert.deepEqual((await findApiKey(db, id))?.expiresAt, later(65));
  });

  it('knows a key by its first part, with what its account is now', async () => {
    const key = await created();
    const stored = await findStoredKey(database.db, key.prefix);
    assert.deepEqual([stored?.id, stored?.status, stored?.roles], [key.id, 'active', ['integrator']]);
    await database.db('users').where({ id: key.userId }).update({ status: 'disabled' });
    const disabled = await findStoredKey(database.db, key.prefix);
    assert.deepEqual([disabled?.status, disabled?.tokenVersion], ['disabled', (stored?.tokenVersion ?? 0) + 1]);
    assert.equal(await findStoredKey(database.db, 'alur_live_nothing0'), null);
  });

  it('notes a use once a minute, whichever process sees it', async () => {
    const { id } = await created();
    const use = (at: Date, address: string) => noteKeyUse(database.db, { id, at, address }, 60_000);
    const last = async () => {
      const key = await findApiKey(database.db, id);
      return [key?.lastUsedAt, key?.lastUsedFrom];
    };
    await use(later(0), '10.0.0.1');
    await use(later(59), '10.0.0.2');
    assert.deepEqual(await last(), [later(0), '10.0.0.1']);
    await use(later(61), '10.0.0.3');
    assert.deepEqual(await last(), [later(61), '10.0.0.3']);
  });

  it('tells a process that starts now of keys that ended, and of ends to come', async () => {
    const { db } = database;
    const [open, revoked, ending] = [await created(), await created(), await created({ expiresAt: later(600) })];
    await revokeApiKey(db, { id: revoked.id, by: admin, at: later(30), origin });
    const told = async (since: Date) => {
      const { keys } = await accessTakenAwaySince(db, since);
      return new Map(keys.map(({ id, endsAt }) => [id, endsAt]));
    };
    const early = await told(later(0));
    assert.deepEqual(
      [early.get(open.id), early.get(revoked.id), early.get(ending.id)],
      [undefined, later(30), later(600)],
    );
    assert.equal((await told(later(31))).has(revoked.id), false, 'nothing it gave out can still be valid');
  });

  describe('the letters that a programme gives rise to', () => {
    it('go to the person of longest standing in its company, who pays for it too', async () => {
      const { db } = database;
      const owner = await aUser(db, 'owner');
      const companyId = await aCompany(db, owner);
      await db('company_members').insert({ company_id: companyId, user_id: await aUser(db, 'owner') });
      const programme = await forCompany(companyId);
      const type = await aLicenseType(db);
      const applicationId = await anApplication(db, { companyId, type, applicantId: programme });
      const invoiceId = await anInvoice(db, { companyId, applicationId });
      assert.equal((await letterFacts(db, programme, applicationId)).email, `${owner}@example.test`);
      assert.equal((await payerOf(db, invoiceId, programme)).email, `${owner}@example.test`);
    });

    it('leave those of people alone', async () => {
      const { db } = database;
      const owner = await aUser(db, 'owner');
      const companyId = await aCompany(db, await aUser(db, 'owner'));
      await db('company_members').insert({ company_id: companyId, user_id: owner });
      await forCompany(companyId);
      const type = await aLicenseType(db);
      const applicationId = await anApplication(db, { companyId, type, applicantId: owner });
      const invoiceId = await anInvoice(db, { companyId, applicationId });
      assert.equal((await letterFacts(db, owner, applicationId)).email, `${owner}@example.test`);
      assert.equal((await payerOf(db, invoiceId, owner)).email, `${owner}@example.test`);
    });
  });
});
