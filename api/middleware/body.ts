/** Reads a request's body, once the caller is known to be allowed to send one. */
import express, { type Request, type RequestHandler, type Response } from 'express';
import multer, { MulterError } from 'multer';
import { Failure } from '../../domain/failures.ts';
import type { MultipartSpec, Route, UploadedFile } from '../route.ts';

const LIMIT = '1mb';
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;

export type BodyReader = (req: Request, res: Response) => Promise<void>;

/** undefined = this route has no body to read. Afterwards `req.body` (and `req.file`) hold what was sent. */
export function bodyReaderFor(route: Route): BodyReader | undefined {
  if (route.method === 'get' || route.method === 'delete') return undefined;
  if (route.raw) return reader(express.raw({ limit: LIMIT, type: () => true }));
  return route.multipart ? multipartReader(route.multipart) : jsonReader;
}

/** What multer found, in our own terms. */
export const uploadedFile = ({ file }: Request): UploadedFile | undefined =>
  file && { filename: file.originalname, content: file.buffer };

const parseJson = reader(express.json({ limit: LIMIT, type: () => true, strict: false }));

const jsonReader: BodyReader = async (req, res) => {
  if (!hasBody(req)) return;
  if (!JSON_TYPE.test(req.headers['content-type'] ?? '')) {
    throw new Failure('unsupported_media_type', 'Send the body as JSON with Content-Type: application/json.');
  }
  await parseJson(req, res);
};

function multipartReader({ file, maxBytes }: MultipartSpec): BodyReader {
  const limits = { fileSize: maxBytes, files: 1, fields: 20, fieldSize: 100_000, parts: 21 };
  // Browsers send names in UTF-8; the parser would read them as Latin-1.
  const parse = reader(multer({ storage: multer.memoryStorage(), limits, defParamCharset: 'utf8' }).single(file));
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

function reader(middleware: RequestHandler): BodyReader {
  return (req, res) =>
    new Promise((resolve, reject) => {
      void middleware(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
    });
}
