/** The real API on a free port, on a test database: what every test of the API talks to. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { z } from 'zod';
import { createApp } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import type { Route } from '../../api/route.ts';
import { createAccessTokens } from '../../api/tokens.ts';
import { createApplicationChanges } from '../../api/waiting.ts';
import { createFileStore } from '../../db/files.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import type { Role } from '../../domain/roles.ts';
import { PERSONAL_DATA_KEY, type TestDatabase } from './database.ts';

export interface TestApi {
  /** `http://127.0.0.1:<port>`, without a trailing slash; routes are below `/api/v1`. */
  readonly url: string;
  readonly deps: ApiDeps;
  /** PEM of the key that signs its access tokens. */
  readonly signingKey: string;
  /** What was logged, one JSON object a line. */
  readonly log: readonly string[];
  /** Speaks JSON below `/api/v1`; `body` makes it a POST unless `method` says otherwise. */
  call(path: string, options?: CallOptions): Promise<Called>;
  /** A new person with these roles, written to the database; `token` is theirs. */
  person(...roles: Role[]): Promise<TestPerson>;
  /** Tells readiness that the process is about to stop. */
  drain(): void;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly method?: string;
  readonly as?: TestPerson | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON object that came back; empty when none did. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TestPerson {
  readonly id: UserId;
  readonly email: string;
  readonly name: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Points to nowhere: nothing listens on port 1, so every call of it finds Temporal away. It is not closed: the client
 * throws out of a timer when a retry of its own meets a closed connection, and idle ones do not keep a process alive.
 */
export const noTemporal = (): Client => new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });

/**
 * Close it in `after`, before the database.
 * @param options what a test wants otherwise; by default Temporal is away @param routes instead of the API's own
 */
export async function startApi(
  database: Pick<TestDatabase, 'db' | 'url'>,
  options: Partial<ApiDeps> = {},
  routes?: readonly Route[],
): Promise<TestApi> {
  const directory = await mkdtemp(join(tmpdir(), 'alur-api-'));
  const log: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line) => void log.push(line) });
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${portOf(server.address())}`;
  const signingKey = newPrivateKey();
  const deps: ApiDeps = {
    db: database.db,
    temporal: noTemporal(),
    taskQueue: 'alur-test',
    files: createFileStore(directory),
    tokens: await createAccessTokens({ privateKeyPem: signingKey, publicUrl: url }),
    publicUrl: url,
    midtransServerKey: 'SB-Mid-server-test',
    personalDataKey: PERSONAL_DATA_KEY,
    logger,
    selfRegistration: true,
    trustedProxies: 0,
    production: false,
    changes: createApplicationChanges(database.url, logger),
    ...options,
  };
  let draining = false;
  server.on('request', createApp(deps, { isDraining: () => draining, ...(routes ? { routes } : {}) }));
  return {
    url,
    deps,
    signingKey,
    log,
    call: (path, given = {}) => call(`${url}/api/v1${path}`, given),
    person: (...roles) => newPerson(deps, roles),
    drain: () => {
      draining = true;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, deps.changes.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const jsonObject = z.record(z.string(), z.unknown());

async function call(url: string, { method, as, body, headers }: CallOptions): Promise<Called> {
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': 'application/json', 'accept-language': 'en', ...as?.headers, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: jsonObject.parse(text === '' ? {} : JSON.parse(text)),
  };
}

export const newPrivateKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** The password is no hash of anything: these people come with a token and never log in. */
async function newPerson({ db, tokens }: ApiDeps, roles: Role[]): Promise<TestPerson> {
  const id = asId<UserId>(randomUUID());
  const [email, name] = [`${id}@example.test`, `Person ${id.slice(0, 8)}`];
  await db('users').insert({ id, email, password_hash: 'none', name, roles });
  const token = await tokens.issue({ userId: id, roles });
  return { id, email, name, token, headers: { authorization: `Bearer ${token}` } };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('the test API has no TCP port');
  return address.port;
}
