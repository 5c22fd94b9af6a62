/** Personal numbers at rest: AES-256-GCM, and a keyed hash that finds a duplicate without reading one. */
import { createCipheriv, createDecipheriv, createHmac, hash, hkdfSync, randomBytes } from 'node:crypto';

export interface PersonalData {
  /** Another text each time, even for the same value. `column` is bound in: a value does not open in another column. */
  seal(value: string, column: string): Buffer;
  /** @throws Error when the bytes were altered, belong to another column or were sealed with a key that is not there. */
  open(sealed: Buffer, column: string): string;
  /** 64 hex digits, the same for the same value and column: what is stored beside a sealed value. */
  fingerprint(value: string, column: string): string;
  /** The fingerprint under every key, the current one's first: what a search has to look for while keys are changed. */
  fingerprints(value: string, column: string): string[];
  /** How every value begins that the current key has sealed; what begins otherwise, the rotation has yet to seal anew. */
  readonly currentPrefix: Buffer;
  /** Names the current key without telling it: 8 hex digits. */
  readonly keyId: string;
  /** Of every key that is there, the current one's first. */
  readonly keyIds: readonly string[];
}

/** First byte of what is stored, then the key's ID. The first form knew one key only and so did not name it. */
const UNNAMED = 1;
const NAMED = 2;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;

interface SealKey {
  readonly id: Buffer;
  readonly seal: Buffer;
  readonly fingerprint: Buffer;
}

/**
 * @param keys 32 bytes each: the first seals, the others, earlier ones, only open. A key for each use is derived from
 *   them (HKDF, RFC 5869).
 */
export function createPersonalData(keys: readonly Buffer[]): PersonalData {
  const known = keys.map(sealKey);
  const [current] = known;
  if (!current) throw new TypeError('personal data needs a key');
  return {
    seal(value, column) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.seal, iv).setAAD(Buffer.from(column));
      const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(NAMED), current.id, iv, cipher.getAuthTag(), text]);
    },
    open(sealed, column) {
      if (sealed.at(0) === UNNAMED) return openUnnamed(sealed.subarray(1), column, known);
      if (sealed.at(0) !== NAMED) throw new Error(`${column} holds a sealed value of an unknown form`);
      const id = sealed.subarray(1, 1 + KEY_ID_BYTES);
      const key = known.find((one) => one.id.equals(id));
      if (!key)
        throw new Error(`${column} holds a value sealed with the key ${id.toString('hex')}, which is not there`);
      return openWith(key, sealed.subarray(1 + KEY_ID_BYTES), column);
    },
    fingerprint: (value, column) => fingerprintOf(current, value, column),
    fingerprints: (value, column) => known.map((key) => fingerprintOf(key, value, column)),
    currentPrefix: Buffer.concat([Buffer.of(NAMED), current.id]),
    keyId: current.id.toString('hex'),
    keyIds: known.map(({ id }) => id.toString('hex')),
  };
}

function sealKey(key: Buffer): SealKey {
  const seal = derive(key, 'alur/personal-data/seal');
  return {
    id: hash('sha256', seal, 'buffer').subarray(0, KEY_ID_BYTES),
    seal,
    fingerprint: derive(key, 'alur/personal-data/fingerprint'),
  };
}

/** 32 bytes for one purpose; knowing one derived key tells nothing about the others. */
export const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), purpose, 32));

const fingerprintOf = ({ fingerprint }: SealKey, value: string, column: string): string =>
  createHmac('sha256', fingerprint).update(`${column}\n${value}`).digest('hex');

/** Tries one key after the other: only the right one fits the tag. */
function openUnnamed(parts: Buffer, column: string, keys: readonly SealKey[]): string {
  const errors: unknown[] = [];
  for (const key of keys) {
    try {
      return openWith(key, parts, column);
    } catch (error) {
      errors.push(error);
    }
  }
  throw new AggregateError(errors, `${column} holds a value that no key opens`);
}

function openWith({ seal }: SealKey, parts: Buffer, column: string): string {
  const [iv, tag, text] = split(parts);
  const decipher = createDecipheriv('aes-256-gcm', seal, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(column)).setAuthTag(tag);
  return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
}

function split(parts: Buffer): [iv: Buffer, tag: Buffer, text: Buffer] {
  const textAt = IV_BYTES + TAG_BYTES;
  return [parts.subarray(0, IV_BYTES), parts.subarray(IV_BYTES, textAt), parts.subarray(textAt)];
}
