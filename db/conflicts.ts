import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { ApplicationId, UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';

export interface DeclaredConflict {
  readonly applicationId: ApplicationId;
  readonly userId: UserId;
  /** In their own words: in the record, not in the event. */
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
}

/**
 * From now on this person never holds a task of this case; what they hold is for the caller to hand over, in the same
 * transaction.
 * @returns false when they had declared it before
 */
export async function declareConflict(tx: Knex, conflict: DeclaredConflict): Promise<boolean> {
  const { applicationId, userId, reason, at, origin } = conflict;
  const isNew = await recordEvent(tx, {
    key: `license-review/${applicationId}/conflict/${userId}`,
    type: 'conflict.declared',
    applicationId,
    by: userId,
    origin,
    at,
  });
  if (!isNew) return false;
  await tx('conflicts').insert({ application_id: applicationId, user_id: userId, reason, declared_at: at });
  return true;
}
