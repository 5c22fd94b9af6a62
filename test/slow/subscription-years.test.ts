/** Ten years of a monthly subscription whose payer pays as people do: early, late, very late. On the real server, in its own time. */
import assert from 'node:assert/strict';
import { loadavg } from 'node:os';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import type { CollectInvoice } from '../../activities/subscriptions.ts';
import { monthsAfter } from '../../domain/billing.ts';
import type { PaymentMethodId, UserId } from '../../domain/ids.ts';
import { subscriptionId as workflowIdOf } from '../../workflows/ids.ts';
import { changeMethodUpdate, invoiceClosedSignal } from '../../workflows/messages.ts';
import { aCard } from '../builders/cards.ts';
import { createCaseClocks } from '../simulate/case-clocks.ts';
import { temporal } from '../support/machine.ts';
import { eventsOf, paidInFull, subscribe } from '../support/subscriptions.ts';
import { quietRuntime, startSystem, type TestSystem, workflowBundle } from '../support/system.ts';

const DAY_MS = 86_400_000;
const YEARS = 10;
/** From the invoice to the end of what nobody pays: a week, two of dunning, one of grace, thirty days suspended; and an hour. */
const UNPAID_DAYS = 7 + 14 + 7 + 30 + 1 / 24;

type Subscribed = Awaited<ReturnType<typeof subscribe>>;
type Pays = { readonly how: 'link' | 'card'; readonly afterDays: number } | { readonly how: 'never' };

describe('ten years of a monthly subscription', function () {
  this.timeout(300_000);
  const clocks = createCaseClocks();
  let system: TestSystem;
  let connection: NativeConnection;
  let worker: Worker;
  let ended: Promise<void>;

  before(async () => {
    system = await startSystem({ worker: false, clientOf: clocks.clientOf });
    await quietRuntime();
    connection = await NativeConnection.connect({ address: (await temporal()).address });
    worker = await Worker.create({
      connection,
      taskQueue: system.taskQueue,
      workflowBundle: await workflowBundle(),
      // Who collects the invoices has its own tests; here a payer pays at once, and a card that is to be charged is.
      activities: {
        ...createActivities(system.deps),
        collectSubscriptionInvoice: collect,
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

  async function collect({ invoiceId, subscriptionId, charge }: CollectInvoice): Promise<void> {
    if (!charge) return;
    await paidInFull(system.database.db, invoiceId);
    const process = system.client.workflow.getHandle(workflowIdOf(subscriptionId));
    await process.signal(invoiceClosedSignal, { invoiceId, outcome: 'paid' });
  }

  for (const [index, zone] of ['Asia/Jakarta', 'Asia/Jayapura', 'Europe/Berlin'].entries())
    it(`in ${zone}: no gap, no overlap, all that was billed is in the terms, and the history stays short`, async () => {
      const [began, used] = [Date.now(), process.cpuUsage()];
      const startedAt = thirtyFirst();
      const lives = [await subscribe(system, { zone, startedAt })];
      const pays = generator(4_711 + index);
      const until = Date.parse(startedAt) + YEARS * 365.25 * DAY_MS;
      const seen = new Set<string>();
      for (let it = lives[0]; it && it.now() < until; it = lives.at(-1)) {
        await cycle(it, pays(), seen);
        if ((await it.row()).state === 'cancelled') lives.push(await resubscribed(it, zone));
      }
      const states = ['active', 'past_due', 'grace', 'suspended', 'cancelled', 'card'];
      assert.deepEqual([...seen].sort(), states.sort());
      assert.ok(lives.length > 1);
      let terms = 0;
      for (const it of lives) terms += await check(it, zone);
      assert.ok(terms > 60, `${terms} terms`);
      const open = await system.database
        .db('subscriptions')
        .where({ company_id: lives[0]?.companyId })
        .whereNot({ state: 'cancelled' })
        .select('id', 'state');
      assert.deepEqual(open, [{ id: lives.at(-1)?.id, state: 'active' }]);
      const counts = (await Promise.all(lives.map((it) => eventsOf(system, it.workflowId, it.firstRunId)))).flat();
      const total = counts.reduce((a, b) => a + b, 0);
      const { user, system: kernel } = process.cpuUsage(used);
      const [took, cpu, load] = [Date.now() - began, Math.round((user + kernel) / 1_000), loadavg()[0] ?? 0];
      process.stdout.write(
        `      ${zone}: ${lives.length} subscriptions, ${counts.length} runs, longest ${Math.max(...counts)} events, ` +
          `${total} in ten years, ${took} ms, of that ${cpu} ms of work here, at a load of ${load.toFixed(1)}\n`,
      );
      assert.ok(Math.max(...counts) < 120, `the longest run has ${Math.max(...counts)} events`);
      assert.ok(total < YEARS * 600, `${total} events`);
      assert.ok(cpu < 40_000, `${cpu} ms of work`);
      assert.ok(took < 60_000, `${took} ms on the wall`);
    });

  it('of one who pays on time has at most 400 events a year', async () => {
    const it = await subscribe(system, {});
    for (let month = 0; month < 13; month += 1) await cycle(it, { how: 'link', afterDays: 2 }, new Set());
    const counts = await eventsOf(system, it.workflowId, it.firstRunId);
    // Without the first run, which begins it, and the last, which has only begun itself.
    const year = counts.slice(1, 13).reduce((a, b) => a + b, 0);
    process.stdout.write(`      paid on time: ${year} events a year (${counts.join(' ')})\n`);
    assert.ok(year <= 400, `${year} events in a year`);
  });

  /** Goes on to some days after the invoice, and pays, or does not. */
  async function cycle(it: Subscribed, pays: Pays, seen: Set<string>): Promise<void> {
    const { term, periodEnd, renewalInvoiceId } = await it.row();
    // The first, and that of a term which was begun late, are issued at once and due in a week.
    const issuedAt = term === 0 || renewalInvoiceId ? it.now() : Date.parse(periodEnd) - 7 * DAY_MS;
    await it.until(issuedAt + (pays.how === 'never' ? UNPAID_DAYS : pays.afterDays) * DAY_MS);
    seen.add(pays.how === 'never' ? (await it.is('cancelled')).state : (await it.row()).state);
    if (pays.how === 'never') return;
    await it.open();
    if (pays.how === 'link') return void (await it.pay());
    // Given after it should have been charged, a card is charged at once. It is taken back, so that it pays this time only.
    await it.nextTerm(async () => onFile(it, await aCard(system.database.db, it)));
    await onFile(it, null);
    seen.add('card');
  }

  async function onFile({ workflowId, by }: Subscribed, paymentMethodId: PaymentMethodId | null): Promise<void> {
    const args: [{ by: UserId; paymentMethodId: PaymentMethodId | null }] = [{ by, paymentMethodId }];
    await system.client.workflow.getHandle(workflowId).executeUpdate(changeMethodUpdate, { args });
  }

  /** Who let it end comes back on the day after, by their own clock. */
  async function resubscribed(it: Subscribed, zone: string): Promise<Subscribed> {
    const startedAt = new Date(it.now() + DAY_MS).toISOString();
    return subscribe(system, { zone, startedAt, again: { of: it, clocks } });
  }

  /** @returns how many terms it had */
  async function check(it: Subscribed, zone: string): Promise<number> {
    const { anchor_at, state } = await system.database.db('subscriptions').where({ id: it.id }).first();
    const [terms, invoices] = [await it.terms(), await it.invoices()];
    for (const [index, { from, to }] of terms.entries()) {
      const [start, end] = [index, index + 1].map((n) => monthsAfter(anchor_at.getTime(), n, zone));
      assert.deepEqual([Date.parse(from), Date.parse(to)], [start, end], `term ${index + 1}`);
    }
    const paid = invoices.filter((one) => one.state === 'paid');
    assert.equal(paid.length, terms.length);
    // Of one that goes on, the invoice of the next term may be open; of one that was never paid the last has lapsed.
    const others = invoices.filter((one) => one.state !== 'paid').map((one) => one.state);
    if (state === 'cancelled') assert.deepEqual(others, ['lapsed']);
    else assert.ok(others.length === 0 || (others.length === 1 && others[0] === 'open'), others.join(' '));
    const sum = (all: readonly bigint[]) => all.reduce((a, b) => a + b, 0n);
    assert.equal(sum(paid.map(({ totalMinor }) => totalMinor)), sum(terms.map(({ amountMinor }) => amountMinor)));
    return terms.length;
  }
});

/**
 * How each invoice is paid, and how many days after it: mostly in time, sometimes after dunning, in the grace, when suspended, by a
 * card that is put on file then, or never. Seeded; each kind of end comes by its turn as well, so that no seed goes without one.
 */
function generator(seed: number): () => Pays {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  let months = 0;
  return () => {
    const [chance, how] = [random(), random() < 0.15 ? 'card' : 'link'] as const;
    months += 1;
    if (months % 50 === 0) return { how: 'never' };
    if (chance < 0.7) return { how, afterDays: (how === 'card' ? 6.1 : 0.1) + random() * (how === 'card' ? 0.8 : 6) };
    if (chance < 0.88) return { how, afterDays: 7.5 + random() * 13 };
    if (chance < 0.96) return { how, afterDays: 21.5 + random() * 6 };
    return { how, afterDays: 28.5 + random() * 25 };
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
