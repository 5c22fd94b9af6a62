/** The receipt for one payment, in its payer's language; the same bytes for the same data. */
import type { Locale } from '../../domain/mail.ts';
import { formatMoney, type Money } from '../../domain/money.ts';
import { formatDay, formatInstant, parse } from './dates.ts';
import { type Bilingual, finish, INK, openDocument, type Pdf, rule, write } from './layout.ts';
import { BOLD, heading, notes, parties, SANS, SIDE, WIDTH } from './paper.ts';
import { RECEIPT_WORDS, type ReceiptWords } from './receipt-words.ts';

export interface ReceiptData {
  readonly number: string;
  readonly locale: Locale;
  /** ISO 8601 instants, shown in `timeZone` (IANA). */
  readonly issuedAt: string;
  readonly paidAt: string;
  readonly timeZone: string;
  readonly seller: { readonly name: string; readonly address: string };
  readonly buyer: { readonly name: string; readonly address: string };
  readonly amount: Money;
  /** Of the invoice, after this payment. */
  readonly outstanding: Money;
  /** As a person calls it: "Midtrans, BCA VA". */
  readonly through: string;
  readonly reference: string;
  readonly invoiceNumber: string;
  readonly instalment: { readonly position: number; readonly count: number } | null;
  /** The licence, or the plan of a subscription; null = the invoice is of neither. */
  readonly about: { readonly name: Bilingual; readonly isPlan: boolean } | null;
}

export function renderReceipt(data: ReceiptData): Promise<Buffer> {
  const words = RECEIPT_WORDS[data.locale];
  const doc = openDocument({
    title: `${words.receipt} ${data.number}`,
    author: data.seller.name,
    subject: `${words.receipt} ${data.number}, ${data.buyer.name}`,
    createdAt: parse(data.issuedAt),
    language: data.locale,
  });
  const issued = formatDay(data.issuedAt, data.timeZone, data.locale);
  let y = heading(doc, { title: words.receipt, number: data.number, facts: [[words.issued, issued]] });
  y = parties(doc, { label: words.issuer, ...data.seller }, { label: words.receivedFrom, ...data.buyer }, y);
  y = amount(doc, data, words, y);
  for (const [label, value] of factsOf(data, words)) y = fact(doc, label, value, y);
  notes(doc, [isSettled(data) ? words.settledNote : words.owedNote], y + 14);
  return finish(doc);
}

const isSettled = ({ outstanding }: ReceiptData): boolean => outstanding.amountMinor === 0n;

function amount(doc: Pdf, data: ReceiptData, words: ReceiptWords, top: number): number {
  doc.rect(SIDE, top, WIDTH, 40).fill('#eef1f5');
  write(doc, words.amount, SIDE + 12, top + 14, 200, { font: SANS, size: 10, color: INK.muted });
  const style = { font: BOLD, size: 16, color: INK.accent, align: 'right' } as const;
  write(doc, formatMoney(data.amount), SIDE + 212, top + 12, WIDTH - 224, style);
  return top + 54;
}

function factsOf(data: ReceiptData, words: ReceiptWords): [string, string][] {
  const { instalment, about } = data;
  return [
    [words.paidAt, formatInstant(data.paidAt, data.timeZone, data.locale)],
    [words.paidThrough, data.through],
    [words.reference, data.reference],
    [words.invoice, data.invoiceNumber],
    ...(instalment
      ? [[words.instalment, words.instalmentOf(instalment.position, instalment.count)] satisfies [string, string]]
      : []),
    ...(about
      ? [[about.isPlan ? words.aboutPlan : words.about, about.name[data.locale]] satisfies [string, string]]
      : []),
    [words.outstanding, isSettled(data) ? words.settled : formatMoney(data.outstanding)],
  ];
}

function fact(doc: Pdf, label: string, value: string, top: number): number {
  write(doc, label, SIDE + 12, top, 150, { font: SANS, size: 9, color: INK.muted });
  const end = write(doc, value, SIDE + 172, top, WIDTH - 184, { font: SANS, size: 10 }) + 5;
  rule(doc, SIDE, end, WIDTH, INK.line);
  return end + 7;
}
