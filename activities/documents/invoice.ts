/** The invoice in its payer's language; the same bytes for the same data. */
import type { Locale } from '../../domain/mail.ts';
import { add, type Currency, formatMoney, type Money, money, sum } from '../../domain/money.ts';
import type { InvoiceState } from '../../domain/payments.ts';
import { formatDay, formatInstant, parse } from './dates.ts';
import { INVOICE_WORDS, type InvoiceWords } from './invoice-words.ts';
import { A4, type Bilingual, finish, INK, openDocument, type Pdf, rule, write } from './layout.ts';

export interface InvoiceTax {
  /** The rate on paper, in percent: 12. */
  readonly ratePercent: number;
  /** What part of the price is the tax base: 11/12 under PMK 131/2024 (DPP nilai lain), 1/1 where it is the whole. */
  readonly base: { readonly numerator: number; readonly denominator: number };
  readonly amount: Money;
}

export interface InvoiceLine {
  readonly description: Bilingual;
  readonly net: Money;
  /** null = a statutory fee, which carries no PPN. */
  readonly tax: InvoiceTax | null;
}

export interface InvoiceData {
  readonly number: string;
  readonly status: InvoiceState;
  readonly locale: Locale;
  /** ISO 8601 instants, shown in `timeZone` (IANA). */
  readonly issuedAt: string;
  readonly dueAt: string;
  readonly paidAt: string | null;
  readonly timeZone: string;
  readonly seller: { readonly name: string; readonly address: string };
  readonly buyer: { readonly name: string; readonly address: string };
  /** At least one, all of one currency. */
  readonly lines: readonly InvoiceLine[];
}

const SANS = 'Helvetica';
const BOLD = 'Helvetica-Bold';
const SIDE = 50;
const WIDTH = A4.width - 2 * SIDE;
const PAGE_END = A4.height - 60;
const COLUMNS = {
  description: { x: SIDE, width: 205 },
  net: { x: SIDE + 215, width: 90 },
  tax: { x: SIDE + 315, width: 85 },
  total: { x: SIDE + 405, width: WIDTH - 405 },
} as const;

const STATUS_COLOR: Record<InvoiceState, string> = {
  open: '#a15c00',
  paid: '#1b6e3c',
  lapsed: '#8a1c1c',
  void: INK.muted,
  reversed: '#8a1c1c',
};

/** @throws RangeError when there is no line, currencies are mixed or a date is not ISO 8601 */
export function renderInvoice(data: InvoiceData): Promise<Buffer> {
  const currency = currencyOf(data);
  const words = INVOICE_WORDS[data.locale];
  const doc = openDocument({
    title: `${words.invoice} ${data.number}`,
    author: data.seller.name,
    subject: `${words.invoice} ${data.number}, ${data.buyer.name}, ${words.status[data.status]}`,
    createdAt: parse(data.issuedAt),
    language: data.locale,
  });
  let y = heading(doc, data, words);
  y = parties(doc, data, words, y);
  y = table(doc, data, words, y);
  y = totals(doc, data, words, currency, y);
  notes(doc, data, words, y);
  return finish(doc);
}

function currencyOf({ number, lines }: InvoiceData): Currency {
  const [first] = lines;
  if (!first) throw new RangeError(`Invoice ${number} has no line.`);
  return first.net.currency;
}

function heading(doc: Pdf, data: InvoiceData, words: InvoiceWords): number {
  const half = WIDTH / 2 - 10;
  const right = SIDE + half + 20;
  write(doc, words.invoice.toUpperCase(), SIDE, 50, half, { font: BOLD, size: 24, color: INK.accent });
  const left = write(doc, data.number, SIDE, 80, half, { font: BOLD, size: 11 });
  const badge = words.status[data.status].toUpperCase();
  write(doc, badge, right, 54, half, { font: BOLD, size: 14, color: STATUS_COLOR[data.status], align: 'right' });
  let y = 78;
  for (const [label, value] of datesOf(data, words)) {
    y = write(doc, `${label}: ${value}`, right, y, half, { font: SANS, size: 9, align: 'right' });
  }
  const end = Math.max(left, y) + 10;
  rule(doc, SIDE, end, WIDTH, INK.accent, 1.2);
  return end + 14;
}

function datesOf(data: InvoiceData, words: InvoiceWords): [string, string][] {
  const { issuedAt, dueAt, paidAt, timeZone, locale } = data;
  const dates: [string, string][] = [
    [words.issued, formatDay(issuedAt, timeZone, locale)],
    [words.due, formatInstant(dueAt, timeZone, locale)],
  ];
  return paidAt === null ? dates : [...dates, [words.paid, formatInstant(paidAt, timeZone, locale)]];
}

function parties(doc: Pdf, data: InvoiceData, words: InvoiceWords, top: number): number {
  const half = WIDTH / 2 - 10;
  const party = (label: string, { name, address }: InvoiceData['seller'], x: number) => {
    let y = write(doc, label, x, top, half, { font: SANS, size: 8, color: INK.muted });
    y = write(doc, name, x, y + 2, half, { font: BOLD, size: 10.5 });
    return write(doc, address, x, y + 1, half, { font: SANS, size: 9 });
  };
  const seller = party(words.seller, data.seller, SIDE);
  const buyer = party(words.buyer, data.buyer, SIDE + half + 20);
  return Math.max(seller, buyer) + 20;
}

function table(doc: Pdf, data: InvoiceData, words: InvoiceWords, top: number): number {
  let y = tableHead(doc, words, top);
  for (const line of data.lines) {
    const description = line.description[data.locale];
    doc.font(SANS).fontSize(9.5);
    const height = doc.heightOfString(description, { width: COLUMNS.description.width }) + 14;
    if (y + height > PAGE_END) {
      doc.addPage();
      y = tableHead(doc, words, 50);
    }
    y = row(doc, line, description, words, y);
  }
  return y;
}

function tableHead(doc: Pdf, words: InvoiceWords, y: number): number {
  doc.rect(SIDE, y, WIDTH, 20).fill('#eef1f5');
  const style = { font: BOLD, size: 8.5, color: INK.accent };
  for (const column of ['description', 'net', 'tax', 'total'] as const) {
    const align = column === 'description' ? 'left' : 'right';
    const { x, width } = COLUMNS[column];
    write(doc, words.columns[column], align === 'left' ? x + 6 : x, y + 6, width - 6, { ...style, align });
  }
  return y + 20;
}

function row(doc: Pdf, line: InvoiceLine, description: string, words: InvoiceWords, top: number): number {
  const y = top + 6;
  const style = { font: SANS, size: 9.5 };
  const amount = (column: 'net' | 'tax' | 'total', text: string) =>
    write(doc, text, COLUMNS[column].x, y, COLUMNS[column].width - 6, { ...style, align: 'right' });
  const end = write(doc, description, COLUMNS.description.x + 6, y, COLUMNS.description.width - 6, style);
  amount('net', formatMoney(line.net));
  const taxEnd = amount('tax', line.tax ? formatMoney(line.tax.amount) : '–');
  const rate = line.tax ? `${line.tax.ratePercent} %` : words.untaxed;
  const rateStyle = { font: SANS, size: 7.5, color: INK.muted, align: 'right' } as const;
  const rateEnd = write(doc, rate, COLUMNS.tax.x, taxEnd, COLUMNS.tax.width - 6, rateStyle);
  amount('total', formatMoney(gross(line)));
  const bottom = Math.max(end, rateEnd) + 5;
  rule(doc, SIDE, bottom, WIDTH, INK.line);
  return bottom;
}

function totals(doc: Pdf, data: InvoiceData, words: InvoiceWords, currency: Currency, top: number): number {
  const rows = totalsOf(data, words, currency);
  let y = top + 12;
  if (y + rows.length * 16 + 60 > PAGE_END) {
    doc.addPage();
    y = 50;
  }
  for (const [label, amount] of rows) {
    const style = { font: SANS, size: 9.5, align: 'right' } as const;
    write(doc, label, SIDE + 120, y, 265, { ...style, color: INK.muted });
    y = write(doc, formatMoney(amount), COLUMNS.total.x - 20, y, COLUMNS.total.width + 14, style) + 3;
  }
  rule(doc, SIDE + 200, y + 2, WIDTH - 200, INK.accent, 1);
  const style = { font: BOLD, size: 12, color: INK.accent, align: 'right' } as const;
  write(doc, words.total, SIDE + 120, y + 9, 245, style);
  const due = formatMoney(sum(data.lines.map(gross), currency));
  return write(doc, due, COLUMNS.total.x - 40, y + 9, COLUMNS.total.width + 34, style) + 20;
}

function totalsOf({ lines }: InvoiceData, words: InvoiceWords, currency: Currency): [string, Money][] {
  const taxed = lines.filter(({ tax }) => tax !== null);
  const taxes = lines.flatMap(({ tax }) => (tax ? [tax.amount] : []));
  const rows: [string, Money][] = [
    [
      words.subtotal,
      sum(
        lines.map(({ net }) => net),
        currency,
      ),
    ],
  ];
  if (taxed.some(isReducedBase)) rows.push([words.taxBase, taxBase(taxed, currency)]);
  if (taxed.length > 0) rows.push([words.tax, sum(taxes, currency)]);
  return rows;
}

const isReducedBase = ({ tax }: InvoiceLine): boolean => tax !== null && tax.base.numerator !== tax.base.denominator;

/** For show, rounded once to the nearest unit; each tax was computed from its exact fraction. */
function taxBase(lines: readonly InvoiceLine[], currency: Currency): Money {
  let numerator = 0n;
  let denominator = 1n;
  for (const { net, tax } of lines) {
    if (tax === null) continue;
    const part = BigInt(tax.base.denominator);
    numerator = numerator * part + net.amountMinor * BigInt(tax.base.numerator) * denominator;
    denominator *= part;
  }
  return money((2n * numerator + denominator) / (2n * denominator), currency);
}

const gross = ({ net, tax }: InvoiceLine): Money => (tax ? add(net, tax.amount) : net);

function notes(doc: Pdf, data: InvoiceData, words: InvoiceWords, top: number): void {
  let y = top;
  const note = (text: string) => {
    y = write(doc, text, SIDE, y, WIDTH, { font: SANS, size: 8.5, color: INK.muted }) + 4;
  };
  const reduced = data.lines.find(isReducedBase)?.tax;
  if (reduced) note(words.taxNote(reduced.ratePercent, reduced.base.numerator, reduced.base.denominator));
  if (data.lines.some(({ tax }) => tax === null)) note(words.untaxedNote);
  if (data.status === 'open') note(words.openNote(formatInstant(data.dueAt, data.timeZone, data.locale)));
}
