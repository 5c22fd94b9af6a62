import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { openFileStore } from '../../db/file-stores.ts';
import { createFileStore, type FileStore } from '../../db/files.ts';
import { createS3FileStore } from '../../db/s3-files.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type Sha256 } from '../../domain/ids.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { eventually } from '../support/wait.ts';

const content = Buffer.from('a certificate');
const nameOf = (bytes: Uint8Array) => asId<Sha256>(createHash('sha256').update(bytes).digest('hex'));
const name = nameOf(content);

interface Kept {
  readonly files: FileStore;
  /** Changes the stored bytes of `content` behind the store's back. */
  spoil(change: (content: Buffer) => Buffer): Promise<void>;
  close(): Promise<void>;
}

const onDisk = async (): Promise<Kept> => {
  const directory = await mkdtemp(join(tmpdir(), 'alur-files-'));
  const path = join(directory, name.slice(0, 2), name.slice(2, 4), name);
  return {
    files: createFileStore(directory),
    spoil: async (change) => writeFile(path, change(await readFile(path))),
    close: () => rm(directory, { recursive: true }),
  };
};

const inBucket = async (): Promise<Kept> => {
  const server = await startS3('papers/2026');
  return {
    files: createS3FileStore(server.settings),
    spoil: async (change) => server.spoil(`papers/2026/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`, change),
    close: () => server.goAway(),
  };
};

for (const [where, start] of [
  ['on a disk', onDisk],
  ['in a bucket', inBucket],
] as const) {
  describe(`a store of files ${where}`, () => {
    let kept: Kept;
    let files: FileStore;

    beforeEach(async () => {
      kept = await start();
      ({ files } = kept);
    });
    afterEach(() => kept.close());

    it('gives back what was put in, under the hash of its content', async () => {
      assert.deepEqual(await files.put(content), { sha256: name, bytes: 13 });
      assert.deepEqual(await files.read(name), content);
      const opened = await files.open(name);
      assert.equal(opened?.bytes, 13);
      assert.equal(opened && (await text(opened.stream)), 'a certificate');
    });

    it('gives back a large file, piece by piece', async () => {
      const large = Buffer.alloc(3 * 1024 * 1024, 'page ');
      await files.put(large);
      const opened = await files.open(nameOf(large));
      assert.ok(opened && large.equals(await buffer(opened.stream)));
    });

    it('stores the same content once, also when it comes many times at once', async () => {
      const stored = await Promise.all(Array.from({ length: 20 }, () => files.put(content)));
      assert.ok(stored.every(({ sha256 }) => sha256 === name));
      // Were it written again, what is stored would be whole again.
      await kept.spoil(() => Buffer.from('A certificate'));
      await files.put(content);
      await assert.rejects(files.read(name), /was altered/);
    });

    it('mends a file that was cut short', async () => {
      await files.put(content);
      await kept.spoil((whole) => whole.subarray(0, 5));
      await files.put(content);
      assert.deepEqual(await files.read(name), content);
    });

    it('does not hand out a file that was altered', async () => {
      await files.put(content);
      await kept.spoil(() => Buffer.from('A certificate'));
      await assert.rejects(files.read(name), /was altered/);
      const opened = await files.open(name);
      assert.ok(opened);
      const pieces: Buffer[] = [];
      opened.stream.on('data', (piece: Buffer) => void pieces.push(piece));
      await assert.rejects(buffer(opened.stream), /was altered/);
      assert.ok(Buffer.concat(pieces).length < 13, 'whoever counts would think it whole');
    });

    it('knows nothing under a name that nobody has put in', async () => {
      assert.equal(await files.read(name), null);
      assert.equal(await files.open(name), null);
    });

    it('forgets a file for good, and does not mind being told twice', async () => {
      const other = Buffer.from('another certificate');
      await files.put(content);
      await files.put(other);
      await files.remove(name);
      await files.remove(name);
      assert.equal(await files.read(name), null);
      assert.deepEqual(await files.read(nameOf(other)), other);
      await files.put(content);
      assert.deepEqual(await files.read(name), content);
    });

    it('takes no name that leads out of its place', async () => {
      const outside = asId<Sha256>('../../../etc/passwd');
      await assert.rejects(async () => files.read(outside), RangeError);
      await assert.rejects(async () => files.remove(outside), RangeError);
    });
  });
}

describe('a directory of files', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alur-files-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is two folders deep, for its own user alone, and holds no temporary files', async () => {
    const files = await openFileStore({ directory: join(directory, 'files') });
    await files.put(content);
    const path = join(directory, 'files', name.slice(0, 2), name.slice(2, 4), name);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, 'files', name.slice(0, 2)))).mode & 0o777, 0o700);
    const all = await readdir(join(directory, 'files'), { recursive: true, withFileTypes: true });
    assert.deepEqual(
      all.filter((entry) => entry.isFile()).map((entry) => entry.name),
      [name],
    );
  });

  it('gives no links', async () => {
    const files = createFileStore(directory);
    await files.put(content);
    assert.equal(await files.link(name, { contentType: 'application/pdf', disposition: 'inline' }), null);
  });
});

describe('a bucket of files', () => {
  let server: S3Server;
  before(async () => {
    server = await startS3();
  });
  after(() => server.goAway());

  const as = { contentType: 'application/pdf', disposition: 'attachment; filename="ktp.pdf"' };
  const isAway = (error: unknown) =>
    error instanceof Failure && error.code === 'temporarily_unavailable' && error.facts.retryAfterSeconds === 5;

  it('gives links that need no credentials, say what the file is, and are good for two minutes', async () => {
    const files = await openFileStore(server.settings);
    await files.put(content);
    const link = await files.link(name, as);
    assert.ok(link);
    const answer = await fetch(link);
    assert.equal(await answer.text(), 'a certificate');
    assert.equal(answer.headers.get('content-type'), 'application/pdf');
    assert.equal(answer.headers.get('content-disposition'), as.disposition);
    assert.equal(new URL(link).searchParams.get('X-Amz-Expires'), '120');
  });

  it('gives links that lead to nothing else, and to nothing once they are old', async () => {
    const files = createS3FileStore(server.settings, 1);
    const other = await files.put(Buffer.from('of somebody else'));
    await files.put(content);
    const link = await files.link(name, as);
    assert.ok(link);
    const elsewhere = (sha256: string) => `${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
    assert.ok(server.keys().includes(elsewhere(other.sha256)));
    const stranger = await fetch(link.replace(elsewhere(name), elsewhere(other.sha256)));
    assert.match(await stranger.text(), /SignatureDoesNotMatch/);
    assert.equal((await fetch(link.replace('application%2Fpdf', 'text%2Fhtml'))).status, 403);
    const refused = await eventually('the link to expire', async () => {
      const answer = await fetch(link);
      const body = await answer.text();
      return answer.status === 403 && body;
    });
    assert.match(refused, /AccessDenied/);
  });

  it('never gives one for longer than five minutes, nor for a file that is not there', async () => {
    const files = createS3FileStore(server.settings, 3600);
    await files.put(content);
    assert.match((await files.link(name, as)) ?? '', /X-Amz-Expires=300&/);
    await files.remove(name);
    await assert.rejects(files.link(name, as), /is missing/);
  });

  it('writes once what comes twice', async () => {
    const files = createS3FileStore(server.settings);
    const before = server.writes();
    const once = Buffer.from('written once');
    await files.put(once);
    await files.put(once);
    assert.equal(server.writes(), before + 1);
  });

  it('says so when its server is busy', async () => {
    const files = createS3FileStore(server.settings);
    server.beBusy(true);
    await assert.rejects(files.put(content), isAway);
    server.beBusy(false);
    await files.put(content);
  });

  it('says so when its server is away, and goes on when it is back', async () => {
    const files = createS3FileStore(server.settings);
    await files.put(content);
    await server.goAway();
    const asked = await Promise.allSettled([
      files.put(content),
      files.read(name),
      files.open(name),
      files.link(name, as),
      files.remove(name),
    ]);
    assert.ok(asked.every((answer) => answer.status === 'rejected' && isAway(answer.reason)));
    await server.comeBack();
    assert.deepEqual(await files.read(name), content);
  });

  it('does not take a mistake in its settings for a server that is away', async () => {
    const files = createS3FileStore({ ...server.settings, bucket: 'nobodys' });
    await assert.rejects(files.put(content), (error) => !isAway(error));
    const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'wrong' };
    await assert.rejects(
      createS3FileStore({ ...server.settings, credentials }).put(content),
      (error) => !isAway(error),
    );
  });
});
