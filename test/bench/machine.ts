/** Everything that a bench needs, each in a process of its own: the servers, Alur, and the bare counterparts. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Knex } from 'knex';
import { SMTPServer } from 'smtp-server';
import { createAccessTokens } from '../../api/tokens.ts';
import { connect } from '../../db/connection.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import type { Role } from '../../domain/roles.ts';
import { type Child, startChild } from '../../local/children.ts';
import { DEMO_ROLES, type DemoAccount, demoUserId, loadDemoData } from '../../local/demo-data.ts';
import { gatewayAccounts } from '../../local/gateways/accounts.ts';
import { startGatewaySandboxes } from '../../local/gateways/server.ts';
import { freePorts } from '../../local/ports.ts';
import { ensureDatabase, preparePostgres } from '../../local/postgres.ts';
import { ensureLocalSecrets, type LocalSecrets } from '../../local/secrets.ts';
import { ensureLocalSigner } from '../../local/signer.ts';
import { temporal } from '../support/machine.ts';
import { stopAtEnd } from '../support/registry.ts';
import { runDirectory } from '../support/run-directory.ts';
import { buildPrograms } from './build.ts';
import { type Driver, startDriver } from './driver.ts';
import type { Person } from './programs/orders.ts';

export interface Machine {
  readonly apiUrl: string;
  readonly bareUrl: string;
  readonly bareQueue: string;
  readonly sandboxUrl: string;
  readonly databaseUrl: string;
  readonly db: Knex;
  readonly client: Client;
  readonly driver: Driver;
  readonly api: Child;
  readonly worker: Child;
  readonly bareServer: Child;
  /** The API without credential, limit and right. */
  readonly openApi: Child;
  readonly openUrl: string;
  readonly midtransServerKey: string;
  readonly workflowBundle: string;
  /** The key of the demonstration data. */
  readonly personalDataKey: Buffer;
  /** Starts one of Alur's or the bench's programs once more, with the same settings but for these. */
  startAlso(name: string, script: string, changes: NodeJS.ProcessEnv, ready: () => Promise<boolean>): Promise<Child>;
  /** Shows a line of progress. */
  say(line: string): void;
  readonly people: Readonly<Record<DemoAccount, Person>>;
}

/** As many database connections as `config.ts` gives API and worker by default, and as large a cache. */
const POOL = '20';
const CACHED_WORKFLOWS = '200';
const BARE_QUEUE = 'bench-bare';
/** As Dockerfile and docker-compose.yml run them; the bare counterparts too. */
const AS_DEPLOYED = { NODE_ENV: 'production', MALLOC_ARENA_MAX: '2' };
const HEAP_OF_WORKERS = '--max-old-space-size=512';
/** The gateways' limit is not what is measured, except where a part sets it. */
const UNHURRIED = '10000';

/** @param profileTo a directory for V8 profiles of the programs; they are written when the programs stop */
export async function startMachine(say: (line: string) => void, profileTo: string | null): Promise<Machine> {
  const directory = await runDirectory();
  say('Building ...');
  const programs = await buildPrograms(join(directory, 'build'));
  say('Starting PostgreSQL, Temporal, API, worker and their bare counterparts ...');
  const [databaseUrl, { address }, smtpUrl] = await Promise.all([startDatabase(directory), temporal(), startSmtp()]);
  const secrets = await ensureLocalSecrets(join(directory, 'secrets'));
  const personalDataKey = Buffer.from(secrets.personalDataKey, 'base64');
  await loadDemoData({ databaseUrl, personalDataKeys: [personalDataKey] });
  const db = connect(databaseUrl, 4, 'alur-bench');
  stopAtEnd(() => db.destroy());
  await db.raw('create table bench_rows (key text primary key, at timestamptz not null default now())');

  const [apiPort = 0, metricsPort = 0, barePort = 0, openPort = 0] = await freePorts(4);
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const sandbox = await startGatewaySandboxes({
    port: 0,
    webhookBaseUrl: apiUrl,
    midtransServerKey: secrets.midtransServerKey,
    stateDir: null,
  });
  stopAtEnd(() => sandbox.close());
  const signer = await ensureLocalSigner(join(directory, 'secrets'));
  await mkdir(join(directory, 'files'));

  const start = starter({ programs, directory, profileTo });
  const common = { DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: address };
  const { carrier } = gatewayAccounts(secrets.midtransServerKey);
  const alur = {
    ...common,
    ALUR_MODE: 'local',
    ALUR_PUBLIC_URL: apiUrl,
    ALUR_API_HOST: '127.0.0.1',
    ALUR_API_PORT: String(apiPort),
    ALUR_METRICS_PORT: String(metricsPort),
    ALUR_DATABASE_POOL: POOL,
    ALUR_MAX_CACHED_WORKFLOWS: CACHED_WORKFLOWS,
    ALUR_GATEWAY_CALLS_PER_SECOND: UNHURRIED,
    ALUR_SHUTDOWN_GRACE_SECONDS: '2',
    SMTP_URL: smtpUrl,
    ALUR_FILES_DIR: join(directory, 'files'),
    MIDTRANS_SERVER_KEY: secrets.midtransServerKey,
    MIDTRANS_SNAP_URL: `${sandbox.url}/midtrans`,
    MIDTRANS_API_URL: `${sandbox.url}/midtrans`,
    ALUR_CARRIER_URL: `${sandbox.url}/carrier`,
    ALUR_CARRIER_KEY: carrier.key,
    ALUR_CARRIER_WEBHOOK_SECRET: carrier.webhookSecret,
    ALUR_JWT_PRIVATE_KEY: secrets.jwtPrivateKeyPem,
    ALUR_AUDIT_PRIVATE_KEY: secrets.auditPrivateKeyPem,
    ALUR_SECRET_KEY: secrets.secretKey,
    ALUR_PERSONAL_DATA_KEY: secrets.personalDataKey,
    ALUR_SIGNER_KEY_FILE: signer.keyFile,
    ALUR_SIGNER_CERTIFICATE_FILE: signer.certificateFile,
    // Counted like anybody's requests, and never too many.
    ALUR_REQUESTS_PER_MINUTE: '1000000',
  };
  const open = { ...alur, ALUR_API_PORT: String(openPort), BENCH_VIEWER: demoUserId('owner') };
  const bare = {
    ...common,
    TEMPORAL_TASK_QUEUE: BARE_QUEUE,
    BENCH_PORT: String(barePort),
    BENCH_POOL: POOL,
    BENCH_CACHE: CACHED_WORKFLOWS,
    BENCH_VIEWER: demoUserId('owner'),
    BENCH_MIDTRANS_KEY: secrets.midtransServerKey,
  };
  const bareUrl = `http://127.0.0.1:${barePort}`;
  const openUrl = `http://127.0.0.1:${openPort}`;
  const [api, worker, bareServer, openApi] = await Promise.all([
    start('api', 'api/main.js', alur, () => answers(`${apiUrl}/health/ready`, 200)),
    start('worker', 'worker/main.js', alur, () => answers(`http://127.0.0.1:${metricsPort}/health/ready`, 200)),
    start('bare-server', 'test/bench/programs/bare-server.js', bare, () => answers(`${bareUrl}/`, 404)),
    start('open-api', 'test/bench/programs/open-api.js', open, () => answers(`${openUrl}/health/ready`, 200)),
    start('bare-worker', 'test/bench/programs/bare-worker.js', bare, () => polled(address)),
  ]);
  const connection = await Connection.connect({ address });
  stopAtEnd(() => connection.close());
  return {
    apiUrl,
    bareUrl,
    bareQueue: BARE_QUEUE,
    sandboxUrl: sandbox.url,
    databaseUrl,
    db,
    client: new Client({ connection }),
    driver: await startDriver(join(programs, 'test/bench/programs/driver.js'), bare),
    api,
    worker,
    bareServer,
    openApi,
    openUrl,
    midtransServerKey: secrets.midtransServerKey,
    workflowBundle: join(programs, 'workflow-bundle.js'),
    personalDataKey,
    startAlso: (name, script, changes, ready) => start(name, script, { ...alur, ...changes }, ready),
    say,
    people: await peopleOf(db, secrets, apiUrl),
  };
}

/** With fsync, unlike the tests' server: what is called durable here has reached the disk. */
async function startDatabase(directory: string): Promise<string> {
  const [port = 0] = await freePorts(1);
  const { spec, urlOf } = await preparePostgres({
    home: join(directory, 'postgres'),
    port,
    durable: true,
    logFile: join(directory, 'postgres.log'),
    runDirectory: join(directory, 'run'),
  });
  const child = await startChild(spec);
  stopAtEnd(() => child.stop());
  await ensureDatabase(urlOf('postgres'), 'bench');
  await migrateToLatest(urlOf('bench'));
  return urlOf('bench');
}

/** Takes every letter and forgets it: reading mail is not Alur's work. */
async function startSmtp(): Promise<string> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onData: (stream, _session, done) => void stream.resume().once('end', () => done()),
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  stopAtEnd(() => new Promise((resolve) => server.close(() => resolve())));
  return `smtp://127.0.0.1:${port}`;
}

function starter(where: { programs: string; directory: string; profileTo: string | null }) {
  const { programs, directory, profileTo } = where;
  const heap = (name: string) => (name.endsWith('worker') ? [HEAP_OF_WORKERS] : []);
  const profile = (name: string) =>
    profileTo === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profileTo, name)}`];
  return async (
    name: string,
    script: string,
    env: NodeJS.ProcessEnv,
    ready: () => Promise<boolean>,
  ): Promise<Child> => {
    const child = await startChild({
      name,
      label: `the ${name}`,
      // The log lines of requests are written, to nowhere; what goes wrong is kept.
      command: '/bin/sh',
      args: [
        '-c',
        'exec "$0" "$@" >/dev/null',
        process.execPath,
        ...heap(name),
        ...profile(name),
        join(programs, script),
      ],
      cwd: directory,
      env: { PATH: process.env.PATH, ...AS_DEPLOYED, ...env },
      stopSignal: 'SIGTERM',
      graceMs: 10_000,
      logFile: join(directory, `${name}.log`),
      runDirectory: join(directory, 'run'),
      ready,
      readyWithinMs: 60_000,
    });
    stopAtEnd(() => child.stop());
    return child;
  };
}

export async function answers(url: string, status: number): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) }).catch(() => null);
  await answer?.body?.cancel();
  return answer?.status === status;
}

async function polled(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address });
  try {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: BARE_QUEUE },
      taskQueueType: 1,
    });
    return (pollers ?? []).length > 0;
  } finally {
    await connection.close();
  }
}

async function peopleOf(db: Knex, secrets: LocalSecrets, publicUrl: string): Promise<Machine['people']> {
  const tokens = await createAccessTokens({ privateKeyPem: secrets.jwtPrivateKeyPem, publicUrl });
  const rows: { id: string; roles: Role[] }[] = await db('users').select('id', 'roles');
  const person = async (account: DemoAccount): Promise<[DemoAccount, Person]> => {
    const userId = demoUserId(account);
    const roles = rows.find(({ id }) => id === userId)?.roles ?? [];
    return [account, { userId, token: await tokens.issue({ userId, roles }) }];
  };
  const found = new Map(await Promise.all(DEMO_ROLES.map(person)));
  const of = (account: DemoAccount): Person => {
    const one = found.get(account);
    if (!one) throw new Error(`there is no demonstration account ${account}`);
    return one;
  };
  return {
    owner: of('owner'),
    verifier: of('verifier'),
    examiner: of('examiner'),
    approver: of('approver'),
    approver2: of('approver2'),
    head: of('head'),
    supervisor: of('supervisor'),
    finance: of('finance'),
    seller: of('seller'),
    warehouse: of('warehouse'),
    admin: of('admin'),
  };
}
