import assert from 'node:assert/strict';
import { attachCertificate, issueLicense } from '../../db/licenses.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
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

describe('issuing a licence', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
  });
  after(() => database?.drop());

  // A type of its own for each test: its numbers start at 1.
  beforeEach(async () => {
    type = await aLicenseType(database.db);
  });

  const paid = (state: ApplicationState = 'activating') =>
    anApplication(database.db, { companyId, type, applicantId: owner, state });
  const terms = (applicationId: ApplicationId, at = MONDAY) => ({
    applicationId,
    typeCode: type.code,
    at,
    validUntil: '2031-03-02T02:00:00.000Z',
  });
  const issue = (id: ApplicationId, at?: string) => issueLicense(database.db, terms(id, at));
  const number = (counter: number, year = 2026): string =>
    `UMKM-${type.code.toUpperCase()}/${year}/${String(counter).padStart(6, '0')}`;

  it('gives twenty cases at once the numbers 1 to 20, without a gap', async () => {
    const cases = await Promise.all(Array.from({ length: 20 }, () => paid()));
    const issued = await Promise.all(cases.map((id) => issue(id)));
    const wanted = Array.from({ length: 20 }, (_, index) => number(index + 1));
    assert.deepEqual(issued.map((license) => license.number).toSorted(), wanted);
  });

  it('gives a case one licence with one number, though twenty try at once and one later', async () => {
    const id = await paid();
    const issued = await Promise.all(Array.from({ length: 20 }, () => issue(id)));
    issued.push(await issue(id));
    assert.deepEqual(new Set(issued.map((license) => license.number)), new Set([number(1)]));
    assert.equal(new Set(issued.map(({ licenseId }) => licenseId)).size, 1);
    assert.equal((await issue(await paid())).number, number(2));
  });

  it('leaves no gap when the transaction around it rolls back', async () => {
    const [undone, kept] = [await paid(), await paid()];
    const rolledBack = database.db.transaction(async (tx) => {
      assert.equal((await issueLicense(tx, terms(undone))).number, number(1));
      throw new Error('the rest failed');
    });
    await assert.rejects(rolledBack, /the rest failed/);
    assert.equal((await issue(kept)).number, number(1));
    assert.equal((await issue(undone)).number, number(2));
  });

  it("counts each type and each year by itself, the year on the office's own clock", async () => {
    await issue(await paid());
    const newYearInJakarta = '2026-12-31T17:30:00.000Z';
    assert.equal((await issue(await paid(), newYearInJakarta)).number, number(1, 2027));
    type = await aLicenseType(database.db);
    assert.equal((await issue(await paid())).number, number(1));
  });

  it('makes the case active with its event, validity and a code that cannot be guessed, all together', async () => {
    const [id, other] = [await paid(), await paid()];
    const { licenseId } = await issue(id);
    await issue(other);
    assert.equal((await database.db('applications').where({ id }).first('state'))?.state, 'active');
    const events = await database.db('events').where({ application_id: id }).pluck('type');
    assert.deepEqual(events, ['license.issued']);
    const row = await database
      .db('licenses')
      .where({ id: licenseId })
      .first('valid_from', 'valid_until', 'status', 'company_id');
    assert.deepEqual(row, {
      valid_from: new Date(MONDAY),
      valid_until: new Date('2031-03-02T02:00:00Z'),
      status: 'active',
      company_id: companyId,
    });
    const codes: string[] = await database.db('licenses').whereIn('application_id', [id, other]).pluck('verify_code');
    assert.equal(new Set(codes).size, 2);
    for (const code of codes) assert.ok(Buffer.from(code, 'base64url').length >= 15, code);
  });

  it('is refused for a case that is not paid, and takes no number', async () => {
    for (const state of ['pending_payment', 'lapsed_unpaid', 'withdrawn'] as const) {
      const id = await paid(state);
      await assert.rejects(issue(id), /cannot move to active/);
      assert.deepEqual(await database.db('events').where({ application_id: id }), [], state);
    }
    assert.equal((await issue(await paid())).number, number(1));
  });

  it('keeps the certificate that was stored first', async () => {
    const id = await paid();
    const { licenseId } = await issue(id);
    const attach = (content: string) =>
      attachCertificate(database.db, { licenseId, applicationId: id, sha256: hashOf(content), at: MONDAY });
    const stored = await Promise.all(['a', 'b', 'c'].map(attach));
    assert.equal(new Set(stored).size, 1);
    assert.equal(await attach('later'), stored[0]);
    const events = await database.db('events').where({ application_id: id, type: 'license.certificate_stored' });
    assert.equal(events.length, 1);
  });
});
