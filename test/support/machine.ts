/**
 * The servers of one test run, on free ports in a temporary folder. Each starts when a test first asks for it and is
 * shared by all; the global teardown stops what was started.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type ChildSpec, startChild } from '../../local/children.ts';
import { StartFailure } from '../../local/failure.ts';
import { gatewayAccounts } from '../../local/gateways/accounts.ts';
import { startGatewaySandboxes } from '../../local/gateways/server.ts';
import { startMailbox } from '../../local/mailbox.ts';
import { freePorts } from '../../local/ports.ts';
import { preparePostgres } from '../../local/postgres.ts';
import { temporalSpec } from '../../local/temporal.ts';
import { findTemporalCli } from '../../local/temporal-cli.ts';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from '../../workflows/search-attributes.ts';
import { once, stopAtEnd } from './registry.ts';
import { runDirectory } from './run-directory.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

/** The Midtrans server key that the sandbox of this run knows. */
export const MIDTRANS_SERVER_KEY = `local-only-${randomUUID()}`;

/** The gateways' accounts as merchant and sandboxes of this run share them. */
export const GATEWAY_SECRETS = {
  midtrans: { serverKey: MIDTRANS_SERVER_KEY },
  ...gatewayAccounts(MIDTRANS_SERVER_KEY),
} as const;

export const CARRIER_SECRETS = gatewayAccounts(MIDTRANS_SERVER_KEY).carrier;

/** A PostgreSQL server of its own, without fsync. `adminUrl` names the database `postgres`, as a superuser. */
export const postgres = once(async () => {
  const directory = await runDirectory();
  const home = join(directory, 'postgres');
  return startOnFreePort(1, async ([port = 0]) => {
    const prepared = await preparePostgres({ home, port, durable: false, ...places(directory, 'postgres') });
    return { spec: prepared.spec, value: { adminUrl: prepared.urlOf('postgres'), urlOf: prepared.urlOf } };
  });
});

/** A Temporal server of its own, in memory, with time skipping and all search attributes, without the web page. */
export const temporal = once(async () => {
  const directory = await runDirectory();
  const cli = await temporalCli();
  return startOnFreePort(1, async ([port = 0]) => {
    const spec = temporalSpec({
      cli,
      port,
      uiPort: null,
      databaseFile: null,
      searchAttributes: SEARCH_ATTRIBUTE_DEFINITIONS,
      cwd: directory,
      ...places(directory, 'temporal'),
    });
    return { spec, value: { address: `127.0.0.1:${port}` } };
  });
});

/** The path of the Temporal CLI, fetched where this machine has none yet. */
export const temporalCli = once(async () => {
  const found = await findTemporalCli({
    env: process.env,
    cacheDirectory: join(REPOSITORY, '.cache'),
    progress: () => undefined,
  });
  return found.path;
});

/** A mailbox shared by the run: look for your own addresses in it. */
export const mailbox = once(async () => {
  const started = await startMailbox({ httpPort: 0, smtpPort: 0, directory: null });
  stopAtEnd(() => started.close());
  return started;
});

/** The gateway sandboxes shared by the run. Say where webhooks go with `setWebhookBaseUrl`. */
export const gateways = once(async () => {
  const started = await startGatewaySandboxes({
    port: 0,
    host: '127.0.0.1',
    webhookBaseUrl: 'http://127.0.0.1:9',
    midtransServerKey: MIDTRANS_SERVER_KEY,
    stateDir: null,
  });
  stopAtEnd(() => started.close());
  return started;
});

const places = (directory: string, name: string) => ({
  logFile: join(directory, `${name}.log`),
  runDirectory: join(directory, 'run'),
});

/** Between finding a free port and using it somebody else may take it, so a failed start is tried on other ones. */
async function startOnFreePort<T>(
  portCount: number,
  prepare: (ports: number[]) => Promise<{ spec: ChildSpec; value: T }>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const { spec, value } = await prepare(await freePorts(portCount));
    try {
      const child = await startChild(spec);
      stopAtEnd(() => child.stop());
      return value;
    } catch (error) {
      if (!(error instanceof StartFailure) || attempt === 3) throw error;
    }
  }
}
