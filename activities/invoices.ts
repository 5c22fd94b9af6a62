/** What happens to an invoice beside its payment: it is voided, acknowledged, corrected. Each once, whatever is repeated. */
import type { Knex } from 'knex';
import { type CreditNoteFacts, creditNoteFacts, findCreditNote } from '../db/credit-notes.ts';
import { attachPdf, type Parties } from '../db/papers.ts';
import { issueReceipt, type ReceiptFacts, receiptFacts } from '../db/receipts.ts';
import { type Voided, type VoidInvoice, voidInvoice } from '../db/voided-invoices.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { CreditNoteId, PaymentId, ReceiptId, RefundId } from '../domain/ids.ts';
import { money } from '../domain/money.ts';
import type { GatewayName } from '../domain/payments.ts';
import type { ActivityDeps } from './deps.ts';
import { type CreditNoteData, renderCreditNote } from './documents/credit-note.ts';
import { type ReceiptData, renderReceipt } from './documents/receipt.ts';
import { openOrigin } from './origin.ts';

export function createInvoiceActivities(deps: Pick<ActivityDeps, 'db' | 'files' | 'personalData'>) {
  const { db, files } = deps;
  return {
    /** Voids an open invoice of which nothing was paid, and issues another in its place; else says what it is. */
    async voidInvoice(input: Omit<VoidInvoice, 'origin'> & { origin?: SealedOrigin }): Promise<Voided> {
      const request = { ...input, origin: openOrigin(deps, input.origin) };
      return db.transaction((tx: Knex) => voidInvoice(tx, request));
    },

    /** Number and row first, then the paper: who died in between prints what the row says. */
    async printReceipt(input: { paymentId: PaymentId; at: string }): Promise<{ receiptId: ReceiptId; number: string }> {
      const { id, number } = await db.transaction((tx: Knex) => issueReceipt(tx, input));
      const facts = await receiptFacts(db, id);
      if (!facts.pdf) {
        const stored = await files.put(await renderReceipt(receiptData(facts)));
        await attachPdf(db, 'receipts', id, stored.sha256);
      }
      return { receiptId: id, number };
    },

    /** @returns null for a refund that corrected no invoice */
    async printCreditNote(input: { refundId: RefundId }): Promise<{ creditNoteId: CreditNoteId } | null> {
      const note = await findCreditNote(db, input.refundId);
      if (!note) return null;
      const facts = await creditNoteFacts(db, note.id);
      if (!facts.pdf) {
        const stored = await files.put(await renderCreditNote(creditNoteData(facts)));
        await attachPdf(db, 'credit_notes', note.id, stored.sha256);
      }
      return { creditNoteId: note.id };
    },
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
  licenseName: facts.licenseName,
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
