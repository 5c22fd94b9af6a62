/** The Temporal development server: the official CLI, with search attributes and, on one machine only, time skipping. */
import { Connection } from '@temporalio/client';
import type { ChildSpec } from './children.ts';
import { messageOf, StartFailure } from './failure.ts';

export type SearchAttributeDefinition = { readonly name: string; readonly type: string };

export type TemporalOptions = {
  cli: string;
  port: number;
  /** null: no web page. */
  uiPort: number | null;
  /** null keeps everything in memory. */
  databaseFile: string | null;
  searchAttributes: readonly SearchAttributeDefinition[];
  cwd: string;
  logFile: string;
  runDirectory: string;
};

export function temporalSpec(options: TemporalOptions): ChildSpec {
  return {
    name: 'temporal',
    label: 'Temporal',
    command: options.cli,
    args: argumentsOf(options),
    cwd: options.cwd,
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
    logFile: options.logFile,
    runDirectory: options.runDirectory,
    ready: () => temporalAnswers(`127.0.0.1:${options.port}`, options.searchAttributes),
    readyWithinMs: 60_000,
  };
}

const READ_OFTEN = ['timer', 'transfer', 'visibility'].flatMap((queue) => [
  `${queue}ProcessorMaxPollRPS`,
  `${queue}ProcessorMaxPollHostRPS`,
]);

function argumentsOf(options: TemporalOptions): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port), '--log-level', 'warn'],
    ...(options.uiPort === null ? ['--headless'] : ['--ui-port', String(options.uiPort), '--ui-disable-news-fetch']),
    ...(options.databaseFile === null ? [] : ['--db-filename', options.databaseFile]),
    // For demonstrations and tests: lets `npm run demo` go forward in time. A production server leaves it off.
    ...['--dynamic-config-value', 'frontend.WorkflowTimeSkippingEnabled=true'],
    // Timers go off within a hundredth of a second; by default they are read ahead in steps of a second, which a journey of
    // forty timers would wait for forty times.
    ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'],
    // A process that continues as new is otherwise kept waiting until its last run is a second old, by the clock on the wall.
    ...['--dynamic-config-value', 'history.workflowIdReuseMinimalInterval="1ms"'],
    // All of its executions are one shard, whose queues are read twenty times a second by default: each step of each process would
    // wait for its turn. A server with hundreds of shards does not know that wait.
    ...READ_OFTEN.flatMap((setting) => ['--dynamic-config-value', `history.${setting}=10000`]),
    ...options.searchAttributes.flatMap(({ name, type }) => ['--search-attribute', `${name}=${type}`]),
  ];
}

/** True once the namespace answers and knows every search attribute; adds those that it does not know. */
export async function temporalAnswers(
  address: string,
  wanted: readonly SearchAttributeDefinition[],
  namespace = 'default',
): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' }).catch(() => null);
  if (connection === null) return false;
  try {
    return await connection.withDeadline(Date.now() + 5_000, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      return await hasSearchAttributes(connection, namespace, wanted);
    });
  } catch (error) {
    if (error instanceof StartFailure) throw error;
    return false;
  } finally {
    await connection.close();
  }
}

// The numbers of temporal.api.enums.v1.IndexedValueType.
const INDEXED_VALUE_TYPES: Record<string, number> = {
  Text: 1,
  Keyword: 2,
  Int: 3,
  Double: 4,
  Bool: 5,
  Datetime: 6,
  KeywordList: 7,
};

/** A server whose database is older than an attribute ignores it on its command line: such ones are added here. */
async function hasSearchAttributes(
  connection: Connection,
  namespace: string,
  wanted: readonly SearchAttributeDefinition[],
): Promise<boolean> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = wanted.filter(({ name }) => customAttributes[name] === undefined);
  if (missing.length === 0) return true;
  const searchAttributes = Object.fromEntries(missing.map(({ name, type }) => [name, INDEXED_VALUE_TYPES[type] ?? 0]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes }).catch((error: unknown) => {
    const names = missing.map(({ name }) => name).join(', ');
    throw new StartFailure(`Temporal does not take the search attributes ${names}: ${messageOf(error)}`);
  });
  return false;
}
