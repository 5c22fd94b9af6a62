/** Cards on file: given, not given in time, forgotten; and an invoice of a subscription that a card pays at the second try. */
import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { removeCard } from '../../db/payment-methods.ts';
import { asId, type CompanyId, type PaymentMethodId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { cardId, forgetCardId, paymentId } from '../../workflows/ids.ts';
import { cardPageUpdate, chargeCardSignal, lookForCardUpdate, type PaymentInput } from '../../workflows/messages.ts';
import { aCompany } from '../builders/licensing.ts';
import { aSubscriptionInvoice } from '../builders/subscription-invoices.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, HOUR, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

const OWNER = demoUserId('owner');

export async function playCards(system: TestSystem): Promise<Played> {
  const { client, taskQueue, database } = system;
  const { db } = database;

  const opened = async (companyId: CompanyId) => {
    const id = asId<PaymentMethodId>(randomUUID());
    const [startedAt, expiresAt] = [new Date().toISOString(), new Date(Date.now() + HOUR * 1000).toISOString()];
    const startWorkflowOperation = new WithStartWorkflowOperation('addCard', {
      workflowId: cardId(id),
      taskQueue,
      args: [{ cardId: id, companyId, by: OWNER, locale: 'id', startedAt, expiresAt }],
      workflowIdConflictPolicy: 'FAIL',
    });
    const { setupUrl } = await client.workflow.executeUpdateWithStart(cardPageUpdate, { startWorkflowOperation });
    return { id, setupUrl };
  };
  const given = async (companyId: CompanyId, card: string) => {
    const { id, setupUrl } = await opened(companyId);
    await fetch(`${setupUrl}/card`, { method: 'POST', body: new URLSearchParams({ card }) });
    const { state } = await client.workflow.getHandle(cardId(id)).executeUpdate(lookForCardUpdate);
    if (state !== 'completed') throw new Error(`the card is ${state}`);
    return id;
  };

  const companyId = await aCompany(db, OWNER);
  const card = await given(companyId, '4444');
  const left = await opened(companyId);
  await travel(client, cardId(left.id), 3 * HOUR);

  const { invoiceId, subscriptionId } = await aSubscriptionInvoice(db, { companyId, by: OWNER });
  const input: PaymentInput = { invoiceId, subscriptionId };
  const workflowId = paymentId(invoiceId);
  const process = await client.workflow.start('invoicePayment', { workflowId, taskQueue, args: [input] });
  for (const number of [1, 2]) {
    await process.signal(chargeCardSignal, { paymentMethodId: card, try: number });
    await eventually(`try ${number} to be answered`, () =>
      db('payments').where({ invoice_id: invoiceId, attempt: number }).whereIn('state', ['failed', 'paid']).first('id'),
    );
  }
  // The charge that was refused is asked about for three days more.
  await travel(client, workflowId, 5 * DAY);

  await db.transaction((tx) => removeCard(tx, { id: card, companyId, by: OWNER, at: new Date().toISOString() }));
  await client.workflow.execute('forgetCard', {
    workflowId: forgetCardId(card),
    taskQueue,
    args: [{ cardId: card }],
  });
  return {
    'addCard-given': cardId(card),
    'addCard-not-given': cardId(left.id),
    'forgetCard-removed': forgetCardId(card),
    'invoicePayment-of-subscription-by-card': workflowId,
  };
}
