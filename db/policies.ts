import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { ApplicationId, PolicyId, UserId } from '../domain/ids.ts';
import type { LicensePolicy } from '../domain/licensing.ts';
import { effectivePolicy } from '../domain/policies.ts';
import { type RenewalKind, renewalPolicy } from '../domain/renewal.ts';
import type { RiskRow } from '../domain/risk-table.ts';
import { recordEvent } from './events.ts';
import type { JudgedType } from './license-types.ts';
import { riskRow } from './risk-tables.ts';

/**
 * What a case is judged by: the policy that was pinned for it at its submission or by a move since, else the version of its
 * type's that it names.
 */
export async function pinnedPolicyOf(db: Knex, applicationId: ApplicationId): Promise<LicensePolicy> {
  const found: { policy: LicensePolicy } | undefined = await db('applications as a')
    .join('license_policies as p', 'p.id', 'a.policy_id')
    .where('a.id', applicationId)
    .first({ policy: db.raw('coalesce(a.pinned_policy, p.policy)') });
  if (!found) throw new Error(`application ${applicationId} does not exist`);
  return found.policy;
}

/**
 * The rules that a case is judged by to its end: those in force when it is submitted, for this company. Without effect once it
 * is no draft any more.
 */
export async function pinRules(db: Knex, id: ApplicationId, type: JudgedType): Promise<void> {
  await db('applications')
    .where({ id, state: 'draft' })
    .update({
      policy_id: type.policyId,
      risk_row_id: type.row?.id ?? null,
      pinned_policy: type.row || type.isTailored ? JSON.stringify(type.policy) : null,
    });
}

/** What a case would be judged by under another version of its type's policy: its row of the risk table stays the one it has. */
export async function policyOfMove(db: Knex, id: ApplicationId, policyId: PolicyId): Promise<LicensePolicy> {
  type Found = { policy: LicensePolicy; rowId: string | null; renewal: RenewalKind | null; isLate: boolean };
  const found: Found | undefined = await db('applications as a')
    .join('license_policies as p', 'p.type_code', 'a.type_code')
    .where({ 'a.id': id, 'p.id': policyId })
    .first({
      policy: 'p.policy',
      rowId: 'a.risk_row_id',
      renewal: 'a.renewal',
      isLate: db.raw("coalesce(a.pinned_policy #> '{fee,lateMinor}' is not null, false)"),
    });
  if (!found) throw new Error(`application ${id} is not of the type of policy ${policyId}`);
  const row: RiskRow | null = found.rowId === null ? null : await riskRow(db, found.rowId);
  const policy = effectivePolicy(found.policy, row);
  return found.renewal === null ? policy : renewalPolicy(policy, found.renewal, found.isLate);
}

export interface PolicyVersion {
  readonly id: PolicyId;
  readonly version: number;
  readonly effectiveFrom: Date;
  readonly publishedAt: Date;
  readonly publishedBy: UserId | null;
  readonly reason: string | null;
}

export interface TypeWithPolicies {
  readonly typeCode: string;
  readonly name: { readonly id: string; readonly en: string };
  readonly active: boolean;
  readonly openCases: number;
  /** The latest first. */
  readonly versions: readonly PolicyVersion[];
}

/** Every licence type in the office's order. @param typeCode only this one */
export async function typesWithPolicies(db: Knex, typeCode?: string): Promise<TypeWithPolicies[]> {
  const types: Omit<TypeWithPolicies, 'versions'>[] = await db('license_types as t')
    .modify((query) => {
      if (typeCode !== undefined) query.where('t.code', typeCode);
    })
    .orderBy(['t.position', 't.code'])
    .select({
      typeCode: 't.code',
      name: 't.name',
      active: 't.active',
      openCases: db.raw(`(select count(*)::integer from applications a where a.type_code = t.code and ${OPEN})`),
    });
  const versions: (PolicyVersion & { typeCode: string })[] = await db('license_policies')
    .whereIn(
      'type_code',
      types.map((type) => type.typeCode),
    )
    .orderBy('version', 'desc')
    .select({
      typeCode: 'type_code',
      id: 'id',
      version: 'version',
      effectiveFrom: 'effective_from',
      publishedAt: 'created_at',
      publishedBy: 'published_by',
      reason: 'reason',
    });
  return types.map((type) => ({ ...type, versions: versions.filter((one) => one.typeCode === type.typeCode) }));
}

/** Submitted, not over, and not decided by the office: what another policy could still make a difference to. */
const OPEN = `a.closed_at is null and a.submitted_at is not null and a.state not in ('pending_payment', 'activating')`;

/** Open cases of a type by their IDs, a page at a time. @param among only these */
export async function openCasesOf(
  db: Knex,
  typeCode: string,
  page: { readonly after?: ApplicationId | null; readonly limit: number; readonly among?: readonly ApplicationId[] },
): Promise<ApplicationId[]> {
  const { after, limit, among } = page;
  return db('applications as a')
    .where('a.type_code', typeCode)
    .whereRaw(OPEN)
    .modify((query) => {
      if (after) query.where('a.id', '>', after);
      if (among) query.whereIn('a.id', [...among]);
    })
    .orderBy('a.id')
    .limit(limit)
    .pluck<ApplicationId[]>('a.id');
}

export interface NewPolicy {
  readonly id: PolicyId;
  readonly typeCode: string;
  readonly policy: LicensePolicy;
  readonly formSchema: Readonly<Record<string, unknown>>;
  readonly exampleForm: Readonly<Record<string, unknown>>;
  readonly effectiveFrom: Date;
  readonly reason: string;
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: string;
  /** Only what differs from the version that is in force until then. */
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** Publishes the next version of a type's rules; the same ID again changes nothing. @returns its number */
export async function publishPolicy(db: Knex, given: NewPolicy): Promise<number> {
  return db.transaction(async (tx) => {
    // One publication at a time: the next version is the last one plus one.
    await tx('license_types').where({ code: given.typeCode }).forUpdate().first('code');
    const isNew = await recordEvent(tx, {
      key: `policy/${given.id}/published`,
      type: 'policy.published',
      subject: `license_type/${given.typeCode}`,
      by: given.by,
      before: given.before,
      after: given.after,
      data: { policyId: given.id, effectiveFrom: given.effectiveFrom.toISOString() },
      origin: given.origin,
      at: given.at,
    });
    if (isNew)
      await tx('license_policies').insert({
        id: given.id,
        type_code: given.typeCode,
        version: tx.raw('(select coalesce(max(version), 0) + 1 from license_policies where type_code = ?)', [
          given.typeCode,
        ]),
        effective_from: given.effectiveFrom,
        policy: JSON.stringify(given.policy),
        form_schema: JSON.stringify(given.formSchema),
        example_form: JSON.stringify(given.exampleForm),
        published_by: given.by,
        reason: given.reason,
        created_at: given.at,
      });
    const stored: { version: number } | undefined = await tx('license_policies')
      .where({ id: given.id })
      .first('version');
    if (!stored) throw new Error(`policy ${given.id} has an event and no row`);
    return stored.version;
  });
}
