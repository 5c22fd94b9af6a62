import { z } from 'zod';
import { type LicenseType, licenseTypeAt } from '../../db/license-types.ts';
import {
  openCasesOf,
  type PolicyVersion,
  policyOfMove,
  publishPolicy,
  type TypeWithPolicies,
  typesWithPolicies,
} from '../../db/policies.ts';
import { riskRowsInForce } from '../../db/risk-tables.ts';
import { Failure, type FieldProblem } from '../../domain/failures.ts';
import { type ApplicationId, asId, type PolicyId } from '../../domain/ids.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { type PolicyProblem, type PolicyProblemCode, policyProblems } from '../../domain/policies.ts';
import type { ApiDeps } from '../deps.ts';
import { effectiveFrom } from '../effective-from.ts';
import { toFailure } from '../failures.ts';
import { schemaProblems } from '../form-check.ts';
import { startPolicyMove } from '../policy-move-process.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { movePolicy } from '../review-process.ts';
import { defineRoute, json } from '../route.ts';
import {
  casesMovedSchema,
  moveCasesSchema,
  moveStartedSchema,
  newPolicySchema,
  policyPublishedSchema,
  policyReadSchema,
  policySummarySchema,
} from '../schemas/policies.ts';
import { timeJson } from '../wire.ts';

const tags = ['Admin'];
const params = z.object({ typeCode: z.string().min(1).max(64) });

const list = defineRoute({
  method: 'get',
  path: '/admin/policies',
  summary: 'The rules of each licence type: their versions, and which is in force',
  tags,
  permission: 'policy.read',
  responses: {
    200: {
      description: 'All licence types',
      schema: z.object({ items: z.array(policySummarySchema), nextCursor: z.null() }),
    },
  },
  async handler({ deps, locale }) {
    const now = new Date();
    const types = await typesWithPolicies(deps.db);
    return json(200, { items: types.map((type) => summaryJson(type, now, locale)), nextCursor: null });
  },
});

const read = defineRoute({
  method: 'get',
  path: '/admin/policies/:typeCode',
  summary: 'The rules of a licence type as they are now',
  tags,
  permission: 'policy.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'Its rules', schema: policyReadSchema } },
  async handler({ params: { typeCode }, deps, locale }) {
    const now = new Date();
    const type = await typeOf(deps, typeCode);
    const current = await licenseTypeAt(deps.db, typeCode, now);
    return json(200, {
      ...summaryJson(type, now, locale),
      policy: current ? { ...current.policy } : null,
      formSchema: current?.formSchema ?? null,
      exampleForm: current?.exampleForm ?? null,
    });
  },
});

const publish = defineRoute({
  method: 'post',
  path: '/admin/policies/:typeCode',
  summary: 'Publish the next version of the rules of a licence type',
  description: 'Cases keep the version of their submission; see move-open-cases.',
  tags,
  permission: 'policy.manage',
  params,
  body: newPolicySchema,
  problems: ['not_found', 'rules_not_valid'],
  responses: { 201: { description: 'Published', schema: policyPublishedSchema } },
  async handler({ params: { typeCode }, body, actor, origin, deps, locale, requestKey }) {
    const now = new Date();
    await typeOf(deps, typeCode);
    const from = effectiveFrom(body.effectiveFrom, now, locale);
    const current = await licenseTypeAt(deps.db, typeCode, from);
    const exampleForm = body.exampleForm ?? current?.exampleForm ?? {};
    requireSound([
      ...(await partsProblems(deps, body.policy, current, from)).map((problem) => wordedProblem(problem, locale)),
      ...schemaProblems(body.formSchema, exampleForm, locale),
    ]);
    const id = asId<PolicyId>(idFromKey(requestKey, 'policy'));
    const { before, after } = changed(current, { ...body, exampleForm });
    const rules = { policy: body.policy, formSchema: body.formSchema, exampleForm, reason: body.reason };
    const version = await publishPolicy(deps.db, {
      ...{ id, typeCode, ...rules, before, after },
      ...{ effectiveFrom: from, by: actor.userId, origin, at: now.toISOString() },
    });
    return json(201, { id, typeCode, version, effectiveFrom: timeJson(from), changed: Object.keys(after) });
  },
});

const moveCases = defineRoute({
  method: 'post',
  path: '/admin/policies/:typeCode/move-open-cases',
  summary: 'Move open cases to the rules in force now',
  description:
    'Stages that are decided stay decided, what is open is planned anew; a case keeps its row of the risk table. With `all` a process' +
    ' goes through them in the background.',
  tags,
  permission: 'policy.manage',
  params,
  body: moveCasesSchema,
  problems: ['not_found'],
  responses: {
    200: { description: 'What became of each', schema: casesMovedSchema },
    202: { description: 'With `all`: the process goes on with it', schema: moveStartedSchema },
  },
  async handler({ params: { typeCode }, body: { applicationIds, reason }, actor, origin, deps, requestKey }) {
    const { openCases } = await typeOf(deps, typeCode);
    const target = await licenseTypeAt(deps.db, typeCode, new Date());
    if (!target) throw new Failure('not_found', 'No rules of this licence type are in force.');
    const { policyId, version } = target;
    const by = { userId: actor.userId, roles: actor.roles };
    if (applicationIds === undefined) {
      const moveId = idFromKey(requestKey, 'policy_move');
      await startPolicyMove(deps, { moveId, typeCode, policyId, by, reason });
      return json(202, { moveId, policyId, version, openCases });
    }
    const open = await openCasesOf(deps.db, typeCode, { among: applicationIds, limit: applicationIds.length });
    const moveOne = async (applicationId: ApplicationId) => {
      const policy = await policyOfMove(deps.db, applicationId, policyId);
      await movePolicy(deps, { applicationId, requestKey, origin }, { by, policy, reason });
    };
    const items = [];
    for (const applicationId of new Set(applicationIds)) {
      const code = open.includes(applicationId) ? await refusalOf(() => moveOne(applicationId)) : 'not_in_review';
      items.push(
        code === null
          ? { applicationId, outcome: 'moved' as const }
          : { applicationId, outcome: 'refused' as const, code },
      );
    }
    return json(200, { policyId, version, items });
  },
});

export const policyRoutes = [list, read, publish, moveCases];

async function refusalOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const { code } = toFailure(error);
    if (code === 'internal_error') throw error;
    return code;
  }
}

async function typeOf({ db }: ApiDeps, typeCode: string): Promise<TypeWithPolicies> {
  const [type] = await typesWithPolicies(db, typeCode);
  if (!type) throw new Failure('not_found', 'There is no such licence type. Look at GET /api/v1/admin/policies.');
  return type;
}

/** A table may send companies through a review of a type whose own path is automatic: then its stages must stay. */
async function partsProblems(
  { db }: ApiDeps,
  policy: LicensePolicy,
  current: LicenseType | null,
  from: Date,
): Promise<PolicyProblem[]> {
  const rows =
    current && policy.stages.length === 0 ? await riskRowsInForce(db, current.officeId, from, current.code) : [];
  const isMissed = rows.some(({ path }) => path === 'review');
  return [
    ...policyProblems(policy),
    ...(isMissed ? [{ pointer: '/stages', code: 'risk_table_needs_stages' } as const] : []),
  ];
}

function requireSound(errors: readonly FieldProblem[]): void {
  if (errors.length > 0) throw new Failure('rules_not_valid', '', { errors });
}

const wordedProblem = ({ pointer, code }: PolicyProblem, locale: Locale): FieldProblem => ({
  pointer: `/policy${pointer}`,
  code,
  detail: SENTENCES[code][locale],
});

type Rules = Pick<LicenseType, 'policy' | 'formSchema' | 'exampleForm'>;

/** Part by part: of the policy its own parts, of the form whether it is another. */
function changed(
  current: Rules | null,
  next: Rules,
): { before: Record<string, unknown>; after: Record<string, unknown> } {
  const parts = ({ policy, formSchema, exampleForm }: Rules): Record<string, unknown> => ({
    ...policy,
    formSchema,
    exampleForm,
  });
  const [was, is] = [current ? parts(current) : {}, parts(next)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((name) => !isSame(was[name], is[name]));
  return {
    before: Object.fromEntries(names.map((name) => [name, was[name] ?? null])),
    after: Object.fromEntries(names.map((name) => [name, is[name] ?? null])),
  };
}

/** Whatever the order of the keys: the database does not keep it. */
const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

function summaryJson(type: TypeWithPolicies, now: Date, locale: Locale) {
  const current = type.versions
    .filter(({ effectiveFrom }) => effectiveFrom <= now)
    .toSorted((a, b) => b.effectiveFrom.getTime() - a.effectiveFrom.getTime() || b.version - a.version)[0];
  const versionJson = (version: PolicyVersion) => ({
    id: version.id,
    version: version.version,
    effectiveFrom: timeJson(version.effectiveFrom),
    publishedAt: timeJson(version.publishedAt),
    publishedBy: version.publishedBy,
    reason: version.reason,
    inForce: version.id === current?.id,
  });
  return {
    typeCode: type.typeCode,
    name: type.name[locale],
    active: type.active,
    openCases: type.openCases,
    versions: type.versions.map(versionJson),
  };
}

const SENTENCES: Readonly<Record<PolicyProblemCode, Readonly<Record<Locale, string>>>> = {
  review_without_stages: {
    id: 'jalur review perlu paling sedikit satu tahap',
    en: 'a review needs at least one stage',
  },
  stage_twice: { id: 'ada tahap yang disebut dua kali', en: 'a stage stands twice' },
  stages_out_of_order: {
    id: 'urutan tahap: document_verification, compliance_check, approval',
    en: 'stages come in the order document_verification, compliance_check, approval',
  },
  shares_above_100: { id: 'bagian waktu semua tahap melebihi 100 %', en: 'the shares of all stages exceed 100 %' },
  needed_above_seats: { id: 'lebih banyak suara daripada kursi', en: 'more approvals than seats' },
  more_roles_than_needed: { id: 'lebih banyak peran wajib daripada suara', en: 'more required roles than approvals' },
  rung_twice: { id: 'ada anak tangga yang disebut dua kali', en: 'a rung stands twice' },
  not_ascending: { id: 'urutkan dari kecil ke besar, masing-masing sekali', en: 'in ascending order, each once' },
  kind_twice: { id: 'ada jenis dokumen yang disebut dua kali', en: 'a kind of document stands twice' },
  reminder_after_lapse: { id: 'pengingat harus sebelum tagihan gugur', en: 'reminders come before the invoice lapses' },
  instalments_not_100: { id: 'jumlah semua bagian harus 100 %', en: 'the instalments must add up to 100 %' },
  last_instalment_not_at_lapse: {
    id: 'bagian terakhir jatuh tempo saat tagihan gugur',
    en: 'the last instalment is due when the invoice lapses',
  },
  risk_table_needs_stages: {
    id: 'tabel risiko mengirim sebagian perusahaan ke jalur review untuk jenis izin ini',
    en: 'the risk table sends some companies of this type through a review',
  },
  not_descending: { id: 'urutkan dari besar ke kecil, masing-masing sekali', en: 'in descending order, each once' },
  reminder_before_opening: {
    id: 'pengingat tidak boleh sebelum perpanjangan dibuka',
    en: 'no reminder comes before the renewal opens',
  },
};
