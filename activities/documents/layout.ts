/** What the certificate and the invoice share: a document whose bytes depend on nothing but its data. */
import PDFDocument from 'pdfkit';
import { create } from 'qrcode';

export type Pdf = PDFKit.PDFDocument;

/** A text in both languages, as licence types and invoice lines carry it. */
export interface Bilingual {
  readonly id: string;
  readonly en: string;
}

export const A4 = { width: 595.28, height: 841.89 } as const;

export const INK = { text: '#1c2430', muted: '#5b6472', accent: '#12355b', gold: '#b08d3e', line: '#c9ced6' } as const;

export interface DocumentInfo {
  readonly title: string;
  readonly author: string;
  readonly subject: string;
  /** The document's own date, never the clock's: pdfkit derives the file's ID from these fields, so same in, same out. */
  readonly createdAt: Date;
  /** BCP 47, for screen readers. */
  readonly language: string;
  /** In points; by default A4. */
  readonly height?: number;
}

export function openDocument(info: DocumentInfo): Pdf {
  return new PDFDocument({
    size: [A4.width, info.height ?? A4.height],
    // Everything is placed by hand; a margin would make pdfkit break pages by itself.
    margin: 0,
    pdfVersion: '1.7',
    lang: info.language,
    displayTitle: true,
    info: {
      Title: printable(info.title),
      Author: printable(info.author),
      Subject: printable(info.subject),
      Creator: 'Alur',
      Producer: 'Alur',
      CreationDate: info.createdAt,
      ModDate: info.createdAt,
    },
  });
}

export function finish(doc: Pdf): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', () => resolve(Buffer.concat(chunks)));
    doc.on('error', reject);
    doc.end();
  });
}

export interface TextStyle {
  readonly font: string;
  readonly size: number;
  readonly color?: string;
  readonly align?: 'left' | 'center' | 'right';
  readonly characterSpacing?: number;
  readonly lineGap?: number;
}

/** Writes `text` into a column, wrapping where it must, and returns the y below it. */
export function write(doc: Pdf, text: string, x: number, y: number, width: number, style: TextStyle): number {
  const { align = 'left', characterSpacing = 0, lineGap = 1 } = style;
  doc
    .font(style.font)
    .fontSize(style.size)
    .fillColor(style.color ?? INK.text);
  const words = breakable(doc, printable(text), width, characterSpacing);
  doc.text(words, x, y, { width, align, characterSpacing, lineGap });
  return doc.y;
}

/** pdfkit wraps between words only; a word wider than the column (a URL, a name in one piece) is cut into lines. */
function breakable(doc: Pdf, text: string, width: number, characterSpacing: number): string {
  const fits = (word: string) => doc.widthOfString(word, { characterSpacing }) <= width;
  return text.replace(/\S+/g, (word) => (fits(word) ? word : cut(word, fits)));
}

function cut(word: string, fits: (part: string) => boolean): string {
  const lines: string[] = [''];
  for (const letter of word) {
    const line = `${lines.at(-1)}${letter}`;
    if (fits(line)) lines[lines.length - 1] = line;
    else lines.push(letter);
  }
  return lines.join('\n');
}

export function rule(doc: Pdf, x: number, y: number, width: number, color: string, thickness = 0.5): void {
  doc
    .moveTo(x, y)
    .lineTo(x + width, y)
    .lineWidth(thickness)
    .strokeColor(color)
    .stroke();
}

/** A QR code drawn as vectors, so that it stays sharp in print. The quiet zone of 4 modules is inside `size`. */
export function qrCode(doc: Pdf, text: string, x: number, y: number, size: number): void {
  const { modules } = create(text, { errorCorrectionLevel: 'M' });
  const quiet = 4;
  const module = size / (modules.size + 2 * quiet);
  modules.data.forEach((dark, index) => {
    if (!dark) return;
    const column = index % modules.size;
    const row = (index - column) / modules.size;
    doc.rect(x + (column + quiet) * module, y + (row + quiet) * module, module, module);
  });
  doc.fillColor('#000000').fill();
}

/** What the standard PDF fonts can show beside Latin-1: the rest of Windows-1252. */
const BEYOND_LATIN_1 = new Set('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ');

const isPrintable = (letter: string): boolean =>
  /[\x20-\x7e\xa0-\xac\xae-\xff]/.test(letter) || BEYOND_LATIN_1.has(letter);

/** Letters that the standard fonts lack lose their marks (`Ş` → `S`); what still cannot be shown becomes `?`. */
export function printable(text: string): string {
  return [...text.normalize('NFC')].map((letter) => (letter === '\n' ? letter : shown(letter))).join('');
}

function shown(letter: string): string {
  if (isPrintable(letter)) return letter;
  if (/\p{Mark}|\p{Cf}/u.test(letter)) return '';
  if (/\s/.test(letter)) return ' ';
  const bare = letter.normalize('NFKD').replace(/\p{Mark}/gu, '');
  return bare !== letter && [...bare].every(isPrintable) ? bare : '?';
}
