/**
 * From an approved case to an active licence:
 *
 *   invoice (issued with the approval) → paid within the time that the policy gives → licence → certificate → letter
 *
 * payment/<invoiceId> collects the money, reminds, and lets the case lapse; it also watches for what comes in after that.
 * A renewal that waits for its payment may be given up by its owner, and ends with the licence that it is to renew.
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
import { type ApplicationState, type LicensePolicy, refuseWithdrawal } from '../domain/licensing.ts';
import { clock, orNull, refuseIf } from './answers.ts';
import { licenseFollowingId, paymentId } from './ids.ts';
import { licenseFollowing } from './license-following.ts';
import {
  type InvoiceClosed,
  invoiceClosedSignal,
  licenseChangedSignal,
  lookAgainSignal,
  type Sent,
  withdrawUpdate,
} from './messages.ts';
import { invoicePayment } from './payment.ts';
import { documents, records } from './policies.ts';
import { openPost } from './post.ts';

const { printInvoice } = proxyActivities<Activities>({ ...documents, summary: 'Print the invoice and store its PDF' });
const { issueLicense } = proxyActivities<Activities>({
  ...records,
  summary: 'Issue the licence: number, validity, active',
});
const { closeVoided } = proxyActivities<Activities>({ ...records, summary: 'Close the case of a voided invoice' });
const { withdrawUnpaid } = proxyActivities<Activities>({ ...records, summary: 'Withdraw a renewal that is not paid' });
const { storeCertificate } = proxyActivities<Activities>({
  ...documents,
  summary: 'Render, sign and store the certificate',
});

const DAY_MS = 86_400_000;

type Outcome = InvoiceClosed['outcome'] | 'withdrawn';

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

/** How it ends with the money: who gave the case up, if anybody did. */
const ENDS = {
  paid: 'active',
  lapsed: 'lapsed_unpaid',
  withdrawn: 'withdrawn',
  cancelled: 'cancelled',
} as const satisfies Record<string, ApplicationState>;
type Ending = keyof typeof ENDS;

interface Withdrawal extends Sent {
  readonly by: UserId;
  readonly reason: string;
}

export async function activation(input: ActivationInput): Promise<{ state: (typeof ENDS)[Ending] }> {
  const { applicationId, companyId, applicant, payment, typeCode, validityMonths } = input;
  const post = openPost(workflowInfo().workflowId, applicationId);
  let closed: InvoiceClosed['outcome'] | null = null;
  setHandler(invoiceClosedSignal, ({ outcome }) => {
    closed = outcome;
  });

  let state: ApplicationState = input.isFree ? 'activating' : 'pending_payment';
  let withdrawal: Withdrawal | null = null;
  setHandler(
    withdrawUpdate,
    async ({ by, reason, ...sent }) => {
      withdrawal ??= { by: by.userId, reason, ...sent };
      await condition(() => withdrawal === null || state !== 'pending_payment');
      if (state !== 'withdrawn') refuseIf(refuseWithdrawal(state));
      return { state };
    },
    { validator: (_request) => refuseIf(state === 'pending_payment' ? null : refuseWithdrawal(state)) },
  );

  const ending = input.isFree ? 'paid' : await collect();
  state = ending === 'paid' ? 'activating' : ENDS[ending];
  if (ending === 'paid') await license();
  await post.delivered();
  await condition(allHandlersFinished);
  return { state: ENDS[ending] };

  /** Bills the applicant until an invoice is paid or given up; one that was voided for another is followed by the other. */
  async function collect(): Promise<Ending> {
    for (;;) {
      const outcome = await collectOne();
      if (outcome === 'void') await closeVoided({ applicationId, companyId, at: clock() });
      if (outcome === 'void') post.write('invoice_voided', applicant);
      if (outcome === 'withdrawn') post.write('application_withdrawn', applicant);
      if (outcome === 'cancelled') post.write('application_cancelled', applicant);
      if (outcome !== 'replaced') return outcome === 'void' ? 'lapsed' : outcome;
    }
  }

  /** Leaves an invoice to payment/<invoiceId>, which tells how it ended. */
  async function collectOne(): Promise<Outcome> {
    const { invoiceId, dueAt, inParts, overdue, isCancelled } = await printInvoice({ applicationId, at: clock() });
    if (isCancelled) return 'cancelled';
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
    const outcome = await paidOrGivenUp();
    // Its page asks for what is not owed any more.
    if (outcome === 'withdrawn' || outcome === 'cancelled')
      await orNull(getExternalWorkflowHandle(paymentId(invoiceId)).signal(lookAgainSignal));
    return outcome;
  }

  /** The invoice's row decides between the two: a withdrawal that came too late is refused, and the money is on its way here. */
  async function paidOrGivenUp(): Promise<Outcome> {
    for (;;) {
      await condition(() => closed !== null || withdrawal !== null);
      if (closed !== null || withdrawal === null) return nextOutcome();
      const said = await withdrawUnpaid({ applicationId, ...withdrawal, at: clock() });
      state = said.state;
      withdrawal = null;
      if (state === 'withdrawn') {
        if (said.renews)
          await orNull(getExternalWorkflowHandle(licenseFollowingId(said.renews)).signal(licenseChangedSignal));
        return 'withdrawn';
      }
    }
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
