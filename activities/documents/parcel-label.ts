/** The label on the outside of a parcel, with its tracking number as text and as QR code; half a sheet. The same bytes for the same data. */
import type { Locale } from '../../domain/mail.ts';
import type { Direction } from '../../domain/shipments.ts';
import { formatDay, parse } from './dates.ts';
import { A4, finish, INK, openDocument, type Pdf, qrCode, rule, write } from './layout.ts';
import type { PaperPlace } from './packing-slip.ts';
import { BOLD, SANS, SIDE, WIDTH } from './paper.ts';
import { PARCEL_WORDS, type ParcelWords } from './parcel-words.ts';

export interface ParcelLabelData {
  readonly direction: Direction;
  /** Of the order, or of the return. */
  readonly number: string;
  readonly locale: Locale;
  /** ISO 8601, shown in `timeZone` (IANA). */
  readonly printedAt: string;
  readonly timeZone: string;
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly weightGrams: number;
  readonly from: PaperPlace;
  readonly to: PaperPlace;
}

/** Half of a sheet: the rest is to be cut off. */
const HEIGHT = A4.height / 2;
const QR = 170;

export function renderParcelLabel(data: ParcelLabelData): Promise<Buffer> {
  const words = PARCEL_WORDS[data.locale];
  const title = data.direction === 'back' ? words.returnLabel : words.label;
  const doc = openDocument({
    title: `${title} ${data.trackingNumber}`,
    author: data.carrier,
    subject: `${title} ${data.number}`,
    createdAt: parse(data.printedAt),
    language: data.locale,
    height: HEIGHT,
  });
  let y = write(doc, title.toUpperCase(), SIDE, 34, WIDTH, { font: BOLD, size: 16, color: INK.accent });
  const about = data.direction === 'back' ? words.returned : words.order;
  const printed = formatDay(data.printedAt, data.timeZone, data.locale);
  const facts = `${about}: ${data.number} · ${words.printed}: ${printed}`;
  y = write(doc, facts, SIDE, y + 2, WIDTH, { font: SANS, size: 9, color: INK.muted });
  rule(doc, SIDE, y + 6, WIDTH, INK.accent, 1.2);
  y += 16;
  qrCode(doc, data.trackingNumber, SIDE + WIDTH - QR, y - 6, QR);
  y = tracking(doc, data, words, y);
  y = place(doc, words, words.to, data.to, y, 13);
  y = place(doc, words, words.from, data.from, y, 9.5);
  if (data.weightGrams > 0)
    y = write(doc, words.weight(data.weightGrams), SIDE, y, LEFT, { font: SANS, size: 9, color: INK.muted });
  const note = data.direction === 'back' ? words.returnNote : words.labelNote;
  write(doc, note, SIDE, HEIGHT - 46, WIDTH, { font: SANS, size: 8.5, color: INK.muted });
  return finish(doc);
}

const LEFT = WIDTH - QR - 16;

function tracking(doc: Pdf, data: ParcelLabelData, words: ParcelWords, top: number): number {
  const label = `${data.carrier.toUpperCase()} · ${words.tracking}`;
  const y = write(doc, label, SIDE, top, LEFT, { font: SANS, size: 8, color: INK.muted });
  return write(doc, data.trackingNumber, SIDE, y + 1, LEFT, { font: BOLD, size: 18 }) + 10;
}

function place(doc: Pdf, words: ParcelWords, label: string, who: PaperPlace, top: number, size: number): number {
  let y = write(doc, label, SIDE, top, LEFT, { font: SANS, size: 8, color: INK.muted });
  y = write(doc, who.name, SIDE, y + 1, LEFT, { font: BOLD, size });
  y = write(doc, who.address, SIDE, y, LEFT, { font: SANS, size: size - 1 });
  if (who.phone !== null) y = write(doc, words.phone(who.phone), SIDE, y, LEFT, { font: SANS, size: size - 1 });
  return y + 8;
}
