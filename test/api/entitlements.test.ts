import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { createEntitlementsCache } from '../../api/entitlements.ts';
import { companiesAllowed } from '../../db/entitlements.ts';
import type { CompanyId } from '../../domain/ids.ts';
import type { SubscriptionState } from '../../domain/subscriptions.ts';
import { aCompany, aLicenseType, anApplication, GOOD_FORM, type LicenseTypeRow } from '../builders/licensing.ts';
import { aPlan, aSubscription, type PlanGiven } from '../builders/subscriptions.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { eventually } from '../support/wait.ts';

const problem = z.looseObject({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});
const UNLIMITED = { companies: null, users: null, openApplications: null };

describe('what a plan allows', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }), taskQueue: `nobody-${randomUUID()}` });
    type = await aLicenseType(database.db, { checklist: [] });
  });
  beforeEach(async () => {
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
  });
  afterEach(() => database.db('plans').where({ is_default: true }).update({ is_default: false }));
  after(async () => {
    await api?.close();
    await connection?.close();
    await database?.drop();
  });

  const db = () => database.db;
  async function subscribed(limits: PlanGiven['entitlements'], state: SubscriptionState = 'active') {
    const plan = await aPlan(db(), { entitlements: limits ?? {} });
    return { plan, id: await aSubscription(db(), { companyId, by: owner.id, plan, state }) };
  }
  const entitlements = async (of = api) => {
    const { status, body } = await of.call(`/users/companies/${companyId}/entitlements`, { as: owner });
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const limitsNow = async (of = api) => (await entitlements(of))['limits'];
  const draft = () => anApplication(db(), { companyId, type, applicantId: owner.id });
  const submit = (id: string) => api.call(`/licenses/applications/${id}/submit`, { as: owner, body: {} });
  const invite = (as = owner) =>
    api.call(`/users/companies/${companyId}/invitations`, { as, body: { email: `${randomUUID()}@example.test` } });
  const refusal = ({ status, body }: { status: number; body: unknown }) => {
    const { code, errors = [] } = problem.parse(body);
    return [status, code, ...errors.map(({ pointer, detail }) => `${pointer} ${detail}`)];
  };

  describe('is told', () => {
    it('as nothing limited where there is neither subscription nor default plan', async () => {
      const { used, ...told } = await entitlements();
      assert.deepEqual(told, { planCode: null, state: null, hasAccess: true, limits: UNLIMITED });
      assert.deepEqual(used, { companies: 1, users: 1, openApplications: 0 });
    });

    it('by the version that the subscription has, with what is in use', async () => {
      const { plan } = await subscribed({ users: 4, openApplications: 7 });
      await aPlan(db(), { code: plan.code, version: 2, entitlements: { users: 1 } });
      await anApplication(db(), { companyId, type, applicantId: owner.id, state: 'document_verification' });
      for (const state of ['draft', 'active', 'rejected'] as const)
        await anApplication(db(), { companyId, type, applicantId: owner.id, state });
      assert.equal((await invite()).status, 201);
      assert.deepEqual(await entitlements(), {
        planCode: plan.code,
        state: 'active',
        hasAccess: true,
        limits: { companies: null, users: 4, openApplications: 7 },
        used: { companies: 1, users: 2, openApplications: 1 },
      });
    });

    for (const state of ['trialing', 'past_due', 'grace'] as const)
      it(`as the plan’s while the subscription is ${state}`, async () => {
        await subscribed({ users: 4 }, state);
        assert.deepEqual(await limitsNow(), { ...UNLIMITED, users: 4 });
      });

    for (const state of ['suspended', 'paused'] as const)
      it(`as almost nothing while it is ${state}, or as the default plan’s`, async () => {
        await subscribed({ users: 4 }, state);
        const { used, ...told } = await entitlements();
        const limits = { companies: 1, users: 1, openApplications: 0 };
        assert.deepEqual(told, { planCode: null, state, hasAccess: false, limits });
        const plan = await aPlan(db(), { isDefault: true, entitlements: { users: 2 } });
        await eventually('the default plan to count', async () => (await entitlements())['planCode'] === plan.code);
        assert.deepEqual(await limitsNow(), { ...UNLIMITED, users: 2 });
      });

    it('as the default plan’s to who has no subscription, or has one no more', async () => {
      const plan = await aPlan(db(), { isDefault: true, entitlements: { openApplications: 1 } });
      await subscribed({ users: 4 }, 'cancelled');
      assert.deepEqual([(await entitlements())['planCode'], (await entitlements())['state']], [plan.code, null]);
      const newer = await aPlan(db(), { isDefault: true, effectiveFrom: '2026-02-01T00:00:00Z' });
      await eventually('the newer one to count', async () => (await entitlements())['planCode'] === newer.code);
    });

    it('anew at once when the subscription changes, in every process', async () => {
      const { id } = await subscribed({ users: 4 });
      const other = await startApi(database, { tokens: api.deps.tokens });
      try {
        for (const each of [api, other]) assert.deepEqual(await limitsNow(each), { ...UNLIMITED, users: 4 });
        await db()('subscriptions').where({ id }).update({ state: 'suspended' });
        for (const each of [api, other])
          await eventually('it to be known', async () => (await entitlements(each))['hasAccess'] === false, 1_000);
      } finally {
        await other.close();
      }
    });

    it('to nobody else', async () => {
      const stranger = await api.person('owner');
      const { status } = await api.call(`/users/companies/${companyId}/entitlements`, { as: stranger });
      assert.equal(status, 404);
    });
  });

  describe('of open applications', () => {
    it('refuses the one too many at submission, and says limit and use; a closed one makes room', async () => {
      await subscribed({ openApplications: 1 });
      const [first, second] = [await draft(), await draft()];
      assert.equal((await submit(first)).status, 200);
      assert.deepEqual(refusal(await submit(second)), [409, 'plan_limit_reached', '/limits/openApplications 1 / 1']);
      const kept = await db()('applications').where({ id: second }).first('state', 'submitting_since');
      assert.deepEqual({ ...kept }, { state: 'draft', submitting_since: null });
      assert.match(String((await submit(second)).body['detail']), /allows 1 open applications, and 1 are in use/);
      await db()('applications').where({ id: first }).update({ closed_at: new Date(), state: 'rejected' });
      assert.equal((await submit(second)).status, 200);
    });

    it('creates nothing when it would be submitted at once', async () => {
      await subscribed({ openApplications: 0 });
      const body = { companyId, typeCode: type.code, form: GOOD_FORM };
      const refused = await api.call('/licenses/applications', { as: owner, body: { ...body, submit: true } });
      assert.deepEqual(refusal(refused).slice(0, 2), [409, 'plan_limit_reached']);
      assert.equal((await db()('applications').where({ company_id: companyId })).length, 0);
      assert.equal((await api.call('/licenses/applications', { as: owner, body })).status, 201, 'a draft is free');
    });

    it('holds when several are submitted at the same instant', async () => {
      await subscribed({ openApplications: 2 });
      const drafts = await Promise.all(Array.from({ length: 6 }, draft));
      const answers = await Promise.all(drafts.map(submit));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 200, 409, 409, 409, 409]);
      const open = await db()('applications').where({ company_id: companyId }).whereNotNull('submitted_at');
      assert.equal(open.length, 2);
    });

    it('keeps the place of one whose hand-over broke off, for itself, and for ten minutes', async () => {
      await subscribed({ openApplications: 1 });
      const [first, second] = [await draft(), await draft()];
      await db()('applications').where({ id: first }).update({ submitting_since: new Date() });
      assert.equal((await submit(second)).status, 409);
      assert.equal((await submit(first)).status, 200);
      await db()('applications')
        .where({ id: first })
        .update({ submitted_at: null, state: 'draft', submitting_since: new Date(Date.now() - 601_000) });
      assert.equal((await submit(second)).status, 200);
    });
  });

  describe('of members', () => {
    it('counts people and open invitations, not programmes, and refuses the one too many', async () => {
      await subscribed({ users: 2 });
      const machine = await api.person('integrator');
      await db()('company_members').insert({ company_id: companyId, user_id: machine.id });
      const invited = await invite();
      assert.equal(invited.status, 201, JSON.stringify(invited.body));
      assert.deepEqual(refusal(await invite()), [409, 'plan_limit_reached', '/limits/users 2 / 2']);
      assert.equal((await db()('company_invitations').where({ company_id: companyId })).length, 1);
      const path = `/users/companies/${companyId}/invitations/${String(invited.body['id'])}`;
      assert.equal((await api.call(path, { as: owner, method: 'DELETE' })).status, 204);
      assert.equal((await invite()).status, 201);
    });

    it('holds when several are invited at the same instant', async () => {
      await subscribed({ users: 3 });
      const answers = await Promise.all(Array.from({ length: 6 }, () => invite()));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 201, 409, 409, 409, 409]);
    });
  });

  describe('of companies', () => {
    let serial = 0;
    const register = (as = owner) => {
      serial += 1;
      const npwp = `0${String(Date.now()).slice(-9)}${String(serial).padStart(6, '0')}`;
      const body = { name: 'CV Lagi', legalForm: 'CV', npwp, address: 'Jalan 1', kbli: ['56101'] };
      return api.call('/users/companies', { as, body });
    };

    it('goes by the most generous plan of what somebody owns', async () => {
      await subscribed({ companies: 1 });
      assert.deepEqual(refusal(await register()), [409, 'plan_limit_reached', '/limits/companies 1 / 1']);
      const other = await aCompany(db(), owner.id);
      const plan = await aPlan(db(), { entitlements: { companies: 3 } });
      await aSubscription(db(), { companyId: other, by: owner.id, plan });
      const third = await register();
      assert.equal(third.status, 201, JSON.stringify(third.body));
      assert.equal((await register()).status, 409);
    });

    it('counts none that somebody else has had longer, and none that never came in', async () => {
      await subscribed({ companies: 1 });
      const invited = await api.person('owner');
      const own = await aCompany(db(), invited.id);
      await db()('company_members').insert({ company_id: companyId, user_id: invited.id });
      const plan = await aPlan(db(), { entitlements: { companies: 2 } });
      await aSubscription(db(), { companyId: own, by: invited.id, plan });
      assert.equal(await companiesAllowed(db(), invited.id, new Date()), 2);
      await aCompany(db(), invited.id, { status: 'closed' });
      assert.equal((await register(invited)).status, 201);
      assert.equal((await register(invited)).status, 409);
    });

    it('is the default plan’s for who has none yet, and without one unlimited', async () => {
      const newcomer = await api.person('owner');
      assert.equal(await companiesAllowed(db(), newcomer.id, new Date()), null);
      await aPlan(db(), { isDefault: true, entitlements: { companies: 1 } });
      assert.equal(await companiesAllowed(db(), newcomer.id, new Date()), 1);
      assert.equal((await register(newcomer)).status, 201);
      assert.equal((await register(newcomer)).status, 409);
    });

    it('holds when several are registered at the same instant', async () => {
      await aPlan(db(), { isDefault: true, entitlements: { companies: 1 } });
      const newcomer = await api.person('owner');
      const answers = await Promise.all(Array.from({ length: 4 }, () => register(newcomer)));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 409, 409, 409]);
    });
  });

  it('is read once while nothing changes, and again after a few seconds whatever happens', async () => {
    await subscribed({ users: 4 });
    let changed: (id: string | null) => void = () => undefined;
    let asked = 0;
    db().on('query', ({ sql }: { sql: string }) => {
      if (sql.includes('default_entitlements')) asked += 1;
    });
    const changes = {
      onChange: (tell: typeof changed) => {
        changed = tell;
      },
      open: () => undefined,
    };
    const cache = createEntitlementsCache(db(), changes, 50);
    await Promise.all([cache.of(companyId), cache.of(companyId)]);
    assert.equal(asked, 1);
    changed(randomUUID());
    await cache.of(companyId);
    assert.equal(asked, 1);
    for (const told of [companyId, null, '*']) {
      const before: number = asked;
      changed(told);
      await cache.of(companyId);
      assert.equal(asked, before + 1, String(told));
    }
    const until: number = asked;
    await eventually('it to be read again', async () => (await cache.of(companyId)) && asked > until);
  });
});
