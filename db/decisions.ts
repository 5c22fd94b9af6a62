import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { isPublic, type Origin } from '../domain/events.ts';
import type { ApplicationId, Sha256, UserId } from '../domain/ids.ts';
import {
  type ApplicationState,
  type Decision,
  isClosed,
  type Reason,
  type Stage,
  statesBefore,
} from '../domain/licensing.ts';

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
  /** Where the case goes from here. */
  readonly to: ApplicationState;
  /** The stage that opens next, when one does. */
  readonly nextStage: Stage | null;
  readonly origin?: Origin | undefined;
}

// One statement, one round trip: the person who decides waits for exactly this. The event is the guard; every other
// part reads from it, so a repeat of the activity inserts nothing and changes nothing.
const RECORD_DECISION = `
  with event as (
    insert into events (key, type, application_id, company_id, actor_id, actor, data, address, request_id, public, occurred_at)
    select :key, 'decision.recorded', a.id, a.company_id, :by, 'person', :data, :address, :requestId, :public, :at
    from applications a where a.id = :applicationId
    on conflict (key) do nothing
    returning application_id
  ), decision as (
    insert into decisions (id, application_id, round, stage, decision, decided_by, decided_at, reasons, note, submission_sha256)
    select :id, application_id, :round, :stage, :decision, :by, :at, :reasons, :note, :submissionHash from event
  ), task as (
    update tasks set state = 'decided', closed_at = :at
    from event
    where tasks.application_id = event.application_id and tasks.round = :round and tasks.stage = :stage and tasks.state = 'open'
  ), moved as (
    update applications set state = :to, stage = :nextStage, assignee_id = null, due_at = null, updated_at = :at,
      closed_at = case when cast(:closes as boolean) then cast(:at as timestamptz) else closed_at end
    from event
    where applications.id = event.application_id and applications.state = any(:from)
    returning applications.id
  )
  select demand(
    not exists (select from event) or exists (select from moved),
    'the application cannot move there from the state that it is in')`;

/**
 * Records a decision: decision, task, application and event, together or not at all.
 * @throws Error when the application is not in a state from which it may go to `to`: a bug, to be seen by ops
 */
export async function recordDecision(db: Knex, decision: NewDecision): Promise<void> {
  const { applicationId, round, stage, to, reasons, origin } = decision;
  await db.raw(RECORD_DECISION, {
    ...decision,
    id: randomUUID(),
    key: `license-review/${applicationId}/decision/${round}/${stage}`,
    data: JSON.stringify({ stage, round, decision: decision.decision, to, reasons: reasons.map(({ code }) => code) }),
    address: origin?.address ?? null,
    requestId: origin?.requestId ?? null,
    public: isPublic('decision.recorded'),
    reasons: JSON.stringify(reasons),
    closes: isClosed(to),
    from: statesBefore(to),
  });
}
