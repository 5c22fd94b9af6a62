/** Who gets a task. */
import type { UserId } from './ids.ts';
import type { StagePolicy } from './licensing.ts';
import type { ReviewerRole } from './roles.ts';

/** A vote of a stage, and who may have it. Numbered from 1. */
export interface Seat {
  readonly seat: number;
  readonly role: ReviewerRole;
}

/**
 * The seats of a stage: one, or as many as its quorum has. The roles that must be among them come first: they are the
 * scarcer ones, and somebody of several roles shall not sit where others could.
 * @throws RangeError for a quorum of fewer seats than it requires roles
 */
export function seatsOf({ stage, role, quorum }: StagePolicy): Seat[] {
  if (!quorum) return [{ seat: 1, role }];
  const required = quorum.requiredRoles ?? [];
  if (required.length > quorum.of)
    throw new RangeError(`the quorum of ${stage} requires ${required.length} roles and has ${quorum.of} seats`);
  return Array.from({ length: quorum.of }, (_, index) => ({ seat: index + 1, role: required[index] ?? role }));
}

export interface ReviewerCandidate {
  readonly userId: UserId;
  readonly openTasks: number;
  /** Epoch milliseconds; null = never. */
  readonly lastAssignedAt: number | null;
}

/**
 * The candidate with the least open work; ties go to whoever was assigned longest ago (never = longest), then to the
 * lower ID, so the same question always has the same answer. Null when nobody may: the supervisor's queue.
 * @param excluded the applicant, whoever acted on the case in another stage, whoever declared a conflict
 */
export function chooseReviewer(candidates: readonly ReviewerCandidate[], excluded: ReadonlySet<UserId>): UserId | null {
  const [first] = candidates.filter(({ userId }) => !excluded.has(userId)).toSorted(byClaim);
  return first?.userId ?? null;
}

const byClaim = (a: ReviewerCandidate, b: ReviewerCandidate): number =>
  a.openTasks - b.openTasks ||
  compare(a.lastAssignedAt ?? Number.NEGATIVE_INFINITY, b.lastAssignedAt ?? Number.NEGATIVE_INFINITY) ||
  compare(a.userId, b.userId);

// Not a subtraction: two that were never assigned would give NaN. Not localeCompare: it depends on the machine.
const compare = <T extends number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
