/** The store of files in a bucket of an S3-compatible server. Credentials come from the SDK's own chain (environment, role). */
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Failure } from '../domain/failures.ts';
import type { Sha256 } from '../domain/ids.ts';
import { type FileStore, foldersOf, hashOf, unaltered, verified } from './files.ts';

export interface S3Settings {
  readonly bucket: string;
  /** Before every key; empty = none. */
  readonly prefix: string;
  readonly region: string;
  /** Of another server than AWS; buckets are then named in the path. Links lead there too, so browsers must reach it. */
  readonly endpoint?: string | undefined;
  /** Absent = the SDK's chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Long enough to follow a redirect on a slow line, too short to be passed around. */
export const LINK_HOLDS_SECONDS = 120;
const RETRY_AFTER_SECONDS = 5;

/** @param linkHoldsSeconds at most 300 */
export function createS3FileStore(settings: S3Settings, linkHoldsSeconds = LINK_HOLDS_SECONDS): FileStore {
  const { bucket: Bucket, prefix } = settings;
  const client = clientOf(settings);
  const named = (sha256: Sha256) => ({ Bucket, Key: [prefix, ...foldersOf(sha256), sha256].filter(Boolean).join('/') });
  const bytesOf = async (sha256: Sha256): Promise<number | null> => {
    const found = await orNull(client.send(new HeadObjectCommand(named(sha256))));
    return found && (found.ContentLength ?? null);
  };
  const openBody = async (sha256: Sha256): Promise<{ bytes: number; body: Readable } | null> => {
    const found = await orNull(client.send(new GetObjectCommand(named(sha256))));
    if (!found) return null;
    if (!(found.Body instanceof Readable)) throw new TypeError('the store of files answered without a body');
    return { bytes: found.ContentLength ?? 0, body: found.Body };
  };

  return {
    async put(content) {
      const sha256 = hashOf(content);
      if ((await bytesOf(sha256)) !== content.byteLength)
        await asked(client.send(putOf(named(sha256), sha256, content)));
      return { sha256, bytes: content.byteLength };
    },
    async open(sha256) {
      const found = await openBody(sha256);
      return found && { bytes: found.bytes, stream: verified(found.body, sha256) };
    },
    async read(sha256) {
      const found = await openBody(sha256);
      return found && unaltered(await asked(buffer(found.body)), sha256);
    },
    async link(sha256, { contentType, disposition }) {
      // Signing asks nobody: without a look, the reader would be sent to a file that is missing or a server that is away.
      if ((await bytesOf(sha256)) === null) throw new Error(`the stored file ${sha256} is missing`);
      const shown = {
        ResponseContentType: contentType,
        ResponseContentDisposition: disposition,
        ResponseCacheControl: 'private, no-store',
      };
      const get = new GetObjectCommand({ ...named(sha256), ...shown });
      return getSignedUrl(client, get, { expiresIn: Math.min(linkHoldsSeconds, 300) });
    },
    async remove(sha256) {
      await orNull(client.send(new DeleteObjectCommand(named(sha256))));
    },
  };
}

const clientOf = ({ region, endpoint, credentials }: S3Settings): S3Client =>
  new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials ? { credentials } : {}),
    // The name is the checksum; other servers than AWS do not know the SDK's own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000 },
  });

// The server compares what arrives with this checksum: a file that was damaged on its way is refused there.
const putOf = (named: { Bucket: string; Key: string }, sha256: Sha256, content: Uint8Array) =>
  new PutObjectCommand({
    ...named,
    Body: content,
    ContentLength: content.byteLength,
    ContentType: 'application/octet-stream',
    ContentDisposition: 'attachment',
    ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
  });

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await asked(work);
  } catch (error) {
    if (error instanceof NotFound || error instanceof NoSuchKey) return null;
    throw error;
  }
}

/** @throws Failure temporarily_unavailable when the server does not answer, or answers that it cannot now */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isAway(error)) throw error;
    const sentence = 'The store of files does not answer. Try again in a moment.';
    throw new Failure(
      'temporarily_unavailable',
      sentence,
      { retryAfterSeconds: RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
}

const NETWORK = /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH)$/;

/** A bucket that does not exist or credentials that are refused are somebody's mistake, and no repeat helps. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof S3ServiceException) {
    const { httpStatusCode = 0 } = error.$metadata;
    return httpStatusCode >= 500 || httpStatusCode === 429;
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return error.name === 'TimeoutError' || error.name === 'AbortError' || NETWORK.test(code);
}
