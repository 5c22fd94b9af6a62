/** Asks and waits on behalf of the bench, in a process of its own that stays warm from round to round. */
import { Client, Connection } from '@temporalio/client';
import { measureArrivals } from './arrivals.ts';
import { type CaseParts, carryThrough, caseChanges } from './case-story.ts';
import { measureReads } from './http-load.ts';
import type { Done, Order, Reply } from './orders.ts';

const { TEMPORAL_ADDRESS = '', TEMPORAL_TASK_QUEUE = '', DATABASE_URL = '' } = process.env;

const connection = await Connection.connect({ address: TEMPORAL_ADDRESS });
const client = new Client({ connection });
const changes = await caseChanges(DATABASE_URL);
let said = 0;

process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  const reply = (answer: Reply) => process.send?.(answer);
  follow(order).then(
    (done) => reply({ done }),
    (error: unknown) => reply({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.send?.('ready');

function follow(order: Order): Promise<Done> {
  switch (order.kind) {
    case 'reads':
      return measureReads(order);
    case 'arrivals':
      return measureArrivals(order);
    case 'gets':
      return timed(order.urls, order.inFlight, (url) => get(url, order.token));
    case 'posts':
      return timed(order.posts, order.inFlight, post);
    case 'updates':
      return timed(order.workflowIds, order.inFlight, (id) => say(id));
    case 'licences': {
      const parts: CaseParts = { ...order, changes, client };
      return timed(order.applicationIds, order.inFlight, (id) => carryThrough(parts, id));
    }
    case 'bareCases':
      return timed(order.names, order.inFlight, (name) => bareCase(name, order));
  }
}

/** Starts the next when one has ended, so many at once. */
async function timed<T>(items: readonly T[], inFlight: number, work: (item: T) => Promise<void>): Promise<Done> {
  const latenciesMs: number[] = [];
  const left = items.values();
  const startedAt = performance.now();
  const lane = async () => {
    for (const item of left) {
      const from = performance.now();
      await work(item);
      latenciesMs.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { count: items.length, all: items.length, seconds: (performance.now() - startedAt) / 1000, latenciesMs };
}

async function get(url: string, token: string): Promise<void> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`GET ${url} was answered ${response.status}: ${text}`);
}

/** Until the answer is there: one that takes too long is asked for again, as a client would. */
async function post({ url, token, key }: { url: string; token: string; key: string }): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key };
  for (;;) {
    const response = await fetch(url, { method: 'POST', headers, body: '{}' });
    const text = await response.text();
    if (response.status === 200) return;
    if (response.status !== 202) throw new Error(`POST ${url} was answered ${response.status}: ${text}`);
  }
}

async function say(workflowId: string): Promise<void> {
  said += 1;
  await client.workflow.getHandle(workflowId).executeUpdate('say', { args: [said] });
}

async function bareCase(name: string, order: Extract<Order, { kind: 'bareCases' }>): Promise<void> {
  const { updates, signals, activities } = order;
  const handle = await client.workflow.start('bareCase', {
    workflowId: name,
    taskQueue: TEMPORAL_TASK_QUEUE,
    args: [{ name, messages: updates + signals, activities }],
  });
  for (let update = 0; update < updates; update += 1) await say(name);
  for (let signal = 0; signal < signals; signal += 1) await handle.signal('tell');
  await handle.result();
}
