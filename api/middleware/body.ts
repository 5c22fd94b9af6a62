/** Reads a request's body, once the caller is known to be allowed to send one. */
import express, { type Request, type RequestHandler, type Response } from 'express';
import multer, { MulterError } from 'multer';
import { Failure } from '../../domain/failures.ts';
import type { MultipartSpec, Route, UploadedFile } from '../route.ts';
import { parseStrictJson } from '../strict-json.ts';

/** The longest form that an office asks for, many times over. Files go as multipart. */
const MAX_BYTES = 256_000;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;
const OTHER_CHARSET = /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(?:;|$))/i;

export type BodyReader = (req: Request, res: Response) => Promise<void>;

/** undefined = this route has no body to read. Afterwards `req.body` (and `req.file`) hold what was sent. */
export function bodyReaderFor(route: Route): BodyReader | undefined {
  if (route.method === 'get' || route.method === 'delete') return undefined;
  if (route.multipart) return multipartReader(route.multipart);
  const maxBytes = route.maxBytes ?? MAX_BYTES;
  const readBytes = reader(express.raw({ limit: maxBytes, type: () => true, inflate: false }), maxBytes);
  if (route.raw) return readBytes;
  return route.form ? formReader(readBytes) : jsonReader(readBytes);
}

/** What multer found, in our own terms. */
export const uploadedFile = ({ file }: Request): UploadedFile | undefined =>
  file && { filename: file.originalname, content: file.buffer };

function jsonReader(readBytes: BodyReader): BodyReader {
  return async (req, res) => {
    if (!hasBody(req)) return;
    const type = req.headers['content-type'] ?? '';
    if (!JSON_TYPE.test(type) || OTHER_CHARSET.test(type)) {
      throw new Failure('unsupported_media_type', 'Send the body as JSON in UTF-8, Content-Type: application/json.');
    }
    await readBytes(req, res);
    const bytes: unknown = req.body;
    req.body = Buffer.isBuffer(bytes) ? parseStrictJson(bytes) : {};
  };
}

/** Values are texts; how many there may be and how long is the schema's to say. */
function formReader(readBytes: BodyReader): BodyReader {
  return async (req, res) => {
    if (!hasBody(req)) return;
    if (!req.is('application/x-www-form-urlencoded')) {
      throw new Failure('unsupported_media_type', 'Send the form as application/x-www-form-urlencoded.');
    }
    await readBytes(req, res);
    const bytes: unknown = req.body;
    const fields = [...new URLSearchParams(Buffer.isBuffer(bytes) ? bytes.toString() : '')];
    if (new Set(fields.map(([name]) => name)).size < fields.length) {
      throw new Failure('malformed_request', 'The form names a field twice. Send each once.');
    }
    req.body = Object.fromEntries(fields);
  };
}

function multipartReader({ file, maxBytes }: MultipartSpec): BodyReader {
  const limits = { fileSize: maxBytes, files: 1, fields: 20, fieldSize: 100_000, parts: 21 };
  // Browsers send names in UTF-8; the parser would read them as Latin-1.
  const single = multer({ storage: multer.memoryStorage(), limits, defParamCharset: 'utf8' }).single(file);
  const parse = reader(single, maxBytes + limits.parts * limits.fieldSize);
  return async (req, res) => {
    if (!req.is('multipart/form-data')) {
      throw new Failure('unsupported_media_type', `Send multipart/form-data with the file in the field ${file}.`);
    }
    try {
      await parse(req, res);
    } catch (error) {
      throw multipartFailure(error, file, maxBytes);
    }
    if (!req.file) throw wrongField(`/${file}`, 'required', 'the file is missing');
  };
}

function multipartFailure(error: unknown, file: string, maxBytes: number): Failure {
  if (error instanceof Failure) return error;
  if (!(error instanceof MulterError)) {
    return new Failure('malformed_request', 'The form could not be read. Send it again.', {}, { cause: error });
  }
  switch (error.code) {
    case 'LIMIT_FILE_SIZE':
      return new Failure(
        'file_too_large',
        `The file is larger than ${maxBytes / 1_000_000} MB. Make it smaller and send it again.`,
      );
    case 'LIMIT_UNEXPECTED_FILE':
    case 'LIMIT_FILE_COUNT':
      return wrongField(`/${error.field ?? ''}`, 'unknown_field', `send one file, in the field ${file}`);
    default:
      return wrongField(`/${error.field ?? ''}`, 'too_big', 'too many or too long form fields');
  }
}

const wrongField = (pointer: string, code: string, detail: string): Failure =>
  new Failure('invalid_request', 'The form is not as it should be; see errors.', {
    errors: [{ pointer, code, detail }],
  });

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Refuses what is longer before it is read, or as soon as it is. The parsers answer only when all of it has come in;
 * api/server-limits.ts hangs up on who goes on sending after the answer.
 */
function reader(middleware: RequestHandler, maxBytes: number): BodyReader {
  return (req, res) =>
    new Promise((resolve, reject) => {
      refuseEncoded(req);
      if (Number(req.headers['content-length']) > maxBytes) throw tooLong(maxBytes);
      if (req.headers['transfer-encoding'] !== undefined) onceLonger(req, maxBytes, () => reject(tooLong(maxBytes)));
      if (req.headers.expect !== undefined) res.writeContinue();
      void middleware(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
    });
}

function onceLonger(req: Request, maxBytes: number, tell: () => void): void {
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) tell();
  });
}

/** A few kilobytes can be packed so that they unpack to gigabytes, and no client of ours packs what it sends. */
function refuseEncoded({ headers }: Request): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new Failure('unsupported_media_type', 'Send the body as it is, without Content-Encoding.');
}

const tooLong = (maxBytes: number): Failure =>
  new Failure('file_too_large', `The body is longer than ${maxBytes / 1000} kB. Send less.`);
