/** `npm start`: everything on one machine, started together, watched, and stopped in order. */
import { mkdir } from 'node:fs/promises';
import { ConfigError } from '../config.ts';
import { migrateToLatest } from '../db/migrate.ts';
import { type KeptChild, startNoMoreIn } from './children.ts';
import { type DemoAccounts, loadDemoData } from './demo-data.ts';
import { hasCode, messageOf, StartFailure } from './failure.ts';
import { findLauncher, releaseLock, takeLock } from './lock.ts';
import { PATHS } from './paths.ts';
import { choosePorts, requireFree } from './ports.ts';
import { isRunning, stopRecorded } from './processes.ts';
import { type ReadyFile, removeReadyFile, writeReadyFile } from './ready-file.ts';
import { createScreen, type Screen } from './screen.ts';
import { ensureLocalSecrets } from './secrets.ts';
import { startDatabase, startGateways, startMailboxServer, startProgram, startTemporal } from './servers.ts';
import { DATABASE_TO_COME, ownServers, portsInUse, type Settings, settingsOf } from './settings.ts';
import { ensureLocalSigner } from './signer.ts';
import { createStopping, type Stopping } from './stopping.ts';

/** Runs until Ctrl-C or SIGTERM. A start that fails says why in a sentence and sets exit code 1. */
export async function main(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const screen = createScreen();
  const stopping = createStopping(screen);
  try {
    await start(env, screen, stopping);
  } catch (error) {
    if (stopping.requested()) return;
    screen.failure(sentenceOf(error));
    await stopping.stopAll();
    process.exit(1);
  }
}

async function start(env: NodeJS.ProcessEnv, screen: Screen, stopping: Stopping): Promise<void> {
  const began = Date.now();
  const own = ownServers(env);
  await mkdir(PATHS.local, { recursive: true });
  const ports = await choosePorts(env);
  const launcher = findLauncher(env);
  await takeLock(PATHS.lock, `http://localhost:${ports.api}`, launcher);
  stopping.atLast(() => releaseLock(PATHS.lock));
  stopping.sweepWith(() => {
    startNoMoreIn(PATHS.run);
    return stopRecorded(PATHS.run);
  });
  await recover(screen);
  stopping.atFirst(() => removeReadyFile(PATHS.ready));
  await requireFree(ports, portsInUse(own));
  const secrets = await ensureLocalSecrets(PATHS.secrets);
  // A wrong setting is said before anything starts, not after a minute.
  settingsOf(env, ports, secrets, DATABASE_TO_COME);
  screen.line('Alur on this machine\n');

  const timed = timer(screen, began);
  const servers = { own, ports, given: env.DATABASE_URL };
  const [databaseUrl] = await Promise.all([
    startDatabase(servers, screen, stopping.server, timed),
    startTemporal(servers, env, screen, stopping.server, timed),
    ensureLocalSigner(PATHS.secrets),
    own.mailbox ? startMailboxServer(servers, stopping.server) : undefined,
  ]);
  const settings = settingsOf(env, ports, secrets, databaseUrl);
  if (own.gateways) await startGateways(settings, stopping.server);
  timed([own.mailbox ? 'mailbox' : [], own.gateways ? 'gateway sandboxes' : []].flat().join(', ') || 'mail, gateways');

  await migrateToLatest(databaseUrl);
  const accounts = await loadDemoData({ databaseUrl, personalDataKeys: settings.config.personalDataKeys });
  timed('schema and demonstration data');
  await startPrograms(settings, screen, stopping, timed);
  if (launcher !== null) stopping.whenGone(() => !isRunning(launcher));

  const addresses = addressesOf(settings, accounts);
  await writeReadyFile(PATHS.ready, addresses);
  show(screen, addresses, (Date.now() - began) / 1_000);
}

/** Clears away what a killed supervisor has left running and lying about. */
async function recover(screen: Screen): Promise<void> {
  removeReadyFile(PATHS.ready);
  const stopped = await stopRecorded(PATHS.run);
  if (stopped.length > 0)
    screen.line(`An earlier start was cut off; stopped what it left running: ${stopped.join(', ')}.`);
}

async function startPrograms(
  settings: Settings,
  screen: Screen,
  stopping: Stopping,
  timed: (what: string) => void,
): Promise<void> {
  const { api, metrics } = settings.ports;
  const readyUrl = (port: number) => `http://127.0.0.1:${port}/health/ready`;
  const start = async (program: Parameters<typeof startProgram>[0], register: (child: KeptChild) => void) => {
    register(await startProgram(program, settings, screen));
    timed(program.label);
  };
  await Promise.all([
    start({ name: 'worker', label: 'the worker', readyUrl: readyUrl(metrics) }, stopping.worker),
    start({ name: 'api', label: 'the API', readyUrl: readyUrl(api) }, stopping.api),
  ]);
}

function timer(screen: Screen, began: number): (what: string) => void {
  return (what) => screen.done(what, Date.now() - began);
}

function addressesOf({ own, ports, config }: Settings, accounts: DemoAccounts): ReadyFile {
  const local = (port: number) => `http://localhost:${port}`;
  return {
    api: local(ports.api),
    temporal: own.temporal ? `localhost:${ports.temporal}` : config.temporal.address,
    temporalUi: own.temporal ? local(ports.temporalUi) : null,
    mailbox: own.mailbox ? local(ports.mailbox) : null,
    gateways: own.gateways ? local(ports.gateways) : null,
    postgres: config.database.url,
    accounts,
  };
}

function show(screen: Screen, ready: ReadyFile, seconds: number): void {
  screen.table(`Ready after ${seconds.toFixed(1)} s`, [
    ['API', ready.api],
    ['API reference', `${ready.api}/docs`],
    ['Temporal UI', ready.temporalUi ?? '(of the server that TEMPORAL_ADDRESS names)'],
    ['Mailbox', ready.mailbox ?? '(mail goes out through SMTP_URL)'],
    ['Gateway sandboxes', ready.gateways ?? '(real gateways)'],
    ['Temporal', ready.temporal],
    ['PostgreSQL', ready.postgres],
  ]);
  const rows = Object.entries(ready.accounts).map(([role, { email, password }]) => [role, email, password]);
  screen.table('Log in as', rows);
  screen.line('\n  Next: npm run demo, in another terminal, plays an application from start to licence.');
  screen.line(`  Logs are in ${PATHS.logs}. Ctrl-C stops everything.\n`);
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartFailure || error instanceof ConfigError) return error.message;
  if (hasCode(error, 'ENOSPC')) return `The disk of ${PATHS.local} is full: make room there and start again.`;
  if (error instanceof Error && 'path' in error && (hasCode(error, 'EACCES') || hasCode(error, 'EPERM'))) {
    return `${error.path} belongs to another user: start as that user, or delete ${PATHS.local} as that user first.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
