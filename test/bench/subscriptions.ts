/**
 * A second Alur with ten thousand subscriptions asleep: what they cost its one worker, and a month-end at which two thousand of
 * them are invoiced within a minute while people look at theirs. Then what a renewal costs beside a bare process, see renewals.ts.
 * For a quick look, BENCH_SUBSCRIPTIONS and BENCH_RENEWING take fewer, which come due at the same pace.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { connect } from '../../db/connection.ts';
import type { SubscriptionId } from '../../domain/ids.ts';
import { loadDemoData } from '../../local/demo-data.ts';
import { freePorts } from '../../local/ports.ts';
import { stopAtEnd } from '../support/registry.ts';
import { eventually } from '../support/wait.ts';
import { startTemporal, watchMemory } from './asleep.ts';
import { anotherDatabase } from './databases.ts';
import { type Absolute, absoluteOf, type Goal, type Pair, pairOf, percentile } from './figures.ts';
import { answers, type Machine } from './machine.ts';
import { residentMb } from './process-figures.ts';
import { measureRenewals } from './renewals.ts';
import { asleepOnes, type Subscribed, startProcesses, subscribe } from './subscription-rows.ts';

const ASLEEP = Number(process.env.BENCH_SUBSCRIPTIONS ?? 10_000);
const RENEWING = Number(process.env.BENCH_RENEWING ?? 2_000);
/** 2,000 a minute. */
const APART_MS = 30;
/** Until the invoice of one that sleeps: nothing is due before its reminder, a week earlier. */
const SLEEP_MS = 18 * 86_400_000;
const GOAL_MB = { atMost: 500 };
const REST_MS = 10_000;
const LOOK_EVERY_MS = 250;
const COUNT_EVERY_MS = 1_000;
const BEFORE_MS = 15_000;
const LEEWAY_MS = 10_000;
const TELL_EVERY_MS = 15_000;
const AT_MOST_MS = 600_000;
const READS = 20;
const READS_AT_ONCE = 2;
const PAUSE_MS = 250;

export interface SubscriptionFigures {
  readonly pairs: readonly Pair[];
  readonly alone: readonly Absolute[];
}

export async function measureSubscriptions(main: Machine): Promise<SubscriptionFigures> {
  const monthEnd = await measureMonthEnd(main);
  const renewals = await measureRenewals(main);
  return { pairs: [...monthEnd.pairs, ...renewals], alone: monthEnd.alone };
}

async function measureMonthEnd(main: Machine): Promise<SubscriptionFigures> {
  const { machine, stop } = await anotherAlur(main);
  const memory = watchMemory(machine.worker);
  try {
    const { all, renewing, startsAt } = await fallAsleep(machine);
    const [asleepMb, largestMb] = [residentMb(machine.worker.pid), memory.largest()];
    machine.say(`  ${asleepMb} MB, at most ${largestMb} MB`);
    const before = await readsDuring(machine, all, () => delay(BEFORE_MS));
    if (Date.now() > startsAt) throw new Error('the renewals began before the reads before them were over');
    await delay(startsAt - Date.now());
    const during = await readsDuring(machine, all, () => allPrinted(machine, renewing));
    const printedAfter = (Date.now() - startsAt) / 1000;
    await requireCollected(machine);
    const { late, lastAfter } = await requireInvoiced(machine, renewing, startsAt);
    machine.say(`  ${before.length} reads before, ${during.length} during`);
    machine.say(
      `  p95 ${percentile(during, 0.95).toFixed(1)} ms, before ${percentile(before, 0.95).toFixed(1)}; all printed after ${printedAfter.toFixed(0)} s`,
    );
    const read = (name: string, share: number, goal: Goal | null) =>
      pairOf(name, 'ms', goal, [{ alur: percentile(during, share), bare: percentile(before, share) }]);
    const renew = `${RENEWING.toLocaleString('en')} of them renew within a minute`;
    return {
      pairs: [read('Reads of a subscription at a month-end, p95', 0.95, { atMost: 2 }), read('– p50', 0.5, null)],
      alone: [
        absoluteOf(`Worker’s memory, ${ASLEEP.toLocaleString('en')} subscriptions asleep`, 'MB', GOAL_MB, [asleepMb]),
        absoluteOf('– largest since the first was started', 'MB', GOAL_MB, [largestMb]),
        absoluteOf('– largest, month-end included', 'MB', GOAL_MB, [memory.largest()]),
        absoluteOf(`${renew}: the last is invoiced after`, 's', null, [lastAfter]),
        absoluteOf('– later than it was due, p50', 's', null, [percentile(late, 0.5)]),
        absoluteOf('– later than it was due, p95', 's', null, [percentile(late, 0.95)]),
        absoluteOf('– the last is printed after', 's', null, [printedAfter]),
        absoluteOf('– attempts at gateways that came of it', '', { atMost: 0 }, [await attempts(machine)]),
      ],
    };
  } finally {
    memory.stop();
    await stop();
  }
}

async function anotherAlur(main: Machine): Promise<{ machine: Machine; stop(): Promise<void> }> {
  const databaseUrl = await anotherDatabase(main.databaseUrl, 'bench_subscriptions');
  await loadDemoData({ databaseUrl, personalDataKeys: [main.personalDataKey] });
  const db = connect(databaseUrl, 8, 'alur-bench');
  stopAtEnd(() => db.destroy());
  const [temporalPort = 0, apiPort = 0, metricsPort = 0] = await freePorts(3);
  const temporal = await startTemporal('subscriptions-temporal', temporalPort);
  const address = `127.0.0.1:${temporalPort}`;
  const connection = await Connection.connect({ address });
  stopAtEnd(() => connection.close());
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const settings = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: address,
    ALUR_API_PORT: String(apiPort),
    ALUR_METRICS_PORT: String(metricsPort),
  };
  const ready = (url: string) => () => answers(`${url}/health/ready`, 200);
  const api = await main.startAlso('subscriptions-api', 'api/main.js', settings, ready(apiUrl));
  const worker = await main.startAlso(
    'subscriptions-worker',
    'worker/main.js',
    settings,
    ready(`http://127.0.0.1:${metricsPort}`),
  );
  return {
    machine: { ...main, databaseUrl, db, client: new Client({ connection }), apiUrl, api, worker },
    stop: async () => {
      await Promise.all([api.stop(), worker.stop()]);
      await connection.close();
      await db.destroy();
      await temporal.stop();
    },
  };
}

/**
 * First those whose next thing is days away; how long that took says when the others' month-end may be, so that they sleep by
 * then as well. Within the minute they are spread evenly.
 */
async function fallAsleep(machine: Machine) {
  const sleeping = await subscribe(machine, ASLEEP - RENEWING, () => Date.now() + SLEEP_MS);
  const from = Date.now();
  await startProcesses(machine, sleeping);
  await allAsleep(machine, sleeping.length);
  const perOne = (Date.now() - from) / sleeping.length;
  machine.say(`  ${sleeping.length} asleep, ${(1000 / perOne).toFixed(0)} a second`);
  const startsAt = Date.now() + RENEWING * perOne * 1.5 + REST_MS + BEFORE_MS + LEEWAY_MS;
  const renewing = await subscribe(machine, RENEWING, (place) => startsAt + place * APART_MS);
  await startProcesses(machine, renewing);
  await allAsleep(machine, ASLEEP);
  machine.say(`  ${ASLEEP} asleep`);
  await delay(REST_MS);
  return { all: [...renewing, ...sleeping], renewing, startsAt };
}

async function allAsleep(machine: Machine, count: number): Promise<void> {
  const until = Date.now() + AT_MOST_MS;
  // Seldom: the server counts one by one.
  while ((await asleepOnes(machine)) !== count) {
    if (Date.now() > until) throw new Error(`waited ${AT_MOST_MS} ms for ${count} subscriptions to fall asleep`);
    await delay(COUNT_EVERY_MS);
  }
}

/** As people look at theirs, here and there, at the same pace all the time; milliseconds each. */
async function readsDuring(
  { driver, apiUrl, people }: Machine,
  all: readonly Subscribed[],
  work: () => Promise<void>,
): Promise<readonly number[]> {
  let isOver = false;
  let asked = 0;
  const latencies: number[] = [];
  const reading = async () => {
    while (!isOver) {
      const urls = Array.from({ length: READS }, () => {
        asked += 1;
        return `${apiUrl}/api/v1/subscriptions/${all[(asked * 7919) % all.length]?.id}`;
      });
      const order = { kind: 'gets', urls, token: people.owner.token, inFlight: READS_AT_ONCE } as const;
      latencies.push(...(await driver(order)).latenciesMs);
      await delay(PAUSE_MS);
    }
  };
  const worked = work().finally(() => {
    isOver = true;
  });
  await Promise.all([worked, reading()]);
  return latencies;
}

async function allPrinted({ db, say }: Machine, renewing: readonly Subscribed[]): Promise<void> {
  const until = Date.now() + AT_MOST_MS;
  for (let shown = Date.now(); ; ) {
    const found = await db('invoices').whereNotNull('pdf_sha256').count<{ count: bigint }[]>('id');
    const printed = Number(found[0]?.count ?? 0);
    if (printed >= renewing.length) return;
    if (Date.now() > until) throw new Error(`${printed} of ${renewing.length} invoices were printed`);
    if (Date.now() - shown > TELL_EVERY_MS) {
      shown = Date.now();
      say(`  ${printed} printed`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** Each is in the hands of the process that waits for its payment. */
const requireCollected = ({ client }: Machine) =>
  eventually(
    `${RENEWING} payments that are waited for`,
    async () =>
      (await client.workflow.count("WorkflowType = 'invoicePayment' and ExecutionStatus = 'Running'")).count ===
      RENEWING,
    REST_MS,
  );

/** One invoice each, none for the others, and no number left out. @returns how late each was, s */
async function requireInvoiced({ db }: Machine, renewing: readonly Subscribed[], startsAt: number) {
  const rows: { id: SubscriptionId; number: string; recordedAt: Date }[] = await db('invoices as i')
    .join('events as e', 'e.key', db.raw("'invoice-of/' || i.subject_key || '/issued'"))
    .select({ id: 'i.subscription_id', number: 'i.number', recordedAt: 'e.recorded_at' });
  const due = new Map(renewing.map(({ id, invoiceAt }) => [id, invoiceAt]));
  const invoiced = new Set(rows.map(({ id }) => id));
  if (rows.length !== due.size || [...due.keys()].some((id) => !invoiced.has(id)))
    throw new Error(`${rows.length} invoices for ${invoiced.size} of ${due.size} subscriptions`);
  const counters = rows.map(({ number }) => Number(number.split('/').at(-1))).toSorted((a, b) => a - b);
  const gap = counters.findIndex((counter, index) => counter !== index + 1);
  if (gap >= 0) throw new Error(`the invoices' numbers have a gap before ${counters[gap]}`);
  const late = rows.map(({ id, recordedAt }) => (recordedAt.getTime() - (due.get(id) ?? 0)) / 1000);
  const last = Math.max(...rows.map(({ recordedAt }) => recordedAt.getTime()));
  return { late, lastAfter: (last - startsAt) / 1000 };
}

async function attempts({ db }: Machine): Promise<number> {
  const found = await db('payments').count<{ count: bigint }[]>('id');
  return Number(found[0]?.count ?? 0);
}
