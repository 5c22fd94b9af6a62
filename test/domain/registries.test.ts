import assert from 'node:assert/strict';
import fc from 'fast-check';
import { needsPerson, pauseBeforeAsking, REGISTRY_STATES, stateOfVerdict } from '../../domain/registries.ts';

describe('what a registry says', () => {
  it('is a match only when the number is known and nothing differs', () => {
    assert.equal(stateOfVerdict({ found: true, differences: [] }), 'match');
    assert.equal(stateOfVerdict({ found: true, differences: ['name'] }), 'mismatch');
    assert.equal(stateOfVerdict({ found: false }), 'not_found');
  });

  it('lets the automatic path go on only where each matches or there was nothing to ask', () => {
    const passing = REGISTRY_STATES.filter((state) => !needsPerson([{ state: 'match' }, { state }]));
    assert.deepEqual(passing, ['match', 'not_applicable']);
  });

  it('is asked for later and later, and never after the time to give up', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 9].map((tries) => pauseBeforeAsking(tries, 0, 3_600_000)),
      [60_000, 300_000, 900_000, 900_000, 900_000],
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(5_000_000), fc.nat(5_000_000), (tries, now, giveUpAt) => {
        const pause = pauseBeforeAsking(tries, now, giveUpAt);
        return pause >= 1 && now + pause <= Math.max(giveUpAt, now + 1);
      }),
    );
  });
});
