import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { isPublic, type Origin } from '../domain/events.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { ApplicationId, Sha256, UserId } from '../domain/ids.ts';
import {
  type ApplicationState,
  type Decision,
  isClosed,
  type Reason,
  type Stage,
  statesBefore,
} from '../domain/licensing.ts';
import { REVIEWED_BEFORE_APPEAL, WHY_NOT_HOLD, WHY_NOT_OVERRIDE } from './holding.ts';

export interface NewDecision {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
  readonly decision: Decision;
  readonly by: UserId;
  readonly at: string;
  readonly reasons: readonly Reason[];
  readonly note: string | null;
  readonly submissionHash: Sha256;
  /** Where the case goes from here; of a vote that leaves the stage open, the stage itself. */
  readonly to: ApplicationState;
  /** The stage that opens next, when one does; of a vote that leaves the stage open, that stage. */
  readonly nextStage: Stage | null;
  /** Of a quorum, from 1; absent = the only one. */
  readonly seat?: number;
  /** By a supervisor in place of whoever holds the task. */
  readonly override?: boolean;
  readonly origin?: Origin | undefined;
}

/** Why whoever decides may not hold the task, by the records of the moment. */
export type RefusedByRecord = Extract<
  FailureCode,
  'own_application' | 'conflict_declared' | 'already_acted' | 'reviewer_not_eligible' | 'not_assigned'
>;

const OFFICE_OF_CASE = `(select t.office_id from applications a join license_types t on t.code = a.type_code where a.id = :applicationId)`;

const ofThisCase = (sql: string): string =>
  sql.replaceAll(':officeId', OFFICE_OF_CASE).replaceAll(':role', '(select role from held)');

// Nobody else could: or it would have been refused.
const WITH_SOLE_SUPERVISOR = `case when cast(:override as boolean) and ${REVIEWED_BEFORE_APPEAL('cast(:by as uuid)')}
  then '{"soleSupervisor": true}'::jsonb else '{}' end`;

// One statement, one round trip: the person who decides waits for exactly this. The event is the guard; every other
// part reads from it, so a repeat of the activity inserts nothing and changes nothing.
//
// `held` locks the seat: who takes it away at this moment comes before or after, never between. A supervisor who decides in
// place of the holder needs no seat, and may have acted on another stage before; before an appeal only where the office has
// nobody else who could, or the case would wait for ever. Then the event says so.
const RECORD_DECISION = `
  with done as (
    select from events where key = :key
  ), held as (
    select t.assignee_id, t.role from tasks t
    where t.application_id = :applicationId and t.round = :round and t.stage = :stage and t.seat = :seat and t.state = 'open'
    for update
  ), why as (
    select case
      when not exists (select from held where cast(:override as boolean) or assignee_id = cast(:by as uuid)) then 'not_assigned'
      when cast(:override as boolean) then ${ofThisCase(WHY_NOT_OVERRIDE)}
      else ${ofThisCase(WHY_NOT_HOLD)}
    end as code
    where not exists (select from done)
  ), event as (
    insert into events (key, type, application_id, company_id, actor_id, actor, data, address, request_id, public, occurred_at)
    select :key, 'decision.recorded', a.id, a.company_id, :by, 'person',
      cast(:data as jsonb) || ${WITH_SOLE_SUPERVISOR},
      :address, :requestId, :public, :at
    from applications a, why where a.id = :applicationId and why.code is null
    on conflict (key) do nothing
    returning application_id
  ), decision as (
    insert into decisions (id, application_id, round, stage, seat, decision, decided_by, decided_at, reasons, note,
      submission_sha256, override)
    select :id, application_id, :round, :stage, :seat, :decision, :by, :at, :reasons, :note, :submissionHash, :override from event
  ), task as (
    update tasks set state = case when tasks.seat = :seat then 'decided' else 'cancelled' end, closed_at = :at
    from event
    where tasks.application_id = event.application_id and tasks.round = :round and tasks.stage = :stage and tasks.state = 'open'
      and (tasks.seat = :seat or cast(:ends as boolean))
  ), moved as (
    update applications set state = :to, stage = :nextStage, updated_at = :at,
      due_at = case when cast(:ends as boolean) then null else due_at end,
      assignee_id = case when not cast(:ends as boolean) then (
        select o.assignee_id from tasks o
        where o.application_id = applications.id and o.state = 'open' and o.seat <> :seat and o.assignee_id is not null
        order by o.seat limit 1) end,
      closed_at = case when cast(:closes as boolean) then cast(:at as timestamptz) else closed_at end
    from event
    where applications.id = event.application_id and applications.state = any(:from)
    returning applications.id
  )
  select demand(
    not exists (select from event) or exists (select from moved),
    'the application cannot move there from the state that it is in'), (select code from why) as refused`;

/**
 * Records a decision: decision, task, application and event, together or not at all. Whether the person may still decide is
 * asked in the same statement.
 * @returns why nothing was recorded; null when it is on record, now or from an earlier try
 * @throws Error when the application is not in a state from which it may go to `to`: a bug, to be seen by ops
 */
export async function recordDecision(db: Knex, decision: NewDecision): Promise<RefusedByRecord | null> {
  const { applicationId, round, stage, to, seat = 1, override = false, reasons, origin } = decision;
  const key = keyOf(decision);
  const ends = to !== stage;
  const { rows }: { rows: { refused: RefusedByRecord | null }[] } = await db.raw(RECORD_DECISION, {
    ...decision,
    id: randomUUID(),
    key,
    seat,
    override,
    ends,
    data: JSON.stringify({
      stage,
      round,
      decision: decision.decision,
      to,
      reasons: reasons.map(({ code }) => code),
      ...(decision.seat === undefined ? {} : { seat }),
      ...(override ? { override } : {}),
    }),
    address: origin?.address ?? null,
    requestId: origin?.requestId ?? null,
    // A vote that leaves the stage open is the office's own.
    public: ends && isPublic('decision.recorded'),
    reasons: JSON.stringify(reasons),
    closes: isClosed(to),
    from: ends ? statesBefore(to) : [stage],
  });
  const refused = rows[0]?.refused ?? null;
  // An earlier try may have committed while this one waited for its lock: then the seat is closed, by this very decision.
  return refused && (await isOnRecord(db, key, decision.at)) ? null : refused;

  async function isOnRecord(connection: Knex, ofDecision: string, at: string): Promise<boolean> {
    const found = await connection('events')
      .where({ key: ofDecision, application_id: applicationId, actor_id: decision.by, occurred_at: at })
      .first('id');
    return found !== undefined;
  }
}

/** An announced rejection is not the last word of its round, and each seat of a quorum has a word of its own. */
function keyOf({ applicationId, round, stage, seat, decision, override }: NewDecision): string {
  const key = `license-review/${applicationId}/decision/${round}/${stage}`;
  if (decision === 'intend_to_reject') return `${key}/intent`;
  return seat === undefined || override ? key : `${key}/${seat}`;
}
