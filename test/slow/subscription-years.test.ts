/** Ten years of a monthly subscription whose payer pays as people do: early, late, very late. On the real server, in its own time. */
import assert from 'node:assert/strict';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { monthsAfter } from '../../domain/billing.ts';
import { temporal } from '../support/machine.ts';
import { eventsOf, type Subscriber, subscribe } from '../support/subscriptions.ts';
import { quietRuntime, startSystem, type TestSystem, workflowBundle } from '../support/system.ts';

const DAY_MS = 86_400_000;
const YEARS = 10;

describe('ten years of a monthly subscription', function () {
  this.timeout(240_000);
  let system: TestSystem;
  let connection: NativeConnection;
  let worker: Worker;
  let ended: Promise<void>;

  before(async () => {
    system = await startSystem({ worker: false });
    await quietRuntime();
    connection = await NativeConnection.connect({ address: (await temporal()).address });
    worker = await Worker.create({
      connection,
      taskQueue: system.taskQueue,
      workflowBundle: await workflowBundle(),
      // Who collects the invoices has its own tests; here the payer pays at once.
      activities: {
        ...createActivities(system.deps),
        collectSubscriptionInvoice: async () => undefined,
        tellCollection: async () => undefined,
      },
    });
    ended = worker.run();
  });
  after(async () => {
    worker?.shutdown();
    await ended;
    await connection?.close();
    await system?.close();
  });

  for (const [index, zone] of ['Asia/Jakarta', 'Asia/Jayapura', 'Europe/Berlin'].entries())
    it(`in ${zone}: no gap, no overlap, all that was billed is in the terms, and the history stays short`, async () => {
      const began = Date.now();
      const startedAt = thirtyFirst();
      const it = await subscribe(system, { zone, startedAt });
      const days = generator(4_711 + index);
      await it.open();
      const until = Date.parse(startedAt) + YEARS * 365.25 * DAY_MS;
      const states = new Set<string>();
      while (it.now() < until) await cycle(it, days, states);
      await check(it, zone, startedAt, states);
      const counts = await eventsOf(system, it.workflowId, it.firstRunId);
      const total = counts.reduce((a, b) => a + b, 0);
      const took = Date.now() - began;
      process.stdout.write(
        `      ${zone}: ${counts.length} runs, longest ${Math.max(...counts)} events, ${total} in ten years, ${took} ms\n`,
      );
      assert.ok(Math.max(...counts) < 120, `the longest run has ${Math.max(...counts)} events`);
      assert.ok(total < YEARS * 600, `${total} events`);
      assert.ok(took < 60_000, `${took} ms`);
    });

  it('of one who pays on time has at most 400 events a year', async () => {
    const it = await subscribe(system, {});
    await it.open();
    const states = new Set<string>();
    for (let month = 0; month < 13; month += 1) await cycle(it, () => 2, states);
    const counts = await eventsOf(system, it.workflowId, it.firstRunId);
    // Without the first run, which begins it, and the last, which has only begun itself.
    const year = counts.slice(1, 13).reduce((a, b) => a + b, 0);
    process.stdout.write(`      paid on time: ${year} events a year (${counts.join(' ')})\n`);
    assert.ok(year <= 400, `${year} events in a year`);
  });
});

/** Goes on to some days after the invoice, and pays. */
async function cycle(it: Subscriber, daysToPay: () => number, states: Set<string>): Promise<void> {
  const { renewalInvoiceId, periodEnd } = await it.row();
  const issuedAt = renewalInvoiceId ? it.now() : Date.parse(periodEnd) - 7 * DAY_MS;
  await it.until(issuedAt + daysToPay() * DAY_MS);
  await it.open();
  states.add((await it.row()).state);
  await it.pay();
}

async function check(it: Subscriber, zone: string, startedAt: string, states: ReadonlySet<string>): Promise<void> {
  const [terms, invoices] = [await it.terms(), await it.invoices()];
  assert.ok(terms.length > 60, `${terms.length} terms`);
  for (const [index, { from, to }] of terms.entries()) {
    const [start, end] = [index, index + 1].map((n) => monthsAfter(Date.parse(startedAt), n, zone));
    assert.deepEqual([Date.parse(from), Date.parse(to)], [start, end], `term ${index + 1}`);
  }
  const paid = invoices.filter(({ state }) => state === 'paid');
  assert.equal(paid.length, terms.length);
  assert.equal(invoices.filter(({ state }) => state !== 'paid').length <= 1, true);
  const sum = (all: readonly bigint[]) => all.reduce((a, b) => a + b, 0n);
  assert.equal(sum(paid.map(({ totalMinor }) => totalMinor)), sum(terms.map(({ amountMinor }) => amountMinor)));
  assert.ok(states.has('active') && states.has('past_due') && states.has('suspended'), [...states].join(' '));
  assert.equal((await it.row()).state, 'active');
}

/** Days from the invoice to its payment: mostly in time, sometimes after dunning, in the grace, or suspended. Seeded. */
function generator(seed: number): () => number {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return () => {
    const chance = random();
    if (chance < 0.7) return 0.1 + random() * 6;
    if (chance < 0.88) return 7.5 + random() * 13;
    if (chance < 0.96) return 21.5 + random() * 6;
    return 28.5 + random() * 25;
  };
}

/** The last 31st before now, at half past two in the night of Berlin, an hour that its clocks leave out once a year. */
function thirtyFirst(): string {
  for (let back = 0; ; back += 1) {
    const now = new Date();
    const day = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 31, 1, 30));
    if (day.getUTCDate() === 31 && day < now) return day.toISOString();
  }
}
