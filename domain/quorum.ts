/** When a stage that several decide is decided. */
import type { Seat } from './assignment.ts';
import type { Decision, Quorum } from './licensing.ts';

export interface Vote {
  readonly seat: number;
  readonly decision: Decision;
}

/** `given_back`: the applicant has the case, whoever else has voted. */
export type Tally = 'open' | 'approved' | 'rejected' | 'given_back';

/**
 * What the votes of one round come to. It depends on which seats voted what, not on the order, but for the ends: once it is
 * not open any more, no further vote is taken.
 * @param quorum absent = one person decides, and the first vote is the decision
 * @param seats all seats of the stage; who votes on a seat that a required role has votes for that role
 */
export function tally(quorum: Quorum | undefined, seats: readonly Seat[], votes: readonly Vote[]): Tally {
  const [first] = votes;
  if (!first) return 'open';
  if (votes.some(({ decision }) => decision === 'request_correction' || decision === 'intend_to_reject')) {
    return 'given_back';
  }
  if (!quorum) return first.decision === 'approve' ? 'approved' : 'rejected';
  const approving = seats.filter(({ seat }) => voteOf(votes, seat) === 'approve');
  if (isEnough(quorum, approving)) return 'approved';
  const rejections = votes.filter(({ decision }) => decision === 'reject').length;
  if (quorum.rejection === 'one_ends') return rejections > 0 ? 'rejected' : 'open';
  const stillPossible = seats.filter(({ seat }) => voteOf(votes, seat) !== 'reject');
  return isEnough(quorum, stillPossible) ? 'open' : 'rejected';
}

const voteOf = (votes: readonly Vote[], seat: number): Decision | undefined =>
  votes.find((vote) => vote.seat === seat)?.decision;

/** Enough approvals, and each required role among them as often as it is required. */
function isEnough({ needed, requiredRoles = [] }: Quorum, approving: readonly Seat[]): boolean {
  const count = <T>(list: readonly T[], wanted: T): number => list.filter((each) => each === wanted).length;
  const roles = approving.map(({ role }) => role);
  return approving.length >= needed && requiredRoles.every((role) => count(roles, role) >= count(requiredRoles, role));
}
