/** Writing to people about a case. */
import { quarantined } from '../../db/document-scans.ts';
import { invoiceNumberOf, type LetterFacts, letterFacts, nameOf } from '../../db/letters.ts';
import { knownReasons } from '../../db/reasons.ts';
import { receiptOf } from '../../db/receipts.ts';
import { formatInZone } from '../../domain/calendar.ts';
import type { ApplicationId, DocumentId, PaymentId, Sha256, UserId } from '../../domain/ids.ts';
import type { Reason, Stage } from '../../domain/licensing.ts';
import type { AccountLetter, MailMoney, MailTemplateCode, MailVariables } from '../../domain/mail.ts';
import type { Money } from '../../domain/money.ts';
import { reasonText } from '../../domain/reasons.ts';
import type { ActivityDeps } from '../deps.ts';
import { type Attachments, sendOnce } from './delivery.ts';

export type CaseLetter = Exclude<MailTemplateCode, AccountLetter>;

export interface SendMail {
  /** `<workflowId>/<step>/<recipient>`: one mail for each key, ever. */
  readonly key: string;
  readonly template: CaseLetter;
  readonly to: UserId;
  readonly applicationId: ApplicationId;
  readonly at: string;
  readonly reasons?: readonly Reason[];
  readonly round?: number;
  /** Said by the workflow, not read from the record: by the time of the letter the case may have moved on. */
  readonly stage?: Stage;
  readonly dueAt?: string;
  readonly respondBy?: string;
  /** Of an overdue task: whether it is the last day of the legal time. */
  readonly lastDay?: boolean;
  /** The reviewer a warning is about. */
  readonly about?: UserId | null;
  readonly paid?: { readonly amount: MailMoney; readonly gateway: string };
  /** Whose receipt the letter carries, or whose money came late. */
  readonly paymentId?: PaymentId;
  /** What was taken off the case. */
  readonly documentId?: DocumentId;
}

export function createMailActivities(deps: ActivityDeps) {
  return {
    async sendMail(asked: SendMail): Promise<{ sent: boolean }> {
      const facts = await letterFacts(deps.db, asked.to, asked.applicationId);
      const input = { ...asked, template: inItsWords(asked.template, facts) };
      return sendOnce(
        deps,
        { ...input, locale: facts.locale, userId: input.to, email: facts.email, office: facts },
        async () => ({
          variables: await variablesFor(deps, input, facts),
          attachments: await attachmentsFor(deps, input, facts),
        }),
      );
    },
  };
}

async function variablesFor(
  deps: ActivityDeps,
  input: SendMail,
  facts: LetterFacts,
): Promise<MailVariables[CaseLetter]> {
  const about = {
    recipientName: facts.recipientName,
    companyName: facts.companyName,
    licenseName: facts.licenseName[facts.locale],
    applicationId: input.applicationId,
  };
  const reasons = await worded(deps, input.reasons ?? [], facts);
  switch (input.template) {
    case 'application_submitted':
      return {
        ...about,
        submittedAt: instant(facts, facts.submittedAt),
        dueAt: required(input.dueAt, 'dueAt'),
      } satisfies MailVariables['application_submitted'];
    case 'task_assigned':
    case 'task_reminder':
    case 'task_unassigned':
      return { ...about, ...task(input) } satisfies MailVariables['task_assigned'];
    case 'task_at_risk':
      return {
        ...about,
        ...task(input),
        assigneeName: await personOf(deps, input.about),
      } satisfies MailVariables['task_at_risk'];
    case 'task_breached':
      return {
        ...about,
        ...task(input),
        formerAssigneeName: await personOf(deps, input.about),
      } satisfies MailVariables['task_breached'];
    case 'task_overdue':
      return {
        ...about,
        ...task(input),
        assigneeName: await personOf(deps, input.about),
        lastDay: input.lastDay ?? false,
      } satisfies MailVariables['task_overdue'];
    case 'correction_reminder':
    case 'application_reopened':
      return {
        ...about,
        respondBy: required(input.respondBy, 'respondBy'),
      } satisfies MailVariables['correction_reminder'];
    case 'rejection_announced':
      return {
        ...about,
        reasons,
        respondBy: required(input.respondBy, 'respondBy'),
      } satisfies MailVariables['rejection_announced'];
    case 'application_cancelled':
      return { ...about, cancelledAt: inZone(facts, input.at) } satisfies MailVariables['application_cancelled'];
    case 'correction_requested':
      return {
        ...about,
        reasons,
        round: input.round ?? 1,
        respondBy: required(input.respondBy, 'respondBy'),
      } satisfies MailVariables['correction_requested'];
    case 'application_rejected':
      return { ...about, reasons, decidedAt: inZone(facts, input.at) } satisfies MailVariables['application_rejected'];
    case 'application_withdrawn':
      return { ...about, withdrawnAt: inZone(facts, input.at) } satisfies MailVariables['application_withdrawn'];
    case 'document_quarantined': {
      const { kind, filename } = await quarantined(deps.db, required(input.documentId, 'a document'));
      return {
        ...about,
        documentKind: kind.replaceAll('_', ' '),
        documentName: filename,
      } satisfies MailVariables['document_quarantined'];
    }
    case 'invoice_issued':
      return {
        ...about,
        ...openBill(deps, facts),
        replaces: facts.replacesInvoice,
        byLaw: facts.approvedByLaw,
      } satisfies MailVariables['invoice_issued'];
    case 'payment_reminder':
      return { ...about, ...openBill(deps, facts) } satisfies MailVariables['payment_reminder'];
    case 'application_lapsed_unpaid':
      return {
        ...about,
        ...bill(facts),
        lapsedAt: inZone(facts, input.at),
      } satisfies MailVariables['application_lapsed_unpaid'];
    case 'invoice_voided':
      return {
        ...about,
        ...bill(facts),
        voidedAt: inZone(facts, input.at),
      } satisfies MailVariables['invoice_voided'];
    case 'payment_received': {
      const receipt = await receiptOf(deps.db, required(input.paymentId, 'a payment'));
      return {
        ...about,
        invoiceNumber: receipt.invoiceNumber,
        total: mailMoney(receipt.total),
        paid: mailMoney(receipt.amount),
        outstanding: mailMoney(receipt.outstanding),
        receiptNumber: receipt.number,
      } satisfies MailVariables['payment_received'];
    }
    case 'payment_late': {
      const paid = required(input.paid, 'paid');
      return {
        ...about,
        // The case may have another invoice by now.
        invoiceNumber: input.paymentId
          ? await invoiceNumberOf(deps.db, input.paymentId)
          : required(facts.invoiceNumber, 'an invoice'),
        paid: paid.amount,
        paidAt: inZone(facts, input.at),
        gateway: paid.gateway,
      } satisfies MailVariables['payment_late'];
    }
    case 'license_renewed':
    case 'license_issued':
    case 'license_issued_by_law':
      return {
        ...about,
        licenseNumber: required(facts.licenseNumber, 'a licence'),
        validFrom: instant(facts, facts.validFrom),
        validUntil: facts.validUntil ? inZone(facts, facts.validUntil.toISOString()) : null,
        verifyUrl: `${deps.publicUrl}/verify/${required(facts.verifyCode, 'a verify code')}`,
        ...(facts.renewedNumber === null ? {} : { renewedNumber: facts.renewedNumber }),
      } satisfies MailVariables['license_issued'] & Partial<MailVariables['license_renewed']>;
  }
}

/** How a licence was granted stands in the record: the process that sends its letter need not know. */
function inItsWords(template: CaseLetter, { grantedBy, renewedNumber }: LetterFacts): CaseLetter {
  if (template !== 'license_issued') return template;
  if (grantedBy === 'law') return 'license_issued_by_law';
  return renewedNumber === null ? template : 'license_renewed';
}

async function worded({ db }: ActivityDeps, reasons: readonly Reason[], { locale }: LetterFacts) {
  if (reasons.length === 0) return [];
  const catalogue = await knownReasons(db);
  return reasons.map((reason) => ({ text: reasonText(reason, catalogue, locale) }));
}

const task = (input: SendMail) => ({ stage: required(input.stage, 'a stage'), dueAt: required(input.dueAt, 'dueAt') });

const bill = (facts: LetterFacts) => ({
  invoiceNumber: required(facts.invoiceNumber, 'an invoice'),
  total: {
    amountMinor: required(facts.invoiceTotalMinor, 'an invoice').toString(),
    currency: required(facts.invoiceCurrency, 'an invoice'),
  },
});

const openBill = ({ publicUrl }: ActivityDeps, facts: LetterFacts) => ({
  ...bill(facts),
  dueAt: instant(facts, facts.invoiceDueAt),
  payUrl: `${publicUrl}/pay/${facts.invoiceId}`,
});

const mailMoney = ({ amountMinor, currency }: Money): MailMoney => ({ amountMinor: amountMinor.toString(), currency });

const inZone = (facts: LetterFacts, iso: string): string => formatInZone(Date.parse(iso), facts.zone);
const instant = (facts: LetterFacts, at: Date | null): string => inZone(facts, required(at, 'a date').toISOString());
const personOf = async ({ db }: ActivityDeps, id: UserId | null | undefined): Promise<string> =>
  id ? nameOf(db, id) : '–';

function required<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`the letter needs ${what}, which the case does not have`);
  return value;
}

async function attachmentsFor({ db, files }: ActivityDeps, input: SendMail, facts: LetterFacts): Promise<Attachments> {
  const attached = input.template === 'payment_received' ? await receiptFile(db, input) : attachmentOf(input, facts);
  if (!attached) return [];
  const content = await files.read(attached.sha256);
  if (!content) throw new Error(`the stored file ${attached.sha256} is missing; restore it from the backup`);
  return [{ filename: attached.filename, contentType: 'application/pdf', content }];
}

interface AttachedFile {
  readonly filename: string;
  readonly sha256: Sha256;
}

function attachmentOf({ template }: SendMail, facts: LetterFacts): AttachedFile | null {
  if (template === 'invoice_issued' && facts.invoicePdf) {
    return { filename: fileName(required(facts.invoiceNumber, 'an invoice')), sha256: facts.invoicePdf };
  }
  const isCertified =
    template === 'license_issued' || template === 'license_issued_by_law' || template === 'license_renewed';
  if (isCertified && facts.certificate) {
    return { filename: fileName(required(facts.licenseNumber, 'a licence')), sha256: facts.certificate };
  }
  return null;
}

async function receiptFile(db: ActivityDeps['db'], { paymentId }: SendMail): Promise<AttachedFile> {
  const { number, pdf } = await receiptOf(db, required(paymentId, 'a payment'));
  return { filename: fileName(number), sha256: required(pdf, 'the PDF of the receipt') };
}

const fileName = (number: string): string => `${number.replaceAll('/', '-')}.pdf`;
