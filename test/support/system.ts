/** The whole of Alur for a test: API, worker, Temporal, PostgreSQL, mailbox and gateway sandbox, all real. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once as onceEvent } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type Connection } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { createKurir } from '../../activities/carriers/kurir.ts';
import type { ActivityDeps } from '../../activities/deps.ts';
import { createLocalSigner } from '../../activities/documents/signing.ts';
import { createGateways } from '../../activities/gateways/index.ts';
import { createMailTransport } from '../../activities/mail/transport.ts';
import { createRegistries } from '../../activities/registries/client.ts';
import { createSmsSender } from '../../activities/sms/sender.ts';
import { createVirusScanner } from '../../activities/virus-scanner.ts';
import { createFileStore } from '../../db/files.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import type { DemoAccount } from '../../local/demo-data.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { ensureLocalSigner } from '../../local/signer.ts';
import { LOCAL_SMS_TOKEN } from '../../local/sms.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { createWorkers, type Workers } from '../../worker/create.ts';
import { logTo } from '../../worker/telemetry.ts';
import { startApi, type TestApi } from './api.ts';
import { startClamd } from './clamd.ts';
import {
  AUDIT_PRIVATE_KEY,
  createTestDatabase,
  demoAccounts,
  PERSONAL_DATA_KEY,
  type TestDatabase,
} from './database.ts';
import { carrierSettings, gatewaySettings, registrySettings } from './gateway-settings.ts';
import { CARRIER_SECRETS, GATEWAY_SECRETS, gateways, MIDTRANS_SERVER_KEY, mailbox, temporal } from './machine.ts';
import { MONEY_POLICY } from './money-policy.ts';
import type { MortalWorkerSettings } from './mortal-worker-settings.ts';
import { once, stopAtEnd } from './registry.ts';
import { connectToTemporal } from './temporal-connection.ts';

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
  /** Runs a worker in a process of its own until it kills itself there; resolves once it is dead. */
  workUntilDeath(dieAt: NonNullable<MortalWorkerSettings['dieAt']>): Promise<void>;
  /** Starts a worker in a process of its own, to be killed as `kill -9` does it; several may work at once. */
  workInOwnProcess(): Promise<{ kill(): Promise<void> }>;
  close(): Promise<void>;
}

// Before the first native connection, which would start the runtime with the SDK's own, loud logger.
export const quietRuntime = once(async () =>
  Runtime.install({
    logger: logTo(pino({ level: 'silent' })),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  }),
);

export const workflowBundle = once(async () => ({ code: await bundleWorkflows() }));

const signerFiles = once(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'alur-signer-'));
  stopAtEnd(() => rm(directory, { recursive: true, force: true }));
  return ensureLocalSigner(directory);
});

/** For documents that wait for one: the API of a test decides whether they do. */
const scanner = once(async () => {
  const daemon = await startClamd();
  stopAtEnd(() => daemon.goAway());
  return createVirusScanner(daemon);
});

const localSigner = once(async () => {
  const { keyFile, certificateFile } = await signerFiles();
  return createLocalSigner({
    keyPem: await readFile(keyFile, 'utf8'),
    certificatePem: await readFile(certificateFile, 'utf8'),
  });
});

/** Questions to gateways a second, where a test is about anything else. */
export const UNHURRIED = 1_000;

/** @param options.clientOf makes the API's Temporal client, where a test wants another one */
export async function startSystem(
  options: { worker?: boolean; clientOf?: (connection: Connection) => Client; gatewayCallsPerSecond?: number } = {},
): Promise<TestSystem> {
  const database = await createTestDatabase();
  const { address } = await temporal();
  await quietRuntime();
  const [connection, native] = await Promise.all([connectToTemporal(address), NativeConnection.connect({ address })]);
  const client = options.clientOf?.(connection) ?? new Client({ connection });
  const taskQueue = `alur-${randomUUID()}`;
  const directory = await mkdtemp(join(tmpdir(), 'alur-system-'));
  const files = createFileStore(directory);
  const api = await startApi(database, {
    temporal: client,
    taskQueue,
    files,
    gateways: GATEWAY_SECRETS,
    carrier: CARRIER_SECRETS,
  });
  const sandbox = await gateways();
  sandbox.setWebhookBaseUrl(api.url);
  const deps = await activityDeps(database, files, api.url, sandbox.url);

  let running: { workers: Workers; ended: Promise<void> } | null = null;
  const stopWorker = async () => {
    running?.workers.shutdown();
    await running?.ended;
    running = null;
  };
  const startWorker = async (overrides: Partial<ActivityDeps> = {}) => {
    const workers = await createWorkers({
      connection: native,
      namespace: 'default',
      taskQueue,
      maxCachedWorkflows: 200,
      gatewayCallsPerSecond: options.gatewayCallsPerSecond ?? UNHURRIED,
      shutdownGraceSeconds: 2,
      workflowBundle: await workflowBundle(),
      deps: { ...deps, ...overrides },
      build: null,
    });
    running = { workers, ended: workers.run() };
  };
  if (options.worker ?? true) await startWorker();
  const mortal = async () => ({
    databaseUrl: database.url,
    filesDir: directory,
    midtransServerKey: MIDTRANS_SERVER_KEY,
    sandboxUrl: sandbox.url,
    signerKeyFile: (await signerFiles()).keyFile,
    signerCertificateFile: (await signerFiles()).certificateFile,
    smtpUrl: (await mailbox()).smtpUrl,
    publicUrl: api.url,
    secretKey: deps.secretKey.toString('base64'),
    auditPrivateKeyPem: deps.auditPrivateKeyPem,
    temporalAddress: address,
    taskQueue,
    gatewayCallsPerSecond: options.gatewayCallsPerSecond ?? UNHURRIED,
    bundleFile: await bundleFile(),
  });

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
    workUntilDeath: async (dieAt) => dieInOwnProcess({ ...(await mortal()), dieAt }),
    workInOwnProcess: async () => liveInOwnProcess({ ...(await mortal()), dieAt: null }),
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
  const { smtpUrl, smsUrl } = await mailbox();
  return {
    db: database.db,
    files,
    gateways: createGateways(gatewaySettings(MIDTRANS_SERVER_KEY, sandboxUrl, publicUrl), database.db),
    money: MONEY_POLICY,
    signer: await localSigner(),
    mail: createMailTransport({ smtpUrl, from: 'Alur <no-reply@alur.example>' }),
    registries: createRegistries(registrySettings(MIDTRANS_SERVER_KEY, sandboxUrl)),
    carrier: createKurir(carrierSettings(MIDTRANS_SERVER_KEY, sandboxUrl)),
    scanner: await scanner(),
    documentRetentionDays: 3_650,
    sms: createSmsSender({ url: `${smsUrl}/messages`, token: LOCAL_SMS_TOKEN }),
    publicUrl,
    personalData: createPersonalData([PERSONAL_DATA_KEY]),
    secretKey: PERSONAL_DATA_KEY,
    auditPrivateKeyPem: AUDIT_PRIVATE_KEY,
  };
}

const bundleFile = once(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'alur-bundle-'));
  stopAtEnd(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'workflows.js');
  await writeFile(file, (await workflowBundle()).code);
  return file;
});

function spawnMortal(settings: MortalWorkerSettings) {
  const script = join(import.meta.dirname, 'mortal-worker.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(settings)], { stdio: 'ignore' });
  stopAtEnd(async () => void child.kill('SIGKILL'));
  return child;
}

async function dieInOwnProcess(settings: MortalWorkerSettings): Promise<void> {
  const [, signal]: unknown[] = await onceEvent(spawnMortal(settings), 'exit');
  if (signal !== 'SIGKILL')
    throw new Error(`the mortal worker ended by itself (${String(signal)}) before it was killed`);
}

async function liveInOwnProcess(settings: MortalWorkerSettings): Promise<{ kill(): Promise<void> }> {
  const child = spawnMortal(settings);
  const ended = onceEvent(child, 'exit');
  await onceEvent(child, 'spawn');
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
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
