/**
 * From an approved case to an active licence:
 *
 *   invoice (issued with the approval) → paid within the time that the policy gives → licence → certificate → letter
 *
 * payment/<invoiceId> collects the money, reminds, and lets the case lapse; it also watches for what comes in after that.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ApplicationId, CompanyId, LicenseId, UserId } from '../domain/ids.ts';
import type { LicensePolicy } from '../domain/licensing.ts';
import { clock, orNull } from './answers.ts';
import { licenseFollowingId, paymentId } from './ids.ts';
import { licenseFollowing } from './license-following.ts';
import { type InvoiceClosed, invoiceClosedSignal, licenseChangedSignal } from './messages.ts';
import { invoicePayment } from './payment.ts';
import { documents, records } from './policies.ts';
import { openPost } from './post.ts';

const { printInvoice } = proxyActivities<Activities>({ ...documents, summary: 'Print the invoice and store its PDF' });
const { issueLicense } = proxyActivities<Activities>({
  ...records,
  summary: 'Issue the licence: number, validity, active',
});
const { closeVoided } = proxyActivities<Activities>({ ...records, summary: 'Close the case of a voided invoice' });
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
  /** Nothing to pay: no invoice was issued. */
  readonly isFree: boolean;
  readonly payment: LicensePolicy['payment'];
  readonly validityMonths: number | null;
}

export async function activation(input: ActivationInput): Promise<{ state: 'active' | 'lapsed_unpaid' }> {
  const { applicationId, companyId, applicant, payment, typeCode, validityMonths } = input;
  const post = openPost(workflowInfo().workflowId, applicationId);
  let closed: InvoiceClosed['outcome'] | null = null;
  setHandler(invoiceClosedSignal, ({ outcome }) => {
    closed = outcome;
  });

  const isPaid = input.isFree || (await collect()) === 'paid';
  if (isPaid) await license();
  await post.delivered();
  await condition(allHandlersFinished);
  return { state: isPaid ? 'active' : 'lapsed_unpaid' };

  /** Bills the applicant until an invoice is paid or given up; one that was voided for another is followed by the other. */
  async function collect(): Promise<'paid' | 'lapsed'> {
    for (;;) {
      const outcome = await collectOne();
      if (outcome === 'paid') return 'paid';
      if (outcome === 'void') await closeVoided({ applicationId, companyId, at: clock() });
      if (outcome === 'void') post.write('invoice_voided', applicant);
      if (outcome !== 'replaced') return 'lapsed';
    }
  }

  /** Leaves an invoice to payment/<invoiceId>, which tells how it ended. */
  async function collectOne(): Promise<InvoiceClosed['outcome']> {
    const { invoiceId, dueAt, inParts, overdue } = await printInvoice({ applicationId });
    const issuedAt = Date.parse(dueAt) - payment.lapseAfterDays * DAY_MS;
    const remindAt = payment.remindAfterDays.map((days) => new Date(issuedAt + days * DAY_MS).toISOString());
    const bill = { applicationId, payer: applicant, dueAt, inParts, overdue };
    const known = { ...bill, invoiceState: 'open', isPartPaid: false, attempts: [] } as const;
    await startChild(invoicePayment, {
      workflowId: paymentId(invoiceId),
      args: [{ invoiceId, known, remindAt }],
      // Money may still come after this process has ended; somebody must be there to account for it.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: 'Payment of an invoice',
    });
    post.write('invoice_issued', applicant);
    setCurrentDetails(`Waiting for the payment, until ${dueAt}. \`${paymentId(invoiceId)}\` collects it.`);
    return nextOutcome();
  }

  async function nextOutcome(): Promise<InvoiceClosed['outcome']> {
    await condition(() => closed !== null);
    const outcome = closed ?? 'lapsed';
    closed = null;
    return outcome;
  }

  /** The money may have been taken back in the moment before: then it waits until it is there again. */
  async function issued() {
    for (;;) {
      const license = await issueLicense({ applicationId, typeCode, validityMonths, at: clock() });
      if (license) return license;
      setCurrentDetails(
        'The payment was taken back before the licence was issued. Finance decides; when the money is back, the licence follows.',
      );
      while ((await nextOutcome()) !== 'paid');
    }
  }

  /** Three activities, each safe to repeat: a crash between any two of them goes on where it stopped. */
  async function license(): Promise<void> {
    setCurrentDetails('Paid. Issuing the licence and its certificate.');
    const { licenseId, number, isFollowed, renews } = await issued();
    if (isFollowed) await follow(licenseId);
    if (renews) await orNull(getExternalWorkflowHandle(licenseFollowingId(renews)).signal(licenseChangedSignal));
    await storeCertificate({ licenseId, applicationId, at: clock() });
    setCurrentDetails(`Licence **${number}** is active.`);
    post.write('license_issued', applicant);
  }

  /** Somebody may have been quicker: the safety net that looks after licences without one. */
  async function follow(licenseId: LicenseId): Promise<void> {
    const start = startChild(licenseFollowing, {
      workflowId: licenseFollowingId(licenseId),
      args: [{ licenseId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Follows a licence of ${typeCode} to its end`,
    });
    await start.catch((error: unknown) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });
  }
}
