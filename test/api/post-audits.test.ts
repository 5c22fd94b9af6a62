import assert from 'node:assert/strict';
import { openPostAudit } from '../../db/post-audits.ts';
import type { CompanyId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  anEvidencePack,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { ask, type Problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** Overdue by any clock. */
const LONG_AGO = '2020-01-06T02:00:00.000Z';

interface Audit {
  readonly id: string;
  readonly state: string;
  readonly overdue: boolean;
  readonly findings: string | null;
  readonly decidedBy: { readonly name: string } | null;
  readonly proposal: { readonly state: string; readonly note: string | null; readonly dueAt: string | null } | null;
  readonly license: { readonly id: string; readonly status: string } | null;
  readonly evidence: { readonly legalWorkingDays: number } | null;
}

describe('post-audits over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let examiner: TestPerson;
  let head: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    [owner, examiner, head] = [
      await api.person('owner'),
      await api.person('examiner'),
      await api.person('head', 'supervisor'),
    ];
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
    await api.stepUp(head);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  async function audited() {
    const { db } = database;
    const applicationId = await anApplication(db, { companyId, type, applicantId: owner.id, state: 'active' });
    const license = await aLicense(db, { applicationId, companyId, type });
    await anEvidencePack(db, { applicationId, companyId, type });
    await db.transaction((tx) => openPostAudit(tx, { applicationId, kind: 'deemed', at: LONG_AGO }));
    const { id }: { id: string } = await db('post_audits').where({ application_id: applicationId }).first('id');
    return { id, applicationId, license };
  }
  const decide = (id: string, outcome: string, as = examiner, headers = {}) =>
    ask<Audit & Problem>(api, as, 'POST', `/admin/post-audits/${id}/decide`, {
      body: { outcome, findings: 'lokasi fiktif' },
      headers,
    });
  const propose = (id: string, decision: string, as = head) =>
    ask<Audit & Problem>(api, as, 'POST', `/admin/post-audits/${id}/proposal`, { body: { decision, note: 'setuju' } });
  const verified = async (code: string) =>
    (await ask(api, null, 'GET', `//verify/${code}`, { headers: { accept: 'application/json' } })).body;

  it('go from the list to a suspended licence, in four steps by two people', async () => {
    const { id, license } = await audited();
    type Page = { items: Audit[] };
    const found = (await ask<Page>(api, examiner, 'GET', '/admin/post-audits?state=open&overdue=true&kind=deemed'))
      .body;
    assert.ok(found.items.some((audit) => audit.id === id && audit.overdue));
    const read = (await ask<Audit>(api, examiner, 'GET', `/admin/post-audits/${id}`)).body;
    assert.deepEqual([read.evidence?.legalWorkingDays, read.license?.status], [5, 'active']);

    const failed = await decide(id, 'failed');
    assert.equal(failed.status, 200);
    assert.deepEqual(
      [failed.body.state, failed.body.findings, failed.body.decidedBy?.name, failed.body.proposal?.state],
      ['failed', 'lokasi fiktif', examiner.name, 'open'],
    );
    const waiting = (await ask<Page>(api, head, 'GET', '/admin/post-audits?proposal=open')).body;
    assert.ok(waiting.items.some((audit) => audit.id === id));

    const suspended = await propose(id, 'suspend');
    assert.equal(suspended.status, 200, suspended.body.detail);
    assert.deepEqual([suspended.body.proposal?.state, suspended.body.license?.status], ['suspended', 'suspended']);
    assert.deepEqual([(await verified(license.verifyCode))['status']], ['suspended']);
  });
  it('let the examiner who may make one read the case, and whoever made it; nobody else of the role', async () => {
    const { db } = database;
    const { id, applicationId } = await audited();
    const inOffice = async (officeId: string) => {
      const person = await api.person('examiner');
      await db('users').where({ id: person.id }).update({ office_id: officeId });
      return person;
    };
    const colleague = await inOffice(type.officeId);
    const elsewhere = await inOffice((await aLicenseType(db)).officeId);
    const verifier = await api.person('verifier');
    const reads = async (...people: TestPerson[]) => {
      const seen: number[] = [];
      for (const person of people)
        for (const path of ['applications/:id', 'status/:id', 'applications/:id/evidence'])
          seen.push((await ask(api, person, 'GET', `/licenses/${path.replace(':id', applicationId)}`)).status);
      return seen;
    };
    assert.deepEqual(await reads(examiner, colleague), [200, 200, 200, 200, 200, 200]);
    assert.deepEqual(await reads(elsewhere, verifier), [404, 404, 404, 404, 404, 404]);
    await decide(id, 'passed');
    assert.deepEqual(await reads(examiner, colleague), [200, 200, 200, 404, 404, 404]);
  });
  it('are decided once: a repeat of the request gets its answer, another a refusal that names the first', async () => {
    const { id } = await audited();
    const headers = { 'idempotency-key': id };
    const first = await decide(id, 'passed', examiner, headers);
    assert.deepEqual((await decide(id, 'passed', examiner, headers)).body, first.body);
    const late = await decide(id, 'failed', await api.person('supervisor'));
    assert.deepEqual(
      [late.status, late.body.code, late.body.conflict?.decidedBy.name],
      [409, 'audit_not_open', examiner.name],
    );
  });
  it('want words, and a second factor of whoever suspends', async () => {
    const { id } = await audited();
    const empty = await ask(api, examiner, 'POST', `/admin/post-audits/${id}/decide`, { body: { outcome: 'passed' } });
    assert.equal(empty.status, 422);
    await decide(id, 'failed');
    const other = await api.person('supervisor');
    await api.giveFactor(other);
    assert.equal((await propose(id, 'suspend', other)).body.code, 'step_up_required');
    await api.stepUp(other);
    assert.equal((await propose(id, 'dismiss', other)).body.proposal?.note, 'setuju');
  });
  it('are refused to whoever made the audit, or has a part in the case', async () => {
    const { id } = await audited();
    await decide(id, 'failed', head);
    assert.deepEqual((({ status, body }) => [status, body.code])(await propose(id, 'suspend')), [403, 'already_acted']);
  });
  it('show on the metrics how many are overdue', async () => {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    const count = Number(/alur_post_audits_overdue\{what="audit"\} (\d+)/.exec(text)?.[1]);
    await audited();
    const after = await (await fetch(`${api.url}/metrics`)).text();
    assert.match(after, new RegExp(`alur_post_audits_overdue\\{what="audit"\\} ${count + 1}\n`));
    assert.match(after, /alur_post_audits_overdue\{what="proposal"\} \d+\n/);
  });
});
