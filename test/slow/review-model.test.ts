/**
 * Licence reviews under random lives: applicants, reviewers, supervisors, the office's rules, time, and a worker that is killed.
 * After each command the records must be right, and what was answered must be what the rules say.
 *
 * A run is repeated by its seed: REVIEW_MODEL_SEED=<seed> [REVIEW_MODEL_RUNS=<n>] [REVIEW_MODEL_ONLY=<run>] npm run test:slow
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type CaseClocks, createCaseClocks } from '../simulate/case-clocks.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { playAll, tallied } from './review/runs.ts';
import { MOST_COMMANDS } from './review/scenario.ts';

const RUNS = Number(process.env['REVIEW_MODEL_RUNS'] ?? 300);
const SEED = Number(process.env['REVIEW_MODEL_SEED'] ?? randomInt(2 ** 31));
const ONLY = process.env['REVIEW_MODEL_ONLY'];
const BATCH = 50;

describe('a licence review, whatever happens to it', function () {
  this.timeout(3_600_000);
  let system: TestSystem;
  let clocks: CaseClocks;
  let worker: { kill(): Promise<void> };
  before(async () => {
    clocks = createCaseClocks();
    system = await startSystem({ worker: false, clientOf: clocks.clientOf });
    await fetch(`${system.sandboxUrl}/_sandbox/registries/nib`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'down' }),
    });
    worker = await system.workInOwnProcess();
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

  const numbers = Array.from({ length: RUNS }, (_, run) => run).filter(
    (run) => ONLY === undefined || run === Number(ONLY),
  );
  for (let from = 0; from < numbers.length; from += BATCH) {
    const batch = numbers.slice(from, from + BATCH);
    it(`keeps to its rules in runs ${batch[0]} to ${batch.at(-1)} of seed ${SEED}`, async () => {
      const failures = await playAll(
        { system, clocks, killWorker: replaced },
        { seed: SEED, runs: RUNS, most: MOST_COMMANDS },
        batch,
      );
      assert.deepEqual(
        failures.map(({ run }) => run),
        [],
        'what happened in each of these runs is told above',
      );
    });
  }

  after(async () => {
    if (system)
      console.log(`    seed ${SEED}, ${RUNS} runs, the worker was killed ${deaths} times\n${await tallied(system)}`);
    await worker?.kill();
    await system?.close();
  });
});
