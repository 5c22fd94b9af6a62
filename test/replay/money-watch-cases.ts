/** A sweep that finds a notice of which nobody was told. */
import { randomUUID } from 'node:crypto';
import { receiveNotice } from '../../db/payment-inbox.ts';
import { asId, type CompanyId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { anInvoice, aPayment } from '../builders/licensing.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playMoneyWatch(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const member: { company_id: string } = await db('company_members')
    .where({ user_id: demoUserId('owner') })
    .first('company_id');
  const companyId = asId<CompanyId>(member.company_id);
  const { reference } = await aPayment(db, { invoiceId: await anInvoice(db, { companyId, state: 'paid' }) });
  const at = new Date(Date.now() - 60_000).toISOString();
  const notice = { gateway: 'midtrans', reference, objectId: randomUUID(), body: {}, at } as const;
  await receiveNotice(db, { ...notice, status: 'settlement/200' });
  const sweep = `money-watch-${randomUUID()}`;
  await system.client.workflow.start('moneyWatch', { workflowId: sweep, taskQueue: system.taskQueue });
  return { 'moneyWatch-a-notice-untold': sweep };
}
