/** Post-audits as people read them. */
import type { Knex } from 'knex';
import type { ApplicationId, LicenseId, PostAuditId, UserId } from '../domain/ids.ts';
import type { LicenseStatus } from '../domain/licenses.ts';
import type { Actor } from '../domain/licensing.ts';
import { type AuditKind, type AuditState, PROPOSAL_WITHIN_DAYS, type ProposalState } from '../domain/post-audits.ts';
import type { AfterInTime } from './applications.ts';

interface Named {
  readonly id: UserId;
  readonly name: string;
}

export interface PostAudit {
  readonly id: PostAuditId;
  readonly applicationId: ApplicationId;
  readonly companyName: string;
  readonly typeCode: string;
  readonly kind: AuditKind;
  readonly state: AuditState;
  readonly openedAt: Date;
  readonly dueAt: Date;
  /** The audit itself, or what it proposes, should have been decided by now. */
  readonly overdue: boolean;
  readonly decidedBy: Named | null;
  readonly decidedAt: Date | null;
  readonly findings: string | null;
  readonly proposal: ProposalState | null;
  readonly proposalDueAt: Date | null;
  readonly proposalDecidedBy: Named | null;
  readonly proposalDecidedAt: Date | null;
  readonly proposalNote: string | null;
  readonly license: {
    readonly id: LicenseId;
    readonly number: string;
    readonly status: LicenseStatus;
    readonly validUntil: Date | null;
    readonly isRenewed: boolean;
  } | null;
}

const PROPOSAL_DUE = `(p.decided_at + interval '${PROPOSAL_WITHIN_DAYS} days')`;
const OVERDUE = `coalesce(p.state = 'open' and p.due_at < :now or p.proposal = 'open' and ${PROPOSAL_DUE} < :now, false)`;

const SELECT = `
  select p.id, p.application_id as "applicationId", c.name as "companyName", a.type_code as "typeCode", p.kind, p.state,
    p.opened_at as "openedAt", p.due_at as "dueAt", ${OVERDUE} as overdue,
    case when d.id is not null then json_build_object('id', d.id, 'name', d.name) end as "decidedBy",
    p.decided_at as "decidedAt", p.findings, p.proposal,
    case when p.proposal = 'open' then ${PROPOSAL_DUE} end as "proposalDueAt",
    case when s.id is not null then json_build_object('id', s.id, 'name', s.name) end as "proposalDecidedBy",
    p.proposal_decided_at as "proposalDecidedAt", p.proposal_note as "proposalNote",
    l.id as "licenseId", l.number as "licenseNumber", l.status as "licenseStatus", l.valid_until as "licenseValidUntil",
    exists (select from licenses x where x.renews_id = l.id) as "licenseRenewed"
  from post_audits p
  join applications a on a.id = p.application_id
  join companies c on c.id = a.company_id
  left join users d on d.id = p.decided_by
  left join users s on s.id = p.proposal_decided_by
  left join licenses l on l.application_id = p.application_id`;

/** People of an office see its audits; who belongs to no office sees those of all. */
const OF_THEIR_OFFICE = `exists (select from users v where v.id = :viewer and (v.office_id is null or v.office_id = p.office_id))`;

interface AuditRow extends Omit<PostAudit, 'license'> {
  readonly licenseId: LicenseId | null;
  readonly licenseNumber: string;
  readonly licenseStatus: LicenseStatus;
  readonly licenseValidUntil: Date | null;
  readonly licenseRenewed: boolean;
}

const toAudit = ({
  licenseId,
  licenseNumber,
  licenseStatus,
  licenseValidUntil,
  licenseRenewed,
  ...row
}: AuditRow): PostAudit => ({
  ...row,
  license: licenseId && {
    id: licenseId,
    number: licenseNumber,
    status: licenseStatus,
    validUntil: licenseValidUntil,
    isRenewed: licenseRenewed,
  },
});

export interface AuditFilter {
  readonly state?: AuditState | undefined;
  readonly kind?: AuditKind | undefined;
  readonly proposal?: ProposalState | undefined;
  readonly overdue?: boolean | undefined;
}

/** The one that is due first, first. */
export async function listAudits(
  db: Knex,
  viewer: Actor,
  options: AuditFilter & { readonly now: Date; readonly after: AfterInTime | null; readonly limit: number },
): Promise<PostAudit[]> {
  const { state = null, kind = null, proposal = null, overdue, now, after, limit } = options;
  const conditions = [
    OF_THEIR_OFFICE,
    ...(state === null ? [] : ['p.state = :state']),
    ...(kind === null ? [] : ['p.kind = :kind']),
    ...(proposal === null ? [] : ['p.proposal = :proposal']),
    ...(overdue === undefined ? [] : [`${OVERDUE} = :overdue`]),
    ...(after === null ? [] : ['(p.due_at, p.id) > (:at, :id)']),
  ];
  const { rows }: { rows: AuditRow[] } = await db.raw(
    `${SELECT} where ${conditions.join(' and ')} order by p.due_at, p.id limit :limit`,
    {
      viewer: viewer.userId,
      now,
      state,
      kind,
      proposal,
      overdue: overdue ?? null,
      at: after?.at ?? null,
      id: after?.id ?? null,
      limit,
    },
  );
  return rows.map(toAudit);
}

/** null when there is no such audit, or the viewer is of another office. */
export async function findAudit(db: Knex, viewer: Actor, id: PostAuditId, now: Date): Promise<PostAudit | null> {
  const { rows }: { rows: AuditRow[] } = await db.raw(`${SELECT} where p.id = :id and ${OF_THEIR_OFFICE}`, {
    id,
    now,
    viewer: viewer.userId,
  });
  return rows[0] ? toAudit(rows[0]) : null;
}

/** For the gauge: audits and proposals that should have been decided by now. */
export async function countOverdue(db: Knex, now: Date): Promise<{ audit: number; proposal: number }> {
  const { rows }: { rows: { audit: number; proposal: number }[] } = await db.raw(
    `select count(*) filter (where p.state = 'open' and p.due_at < :now)::int as audit,
        count(*) filter (where p.proposal = 'open' and ${PROPOSAL_DUE} < :now)::int as proposal
      from post_audits p where p.state = 'open' or p.proposal = 'open'`,
    { now },
  );
  return rows[0] ?? { audit: 0, proposal: 0 };
}
