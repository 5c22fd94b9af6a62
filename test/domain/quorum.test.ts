import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seatsOf } from '../../domain/assignment.ts';
import type { Quorum } from '../../domain/licensing.ts';
import { tally, type Vote } from '../../domain/quorum.ts';
import type { ReviewerRole } from '../../domain/roles.ts';

const HIGH: Quorum = { of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' };
const seats = (quorum: Quorum) => seatsOf({ stage: 'approval', role: 'approver', sharePercent: 20, quorum });
const yes = (seat: number): Vote => ({ seat, decision: 'approve' });
const no = (seat: number): Vote => ({ seat, decision: 'reject' });
const came = (quorum: Quorum, ...votes: Vote[]) => tally(quorum, seats(quorum), votes);

describe('two of three with the head of office', () => {
  it('approve with the head among them, in whichever order', () => {
    assert.equal(came(HIGH), 'open');
    assert.equal(came(HIGH, yes(1)), 'open');
    assert.equal(came(HIGH, yes(1), yes(2)), 'approved');
    assert.equal(came(HIGH, yes(2), yes(3)), 'open', 'enough, but the head has not voted');
    assert.equal(came(HIGH, yes(2), yes(3), yes(1)), 'approved');
  });

  it('reject when it cannot be approved any more, and not before', () => {
    assert.equal(came(HIGH, no(2)), 'open');
    assert.equal(came(HIGH, no(2), yes(1)), 'open');
    assert.equal(came(HIGH, no(2), yes(1), yes(3)), 'approved');
    assert.equal(came(HIGH, no(2), no(3)), 'rejected');
    assert.equal(came(HIGH, no(1)), 'rejected', 'without the head it never can');
    assert.equal(came(HIGH, yes(2), yes(3), no(1)), 'rejected');
  });

  it('reject with the first rejection where the policy says so', () => {
    assert.equal(came({ ...HIGH, rejection: 'one_ends' }, yes(1), no(3)), 'rejected');
  });

  it('give the case back when one asks for a correction, whoever has voted', () => {
    assert.equal(came(HIGH, yes(1), { seat: 2, decision: 'request_correction' }), 'given_back');
  });
});

it('one person decides where there is no quorum', () => {
  const only = [{ seat: 1, role: 'verifier' as const }];
  assert.deepEqual(
    [tally(undefined, only, []), tally(undefined, only, [yes(1)]), tally(undefined, only, [no(1)])],
    ['open', 'approved', 'rejected'],
  );
});

describe('any quorum', () => {
  const roles: readonly ReviewerRole[] = ['head', 'approver', 'examiner'];
  const quorums: fc.Arbitrary<Quorum> = fc
    .record({
      of: fc.integer({ min: 1, max: 5 }),
      needed: fc.integer({ min: 1, max: 5 }),
      required: fc.array(fc.constantFrom(...roles), { maxLength: 3 }),
      rejection: fc.constantFrom('one_ends' as const, 'when_lost' as const),
    })
    .filter(({ of, needed, required }) => needed <= of && required.length <= needed)
    .map(({ required: requiredRoles, ...quorum }) => ({ ...quorum, requiredRoles }));
  const games = quorums.chain((quorum) =>
    fc
      .tuple(
        fc.shuffledSubarray(Array.from({ length: quorum.of }, (_, index) => index + 1)),
        fc.array(fc.constantFrom('approve' as const, 'reject' as const), { minLength: 5, maxLength: 5 }),
      )
      .map(([order, said]) => ({
        quorum,
        votes: order.map((seat, index): Vote => ({ seat, decision: said[index] ?? 'approve' })),
      })),
  );

  /** As one would count by hand: who approved, and with which roles. */
  const enough = (quorum: Quorum, votes: readonly Vote[]): boolean => {
    const approving = seats(quorum).filter(({ seat }) =>
      votes.some((vote) => vote.seat === seat && vote.decision === 'approve'),
    );
    const left = approving.map(({ role }) => role);
    for (const role of quorum.requiredRoles ?? []) {
      const at = left.indexOf(role);
      if (at < 0) return false;
      left.splice(at, 1);
    }
    return approving.length >= quorum.needed;
  };
  /** Every way in which the seats that have not voted might. */
  function* endings(quorum: Quorum, votes: readonly Vote[]): Generator<readonly Vote[]> {
    const open = seats(quorum).find(({ seat }) => !votes.some((vote) => vote.seat === seat));
    if (!open) return yield votes;
    yield* endings(quorum, [...votes, yes(open.seat)]);
    yield* endings(quorum, [...votes, no(open.seat)]);
  }

  it('comes to what counting by hand comes to', () => {
    const property = fc.property(games, ({ quorum, votes }) => {
      const approved = enough(quorum, votes);
      const isLost = ![...endings(quorum, votes)].some((all) => enough(quorum, all));
      const isRejected = quorum.rejection === 'one_ends' ? votes.some(({ decision }) => decision === 'reject') : isLost;
      const expected = approved ? 'approved' : isRejected ? 'rejected' : 'open';
      assert.equal(tally(quorum, seats(quorum), votes), expected);
    });
    fc.assert(property, { numRuns: 3_000 });
  });

  it('ends at the latest with the last seat, and what is not open stays as it came out while votes are counted one by one', () => {
    const property = fc.property(games, ({ quorum, votes }) => {
      const outcomes = votes.map((_, index) => tally(quorum, seats(quorum), votes.slice(0, index + 1)));
      const end = outcomes.find((outcome) => outcome !== 'open');
      if (votes.length === quorum.of) assert.ok(end, 'everybody has voted');
      if (quorum.rejection === 'when_lost' && end) {
        for (const outcome of outcomes.slice(outcomes.indexOf(end))) assert.equal(outcome, end);
      }
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});
