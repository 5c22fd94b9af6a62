/** From an approved case to an active licence: invoice, licence, certificate. Each once, whatever crashes in between. */
import type { Knex } from 'knex';
import { moveApplication } from '../db/application-moves.ts';
import { recordEvent } from '../db/events.ts';
import { lapseInvoice, lockCollected, mayBeIssued, subjectOf } from '../db/invoice-payments.ts';
import { invoiceOf } from '../db/invoices.ts';
import { attachCertificate, type IssuedLicense, issueLicense } from '../db/licenses.ts';
import { settleOddMoney } from '../db/odd-money.ts';
import { officeOfType } from '../db/offices.ts';
import { attachPdf } from '../db/papers.ts';
import { findPayment } from '../db/payments.ts';
import { type CertificateFacts, certificateFacts, type InvoiceFacts, invoiceFacts } from '../db/printed.ts';
import { refundsNotTaken } from '../db/refunds.ts';
import { usersWithRole } from '../db/staff.ts';
import { addMonths } from '../domain/calendar.ts';
import { isLegalForm, LEGAL_FORM_NAMES } from '../domain/companies.ts';
import type { ApplicationId, CompanyId, InvoiceId, LicenseId, RefundId, Sha256, UserId } from '../domain/ids.ts';
import { money } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import type { ActivityDeps } from './deps.ts';
import { renderCertificate } from './documents/certificate.ts';
import { renderInvoice } from './documents/invoice.ts';
import { partiesOf } from './invoices.ts';
import { type Overdue, overdueOf } from './payments.ts';

export function createActivationActivities({ db, files, signer, publicUrl, money: policy }: ActivityDeps) {
  return {
    /** Finds the invoice that the approval issued and stores its PDF; a repeat finds both. */
    async printInvoice(input: {
      applicationId: ApplicationId;
    }): Promise<{ invoiceId: InvoiceId; dueAt: string; inParts: boolean; overdue: Overdue[] }> {
      const { invoiceId, dueAt } = await invoiceOf(db, input.applicationId);
      const facts = await invoiceFacts(db, invoiceId);
      if (!facts.pdf) {
        const stored = await files.put(await renderInvoice(invoiceData(facts)));
        await attachPdf(db, 'invoices', invoiceId, stored.sha256);
      }
      const invoice = await db.transaction((tx) => lockCollected(tx, invoiceId));
      const overdue = await overdueOf(db, invoice);
      return { invoiceId, dueAt: dueAt.toISOString(), inParts: invoice.inParts, overdue };
    },

    async noteReminder(input: { applicationId: ApplicationId; number: number; at: string }): Promise<void> {
      await recordEvent(db, {
        key: `activation/${input.applicationId}/reminder/${input.number}`,
        type: 'invoice.reminded',
        applicationId: input.applicationId,
        data: { number: input.number },
        at: input.at,
      });
    },

    /**
     * The end of waiting: closes the invoice, and with it the case that it belongs to. The invoice's row decides, so
     * money that came a moment before wins over the deadline. What was paid in parts becomes a case each.
     */
    async lapseUnpaid(input: { invoiceId: InvoiceId; at: string }): Promise<Closed> {
      return db.transaction(async (tx) => {
        const invoice = await lockCollected(tx, input.invoiceId);
        if (invoice.state !== 'open') return closedAs(tx, invoice.state, input.invoiceId);
        const about = { ...subjectOf(invoice), at: input.at };
        await recordEvent(tx, { key: `payment/${input.invoiceId}/lapsed`, type: 'invoice.lapsed', ...about });
        if (invoice.applicationId) await lapseApplication(tx, invoice.applicationId, about);
        const { state, parts } = await lapseInvoice(tx, input.invoiceId, input.at);
        for (const { reference, amountMinor } of parts) {
          const payment = await findPayment(tx, reference);
          const key = `payment/${invoice.id}/${payment.attempt}/case/lapsed-part`;
          const amount = money(amountMinor, invoice.total.currency);
          // Less than the invoice came, so it is short money, whatever the policy says of late money.
          await settleOddMoney(tx, { key, kind: 'short', invoice, payment, amount, at: input.at }, policy);
        }
        return closedAs(tx, state, input.invoiceId);
      });
    },

    /** The case of an invoice that the office voided and did not replace: there is nothing to pay, and no licence. */
    async closeVoided(input: { applicationId: ApplicationId; companyId: CompanyId; at: string }): Promise<void> {
      await db.transaction((tx) => lapseApplication(tx, input.applicationId, input));
    },

    /**
     * Issues the licence, once. Under the lock on the invoice: one whose money was taken back meanwhile, or went back in
     * full, brings none.
     * @returns null for such an invoice; a licence that is there already is returned whatever became of the money
     */
    async issueLicense(input: {
      applicationId: ApplicationId;
      typeCode: string;
      validityMonths: number | null;
      at: string;
    }): Promise<IssuedLicense | null> {
      const { zone } = await officeOfType(db, input.typeCode);
      const validUntil = input.validityMonths === null ? null : addMonths(input.at, input.validityMonths, zone);
      return db.transaction(async (tx) => {
        if (!(await mayBeIssued(tx, input.applicationId))) return null;
        return issueLicense(tx, { ...input, validUntil });
      });
    },

    /** Renders and signs the certificate, once; whoever comes second uses the bytes that the first stored. */
    async storeCertificate(input: {
      licenseId: LicenseId;
      applicationId: ApplicationId;
      at: string;
    }): Promise<{ sha256: Sha256 }> {
      const facts = await certificateFacts(db, input.licenseId);
      if (facts.certificate) return { sha256: facts.certificate };
      const pdf = await renderCertificate(certificateData(facts, publicUrl));
      const signed = await signer.sign(pdf, {
        reason: `Licence ${facts.number}`,
        location: facts.officeName,
        name: facts.officeName,
        signedAt: new Date(input.at),
      });
      const stored = await files.put(signed);
      return { sha256: await attachCertificate(db, { ...input, sha256: stored.sha256 }) };
    },

    /** Whom finance letters go to. */
    async financeStaff(): Promise<UserId[]> {
      return usersWithRole(db, 'finance');
    },
  };
}

/** An invoice after its time; `refunds` are those that nobody has in hand yet. */
interface Closed {
  readonly state: InvoiceState;
  readonly refunds: readonly RefundId[];
}

const closedAs = async (tx: Knex, state: InvoiceState, id: InvoiceId): Promise<Closed> => ({
  state,
  refunds: await refundsNotTaken(tx, id),
});

/** Once: a repeat finds the event. */
async function lapseApplication(
  tx: Knex,
  id: ApplicationId,
  about: { companyId: CompanyId; at: string },
): Promise<void> {
  const isNew = await recordEvent(tx, {
    key: `activation/${id}/lapsed/1`,
    type: 'application.lapsed_unpaid',
    applicationId: id,
    companyId: about.companyId,
    at: about.at,
  });
  if (isNew) await moveApplication(tx, { id, to: 'lapsed_unpaid', at: about.at });
}

function invoiceData(facts: InvoiceFacts): Parameters<typeof renderInvoice>[0] {
  const { currency, taxRule } = facts;
  return {
    number: facts.number,
    // The paper is printed when it is issued; its state later on is in the record, not on the paper.
    status: 'open',
    ...partiesOf(facts),
    issuedAt: facts.issuedAt.toISOString(),
    dueAt: facts.dueAt.toISOString(),
    paidAt: null,
    lines: facts.lines.map((line) => ({
      description: line.description,
      net: money(line.netMinor, currency),
      discount: money(line.discountMinor, currency),
      tax: line.kind === 'statutory' ? null : { rule: taxRule, amount: money(line.taxMinor, currency) },
    })),
  };
}

const certificateData = (facts: CertificateFacts, publicUrl: string): Parameters<typeof renderCertificate>[0] => ({
  licenseNumber: facts.number,
  licenseName: facts.typeName,
  risk: facts.risk,
  office: { name: facts.officeName, address: facts.officeAddress },
  company: {
    name: facts.companyName,
    legalForm: legalFormName(facts.legalForm),
    nib: facts.nib,
    address: facts.address,
  },
  kbli: facts.kbli.map((code) => ({ code, title: { id: '', en: '' } })),
  validFrom: facts.validFrom.toISOString(),
  validUntil: facts.validUntil?.toISOString() ?? null,
  issuedAt: facts.issuedAt.toISOString(),
  timeZone: facts.zone,
  verifyUrl: `${publicUrl}/verify/${facts.verifyCode}`,
  grantedBy: facts.grantedBy,
  signature: 'uncertified',
});

const legalFormName = (code: string): string => (isLegalForm(code) ? LEGAL_FORM_NAMES[code].id : code);
