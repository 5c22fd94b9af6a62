/** The whole of Alur for a test: API, worker, Temporal, PostgreSQL, mailbox and gateway sandbox, all real. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { ActivityDeps } from '../../activities/deps.ts';
import { createLocalSigner } from '../../activities/documents/signing.ts';
import { createGateways } from '../../activities/gateways/index.ts';
import { createMailTransport } from '../../activities/mail/transport.ts';
import { createFileStore } from '../../db/files.ts';
import type { DemoAccount } from '../../local/demo-data.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { ensureLocalSigner } from '../../local/signer.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { createWorker } from '../../worker/create.ts';
import { logTo } from '../../worker/telemetry.ts';
import { startApi, type TestApi } from './api.ts';
import { createTestDatabase, demoAccounts, type TestDatabase } from './database.ts';
import { gateways, MIDTRANS_SERVER_KEY, mailbox, temporal } from './machine.ts';
import { once, stopAtEnd } from './registry.ts';

export interface TestSystem {
  readonly api: TestApi;
  readonly database: TestDatabase;
  readonly client: Client;
  readonly taskQueue: string;
  readonly sandboxUrl: string;
  readonly deps: ActivityDeps;
  /** Headers of a demonstration account's session. */
  as(account: DemoAccount): Promise<Readonly<Record<string, string>>>;
  /** Lets the worker finish what it does and stops it; `startWorker` starts another. */
  stopWorker(): Promise<void>;
  startWorker(overrides?: Partial<ActivityDeps>): Promise<void>;
  close(): Promise<void>;
}

// Before the first native connection, which would start the runtime with the SDK's own, loud logger.
const quietRuntime = once(async () =>
  Runtime.install({
    logger: logTo(pino({ level: 'silent' })),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  }),
);

const workflowBundle = once(async () => ({ code: await bundleWorkflows() }));

const localSigner = once(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'alur-signer-'));
  stopAtEnd(() => rm(directory, { recursive: true, force: true }));
  const { keyFile, certificateFile } = await ensureLocalSigner(directory);
  return createLocalSigner({
    keyPem: await readFile(keyFile, 'utf8'),
    certificatePem: await readFile(certificateFile, 'utf8'),
  });
});

export async function startSystem(options: { worker?: boolean } = {}): Promise<TestSystem> {
  const database = await createTestDatabase();
  const { address } = await temporal();
  await quietRuntime();
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const client = new Client({ connection });
  const taskQueue = `alur-${randomUUID()}`;
  const directory = await mkdtemp(join(tmpdir(), 'alur-system-'));
  const files = createFileStore(directory);
  const api = await startApi(database, { temporal: client, taskQueue, files, midtransServerKey: MIDTRANS_SERVER_KEY });
  const sandbox = await gateways();
  sandbox.setWebhookBaseUrl(api.url);
  const deps = await activityDeps(database, files, api.url, sandbox.url);

  let running: { worker: Worker; ended: Promise<void> } | null = null;
  const stopWorker = async () => {
    running?.worker.shutdown();
    await running?.ended;
    running = null;
  };
  const startWorker = async (overrides: Partial<ActivityDeps> = {}) => {
    const worker = await createWorker({
      connection: native,
      namespace: 'default',
      taskQueue,
      maxCachedWorkflows: 200,
      shutdownGraceSeconds: 2,
      workflowBundle: await workflowBundle(),
      deps: { ...deps, ...overrides },
    });
    running = { worker, ended: worker.run() };
  };
  if (options.worker ?? true) await startWorker();

  return {
    api,
    database,
    client,
    taskQueue,
    sandboxUrl: sandbox.url,
    deps,
    as: (account) => session(api, account),
    stopWorker,
    startWorker,
    close: async () => {
      await stopWorker();
      await api.close();
      deps.mail.close();
      await Promise.all([
        native.close(),
        connection.close(),
        database.drop(),
        rm(directory, { recursive: true, force: true }),
      ]);
    },
  };
}

async function activityDeps(
  database: TestDatabase,
  files: ActivityDeps['files'],
  publicUrl: string,
  sandboxUrl: string,
): Promise<ActivityDeps> {
  const { smtpUrl } = await mailbox();
  const midtrans = {
    serverKey: MIDTRANS_SERVER_KEY,
    snapUrl: `${sandboxUrl}/midtrans`,
    apiUrl: `${sandboxUrl}/midtrans`,
  };
  return {
    db: database.db,
    files,
    gateways: createGateways({ midtrans }),
    signer: await localSigner(),
    mail: createMailTransport({ smtpUrl, from: 'Alur <no-reply@alur.example>' }),
    publicUrl,
  };
}

/** A token as the log-in would give, without its cost. */
async function session(api: TestApi, account: DemoAccount): Promise<Readonly<Record<string, string>>> {
  const found: { roles: Parameters<typeof api.deps.tokens.issue>[0]['roles'] } | undefined = await api.deps
    .db('users')
    .where({ id: demoUserId(account) })
    .first('roles');
  if (!found)
    throw new Error(`there is no demonstration account ${account}: ${Object.keys(await demoAccounts()).join(', ')}`);
  const token = await api.deps.tokens.issue({ userId: demoUserId(account), roles: found.roles });
  return { authorization: `Bearer ${token}` };
}
