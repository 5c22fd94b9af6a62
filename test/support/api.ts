/** The real API on a free port, on a test database: what every test of the API talks to. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { createAccessChanges } from '../../api/access-changes.ts';
import { createApiKeys } from '../../api/api-keys.ts';
import { createApp } from '../../api/app.ts';
import type { AccessPolicy, ApiDeps } from '../../api/deps.ts';
import { createDocumentChecks } from '../../api/document-checks.ts';
import { createEntitlementsCache } from '../../api/entitlements.ts';
import { createLogger } from '../../api/logging.ts';
import { createNoticeTelling } from '../../api/notice-telling.ts';
import { createRateLimits } from '../../api/rate-limits.ts';
import type { Route } from '../../api/route.ts';
import { createLimitedServer, type ServerLimits } from '../../api/server-limits.ts';
import { createAccessTokens } from '../../api/tokens.ts';
import {
  createApplicationChanges,
  createCompanyChanges,
  createOrderChanges,
  createReturnChanges,
} from '../../api/waiting.ts';
import { auditJwkOf } from '../../db/audit-hash.ts';
import type { Knex } from '../../db/connection.ts';
import { createFileStore } from '../../db/files.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { noteSecondFactor } from '../../db/sessions.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { PASSWORD_POLICY } from '../../domain/passwords.ts';
import type { Role } from '../../domain/roles.ts';
import { AUDIT_PRIVATE_KEY, newPrivateKey, PERSONAL_DATA_KEY, type TestDatabase } from './database.ts';
import { MONEY_POLICY } from './money-policy.ts';

export { newPrivateKey } from './database.ts';

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
  /** From now on this person has a second factor, by e-mail. */
  giveFactor(person: Pick<TestPerson, 'id'>): Promise<void>;
  /** As if this person had just given a second factor. */
  stepUp(person: Pick<TestPerson, 'sessionId'>): Promise<void>;
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
  readonly sessionId: string;
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
 * @param serverLimits shorter ones than people get
 */
export async function startApi(
  database: Pick<TestDatabase, 'db' | 'url'>,
  options: Partial<ApiDeps> = {},
  routes?: readonly Route[],
  serverLimits?: ServerLimits,
): Promise<TestApi> {
  const directory = await mkdtemp(join(tmpdir(), 'alur-api-'));
  const log: string[] = [];
  const logger = createLogger('debug', { write: (line) => void log.push(line) });
  const server = createLimitedServer(serverLimits);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${portOf(server.address())}`;
  const signingKey = newPrivateKey();
  const accessChanges = createAccessChanges(database.url, database.db, logger);
  accessChanges.open();
  const companyChanges = createCompanyChanges(database.url, logger);
  const personalData = createPersonalData([PERSONAL_DATA_KEY]);
  const { requestsPerMinute } = options.access ?? OPEN_ACCESS;
  const { temporal = noTemporal(), taskQueue = 'alur-test' } = options;
  const deps: ApiDeps = {
    db: database.db,
    temporal,
    taskQueue,
    files: createFileStore(directory),
    documentChecks: createDocumentChecks(),
    scansDocuments: false,
    tokens: await createAccessTokens({ privateKeyPem: signingKey, publicUrl: url }),
    publicUrl: url,
    gateways: { midtrans: { serverKey: 'SB-Mid-server-test' } },
    carrier: undefined,
    personalData,
    auditKey: auditJwkOf(AUDIT_PRIVATE_KEY),
    secretKey: PERSONAL_DATA_KEY,
    access: OPEN_ACCESS,
    money: MONEY_POLICY,
    smsOffered: true,
    accessChanges,
    apiKeys: createApiKeys({ db: database.db, accessChanges, logger, production: false }),
    oidc: undefined,
    logger,
    selfRegistration: true,
    trustedProxies: 0,
    corsOrigins: [],
    limits: createRateLimits({ db: database.db, logger, personalData, requestsPerMinute }),
    production: false,
    changes: createApplicationChanges(database.url, logger),
    onboarding: { required: false, retentionDays: 90 },
    companyChanges,
    orderChanges: createOrderChanges(database.url, logger),
    returnChanges: createReturnChanges(database.url, logger),
    entitlements: createEntitlementsCache(database.db, companyChanges),
    notices: createNoticeTelling({ db: database.db, temporal, taskQueue, logger }),
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
    giveFactor: ({ id }) => aSecondFactor(deps.db, id),
    stepUp: ({ sessionId }) => noteSecondFactor(deps.db, sessionId, new Date()),
    drain: () => {
      draining = true;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await deps.notices.close();
      await deps.documentChecks.close();
      const { changes, orderChanges, returnChanges } = deps;
      await Promise.all([closed, ...[changes, companyChanges, orderChanges, returnChanges].map((one) => one.close())]);
      await Promise.all([accessChanges.close(), deps.limits.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As in the local mode; a test that is about a rule of access sets it. */
export const OPEN_ACCESS: AccessPolicy = {
  staffSecondFactor: 'optional',
  requireVerifiedEmail: false,
  passwords: PASSWORD_POLICY,
  requestsPerMinute: 1_000_000,
};

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

/** With a session of their own and no password: these people come with a token and never log in. */
async function newPerson({ db, tokens }: ApiDeps, roles: Role[]): Promise<TestPerson> {
  const id = asId<UserId>(randomUUID());
  const [email, name] = [`${id}@example.test`, `Person ${id.slice(0, 8)}`];
  await db('users').insert({ id, email, name, roles, email_verified_at: new Date() });
  const sessionId = await testSession(db, id);
  const token = await tokens.issue({ userId: id, roles, sessionId });
  return { id, email, name, token, sessionId, headers: { authorization: `Bearer ${token}` } };
}

/** An open session as a log-in leaves one, without a second factor. */
export async function testSession(db: Knex, userId: UserId): Promise<string> {
  const id = randomUUID();
  const at = new Date();
  const later = new Date(at.getTime() + 3_600_000);
  await db('sessions').insert({
    id,
    user_id: userId,
    method: 'password',
    device: 'a test',
    address: '127.0.0.1',
    created_at: at,
    last_used_at: at,
    idle_until: later,
    ends_at: later,
  });
  return id;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('the test API has no TCP port');
  return address.port;
}

async function aSecondFactor(db: Knex, userId: UserId): Promise<void> {
  const at = new Date();
  await db('second_factors').insert({
    id: randomUUID(),
    user_id: userId,
    kind: 'email',
    created_at: at,
    confirmed_at: at,
  });
}
