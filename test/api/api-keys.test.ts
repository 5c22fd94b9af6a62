import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { createApiKeys } from '../../api/api-keys.ts';
import type { CompanyId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  anInvoice,
  aPayment,
  aUser,
  GOOD_FORM,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface KeyBody {
  readonly id: string;
  readonly key: string;
  readonly prefix: string;
  readonly state: string;
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly companyIds: readonly string[];
  readonly networks: readonly string[];
  readonly expiresAt: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly lastUsedFrom: string | null;
  readonly replaces: string | null;
  readonly replacedBy: string | null;
}

const NOWHERE = '00000000-0000-4000-8000-000000000000';

describe('API keys', () => {
  let database: TestDatabase;
  let api: TestApi;
  let admin: TestPerson;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    admin = await api.person('admin');
    await api.stepUp(admin);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const path = '/admin/api-keys';
  const create = async (wish: object = {}) =>
    (await ask<KeyBody>(api, admin, 'POST', path, { body: { name: 'Aplikasi Kasir', ...wish } })).body;
  const using = (key: string) => ({ headers: { 'x-api-key': key } });
  const profile = async (key: string, where = api, headers = {}) => {
    const { status, body } = await ask<{ code?: string; id?: string; detail?: string }>(
      where,
      null,
      'GET',
      '/users/profile',
      {
        headers: { 'x-api-key': key, ...headers },
      },
    );
    return { status, ...body };
  };
  /** The process hears of a change over its connection to PostgreSQL; a moment later, never much later. */
  const until = async (what: () => Promise<boolean>) => {
    const giveUp = Date.now() + 5_000;
    while (!(await what())) {
      assert.ok(Date.now() < giveUp, 'it did not come about within 5 seconds');
      await delay(20);
    }
  };
  const events = (subject: string) => database.db('events').where({ subject }).orderBy('id');

  describe('creating one', () => {
    it('shows it once, keeps its hash, and makes an account that has it', async () => {
      const { status, headers, body } = await ask<KeyBody>(api, admin, 'POST', path, { body: { name: 'Kasir' } });
      assert.equal(status, 201);
      assert.match(body.key, /^alur_live_[A-Za-z0-9]{8}_[\w-]{43}$/);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.ok(body.key.startsWith(`${body.prefix}_`));
      assert.deepEqual(body.scopes, [
        'company.read',
        'onboarding.read',
        'application.read',
        'license.read',
        'invoice.read',
        'refund.read',
        'subscription.read',
        'product.read',
        'order.read',
        'return.read',
      ]);
      const row = await database.db('api_keys').where({ id: body.id }).first();
      assert.ok(!JSON.stringify(row).includes(body.key.slice(-43)), 'the key lies in the database');
      const user = await database.db('users').where({ id: body.userId }).first();
      assert.deepEqual(
        [user.email, user.password_hash, user.name, user.roles],
        [`${body.userId}@integrators.invalid`, null, 'Kasir', ['integrator']],
      );
      assert.equal((await profile(body.key)).id, body.userId);
    });

    it('is told in the audit by whom, from where and with what rights, without the key', async () => {
      const { id, key, prefix, userId } = await create({ scopes: ['invoice.read'] });
      const [event] = await events(`api_key/${id}`);
      assert.deepEqual([event.type, event.actor_id, event.address], ['api_key.created', admin.id, '127.0.0.1']);
      assert.equal(event.data.after.prefix, prefix);
      assert.deepEqual([event.data.after.scopes, event.data.after.userId], [['invoice.read'], userId]);
      assert.ok(!JSON.stringify(event.data).includes(key.slice(-43)));
      assert.ok(!api.log.some((line) => line.includes(key.slice(-43))), 'the key is in the log');
    });

    it('goes by its earlier name too', async () => {
      const { status, body } = await ask<KeyBody>(api, admin, 'POST', '/admin/generate-api-key', {
        body: { name: 'Lama' },
      });
      assert.equal(status, 201);
      assert.equal((await profile(body.key)).status, 200);
    });

    it('makes another each time: a key is not kept for a repeat', async () => {
      const headers = { 'idempotency-key': 'twice' };
      const once = () => ask<KeyBody>(api, admin, 'POST', path, { body: { name: 'Dua kali' }, headers });
      assert.notEqual((await once()).body.id, (await once()).body.id);
      const kept = await database.db('idempotency_keys').select();
      assert.ok(!JSON.stringify(kept).includes('alur_live_'));
    });

    it('can be for an account that is there, if it is an integrator’s', async () => {
      const integrator = await aUser(database.db, 'integrator');
      const { key, userId } = await create({ userId: integrator });
      assert.equal(userId, integrator);
      assert.equal((await profile(key)).id, integrator);
      for (const other of [await aUser(database.db, 'admin'), NOWHERE]) {
        const refusal = await problem(api, admin, 'POST', path, { body: { name: 'X', userId: other } });
        assert.deepEqual([refusal.status, refusal.body.errors?.[0]?.code], [422, 'not_an_integrator']);
      }
    });

    it('refuses what could not work, and says where', async () => {
      const mine = await aCompany(database.db, await aUser(database.db, 'owner'));
      const wrong: [object, string, string][] = [
        [{ scopes: ['user.manage'] }, '/scopes/0', 'not_allowed'],
        [{ scopes: [] }, '/scopes', 'invalid'],
        [{ networks: ['10.0.0.0/8', '10.0.0.1'] }, '/networks/1', 'not_a_network'],
        [{ networks: ['10.0.0.1/8'] }, '/networks/0', 'not_its_first_address'],
        [{ expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt', 'not_in_future'],
        [{ companyIds: [mine, NOWHERE] }, '/companyIds/1', 'unknown_company'],
        [{ userId: admin.id, companyIds: [mine] }, '/companyIds', 'account_has_companies'],
        [{ role: 'admin' }, '/role', 'unknown_field'],
        [{ requestsPerMinute: 0 }, '/requestsPerMinute', 'too_small'],
      ];
      const before = await database.db('users').count();
      for (const [wish, pointer, code] of wrong) {
        const { status, body } = await problem(api, admin, 'POST', path, { body: { name: 'X', ...wish } });
        assert.deepEqual([status, body.errors?.[0]?.pointer, body.errors?.[0]?.code], [422, pointer, code]);
      }
      assert.deepEqual(await database.db('users').count(), before, 'an account was left behind');
    });

    it('is for admins with a fresh second factor only, and not for a key; looking at them wants none', async () => {
      const { key, id } = await create();
      const tired = await api.person('admin');
      const supervisor = await api.person('supervisor');
      await api.stepUp(supervisor);
      for (const [method, where] of [
        ['POST', path],
        ['POST', '/admin/generate-api-key'],
        ['GET', path],
        ['GET', `${path}/${id}`],
        ['DELETE', `${path}/${id}`],
        ['POST', `${path}/${id}/rotate`],
      ] as const) {
        const options = method === 'POST' ? { body: {} } : {};
        const codes = await Promise.all([
          problem(api, tired, method, where, options),
          problem(api, supervisor, method, where, options),
          problem(api, null, method, where, { ...options, ...using(key) }),
        ]);
        assert.deepEqual(
          codes.map(({ body }) => body.code),
          [method === 'GET' ? undefined : 'step_up_required', 'forbidden', 'forbidden'],
          `${method} ${where}`,
        );
      }
    });
  });

  describe('using one', () => {
    it('is refused when it is unknown, cut short or made up, with a sentence that helps', async () => {
      const { key, prefix } = await create();
      const other = `${prefix}_${'A'.repeat(43)}`;
      for (const wrong of [other, key.slice(0, -1), `alur_live_AAAAAAAA_${'A'.repeat(43)}`, 'secret', '']) {
        const { status, code, detail } = await profile(wrong);
        assert.deepEqual([status, code], [401, 'unauthenticated'], wrong);
        assert.match(detail ?? '', /no such API key/);
      }
    });

    it('ends with its time', async () => {
      const { key, id } = await create({ expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
      assert.equal((await profile(key)).status, 200);
      await database
        .db('api_keys')
        .where({ id })
        .update({ expires_at: new Date(Date.now() - 1) });
      await until(async () => (await profile(key)).status === 401);
      assert.match((await profile(key)).detail ?? '', /has expired/);
    });

    it('ends when it is revoked, though it was in use a moment ago', async () => {
      const { key, id, prefix } = await create();
      assert.equal((await profile(key)).status, 200);
      assert.equal((await ask(api, admin, 'DELETE', `${path}/${id}`)).status, 204);
      await until(async () => (await profile(key)).status === 401);
      assert.match((await profile(key)).detail ?? '', new RegExp(`${prefix}… was revoked`));
      assert.equal((await ask(api, admin, 'DELETE', `${path}/${id}`)).status, 204, 'again changes nothing');
      assert.deepEqual(
        (await events(`api_key/${id}`)).map(({ type }) => type),
        ['api_key.created', 'api_key.revoked'],
      );
    });

    it('ends when its account is disabled, and comes back with it', async () => {
      const { key, userId } = await create();
      assert.equal((await profile(key)).status, 200);
      await database.db('users').where({ id: userId }).update({ status: 'disabled' });
      await until(async () => (await profile(key)).status === 401);
      assert.match((await profile(key)).detail ?? '', /account .* is disabled/);
      await database.db('users').where({ id: userId }).update({ status: 'active' });
      assert.equal((await profile(key)).status, 200);
    });

    it('works from the networks that it names, wherever a trusted proxy says that the caller is', async () => {
      const proxied = await startApi(database, { trustedProxies: 1 });
      try {
        const { key } = await create({ networks: ['203.0.113.0/24', '2001:db8::/32'] });
        const from = async (address: string) => {
          const { status, code } = await profile(key, proxied, { 'x-forwarded-for': address });
          return code ?? status;
        };
        assert.equal(await from('203.0.113.9'), 200);
        assert.equal(await from('::ffff:203.0.113.9'), 200);
        assert.equal(await from('2001:db8::1'), 200);
        assert.equal(await from('203.0.114.9'), 'address_not_allowed');
        assert.equal(await from('203.0.113.9, 198.51.100.1'), 'address_not_allowed', 'the caller’s own word counts');
        const { status, code } = await profile(key, api, { 'x-forwarded-for': '203.0.113.9' });
        assert.deepEqual([status, code], [403, 'address_not_allowed'], 'without a proxy the header counts for nothing');
      } finally {
        await proxied.close();
      }
    });

    it('notes when and from where, at most once a minute', async () => {
      const { key, id } = await create();
      await profile(key);
      const read = () => ask<KeyBody>(api, admin, 'GET', `${path}/${id}`);
      await until(async () => (await read()).body.lastUsedAt !== null);
      const { lastUsedAt, lastUsedFrom } = (await read()).body;
      assert.equal(lastUsedFrom, '127.0.0.1');
      await profile(key);
      // Another process, whose memory is empty, sees the use in the row.
      const another = await startApi(database);
      assert.equal((await profile(key, another)).status, 200);
      await another.close();
      await delay(50);
      assert.equal((await read()).body.lastUsedAt, lastUsedAt);
    });

    it('asks the database once for many requests, and not for what cannot be a key', async () => {
      const { key } = await create();
      const queries: string[] = [];
      const note = ({ sql }: { sql: string }) => void (sql.includes('from "api_keys"') && queries.push(sql));
      database.db.on('query', note);
      try {
        for (let n = 0; n < 5; n += 1) assert.equal((await profile(key)).status, 200);
        assert.equal((await profile('alur_live_short')).status, 401);
      } finally {
        database.db.removeListener('query', note);
      }
      assert.equal(queries.length, 1);
    });

    it('of the test environment opens everything but production', async () => {
      const { key } = await create({ environment: 'test' });
      assert.match(key, /^alur_test_/);
      assert.equal((await profile(key)).status, 200);
      const { db, accessChanges, logger } = api.deps;
      const apiKeys = createApiKeys({ db, accessChanges, logger, production: true });
      const production = await startApi(database, { apiKeys, production: true, trustedProxies: 1 });
      try {
        const { status, detail } = await profile(key, production, { 'x-forwarded-proto': 'https' });
        assert.equal(status, 401);
        assert.match(detail ?? '', /alur_live_/);
      } finally {
        await production.close();
      }
    });
  });

  describe('what an integrator sees and does', () => {
    let owner: TestPerson;
    let type: LicenseTypeRow;
    let ours: CompanyId;
    let theirs: CompanyId;
    const everything = [
      'company.read',
      'application.read',
      'application.write',
      'license.read',
      'invoice.read',
      'invoice.pay',
    ];

    before(async () => {
      owner = await api.person('owner');
      type = await aLicenseType(database.db);
      ours = await aCompany(database.db, owner.id, { name: 'CV Milik Kami' });
      theirs = await aCompany(database.db, await aUser(database.db, 'owner'));
    });

    /** One of everything that belongs to a company: paths to read. */
    async function objectsOf(companyId: CompanyId): Promise<string[]> {
      const { db } = database;
      const applicationId = await anApplication(db, { companyId, type, applicantId: owner.id, state: 'active' });
      const invoiceId = await anInvoice(db, { companyId, applicationId });
      const payment = await aPayment(db, { invoiceId });
      const license = await aLicense(db, { applicationId, companyId, type });
      const application = `/licenses/applications/${applicationId}`;
      return [
        `/licenses/status/${applicationId}`,
        application,
        `${application}/timeline`,
        `${application}/deadline`,
        `/licenses/${license.id}`,
        `/invoices/${invoiceId}`,
        `/payments/${payment.id}`,
      ];
    }

    it('is what an owner of the same company sees, to the letter', async () => {
      const { key, companyIds } = await create({ scopes: everything, companyIds: [ours] });
      assert.deepEqual(companyIds, [ours]);
      const lists = ['/users/companies', '/licenses/applications', '/users/licenses', '/invoices', '/payments'];
      for (const where of [...(await objectsOf(ours)), ...lists]) {
        const [asOwner, asKey] = await Promise.all([
          ask(api, owner, 'GET', where),
          ask(api, null, 'GET', where, using(key)),
        ]);
        assert.equal(asOwner.status, 200, where);
        assert.deepEqual([asKey.status, asKey.body], [asOwner.status, asOwner.body], where);
      }
    });

    it('is nothing of another company: it might as well not exist', async () => {
      const { key } = await create({ scopes: everything, companyIds: [ours] });
      for (const where of await objectsOf(theirs)) {
        const { status, body } = await problem(api, null, 'GET', where, using(key));
        assert.deepEqual([status, body.code], [404, 'not_found'], where);
      }
      const body = { companyId: theirs, typeCode: type.code, form: GOOD_FORM };
      const begun = await problem(api, null, 'POST', '/licenses/applications', { body, ...using(key) });
      assert.deepEqual([begun.status, begun.body.code], [404, 'not_found']);
    });

    it('is to begin, change and withdraw an application in its company’s name', async () => {
      const { key, userId } = await create({ scopes: everything, companyIds: [ours] });
      const body = { companyId: ours, typeCode: type.code, form: {} };
      const begun = await ask<{ id: string }>(api, null, 'POST', '/licenses/applications', { body, ...using(key) });
      assert.equal(begun.status, 201);
      const at = `/licenses/applications/${begun.body.id}`;
      assert.equal((await ask(api, null, 'PUT', at, { body: { form: GOOD_FORM }, ...using(key) })).status, 200);
      const withdrawal = { body: { reason: 'Salah jenis' }, ...using(key) };
      assert.equal((await ask(api, null, 'POST', `${at}/withdraw`, withdrawal)).status, 200);
      const row = await database.db('applications').where({ id: begun.body.id }).first();
      assert.deepEqual([row.applicant_id, row.state], [userId, 'withdrawn']);
      assert.equal((await ask(api, owner, 'GET', at)).status, 200, 'the owner sees it too');
    });

    it('is no more than its scopes, whatever its account may do', async () => {
      const { key } = await create({ scopes: ['invoice.read'], companyIds: [ours] });
      assert.equal((await ask(api, null, 'GET', '/invoices', using(key))).status, 200);
      const refused = await problem(api, null, 'GET', '/licenses/applications', using(key));
      assert.deepEqual([refused.status, refused.body.code], [403, 'forbidden']);
      assert.match(refused.body.detail, /scope application\.read/);
      const change = { body: { name: 'Saya admin', locale: 'en' }, ...using(key) };
      assert.equal((await problem(api, null, 'PUT', '/users/profile', change)).body.code, 'forbidden');
    });

    it('is an integrator’s part only, even when the account holds other roles', async () => {
      const both = await aUser(database.db, 'integrator', 'supervisor', 'owner');
      const { key } = await create({ userId: both, scopes: everything });
      const [where = ''] = await objectsOf(theirs);
      assert.equal((await problem(api, null, 'GET', where, using(key))).status, 404);
    });

    it('is told to the company, whose people can see who joined them', async () => {
      const company = await aCompany(database.db, owner.id);
      const { userId } = await create({ companyIds: [company] });
      const [event] = await database.db('events').where({ company_id: company, type: 'company.member_joined' });
      assert.deepEqual([event.subject, event.actor_id], [`user/${userId}`, admin.id]);
    });
  });

  describe('rotating one', () => {
    const rotate = (id: string, body: object = {}) =>
      ask<KeyBody>(api, admin, 'POST', `${path}/${id}/rotate`, { body });

    it('gives a new key with the same rights, and both work during the overlap', async () => {
      const old = await create({ scopes: ['invoice.read'], networks: ['127.0.0.0/8'], environment: 'test' });
      const { status, headers, body } = await rotate(old.id, { overlapSeconds: 60 });
      assert.equal(status, 201);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.match(body.key, /^alur_test_/);
      assert.notEqual(body.key, old.key);
      assert.deepEqual(
        [body.scopes, body.networks, body.userId, body.replaces, body.expiresAt],
        [old.scopes, old.networks, old.userId, old.id, null],
      );
      assert.deepEqual([(await profile(old.key)).status, (await profile(body.key)).status], [200, 200]);
      const before = (await ask<KeyBody>(api, admin, 'GET', `${path}/${old.id}`)).body;
      assert.equal(before.replacedBy, body.id);
      assert.ok(Math.abs(Date.parse(before.expiresAt ?? '') - Date.now() - 60_000) < 5_000);
      const [, event] = await events(`api_key/${old.id}`);
      assert.deepEqual([event.type, event.data.successorId], ['api_key.rotated', body.id]);
      assert.ok(!JSON.stringify(event.data).includes(body.key.slice(-43)));
    });

    it('ends the old one at once where no overlap is wanted', async () => {
      const old = await create();
      assert.equal((await profile(old.key)).status, 200);
      const { body } = await rotate(old.id, { overlapSeconds: 0 });
      await until(async () => (await profile(old.key)).status === 401);
      assert.equal((await profile(body.key)).status, 200);
    });

    it('happens once: a second successor would be a key that nobody counts', async () => {
      const { id } = await create();
      const answers = await Promise.all([rotate(id), rotate(id)]);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 409]);
      assert.equal(
        (await problem(api, admin, 'POST', `${path}/${id}/rotate`, { body: {} })).body.code,
        'key_rotated_before',
      );
      const successor = answers.find(({ status }) => status === 201)?.body.id ?? '';
      await ask(api, admin, 'DELETE', `${path}/${successor}`);
      assert.equal((await rotate(id)).status, 201, 'after the successor was lost and revoked, there can be another');
    });

    it('is for active keys, and the overlap has its limit', async () => {
      const { id } = await create();
      assert.equal(
        (await problem(api, admin, 'POST', `${path}/${id}/rotate`, { body: { overlapSeconds: 2_592_001 } })).status,
        422,
      );
      await ask(api, admin, 'DELETE', `${path}/${id}`);
      const { status, body } = await problem(api, admin, 'POST', `${path}/${id}/rotate`, { body: {} });
      assert.deepEqual([status, body.code, body.state], [409, 'key_not_active', 'revoked']);
      assert.equal((await problem(api, admin, 'POST', `${path}/${NOWHERE}/rotate`, { body: {} })).status, 404);
    });
  });

  describe('looking at them', () => {
    it('goes by pages, newest first, by state and environment, never with what opens anything', async () => {
      const made = [await create({ environment: 'test' }), await create({ environment: 'test' }), await create()];
      await ask(api, admin, 'DELETE', `${path}/${made[0]?.id}`);
      const list = async (query: string) => {
        const { status, body } = await ask<{ items: KeyBody[]; nextCursor: string | null }>(
          api,
          admin,
          'GET',
          `${path}?${query}`,
        );
        assert.equal(status, 200);
        return body;
      };
      const first = await list('limit=2');
      assert.deepEqual(
        first.items.map(({ id }) => id),
        [made[2]?.id, made[1]?.id],
      );
      assert.equal((await list(`limit=1&cursor=${first.nextCursor}`)).items[0]?.id, made[0]?.id);
      const ids = async (query: string) => (await list(query)).items.map(({ id }) => id);
      assert.ok((await ids('limit=100&state=revoked')).includes(made[0]?.id ?? ''));
      assert.ok(!(await ids('limit=100&state=active')).includes(made[0]?.id ?? ''));
      const active = await ids('limit=100&state=active&environment=test');
      assert.ok(active.includes(made[1]?.id ?? '') && !active.includes(made[2]?.id ?? ''));
      const text = JSON.stringify(await list('limit=100'));
      assert.ok(!/hash/i.test(text) && !text.includes(made[2]?.key.slice(-43) ?? ''));
      assert.equal((await problem(api, admin, 'GET', `${path}/${NOWHERE}`)).status, 404);
      assert.equal((await problem(api, admin, 'DELETE', `${path}/${NOWHERE}`)).status, 404);
    });
  });
});
