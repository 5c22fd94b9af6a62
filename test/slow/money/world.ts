/** Invoices to play with: approved cases in their last step, each with a payer and a policy of its own. */
import { randomUUID } from 'node:crypto';
import { invoiceOf, issueInvoice } from '../../../db/invoices.ts';
import { feeLines } from '../../../domain/fees.ts';
import type { ApplicationId, InvoiceId } from '../../../domain/ids.ts';
import { activationId, paymentId } from '../../../workflows/ids.ts';
import { aCompany, aLicenseType, anApplication } from '../../builders/licensing.ts';
import type { TestSystem } from '../../support/system.ts';
import { eventually } from '../../support/wait.ts';
import type { Scenario } from './scenario.ts';

const DAY_MS = 86_400_000;

export interface Played {
  readonly applicationId: ApplicationId;
  readonly invoiceId: InvoiceId;
  /** Headers of the payer's session. */
  readonly owner: Readonly<Record<string, string>>;
}

/** Issues the invoice and starts `activation/<applicationId>`, as the last approval of a review does. */
export async function anInvoiceToPay(system: TestSystem, scenario: Scenario): Promise<Played> {
  const { db } = system.database;
  const person = await system.api.person('owner');
  const companyId = await aCompany(db, person.id, { name: `CV ${randomUUID().slice(0, 8)}` });
  const fee =
    scenario.currency === 'IDR'
      ? ({ statutoryMinor: '750000', serviceMinor: '450001', currency: 'IDR' } as const)
      : ({ statutoryMinor: '7501', serviceMinor: '4503', currency: 'MYR' } as const);
  const type = await aLicenseType(db, {
    fee,
    payment: {
      remindAfterDays: [3, 6],
      lapseAfterDays: 7,
      oddMoney: scenario.oddMoney,
      ...(scenario.instalments
        ? { instalments: [50, 30, 20].map((percent, index) => ({ percent, dueAfterDays: 2 * index + 2 })) }
        : {}),
    },
  });
  const applicationId = await anApplication(db, { companyId, type, applicantId: person.id, state: 'pending_payment' });
  const at = new Date();
  const dueAt = new Date(at.getTime() + 7 * DAY_MS).toISOString();
  await db.transaction((tx) => issueInvoice(tx, { applicationId, lines: feeLines(fee), at: at.toISOString(), dueAt }));
  await system.client.workflow.start('activation', {
    workflowId: activationId(applicationId),
    taskQueue: system.taskQueue,
    args: [
      {
        applicationId,
        companyId,
        applicant: person.id,
        typeCode: type.code,
        isFree: false,
        payment: type.policy.payment,
        validityMonths: 12,
      },
    ],
  });
  const { invoiceId } = await invoiceOf(db, applicationId);
  const collection = system.client.workflow.getHandle(paymentId(invoiceId));
  await eventually(
    'its collection',
    () =>
      collection.describe().then(
        () => true,
        () => false,
      ),
    60_000,
  );
  return { applicationId, invoiceId, owner: person.headers };
}
