import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { STATUS_STATEMENT } from '../../db/application-status.ts';
import { listApplications } from '../../db/applications.ts';
import { timeline } from '../../db/events.ts';
import { countInbox, type InboxFilter, inboxOf } from '../../db/task-reads.ts';
import { type ApplicationId, asId, type UserId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { aCompany, aLicenseType, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const COMPANIES = 300;
const CASES = 9_000;
const REVIEWERS = 20;

/** The planner decides with the statistics of a filled database, as it will in the office; no setting bends it. */
describe('the queries that people wait for', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let owner: UserId;
  let reviewers: UserId[];
  let applicationId: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    const { db } = database;
    owner = await aUser(db, 'owner');
    const companyId = await aCompany(db, owner);
    reviewers = await Promise.all(Array.from({ length: REVIEWERS }, () => aUser(db, 'verifier')));
    await fill(db, { type: await aLicenseType(db), owner, reviewers });
    const some: { id: string } | undefined = await db('applications').where({ company_id: companyId }).first('id');
    applicationId = asId<ApplicationId>(some?.id ?? '');
  });
  after(() => database.drop());

  it('the status looks up one case, and what belongs to it, by index', async () => {
    const plan = await planOf(database.db, STATUS_STATEMENT.text, [applicationId, owner, false]);
    assert.deepEqual(fullReads(plan, BIG), []);
    assert.match(plan, /applications_pkey/);
  });

  const inbox = (viewer: Actor, filter: InboxFilter = {}, after: Parameters<typeof inboxOf>[2]['after'] = null) =>
    plansOf(database.db, (db) => inboxOf(db, viewer, { ...filter, asOf: new Date(), after, limit: 21 }));
  const WALKS = /Limit.*\n\s*->\s+Index Scan using tasks_inbox.*\n\s*Index Cond:.*LEAST/;

  it('the inbox walks along its index, already in order, and tells there what is late', async () => {
    const [userId = owner] = reviewers;
    const plans = await inbox({ userId, roles: ['verifier'] });
    assert.deepEqual(fullReads(plans, BIG), []);
    assert.match(plans, WALKS, 'it is sorted first, or looks at rows that it does not show');
  });

  it("a supervisor's inbox walks along both of its indexes", async () => {
    const [userId = owner] = reviewers;
    const plans = await inbox({ userId, roles: ['supervisor'] });
    assert.deepEqual(fullReads(plans, BIG), []);
    assert.match(plans, WALKS);
    assert.match(plans, /Limit.*\n\s*->\s+Index Scan using tasks_unassigned.*\n\s*Index Cond:.*LEAST/);
  });

  it('the inbox goes on from a page in the middle, and by its filters, without reading everything', async () => {
    const [userId = owner] = reviewers;
    const viewer = { userId, roles: ['verifier'] as const };
    const after = { at: new Date(), id: applicationId, late: false };
    assert.match(await inbox(viewer, {}, after), /Index Cond:.*ROW\(due_at, id\) > ROW/);
    for (const filter of [{ stage: 'approval' }, { overdue: true }, { atRisk: false }] as const) {
      const plans = await inbox(viewer, filter);
      assert.deepEqual(fullReads(plans, BIG), [], JSON.stringify(filter));
      assert.match(plans, /tasks_inbox/, JSON.stringify(filter));
    }
  });

  it("the inbox finds a company's tasks by its name without reading the others'", async () => {
    const [userId = owner] = reviewers;
    const plans = await inbox({ userId, roles: ['supervisor'] }, { companyName: 'CV Uji' });
    assert.deepEqual(fullReads(plans, BIG), []);
  });

  it("the counts of an inbox read no tasks of others'", async () => {
    const [userId = owner] = reviewers;
    const plans = await plansOf(database.db, (db) => countInbox(db, { userId, roles: ['verifier'] }, new Date()));
    assert.deepEqual(fullReads(plans, BIG), []);
    assert.match(plans, /tasks_inbox/);
  });

  it('the timeline walks along its index, for the owner as for staff', async () => {
    for (const staff of [true, false]) {
      const plans = await plansOf(database.db, (db) =>
        timeline(db, { applicationId }, { staff, after: 0n, limit: 21 }),
      );
      assert.deepEqual(fullReads(plans, BIG), []);
      assert.match(plans, /events_timeline/);
    }
  });

  it("the list of an owner's cases does not read those of others", async () => {
    const plans = await plansOf(database.db, (db) =>
      listApplications(db, { userId: owner, roles: ['owner'] }, { after: null, limit: 21 }),
    );
    assert.deepEqual(fullReads(plans, ['applications']), []);
    assert.match(plans, /applications_company/);
  });

  it('the list of everything reads only as far as its page', async () => {
    const viewer = { userId: owner, roles: ['supervisor'] as const };
    const plans = await plansOf(database.db, (db) => listApplications(db, viewer, { after: null, limit: 21 }));
    assert.deepEqual(fullReads(plans, ['applications']), []);
    assert.match(plans, /applications_recent/);
  });
});

const BIG = ['applications', 'tasks', 'events', 'invoices', 'licenses', 'task_holders'];

const fullReads = (plan: string, tables: readonly string[]): string[] =>
  tables.filter((table) => plan.includes(`Seq Scan on ${table} `));

async function planOf(db: Knex, text: string, values: readonly unknown[]): Promise<string> {
  const connection: { query(text: string, values: unknown[]): Promise<{ rows: Record<string, string>[] }> } =
    await db.client.acquireConnection();
  try {
    const { rows } = await connection.query(`explain ${text}`, [...values]);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await db.client.releaseConnection(connection);
  }
}

/** The plans of whatever statements `work` sends, taken from the very texts that it sent. */
async function plansOf(db: Knex, work: (db: Knex) => Promise<unknown>): Promise<string> {
  const sent: { sql: string; bindings?: unknown[] }[] = [];
  const note = (query: { sql: string; bindings?: unknown[] }) => void sent.push(query);
  db.on('query', note);
  try {
    await work(db);
  } finally {
    db.removeListener('query', note);
  }
  assert.ok(sent.length > 0, 'nothing was asked');
  return (await Promise.all(sent.map(({ sql, bindings }) => planOf(db, sql, bindings ?? [])))).join('\n');
}

/** Companies with thirty cases each; every case has a form of usual length, a task, ten events, an invoice and a licence. */
async function fill(db: Knex, given: { type: LicenseTypeRow; owner: UserId; reviewers: UserId[] }): Promise<void> {
  const { type, owner, reviewers } = given;
  await db.raw(
    `with people as (
       insert into users (id, email, password_hash, name, roles)
       select gen_random_uuid(), 'u' || n || '@example.test', 'none', 'U', '{owner}' from generate_series(2, :companies) n returning id
     ), founded as (
       insert into companies (id, name, legal_form, npwp_encrypted, npwp_hash, npwp_masked, address, kbli, scale, status)
       select id, 'C', 'CV', '', id::text, '', '', '{}', 'micro', 'active' from people
     )
     insert into company_members (company_id, user_id) select id, id from people`,
    { companies: COMPANIES },
  );
  await db.raw(
    `insert into applications (id, company_id, type_code, policy_id, applicant_id, form, state, created_at, updated_at)
     select gen_random_uuid(), (array(select id from companies order by id))[1 + n % (select count(*) from companies)], :code, :policyId, :owner,
            jsonb_build_object('text', repeat(md5(n::text), 30)), 'approval', now() - n * interval '1 hour', now()
       from generate_series(1, :cases) n`,
    { code: type.code, policyId: type.policyId, owner, cases: CASES },
  );
  await db.raw(
    `insert into tasks (id, application_id, round, stage, role, assignee_id, state, assigned_at, opened_at, at_risk_at, due_at, budget_ms, plan)
     select gen_random_uuid(), a.id, 1, 'approval', 'approver', (:reviewers::uuid[])[1 + (row_number() over ())::int % (:count + 1)], 'open',
            now(), now(), due_at - interval '1 day', due_at, 1, '{}'
       from (select id, now() + (random() - 0.1) * interval '9 days' as due_at from applications) a`,
    { reviewers, count: REVIEWERS },
  );
  await db.raw(
    `insert into task_holders (application_id, user_id, stage, since)
     select application_id, assignee_id, stage, now() from tasks where assignee_id is not null`,
  );
  await db.raw(
    `insert into events (key, type, application_id, actor, data, public, occurred_at)
     select a.id || '/' || n, 'decision.recorded', a.id, 'system', '{}', n % 2 = 0, now() from applications a, generate_series(1, 10) n`,
  );
  await db.raw(
    `insert into invoices (id, number, company_id, application_id, state, currency, subtotal_minor, tax_minor, total_minor, issued_at, due_at)
     select gen_random_uuid(), 'INV/' || a.id, a.company_id, a.id, 'open', 'IDR', 1, 0, 1, now(), now() from applications a`,
  );
  await db.raw(
    `insert into licenses (id, number, application_id, company_id, type_code, status, valid_from, verify_code, issued_at)
     select gen_random_uuid(), 'L/' || a.id, a.id, a.company_id, a.type_code, 'active', now(), a.id, now() from applications a`,
  );
  await db.raw('analyze');
}
