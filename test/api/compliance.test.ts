import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { evaluateRule } from '../../activities/compliance-rules.ts';
import { checkCompliance, complianceResults } from '../../db/compliance.ts';
import type { ComplianceRule } from '../../domain/compliance.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  aSubmission,
  aUser,
  GOOD_FORM,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const problem = z.object({ errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })) });
const trial = z.object({
  tried: z.number(),
  complete: z.boolean(),
  changedCases: z.number(),
  outcomes: z.record(z.string(), z.record(z.string(), z.number())),
  changes: z.array(
    z.object({
      applicationId: z.string(),
      ruleCode: z.string(),
      before: z.string().nullable(),
      after: z.string().nullable(),
    }),
  ),
});

const rule = (code: string, expression: string, otherwise: 'warn' | 'fail' = 'fail'): ComplianceRule => ({
  code,
  expression,
  otherwise,
  reason: { id: `Aturan ${code}`, en: `Rule ${code}` },
});

describe('compliance rules', () => {
  let database: TestDatabase;
  let api: TestApi;
  let admin: TestPerson;
  let owner: UserId;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    admin = await api.person('admin');
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const publish = (type: LicenseTypeRow, rules: readonly ComplianceRule[], more: object = {}) =>
    api.call(`/admin/compliance-rules/${type.code}`, { as: admin, body: { rules, reason: 'A new decree', ...more } });
  const dryRun = async (type: LicenseTypeRow, rules: readonly ComplianceRule[], more: object = {}) => {
    const path = `/admin/compliance-rules/${type.code}/dry-run`;
    const { status, body } = await api.call(path, { as: admin, body: { rules, ...more } });
    assert.equal(status, 200, JSON.stringify(body));
    return trial.parse(body);
  };
  const at = (ms = 0) => new Date(Date.now() + ms).toISOString();
  /** Submitted now, with this area in its form and this document attached. */
  const aCase = async (type: LicenseTypeRow, form: object = {}): Promise<ApplicationId> => {
    const given = { companyId, type, applicantId: owner, state: 'completeness', at: at() } as const;
    const applicationId = await anApplication(database.db, given);
    await aSubmission(database.db, { applicationId, by: owner, form: { ...GOOD_FORM, ...form } });
    return applicationId;
  };
  const check = (applicationId: ApplicationId, round = 1) =>
    database.db.transaction((tx) => checkCompliance(tx, { applicationId, round, at: at(), evaluate: evaluateRule }));
  const outcomes = (results: Awaited<ReturnType<typeof check>>) =>
    results.map(({ code, outcome }) => `${code} ${outcome}`);

  const RULES = [
    rule('large_enough', 'form.area >= 10'),
    rule('not_huge', 'form.area <= 100', 'warn'),
    rule('identity_attached', 'documents.ktp.present'),
    rule('broken', 'form.area + 1'),
  ];

  it('are published with their version, read back, and told in an event', async () => {
    const type = await aLicenseType(database.db);
    const first = await publish(type, RULES);
    assert.deepEqual([first.status, first.body['version']], [201, 1], JSON.stringify(first.body));
    const second = await publish(
      type,
      RULES.slice(1).map((one, index) => (index === 0 ? { ...one, otherwise: 'fail' } : one)),
    );
    assert.deepEqual([second.body['version'], second.body['changed']], [2, ['large_enough', 'not_huge']]);
    const { body } = await api.call(`/admin/compliance-rules/${type.code}`, { as: await api.person('head') });
    const versions = z
      .array(z.looseObject({ version: z.number(), inForce: z.boolean(), rules: z.array(z.unknown()) }))
      .parse(body['versions']);
    assert.deepEqual(
      versions.map(({ version, inForce }) => [version, inForce]),
      [
        [2, true],
        [1, false],
      ],
    );
    assert.deepEqual(versions[1]?.rules, RULES);
    const told = await database
      .db('events')
      .where({ type: 'compliance_rules.published', subject: `license_type/${type.code}` });
    assert.equal(told.length, 2);
  });

  it('judge a submission once: pass, warn, fail, and error for what nobody can judge', async () => {
    const type = await aLicenseType(database.db);
    await publish(type, RULES);
    const id = await aCase(type, { area: 200 });
    const results = await check(id);
    assert.deepEqual(outcomes(results), [
      'large_enough pass',
      'not_huge warn',
      'identity_attached fail',
      'broken error',
    ]);
    assert.deepEqual(results[1]?.reason, { id: 'Aturan not_huge', en: 'Rule not_huge' });
    assert.deepEqual(await check(id), results);
    assert.deepEqual(await complianceResults(database.db, id, 1), results);
    const told = await database.db('events').where({ application_id: id, type: 'compliance.checked' }).select('data');
    assert.deepEqual(
      told.map(({ data }) => data),
      [
        {
          round: 1,
          version: 1,
          pass: ['large_enough'],
          warn: ['not_huge'],
          fail: ['identity_attached'],
          error: ['broken'],
        },
      ],
    );
  });

  it('know what is attached', async () => {
    const type = await aLicenseType(database.db);
    await publish(type, [
      rule(
        'ktp',
        'documents.ktp.present and documents.ktp.bytes > 1000 and documents.ktp.contentType = "application/pdf"',
      ),
      rule('pages', 'documents.ktp.pages <= 2'),
      rule('plan', 'documents.site_plan.count = 0'),
      rule('company', 'company.scale = "micro" and list contains(company.kbli, "47111") and company.capital = null'),
    ]);
    const given = { companyId, type, applicantId: owner, state: 'completeness', at: at() } as const;
    const applicationId = await anApplication(database.db, given);
    const id = randomUUID();
    const document = { kind: 'ktp', filename: 'ktp.pdf', sha256: '0'.repeat(64) };
    await database.db('documents').insert({
      ...{ id, application_id: applicationId, ...document, bytes: 2000, content_type: 'application/pdf' },
      ...{ uploaded_by: owner, uploaded_at: at(), sanity: JSON.stringify({ pages: 2, flags: [] }) },
    });
    await database.db('submissions').insert({
      ...{ id: randomUUID(), application_id: applicationId, round: 1, form: JSON.stringify(GOOD_FORM) },
      ...{
        documents: JSON.stringify([{ id, ...document }]),
        sha256: '1'.repeat(64),
        submitted_by: owner,
        submitted_at: at(),
      },
    });
    assert.deepEqual(outcomes(await check(applicationId)), ['ktp pass', 'pages pass', 'plan pass', 'company pass']);
  });

  it('are those of the first submission, whatever is published while the case runs', async () => {
    const type = await aLicenseType(database.db);
    await publish(type, [rule('large_enough', 'form.area >= 10')]);
    const id = await aCase(type, { area: 5 });
    await publish(type, [rule('large_enough', 'form.area >= 1')]);
    assert.deepEqual(outcomes(await check(id)), ['large_enough fail']);
    await aSubmission(database.db, { applicationId: id, by: owner, round: 2, form: { ...GOOD_FORM, area: 12 } });
    assert.deepEqual(outcomes(await check(id, 2)), ['large_enough pass']);
    assert.deepEqual(outcomes(await complianceResults(database.db, id, 1)), ['large_enough fail']);
    assert.deepEqual(outcomes(await check(await aCase(type, { area: 5 }))), ['large_enough pass']);
  });

  it('leave no trace where there are none', async () => {
    const type = await aLicenseType(database.db);
    const id = await aCase(type);
    assert.deepEqual(await check(id), []);
    assert.equal((await database.db('events').where({ application_id: id })).length, 0);
  });

  it('are refused with the rule and the place in it', async () => {
    const type = await aLicenseType(database.db);
    const { status, body } = await publish(type, [
      rule('fine', 'form.area > 1'),
      rule('typo', 'form.area > 1 and form.shopname = "x"'),
      rule('fine', 'form.area >'),
      rule('loop', '{f: function(x) f(x), r: f(1)}.r = 1'),
    ]);
    assert.equal(status, 422);
    assert.deepEqual(
      problem.parse(body).errors.map(({ pointer, code, detail }) => [pointer, code, detail.split(':')[0]]),
      [
        ['/rules/1/expression', 'unknown_field', 'rule typo, character 24'],
        ['/rules/2/code', 'rule_twice', 'another rule has this code'],
        ['/rules/2/expression', 'syntax_error', 'rule fine, character 12'],
        ['/rules/3/expression', 'not_allowed', 'rule loop, character 1'],
      ],
    );
    const versions = await api.call(`/admin/compliance-rules/${type.code}`, { as: admin });
    assert.deepEqual(versions.body['versions'], []);
  });

  it('are tried on past submissions first, and nothing is written', async () => {
    const type = await aLicenseType(database.db);
    await publish(type, [rule('large_enough', 'form.area >= 10'), rule('gone', 'form.area >= 1')]);
    const [small, large] = [await aCase(type, { area: 7 }), await aCase(type, { area: 70 })];
    const tried = await dryRun(type, [rule('large_enough', 'form.area >= 5'), rule('new', 'form.area <= 50', 'warn')]);
    assert.deepEqual([tried.tried, tried.complete, tried.changedCases], [2, true, 2]);
    assert.deepEqual(tried.outcomes, {
      large_enough: { pass: 2, warn: 0, fail: 0, error: 0 },
      new: { pass: 1, warn: 1, fail: 0, error: 0 },
    });
    const changes = tried.changes.map((one) => `${one.applicationId} ${one.ruleCode} ${one.before} ${one.after}`);
    assert.deepEqual(
      changes.toSorted(),
      [
        `${small} large_enough fail pass`,
        `${small} gone pass null`,
        `${small} new null pass`,
        `${large} gone pass null`,
        `${large} new null warn`,
      ].toSorted(),
    );
    assert.equal((await dryRun(type, [], { cases: 1 })).tried, 1);
    const written = await database.db('compliance_results').whereIn('application_id', [small, large]);
    assert.deepEqual(written, []);
  });

  it('of the demonstration judge its example as it should be', async () => {
    const path = '/admin/compliance-rules/restaurant';
    const { body } = await api.call(path, { as: admin });
    const [version] = z.array(z.object({ rules: z.array(z.unknown()) }).loose()).parse(body['versions']);
    const again = await api.call(path, { as: admin, body: { rules: version?.rules, reason: 'the same' } });
    assert.deepEqual([again.status, again.body['changed']], [201, []], JSON.stringify(again.body));
  });
});
