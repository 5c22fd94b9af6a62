import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createFileStore, type FileStore } from '../../db/files.ts';
import { asId, type Sha256 } from '../../domain/ids.ts';

describe('the store of files', () => {
  let directory: string;
  let files: FileStore;
  const content = Buffer.from('a certificate');
  const name = asId<Sha256>(createHash('sha256').update(content).digest('hex'));
  const pathOf = (sha256: string) => join(directory, 'files', sha256.slice(0, 2), sha256.slice(2, 4), sha256);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alur-files-'));
    files = createFileStore(join(directory, 'files'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('gives back what was put in, under the hash of its content', async () => {
    assert.deepEqual(await files.put(content), { sha256: name, bytes: 13 });
    assert.deepEqual(await files.read(name), content);
    const opened = await files.open(name);
    assert.equal(opened?.bytes, 13);
    assert.equal(opened && (await text(opened.stream)), 'a certificate');
  });

  it('keeps files two folders deep, for its own user alone, and leaves no temporary ones', async () => {
    await files.put(content);
    assert.equal((await stat(pathOf(name))).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, 'files', name.slice(0, 2)))).mode & 0o777, 0o700);
    const all = await readdir(join(directory, 'files'), { recursive: true, withFileTypes: true });
    assert.deepEqual(
      all.filter((entry) => entry.isFile()).map((entry) => entry.name),
      [name],
    );
  });

  it('stores the same content once, also when it comes many times at once', async () => {
    const stored = await Promise.all(Array.from({ length: 20 }, () => files.put(content)));
    assert.ok(stored.every(({ sha256 }) => sha256 === name));
    const before = await stat(pathOf(name));
    await files.put(content);
    assert.equal((await stat(pathOf(name))).ino, before.ino);
  });

  it('mends a file that was cut short', async () => {
    await files.put(content);
    await writeFile(pathOf(name), 'a cer');
    await files.put(content);
    assert.deepEqual(await files.read(name), content);
  });

  it('does not hand out a file that was altered on the disk', async () => {
    await files.put(content);
    await writeFile(pathOf(name), 'A certificate');
    await assert.rejects(files.read(name), /was altered/);
  });

  it('knows nothing under a name that nobody has put in', async () => {
    assert.equal(await files.read(name), null);
    assert.equal(await files.open(name), null);
  });

  it('takes no name that leads out of its folder', async () => {
    await assert.rejects(async () => files.read(asId<Sha256>('../../../etc/passwd')), RangeError);
  });
});
