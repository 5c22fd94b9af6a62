/** What the stored histories tell: real cases, played through the public API as people would. */
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { type ApplicationId, asId, type InvoiceId } from '../../domain/ids.ts';
import type { Stage } from '../../domain/licensing.ts';
import { type DemoAccount, demoUserId } from '../../local/demo-data.ts';
import { activationId, licenseReviewId, paymentId } from '../../workflows/ids.ts';
import { approveSignal, progressQuery, rejectSignal } from '../../workflows/messages.ts';
import { storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import { playCalendars } from './calendar-cases.ts';
import { playCards } from './card-cases.ts';
import { playDocuments } from './document-cases.ts';
import { playExpiry } from './expiry-cases.ts';
import { playLetters } from './letter-cases.ts';
import { playMoneyWatch } from './money-watch-cases.ts';
import { onboardingCasesOf } from './onboarding-cases.ts';
import { orderCasesOf } from './order-cases.ts';
import { playParcels } from './parcel-cases.ts';
import { paymentCasesOf } from './payment-cases.ts';
import { playPeople } from './people-cases.ts';
import { playPolicyMoves } from './policy-move-cases.ts';
import { playProcessWatches } from './process-watch-cases.ts';
import { playRefunds } from './refund-cases.ts';
import { playRenewals } from './renewal-cases.ts';
import { playReturnMoney } from './return-money-cases.ts';
import { reviewCasesOf } from './review-cases.ts';
import { rmaCasesOf } from './rma-cases.ts';
import { playRotations } from './rotation-cases.ts';
import { playShop } from './shop-cases.ts';
import { subscriptionCasesOf } from './subscription-cases.ts';
import { playTextMessages } from './text-message-cases.ts';

/** Name of the history → ID of the execution that it is of. */
export type Played = Readonly<Record<string, string>>;

const FIRST: Stage = 'document_verification';
const REASONS = [{ code: 'document_unreadable', pointer: '/documents/identity_card' }];

/** Each plays one case and leaves its executions ended, or about to end. They touch no other's case: play them at once. */
export function casesOf(system: TestSystem): (() => Promise<Played>)[] {
  const story = storyOf(system);
  const { client } = system;
  const review = (id: string) => licenseReviewId(asId<ApplicationId>(id));
  const activation = (id: string) => activationId(asId<ApplicationId>(id));
  const payment = (id: string) => paymentId(asId<InvoiceId>(id));
  const post = (path: string, as: DemoAccount, body: unknown = {}) =>
    story.expect(200, story.call('POST', path, { as, body }));
  const reject = (id: string, as: DemoAccount) => post(`licenses/reject/${id}`, as, { reasons: REASONS });

  const underReview = async () => {
    const id = await story.submitted();
    return { id, reviewer: await story.holder(id, FIRST) };
  };
  const sentBack = async () => {
    const { id, reviewer } = await underReview();
    await post(`licenses/review/${id}`, reviewer, { decision: 'request_correction', reasons: REASONS });
    await story.reaches(id, 'correction_requested');
    return { id, reviewer };
  };
  const invoiced = async () => {
    const id = await story.submitted('retail_kiosk');
    return { id, invoiceId: await story.invoiceOf(id) };
  };
  const payable = async () => {
    const made = await invoiced();
    return { ...made, ...(await story.openPayment(made.id)) };
  };
  // The invoice is on record a moment before its collection starts.
  const started = (workflowId: string) =>
    eventually(`${workflowId} to have started`, () =>
      client.workflow
        .getHandle(workflowId)
        .describe()
        .catch((error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return null;
          throw error;
        }),
    );
  const stageOpen = (id: string, stage: Stage) =>
    eventually(
      `the process of ${id} to be at ${stage}`,
      async () => (await client.workflow.getHandle(review(id)).query(progressQuery)).stage === stage,
    );

  return [
    async () => {
      const id = await story.approved();
      await story.sandbox((await story.openPayment(id)).reference, 'pay');
      return { 'licenseReview-happy-path': review(id) };
    },
    async () => {
      const { id, reviewer } = await underReview();
      await reject(id, reviewer);
      return { 'licenseReview-rejected': review(id) };
    },
    async () => {
      const { id, reviewer } = await sentBack();
      await post(`licenses/applications/${id}/resubmit`, 'owner');
      await story.reaches(id, FIRST);
      await post(`licenses/approve/${id}`, reviewer);
      await reject(id, await story.holder(id, 'compliance_check'));
      return { 'licenseReview-correction-round': review(id) };
    },
    async () => {
      const { id } = await sentBack();
      await travel(client, review(id), 40 * DAY);
      await story.reaches(id, 'lapsed_no_response');
      return { 'licenseReview-lapsed-no-response': review(id) };
    },
    async () => {
      const { id } = await underReview();
      await post(`licenses/applications/${id}/withdraw`, 'owner', { reason: 'changed plans' });
      return { 'licenseReview-withdrawn': review(id) };
    },
    async () => {
      const { id } = await underReview();
      await travel(client, review(id), 30 * DAY);
      await eventually(`${id} with the supervisor`, async () => (await story.holder(id, FIRST)) === 'supervisor');
      await reject(id, 'supervisor');
      return { 'licenseReview-escalated-to-breach': review(id) };
    },
    async () => {
      const { id, reviewer } = await underReview();
      const process = client.workflow.getHandle(review(id));
      await stageOpen(id, FIRST);
      // By ID: an address would be personal data in the history.
      await process.signal(approveSignal, { by: demoUserId('examiner') });
      await process.signal(approveSignal, { by: demoUserId(reviewer), note: 'complete' });
      const second = await story.holder(id, 'compliance_check');
      await stageOpen(id, 'compliance_check');
      await process.signal(rejectSignal, { by: demoUserId(second), note: 'not on this street' });
      await story.reaches(id, 'rejected');
      return { 'licenseReview-decided-by-signal': review(id) };
    },
    async () => {
      const id = await story.submitted();
      await story.approve(id, FIRST);
      await story.holder(id, 'compliance_check');
      const to = { userId: demoUserId('supervisor'), reason: 'leave' };
      await post(`licenses/reassign/${id}`, 'supervisor', to);
      await reject(id, 'supervisor');
      return { 'licenseReview-reassigned': review(id) };
    },
    async () => {
      const { id, invoiceId, reference } = await payable();
      await story.sandbox(reference, 'pay');
      return {
        'licenseReview-automatic-path': review(id),
        'activation-paid': activation(id),
        'invoicePayment-paid-by-webhook': payment(invoiceId),
      };
    },
    async () => {
      const { id, invoiceId, reference } = await payable();
      await story.sandbox(reference, 'pay', '?webhook=none');
      await travel(client, payment(invoiceId), 40);
      await story.reaches(id, 'active');
      return { 'invoicePayment-paid-by-poll': payment(invoiceId) };
    },
    async () => {
      const { invoiceId, id, reference } = await payable();
      await story.sandbox(reference, 'fail');
      const again = await eventually('a new attempt to be possible', async () => {
        const opened = await story.openPayment(id);
        return opened.reference === reference ? null : opened;
      });
      await story.sandbox(again.reference, 'pay');
      await story.reaches(id, 'active');
      // Ends only when the gateway cannot settle the failed attempt any more.
      await travel(client, payment(invoiceId), 5 * DAY);
      return { 'invoicePayment-second-attempt': payment(invoiceId) };
    },
    async () => {
      const { id, invoiceId } = await invoiced();
      // Opened on the last day: its page can still bring money in when the invoice has lapsed.
      await started(payment(invoiceId));
      await travel(client, payment(invoiceId), 6.5 * DAY);
      const { reference } = await story.openPayment(id);
      await travel(client, payment(invoiceId), 1 * DAY);
      await story.reaches(id, 'lapsed_unpaid');
      await story.sandbox(reference, 'pay');
      return { 'activation-lapsed-unpaid': activation(id), 'invoicePayment-late-payment': payment(invoiceId) };
    },
    async () => {
      const { id, invoiceId, reference } = await payable();
      await travel(client, payment(invoiceId), 12 * DAY);
      await story.reaches(id, 'lapsed_unpaid');
      // The collection has ended; the gateway's clock has not moved, so its page still takes money.
      await client.workflow.getHandle(payment(invoiceId)).result();
      await story.sandbox(reference, 'pay');
      return { 'invoicePayment-woken-by-a-late-notice': payment(invoiceId) };
    },
    async () => {
      const workflowId = `audit-seal-${randomUUID()}`;
      await client.workflow.start('auditSeal', { workflowId, taskQueue: system.taskQueue });
      return { 'auditSeal-until-nothing-is-left': workflowId };
    },
    async () => {
      const workflowId = `reconciliation-${randomUUID()}`;
      // A night long ago: nobody's money is in it.
      const args = ['2020-01-02T19:00:00Z'];
      await client.workflow.start('reconciliation', { workflowId, taskQueue: system.taskQueue, args });
      return { 'reconciliation-every-gateway': workflowId };
    },
    ...paymentCasesOf(system),
    ...reviewCasesOf(system),
    ...onboardingCasesOf(system),
    ...orderCasesOf(system),
    ...rmaCasesOf(system),
    ...subscriptionCasesOf(system),
    () => playRefunds(system),
    () => playReturnMoney(system),
    () => playRotations(system),
    () => playLetters(system),
    () => playMoneyWatch(system),
    () => playProcessWatches(system),
    () => playCards(system),
    () => playParcels(system),
    () => playPeople(system),
    () => playPolicyMoves(system),
    () => playDocuments(system),
    () => playExpiry(system),
    () => playRenewals(system),
    () => playCalendars(system),
    () => playShop(system),
    () => playTextMessages(system),
  ];
}
