/** The invoice in its payer's language; the same bytes for the same data. */
import type { InvoiceState } from '../../domain/payments.ts';
import { formatDay, formatInstant, parse } from './dates.ts';
import { INVOICE_WORDS, type InvoiceWords } from './invoice-words.ts';
import { finish, INK, openDocument } from './layout.ts';
import { heading, notes, parties } from './paper.ts';
import { currencyOf, type PricedLines, pricedLines, taxNotes } from './priced-lines.ts';

export interface InvoiceData extends PricedLines {
  readonly status: InvoiceState;
  /** ISO 8601 instants, shown in `timeZone` (IANA). */
  readonly issuedAt: string;
  readonly dueAt: string;
  readonly paidAt: string | null;
  readonly timeZone: string;
  readonly seller: { readonly name: string; readonly address: string };
  readonly buyer: { readonly name: string; readonly address: string };
}

const STATUS_COLOR: Record<InvoiceState, string> = {
  open: '#a15c00',
  paid: '#1b6e3c',
  lapsed: '#8a1c1c',
  void: INK.muted,
  reversed: '#8a1c1c',
};

/** @throws RangeError when there is no line, currencies are mixed or a date is not ISO 8601 */
export function renderInvoice(data: InvoiceData): Promise<Buffer> {
  currencyOf(data);
  const words = INVOICE_WORDS[data.locale];
  const doc = openDocument({
    title: `${words.invoice} ${data.number}`,
    author: data.seller.name,
    subject: `${words.invoice} ${data.number}, ${data.buyer.name}, ${words.status[data.status]}`,
    createdAt: parse(data.issuedAt),
    language: data.locale,
  });
  const badge = { text: words.status[data.status], color: STATUS_COLOR[data.status] };
  let y = heading(doc, { title: words.invoice, number: data.number, badge, facts: datesOf(data, words) });
  y = parties(doc, { label: words.seller, ...data.seller }, { label: words.buyer, ...data.buyer }, y);
  y = pricedLines(doc, data, words, y);
  notes(doc, notesOf(data, words), y);
  return finish(doc);
}

function datesOf(data: InvoiceData, words: InvoiceWords): [string, string][] {
  const { issuedAt, dueAt, paidAt, timeZone, locale } = data;
  const dates: [string, string][] = [
    [words.issued, formatDay(issuedAt, timeZone, locale)],
    [words.due, formatInstant(dueAt, timeZone, locale)],
  ];
  return paidAt === null ? dates : [...dates, [words.paid, formatInstant(paidAt, timeZone, locale)]];
}

function notesOf(data: InvoiceData, words: InvoiceWords): string[] {
  const about = taxNotes(data, words);
  return data.status === 'open'
    ? [...about, words.openNote(formatInstant(data.dueAt, data.timeZone, data.locale))]
    : about;
}
