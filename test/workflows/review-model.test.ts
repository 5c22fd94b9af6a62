/** A few of the random lives that test/slow/review-model.test.ts plays by the hundred, always the same ones. */
import assert from 'node:assert/strict';
import { type CaseClocks, createCaseClocks } from '../simulate/case-clocks.ts';
import { playAll } from '../slow/review/runs.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

/** Short ones, with hands, leave, calendar and policy changed, an override and an appeal; none asks a silent registry. */
const PLAN = { seed: 595, runs: 4, most: 9 };

describe('a few licence reviews, whatever happens to them', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let clocks: CaseClocks;
  before(async () => {
    clocks = createCaseClocks();
    system = await startSystem({ clientOf: clocks.clientOf });
  });
  after(() => system?.close());

  const killWorker = (): never => assert.fail('the worker dies in the slow ones only: it takes a while to be missed');

  it('keep to their rules', async () => {
    assert.deepEqual(await playAll({ system, clocks, killWorker }, PLAN, [0, 1, 2, 3]), []);
  });
});
