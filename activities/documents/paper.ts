/** What invoice, receipt and credit note share: heading, the two parties, notes. */
import { A4, INK, type Pdf, rule, write } from './layout.ts';

export const SANS = 'Helvetica';
export const BOLD = 'Helvetica-Bold';
export const SIDE = 50;
export const WIDTH = A4.width - 2 * SIDE;
export const PAGE_END = A4.height - 60;

const HALF = WIDTH / 2 - 10;
const RIGHT = SIDE + HALF + 20;

export interface Heading {
  readonly title: string;
  readonly number: string;
  /** In capitals on the right. */
  readonly badge?: { readonly text: string; readonly color: string };
  /** Label and value, below the badge. */
  readonly facts: readonly (readonly [string, string])[];
}

/** @returns the y below it */
export function heading(doc: Pdf, { title, number, badge, facts }: Heading): number {
  write(doc, title.toUpperCase(), SIDE, 50, HALF, { font: BOLD, size: 24, color: INK.accent });
  const left = write(doc, number, SIDE, 80, HALF, { font: BOLD, size: 11 });
  if (badge) {
    const style = { font: BOLD, size: 14, color: badge.color, align: 'right' } as const;
    write(doc, badge.text.toUpperCase(), RIGHT, 54, HALF, style);
  }
  let y = 78;
  for (const [label, value] of facts) {
    y = write(doc, `${label}: ${value}`, RIGHT, y, HALF, { font: SANS, size: 9, align: 'right' });
  }
  const end = Math.max(left, y) + 10;
  rule(doc, SIDE, end, WIDTH, INK.accent, 1.2);
  return end + 14;
}

export interface Party {
  /** What it is: who issued it, or to whom. */
  readonly label: string;
  readonly name: string;
  readonly address: string;
}

export function parties(doc: Pdf, seller: Party, buyer: Party, top: number): number {
  const party = ({ label, name, address }: Party, x: number) => {
    let y = write(doc, label, x, top, HALF, { font: SANS, size: 8, color: INK.muted });
    y = write(doc, name, x, y + 2, HALF, { font: BOLD, size: 10.5 });
    return write(doc, address, x, y + 1, HALF, { font: SANS, size: 9 });
  };
  return Math.max(party(seller, SIDE), party(buyer, RIGHT)) + 20;
}

export function notes(doc: Pdf, texts: readonly string[], top: number): void {
  let y = top;
  for (const text of texts) y = write(doc, text, SIDE, y, WIDTH, { font: SANS, size: 8.5, color: INK.muted }) + 4;
}
