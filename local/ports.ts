/** The ports of one machine: which variable sets which, what they are by default, and whether they are free. */

import { randomInt } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { hasCode, StartFailure } from './failure.ts';

export const PORTS = {
  api: { variable: 'ALUR_API_PORT', port: 3000, label: 'the API' },
  temporal: { variable: 'ALUR_TEMPORAL_PORT', port: 7233, label: 'Temporal' },
  temporalUi: { variable: 'ALUR_TEMPORAL_UI_PORT', port: 8233, label: 'the Temporal UI' },
  mailbox: { variable: 'ALUR_MAILBOX_PORT', port: 8025, label: 'the mailbox' },
  smtp: { variable: 'ALUR_SMTP_PORT', port: 1025, label: "the mailbox's SMTP" },
  gateways: { variable: 'ALUR_GATEWAYS_PORT', port: 4010, label: 'the gateway sandboxes' },
  postgres: { variable: 'ALUR_POSTGRES_PORT', port: 54329, label: 'PostgreSQL' },
  metrics: { variable: 'ALUR_METRICS_PORT', port: 9464, label: "the worker's metrics" },
} as const;

export type PortName = keyof typeof PORTS;
export type Ports = Record<PortName, number>;

const NAMES: readonly PortName[] = [
  'api',
  'temporal',
  'temporalUi',
  'mailbox',
  'smtp',
  'gateways',
  'postgres',
  'metrics',
];

/**
 * Reads the port variables. With `ALUR_PORTS=auto` every port that has no variable of its own is a free one.
 * @throws StartFailure naming the variable when a value is not a port, or when two services were given the same one.
 */
export async function choosePorts(env: NodeJS.ProcessEnv): Promise<Ports> {
  const mode = env.ALUR_PORTS ?? '';
  if (mode !== '' && mode !== 'auto') {
    throw new StartFailure(`ALUR_PORTS is ${JSON.stringify(mode)}; it must be auto or not set.`);
  }
  const free = mode === 'auto' ? await freePorts(NAMES.length) : [];
  const entries = NAMES.map((name, index) => [name, given(env, name) ?? free[index] ?? PORTS[name].port] as const);
  const ports = { ...defaults(), ...Object.fromEntries(entries) };
  refuseDoubles(ports);
  return ports;
}

function defaults(): Ports {
  return {
    api: PORTS.api.port,
    temporal: PORTS.temporal.port,
    temporalUi: PORTS.temporalUi.port,
    mailbox: PORTS.mailbox.port,
    smtp: PORTS.smtp.port,
    gateways: PORTS.gateways.port,
    postgres: PORTS.postgres.port,
    metrics: PORTS.metrics.port,
  };
}

function given(env: NodeJS.ProcessEnv, name: PortName): number | undefined {
  const { variable } = PORTS[name];
  const value = env[variable];
  if (value === undefined || value === '') return undefined;
  const port = Number(value);
  if (/^\d+$/.test(value) && port >= 1 && port <= 65_535) return port;
  throw new StartFailure(`${variable} is ${JSON.stringify(value)}; it must be a port from 1 to 65535.`);
}

function refuseDoubles(ports: Ports): void {
  for (const name of NAMES) {
    const other = NAMES.find((candidate) => candidate !== name && ports[candidate] === ports[name]);
    if (other === undefined) continue;
    throw new StartFailure(
      `Port ${ports[name]} is asked for twice: ${PORTS[name].variable} and ${PORTS[other].variable} must differ.`,
    );
  }
}

/**
 * Checks the named ports before anything starts.
 * @throws StartFailure with one sentence naming port and variable when one is taken.
 */
export async function requireFree(ports: Ports, names: readonly PortName[] = NAMES): Promise<void> {
  const findings = await Promise.all(names.map(async (name) => ({ name, obstacle: await obstacleTo(ports[name]) })));
  const found = findings.find(({ obstacle }) => obstacle !== null);
  if (found === undefined) return;
  const { variable, label } = PORTS[found.name];
  throw new StartFailure(
    `Port ${ports[found.name]} for ${label} ${found.obstacle}: set ${variable} to another port, or ` +
      'ALUR_PORTS=auto to take free ones.',
  );
}

const TAKEN = 'is taken';

/** Free means: nobody answers on either loopback address, and it can be bound on all addresses. Else what is wrong. */
async function obstacleTo(port: number): Promise<string | null> {
  if ((await answers(port, '127.0.0.1')) || (await answers(port, '::1'))) return TAKEN;
  const server = await listenOn(port, '0.0.0.0');
  if (typeof server === 'string') return server;
  await closed(server);
  return null;
}

function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * So many different free ports. They are drawn below the range from which systems take the ports of outgoing
 * connections, so nobody is given one by chance between this look and the server's start.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = [];
  for (let attempt = 0; held.length < count; attempt += 1) {
    if (attempt > 2_000) throw new StartFailure('No free ports were found between 20000 and 32000.');
    const port = randomInt(20_000, 32_000);
    const server = await listenOn(port, '0.0.0.0');
    if (typeof server !== 'string') held.push({ port, server });
  }
  await Promise.all(held.map(({ server }) => closed(server)));
  return held.map(({ port }) => port);
}

/** The listening server, or what is wrong with the port. */
function listenOn(port: number, host: string): Promise<Server | string> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (hasCode(error, 'EADDRINUSE')) resolve(TAKEN);
      else if (hasCode(error, 'EACCES')) resolve('may not be used by this user');
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
