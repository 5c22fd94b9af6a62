/** The embedded PostgreSQL: makes the cluster, clears away what a crash has left, says how to start the server. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { LOCAL_SECRET_PREFIX } from '../config.ts';
import { type Account, unprivilegedAccount } from './account.ts';
import type { ChildSpec } from './children.ts';
import { messageOf, StartFailure } from './failure.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { discardUnfinished, placeOf, unfinishedName } from './postgres-home.ts';
import { commandOf, startTimeOf, stopProcess } from './processes.ts';

export type PostgresOptions = {
  /** Where the cluster shall live, e.g. `.local/postgres`; becomes a link when it has to live elsewhere. */
  home: string;
  port: number;
  /** false skips fsync and keeps little of its log: for tests, whose data nobody misses and which may lie in memory. */
  durable: boolean;
  logFile: string;
  runDirectory: string;
};

export type PreparedPostgres = {
  spec: ChildSpec;
  version: string;
  /** The connection URL of a database on this server. */
  urlOf(database: string): string;
  /** A sentence for the screen where the data did not go where one would look, else null. */
  note: string | null;
};

const USER = 'alur';

/** Makes the cluster when there is none, clears away what a crash has left, and says how to start the server. */
export async function preparePostgres(options: PostgresOptions): Promise<PreparedPostgres> {
  const account = unprivilegedAccount();
  const binaries = await postgresBinaries(account);
  const home = await placeOf(options.home, account);
  await discardUnfinished(home);
  if (!existsSync(home)) await createCluster({ home, account, binaries, durable: options.durable });
  await clearStaleLock(join(home, 'data'));
  const password = readFileSync(join(home, 'password'), 'utf8').trim();
  const urlOf = (database: string) => `postgres://${USER}:${password}@127.0.0.1:${options.port}/${database}`;
  return {
    spec: specOf(options, { home, account, binaries, adminUrl: urlOf('postgres') }),
    version: binaries.version,
    urlOf,
    note: noteOn(options.home, home, account),
  };
}

type Place = { home: string; account: Account | null; binaries: PostgresBinaries };

function specOf(options: PostgresOptions, place: Place & { adminUrl: string }): ChildSpec {
  return {
    name: 'postgres',
    label: 'PostgreSQL',
    command: place.binaries.postgres,
    args: ['-D', join(place.home, 'data'), '-p', String(options.port), ...settings(options.durable)],
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    account: place.account,
    // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
    stopSignal: 'SIGINT',
    graceMs: 10_000,
    logFile: options.logFile,
    runDirectory: options.runDirectory,
    ready: () => accepts(place.adminUrl),
    readyWithinMs: 60_000,
  };
}

const FORGETFUL = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '128MB',
} as const;

function settings(durable: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: durable ? '256MB' : '128MB',
    ...(durable ? {} : FORGETFUL),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function noteOn(wanted: string, home: string, account: Account | null): string | null {
  if (account === null) return null;
  const where = wanted === home ? '' : `, which cannot enter ${dirname(wanted)}; its data is in ${home}`;
  return `PostgreSQL does not run as root: it runs as ${account.name}${where}.`;
}

async function createCluster({ home, account, binaries, durable }: Place & { durable: boolean }): Promise<void> {
  const unfinished = unfinishedName(home);
  const passwordFile = join(unfinished, 'password');
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${LOCAL_SECRET_PREFIX}${randomBytes(18).toString('hex')}\n`, { mode: 0o600 });
  if (account !== null) {
    await chown(unfinished, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  await chmod(unfinished, 0o700);
  await runInitdb({ home: unfinished, account, binaries, durable }, passwordFile);
  await rename(unfinished, home);
}

async function runInitdb(
  { home, account, binaries, durable }: Place & { durable: boolean },
  passwordFile: string,
): Promise<void> {
  const args = [
    `--pgdata=${join(home, 'data')}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  const child = spawn(binaries.initdb, args, {
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', resolve);
  });
  if (code === 0) return;
  await rm(home, { recursive: true, force: true });
  if (/no space left/i.test(said)) throw new StartFailure(`The disk of ${dirname(home)} is full: make room there.`);
  throw new StartFailure(
    `initdb could not make the database (${code}): ${said.trim().split('\n').slice(-3).join(' ')}`,
  );
}

/**
 * postmaster.pid outlives a server that was killed. A server that still runs on this very cluster is stopped; a file
 * whose pid now belongs to something else is removed, since PostgreSQL itself would refuse to start because of it.
 */
async function clearStaleLock(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
  const startedAt = Number.isInteger(pid) && pid > 0 ? startTimeOf(pid) : null;
  if (startedAt !== null && commandOf(pid).includes(`-D ${data} `)) {
    await stopProcess({ pid, startedAt, stopSignal: 'SIGINT' }, 10_000);
  }
  await rm(lock, { force: true });
}

async function accepts(url: string): Promise<boolean> {
  const why = await whyNoDatabase(url);
  if (why?.includes('password authentication failed')) {
    throw new StartFailure('PostgreSQL refuses its own password: npm run reset makes a new database.');
  }
  return why === null;
}

/** The reason why nobody can connect, or null when it works. */
export async function whyNoDatabase(url: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // Without a listener a connection that breaks between two steps would end the whole process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return null;
  } catch (error) {
    return messageOf(error) || 'connection refused';
  } finally {
    await client.end();
  }
}

/** Makes the database when it is not there. The name must be an identifier of this code, never a person's input. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
