/**
 * A second Alur with ten thousand open reviews: its own database, its own Temporal, its own API and worker. One review is
 * opened as any is; the others are its copies, records by SQL and processes by a worker whose activities answer at once.
 */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { Knex } from 'knex';
import { connect } from '../../db/connection.ts';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import { type Child, startChild } from '../../local/children.ts';
import { loadDemoData } from '../../local/demo-data.ts';
import { freePorts } from '../../local/ports.ts';
import { temporalSpec } from '../../local/temporal.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from '../../workflows/search-attributes.ts';
import { temporalCli } from '../support/machine.ts';
import { stopAtEnd } from '../support/registry.ts';
import { runDirectory } from '../support/run-directory.ts';
import { eventually } from '../support/wait.ts';
import { openCases } from './cases.ts';
import { anotherDatabase } from './databases.ts';
import { answers, type Machine } from './machine.ts';
import { residentMb } from './process-figures.ts';
import type { Model, Openings } from './programs/openings.ts';
import { CASES } from './sizes.ts';

export const ASLEEP = CASES;
const STATE = 'document_verification';
const LOOK_EVERY_MS = 500;
const TELL_EVERY_MS = 15_000;
const REST_WITHIN_MS = 30_000;

export interface Asleep {
  /** The system that has them, for whatever is asked of any machine. */
  readonly machine: Machine;
  /** Reviews that nobody has touched since they fell asleep, each handed out once. */
  take(count: number): ApplicationId[];
  /** The most that its worker had in memory since it began to work for them; MB. */
  largestWorkerMb(): number;
  stop(): Promise<void>;
}

export async function fallAsleep(main: Machine): Promise<Asleep> {
  const databaseUrl = await anotherDatabase(main.databaseUrl, 'bench_asleep');
  await loadDemoData({ databaseUrl, personalDataKeys: [main.personalDataKey] });
  const db = connect(databaseUrl, 4, 'alur-bench');
  stopAtEnd(() => db.destroy());
  const [temporalPort = 0, apiPort = 0, metricsPort = 0] = await freePorts(3);
  const temporal = await startTemporal('asleep-temporal', temporalPort);
  const address = `127.0.0.1:${temporalPort}`;
  const connection = await Connection.connect({ address });
  stopAtEnd(() => connection.close());
  const client = new Client({ connection });

  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const place = { DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: address, ALUR_API_PORT: String(apiPort) };
  const settings = { ...place, ALUR_METRICS_PORT: String(metricsPort) };
  const ready = (url: string) => () => answers(`${url}/health/ready`, 200);
  const startWorker = () =>
    main.startAlso('asleep-worker', 'worker/main.js', settings, ready(`http://127.0.0.1:${metricsPort}`));
  const api = await main.startAlso('asleep-api', 'api/main.js', settings, ready(apiUrl));
  let worker = await startWorker();
  const machine = { ...main, databaseUrl, db, client, apiUrl, api, worker };

  const [model = ''] = await openCases(machine, 1);
  const known = await modelOf(client, asId(model));
  await worker.stop();
  const ids = Array.from({ length: ASLEEP }, () => asId<ApplicationId>(randomUUID()));
  await copyRecords(db, model, ids);
  main.say(`  records of ${ASLEEP}`);
  await openProcesses(machine, { model: known, ids, workflowBundle: main.workflowBundle }, settings);
  worker = await startWorker();

  const memory = watchMemory(worker);
  const left = [...ids];
  return {
    machine: { ...machine, worker },
    take: (count) => left.splice(0, count),
    largestWorkerMb: memory.largest,
    stop: async () => {
      memory.stop();
      await Promise.all([api.stop(), worker.stop()]);
      await connection.close();
      await db.destroy();
      await temporal.stop();
    },
  };
}

/** Another Temporal, for what must not meet what the bench's own server holds. */
export async function startTemporal(name: string, port: number): Promise<Child> {
  const directory = await runDirectory();
  const spec = temporalSpec({
    cli: await temporalCli(),
    port,
    uiPort: null,
    databaseFile: null,
    searchAttributes: SEARCH_ATTRIBUTE_DEFINITIONS,
    cwd: directory,
    logFile: join(directory, `${name}.log`),
    runDirectory: join(directory, 'run'),
  });
  const child = await startChild({ ...spec, name });
  stopAtEnd(() => child.stop());
  return child;
}

async function modelOf(client: Client, id: ApplicationId): Promise<Model> {
  const workflowId = licenseReviewId(id);
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const all = events ?? [];
  const started = all.map((event) => event.workflowExecutionStartedEventAttributes).find((found) => found);
  if (!started?.taskQueue?.name) throw new Error(`the history of ${workflowId} has no beginning`);
  const asked = all.flatMap((event) => (event.activityTaskCompletedEventAttributes ? [answerOf(all, event)] : []));
  return {
    id,
    workflowId,
    workflowType: started.workflowType?.name ?? '',
    taskQueue: started.taskQueue.name,
    args: (started.input?.payloads ?? []).map((payload) => defaultPayloadConverter.fromPayload(payload)),
    answers: Object.fromEntries(asked),
    asked: asked.length,
  };
}

type Event = NonNullable<History['events']>[number];

function answerOf(all: readonly Event[], { activityTaskCompletedEventAttributes: completed }: Event) {
  const scheduled = all.find(({ eventId }) => String(eventId) === String(completed?.scheduledEventId));
  const name = scheduled?.activityTaskScheduledEventAttributes?.activityType?.name;
  if (!name) throw new Error('an activity was completed that nobody scheduled');
  const [payload] = completed?.result?.payloads ?? [];
  return [name, payload ? defaultPayloadConverter.fromPayload(payload) : null] as const;
}

/** Every row of the case, as often as there are IDs; with IDs of its own, and replaced wherever they are named. */
async function copyRecords(db: Knex, model: string, ids: readonly string[]): Promise<void> {
  const { rows: tables }: { rows: Table[] } = await db.raw(
    `select table_name as name, array_agg(column_name::text) filter (where is_identity = 'NO') as columns,
            bool_or(column_name = 'id' and data_type = 'uuid') as "hasId"
       from information_schema.columns where table_schema = 'public'
      group by table_name having bool_or(column_name = 'application_id')`,
  );
  const known: string[] = [];
  for (const { name, hasId } of tables)
    if (hasId) known.push(...(await db(name).where({ application_id: model }).pluck('id')));
  const columns = Object.keys(await db('applications').columnInfo());
  for (const table of [{ name: 'applications', columns, key: 'id' }, ...tables])
    await copyRows(db, { key: 'application_id', ...table }, { model, known, ids });
  await db.raw('analyze');
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly hasId: boolean;
}

interface Copied {
  readonly model: string;
  /** IDs of the model's rows. */
  readonly known: readonly string[];
  readonly ids: readonly string[];
}

async function copyRows(
  db: Knex,
  { name, columns, key }: Pick<Table, 'name' | 'columns'> & { key: string },
  { model, known, ids }: Copied,
): Promise<void> {
  const row = known.reduce(
    (text, id) => `replace(${text}, '${id}', md5(copy || '${id}')::uuid::text)`,
    'to_jsonb(m)::text',
  );
  await db.raw(
    `insert into "${name}" (${columns.map((column) => `"${column}"`).join(', ')})
     select ${columns.map((column) => `r."${column}"`).join(', ')}
       from unnest(cast(:ids as text[])) copy
       join "${name}" m on m."${key}" = :model
      cross join lateral jsonb_populate_record(null::"${name}", replace(${row}, cast(:model as text), copy)::jsonb) r`,
    { ids: [...ids], model },
  );
}

async function openProcesses(machine: Machine, openings: Openings, settings: NodeJS.ProcessEnv): Promise<void> {
  const file = join(await runDirectory(), 'openings.json');
  await writeFile(file, JSON.stringify(openings));
  const changes = { ...settings, BENCH_OPENINGS: file };
  const opener = await machine.startAlso('opener', 'test/bench/programs/opener.js', changes, async () => true);
  const telling = setInterval(() => {
    void openOnes(machine).then(
      (count) => machine.say(`  ${count} asleep`),
      () => undefined,
    );
  }, TELL_EVERY_MS);
  const how = await opener.exited;
  clearInterval(telling);
  if (how !== 'code 0') throw new Error(`the opener ended: ${how}`);
  await eventually(`${ASLEEP} reviews asleep`, async () => (await openOnes(machine)) > ASLEEP, REST_WITHIN_MS);
}

const openOnes = async ({ client }: Machine): Promise<number> =>
  (await client.workflow.count(`AlurStage = '${STATE}' and ExecutionStatus = 'Running'`)).count;

/** Looks twice a second; the most that was seen, in MB. */
export function watchMemory({ pid }: Child) {
  let largest = 0;
  const look = () => {
    largest = Math.max(largest, residentMb(pid));
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  const stop = () => clearInterval(timer);
  stopAtEnd(async () => stop());
  return { largest: () => largest, stop };
}
