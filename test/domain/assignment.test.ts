import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseReviewer, type ReviewerCandidate, seatsOf } from '../../domain/assignment.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import type { Quorum } from '../../domain/licensing.ts';
import { REVIEWER_ROLES, type ReviewerRole } from '../../domain/roles.ts';

const RUNS = Number(process.env.ALUR_PROPERTY_RUNS ?? 300);
const candidate = (id: string, openTasks: number, lastAssignedAt: number | null): ReviewerCandidate => ({
  userId: asId<UserId>(id),
  openTasks,
  lastAssignedAt,
});
const nobody: ReadonlySet<UserId> = new Set();

describe('choosing a reviewer', () => {
  it('takes the one with the least open work', () => {
    assert.equal(chooseReviewer([candidate('a', 3, null), candidate('b', 1, 900), candidate('c', 2, 1)], nobody), 'b');
  });

  it('takes the one assigned longest ago among equals, never assigned first', () => {
    assert.equal(chooseReviewer([candidate('a', 1, 30), candidate('b', 1, 20)], nobody), 'b');
    assert.equal(chooseReviewer([candidate('a', 1, -5), candidate('b', 1, null)], nobody), 'b');
  });

  it('takes the lower ID when nothing else tells them apart', () => {
    assert.equal(chooseReviewer([candidate('b', 1, null), candidate('a', 1, null)], nobody), 'a');
    assert.equal(chooseReviewer([candidate('b', 1, 7), candidate('a', 1, 7)], nobody), 'a');
  });

  it('passes over the excluded, and finds nobody when none is left', () => {
    const all = [candidate('a', 0, null), candidate('b', 9, 900)];
    assert.equal(chooseReviewer(all, new Set([asId<UserId>('a')])), 'b');
    assert.equal(chooseReviewer(all, new Set(all.map(({ userId }) => userId))), null);
    assert.equal(chooseReviewer([], nobody), null);
  });

  it('finds somebody with no more work than anybody else who may, whatever the order', () => {
    const property = fc.property(candidates(), fc.infiniteStream(fc.boolean()), (all, coins) => {
      const excluded = new Set(all.filter(() => coins.next().value).map(({ userId }) => userId));
      const free = all.filter(({ userId }) => !excluded.has(userId));
      const chosen = chooseReviewer(all, excluded);
      assert.equal(chosen === null, free.length === 0);
      assert.equal(chooseReviewer(all.toReversed(), excluded), chosen);
      const winner = free.find(({ userId }) => userId === chosen);
      for (const other of free) assert.ok(winner && !beats(other, winner), `${other.userId} before ${chosen}`);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('spreads tasks evenly when each is given out in turn', () => {
    const counts = new Map(['a', 'b', 'c', 'd'].map((id) => [id, candidate(id, 0, null)]));
    for (let now = 1; now <= 10; now++) {
      const id = chooseReviewer([...counts.values()], nobody) ?? '';
      counts.set(id, candidate(id, (counts.get(id)?.openTasks ?? 0) + 1, now));
    }
    assert.deepEqual(
      [...counts.values()].map(({ openTasks }) => openTasks),
      [3, 3, 2, 2],
    );
  });
});

describe('the seats of a stage', () => {
  const stage = (quorum?: Quorum) =>
    ({ stage: 'approval', role: 'approver', sharePercent: 20, ...(quorum ? { quorum } : {}) }) as const;
  const quorumOf = (of: number, ...requiredRoles: ReviewerRole[]) =>
    stage({ of, needed: of, requiredRoles, rejection: 'one_ends' });

  it('are one where no quorum is asked for', () => {
    assert.deepEqual(seatsOf(stage()), [{ seat: 1, role: 'approver' }]);
  });

  it('keep one for each role that must be there, and give the rest to the stage’s own', () => {
    assert.deepEqual(seatsOf(quorumOf(3, 'head')), [
      { seat: 1, role: 'head' },
      { seat: 2, role: 'approver' },
      { seat: 3, role: 'approver' },
    ]);
    assert.deepEqual(seatsOf(stage({ of: 2, needed: 2, rejection: 'one_ends' })), [
      { seat: 1, role: 'approver' },
      { seat: 2, role: 'approver' },
    ]);
  });

  it('are as many as the quorum says, numbered from 1, with every required role among them', () => {
    const roles = fc.array(fc.constantFrom(...REVIEWER_ROLES), { maxLength: 3 });
    const property = fc.property(roles, fc.integer({ min: 0, max: 3 }), (required, more) => {
      const seats = seatsOf(quorumOf(required.length + more, ...required));
      assert.deepEqual(
        seats.map(({ seat }) => seat),
        Array.from({ length: required.length + more }, (_, index) => index + 1),
      );
      const left = seats.map(({ role }) => role);
      for (const role of required) left.splice(left.indexOf(role), left.includes(role) ? 1 : 0);
      assert.deepEqual(left, Array(more).fill('approver'));
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('are not enough for more required roles than there are seats', () => {
    assert.throws(() => seatsOf(quorumOf(1, 'head', 'examiner')), /requires 2 roles and has 1 seats/);
  });
});

/** The rule once more, told by its three sentences. */
function beats(a: ReviewerCandidate, b: ReviewerCandidate): boolean {
  if (a.openTasks !== b.openTasks) return a.openTasks < b.openTasks;
  if (a.lastAssignedAt !== b.lastAssignedAt) {
    if (a.lastAssignedAt === null || b.lastAssignedAt === null) return a.lastAssignedAt === null;
    return a.lastAssignedAt < b.lastAssignedAt;
  }
  return a.userId < b.userId;
}

function candidates() {
  const one = fc.record({
    userId: fc.uuid().map((id) => asId<UserId>(id)),
    openTasks: fc.nat({ max: 3 }),
    lastAssignedAt: fc.option(fc.integer({ min: -2, max: 2 }), { nil: null }),
  });
  return fc.uniqueArray(one, { selector: ({ userId }) => userId, maxLength: 12 });
}
