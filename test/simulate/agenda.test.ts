import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createAgenda, type Entry } from './agenda.ts';

describe('the agenda of a simulated year', () => {
  const small = fc.integer({ min: 0, max: 3 });
  const entry = fc.record({ at: small, rank: small, number: small });

  it('gives what comes first, then by rank, then by number, whatever was put in when', () => {
    fc.assert(
      fc.property(fc.array(entry), (given) => {
        const agenda = createAgenda<number>();
        for (const [what, each] of given.entries()) agenda.add({ ...each, what });
        const taken: Entry<number>[] = [];
        for (let next = agenda.next(); next; next = agenda.next()) taken.push(next);
        const wanted = given
          .map((each, what) => ({ ...each, what }))
          .toSorted((a, b) => a.at - b.at || a.rank - b.rank || a.number - b.number || a.what - b.what);
        assert.deepEqual(taken, wanted);
      }),
    );
  });
});
