/** Starts the API: reads the settings, puts the parts together, listens, and stops without dropping anybody. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { createApp } from './app.ts';
import { depsOf } from './compose.ts';
import type { ApiDeps } from './deps.ts';
import { codeOf } from './failures.ts';
import { createLimitedServer } from './server-limits.ts';

try {
  await start(loadConfig());
} catch (error) {
  const sentence = error instanceof ConfigError ? error.message : takenPort(error);
  if (sentence === undefined) throw error;
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

async function start(config: Config): Promise<void> {
  const deps = await depsOf(config);
  let draining = false;
  const server = createLimitedServer().on('request', createApp(deps, { isDraining: () => draining }));
  // Their answers were begun before the signal and promise to keep the connection.
  server.on('request', (_req, res) => {
    res.once('close', () => draining && setImmediate(() => server.closeIdleConnections()));
  });
  server.listen(config.api.port, config.api.host);
  await once(server, 'listening');
  if (deps.production && deps.trustedProxies === 0) {
    deps.logger.warn(
      'ALUR_TRUSTED_PROXIES is 0: no request counts as https, and all but health and metrics are refused',
    );
  }
  deps.logger.info({ host: config.api.host, port: config.api.port }, 'the API listens');

  const stop = async (signal: string): Promise<void> => {
    if (draining) return;
    draining = true;
    deps.logger.info({ signal }, 'the API stops');
    const sentHome = sendHome(deps);
    await drain(server, deps, config.shutdownGraceSeconds);
    await toldWithin(deps, config.shutdownGraceSeconds);
    await closedWithin(deps, sentHome);
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
}

/** What is on its way when the signal comes still gets in; its answer says that the connection ends with it. */
const LAST_CALL_MS = 1_000;

/** Who merely waits for something to change is answered at once, with what is so. */
const sendHome = ({ changes, companyChanges, orderChanges, returnChanges }: ApiDeps): Promise<unknown> =>
  Promise.allSettled([changes, companyChanges, orderChanges, returnChanges].map((waiting) => waiting.close()));

/** Takes no more connections, and lets those that are in finish within the grace. */
async function drain(server: Server, { logger }: ApiDeps, graceSeconds: number): Promise<void> {
  await delay(LAST_CALL_MS);
  const closed = once(server, 'close');
  server.close();
  const timer = setTimeout(() => {
    logger.warn({ graceSeconds }, 'requests were still running at the end of the grace; they are cut off');
    server.closeAllConnections();
  }, graceSeconds * 1000);
  await closed;
  clearTimeout(timer);
}

/** Who is stored and not yet told by then is told by the worker's sweep. */
async function toldWithin({ notices }: ApiDeps, graceSeconds: number): Promise<void> {
  await Promise.race([notices.close(), delay(graceSeconds * 1000, undefined, { ref: false })]);
}

const CLOSE_WITHIN_MS = 3_000;

/**
 * The database last: everything before may still write. Its pool waits for statements that run, and a connection for a server
 * that may be away: after the grace nobody is waited for any more.
 */
async function closedWithin({ accessChanges, limits, db, logger }: ApiDeps, sentHome: Promise<unknown>): Promise<void> {
  const closing = async () => {
    await Promise.allSettled([sentHome, accessChanges.close(), limits.close()]);
    await db.destroy();
    return true;
  };
  const inTime = await Promise.race([closing(), delay(CLOSE_WITHIN_MS, false, { ref: false })]);
  if (!inTime) logger.warn('the database was still busy with what was cut off; the process ends without it');
}

function takenPort(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (codeOf(error) !== 'EADDRINUSE') return undefined;
  const port = 'port' in error ? String(error.port) : '';
  return `Port ${port} is taken; stop what listens there, or set ALUR_API_PORT to another.`;
}
