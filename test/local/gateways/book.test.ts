import assert from 'node:assert/strict';
import { z } from 'zod';
import { createBook } from '../../../local/gateways/book.ts';
import { createTimeline } from '../../../local/gateways/timeline.ts';
import { removeDirectory, temporaryDirectory } from '../../support/temporary.ts';

const iso = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

describe('a sandbox’s timeline', () => {
  it('lists what was put in any order, newest first, and of one instant what came last', () => {
    const timeline = createTimeline();
    for (const [name, at] of [
      ['b', 2],
      ['a', 1],
      ['d', 3],
      ['c', 2],
    ] as const)
      timeline.put(name, iso(at));
    assert.deepEqual([...timeline.newestFirst()], ['d', 'c', 'b', 'a']);
    assert.deepEqual(timeline.oldestFirst(), ['a', 'b', 'c', 'd']);
  });

  it('lists a stretch, its beginning included and its end not', () => {
    const timeline = createTimeline();
    for (const at of [1, 2, 3, 4]) timeline.put(`at ${at}`, iso(at));
    assert.deepEqual([...timeline.newestFirst({ from: iso(2), to: iso(4) })], ['at 3', 'at 2']);
    assert.deepEqual([...timeline.newestFirst({ from: iso(5) })], []);
  });

  it('goes on behind a name, whatever has come meanwhile', () => {
    const timeline = createTimeline();
    for (const at of [1, 2, 3]) timeline.put(`at ${at}`, iso(at));
    timeline.put('new', iso(9));
    timeline.put('also at 2', iso(2));
    assert.deepEqual([...timeline.newestFirst({ after: 'at 3' })], ['also at 2', 'at 2', 'at 1']);
    assert.deepEqual([...timeline.newestFirst({ after: 'at 3', from: iso(2) })], ['also at 2', 'at 2']);
    assert.deepEqual([...timeline.newestFirst({ after: 'at 1' })], []);
  });

  it('moves what gets another time, and leaves what is put there again', () => {
    const timeline = createTimeline();
    for (const at of [1, 2, 3]) timeline.put(`at ${at}`, iso(at));
    timeline.put('at 1', iso(4));
    timeline.put('at 2', iso(2));
    assert.deepEqual([...timeline.newestFirst()], ['at 1', 'at 3', 'at 2']);
    assert.ok(timeline.has('at 2') && !timeline.has('at 5'));
  });
});

const sale = z.object({ id: z.string(), at: z.string(), refunds: z.array(z.string()) });
type Sale = z.infer<typeof sale>;
const open = (dir: string | null) =>
  createBook<Sale, 'refunds'>({
    dir,
    schema: sale,
    idOf: ({ id }) => id,
    createdAt: ({ at }) => at,
    namesOf: ({ refunds }) => ['everybody', ...refunds],
    lists: { refunds: ({ refunds, at }) => refunds.map((name) => ({ name, at })) },
  });
const ids = (sales: readonly Sale[]) => sales.map(({ id }) => id);

describe('a sandbox’s book', () => {
  it('finds a record by any of its names, as it is now', () => {
    const book = open(null);
    book.save({ id: 'b', at: iso(2), refunds: [] });
    book.save({ id: 'a', at: iso(1), refunds: [] });
    book.save({ id: 'b', at: iso(2), refunds: ['r1'] });
    assert.deepEqual(book.named('r1'), [{ id: 'b', at: iso(2), refunds: ['r1'] }]);
    assert.deepEqual([ids(book.named('a')), ids(book.named('nobody'))], [['a'], []]);
    assert.deepEqual(
      [ids(book.named('everybody')), ids(book.all())],
      [
        ['b', 'a'],
        ['a', 'b'],
      ],
    );
  });

  it('lists entries with their records, of all or of one', () => {
    const book = open(null);
    book.save({ id: 'a', at: iso(1), refunds: ['r1', 'r2'] });
    book.save({ id: 'b', at: iso(2), refunds: ['r3'] });
    const walked = (...how: [Parameters<typeof book.walk>[1]?, string?]) =>
      [...book.walk('refunds', ...how)].map(([name, { id }]) => `${name} of ${id}`);
    assert.deepEqual(walked(), ['r3 of b', 'r2 of a', 'r1 of a']);
    assert.deepEqual(walked({}, 'a'), ['r2 of a', 'r1 of a']);
    assert.deepEqual(walked({ after: 'r2' }, 'a'), ['r1 of a']);
    assert.deepEqual(walked({ to: iso(1) }, 'a'), []);
    assert.ok(book.has('refunds', 'r3') && !book.has('refunds', 'b'));
  });

  it('outlives a restart, but for what it was only to hold', async () => {
    const dir = await temporaryDirectory();
    try {
      const book = open(dir);
      book.save({ id: 'b', at: iso(2), refunds: ['r1'] });
      book.save({ id: 'a', at: iso(1), refunds: [] });
      book.hold([{ id: 'c', at: iso(3), refunds: [] }]);
      assert.deepEqual(ids(book.all()), ['a', 'b', 'c']);
      const again = open(dir);
      assert.deepEqual([ids(again.all()), ids(again.named('r1'))], [['a', 'b'], ['b']]);
    } finally {
      await removeDirectory(dir);
    }
  });
});
