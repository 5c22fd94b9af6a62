/** The property of test/domain/legal-clock.test.ts, a hundred thousand times: CLOCK_RUNS and CLOCK_SEED say otherwise. */
import fc from 'fast-check';
import { clockCase, compare } from '../domain/clock-cases.ts';

const RUNS = Number(process.env['CLOCK_RUNS'] ?? 100_000);
const SEED = Number(process.env['CLOCK_SEED'] ?? Date.now() % 2 ** 31);

describe('the clock against counting minute by minute', () => {
  it(`agrees in ${RUNS} random cases, seed ${SEED}`, function () {
    this.timeout(3_600_000);
    fc.assert(fc.property(clockCase, compare), { numRuns: RUNS, seed: SEED });
  });
});
