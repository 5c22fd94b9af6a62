/** The credit note: what is taken back of an invoice, in the payer's language; the same bytes for the same data. */
import type { RefundReason } from '../../domain/refunds.ts';
import { CREDIT_NOTE_WORDS } from './credit-note-words.ts';
import { formatDay, parse } from './dates.ts';
import { INVOICE_WORDS } from './invoice-words.ts';
import { finish, openDocument } from './layout.ts';
import { heading, notes, parties } from './paper.ts';
import { currencyOf, type PricedLines, pricedLines, taxNotes } from './priced-lines.ts';

export interface CreditNoteData extends PricedLines {
  /** ISO 8601 instants, shown in `timeZone` (IANA). */
  readonly issuedAt: string;
  readonly timeZone: string;
  readonly invoice: { readonly number: string; readonly issuedAt: string };
  readonly reason: RefundReason;
  readonly seller: { readonly name: string; readonly address: string };
  readonly buyer: { readonly name: string; readonly address: string };
}

/** @throws RangeError when there is no line, currencies are mixed or a date is not ISO 8601 */
export function renderCreditNote(data: CreditNoteData): Promise<Buffer> {
  currencyOf(data);
  const words = CREDIT_NOTE_WORDS[data.locale];
  const table = { ...INVOICE_WORDS[data.locale], total: words.total };
  const doc = openDocument({
    title: `${words.creditNote} ${data.number}`,
    author: data.seller.name,
    subject: `${words.creditNote} ${data.number}, ${data.buyer.name}`,
    createdAt: parse(data.issuedAt),
    language: data.locale,
  });
  const day = (iso: string) => formatDay(iso, data.timeZone, data.locale);
  let y = heading(doc, {
    title: words.creditNote,
    number: data.number,
    facts: [
      [words.issued, day(data.issuedAt)],
      [words.corrects, data.invoice.number],
      [words.of, day(data.invoice.issuedAt)],
      [words.reason, words.reasons[data.reason]],
    ],
  });
  y = parties(doc, { label: words.seller, ...data.seller }, { label: words.buyer, ...data.buyer }, y);
  y = pricedLines(doc, data, table, y);
  notes(doc, [words.note(data.invoice.number), ...taxNotes(data, table)], y);
  return finish(doc);
}
