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
  if (keysWritten(text) !== keysRead(value)) throw keyTwice(text);
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

/**
 * Tells by its bytes alone, before anything parses it, whether JSON opens more than so many brackets within each other.
 * Brackets within strings do not count. What is no JSON is none of its business.
 */
export function isNestedDeeper(bytes: Buffer, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > levels) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

const isDeeperThan = (levels: number, value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner)));

/**
 * Of a key that stands twice one reader takes the first value and another the last. JSON.parse does not tell; but it leaves
 * fewer keys than were written. @param text valid JSON, in which a string before a colon is a key
 */
function keysWritten(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start !== -1; ) {
    const end = endOfString(text, start);
    STRING_END.lastIndex = end;
    if (STRING_END.test(text)) count += 1;
    start = text.indexOf('"', end);
  }
  return count;
}

const STRING_END = /[ \t\n\r]*:/y;

/** The place after the closing quote: the first that no odd number of backslashes stands before. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

const keysRead = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce((sum: number, each) => sum + keysRead(each), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
};

/** Names the key if it has two values; one that says the same twice the parser passes over. */
function keyTwice(text: string): Failure {
  const names: string[] = [];
  parse(text, undefined, {
    parseNumber: Number,
    onDuplicateKey: ({ key, newValue }) => {
      names.push(key.slice(0, 100));
      return newValue;
    },
  });
  const [name] = names;
  if (name === undefined) return malformed('A key stands twice in one object.');
  const errors = [{ pointer: '', code: 'duplicate_key', detail: name }];
  return new Failure('malformed_request', `The key "${name}" stands twice in one object.`, { errors });
}

const malformed = (sentence: string, cause?: unknown): Failure =>
  new Failure('malformed_request', sentence, {}, { cause });
