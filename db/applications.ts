import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { ApplicationId, CompanyId, LicenseId, PolicyId, Sha256, UserId } from '../domain/ids.ts';
import type { Actor, ApplicationState, Decision, Reason, Stage } from '../domain/licensing.ts';
import type { RenewalKind } from '../domain/renewal.ts';
import { PERMISSIONS, seesEveryCase } from '../domain/roles.ts';
import { recordEvent } from './events.ts';

export type Form = Readonly<Record<string, unknown>>;

export interface Application {
  readonly id: ApplicationId;
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly typeCode: string;
  readonly policyId: PolicyId;
  readonly applicantId: UserId;
  readonly state: ApplicationState;
  readonly stage: Stage | null;
  readonly round: number;
  readonly assigneeId: UserId | null;
  readonly dueAt: Date | null;
  readonly submittedAt: Date | null;
  readonly closedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The licence whose next term it is for; null = it renews none. */
  readonly renewsId: LicenseId | null;
  readonly renewal: RenewalKind | null;
  /** Goes up with every change of the form. */
  readonly formVersion: number;
  readonly form: Form;
  /** Names what the office decides on now; null before the first submission. */
  readonly submissionHash: Sha256 | null;
  /** Whether the viewer acts for the company (else: staff). */
  readonly own: boolean;
}

/** As lists show it: without the form. */
export type ApplicationSummary = Omit<Application, 'form' | 'submissionHash' | 'own'>;

const SUMMARY = `a.id, a.company_id as "companyId", c.name as "companyName", a.type_code as "typeCode", a.policy_id as "policyId",
  a.applicant_id as "applicantId", a.state, a.stage, a.round, a.assignee_id as "assigneeId", a.due_at as "dueAt",
  a.submitted_at as "submittedAt", a.closed_at as "closedAt", a.created_at as "createdAt", a.updated_at as "updatedAt",
  a.form_version as "formVersion", a.renews_id as "renewsId", a.renewal`;

/** Whether `:viewer` acts for the company of the case (`a` = applications). */
export const OWN = 'exists (select 1 from company_members m where m.user_id = :viewer and m.company_id = a.company_id)';

const AUDITORS = PERMISSIONS['review.audit'].map((role) => `'${role}'`).join();

/** SQL: whether this person may make the post-audit of the case `a`, or made it: who judges it must read it. */
export const AUDITS = (person: string): string => `exists (
  select 1 from post_audits p join users v on v.id = ${person}
   where p.application_id = a.id and (p.state = 'open' or p.decided_by = v.id)
     and (v.office_id is null or v.office_id = p.office_id) and v.roles && array[${AUDITORS}])`;

/**
 * Who sees a case (`a` = applications): the people of its company, whoever holds or held one of its tasks or audits it, and the
 * roles that see every case. Every read of a case, its documents, invoice or licence asks this inside its own query.
 */
export const VISIBLE = `(:all or ${OWN} or a.assignee_id = :viewer
  or exists (select 1 from task_holders h where h.application_id = a.id and h.user_id = :viewer)
  or ${AUDITS(':viewer')})`;

/** Bindings of VISIBLE. */
export const seenBy = (viewer: Actor) => ({ viewer: viewer.userId, all: seesEveryCase(viewer.roles) });

/** null when there is no such case, or the viewer may not see it: the two look the same from outside. */
export async function findApplication(db: Knex, viewer: Actor, id: ApplicationId): Promise<Application | null> {
  const { rows }: { rows: Application[] } = await db.raw(
    `select ${SUMMARY}, a.form, ${OWN} as own,
            (select s.sha256 from submissions s where s.application_id = a.id order by s.round desc limit 1) as "submissionHash"
       from applications a join companies c on c.id = a.company_id
      where a.id = :id and ${VISIBLE}`,
    { id, ...seenBy(viewer) },
  );
  return rows[0] ?? null;
}

export interface ApplicationFilter {
  readonly state?: ApplicationState;
  readonly typeCode?: string;
  readonly companyId?: CompanyId;
}

/** The last row of the page before. */
export interface AfterInTime {
  readonly at: Date;
  readonly id: string;
}

/** Newest first. Reads one company's or reviewer's cases by index; only roles that see everything walk all of them. */
export async function listApplications(
  db: Knex,
  viewer: Actor,
  options: ApplicationFilter & { after: AfterInTime | null; limit: number },
): Promise<ApplicationSummary[]> {
  const { state = null, typeCode = null, companyId = null, after, limit } = options;
  const conditions = [
    ...(seesEveryCase(viewer.roles) ? [] : [`a.id in (${THEIRS})`]),
    ...(state === null ? [] : ['a.state = :state']),
    ...(typeCode === null ? [] : ['a.type_code = :typeCode']),
    ...(companyId === null ? [] : ['a.company_id = :companyId']),
    ...(after === null ? [] : ['(a.created_at, a.id) < (:at, :id)']),
  ];
  const { rows }: { rows: ApplicationSummary[] } = await db.raw(
    `select ${SUMMARY}
       from applications a join companies c on c.id = a.company_id
      where ${['true', ...conditions].join(' and ')}
      order by a.created_at desc, a.id desc
      limit :limit`,
    { viewer: viewer.userId, state, typeCode, companyId, at: after?.at ?? null, id: after?.id ?? null, limit },
  );
  return rows;
}

const THEIRS = `select b.id from company_members m join applications b on b.company_id = m.company_id where m.user_id = :viewer
  union select h.application_id from task_holders h where h.user_id = :viewer`;

export interface DecisionOnRecord {
  readonly stage: Stage;
  readonly round: number;
  readonly decision: Decision;
  readonly reasons: readonly Reason[];
  readonly note: string | null;
  /** Of a quorum, from 1. */
  readonly seat: number;
  /** By a supervisor in place of whoever held the task. */
  readonly override: boolean;
  /** The office had no other supervisor for it, though this one had a part in the review that was appealed against. */
  readonly soleSupervisor: boolean;
  readonly by: UserId;
  readonly byName: string;
  readonly at: Date;
}

const SOLE_SUPERVISOR = `(d.override and exists (
  select from events e where e.application_id = d.application_id and e.type = 'decision.recorded'
     and e.actor_id = d.decided_by and e.occurred_at = d.decided_at and e.data @> '{"soleSupervisor": true}'))`;

/** What the office has decided on a case, oldest first. */
export async function decisionsOf(db: Knex, applicationId: ApplicationId): Promise<DecisionOnRecord[]> {
  const found: DecisionOnRecord[] = await db('decisions as d')
    .join('users as u', 'u.id', 'd.decided_by')
    .where('d.application_id', applicationId)
    .orderBy([{ column: 'd.decided_at' }, { column: 'd.id' }])
    .select({
      stage: 'd.stage',
      round: 'd.round',
      decision: 'd.decision',
      reasons: 'd.reasons',
      note: 'd.note',
      seat: 'd.seat',
      override: 'd.override',
      soleSupervisor: db.raw(SOLE_SUPERVISOR),
      by: 'd.decided_by',
      byName: 'u.name',
      at: 'd.decided_at',
    });
  return found;
}

export interface NewApplication {
  readonly id: ApplicationId;
  readonly companyId: CompanyId;
  readonly typeCode: string;
  readonly policyId: PolicyId;
  readonly applicantId: UserId;
  readonly form: Form;
  readonly origin?: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/** Creates a draft; the same ID again changes nothing. */
export async function createDraft(db: Knex, draft: NewApplication): Promise<void> {
  await db.transaction(async (trx) => {
    await trx('applications')
      .insert({
        id: draft.id,
        company_id: draft.companyId,
        type_code: draft.typeCode,
        policy_id: draft.policyId,
        applicant_id: draft.applicantId,
        form: JSON.stringify(draft.form),
        state: 'draft',
        created_at: draft.at,
        updated_at: draft.at,
      })
      .onConflict('id')
      .ignore();
    await recordEvent(trx, {
      key: `application/${draft.id}/created`,
      type: 'application.created',
      applicationId: draft.id,
      companyId: draft.companyId,
      by: draft.applicantId,
      data: { typeCode: draft.typeCode },
      origin: draft.origin,
      at: draft.at,
    });
  });
}

/** States in which its owner may change form and documents. */
export const EDITABLE_STATES = ['draft', 'correction_requested'] as const satisfies readonly ApplicationState[];

export const isEditable = (state: ApplicationState): boolean => EDITABLE_STATES.some((editable) => editable === state);

/**
 * Replaces the form.
 * @param change.ifVersion the version that was read; null = whatever is there
 * @returns the new version, null when the case cannot be edited any more or has another version by now
 */
export async function replaceForm(
  db: Knex,
  id: ApplicationId,
  change: { form: Form; ifVersion: number | null; at: string },
): Promise<number | null> {
  const changed: { form_version: number }[] = await db('applications')
    .where('id', id)
    .whereIn('state', EDITABLE_STATES)
    .modify((query) => {
      if (change.ifVersion !== null) query.where('form_version', change.ifVersion);
    })
    .update({ form: JSON.stringify(change.form), form_version: db.raw('form_version + 1'), updated_at: change.at })
    .returning('form_version');
  return changed[0]?.form_version ?? null;
}

/** @returns false when it is no draft any more: then the process has to be asked. */
export async function withdrawDraft(
  db: Knex,
  id: ApplicationId,
  withdrawal: { by: UserId; reason: string; origin?: Origin; at: string },
): Promise<boolean> {
  return db.transaction(async (trx) => {
    const { by, reason, origin, at } = withdrawal;
    const withdrawn: { company_id: CompanyId }[] = await trx('applications')
      .where({ id, state: 'draft' })
      .update({ state: 'withdrawn', closing_reason: reason, closed_at: at, updated_at: at })
      .returning('company_id');
    const [application] = withdrawn;
    if (!application) return false;
    await recordEvent(trx, {
      key: `application/${id}/withdrawn`,
      type: 'application.withdrawn',
      applicationId: id,
      companyId: application.company_id,
      by,
      data: { from: 'draft' },
      origin,
      at,
    });
    return true;
  });
}

export interface CaseOutcome {
  readonly state: ApplicationState;
  readonly visible: boolean;
  readonly last: DecisionOnRecord | null;
}

/** Where a case stands and who decided last: for refusals that must name it, when no process is left to ask. */
export async function caseOutcome(db: Knex, viewer: Actor, id: ApplicationId): Promise<CaseOutcome | null> {
  const { rows }: { rows: Omit<CaseOutcome, 'last'>[] } = await db.raw(
    `select a.state, ${VISIBLE} as visible from applications a where a.id = :id`,
    { id, ...seenBy(viewer) },
  );
  const [found] = rows;
  if (!found) return null;
  return { ...found, last: (await decisionsOf(db, id)).at(-1) ?? null };
}
