import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type Child, startChild } from '../../local/children.ts';
import { freePorts } from '../../local/ports.ts';
import { ensureDatabase, type PreparedPostgres, preparePostgres } from '../../local/postgres.ts';
import { removeHome } from '../../local/postgres-home.ts';
import { isRunning, startTimeOf } from '../../local/processes.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

describe('the embedded PostgreSQL', () => {
  let directory = '';
  let port = 0;
  let running: Child | null = null;
  const home = () => join(directory, 'postgres');
  const data = (file: string) => join(home(), 'data', file);

  before(async () => {
    directory = await temporaryDirectory();
    [port = 0] = await freePorts(1);
  });
  afterEach(async () => {
    await running?.stop();
    running = null;
  });
  after(async () => {
    await removeHome(home());
    await removeDirectory(directory);
  });

  const prepare = () =>
    preparePostgres({
      home: home(),
      port,
      durable: false,
      logFile: join(directory, 'postgres.log'),
      runDirectory: join(directory, 'run'),
    });

  async function start(): Promise<PreparedPostgres> {
    const prepared = await prepare();
    running = await startChild(prepared.spec);
    return prepared;
  }

  async function query(url: string, sql: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
    } finally {
      await client.end();
    }
  }

  it('throws away clusters that were only half made, and makes a whole one', async () => {
    await mkdir(join(home(), 'data'), { recursive: true });
    await writeFile(data('PG_VERSION'), '17\n');
    await mkdir(`${home()}.unfinished-4711`);
    const { urlOf } = await start();
    assert.equal(existsSync(`${home()}.unfinished-4711`), false);
    assert.deepEqual(await query(urlOf('postgres'), 'select 1'), [1]);
    await ensureDatabase(urlOf('postgres'), 'alur');
    await ensureDatabase(urlOf('postgres'), 'alur');
    await query(urlOf('alur'), 'create table kept as select 42 as answer');
  });

  it('keeps its data to its owner, and lets nobody in without the password', async () => {
    const { urlOf } = await start();
    assert.equal((await stat(home())).mode & 0o077, 0);
    assert.equal((await stat(join(home(), 'password'))).mode & 0o077, 0);
    const guessed = new URL(urlOf('alur'));
    guessed.password = 'alur';
    await assert.rejects(query(guessed.href, 'select 1'), /password authentication failed/);
  });

  it('stops the server that a killed supervisor has left on its cluster, and keeps the data', async () => {
    await start();
    const orphan = { pid: running?.pid ?? 0, startedAt: startTimeOf(running?.pid ?? 0) ?? '' };
    assert.equal(isRunning(orphan), true);
    const { urlOf } = await start();
    assert.equal(isRunning(orphan), false);
    assert.deepEqual(await query(urlOf('alur'), 'select answer from kept'), [42]);
  });

  it('starts although a lock file names a process that is now somebody else', async () => {
    await prepare();
    const { uid, gid } = await stat(data('PG_VERSION'));
    await writeFile(data('postmaster.pid'), `${process.pid}\n${join(home(), 'data')}\n`, { mode: 0o600 });
    await chown(data('postmaster.pid'), uid, gid);
    const { urlOf } = await start();
    assert.deepEqual(await query(urlOf('alur'), 'select answer from kept'), [42]);
    assert.notEqual(Number.parseInt(await readFile(data('postmaster.pid'), 'utf8'), 10), process.pid);
  });
});
