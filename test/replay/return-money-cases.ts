/** Money of a return, which tells it how it ends; and credit that ends, on two pages. */
import { randomUUID } from 'node:crypto';
import { grantCredit } from '../../db/credit-grants.ts';
import { payOut, writeStatement } from '../../db/return-money.ts';
import { money } from '../../domain/money.ts';
import { refundId } from '../../workflows/ids.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { aDeliveredOrder } from '../builders/orders.ts';
import { aReturn, foundUnits } from '../builders/return-money.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

const NO_LIMIT = { refundApprovalAbove: { IDR: 1_000_000_000n } };

export async function playReturnMoney(system: TestSystem): Promise<Played> {
  const { client, taskQueue } = system;
  const { db } = system.database;
  const returnId = await aReturn(db, await aDeliveredOrder(db));
  await foundUnits(db, returnId);
  const at = new Date().toISOString();
  const { refundIds } = await db.transaction(async (tx) => {
    await writeStatement(tx, returnId, at);
    return payOut(tx, { returnId, resolution: 'store_credit', at, policy: NO_LIMIT });
  });
  const [id] = refundIds;
  if (!id) throw new Error('a return that is paid out has a refund');
  // Nobody takes it up before this does: the sweep is not running.
  await client.workflow.start('refund', { workflowId: refundId(id), taskQueue, args: [{ refundId: id }] });

  const companyId = await aCompany(db, await aUser(db, 'owner'));
  for (const key of ['one', 'other']) {
    const grant = { companyId, key: `replay/${key}/${companyId}`, amount: money(1_000n, 'IDR'), expiresAfterMonths: 1 };
    await db.transaction((tx) => grantCredit(tx, { ...grant, at: '2020-01-01T00:00:00Z' }));
  }
  const expiry = `credit-expiry-${randomUUID()}`;
  await client.workflow.start('creditExpiry', { workflowId: expiry, taskQueue, args: [1] });
  return { 'refund-of-returned-goods': refundId(id), 'creditExpiry-two-pages': expiry };
}
