import assert from 'node:assert/strict';
import { lanesOf } from './lanes.ts';

describe('the lanes of the suite', () => {
  const files = [
    'test/db/a.test.ts',
    'test/db/b.test.ts',
    'test/story/c.test.ts',
    'test/story/d.test.ts',
    'test/x.test.ts',
  ];

  it('hold every file once', () => {
    assert.deepEqual(lanesOf(files, 2).flat().sort(), files);
  });

  it('share the long ones, and are the same each time', () => {
    const seconds = { 'test/story/c.test.ts': 20, 'test/story/d.test.ts': 20 };
    const lanes = lanesOf(files.toReversed(), 2, seconds);
    assert.deepEqual(
      lanes.map((lane) => lane.filter((file) => file.startsWith('test/story/')).length),
      [1, 1],
    );
    assert.deepEqual(lanes, lanesOf(files, 2, seconds));
  });

  it('are no more than there are files', () => {
    assert.equal(lanesOf(['test/x.test.ts'], 4).length, 1);
  });
});
