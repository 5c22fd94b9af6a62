/** The two watches, each with two pages: processes that are gone are started again. */
import { randomUUID } from 'node:crypto';
import { recordEvent } from '../../db/events.ts';
import { aCompany, aLicenseType, anApplication, anInvoice, aUser } from '../builders/licensing.ts';
import { aPlan, aSubscription } from '../builders/subscriptions.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playProcessWatches(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const owner = await aUser(db, 'owner');
  const type = await aLicenseType(db);
  const plan = await aPlan(db);
  for (const at of ['2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z']) {
    const companyId = await aCompany(db, owner);
    const applicationId = await anApplication(db, { companyId, type, applicantId: owner, state: 'pending_payment' });
    await anInvoice(db, { companyId, applicationId, at });
    const periodEnd = new Date(Date.parse(at) + 28 * 86_400_000).toISOString();
    const id = await aSubscription(db, { companyId, by: owner, plan, startedAt: at, periodEnd });
    const started = { key: `subscription/${id}/started`, type: 'subscription.started', companyId } as const;
    await recordEvent(db, { ...started, subject: `subscription/${id}`, at });
  }
  const start = async (workflowType: 'overdueInvoices' | 'subscriptionWatch') => {
    const workflowId = `${workflowType}-${randomUUID()}`;
    await system.client.workflow.start(workflowType, { workflowId, taskQueue: system.taskQueue, args: [1] });
    return workflowId;
  };
  return {
    'overdueInvoices-two-pages': await start('overdueInvoices'),
    'subscriptionWatch-two-pages': await start('subscriptionWatch'),
  };
}
