/** The servers behind API and worker, each started here or, where the environment names a real one, only asked. */
import { mkdir } from 'node:fs/promises';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from '../workflows/search-attributes.ts';
import { type KeptChild, keepRunning } from './children.ts';
import { requireSpace } from './disk.ts';
import { StartFailure } from './failure.ts';
import { startGatewaySandboxes } from './gateways/server.ts';
import { startMailbox } from './mailbox.ts';
import { PATHS, REPOSITORY } from './paths.ts';
import { ensureDatabase, preparePostgres, whyNoDatabase } from './postgres.ts';
import type { Screen } from './screen.ts';
import type { Settings } from './settings.ts';
import { temporalAnswers, temporalSpec } from './temporal.ts';
import { findTemporalCli } from './temporal-cli.ts';

/** Hands over what is to be stopped later, as soon as it runs. */
export type OnStarted = (part: KeptChild) => void;
type Timed = (what: string) => void;

const DATABASE = 'alur';

/** @returns the URL of the database, which is there and empty or as it was left. */
export async function startDatabase(
  settings: Pick<Settings, 'own' | 'ports'> & { given: string | undefined },
  screen: Screen,
  onStarted: OnStarted,
  done: Timed,
): Promise<string> {
  if (!settings.own.postgres) {
    const url = settings.given ?? '';
    const why = await whyNoDatabase(url);
    if (why !== null) throw new StartFailure(`The database that DATABASE_URL names does not answer: ${why}.`);
    done('PostgreSQL (DATABASE_URL)');
    return url;
  }
  await requireSpace(PATHS.local, 300, 'keep the database');
  const prepared = await preparePostgres({
    home: PATHS.postgres,
    port: settings.ports.postgres,
    durable: true,
    ...places('postgres'),
  });
  if (prepared.note !== null) screen.line(`  ${prepared.note}`);
  onStarted(await keepRunning(prepared.spec, screen.line));
  await ensureDatabase(prepared.urlOf('postgres'), DATABASE);
  done(`PostgreSQL ${prepared.version}`);
  return prepared.urlOf(DATABASE);
}

export async function startTemporal(
  { own, ports }: Pick<Settings, 'own' | 'ports'>,
  env: NodeJS.ProcessEnv,
  screen: Screen,
  onStarted: OnStarted,
  done: Timed,
): Promise<void> {
  if (!own.temporal) {
    const address = env.TEMPORAL_ADDRESS ?? '';
    const answers = await temporalAnswers(address, SEARCH_ATTRIBUTE_DEFINITIONS, env.TEMPORAL_NAMESPACE);
    if (!answers) throw new StartFailure(`TEMPORAL_ADDRESS is ${JSON.stringify(address)}, where no Temporal answers.`);
    return done('Temporal (TEMPORAL_ADDRESS)');
  }
  const cli = await findTemporalCli({ env, cacheDirectory: PATHS.cache, progress: screen.progress });
  const spec = temporalSpec({
    cli: cli.path,
    port: ports.temporal,
    uiPort: ports.temporalUi,
    databaseFile: PATHS.temporalDatabase,
    searchAttributes: SEARCH_ATTRIBUTE_DEFINITIONS,
    cwd: PATHS.local,
    ...places('temporal'),
  });
  onStarted(await keepRunning(spec, screen.line));
  done(`Temporal with its UI (from ${cli.source})`);
}

export async function startMailboxServer({ ports }: Pick<Settings, 'ports'>, onStarted: OnStarted): Promise<void> {
  const options = { httpPort: ports.mailbox, smtpPort: ports.smtp, directory: PATHS.mailbox };
  const mailbox = await startMailbox(options);
  onStarted({ stop: () => mailbox.close(), kill: () => undefined });
}

export async function startGateways({ ports, config }: Settings, onStarted: OnStarted): Promise<void> {
  await mkdir(PATHS.gateways, { recursive: true });
  const gateways = await startGatewaySandboxes({
    port: ports.gateways,
    host: '127.0.0.1',
    webhookBaseUrl: `http://127.0.0.1:${ports.api}`,
    midtransServerKey: config.midtrans.serverKey,
    stateDir: PATHS.gateways,
  });
  onStarted({ stop: () => gateways.close(), kill: () => undefined });
}

/** API or worker: our own code, run from its sources. */
export async function startProgram(
  program: { name: 'api' | 'worker'; label: string; readyUrl: string },
  { childEnv, config }: Settings,
  screen: Screen,
): Promise<KeptChild> {
  const spec = {
    name: program.name,
    label: program.label,
    command: process.execPath,
    args: ['--import', import.meta.resolve('tsx'), `${program.name}/main.ts`],
    cwd: REPOSITORY,
    env: childEnv,
    stopSignal: 'SIGTERM' as const,
    graceMs: (config.shutdownGraceSeconds + 5) * 1_000,
    ...places(program.name),
    ready: () => isReady(program.readyUrl),
    readyWithinMs: 60_000,
  };
  return keepRunning(spec, screen.line);
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) }).catch(() => null);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

const places = (name: string) => ({ logFile: `${PATHS.logs}/${name}.log`, runDirectory: PATHS.run });
