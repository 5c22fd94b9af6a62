import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import fc from 'fast-check';
import { z } from 'zod';
import { readRiskTableCsv, writeRiskTableCsv } from '../../api/risk-table-csv.ts';
import { pinnedPolicyOf } from '../../db/policies.ts';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { parseRiskRows } from '../../domain/risk-table.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { aCompany, aLicenseType, GOOD_FORM, type LicenseTypeRow } from '../builders/licensing.ts';
import { riskRows } from '../builders/risk-rows.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

const problem = z.object({
  code: z.string(),
  errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })),
});
const types = z.object({
  items: z.array(
    z.looseObject({
      code: z.string(),
      risk: z.string(),
      path: z.string(),
      stages: z.array(z.string()),
      legalWorkingDays: z.number(),
      fee: z.looseObject({ amountMinor: z.number() }),
      validityMonths: z.number().nullable(),
    }),
  ),
});

/** What a process was started with. */
async function inputOf(handle: WorkflowHandle): Promise<unknown> {
  const { events } = await handle.fetchHistory();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return JSON.parse(Buffer.from(payload?.data ?? []).toString());
}

describe('the risk table of an office', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    // Nobody works there: what is submitted stays as it was handed over.
    const taskQueue = `nobody-${randomUUID()}`;
    api = await startApi(database, { temporal: new Client({ connection }), taskQueue });
  });
  after(async () => {
    await api?.close();
    await connection?.close();
    await database?.drop();
  });

  /** An office with a licence type of its own, and its administrator. */
  async function anOffice(changes: Partial<LicensePolicy> = {}): Promise<{ admin: TestPerson; type: LicenseTypeRow }> {
    const type = await aLicenseType(database.db, changes);
    const admin = await api.person('admin');
    await database.db('users').where({ id: admin.id }).update({ office_id: type.officeId });
    return { admin, type };
  }
  const importJson = (as: TestPerson, rows: unknown, more: object = {}, query = '') =>
    api.call(`/admin/risk-table/import${query}`, { as, body: { rows, ...more } });
  const importCsv = async (as: TestPerson, csv: string, query = '') => {
    const form = new FormData();
    form.set('file', new Blob([csv], { type: 'text/csv' }), 'table.csv');
    const response = await fetch(`${api.url}/api/v1/admin/risk-table/import/csv${query}`, {
      method: 'POST',
      headers: { ...as.headers, 'accept-language': 'en' },
      body: form,
    });
    return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) };
  };
  const exported = async (as: TestPerson, format: 'json' | 'csv') => {
    const response = await fetch(`${api.url}/api/v1/admin/risk-table/export?format=${format}`, { headers: as.headers });
    return { text: await response.text(), type: response.headers.get('content-type') };
  };
  const row = (typeCode: string, more: object = {}) => ({
    kbli: '47111',
    scale: 'any',
    risk: 'low',
    typeCode,
    ...more,
  });

  it('is published, read, and replaced as a whole; the past is kept', async () => {
    const { admin, type } = await anOffice();
    assert.equal((await api.call('/admin/risk-table', { as: admin })).status, 404);
    const first = await importJson(admin, [row(type.code), row(type.code, { kbli: '1' })]);
    assert.deepEqual(
      [first.status, first.body['version'], first.body['rows']],
      [201, 1, 2],
      JSON.stringify(first.body),
    );
    const between = new Date().toISOString();
    const second = await importJson(admin, [row(type.code, { legalWorkingDays: 3 })]);
    assert.equal(second.body['version'], 2);
    const now = await api.call('/admin/risk-table', { as: admin });
    assert.deepEqual([now.body['version'], now.body['publishedBy']], [2, admin.id]);
    const then = await api.call(`/admin/risk-table?at=${encodeURIComponent(between)}`, { as: admin });
    assert.deepEqual([then.body['version'], z.array(z.unknown()).parse(then.body['rows']).length], [1, 2]);
    const event = await database
      .db('events')
      .where({ type: 'risk_table.published', subject: `risk_table/${String(second.body['id'])}` })
      .first('data', 'actor_id');
    assert.equal(event.actor_id, admin.id);
    const { added, changed, removed } = event.data;
    assert.deepEqual({ added, changed, removed }, { added: 0, changed: 1, removed: 1 });
  });

  it('is published once where the request is repeated', async () => {
    const { admin, type } = await anOffice();
    const request = { as: admin, body: { rows: [row(type.code)] }, headers: { 'idempotency-key': randomUUID() } };
    const [first, again] = [
      await api.call('/admin/risk-table/import', request),
      await api.call('/admin/risk-table/import', request),
    ];
    assert.deepEqual([first.status, again.status, again.body['version']], [201, 201, 1]);
  });

  it('says on a dry run what would change, and changes nothing', async () => {
    const { admin, type } = await anOffice();
    await importJson(admin, [row(type.code), row(type.code, { kbli: '1' })]);
    const dry = await importJson(
      admin,
      [row(type.code, { risk: 'high' }), row(type.code, { kbli: '2' })],
      {},
      '?dryRun=true',
    );
    assert.equal(dry.status, 200);
    const said = z
      .object({
        added: z.array(z.looseObject({ kbli: z.string() })),
        removed: z.array(z.looseObject({ kbli: z.string() })),
        changed: z.array(z.object({ before: z.looseObject({}), after: z.looseObject({}) })),
      })
      .parse(dry.body);
    assert.deepEqual([said.added.map(({ kbli }) => kbli), said.removed.map(({ kbli }) => kbli)], [['2'], ['1']]);
    assert.deepEqual([said.changed[0]?.before['risk'], said.changed[0]?.after['risk']], ['low', 'high']);
    assert.equal((await api.call('/admin/risk-table', { as: admin })).body['version'], 1);
  });

  it('names what is wrong by row and column, all of it, and publishes nothing', async () => {
    const { admin, type } = await anOffice({ path: 'automatic', stages: [] });
    const refused = await importJson(admin, [
      row(type.code),
      row('restaurant', { scale: 'huge' }),
      row(type.code, { kbli: '1', path: 'review', statutoryMinor: 1.5 }),
    ]);
    assert.equal(refused.status, 422);
    const { code, errors } = problem.parse(refused.body);
    assert.equal(code, 'rules_not_valid');
    assert.deepEqual(
      errors.map((error) => `${error.pointer} ${error.code}`),
      [
        '/rows/1/scale wrong_scale',
        // The type of another office.
        '/rows/1/typeCode unknown_type',
        '/rows/2/path type_has_no_stages',
        '/rows/2/statutoryMinor wrong_amount',
      ],
    );
    assert.equal((await api.call('/admin/risk-table', { as: admin })).status, 404);
  });

  it('names line and column of a CSV file', async () => {
    const { admin, type } = await anOffice();
    const csv = [
      'kbli;scale;risk;typeCode;legalWorkingDays',
      '',
      `561*;any;low;${type.code};3`,
      `1111;any;low;${type.code};`,
      `47111;any;middling;${type.code};soon`,
    ].join('\r\n');
    const { errors } = problem.parse((await importCsv(admin, csv)).body);
    assert.deepEqual(
      errors.map(({ pointer, code, detail }) => [pointer, code, detail.split(':')[0]]),
      [
        // Lost its first zero in a spreadsheet, or forgot its asterisk.
        ['/rows/1/kbli', 'wrong_kbli', 'line 4, column kbli'],
        ['/rows/2/risk', 'wrong_risk', 'line 5, column risk'],
        ['/rows/2/legalWorkingDays', 'wrong_number', 'line 5, column legalWorkingDays'],
      ],
    );
    const header = problem.parse((await importCsv(admin, 'kbli,scale,risk\n1*,any,low')).body);
    assert.deepEqual(header.errors[0]?.code, 'missing_column');
  });

  it('is not put in force for the past', async () => {
    const { admin, type } = await anOffice();
    const refused = await importJson(admin, [row(type.code)], { effectiveFrom: '2026-01-01T00:00:00Z' });
    assert.deepEqual(problem.parse(refused.body).errors[0]?.pointer, '/effectiveFrom');
    const later = await importJson(admin, [row(type.code)], { effectiveFrom: '2099-01-01T00:00:00+07:00' });
    assert.equal(later.status, 201);
    assert.equal((await api.call('/admin/risk-table', { as: admin })).status, 404);
    assert.equal((await api.call('/admin/risk-table?at=2099-01-02T00:00:00Z', { as: admin })).body['version'], 1);
  });

  it('exported and imported again is the same, as JSON and as CSV', async () => {
    const { admin, type } = await anOffice();
    const rows = [
      row(type.code, { kbli: '01111', statutoryMinor: 5, validityMonths: 'life', path: 'automatic' }),
      row(type.code, { kbli: '56', scale: 'large', checklist: [] }),
      row(type.code, {
        kbli: '5',
        checklist: [
          { kind: 'ktp', required: true },
          { kind: 'site_plan', required: false },
        ],
        deemedApproval: 'issue',
      }),
    ];
    await importJson(admin, rows);
    const before = (await api.call('/admin/risk-table', { as: admin })).body['rows'];
    const json = await exported(admin, 'json');
    const again = await importJson(admin, JSON.parse(json.text).rows);
    assert.deepEqual([again.status, again.body['changed'], again.body['added']], [201, [], []]);
    const csv = await exported(admin, 'csv');
    assert.match(csv.type ?? '', /^text\/csv/);
    const fromCsv = await importCsv(admin, csv.text);
    assert.deepEqual([fromCsv.status, fromCsv.body['changed'], fromCsv.body['removed']], [201, [], []]);
    assert.deepEqual((await api.call('/admin/risk-table', { as: admin })).body['rows'], before);
  });

  it('written as CSV and read again is the same, whatever its rows', () => {
    const known = new Map([['izin', { hasStages: true }]]);
    fc.assert(
      fc.property(riskRows('izin'), (rows) => {
        const read = readRiskTableCsv(Buffer.from(writeRiskTableCsv(rows)), 'en');
        assert.ok('rows' in read);
        assert.deepEqual(parseRiskRows(read.rows, known), { rows, problems: [] });
      }),
    );
  });

  it('is for administrators to change, and for those who oversee to read', async () => {
    const { admin, type } = await anOffice();
    await importJson(admin, [row(type.code)]);
    const supervisor = await api.person('supervisor');
    await database.db('users').where({ id: supervisor.id }).update({ office_id: type.officeId });
    assert.equal((await api.call('/admin/risk-table', { as: supervisor })).status, 200);
    assert.equal((await importJson(supervisor, [])).status, 403);
    const elsewhere = await api.person('admin');
    assert.equal((await api.call('/admin/risk-table', { as: elsewhere })).status, 403);
  });

  describe('decides for a company', () => {
    const draftOf = async (owner: TestPerson, companyId: string, typeCode: string): Promise<ApplicationId> => {
      const { body } = await api.call('/licenses/applications', {
        as: owner,
        body: { companyId, typeCode, form: GOOD_FORM },
      });
      return asId<ApplicationId>(String(body['id']));
    };
    const offered = async (owner: TestPerson, code: string, companyId?: string) => {
      const query = companyId === undefined ? '' : `?companyId=${companyId}`;
      const { items } = types.parse((await api.call(`/licenses/types${query}`, { as: owner })).body);
      return items.find((item) => item.code === code);
    };

    it('what it is asked for, as the owner sees it before applying', async () => {
      const { admin, type } = await anOffice();
      const owner = await api.person('owner');
      const companyId = await aCompany(database.db, owner.id);
      await importJson(admin, [
        row(type.code, { kbli: '471', risk: 'high', legalWorkingDays: 9 }),
        row(type.code, {
          kbli: '471',
          scale: 'micro',
          path: 'automatic',
          statutoryMinor: 0,
          serviceMinor: 0,
          validityMonths: 'life',
        }),
      ]);
      const general = await offered(owner, type.code);
      assert.deepEqual([general?.risk, general?.path, general?.stages.length], ['medium_high', 'review', 3]);
      const own = await offered(owner, type.code, companyId);
      assert.deepEqual(
        [own?.risk, own?.path, own?.stages, own?.fee.amountMinor, own?.validityMonths, own?.legalWorkingDays],
        ['low', 'automatic', [], 0, null, 5],
      );
      await database.db('companies').where({ id: companyId }).update({ scale: 'large' });
      const large = await offered(owner, type.code, companyId);
      assert.deepEqual([large?.risk, large?.path, large?.legalWorkingDays], ['high', 'review', 9]);
    });

    it('which documents it may attach and must', async () => {
      const { admin, type } = await anOffice();
      const owner = await api.person('owner');
      const companyId = await aCompany(database.db, owner.id);
      await importJson(admin, [row(type.code, { checklist: [{ kind: 'halal_certificate', required: true }] })]);
      const id = await draftOf(owner, companyId, type.code);
      const refused = await api.call(`/licenses/applications/${id}/submit`, { as: owner, method: 'POST' });
      assert.deepEqual(
        problem.parse(refused.body).errors.map(({ pointer }) => pointer),
        ['/documents/halal_certificate'],
      );
    });

    it('the rules that its case is pinned to, whatever is published afterwards', async () => {
      const { admin, type } = await anOffice({ checklist: [] });
      const owner = await api.person('owner');
      const companyId = await aCompany(database.db, owner.id);
      await importJson(admin, [row(type.code, { legalWorkingDays: 9 })]);
      const id = await draftOf(owner, companyId, type.code);
      const submitted = await api.call(`/licenses/applications/${id}/submit`, { as: owner, method: 'POST' });
      assert.equal(submitted.status, 200);
      const handle = api.deps.temporal.workflow.getHandle(licenseReviewId(id));
      assert.match(JSON.stringify(await inputOf(handle)), /"legalWorkingDays":9/);
      const pinned = await database.db('applications').where({ id }).first('policy_id', 'risk_row_id');
      assert.equal(pinned.policy_id, type.policyId);
      assert.ok(pinned.risk_row_id);
      await importJson(admin, [row(type.code, { legalWorkingDays: 20 })]);
      assert.deepEqual(await pinnedPolicyOf(database.db, id), { ...type.policy, legalWorkingDays: 9 });
    });

    it('nothing where no row fits: its case goes by the type’s own policy', async () => {
      const { admin, type } = await anOffice({ checklist: [] });
      const owner = await api.person('owner');
      const companyId = await aCompany(database.db, owner.id);
      await importJson(admin, [row(type.code, { kbli: '9', legalWorkingDays: 9 })]);
      const id = await draftOf(owner, companyId, type.code);
      await api.call(`/licenses/applications/${id}/submit`, { as: owner, method: 'POST' });
      const pinned = await database.db('applications').where({ id }).first('pinned_policy', 'risk_row_id');
      assert.deepEqual(pinned, { pinned_policy: null, risk_row_id: null });
      assert.deepEqual(await pinnedPolicyOf(database.db, id), type.policy);
    });
  });
});
