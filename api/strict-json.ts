/** JSON that means the same to everybody who reads it: UTF-8, not too deep, no key twice. */
import { parse } from 'lossless-json';
import { Failure } from '../domain/failures.ts';

/** Forms, lists of findings and reports come nowhere near. */
const MAX_DEPTH = 32;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** No bytes at all are an empty object. @throws Failure `malformed_request` */
export function parseStrictJson(bytes: Buffer): unknown {
  const text = textOf(bytes);
  if (text === '') return {};
  const value = jsonOf(text);
  if (isDeeperThan(MAX_DEPTH, value)) throw malformed(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  refuseContradictions(text);
  return value;
}

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw malformed('The body is not UTF-8.', error);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed('', error);
  }
}

const isDeeperThan = (levels: number, value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner)));

/**
 * Of a key with two values one reader takes the first and another the last. JSON.parse does not tell, so the text is
 * read once more, after the depth is known to be harmless: this parser calls itself for each level.
 */
function refuseContradictions(text: string): void {
  parse(text, undefined, {
    parseNumber: Number,
    onDuplicateKey: ({ key }) => {
      const name = key.slice(0, 100);
      const errors = [{ pointer: '', code: 'duplicate_key', detail: name }];
      throw new Failure('malformed_request', `The key "${name}" stands twice in one object.`, { errors });
    },
  });
}

const malformed = (sentence: string, cause?: unknown): Failure =>
  new Failure('malformed_request', sentence, {}, { cause });
