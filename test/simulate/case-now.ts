/** What the records say of a case at this moment, as far as the simulated people need it. */
import type { Knex } from 'knex';
import type { StoredPlan } from '../../db/tasks.ts';
import type { ApplicationId, UserId } from '../../domain/ids.ts';
import { type ApplicationState, isClosed, isStage, type LicensePolicy, type Stage } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import { MINUTE_MS } from './people.ts';

export interface SeatNow {
  readonly stage: Stage;
  readonly round: number;
  readonly seat: number;
  readonly role: Role;
  /** null = the supervisor's queue. */
  readonly assignee: UserId | null;
  /** Epoch milliseconds. */
  readonly dueAt: number;
}

export interface CaseNow {
  readonly state: ApplicationState;
  readonly round: number;
  readonly closedAt: Date | null;
  /** Until when the applicant may answer; null = it is not their turn. */
  readonly answerBy: number | null;
  readonly legalDueAt: number | null;
  /** A rejection was announced in this round. */
  readonly announced: boolean;
  /** Rounds that do not count any more since the rejection was appealed. */
  readonly roundsBefore: number;
  readonly open: readonly SeatNow[];
  /** Epoch milliseconds of the rungs that are still ahead, in order; those that move the task marked. */
  readonly rungs: readonly { readonly at: number; readonly moves: boolean }[];
}

interface Row {
  readonly state: ApplicationState;
  readonly round: number;
  readonly closedAt: Date | null;
  readonly dueAt: Date | null;
  readonly legalDueAt: Date | null;
  readonly announced: boolean;
  readonly roundsBefore: number;
  readonly tasks: readonly (Omit<SeatNow, 'dueAt'> & { readonly dueAt: string; readonly plan: StoredPlan })[] | null;
  readonly fired: readonly string[] | null;
}

export async function caseNow(db: Knex, id: ApplicationId): Promise<CaseNow> {
  const { rows }: { rows: Row[] } = await db.raw(
    `select a.state, a.round, a.closed_at as "closedAt", a.due_at as "dueAt", a.legal_due_at as "legalDueAt",
       exists (select from decisions d where d.application_id = a.id and d.round = a.round
                and d.decision = 'intend_to_reject') as announced,
       coalesce((select max(s.round) from applicant_statements s
                  where s.application_id = a.id and s.kind = 'appeal'), 0) as "roundsBefore",
       (select json_agg(json_build_object('stage', t.stage, 'round', t.round, 'seat', t.seat, 'role', t.role,
                 'assignee', t.assignee_id, 'dueAt', t.due_at, 'plan', t.plan) order by t.seat)
          from tasks t where t.application_id = a.id and t.state = 'open') as tasks,
       (select json_agg(e.rung) from escalations e
         where e.application_id = a.id and e.round = a.round and e.stage = a.stage) as fired
     from applications a where a.id = ?`,
    [id],
  );
  const [row] = rows;
  if (!row) throw new Error(`there is no application ${id}`);
  const { tasks, fired, dueAt, legalDueAt, ...rest } = row;
  const isApplicants = row.state === 'correction_requested' || row.state === 'intent_to_reject';
  return {
    ...rest,
    answerBy: isApplicants && dueAt ? dueAt.getTime() : null,
    legalDueAt: legalDueAt?.getTime() ?? null,
    open: (tasks ?? []).map(({ plan: _, ...task }) => ({ ...task, dueAt: Date.parse(task.dueAt) })),
    rungs: (tasks?.[0]?.plan.rungs ?? [])
      .filter(({ code }) => !(fired ?? []).includes(code))
      .map(({ at, action }) => ({ at: Date.parse(at), moves: action === 'hand_over' })),
  };
}

/** Whether the law approves it when the legal time is over. */
const isDeemed = ({ roundsBefore }: CaseNow, policy: LicensePolicy): boolean =>
  policy.deemedApproval === 'issue' && roundsBefore === 0;

/** Whether the process has done all that it does by itself by `at`: now a person is waited for, or nobody. */
export function isAtRest(now: CaseNow, policy: LicensePolicy, at: number): boolean {
  const { state, open, answerBy, legalDueAt } = now;
  if (isOver(now)) return true;
  if (state === 'correction_requested' || state === 'intent_to_reject') return answerBy !== null && answerBy > at;
  const isLate =
    now.rungs.some((rung) => rung.moves && rung.at <= at) ||
    (isDeemed(now, policy) && legalDueAt !== null && legalDueAt <= at);
  return isStage(state) && !isLate && open.some(({ stage, round }) => stage === state && round === now.round);
}

/** Nothing of the review is left. */
export const isOver = ({ state }: CaseNow): boolean =>
  isClosed(state) || state === 'pending_payment' || state === 'activating';

/** When the process does something by itself next that others are touched by; null = it only waits. */
export function nextAlarm(now: CaseNow, policy: LicensePolicy): number | null {
  const moments = [
    ...now.rungs.filter(({ moves }) => moves).map(({ at }) => at),
    ...(now.answerBy === null ? [] : [now.answerBy]),
    ...(isDeemed(now, policy) && now.legalDueAt !== null && now.open.length > 0 ? [now.legalDueAt] : []),
  ];
  return moments.length === 0 ? null : Math.min(...moments);
}

/**
 * Whether the process does anything by itself in this minute, when nobody could say who was first, or in the one before, when it
 * might still be at it.
 */
export const isBusyIn = (now: CaseNow, minute: number): boolean =>
  [...now.rungs.map(({ at }) => at), now.answerBy, now.legalDueAt].some(
    (at) => at !== null && at >= minute - MINUTE_MS && at < minute + MINUTE_MS,
  );
