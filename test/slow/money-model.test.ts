/**
 * Money under random lives: payers, gateways, network, office and a worker that is killed, many invoices at once. After
 * everything has settled down the books agree with the gateways, to the unit.
 *
 * A run is repeated by its seed: MONEY_MODEL_SEED=<seed> [MONEY_MODEL_RUNS=<n>] npm run test:slow -- test/slow/money-model.test.ts
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { checkLedger } from '../../db/ledger-check.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { broken, holdings } from './money/invariants.ts';
import { play, type Stage, settle } from './money/player.ts';
import { type Scenario, scenario } from './money/scenario.ts';
import { anInvoiceToPay, type Played } from './money/world.ts';

const RUNS = Number(process.env['MONEY_MODEL_RUNS'] ?? 2000);
const SEED = Number(process.env['MONEY_MODEL_SEED'] ?? randomInt(2 ** 31));
/** Invoices that live at the same time. */
const AT_ONCE = 125;
/** Invoices that are issued at the same time: more of them would wait for a connection longer than the pool lets anybody. */
const ISSUED_AT_ONCE = 16;
const BATCH = 250;

interface Begun extends Played {
  readonly index: number;
  readonly scenario: Scenario;
}

interface Run extends Begun {
  readonly log: readonly string[];
}

describe('money, whatever happens to it', function () {
  this.timeout(3_600_000);
  let system: TestSystem;
  let stage: Stage;
  let worker: { kill(): Promise<void> };
  before(async () => {
    system = await startSystem({ worker: false });
    worker = await system.workInOwnProcess();
    stage = { system, killWorker: replaced };
  });

  let deaths = 0;
  let replacing: Promise<void> | null = null;
  /** One death at a time: whoever wants another meanwhile has it with the one under way. */
  function replaced(): Promise<void> {
    replacing ??= (async () => {
      deaths += 1;
      await worker.kill();
      worker = await system.workInOwnProcess();
      replacing = null;
    })();
    return replacing;
  }

  const scenarios = fc.sample(scenario, { seed: SEED, numRuns: RUNS });

  for (let from = 0; from < RUNS; from += BATCH) {
    const batch = scenarios.slice(from, from + BATCH);
    it(`agrees with the gateways after runs ${from + 1} to ${from + batch.length} of seed ${SEED}`, async () => {
      const begun = await inTurns(
        batch.map((one, index) => () => begin(one, from + index)),
        ISSUED_AT_ONCE,
      );
      const runs = await inTurns(begun.map((one) => () => lived(one)));
      const settled = () => inTurns(runs.map((run) => () => settle(stage, run.invoiceId, run.owner)));
      await watched(`before-${from}`);
      await settled();
      await reconciled(from);
      await watched(`after-${from}`);
      await settled();
      const held = await holdings(system);
      const wrong = await inTurns(runs.map((run) => async () => ({ run, sentences: await broken(system, run, held) })));
      const failures = wrong.filter(({ sentences }) => sentences.length > 0);
      assert.equal(failures.length, 0, failures.slice(0, 5).map(told).join('\n\n'));
      const { proofs } = await checkLedger(system.database.db);
      assert.deepEqual(
        proofs.flatMap(({ findings }) => findings),
        [],
      );
    });
  }

  after(async () => {
    if (system) await tell(system);
    await worker?.kill();
    await system?.close();
  });

  /** What was lived through: a suite in which nothing happened proves nothing. */
  async function tell({ database: { db } }: TestSystem): Promise<void> {
    const tally = async (table: string, by: string) => {
      const rows: { what: string; count: bigint }[] = await db(table)
        .groupBy(by)
        .orderBy(by)
        .select({ what: by })
        .count({ count: '*' });
      return rows.map(({ what, count }) => `${what} ${count}`).join(', ');
    };
    console.log(`    seed ${SEED}, ${RUNS} runs, the worker was killed ${deaths} times`);
    console.log(`    payments: ${await tally('payments', 'state')}`);
    console.log(`    refunds: ${await tally('refunds', 'state')}`);
    console.log(`    cases: ${await tally('payment_cases', 'kind')}`);
    console.log(`    invoices: ${await tally('invoices', 'state')}; licences: ${await tally('licenses', 'status')}`);
  }

  const begin = async (one: Scenario, index: number): Promise<Begun> => ({
    ...(await anInvoiceToPay(system, one)),
    scenario: one,
    index,
  });

  async function lived(begun: Begun): Promise<Run> {
    const run = { ...begun, log: await play(stage, begun.invoiceId, begun.owner, begun.scenario) };
    await settle(stage, run.invoiceId, run.owner).catch((error: unknown) => {
      throw new Error(told({ run, sentences: [String(error)] }), { cause: error });
    });
    return run;
  }

  /** The minute's sweep, for which whatever waits has waited long enough. */
  async function watched(name: string): Promise<void> {
    await system.database.db.raw(
      "update payment_inbox set received_at = received_at - interval '1 hour' where handled_at is null",
    );
    await system.client.workflow.execute('moneyWatch', {
      workflowId: `money-watch-${name}`,
      taskQueue: system.taskQueue,
      args: [],
    });
  }

  /** What no notice told and nobody asked about, the night finds. */
  async function reconciled(batch: number): Promise<void> {
    const { db } = system.database;
    // A night is walked once: what the batch before left of it is put away.
    await db('payment_cases').update({ run_id: null });
    await db('reconciliation_runs').delete();
    // Today, and the days in which late money is dated.
    for (const days of [1, 3]) {
      await system.client.workflow.execute('reconciliation', {
        workflowId: `reconciliation-of-batch-${batch}-${days}`,
        taskQueue: system.taskQueue,
        args: [new Date(Date.now() + days * 86_400_000).toISOString()],
      });
    }
  }

  const told = ({ run, sentences }: { run: Run; sentences: readonly string[] }): string =>
    [`run ${run.index} of seed ${SEED}, invoice ${run.invoiceId}:`, ...sentences, ...run.log].join('\n  ');

  async function inTurns<T>(tasks: readonly (() => Promise<T>)[], lanes = AT_ONCE): Promise<T[]> {
    const results: T[] = [];
    const queue = tasks.entries();
    const lane = async () => {
      for (const [index, task] of queue) results[index] = await task();
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return results;
  }
});
