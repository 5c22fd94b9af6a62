/**
 * From an approved case to an active licence:
 *
 *   invoice → paid (within the time that the policy gives) → licence → certificate → letter
 *
 * Unpaid: reminders, then the case lapses. What comes in after that is watched for by payment/<invoiceId>.
 */
import {
  allHandlersFinished,
  condition,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';
import { isFree, type LicensePolicy } from '../domain/licensing.ts';
import { clock } from './answers.ts';
import { paymentId } from './ids.ts';
import { invoicePaidSignal, stopCollectingSignal } from './messages.ts';
import { invoicePayment } from './payment.ts';
import { documents, records } from './policies.ts';
import { openPost } from './post.ts';

const { issueInvoice } = proxyActivities<Activities>({ ...documents, summary: 'Issue the invoice and store its PDF' });
const { noteReminder } = proxyActivities<Activities>({ ...records, summary: 'Record a payment reminder' });
const { lapseUnpaid } = proxyActivities<Activities>({ ...records, summary: 'Close the unpaid invoice and the case' });
const { issueLicense } = proxyActivities<Activities>({
  ...records,
  summary: 'Issue the licence: number, validity, active',
});
const { storeCertificate } = proxyActivities<Activities>({
  ...documents,
  summary: 'Render, sign and store the certificate',
});

const DAY_MS = 86_400_000;

export interface ActivationInput {
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly applicant: UserId;
  readonly typeCode: string;
  readonly fee: LicensePolicy['fee'];
  readonly payment: LicensePolicy['payment'];
  readonly validityMonths: number | null;
}

export async function activation(input: ActivationInput): Promise<{ state: 'active' | 'lapsed_unpaid' }> {
  const { applicationId, applicant, fee, payment, typeCode, validityMonths } = input;
  const post = openPost(workflowInfo().workflowId, applicationId);
  let paid = isFree({ fee });
  setHandler(invoicePaidSignal, () => {
    paid = true;
  });

  const isPaid = paid || (await collect());
  if (isPaid) await license();
  await post.delivered();
  await condition(allHandlersFinished);
  return { state: isPaid ? 'active' : 'lapsed_unpaid' };

  /** @returns whether the money came in time */
  async function collect(): Promise<boolean> {
    const issuedAt = Date.now();
    const dueAt = new Date(issuedAt + payment.lapseAfterDays * DAY_MS).toISOString();
    const { invoiceId } = await issueInvoice({ applicationId, fee, at: clock(), dueAt });
    const collection = await startChild(invoicePayment, {
      workflowId: paymentId(invoiceId),
      args: [{ invoiceId, known: { invoiceState: 'open', applicationId, dueAt, attempts: [] } }],
      // Money may still come after this process has given up; somebody must be there to account for it.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: 'Payment of an invoice',
    });
    post.write('invoice_issued', applicant);
    for (const day of payment.remindAfterDays) {
      if (await paidBy(issuedAt + day * DAY_MS, `Reminder on day ${day}`)) return true;
      await noteReminder({ applicationId, day, at: clock() });
      post.write('payment_reminder', applicant);
    }
    if (await paidBy(Date.parse(dueAt), 'The invoice lapses')) return true;
    const { state } = await lapseUnpaid({ applicationId, invoiceId, at: clock() });
    // The invoice's row decided: the money was there a moment before the deadline.
    if (state === 'paid') return true;
    await collection.signal(stopCollectingSignal);
    post.write('application_lapsed_unpaid', applicant);
    return false;
  }

  async function paidBy(until: number, summary: string): Promise<boolean> {
    setCurrentDetails(`Waiting for the payment. Next: ${summary.toLowerCase()}, ${new Date(until).toISOString()}.`);
    return condition(() => paid, Math.max(1, until - Date.now()), { summary });
  }

  /** Three activities, each safe to repeat: a crash between any two of them goes on where it stopped. */
  async function license(): Promise<void> {
    setCurrentDetails('Paid. Issuing the licence and its certificate.');
    const at = clock();
    const { licenseId, number } = await issueLicense({ applicationId, typeCode, validityMonths, at });
    await storeCertificate({ licenseId, applicationId, at });
    setCurrentDetails(`Licence **${number}** is active.`);
    post.write('license_issued', applicant);
  }
}
