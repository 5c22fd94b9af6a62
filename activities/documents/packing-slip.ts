/** What lies in a parcel, for whoever packs and whoever opens it; no prices. The same bytes for the same data. */
import type { Locale } from '../../domain/mail.ts';
import { formatDay, parse } from './dates.ts';
import { type Bilingual, finish, INK, openDocument, type Pdf, rule, write } from './layout.ts';
import { BOLD, heading, notes, PAGE_END, parties, SANS, SIDE, WIDTH } from './paper.ts';
import { PARCEL_WORDS, type ParcelWords } from './parcel-words.ts';

export interface PaperPlace {
  readonly name: string;
  readonly address: string;
  /** null = not known. */
  readonly phone: string | null;
}

export interface PackingSlipData {
  readonly orderNumber: string;
  readonly locale: Locale;
  /** ISO 8601, shown in `timeZone` (IANA). */
  readonly packedAt: string;
  readonly timeZone: string;
  readonly carrier: string;
  readonly trackingNumber: string | null;
  readonly from: PaperPlace;
  readonly to: PaperPlace;
  readonly lines: readonly {
    readonly sku: string;
    readonly name: Bilingual;
    readonly quantity: number;
    readonly serials: readonly string[];
    readonly batches: readonly string[];
  }[];
}

export function renderPackingSlip(data: PackingSlipData): Promise<Buffer> {
  const words = PARCEL_WORDS[data.locale];
  const doc = openDocument({
    title: `${words.packingSlip} ${data.orderNumber}`,
    author: data.from.name,
    subject: `${words.packingSlip} ${data.orderNumber}`,
    createdAt: parse(data.packedAt),
    language: data.locale,
  });
  const packed = formatDay(data.packedAt, data.timeZone, data.locale);
  let y = heading(doc, {
    title: words.packingSlip,
    number: data.orderNumber,
    facts: [
      [words.packed, packed],
      [words.carrier, data.carrier],
      [words.tracking, data.trackingNumber ?? words.noTracking],
    ],
  });
  y = parties(doc, partyOf(words, words.from, data.from), partyOf(words, words.to, data.to), y);
  y = tableHead(doc, words, y);
  for (const line of data.lines) y = tableLine(doc, line, data.locale, roomFor(doc, words, y));
  const units = data.lines.reduce((sum, { quantity }) => sum + quantity, 0);
  y = write(doc, words.count(units), SIDE, y + 6, WIDTH, { font: BOLD, size: 10 });
  notes(doc, [words.slipNote], y + 14);
  return finish(doc);
}

/** Name, address and telephone of one side. */
export const partyOf = (words: ParcelWords, label: string, { name, address, phone }: PaperPlace) => ({
  label,
  name,
  address: phone === null ? address : `${address}\n${words.phone(phone)}`,
});

const QUANTITY = 70;

function tableHead(doc: Pdf, words: ParcelWords, top: number): number {
  write(doc, words.item, SIDE, top, WIDTH - QUANTITY, { font: SANS, size: 8, color: INK.muted });
  const style = { font: SANS, size: 8, color: INK.muted, align: 'right' } as const;
  const y = write(doc, words.quantity, SIDE + WIDTH - QUANTITY, top, QUANTITY, style) + 3;
  rule(doc, SIDE, y, WIDTH, INK.line);
  return y + 6;
}

function tableLine(doc: Pdf, line: PackingSlipData['lines'][number], locale: Locale, top: number): number {
  const words = PARCEL_WORDS[locale];
  const wide = WIDTH - QUANTITY - 10;
  const style = { font: BOLD, size: 11, align: 'right' } as const;
  write(doc, String(line.quantity), SIDE + WIDTH - QUANTITY, top, QUANTITY, style);
  let y = write(doc, line.name[locale], SIDE, top, wide, { font: BOLD, size: 10 });
  const small = { font: SANS, size: 8.5, color: INK.muted } as const;
  y = write(doc, line.sku, SIDE, y, wide, small);
  if (line.serials.length > 0) y = write(doc, words.serials(line.serials.join(', ')), SIDE, y, wide, small);
  if (line.batches.length > 0) y = write(doc, words.batches(line.batches.join(', ')), SIDE, y, wide, small);
  rule(doc, SIDE, y + 3, WIDTH, INK.line);
  return y + 9;
}

/** A line with many serial numbers may be high: a new page begins early rather than late. */
function roomFor(doc: Pdf, words: ParcelWords, y: number): number {
  if (y < PAGE_END - 120) return y;
  doc.addPage();
  return tableHead(doc, words, 50);
}
