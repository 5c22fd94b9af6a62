import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isSampled } from '../../domain/post-audits.ts';

describe('the sample of a post-audit', () => {
  const ids = Array.from({ length: 20_000 }, () => randomUUID());
  const share = (percent: number, names: readonly string[] = ids) =>
    (100 * names.filter((name) => isSampled(name, percent)).length) / names.length;

  it('takes none at 0 and all at 100', () => {
    assert.equal(share(0), 0);
    assert.equal(share(100), 100);
  });
  for (const percent of [0.5, 5, 10, 50]) {
    it(`takes about ${percent} in a hundred`, () => {
      // Four standard deviations: a fair draw is outside once in 16,000 runs.
      const margin = 4 * Math.sqrt((percent * (100 - percent)) / ids.length);
      assert.ok(Math.abs(share(percent) - percent) < margin, `${share(percent)} %`);
    });
  }
  it('is spread evenly over names that differ in one letter', () => {
    const names = Array.from({ length: 20_000 }, (_, number) => `case-${number}`);
    assert.ok(Math.abs(share(10, names) - 10) < 1, `${share(10, names)} %`);
  });
  it('draws the same cases again, and keeps them when more are drawn', () => {
    const few = ids.filter((id) => isSampled(id, 5));
    assert.deepEqual(
      ids.filter((id) => isSampled(id, 5)),
      few,
    );
    assert.ok(few.every((id) => isSampled(id, 10)));
  });
});
