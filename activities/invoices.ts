/** What happens to an invoice beside its payment: it is voided, acknowledged, corrected. Each once, whatever is repeated. */
import type { Knex } from 'knex';
import { writeLetter } from '../db/account-letters.ts';
import { type CreditNoteFacts, creditNoteFacts, findCreditNote } from '../db/credit-notes.ts';
import { dueAtOf } from '../db/invoices.ts';
import { invoiceCloser } from '../db/lapsed-invoices.ts';
import { attachPdf, type Parties } from '../db/papers.ts';
import { type InvoiceFacts, invoiceFacts } from '../db/printed.ts';
import { issueReceipt, type ReceiptFacts, receiptFacts } from '../db/receipts.ts';
import { namedUuid } from '../db/uuids.ts';
import { type Voided, type VoidInvoice, voidInvoice } from '../db/voided-invoices.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { CreditNoteId, InvoiceId, PaymentId, ReceiptId, RefundId } from '../domain/ids.ts';
import { money } from '../domain/money.ts';
import type { GatewayName, InvoiceState } from '../domain/payments.ts';
import type { ActivityDeps } from './deps.ts';
import { type CreditNoteData, renderCreditNote } from './documents/credit-note.ts';
import { renderInvoice } from './documents/invoice.ts';
import { type ReceiptData, renderReceipt } from './documents/receipt.ts';
import { openOrigin } from './origin.ts';

export function createInvoiceActivities(deps: Pick<ActivityDeps, 'db' | 'files' | 'personalData' | 'money'>) {
  const { db, files } = deps;
  return {
    /** Voids an open invoice of which nothing was paid, and issues another in its place; else says what it is. */
    async voidInvoice(input: Omit<VoidInvoice, 'origin'> & { origin?: SealedOrigin }): Promise<Voided> {
      const request = { ...input, origin: openOrigin(deps, input.origin) };
      return db.transaction((tx: Knex) => voidInvoice(tx, request));
    },

    /** Stores the PDF of a subscription's invoice, which was issued in a transaction; a repeat finds it. */
    async printSubscriptionInvoice(input: { invoiceId: InvoiceId }): Promise<{ dueAt: string }> {
      await storeInvoicePdf(deps, input.invoiceId);
      return { dueAt: (await dueAtOf(db, input.invoiceId)).toISOString() };
    },

    /**
     * Closes the open invoice of a subscription that nobody is going to pay any more; its row decides, so money that came a
     * moment before wins. Whoever asks tells `payment/<invoiceId>` afterwards to look again.
     * @returns `lapsed`, or what the invoice is instead
     */
    async closeUnpaid(input: { invoiceId: InvoiceId; at: string }): Promise<{ state: InvoiceState }> {
      const close = invoiceCloser(deps.money);
      return { state: await db.transaction((tx: Knex) => close(tx, input.invoiceId, input.at)) };
    },

    /** Number and row first, then the paper: who died in between prints what the row says. */
    async printReceipt(input: { paymentId: PaymentId; at: string }): Promise<{ receiptId: ReceiptId; number: string }> {
      const { id, number } = await db.transaction((tx: Knex) => issueReceipt(tx, input));
      const facts = await receiptFacts(db, id);
      if (!facts.pdf) {
        const stored = await files.put(await renderReceipt(receiptData(facts)));
        await attachPdf(db, 'receipts', id, stored.sha256);
      }
      if (facts.subscriptionPayer)
        // By the outbox: the letter goes with the PDF, so it is written once that is there.
        await writeLetter(db, {
          id: namedUuid(`receipt/${id}/letter`),
          template: 'subscription_payment_received',
          userId: facts.subscriptionPayer,
          data: { paymentId: input.paymentId },
          at: new Date(input.at),
        });
      return { receiptId: id, number };
    },

    /**
     * The note of a refund, or one by its ID, where credit was given back and nothing was refunded.
     * @returns null for a refund that corrected no invoice
     */
    async printCreditNote(
      input: { refundId: RefundId } | { creditNoteId: CreditNoteId },
    ): Promise<{ creditNoteId: CreditNoteId } | null> {
      const id = 'refundId' in input ? (await findCreditNote(db, input.refundId))?.id : input.creditNoteId;
      if (!id) return null;
      const facts = await creditNoteFacts(db, id);
      if (!facts.pdf) {
        const stored = await files.put(await renderCreditNote(creditNoteData(facts)));
        await attachPdf(db, 'credit_notes', id, stored.sha256);
      }
      return { creditNoteId: id };
    },
  };
}

/** Renders the invoice as it was issued, once; who comes second uses what the first stored. */
export async function storeInvoicePdf(deps: Pick<ActivityDeps, 'db' | 'files'>, id: InvoiceId): Promise<void> {
  const facts = await invoiceFacts(deps.db, id);
  if (facts.pdf) return;
  const stored = await deps.files.put(await renderInvoice(invoiceData(facts)));
  await attachPdf(deps.db, 'invoices', id, stored.sha256);
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

const GATEWAY_TITLES: Record<GatewayName, string> = {
  midtrans: 'Midtrans',
  xendit: 'Xendit',
  stripe: 'Stripe',
  billplz: 'Billplz',
};

/** `Midtrans, BCA VA`: codes of methods are the names of channels, in small letters. */
const throughOf = ({ gateway, method }: ReceiptFacts): string =>
  method ? `${GATEWAY_TITLES[gateway]}, ${method.replaceAll('_', ' ').toUpperCase()}` : GATEWAY_TITLES[gateway];

/** Who stands on a paper, as it is printed. */
export const partiesOf = ({ locale, zone, officeName, officeAddress, companyName, address }: Parties) => ({
  locale,
  timeZone: zone,
  seller: { name: officeName, address: officeAddress },
  buyer: { name: companyName, address },
});

const receiptData = (facts: ReceiptFacts): ReceiptData => ({
  number: facts.number,
  ...partiesOf(facts),
  issuedAt: facts.issuedAt.toISOString(),
  paidAt: facts.paidAt.toISOString(),
  amount: facts.amount,
  outstanding: facts.outstanding,
  through: throughOf(facts),
  reference: facts.reference,
  invoiceNumber: facts.invoiceNumber,
  instalment: facts.instalment === null ? null : { position: facts.instalment, count: facts.instalments },
  about: facts.subjectName && { name: facts.subjectName, isPlan: facts.subscriptionPayer !== null },
});

const creditNoteData = ({ currency, taxRule, ...facts }: CreditNoteFacts): CreditNoteData => ({
  number: facts.number,
  ...partiesOf(facts),
  issuedAt: facts.issuedAt.toISOString(),
  invoice: { number: facts.invoiceNumber, issuedAt: facts.invoiceIssuedAt.toISOString() },
  reason: facts.reason,
  lines: facts.lines.map((line) => ({
    description: line.description,
    net: money(line.netMinor, currency),
    tax: line.kind === 'statutory' ? null : { rule: taxRule, amount: money(line.taxMinor, currency) },
  })),
});
