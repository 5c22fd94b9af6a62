/**
 * Tokens of links and codes in letters. Each is made from its row's ID and a key, so that whoever sends the letter, and
 * sends it again after a crash, writes the same one, while the database holds only its hash and the outbox nothing.
 */
import { createHmac, hash } from 'node:crypto';
import { derive } from './personal-data.ts';

/** 43 characters of base64url: 256 bits. @param secretKey 32 bytes @param id of the row in `link_tokens` */
export const linkToken = (secretKey: Buffer, id: string): string =>
  createHmac('sha256', derive(secretKey, 'alur/link-token')).update(id).digest('base64url');

/** Six digits. @param id of the row in `sent_codes` */
export const sentCode = (secretKey: Buffer, id: string): string => {
  const bytes = createHmac('sha256', derive(secretKey, 'alur/sent-code')).update(id).digest();
  return String(bytes.readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
};

/** What is stored of a token with 128 bits or more: there is nothing to guess, so no slow hash is needed. */
export const hashOfSecret = (secret: string): string => hash('sha256', secret);

/** What is stored of a code that is short enough to be guessed from a plain hash. @param scope such as the person's ID */
export const hashOfCode = (secretKey: Buffer, scope: string, code: string): string =>
  createHmac('sha256', derive(secretKey, 'alur/code-hash')).update(`${scope}\n${code}`).digest('hex');
