import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { replaceForm } from '../../db/applications.ts';
import { checkCompleteness, freezeSubmission } from '../../db/submissions.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  aUser,
  hashOf,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('submitting', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
    type = await aLicenseType(database.db);
  });
  after(() => database?.drop());

  const draft = () => anApplication(database.db, { companyId, type, applicantId: owner });
  const freeze = (applicationId: ApplicationId, round = 1) =>
    freezeSubmission(database.db, { applicationId, round, by: owner, at: MONDAY });
  const submissions = (
    id: ApplicationId,
  ): Promise<{ round: number; sha256: string; form: unknown; documents: unknown[] }[]> =>
    database
      .db('submissions')
      .where({ application_id: id })
      .orderBy('round')
      .select('round', 'sha256', 'form', 'documents');
  const events = (id: ApplicationId): Promise<string[]> =>
    database.db('events').where({ application_id: id }).orderBy('id').pluck('type');
  const addDocument = async (applicationId: ApplicationId, kind: string, removed = false): Promise<string> => {
    const id = randomUUID();
    await database.db('documents').insert({
      id,
      application_id: applicationId,
      kind,
      filename: `${kind}.pdf`,
      sha256: hashOf(kind),
      bytes: 10,
      content_type: 'application/pdf',
      uploaded_by: owner,
      uploaded_at: MONDAY,
      removed_at: removed ? MONDAY : null,
    });
    return id;
  };

  it('freezes form and documents under the hash that anybody can compute', async () => {
    const id = await draft();
    const documentId = await addDocument(id, 'ktp');
    await addDocument(id, 'site_plan', true);
    await freeze(id);
    const text =
      `{"documents":[{"filename":"ktp.pdf","id":"${documentId}","kind":"ktp","sha256":"${hashOf('ktp')}"}],` +
      '"form":{"area":12,"contact":{"email":"toko@example.test"},"shopName":"Toko Maju"}}';
    const [submission] = await submissions(id);
    assert.equal(submission?.sha256, createHash('sha256').update(text).digest('hex'));
    assert.equal(submission?.documents.length, 1);
    assert.deepEqual(await database.db('applications').where({ id }).first('state', 'submitted_at'), {
      state: 'submitted',
      submitted_at: new Date(MONDAY),
    });
  });

  it('twice in a row is one submission and one event', async () => {
    const id = await draft();
    await freeze(id);
    await freeze(id);
    assert.equal((await submissions(id)).length, 1);
    assert.deepEqual(await events(id), ['application.submitted']);
  });

  it('from ten sides at once is one submission and one event', async () => {
    const id = await draft();
    await Promise.all(Array.from({ length: 10 }, () => freeze(id)));
    assert.equal((await submissions(id)).length, 1);
    assert.deepEqual(await events(id), ['application.submitted']);
  });

  it('keeps what was submitted whatever happens to the form and the documents later', async () => {
    const id = await draft();
    await addDocument(id, 'ktp');
    await freeze(id);
    const before = await submissions(id);
    await database.db('applications').where({ id }).update({ state: 'correction_requested' });
    assert.ok(await replaceForm(database.db, id, { form: { shopName: 'Toko Lain' }, ifVersion: null, at: MONDAY }));
    await database.db('documents').where({ application_id: id }).update({ removed_at: MONDAY });
    await freeze(id);
    assert.deepEqual(await submissions(id), before);
    await assert.rejects(
      database.db('submissions').where({ application_id: id }).update({ form: '{}' }),
      /submissions is append-only/,
    );
    await assert.rejects(
      database.db('submissions').where({ application_id: id }).delete(),
      /submissions is append-only/,
    );
  });

  it('again in a later round freezes what is there then, under another hash', async () => {
    const id = await draft();
    await freeze(id);
    await database.db('applications').where({ id }).update({ state: 'correction_requested' });
    await replaceForm(database.db, id, { form: { shopName: 'Toko Lain' }, ifVersion: null, at: MONDAY });
    await freeze(id, 2);
    const [first, second] = await submissions(id);
    assert.notEqual(first?.sha256, second?.sha256);
    assert.deepEqual(second?.form, { shopName: 'Toko Lain' });
    assert.deepEqual(await events(id), ['application.submitted', 'application.resubmitted']);
  });

  it('loses against the withdrawal of the draft, and leaves nothing', async () => {
    const id = await draft();
    await database.db('applications').where({ id }).update({ state: 'withdrawn' });
    assert.equal(await freeze(id), 'withdrawn');
    assert.deepEqual([await submissions(id), await events(id)], [[], []]);
    assert.equal(await freeze(await draft()), 'frozen');
  });

  it('of a case that is over is an error and leaves nothing', async () => {
    const id = await draft();
    await database.db('applications').where({ id }).update({ state: 'rejected' });
    await assert.rejects(freeze(id), /cannot move to submitted/);
    assert.deepEqual([await submissions(id), await events(id)], [[], []]);
  });

  describe('the completeness check', () => {
    const check = (applicationId: ApplicationId) =>
      checkCompleteness(database.db, {
        applicationId,
        round: 1,
        checklist: [
          { kind: 'ktp', required: true },
          { kind: 'site_plan', required: true },
          { kind: 'menu', required: false },
        ],
        to: 'completeness',
        at: MONDAY,
      });

    it('names what is missing in the frozen submission, whatever was added since', async () => {
      const id = await draft();
      await addDocument(id, 'ktp');
      await freeze(id);
      await addDocument(id, 'site_plan');
      const { missing, sha256 } = await check(id);
      assert.deepEqual(missing, ['site_plan']);
      assert.equal(sha256, (await submissions(id))[0]?.sha256);
    });

    it('moves the case on once, however often it runs', async () => {
      const id = await draft();
      await freeze(id);
      await check(id);
      await database.db('applications').where({ id }).update({ state: 'approval' });
      await check(id);
      assert.equal((await database.db('applications').where({ id }).first('state'))?.state, 'approval');
      assert.equal((await events(id)).filter((event) => event === 'application.completeness_checked').length, 1);
    });
  });
});
