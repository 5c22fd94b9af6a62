import type { FileStore } from '../db/files.ts';
import type { Sha256 } from '../domain/ids.ts';
import { type StreamReply, stream } from './reply.ts';

/**
 * A PDF that Alur made and stored, shown in the browser.
 * @param number of the licence or invoice: the file is called after it, with hyphens for its slashes
 */
export async function storedPdf(files: FileStore, sha256: Sha256, number: string): Promise<StreamReply> {
  const file = await files.open(sha256);
  if (!file) throw new Error(`the PDF of ${number} is missing from the store`);
  return stream('application/pdf', file.stream, {
    bytes: file.bytes,
    filename: `${number.replaceAll('/', '-')}.pdf`,
    disposition: 'inline',
    etag: `"${sha256}"`,
    headers: { 'Cache-Control': 'private, no-cache' },
  });
}
