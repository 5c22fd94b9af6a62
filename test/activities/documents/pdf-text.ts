import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import PDFDocument from 'pdfkit';

/** One stretch of text as the PDF places it, in points from the page's lower left corner. */
export interface TextRun {
  readonly page: number;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly right: number;
}

const TEXT_RUN = /1 0 0 1 ([\d.-]+) ([\d.-]+) Tm\n\/(F\d+) ([\d.]+) Tf\n(?:([\d.]+) Tc\n)?\[(.*?)\] TJ/g;
const windows1252: Record<string, string> = { '\u0096': '–', '\u0092': '’' };

/** The text of a PDF that pdfkit made with standard fonts. */
export function textRunsOf(pdf: Buffer): TextRun[] {
  const fonts = fontNamesOf(pdf);
  const ruler = new PDFDocument();
  return contentStreams(pdf).flatMap((content, page) =>
    [...content.matchAll(TEXT_RUN)].map(([, x, y, font, size, spacing, glyphs]) => {
      const text = [...String(glyphs).matchAll(/<([0-9a-f]+)>/g)]
        .map(([, hex]) => Buffer.from(String(hex), 'hex').toString('latin1'))
        .join('')
        .replace(/[\u0080-\u009f]/g, (code) => windows1252[code] ?? '\ufffd');
      ruler.font(fonts.get(String(font)) ?? assert.fail(`font ${font}`)).fontSize(Number(size));
      const width = ruler.widthOfString(text, { characterSpacing: Number(spacing ?? 0) });
      return { page, text, x: Number(x), y: Number(y), right: Number(x) + width };
    }),
  );
}

export const linesOf = (pdf: Buffer): string[] => textRunsOf(pdf).map(({ text }) => text.trim());

function contentStreams(pdf: Buffer): string[] {
  const source = pdf.toString('latin1');
  return [...source.matchAll(/\/Filter \/FlateDecode\n>>\nstream\n/g)].flatMap((match) => {
    const start = match.index + match[0].length;
    const end = source.indexOf('\nendstream', start);
    const content = inflateSync(pdf.subarray(start, end)).toString('latin1');
    return content.includes(' TJ') ? [content] : [];
  });
}

function fontNamesOf(pdf: Buffer): Map<string, string> {
  const source = pdf.toString('latin1');
  const names = new Map<string, string>();
  for (const [, label, object] of source.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
    const base = new RegExp(`\\n${object} 0 obj\\n<<[^>]*/BaseFont /([\\w-]+)`).exec(source);
    names.set(String(label), String(base?.[1]));
  }
  return names;
}
