import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { asId, type CompanyId, type PaymentMethodId, type SubscriptionId } from '../../domain/ids.ts';
import type { Plan } from '../../domain/subscriptions.ts';
import { subscriptionId } from '../../workflows/ids.ts';
import { aCompany } from '../builders/licensing.ts';
import { aPlan, aSubscription } from '../builders/subscriptions.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const shown = z.looseObject({
  id: z.string(),
  state: z.string(),
  plan: z.looseObject({ code: z.string(), version: z.number() }),
  period: z.object({ from: z.string(), to: z.string() }),
  openInvoice: z.looseObject({ id: z.string(), payUrl: z.string() }).nullable(),
  pendingChange: z.looseObject({ planCode: z.string(), from: z.string().nullable() }).nullable(),
  nextInvoiceAt: z.string().nullable(),
});
type Shown = z.infer<typeof shown>;
const problem = z.looseObject({ code: z.string(), detail: z.string(), state: z.string().optional() });
const listOf = (body: unknown) => z.object({ items: z.array(z.looseObject({})) }).parse(body).items;
const DAY = 86_400_000;

describe('the subscription of a company', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let monthly: Plan;
  let trial: Plan;
  let dearer: Plan;

  before(async () => {
    system = await startSystem();
    api = system.api;
    monthly = await aPlan(db());
    trial = await aPlan(db(), { trialDays: 10 });
    dearer = await aPlan(db(), { trialDays: 10, priceMinor: '300000' });
  });
  beforeEach(async () => {
    owner = await api.person('owner');
    companyId = await aCompany(db(), owner.id);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const subscribe = (planCode: string, headers: Record<string, string> = {}, of = api) =>
    of.call('/subscriptions', { as: owner, body: { companyId, planCode }, headers });
  async function subscribed(plan: Plan): Promise<Shown> {
    const { status, body } = await subscribe(plan.code);
    assert.equal(status, 201, JSON.stringify(body));
    return shown.parse(body);
  }
  const read = async (id: string, as = owner): Promise<Shown> =>
    shown.parse((await api.call(`/subscriptions/${id}`, { as })).body);
  const tell = async (id: string, what: string, body: object = {}, as = owner) =>
    api.call(`/subscriptions/${id}/${what}`, { as, body, method: 'POST' });
  async function told(id: string, what: string, body: object = {}, as = owner): Promise<Shown> {
    const answer = await tell(id, what, body, as);
    assert.equal(answer.status, 200, `${what}: ${JSON.stringify(answer.body)}`);
    return shown.parse(answer.body);
  }
  const refused = ({ status, body }: { status: number; body: unknown }) => [status, problem.parse(body).code];
  const typesOf = async (id: string) =>
    listOf((await api.call(`/subscriptions/${id}/events`, { as: owner })).body).map((event) => event['type']);

  it('begins with the trial of its plan, and says when it is billed', async () => {
    const { id, state, plan, period, nextInvoiceAt, ...rest } = await subscribed(trial);
    assert.deepEqual([state, plan.code, plan.version, rest['hasAccess']], ['trialing', trial.code, 1, true]);
    const [from, to] = [Date.parse(period.from), Date.parse(period.to)];
    assert.equal(to - from, 10 * DAY);
    assert.equal(rest['trialEndsAt'], period.to);
    assert.equal(Date.parse(nextInvoiceAt ?? ''), to - 7 * DAY);
    const { items: terms } = z
      .object({ items: z.array(z.looseObject({})) })
      .parse((await api.call(`/subscriptions/${id}/terms`, { as: owner })).body);
    assert.deepEqual(
      terms.map((term) => [term['number'], term['kind'], term['from'], term['to']]),
      [[1, 'trial', period.from, period.to]],
    );
    assert.deepEqual(await typesOf(id), ['subscription.started']);
  });

  it('is given a trial once: whoever comes back knows what they get', async () => {
    const { id } = await subscribed(trial);
    await told(id, 'cancel', { at: 'now' });
    const again = await subscribed(trial);
    assert.deepEqual([again.state, again['trialEndsAt']], ['active', null]);
    assert.equal(again.nextInvoiceAt, again.period.from);
  });

  it('without a trial is billed at once, with a page to pay on', async () => {
    const { id } = await subscribed(monthly);
    const { openInvoice } = await eventually('the invoice', async () => {
      const it = await read(id);
      return it.openInvoice && it;
    });
    assert.equal(openInvoice?.payUrl, `${api.url}/pay/${openInvoice?.id}`);
    assert.equal((await read(id)).nextInvoiceAt, null);
    assert.deepEqual(await typesOf(id), ['subscription.started', 'invoice.issued', 'subscription.invoiced']);
  });

  it('is one at a time: a second is refused, the same request again finds its own', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await subscribe(trial.code, headers);
    assert.deepEqual([first.status, first.body['state']], [201, 'trialing']);
    assert.equal((await subscribe(trial.code, headers)).body['id'], first.body['id']);
    assert.deepEqual(refused(await subscribe(monthly.code)), [409, 'already_subscribed']);
    await told(String(first.body['id']), 'cancel', { at: 'now' });
    assert.equal((await subscribe(monthly.code)).status, 201);
  });

  it('is one also when several ask at the same instant', async () => {
    const answers = await Promise.all([trial, monthly, dearer, trial].map(({ code }) => subscribe(code)));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 409, 409, 409]);
    const rows = await db()('subscriptions').where({ company_id: companyId });
    assert.equal(rows.length, 1);
  });

  it('is begun by its process when the API died before it was on record', async () => {
    const key = randomUUID();
    await db().raw(`create function api_dies() returns trigger language plpgsql as $$ begin
      if current_setting('application_name') <> 'no' and new.company_id = '${companyId}' then raise exception 'died'; end if; return new; end $$`);
    await db().raw('create trigger dies before insert on subscriptions for each row execute function api_dies()');
    assert.equal((await subscribe(trial.code, { 'idempotency-key': key })).status, 500);
    await db().raw('drop trigger dies on subscriptions');
    await eventually('the process to record it', async () =>
      db()('subscriptions').where({ company_id: companyId }).first(),
    );
    const again = await subscribe(trial.code, { 'idempotency-key': key });
    assert.equal(again.status, 201, JSON.stringify(again.body));
    assert.deepEqual(await typesOf(String(again.body['id'])), ['subscription.started']);
  });

  it('is refused for a plan that is not offered, a company that is not theirs, and one that is suspended or was never onboarded', async () => {
    const gone = await aPlan(db(), { isOffered: false });
    for (const code of [gone.code, 'no-such-plan'])
      assert.deepEqual(refused(await subscribe(code)), [409, 'plan_not_offered']);
    const stranger = await api.person('owner');
    const body = { companyId, planCode: trial.code };
    assert.deepEqual(refused(await api.call('/subscriptions', { as: stranger, body })), [404, 'not_found']);
    await db()('companies').where({ id: companyId }).update({ status: 'suspended' });
    assert.deepEqual(refused(await subscribe(trial.code)), [403, 'forbidden']);
    await db()('companies').where({ id: companyId }).update({ status: 'expired' });
    assert.deepEqual(refused(await subscribe(trial.code)), [409, 'company_not_active']);
  });

  it('ends with its period or now, and says so; what has ended takes no more', async () => {
    const { id, period } = await subscribed(trial);
    const leaving = await told(id, 'cancel', { at: 'period_end' });
    assert.deepEqual([leaving.state, leaving['cancelAtPeriodEnd'], leaving.nextInvoiceAt], ['trialing', true, null]);
    assert.deepEqual(leaving.period, period);
    assert.equal((await told(id, 'resume'))['cancelAtPeriodEnd'], false);
    assert.equal((await told(id, 'cancel', { at: 'now' })).state, 'cancelled');
    for (const [what, body] of [
      ['cancel', { at: 'now' }],
      ['pause', {}],
      ['resume', {}],
      ['change-plan', { planCode: monthly.code }],
      ['method', { cardId: null }],
    ] as const) {
      const answer = await tell(id, what, body);
      assert.deepEqual(refused(answer), [409, 'subscription_not_open'], what);
      assert.equal(problem.parse(answer.body).state, 'cancelled');
    }
  });

  it('is paused and taken up again with the days it had', async () => {
    const { id } = await subscribed(trial);
    const paused = await told(id, 'pause');
    assert.deepEqual([paused.state, paused['hasAccess']], ['paused', false]);
    assert.deepEqual(refused(await tell(id, 'pause')), [409, 'subscription_not_open']);
    const back = await told(id, 'resume');
    assert.equal(back.state, 'trialing');
    assert.deepEqual(await typesOf(id), ['subscription.started', 'subscription.paused', 'subscription.resumed']);
  });

  it('changes its plan to one that is offered, in its own currency', async () => {
    const { id } = await subscribed(trial);
    const changed = await told(id, 'change-plan', { planCode: dearer.code });
    assert.equal(changed.plan.code, dearer.code, 'nothing was paid yet, so it counts at once');
    assert.deepEqual(refused(await tell(id, 'change-plan', { planCode: dearer.code })), [409, 'plan_not_offered']);
    const ringgit = await aPlan(db(), { currency: 'MYR' });
    assert.deepEqual(refused(await tell(id, 'change-plan', { planCode: ringgit.code })), [409, 'plan_not_offered']);
  });

  it('tells of a change that waits: for the next period, or for its payment', async () => {
    const pending = { companyId, by: owner.id, plan: dearer, pending: trial };
    const id = await aSubscription(db(), { ...pending, periodEnd: '2099-04-01T00:00:00.000Z' });
    assert.deepEqual((await read(id)).pendingChange, {
      planCode: trial.code,
      invoiceId: null,
      payUrl: null,
      from: '2099-04-01T00:00:00.000Z',
    });
  });

  it('is given days by the office, with a reason that stays with it', async () => {
    const { id, period } = await subscribed(trial);
    assert.deepEqual(refused(await tell(id, 'extend', { days: 5, reason: 'Asked nicely' })), [403, 'forbidden']);
    const finance = await api.person('finance');
    const longer = await told(id, 'extend', { days: 5, reason: 'The system was away' }, finance);
    assert.equal(Date.parse(longer.period.to) - Date.parse(period.to), 5 * DAY);
    for (const days of [0, 367])
      assert.equal((await tell(id, 'extend', { days, reason: 'Why not' }, finance)).status, 422);
    const careful = await api.person('supervisor');
    await api.giveFactor(careful);
    assert.deepEqual(refused(await tell(id, 'extend', { days: 1, reason: 'More' }, careful)), [
      403,
      'step_up_required',
    ]);
  });

  it('is paid by a card of the company, and by no other', async () => {
    const { id } = await subscribed(trial);
    const card = async (of: CompanyId, changes: object = {}) => {
      const cardId = asId<PaymentMethodId>(randomUUID());
      const about = { brand: 'visa', last4: '4242', expires_month: 12, expires_year: 2099, created_at: new Date() };
      const references = { customer_reference: 'cus_1', method_reference: cardId };
      const row = { id: cardId, company_id: of, gateway: 'stripe', added_by: owner.id, ...references, ...about };
      await db()('payment_methods').insert({ ...row, ...changes });
      return cardId;
    };
    const [own, removed] = [await card(companyId), await card(companyId, { removed_at: new Date() })];
    const other = await card(await aCompany(db(), owner.id));
    for (const cardId of [removed, other, randomUUID()])
      assert.deepEqual(refused(await tell(id, 'method', { cardId })), [404, 'not_found']);
    assert.equal((await told(id, 'method', { cardId: own }))['cardId'], own);
    assert.equal((await told(id, 'method', { cardId: null }))['cardId'], null);
  });

  it('does what is asked once, however often the request comes', async () => {
    const { id, period } = await subscribed(trial);
    const finance = await api.person('finance');
    const headers = { 'idempotency-key': randomUUID() };
    const body = { days: 3, reason: 'Once' };
    const ask = () => api.call(`/subscriptions/${id}/extend`, { as: finance, body, headers });
    await ask();
    await db()('idempotency_keys').delete();
    await ask();
    assert.equal(Date.parse((await read(id)).period.to) - Date.parse(period.to), 3 * DAY);
  });

  it('is seen by its company and by those of the office who may, not by others', async () => {
    const { id } = await subscribed(trial);
    const [stranger, integrator] = [await api.person('owner'), await api.person('integrator')];
    await db()('company_members').insert({ company_id: companyId, user_id: integrator.id });
    for (const as of [owner, integrator, ...(await Promise.all(STAFF.map((role) => api.person(role))))]) {
      assert.equal((await api.call(`/subscriptions/${id}`, { as })).status, 200);
      const mine = listOf((await api.call(`/subscriptions?companyId=${companyId}`, { as })).body);
      assert.deepEqual(
        mine.map((each) => each['id']),
        [id],
      );
    }
    for (const path of ['', '/terms', '/events'])
      assert.equal((await api.call(`/subscriptions/${id}${path}`, { as: stranger })).status, 404);
    assert.deepEqual(listOf((await api.call('/subscriptions', { as: stranger })).body), []);
    assert.deepEqual(refused(await tell(id, 'cancel', { at: 'now' }, stranger)), [404, 'not_found']);
    assert.equal((await tell(id, 'cancel', { at: 'now' }, integrator)).status, 403);
  });

  it('is listed newest first, page by page, by state', async () => {
    const plan = await aPlan(db());
    const of = (startedAt: string, state: 'active' | 'cancelled' | 'expired') =>
      aSubscription(db(), { companyId, by: owner.id, plan, startedAt, state });
    const ids: SubscriptionId[] = [];
    for (const [day, state] of [
      ['01', 'cancelled'],
      ['02', 'expired'],
      ['03', 'active'],
    ] as const)
      ids.unshift(await of(`2026-03-${day}T00:00:00.000Z`, state));
    const first = await api.call('/subscriptions?limit=2', { as: owner });
    const cursor = String(first.body['nextCursor']);
    const second = await api.call(`/subscriptions?limit=2&cursor=${cursor}`, { as: owner });
    const all = [...listOf(first.body), ...listOf(second.body)].map((each) => each['id']);
    assert.deepEqual([all, second.body['nextCursor']], [ids, null]);
    const ended = listOf((await api.call('/subscriptions?state=expired', { as: owner })).body);
    assert.deepEqual(
      ended.map((each) => each['id']),
      ids.slice(1, 2),
    );
  });

  it('is polled with an ETag, and waited for', async () => {
    const { id } = await subscribed(trial);
    const first = await api.call(`/subscriptions/${id}`, { as: owner });
    const etag = first.headers.get('etag') ?? '';
    const get = (path: string) =>
      fetch(`${api.url}/api/v1/subscriptions/${id}${path}`, {
        headers: { ...owner.headers, 'accept-language': 'en', 'if-none-match': etag },
      });
    assert.equal((await get('')).status, 304);
    const waiting = get('?wait=20');
    await told(id, 'cancel', { at: 'period_end' });
    const changed = await waiting;
    assert.deepEqual([changed.status, shown.parse(await changed.json())['cancelAtPeriodEnd']], [200, true]);
    assert.equal((await get('?wait=20')).status, 200, 'it is another one by now');
  });

  it('says that it cannot be reached when Temporal is away, and begins nothing', async () => {
    const lonely = await startApi(system.database, { tokens: api.deps.tokens });
    try {
      const { status, headers } = await subscribe(trial.code, {}, lonely);
      assert.deepEqual([status, headers.has('retry-after')], [503, true]);
      assert.equal((await db()('subscriptions').where({ company_id: companyId })).length, 0);
    } finally {
      await lonely.close();
    }
  });

  it('whose process is lost gets it back with the first who asks, and does it at the second try', async () => {
    const { id } = await subscribed(trial);
    const handle = system.client.workflow.getHandle(subscriptionId(asId<SubscriptionId>(id)));
    await handle.terminate('a test');
    const answer = await tell(id, 'pause');
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
    assert.equal((await told(id, 'pause')).state, 'paused');
    assert.equal((await db()('events').where({ key: `subscription/${id}/started` })).length, 1);
  });
});

const STAFF = ['finance', 'supervisor', 'ops', 'admin'] as const;
