/** Papers as people upload them, and as nobody should. */
import { deflateSync } from 'node:zlib';
import PDFDocument from 'pdfkit';

interface Parts {
  /** Into the catalogue. */
  readonly catalog?: string;
  /** Into the page. */
  readonly page?: string;
  /** Further objects, from number 4 on. */
  readonly objects?: readonly (string | Buffer)[];
  /** After the end: makes one file differ from another. */
  readonly mark?: string;
}

/** A PDF of one empty page, as small as a reader takes it. */
export function aPdf({ catalog = '', page = '', objects = [], mark = '' }: Parts = {}): Buffer {
  const object = (number: number, content: string | Buffer) =>
    Buffer.concat([Buffer.from(`${number} 0 obj\n`), Buffer.from(content), Buffer.from('\nendobj\n')]);
  return Buffer.concat([
    Buffer.from('%PDF-1.7\n'),
    object(1, `<</Type/Catalog/Pages 2 0 R${catalog}>>`),
    object(2, '<</Type/Pages/Kids[3 0 R]/Count 1>>'),
    object(3, `<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]${page}>>`),
    ...objects.map((content, index) => object(index + 4, content)),
    Buffer.from(`trailer\n<</Root 1 0 R/Size ${objects.length + 4}>>\n${mark && `%${mark}\n`}%%EOF\n`),
  ]);
}

/** A few kilobytes that a reader unpacks to as many megabytes. */
export function aBomb(megabytes: number): Buffer {
  const packed = deflateSync(Buffer.alloc(megabytes * 1024 * 1024, 'x'), { level: 9 });
  const head = `<</Type/Metadata/Subtype/XML/Filter/FlateDecode/Length ${packed.length}>>\nstream\n`;
  const metadata = Buffer.concat([Buffer.from(head), packed, Buffer.from('\nendstream')]);
  return aPdf({ catalog: '/Metadata 4 0 R', objects: [metadata] });
}

/** As a word processor writes it. */
export function aWrittenPdf(
  options: PDFKit.PDFDocumentOptions,
  write: (pdf: PDFKit.PDFDocument) => void = () => undefined,
): Promise<Buffer> {
  const pdf = new PDFDocument(options);
  const pieces: Buffer[] = [];
  pdf.on('data', (piece: Buffer) => void pieces.push(piece));
  write(pdf);
  pdf.end();
  return new Promise((resolve, reject) => {
    pdf.on('end', () => resolve(Buffer.concat(pieces)));
    pdf.on('error', reject);
  });
}

/** The beginning of a PNG of this size, which is all that says its size. */
export function aPng(width: number, height: number): Buffer {
  const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000000000000000806000000', 'hex');
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  return Buffer.concat([png, Buffer.alloc(4)]);
}
