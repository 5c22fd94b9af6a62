import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { reinstateLicenseOf, suspendLicenseOf } from '../../db/license-standing.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  aUser,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the standing of a licence whose money is gone', () => {
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

  const licensed = async (given: { applicantId?: UserId; status?: string } = {}) => {
    const { applicantId = owner, ...rest } = given;
    const applicationId = await anApplication(database.db, { companyId, type, applicantId, state: 'active' });
    const { number } = await aLicense(database.db, { applicationId, companyId, type, ...rest });
    return { applicationId, number };
  };
  const change = (applicationId: ApplicationId, reason: 'payment_reversed' | 'refunded' = 'payment_reversed') => ({
    applicationId,
    reason,
    key: `test/${randomUUID()}`,
    at: MONDAY,
  });
  const statusOf = async (applicationId: ApplicationId) =>
    (await database.db('licenses').where({ application_id: applicationId }).first('status'))?.status;
  const lettersOf = async (number: string) =>
    database.db('account_letters').whereRaw("data->>'licenseNumber' = ?", [number]).select('template', 'user_id');

  it('is suspended once for a key, though five ask at once, and the owner is written to once', async () => {
    const { applicationId, number } = await licensed();
    const asked = change(applicationId);
    const done = await Promise.all(
      Array.from({ length: 5 }, () => database.db.transaction((tx) => suspendLicenseOf(tx, asked))),
    );
    assert.equal(done.filter(Boolean).length, 1);
    assert.equal(await statusOf(applicationId), 'suspended');
    assert.deepEqual(await lettersOf(number), [{ template: 'license_suspended', user_id: owner }]);
  });

  it('is restored for the same reason only', async () => {
    const { applicationId, number } = await licensed();
    await suspendLicenseOf(database.db, change(applicationId, 'refunded'));
    assert.equal(await reinstateLicenseOf(database.db, change(applicationId, 'payment_reversed')), false);
    assert.equal(await statusOf(applicationId), 'suspended');
    assert.equal(await reinstateLicenseOf(database.db, change(applicationId, 'refunded')), true);
    assert.equal(await statusOf(applicationId), 'active');
    const templates = (await lettersOf(number)).map(({ template }: { template: string }) => template);
    assert.deepEqual(templates, ['license_suspended', 'license_reinstated']);
  });

  it('does not change where there is no licence, or one that counts no more for another reason', async () => {
    const without = await anApplication(database.db, { companyId, type, applicantId: owner, state: 'activating' });
    assert.equal(await suspendLicenseOf(database.db, change(without)), false);
    const { applicationId } = await licensed({ status: 'revoked' });
    assert.equal(await suspendLicenseOf(database.db, change(applicationId)), false);
    assert.equal(await reinstateLicenseOf(database.db, change(applicationId)), false);
    assert.equal(await statusOf(applicationId), 'revoked');
  });

  it('is told to a member of the company where the applicant has left it', async () => {
    const { applicationId, number } = await licensed({ applicantId: await aUser(database.db, 'owner') });
    await suspendLicenseOf(database.db, change(applicationId));
    assert.deepEqual(await lettersOf(number), [{ template: 'license_suspended', user_id: owner }]);
  });
});
