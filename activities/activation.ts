/** From an approved case to an active licence: invoice, licence, certificate. Each once, whatever crashes in between. */
import type { Knex } from 'knex';
import { moveApplication } from '../db/application-moves.ts';
import { recordEvent } from '../db/events.ts';
import { lockCollected, mayBeIssued } from '../db/invoice-payments.ts';
import { invoiceOf } from '../db/invoices.ts';
import { closeAsLapsed } from '../db/lapsed-invoices.ts';
import { endRenewalOfRevoked } from '../db/license-revocation.ts';
import { attachCertificate, type IssuedLicense, issueLicense, termOf } from '../db/licenses.ts';
import { officeOfType } from '../db/offices.ts';
import { type CertificateFacts, certificateFacts } from '../db/printed.ts';
import { refundsNotTaken } from '../db/refunds.ts';
import { type RenewalWithdrawal, type RenewalWithdrawn, withdrawRenewal } from '../db/renewal-withdrawal.ts';
import { usersWithRole } from '../db/staff.ts';
import { isLegalForm, LEGAL_FORM_NAMES } from '../domain/companies.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { ApplicationId, CompanyId, InvoiceId, LicenseId, RefundId, Sha256, UserId } from '../domain/ids.ts';
import type { InvoiceState } from '../domain/payments.ts';
import type { ActivityDeps } from './deps.ts';
import { renderCertificate } from './documents/certificate.ts';
import { storeInvoicePdf } from './invoices.ts';
import { openOrigin } from './origin.ts';
import { type Overdue, overdueOf } from './payments.ts';

export function createActivationActivities(deps: ActivityDeps) {
  const { db, files, signer, publicUrl, money: policy } = deps;
  return {
    /**
     * Finds the invoice that the approval issued and stores its PDF; a repeat finds both. The renewal of a licence that was
     * revoked meanwhile ends here: nobody is asked to pay for it.
     * @param input.at absent in histories of before
     */
    async printInvoice(input: { applicationId: ApplicationId; at?: string }): Promise<PrintedInvoice> {
      const { invoiceId, dueAt } = await invoiceOf(db, input.applicationId);
      await storeInvoicePdf({ db, files }, invoiceId);
      const { invoice, isCancelled } = await db.transaction(async (tx) => {
        const invoice = await lockCollected(tx, invoiceId);
        if (input.at) await endRenewalOfRevoked(tx, policy, invoice, input.at);
        return { invoice, isCancelled: await isOver(tx, input.applicationId) };
      });
      const overdue = await overdueOf(db, invoice);
      const printed = { invoiceId, dueAt: dueAt.toISOString(), inParts: invoice.inParts, overdue };
      return isCancelled ? { ...printed, isCancelled } : printed;
    },

    /** The owner of a renewal gives it up while it is to be paid. Safe to repeat; money that came a moment before wins. */
    async withdrawUnpaid(
      input: Omit<RenewalWithdrawal, 'origin'> & { readonly origin?: SealedOrigin },
    ): Promise<RenewalWithdrawn> {
      const asked = { ...input, origin: openOrigin(deps, input.origin) };
      return db.transaction((tx) => withdrawRenewal(tx, policy, asked));
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
        const { applicationId, companyId } = invoice;
        const state = await closeAsLapsed(tx, policy, invoice, input.at);
        if (applicationId) await lapseApplication(tx, applicationId, { companyId, at: input.at });
        return closedAs(tx, state, input.invoiceId);
      });
    },

    /** The case of an invoice that the office voided and did not replace: there is nothing to pay, and no licence. */
    async closeVoided(input: { applicationId: ApplicationId; companyId: CompanyId; at: string }): Promise<void> {
      await db.transaction((tx) => lapseApplication(tx, input.applicationId, input));
    },

    /**
     * Issues the licence, once. Under the lock on the invoice: one whose money was taken back meanwhile, or went back in
     * full, brings none. The licence of a renewal begins where the one before ends.
     * @returns null for such an invoice; a licence that is there already is returned whatever became of the money
     */
    async issueLicense(input: {
      applicationId: ApplicationId;
      typeCode: string;
      validityMonths: number | null;
      at: string;
    }): Promise<IssuedLicense | null> {
      const { applicationId, typeCode, validityMonths: months, at } = input;
      const { zone } = await officeOfType(db, typeCode);
      return db.transaction(async (tx) => {
        if (!(await mayBeIssued(tx, applicationId))) return null;
        return issueLicense(tx, {
          applicationId,
          typeCode,
          at,
          ...(await termOf(tx, { applicationId, at, zone, months })),
        });
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

export interface PrintedInvoice {
  readonly invoiceId: InvoiceId;
  readonly dueAt: string;
  readonly inParts: boolean;
  readonly overdue: Overdue[];
  /** Its application was cancelled, and the invoice is closed. */
  readonly isCancelled?: boolean;
}

async function isOver(tx: Knex, id: ApplicationId): Promise<boolean> {
  return (await tx('applications').where({ id, state: 'cancelled' }).first('id')) !== undefined;
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
  renews: facts.renews,
  issuedAt: facts.issuedAt.toISOString(),
  timeZone: facts.zone,
  verifyUrl: `${publicUrl}/verify/${facts.verifyCode}`,
  grantedBy: facts.grantedBy,
  signature: 'uncertified',
});

const legalFormName = (code: string): string => (isLegalForm(code) ? LEGAL_FORM_NAMES[code].id : code);
