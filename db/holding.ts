/**
 * Who may hold a task of a case. One set of conditions, asked of everybody in a role when somebody is looked for, and of
 * one person when they are named or decide.
 */
import type { Knex } from 'knex';
import type { FailureCode } from '../domain/failures.ts';
import type { ApplicationId, OfficeId, UserId } from '../domain/ids.ts';
import type { Stage } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';

/** Why somebody may not hold a task. */
export type Barred = Extract<
  FailureCode,
  'own_application' | 'conflict_declared' | 'already_acted' | 'reviewer_not_eligible'
>;

// `person` is an SQL expression for a user's ID.
const OWN = (person: string) => `exists (
  select from applications a
   where a.id = :applicationId
     and (a.applicant_id = ${person}
          or exists (select from company_members m where m.company_id = a.company_id and m.user_id = ${person})))`;

const CONFLICTED = (person: string) =>
  `exists (select from conflicts c where c.application_id = :applicationId and c.user_id = ${person})`;

// The last round of the review that was appealed against.
const APPEALED = `(select max(s.round) from applicant_statements s
                    where s.application_id = :applicationId and s.kind = 'appeal')`;

/** SQL: whether this person had a part in the review that was appealed against: then others review the case. */
export const REVIEWED_BEFORE_APPEAL = (person: string) => `(
  exists (select from task_holders h
           where h.application_id = :applicationId and h.user_id = ${person} and h.round <= ${APPEALED})
  or exists (select from decisions d
              where d.application_id = :applicationId and d.decided_by = ${person} and d.round <= ${APPEALED}))`;

// Another stage at any time, as its holder or by deciding in the holder's place; or another seat of this stage and round,
// whether the vote was given or is still to come.
const ACTED = (person: string) => `(
  exists (select from task_holders h
           where h.application_id = :applicationId and h.user_id = ${person} and h.stage <> :stage)
  or exists (select from decisions d
              where d.application_id = :applicationId and d.decided_by = ${person} and d.stage <> :stage)
  or ${REVIEWED_BEFORE_APPEAL(person)}
  or exists (select from tasks t
              where t.application_id = :applicationId and t.stage = :stage and t.assignee_id = ${person}
                and t.seat is distinct from :seat and t.state <> 'cancelled'
                and t.round = coalesce(:round, (select a.round from applications a where a.id = :applicationId))))`;

const ABSENT = (person: string) => `exists (
  select from absences b
   where b.user_id = ${person} and b.cancelled_at is null and b.from_at <= :at and b.to_at > :at)`;

/**
 * SQL: true for a row `u` of users who is in the role, there, and not involved in the case.
 * Bindings: applicationId, stage, role, officeId, at; seat and round, each of them null where it does not matter.
 */
export const MAY_HOLD = `u.status = 'active' and u.office_id = :officeId and u.roles @> array[:role]
  and not ${ABSENT('u.id')} and not ${OWN('u.id')} and not ${CONFLICTED('u.id')} and not ${ACTED('u.id')}`;

// Names that the conditions themselves do not use.
const OF_SEAT: Readonly<Record<string, string>> = {
  applicationId: 'waiting.application_id',
  stage: 'waiting.stage',
  seat: 'waiting.seat',
  round: 'waiting.round',
  role: 'waiting.role',
  officeId: 'office.id',
};

/** SQL: MAY_HOLD for a seat, a row `waiting` of tasks, of an office, a row `office`. Bindings: at. */
export const MAY_HOLD_SEAT = MAY_HOLD.replaceAll(/:([a-zA-Z]+)/g, (name, key: string) => OF_SEAT[key] ?? name);

const BY = 'cast(:by as uuid)';

// Who is away comes back, and counts.
const ANOTHER_SUPERVISOR = `exists (
  select from users u
   where u.id <> ${BY} and u.status = 'active' and u.office_id = :officeId and u.roles @> array['supervisor']
     and not ${OWN('u.id')} and not ${CONFLICTED('u.id')} and not ${REVIEWED_BEFORE_APPEAL('u.id')})`;

const whyNot = (acted: string) => `case
  when ${OWN(BY)} then 'own_application'
  when ${CONFLICTED(BY)} then 'conflict_declared'
  when ${acted} then 'already_acted'
  when ${ABSENT(BY)} or not exists (
    select from users u
     where u.id = ${BY} and u.status = 'active' and u.office_id = :officeId and u.roles && array[:role, 'supervisor'])
  then 'reviewer_not_eligible' end`;

/**
 * SQL: why the person :by may not hold this task, as a failure's code; null when they may. Whoever is in the role may, and
 * any supervisor of the office. To be asked again in the statement that records what they did.
 * Bindings: as of MAY_HOLD, and by.
 */
export const WHY_NOT_HOLD = whyNot(ACTED(BY));

/**
 * SQL: the same for a supervisor who decides in the holder's place. They may have acted on another stage; but not before an
 * appeal, unless every other supervisor of the office is barred too: then the case would wait for ever.
 */
export const WHY_NOT_OVERRIDE = whyNot(`(${REVIEWED_BEFORE_APPEAL(BY)} and ${ANOTHER_SUPERVISOR})`);

export interface WantedHolder {
  readonly applicationId: ApplicationId;
  readonly officeId: OfficeId;
  readonly stage: Stage;
  readonly role: Role;
  /** Absent = a seat that nobody has yet: whoever holds any of this stage may not hold another. */
  readonly seat?: number;
  /** Absent = the round that the case is in. */
  readonly round?: number;
  /** ISO 8601. */
  readonly at: string;
}

/** The bindings of MAY_HOLD. */
export const holdingBindings = ({ applicationId, officeId, stage, role, seat, round, at }: WantedHolder) => ({
  applicationId,
  officeId,
  stage,
  role,
  seat: seat ?? null,
  round: round ?? null,
  at,
});

/** WHY_NOT_HOLD for one person, by the records of the transaction. */
export async function whyNotHold(tx: Knex, asked: WantedHolder & { readonly userId: UserId }): Promise<Barred | null> {
  const { rows }: { rows: { why: Barred | null }[] } = await tx.raw(`select ${WHY_NOT_HOLD} as why`, {
    ...holdingBindings(asked),
    by: asked.userId,
  });
  return rows[0]?.why ?? null;
}

/** Everybody who ever held a task of the case, at whichever stage. */
export async function holdersOf(db: Knex, applicationId: ApplicationId): Promise<Set<UserId>> {
  return new Set(await db('task_holders').where({ application_id: applicationId }).pluck<UserId[]>('user_id'));
}
