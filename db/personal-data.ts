/** Tax numbers at rest: AES-256-GCM, and a keyed hash that finds a duplicate without reading one. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

export interface PersonalData {
  /** Another text each time, even for the same value. `column` is bound in: a value does not open in another column. */
  seal(value: string, column: string): Buffer;
  /** @throws Error when the bytes were altered, belong to another column or were sealed with another key. */
  open(sealed: Buffer, column: string): string;
  /** 64 hex digits, the same for the same value and column. */
  fingerprint(value: string, column: string): string;
}

/** First byte of what is stored, so that a later form or key can be told apart. */
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @param key 32 bytes; one key for each use is derived from it (HKDF, RFC 5869). */
export function createPersonalData(key: Buffer): PersonalData {
  const sealKey = derive(key, 'alur/personal-data/seal');
  const fingerprintKey = derive(key, 'alur/personal-data/fingerprint');
  return {
    seal(value, column) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKey, iv).setAAD(Buffer.from(column));
      const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), text]);
    },
    open(sealed, column) {
      if (sealed.at(0) !== VERSION) throw new Error(`${column} holds a sealed value of an unknown form`);
      const [iv, tag, text] = split(sealed);
      const decipher = createDecipheriv('aes-256-gcm', sealKey, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(column)).setAuthTag(tag);
      return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
    },
    fingerprint: (value, column) => createHmac('sha256', fingerprintKey).update(`${column}\n${value}`).digest('hex'),
  };
}

/** 32 bytes for one purpose; knowing one derived key tells nothing about the others. */
export const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), purpose, 32));

function split(sealed: Buffer): [iv: Buffer, tag: Buffer, text: Buffer] {
  const [tagAt, textAt] = [1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES];
  return [sealed.subarray(1, tagAt), sealed.subarray(tagAt, textAt), sealed.subarray(textAt)];
}
