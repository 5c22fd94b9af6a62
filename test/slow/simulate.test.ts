import assert from 'node:assert/strict';
import { simulate } from '../simulate/simulate.ts';

describe('a simulated month of a small office', () => {
  // Both at once: whatever depended on how quick the machine is at the moment would make a difference.
  it('comes to the same report each time, byte for byte, and every case of it is right', async function () {
    this.timeout(90_000);
    const month = { cases: 8, seed: 'a small month', year: 2026, days: 31 };
    const [first, second] = await Promise.all([simulate(month), simulate(month)]);
    assert.equal(first.report, second.report);
    assert.deepEqual(first.problems, []);
    assert.equal(first.records.length, 8);
    assert.ok(
      first.records.some(({ decisions }) => decisions.length >= 3),
      'people have reviewed something',
    );
  });
});
