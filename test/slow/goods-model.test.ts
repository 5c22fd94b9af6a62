/**
 * Goods under random lives: buyers, the shop, the warehouse, the carrier, the gateway and a worker that is killed; three orders of
 * a company at a time. After everything has ended the goods are where the records say, and the money is accounted for.
 *
 * A run is repeated by its seed: GOODS_MODEL_SEED=<seed> [GOODS_MODEL_RUNS=<n>] [GOODS_MODEL_ONLY=<run>] npm run test:slow -- test/slow/goods-model.test.ts
 */
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { checkLedger } from '../../db/ledger-check.ts';
import { checkStock } from '../../db/stock-check.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { openCoverage } from './goods/coverage.ts';
import { broken, holdings } from './goods/invariants.ts';
import { playerOf, type Stage } from './goods/player.ts';
import { type Scenario, scenario } from './goods/scenario.ts';
import { aShopToPlayIn, type Played } from './goods/world.ts';

const FULL = 200;
const RUNS = Number(process.env['GOODS_MODEL_RUNS'] ?? FULL);
const SEED = Number(process.env['GOODS_MODEL_SEED'] ?? randomInt(2 ** 31));
const ONLY = process.env['GOODS_MODEL_ONLY'];
/** Companies that live at the same time, each with three orders: their processes are what a worker keeps in memory. */
const AT_ONCE = Number(process.env['GOODS_MODEL_AT_ONCE'] ?? 12);
const BATCH = 50;
const SWEEPS = ['moneyWatch', 'orderWatch', 'rmaWatch', 'carrierWatch', 'stockWatch'] as const;

interface Run {
  readonly index: number;
  readonly scenario: Scenario;
}

describe('goods, whatever happens to them', function () {
  this.timeout(3_600_000);
  let system: TestSystem;
  let stage: Stage;
  let worker: { kill(): Promise<void> };
  before(async () => {
    system = await startSystem({ worker: false });
    worker = await system.workInOwnProcess();
    stage = { system, killWorker: replaced, sweep: swept, heard: coverage.heard };
  });

  const coverage = openCoverage();
  let deaths = 0;
  let replacing: Promise<void> | null = null;
  /** One death at a time: whoever wants another meanwhile has it with the one under way. */
  function replaced(): Promise<void> {
    replacing ??= (async () => {
      deaths += 1;
      await worker.kill();
      worker = await system.workInOwnProcess();
    })().finally(() => {
      replacing = null;
    });
    return replacing;
  }

  let sweeping: Promise<void> | null = null;
  function swept(): Promise<void> {
    sweeping ??= (async () => {
      // What waits has waited long enough, by the wall's clock too.
      const { db } = system.database;
      await db.raw(`update payment_inbox set received_at = received_at - interval '1 hour' where handled_at is null`);
      await db.raw(`update carrier_inbox set received_at = received_at - interval '1 hour' where handled_at is null`);
      for (const type of SWEEPS) {
        const args = type === 'carrierWatch' ? [500, 0] : [];
        const start = { workflowId: `${type}-${randomUUID()}`, taskQueue: system.taskQueue, args };
        await system.client.workflow.execute(type, start);
      }
    })().finally(() => {
      sweeping = null;
    });
    return sweeping;
  }

  const all: Run[] = fc.sample(scenario, { seed: SEED, numRuns: RUNS }).map((one, index) => ({ scenario: one, index }));
  const runs = all.filter(({ index }) => ONLY === undefined || index === Number(ONLY));

  for (let from = 0; from < runs.length; from += BATCH) {
    const batch = runs.slice(from, from + BATCH);
    it(`are all accounted for after runs ${from + 1} to ${from + batch.length} of seed ${SEED}`, async () => {
      const failures = (await inTurns(batch.map((run) => () => lived(run)))).filter((one) => one !== null);
      assert.equal(failures.length, 0, `${failures.length} of ${batch.length}:\n${failures.slice(0, 5).join('\n\n')}`);
      assert.deepEqual(await checkStock(system.database.db), []);
      const { proofs } = await checkLedger(system.database.db);
      assert.deepEqual(
        proofs.flatMap(({ findings }) => findings),
        [],
      );
    });
  }

  it(`have lived through everything that can happen, given ${FULL} runs`, async () => {
    console.log(`    seed ${SEED}, ${runs.length} runs, the worker was killed ${deaths} times`);
    for (const line of await coverage.told(system.database.db)) console.log(`    ${line}`);
    if (runs.length >= FULL) assert.deepEqual(await coverage.missing(system.database.db), []);
  });

  after(async () => {
    await worker?.kill();
    await system?.close();
  });

  /** @returns what went wrong, with the whole story; null = nothing */
  async function lived({ index, scenario: one }: Run): Promise<string | null> {
    let game: Played | null = null;
    const log: string[] = [];
    const sentences: string[] = [];
    try {
      game = await aShopToPlayIn(system, one);
      const player = playerOf(stage, game);
      await player.play(one, log);
      await player.mustBeAwake();
      await player.settle();
      sentences.push(...(await broken(system.database.db, game, await holdings(system))));
    } catch (error) {
      sentences.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    if (sentences.length === 0) return null;
    const title = `run ${index} of seed ${SEED}, orders ${game?.orders.join(' ') ?? 'none'}`;
    const given = JSON.stringify({ baskets: one.baskets, stock: one.stock });
    return [title, ...sentences, given, ...log].join('\n  ');
  }

  async function inTurns<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
    const results: T[] = [];
    const queue = tasks.entries();
    const lane = async () => {
      for (const [index, task] of queue) results[index] = await task();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return results;
  }
});
