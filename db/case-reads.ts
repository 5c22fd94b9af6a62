/** What a case holds beside its form, its documents and its decisions: one statement for everybody, one for the office. */
import type { Knex } from 'knex';
import type { ApplicationId, UserId } from '../domain/ids.ts';
import type { LicensePolicy, Registry, Stage } from '../domain/licensing.ts';
import type { RegistryState } from '../domain/registries.ts';
import type { Role } from '../domain/roles.ts';
import type { StatementKind } from './statements.ts';
import type { SubmittedDocument } from './submissions.ts';

/** Times are ISO 8601. */
export interface CaseParts {
  readonly policy: LicensePolicy;
  readonly clock: {
    /** null = the submission was never complete. */
    readonly startedAt: string | null;
    /** null = it does not run. */
    readonly dueAt: string | null;
    readonly suspendedSince: string | null;
    readonly suspendedFor: string | null;
  };
  readonly statements: readonly {
    readonly id: string;
    readonly kind: StatementKind;
    readonly round: number;
    readonly text: string;
    readonly by: { readonly id: UserId; readonly name: string };
    readonly at: string;
  }[];
  readonly submissions: readonly { readonly round: number; readonly documents: readonly SubmittedDocument[] }[];
}

/** What the office alone sees, of the round that the case is in. */
export interface OfficeParts {
  readonly compliance: readonly {
    readonly code: string;
    readonly outcome: 'pass' | 'warn' | 'fail' | 'error';
    readonly reason: { readonly id: string; readonly en: string };
  }[];
  readonly registryChecks: readonly {
    readonly registry: Registry;
    readonly state: RegistryState;
    /** Names of fields, never what is in them. */
    readonly differences: readonly string[];
    readonly askedAt: string;
    readonly answeredAt: string | null;
  }[];
  /** Of the stage that is open. */
  readonly seats: readonly {
    readonly seat: number;
    readonly role: Role;
    readonly state: 'open' | 'decided' | 'cancelled';
    /** null = nobody was free. */
    readonly holder: { readonly id: UserId; readonly name: string } | null;
  }[];
}

const listOf = (columns: string, from: string, order: string): string =>
  `(select coalesce(json_agg(json_build_object(${columns}) order by ${order}), '[]') from ${from})`;

const PARTS = `coalesce(a.pinned_policy, p.policy) as policy,
  json_build_object('startedAt', a.complete_at, 'dueAt', a.legal_due_at, 'suspendedSince', s.from_at, 'suspendedFor', s.reason) as clock,
  ${listOf(
    "'id', w.id, 'kind', w.kind, 'round', w.round, 'text', w.text, 'by', json_build_object('id', u.id, 'name', u.name), 'at', w.said_at",
    'applicant_statements w join users u on u.id = w.said_by where w.application_id = a.id',
    'w.said_at, w.id',
  )} as statements,
  ${listOf("'round', m.round, 'documents', m.documents", 'submissions m where m.application_id = a.id', 'm.round')} as submissions`;

const OFFICE_PARTS = `${listOf(
  "'code', r.rule_code, 'outcome', r.outcome, 'reason', r.reason",
  'compliance_results r where r.application_id = a.id and r.round = a.round',
  'r.position, r.rule_code',
)} as compliance,
  ${listOf(
    "'registry', c.registry, 'state', c.state, 'differences', c.differences, 'askedAt', c.asked_at, 'answeredAt', c.answered_at",
    'registry_checks c where c.application_id = a.id and c.round = a.round',
    'c.registry',
  )} as "registryChecks",
  ${listOf(
    `'seat', t.seat, 'role', t.role, 'state', t.state,
     'holder', case when u.id is not null then json_build_object('id', u.id, 'name', u.name) end`,
    `tasks t left join users u on u.id = t.assignee_id
      where t.application_id = a.id and t.round = a.round and t.stage = a.stage`,
    't.seat',
  )} as seats`;

export const casePartsOf = (db: Knex, id: ApplicationId): Promise<CaseParts> =>
  only<CaseParts>(
    db,
    `select ${PARTS}
       from applications a
       join license_policies p on p.id = a.policy_id
       left join suspensions s on s.application_id = a.id and s.to_at is null
      where a.id = ?`,
    id,
  );

export const officePartsOf = (db: Knex, id: ApplicationId): Promise<OfficeParts> =>
  only<OfficeParts>(db, `select ${OFFICE_PARTS} from applications a where a.id = ?`, id);

async function only<Row>(db: Knex, statement: string, id: ApplicationId): Promise<Row> {
  const { rows }: { rows: Row[] } = await db.raw(statement, [id]);
  const [row] = rows;
  if (!row) throw new Error(`application ${id} does not exist`);
  return row;
}

export interface Vote {
  readonly seat: number;
  readonly decision: 'approve' | 'reject' | 'request_correction' | 'intend_to_reject';
  readonly by: UserId;
  readonly byName: string;
  readonly at: Date;
}

/** The votes of a stage so far, in the order in which they were given. */
export async function votesOf(
  db: Knex,
  stage: { applicationId: ApplicationId; round: number; stage: Stage },
): Promise<Vote[]> {
  const found: Vote[] = await db('decisions as d')
    .join('users as u', 'u.id', 'd.decided_by')
    .where({ 'd.application_id': stage.applicationId, 'd.round': stage.round, 'd.stage': stage.stage })
    .orderBy([{ column: 'd.decided_at' }, { column: 'd.seat' }])
    .select({ seat: 'd.seat', decision: 'd.decision', by: 'd.decided_by', byName: 'u.name', at: 'd.decided_at' });
  return found;
}

/** The last round of the review that was appealed against, which is possible once; 0 = none was. */
export async function appealedRoundOf(db: Knex, applicationId: ApplicationId): Promise<number> {
  const found: { round: number } | undefined = await db('events')
    .where({ application_id: applicationId, type: 'application.appealed' })
    .first({ round: db.raw("(data ->> 'round')::integer") });
  return found ? found.round - 1 : 0;
}
