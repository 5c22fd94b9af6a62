/** A sweep that ends two licences, on two pages. */
import { randomUUID } from 'node:crypto';
import { aCompany, aLicense, aLicenseType, anApplication, aUser } from '../builders/licensing.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playExpiry(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const applicantId = await aUser(db, 'owner');
  const companyId = await aCompany(db, applicantId);
  const type = await aLicenseType(db);
  for (const year of [2021, 2022]) {
    const applicationId = await anApplication(db, { companyId, type, applicantId, state: 'active' });
    const validUntil = `${year}-01-01T00:00:00Z`;
    await aLicense(db, { applicationId, companyId, type, at: '2020-01-01T00:00:00Z', validUntil });
  }
  const sweep = `license-expiry-${randomUUID()}`;
  const how = { workflowId: sweep, taskQueue: system.taskQueue, args: [1] };
  await system.client.workflow.start('licenseExpiry', how);
  return { 'licenseExpiry-two-pages': sweep };
}
