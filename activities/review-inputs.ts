/** What every step of a review is told, and what it answers about a stage. */
import type { SealedOrigin } from '../domain/events.ts';
import type { ApplicationId, UserId } from '../domain/ids.ts';
import type { LicensePolicy, Stage, StagePolicy } from '../domain/licensing.ts';
import type { ReviewerRole } from '../domain/roles.ts';

export interface CaseAt {
  readonly applicationId: ApplicationId;
  /** What the workflow calls now, ISO 8601: records never use an activity's own clock. */
  readonly at: string;
}

/** Where the message came from that led to this; absent in histories of before. */
export interface Sent {
  readonly origin?: SealedOrigin;
}

export interface StageAt extends CaseAt {
  readonly round: number;
  readonly stage: Stage;
}

/** What the plan of a stage follows from. */
export interface PlannedBy extends Pick<LicensePolicy, 'legalWorkingDays' | 'ladder'>, StagePolicy {}

/** A seat of the open stage as the process keeps it. */
export interface SeatNow {
  readonly seat: number;
  readonly role: ReviewerRole;
  /** null = nobody was free: the supervisor's queue. */
  readonly assignee: UserId | null;
}
