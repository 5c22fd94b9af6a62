/** Documents to attach: small ones, and true to their type, for the API looks at the content. */
import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';
import QRCode from 'qrcode';

export interface Paper {
  readonly filename: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/** @param kind of the licence type's checklist: a photo becomes a PNG, anything else a PDF of one page */
export async function paperFor(kind: string, about: string): Promise<Paper> {
  if (kind.endsWith('_photo')) {
    const content = await QRCode.toBuffer(`${kind}: ${about}`, { type: 'png', width: 240 });
    return { filename: `${kind}.png`, contentType: 'image/png', content };
  }
  return { filename: `${kind}.pdf`, contentType: 'application/pdf', content: await onePage(kind, about) };
}

async function onePage(kind: string, about: string): Promise<Buffer> {
  const document = new PDFDocument({ size: 'A5', info: { Title: kind } });
  document.fontSize(18).text(kind.replaceAll('_', ' ')).moveDown();
  document.fontSize(11).text(about).moveDown();
  document.text('Made by the demonstration; nothing in it is real.');
  document.end();
  return buffer(document);
}
