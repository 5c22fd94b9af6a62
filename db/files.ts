import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { asId, type Sha256 } from '../domain/ids.ts';

export interface StoredFile {
  readonly sha256: Sha256;
  readonly bytes: number;
}

export interface OpenFile {
  readonly bytes: number;
  /** Breaks off before its last piece when the bytes are not what the name says. */
  readonly stream: Readable;
}

/** What whoever follows a link is told of the file. */
export interface LinkedAs {
  readonly contentType: string;
  /** A whole Content-Disposition header. */
  readonly disposition: string;
}

/** Files under the name of their content: the same bytes are stored once, and nothing is ever overwritten. */
export interface FileStore {
  /** Safe to repeat and to run twice at once. It is stored for good when this resolves, not merely in a cache. */
  put(content: Uint8Array): Promise<StoredFile>;
  /** For files that may be large; null when there is none of this name. The caller consumes or destroys the stream. */
  open(sha256: Sha256): Promise<OpenFile | null>;
  /** null when there is none of this name. @throws Error when the stored bytes are no longer what the name says. */
  read(sha256: Sha256): Promise<Buffer | null>;
  /** An address of the store's own that is good for minutes. null: this store gives none; open the file. */
  link(sha256: Sha256, as: LinkedAs): Promise<string | null>;
  /** For good. One that is not there does no harm. Only db/document-retention.ts knows when nobody names a file any more. */
  remove(sha256: Sha256): Promise<void>;
}

/** @param directory outside any web root; it and its folders are made when the first file comes, for this user alone. */
export function createFileStore(directory: string): FileStore {
  const pathOf = (sha256: Sha256) => join(directory, ...foldersOf(sha256), sha256);
  return {
    async put(content) {
      const sha256 = hashOf(content);
      const path = pathOf(sha256);
      if (!(await isStored(path, content.byteLength))) await write(path, content);
      return { sha256, bytes: content.byteLength };
    },
    async open(sha256) {
      const handle = await orNull(open(pathOf(sha256), 'r'));
      if (!handle) return null;
      return { bytes: await sizeOf(handle), stream: verified(handle.createReadStream(), sha256) };
    },
    async read(sha256) {
      const content = await orNull(readFile(pathOf(sha256)));
      return content && unaltered(content, sha256);
    },
    link: async () => null,
    async remove(sha256) {
      await rm(pathOf(sha256), { force: true });
    },
  };
}

export const hashOf = (content: Uint8Array): Sha256 => asId(createHash('sha256').update(content).digest('hex'));

/** Two levels of 256 folders each; the check keeps a name that is no hash from leaving the directory. */
export function foldersOf(sha256: Sha256): [string, string] {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError('a stored file is named by 64 hex digits');
  return [sha256.slice(0, 2), sha256.slice(2, 4)];
}

/** @throws Error when this is not the content of that name */
export function unaltered(content: Buffer, sha256: Sha256): Buffer {
  if (hashOf(content) === sha256) return content;
  throw altered(sha256);
}

const altered = (sha256: Sha256) => new Error(`the stored file ${sha256} was altered`);

/** The same bytes; the last piece comes only once all of them are known to be right, so that no reader takes the rest for whole. */
export function verified(source: Readable, sha256: Sha256): Readable {
  const hash = createHash('sha256');
  let held: Buffer | null = null;
  const check = new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      const before = held;
      held = piece;
      done(null, before);
    },
    flush(done) {
      if (hash.digest('hex') === sha256) done(null, held);
      else done(altered(sha256));
    },
  });
  source.once('error', (error) => check.destroy(error));
  check.once('close', () => source.destroy());
  return source.pipe(check);
}

// A crash cannot leave half a file under its final name, but a full disk elsewhere can be restored badly: compare sizes.
async function isStored(path: string, bytes: number): Promise<boolean> {
  const found = await orNull(stat(path));
  return found !== null && found.size === bytes;
}

async function write(path: string, content: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const temporary = `${path}.${randomUUID()}.tmp`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The rename itself must survive a power cut: the record that names the file is committed right after. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sizeOf(handle: FileHandle): Promise<number> {
  try {
    return (await handle.stat()).size;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
