/** The table of what is charged, or given back, and its sums: the same on an invoice and on a credit note. */
import type { TaxRule } from '../../domain/invoicing.ts';
import type { Locale } from '../../domain/mail.ts';
import { add, type Currency, formatMoney, type Money, money, sum } from '../../domain/money.ts';
import type { InvoiceWords } from './invoice-words.ts';
import { type Bilingual, INK, type Pdf, rule, write } from './layout.ts';
import { BOLD, PAGE_END, SANS, SIDE, WIDTH } from './paper.ts';

export interface InvoiceTax {
  /** By which it was computed; null = the invoice does not say, so that only the amount is told. */
  readonly rule: TaxRule | null;
  readonly amount: Money;
}

export interface InvoiceLine {
  readonly description: Bilingual;
  /** What is charged without tax, the discount taken off. */
  readonly net: Money;
  /** Absent = none. */
  readonly discount?: Money;
  /** null = a statutory fee, which carries no PPN. */
  readonly tax: InvoiceTax | null;
}

export interface PricedLines {
  /** Names the document in an error. */
  readonly number: string;
  readonly locale: Locale;
  /** At least one, all of one currency. */
  readonly lines: readonly InvoiceLine[];
}

export type TableWords = Pick<
  InvoiceWords,
  'columns' | 'untaxed' | 'discounted' | 'subtotal' | 'taxBase' | 'tax' | 'total' | 'taxNote' | 'untaxedNote'
>;

const COLUMNS = {
  description: { x: SIDE, width: 205 },
  net: { x: SIDE + 215, width: 90 },
  tax: { x: SIDE + 315, width: 85 },
  total: { x: SIDE + 405, width: WIDTH - 405 },
} as const;

/** @throws RangeError when there is no line */
export function currencyOf({ number, lines }: PricedLines): Currency {
  const [first] = lines;
  if (!first) throw new RangeError(`Invoice ${number} has no line.`);
  return first.net.currency;
}

/** The table, and below it the sums. @returns the y below them */
export const pricedLines = (doc: Pdf, data: PricedLines, words: TableWords, top: number): number =>
  totals(doc, data, words, currencyOf(data), table(doc, data, words, top));

/** What has to be said about the tax. */
export function taxNotes({ lines }: PricedLines, words: TableWords): string[] {
  const reduced = lines.find(isReducedBase)?.tax?.rule;
  return [
    ...(reduced
      ? [words.taxNote(reduced.ratePercent, reduced.baseNumerator, reduced.baseDenominator, reduced.source)]
      : []),
    ...(lines.some(({ tax }) => tax === null) ? [words.untaxedNote] : []),
  ];
}

function table(doc: Pdf, data: PricedLines, words: TableWords, top: number): number {
  let y = tableHead(doc, words, top);
  for (const line of data.lines) {
    const description = line.description[data.locale];
    doc.font(SANS).fontSize(9.5);
    const height = doc.heightOfString(description, { width: COLUMNS.description.width }) + (line.discount ? 24 : 14);
    if (y + height > PAGE_END) {
      doc.addPage();
      y = tableHead(doc, words, 50);
    }
    y = row(doc, line, description, words, y);
  }
  return y;
}

function tableHead(doc: Pdf, words: TableWords, y: number): number {
  doc.rect(SIDE, y, WIDTH, 20).fill('#eef1f5');
  const style = { font: BOLD, size: 8.5, color: INK.accent };
  for (const column of ['description', 'net', 'tax', 'total'] as const) {
    const align = column === 'description' ? 'left' : 'right';
    const { x, width } = COLUMNS[column];
    write(doc, words.columns[column], align === 'left' ? x + 6 : x, y + 6, width - 6, { ...style, align });
  }
  return y + 20;
}

function row(doc: Pdf, line: InvoiceLine, description: string, words: TableWords, top: number): number {
  const y = top + 6;
  const style = { font: SANS, size: 9.5 };
  const amount = (column: 'net' | 'tax' | 'total', text: string) =>
    write(doc, text, COLUMNS[column].x, y, COLUMNS[column].width - 6, { ...style, align: 'right' });
  const end = write(doc, description, COLUMNS.description.x + 6, y, COLUMNS.description.width - 6, style);
  amount('net', formatMoney(line.net));
  const taxEnd = amount('tax', line.tax ? formatMoney(line.tax.amount) : '–');
  const rateStyle = { font: SANS, size: 7.5, color: INK.muted, align: 'right' } as const;
  const rateEnd = write(doc, rateOf(line, words), COLUMNS.tax.x, taxEnd, COLUMNS.tax.width - 6, rateStyle);
  amount('total', formatMoney(gross(line)));
  const bottom = Math.max(discountOf(doc, line, words, end), rateEnd) + 5;
  rule(doc, SIDE, bottom, WIDTH, INK.line);
  return bottom;
}

function rateOf({ tax }: InvoiceLine, words: TableWords): string {
  if (tax === null) return words.untaxed;
  return tax.rule ? `${tax.rule.ratePercent} %` : '';
}

/** What the price was before, in small letters under what it is for. */
function discountOf(doc: Pdf, { net, discount }: InvoiceLine, words: TableWords, y: number): number {
  if (!discount || discount.amountMinor === 0n) return y;
  const text = words.discounted(formatMoney(add(net, discount)), formatMoney(discount));
  const style = { font: SANS, size: 7.5, color: INK.muted };
  return write(doc, text, COLUMNS.description.x + 6, y, COLUMNS.description.width - 6, style);
}

function totals(doc: Pdf, data: PricedLines, words: TableWords, currency: Currency, top: number): number {
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

function totalsOf({ lines }: PricedLines, words: TableWords, currency: Currency): [string, Money][] {
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

/** 11/12 under PMK 131/2024 (DPP nilai lain), 1/1 where the base is the whole price. */
const isReducedBase = ({ tax }: InvoiceLine): boolean =>
  tax?.rule != null && tax.rule.baseNumerator !== tax.rule.baseDenominator;

/** For show, rounded once to the nearest unit; each tax was computed from its exact fraction. */
function taxBase(lines: readonly InvoiceLine[], currency: Currency): Money {
  let numerator = 0n;
  let denominator = 1n;
  for (const { net, tax } of lines) {
    if (!tax?.rule) continue;
    const part = BigInt(tax.rule.baseDenominator);
    numerator = numerator * part + net.amountMinor * BigInt(tax.rule.baseNumerator) * denominator;
    denominator *= part;
  }
  return money((2n * numerator + denominator) / (2n * denominator), currency);
}

const gross = ({ net, tax }: InvoiceLine): Money => (tax ? add(net, tax.amount) : net);
