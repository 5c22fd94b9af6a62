/** Seats of the supervisor's queue for which somebody is free by now. */
import type { Knex } from 'knex';
import type { ApplicationId, UserId } from '../domain/ids.ts';
import type { Stage } from '../domain/licensing.ts';
import { MAY_HOLD_SEAT } from './holding.ts';

/** An open seat, by what names it. */
export interface SeatAt {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
  readonly seat: number;
}

// What a supervisor took from somebody is not given back to them; but an absence ends, and whose account was changed since
// may hold it again.
const TAKEN_FROM = `(
  select case when e.data ->> 'kind' in ('reassign', 'bulk') and not exists (
      select from events changed
       where changed.subject = 'user/' || (e.data ->> 'from') and changed.id > e.id
         and changed.type in ('user.enabled', 'user.roles_changed'))
    then (e.data ->> 'from')::uuid end
    from events e
   where e.application_id = waiting.application_id and e.type = 'task.reassigned' and e.data ->> 'to' is null
     and e.data ->> 'stage' = waiting.stage and (e.data ->> 'round')::int = waiting.round and coalesce((e.data ->> 'seat')::int, 1) = waiting.seat
   order by e.id desc limit 1)`;

/** Most urgent first. @param at ISO 8601: who is absent then is not free */
export async function seatsToOffer(db: Knex, at: string, limit: number): Promise<SeatAt[]> {
  const { rows }: { rows: SeatAt[] } = await db.raw(
    `select waiting.application_id as "applicationId", waiting.round, waiting.stage, waiting.seat
       from tasks waiting
       join applications a on a.id = waiting.application_id
       join license_types y on y.code = a.type_code
       join offices office on office.id = y.office_id
      where waiting.state = 'open' and waiting.assignee_id is null
        and exists (select from users u where ${MAY_HOLD_SEAT} and u.id is distinct from ${TAKEN_FROM})
      order by waiting.due_at, waiting.id
      limit :limit`,
    { at, limit },
  );
  return rows;
}

/** Locks the seat. @returns null when it is not open */
export async function lockSeat(
  tx: Knex,
  { applicationId, round, stage, seat }: SeatAt,
): Promise<{ assignee: UserId | null; takenFrom: UserId | null } | null> {
  const { rows }: { rows: { assignee: UserId | null; takenFrom: UserId | null }[] } = await tx.raw(
    `select waiting.assignee_id as assignee, ${TAKEN_FROM} as "takenFrom"
       from tasks waiting
      where waiting.application_id = :applicationId and waiting.round = :round and waiting.stage = :stage
        and waiting.seat = :seat and waiting.state = 'open'
        for update`,
    { applicationId, round, stage, seat },
  );
  return rows[0] ?? null;
}
