/** Starts the API: reads the settings, puts the parts together, listens, and stops without dropping anybody. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { connect } from '../db/connection.ts';
import { createFileStore } from '../db/files.ts';
import { createPersonalData } from '../db/personal-data.ts';
import { createAccessChanges } from './access-changes.ts';
import { createApiKeys } from './api-keys.ts';
import { createApp } from './app.ts';
import type { ApiDeps } from './deps.ts';
import { codeOf } from './failures.ts';
import { createAccessTokens } from './tokens.ts';
import { createApplicationChanges } from './waiting.ts';

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
  const server = createServer(createApp(deps, { isDraining: () => draining }));
  // Longer than a proxy keeps its connections, so that it is never the API that hangs up between two requests.
  server.keepAliveTimeout = 65_000;
  // Their answers were begun before the signal and promise to keep the connection.
  server.on('request', (_req, res) => {
    res.once('close', () => draining && setImmediate(() => server.closeIdleConnections()));
  });
  server.listen(config.api.port, config.api.host);
  await once(server, 'listening');
  deps.logger.info({ address: server.address() }, 'the API listens');

  const stop = async (signal: string): Promise<void> => {
    if (draining) return;
    draining = true;
    deps.logger.info({ signal }, 'the API stops');
    await drain(server, deps, config.shutdownGraceSeconds);
    await deps.accessChanges.close();
    await deps.db.destroy();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
}

async function depsOf(config: Config): Promise<ApiDeps> {
  const { publicUrl } = config;
  const logger = pino({ level: config.logLevel });
  const db = connect(config.database.url, config.database.pool, 'alur-api');
  const production = config.mode === 'production';
  const accessChanges = createAccessChanges(config.database.url, db, logger);
  accessChanges.open();
  const connection = Connection.lazy({ address: config.temporal.address });
  return {
    db,
    temporal: new Client({ connection, namespace: config.temporal.namespace }),
    taskQueue: config.temporal.taskQueue,
    files: createFileStore(config.filesDir),
    tokens: await createAccessTokens({ ...config.jwt, publicUrl }),
    publicUrl,
    midtransServerKey: config.midtrans.serverKey,
    personalData: createPersonalData(config.personalDataKeys),
    secretKey: config.secretKey,
    access: config.access,
    accessChanges,
    apiKeys: createApiKeys({ db, accessChanges, logger, production }),
    logger,
    selfRegistration: config.api.selfRegistration,
    trustedProxies: config.api.trustedProxies,
    production,
    changes: createApplicationChanges(config.database.url, logger),
  };
}

/** What is on its way when the signal comes still gets in; its answer says that the connection ends with it. */
const LAST_CALL_MS = 1_000;

/** Takes no more connections, sends home who merely waits, and lets the others finish within the grace. */
async function drain(server: Server, { changes, logger }: ApiDeps, graceSeconds: number): Promise<void> {
  await delay(LAST_CALL_MS);
  const closed = once(server, 'close');
  server.close();
  await changes.close();
  const timer = setTimeout(() => {
    logger.warn({ graceSeconds }, 'requests were still running at the end of the grace; they are cut off');
    server.closeAllConnections();
  }, graceSeconds * 1000);
  await closed;
  clearTimeout(timer);
}

function takenPort(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (codeOf(error) !== 'EADDRINUSE') return undefined;
  const port = 'port' in error ? String(error.port) : '';
  return `Port ${port} is taken; stop what listens there, or set ALUR_API_PORT to another.`;
}
