import assert from 'node:assert/strict';
import { recordEvent } from '../../db/events.ts';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import type { Reason } from '../../domain/licensing.ts';
import {
  aCompany,
  aDecision,
  aLicenseType,
  anApplication,
  aSubmission,
  GOOD_FORM,
  hashOf,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { aPdf } from '../builders/papers.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface Seen {
  readonly openFields?: readonly string[] | null;
  readonly documents: readonly { readonly id: string; readonly kind: string; readonly accepted: boolean }[];
}
interface Diff {
  readonly from: { readonly round: number };
  readonly to: { readonly round: number };
  readonly unchanged: boolean;
  readonly form: readonly unknown[];
  readonly documents: readonly { readonly kind: string; readonly change: string; readonly accepted: boolean }[];
}

describe('a correction', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let verifier: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    [owner, verifier] = [await api.person('owner'), await api.person('verifier')];
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  /** Submitted once with two documents, and given back by a verifier for these reasons. */
  async function givenBack(...reasons: Reason[]): Promise<ApplicationId> {
    const { db } = database;
    const id = await anApplication(db, { companyId, type, applicantId: owner.id, state: 'correction_requested' });
    await aSubmission(db, {
      applicationId: id,
      by: owner.id,
      documents: [
        ['ktp', 'old'],
        ['site_plan', 'plan'],
      ],
    });
    for (const [kind, content] of [
      ['ktp', 'old'],
      ['site_plan', 'plan'],
    ] as const)
      await attach(id, kind, content);
    const asked = { applicationId: id, stage: 'document_verification', decision: 'request_correction' } as const;
    await aDecision(db, { ...asked, by: verifier.id, reasons });
    return id;
  }
  const attach = (id: ApplicationId, kind: string, content: string) =>
    database.db('documents').insert({
      id: crypto.randomUUID(),
      application_id: id,
      kind,
      filename: `${kind}.pdf`,
      sha256: hashOf(content),
      bytes: 10,
      content_type: 'application/pdf',
      uploaded_by: owner.id,
      uploaded_at: MONDAY,
    });
  const seen = async (id: string, person = owner) =>
    (await ask<Seen>(api, person, 'GET', `/licenses/applications/${id}`)).body;
  const change = (id: string, form: object, headers = {}) =>
    problem(api, owner, 'PUT', `/licenses/applications/${id}`, { body: { form }, headers });
  const upload = (id: string, kind: string) => {
    const body = new FormData();
    body.append('kind', kind);
    body.append('file', new Blob([new Uint8Array(aPdf())], { type: 'application/pdf' }), `${kind}.pdf`);
    return problem(api, owner, 'POST', `/licenses/applications/${id}/documents`, { body });
  };

  describe('is limited to what was asked for', () => {
    it('and tells its owner what that is', async () => {
      const id = await givenBack(
        { code: 'data_mismatch', pointer: '/form/area' },
        { code: 'document_unreadable', pointer: '/documents/ktp' },
      );
      assert.deepEqual((await seen(id)).openFields, ['/form/area', '/documents/ktp']);
    });
    it('in the form: another field is refused, and the answer names the open ones', async () => {
      const id = await givenBack({ code: 'data_mismatch', pointer: '/form/area' });
      assert.equal((await change(id, { ...GOOD_FORM, area: 14 })).status, 200);
      const { status, body } = await change(id, { ...GOOD_FORM, area: 15, shopName: 'Toko Lain' });
      assert.deepEqual([status, body.code], [409, 'field_not_open']);
      assert.deepEqual(
        body.errors?.map(({ pointer, code }) => [pointer, code]),
        [['/form/area', 'open']],
      );
      assert.match(body.detail, /\/form\/shopName/);
      const refused = await change(id, { ...GOOD_FORM, shopName: 'Lain' }, { 'accept-language': 'id' });
      assert.match(refused.body.errors?.[0]?.detail ?? '', /boleh diubah/);
    });
    it('by what was submitted, not by what was changed since: a change can be taken back', async () => {
      const id = await givenBack({ code: 'data_mismatch', pointer: '/form/area' });
      await change(id, { ...GOOD_FORM, area: 14 });
      assert.equal((await change(id, GOOD_FORM)).status, 200);
    });
    it('below a pointer as well', async () => {
      const id = await givenBack({ code: 'data_mismatch', pointer: '/form/contact' });
      assert.equal((await change(id, { ...GOOD_FORM, contact: { email: 'baru@example.test' } })).status, 200);
    });
    it('in the documents: another kind can be neither attached nor taken off', async () => {
      const id = await givenBack({ code: 'document_unreadable', pointer: '/documents/ktp' });
      const { documents } = await seen(id);
      const [ktp, plan] = ['ktp', 'site_plan'].map((kind) => documents.find((document) => document.kind === kind)?.id);
      const remove = (documentId: string | undefined) =>
        problem(api, owner, 'DELETE', `/licenses/applications/${id}/documents/${documentId}`);
      assert.equal((await upload(id, 'site_plan')).body.code, 'field_not_open');
      assert.equal((await remove(plan)).body.code, 'field_not_open');
      assert.equal((await upload(id, 'ktp')).status, 201);
      assert.equal((await remove(ktp)).status, 204);
      assert.equal((await change(id, { ...GOOD_FORM, area: 14 })).body.code, 'field_not_open');
    });
    it('but for a reason that points at nothing: it opens everything', async () => {
      const id = await givenBack(
        { code: 'other', text: 'start over' },
        { code: 'data_mismatch', pointer: '/form/area' },
      );
      assert.equal((await seen(id)).openFields, null);
      assert.equal((await change(id, { shopName: 'Lain sama sekali' })).status, 200);
      assert.equal((await upload(id, 'site_plan')).status, 201);
    });
    it('whole forms can be open while documents are not', async () => {
      const id = await givenBack({ code: 'data_mismatch', pointer: '/form' });
      assert.equal((await change(id, { shopName: 'Lain sama sekali' })).status, 200);
      assert.equal((await upload(id, 'ktp')).body.code, 'field_not_open');
    });
    it('of the automatic check: it opens what was missing', async () => {
      const { db } = database;
      const id = await anApplication(db, { companyId, type, applicantId: owner.id, state: 'correction_requested' });
      await aSubmission(db, { applicationId: id, by: owner.id });
      const reasons = [{ code: 'document_missing', pointer: '/documents/ktp' }];
      await recordEvent(db, {
        key: `license-review/${id}/correction/1`,
        type: 'application.correction_requested',
        applicationId: id,
        data: { round: 1, stage: null, reasons },
        at: MONDAY,
      });
      assert.deepEqual((await seen(id)).openFields, ['/documents/ktp']);
      assert.equal((await upload(id, 'ktp')).status, 201);
      assert.equal((await upload(id, 'site_plan')).body.code, 'field_not_open');
    });
    it('and neither a draft, where all is open, nor a case that the office has, where nothing is', async () => {
      const given = { companyId, type, applicantId: owner.id };
      assert.equal((await seen(await anApplication(database.db, given))).openFields, null);
      const held = await anApplication(database.db, { ...given, state: 'approval' });
      assert.deepEqual((await seen(held)).openFields, []);
      assert.equal('openFields' in (await seen(held, await api.person('supervisor'))), false);
    });
  });

  describe('shows what was changed', () => {
    const diff = (id: string, query = '', person = owner) =>
      ask<Diff>(api, person, 'GET', `/licenses/applications/${id}/diff${query}`);

    /** Three rounds: the KTP was replaced in the second; nothing at all was changed in the third. */
    async function corrected(): Promise<ApplicationId> {
      const { db } = database;
      const id = await givenBack({ code: 'document_unreadable', pointer: '/documents/ktp' });
      const form = { ...GOOD_FORM, area: 20 };
      for (const round of [2, 3])
        await aSubmission(db, {
          applicationId: id,
          by: owner.id,
          round,
          form,
          documents: [
            ['ktp', 'new'],
            ['site_plan', 'plan'],
          ],
        });
      await db('applications').where({ id }).update({ state: 'document_verification', round: 3 });
      return id;
    }

    it('between two rounds: fields by pointer, documents by kind', async () => {
      const { body } = await diff(await corrected(), '?from=1&to=2');
      assert.deepEqual([body.from.round, body.to.round, body.unchanged], [1, 2, false]);
      assert.deepEqual(body.form, [{ pointer: '/form/area', before: 12, after: 20 }]);
      assert.deepEqual(
        body.documents.map(({ kind, change: what, accepted }) => [kind, what, accepted]),
        [
          ['ktp', 'replaced', false],
          ['site_plan', 'same', true],
        ],
      );
    });
    it('of the last two unless asked otherwise, and says so when it was nothing', async () => {
      const { body } = await diff(await corrected());
      assert.deepEqual([body.from.round, body.to.round, body.unchanged, body.form], [2, 3, true, []]);
    });
    it('before the round that is named, when only that is', async () => {
      const { body } = await diff(await corrected(), '?to=2');
      assert.deepEqual([body.from.round, body.to.round], [1, 2]);
    });
    it('and is 404 for rounds that there are not, and for a case with one', async () => {
      const id = await corrected();
      for (const query of ['?from=1&to=4', '?from=9', '?to=1'])
        assert.equal((await diff(id, query)).status, 404, query);
      assert.equal((await diff(await givenBack())).status, 404);
      assert.equal((await problem(api, owner, 'GET', `/licenses/applications/${id}/diff?from=0`)).status, 422);
    });
    it('to the reviewer who holds the case, and to nobody else of the office', async () => {
      const id = await corrected();
      assert.equal((await diff(id, '', verifier)).status, 404);
      await database.db('task_holders').insert({
        application_id: id,
        user_id: verifier.id,
        stage: 'document_verification',
        since: MONDAY,
      });
      assert.equal((await diff(id, '', verifier)).status, 200);
    });
  });

  describe('leaves accepted what it does not name', () => {
    const accepted = async (id: ApplicationId) =>
      Object.fromEntries((await seen(id)).documents.map((document) => [document.kind, document.accepted]));

    it('as long as its content is the same', async () => {
      const id = await givenBack({ code: 'document_unreadable', pointer: '/documents/ktp' });
      assert.deepEqual(await accepted(id), { ktp: false, site_plan: true });
      await database
        .db('documents')
        .where({ application_id: id, kind: 'site_plan' })
        .update({ sha256: hashOf('other') });
      assert.deepEqual(await accepted(id), { ktp: false, site_plan: false });
    });
    it('and so does the approval of the documents, by as many as it takes', async () => {
      const { db } = database;
      const quorum = { of: 2, needed: 2, rejection: 'one_ends' } as const;
      const stages = [{ stage: 'document_verification', role: 'verifier', sharePercent: 20, quorum }] as const;
      const id = await givenBack({ code: 'other', text: 'start over' });
      const pinned = JSON.stringify({ ...type.policy, stages });
      await db('applications')
        .where({ id })
        .update({ round: 2, state: 'document_verification', pinned_policy: pinned });
      await aSubmission(db, { applicationId: id, by: owner.id, round: 2, documents: [['ktp', 'old']] });
      const approval = { applicationId: id, stage: 'document_verification', decision: 'approve', round: 2 } as const;
      await aDecision(db, { ...approval, by: verifier.id });
      assert.deepEqual(await accepted(id), { ktp: false, site_plan: false });
      await aDecision(db, { ...approval, by: verifier.id, seat: 2 });
      assert.deepEqual(await accepted(id), { ktp: true, site_plan: false });
    });
  });
});
