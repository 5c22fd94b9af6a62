/** The rules of a licence type, and what becomes of them for one company. */
import { type LicensePolicy, type PaymentPolicy, type RenewalTerms, STAGES, type StagePolicy } from './licensing.ts';
import type { RiskRow } from './risk-table.ts';

/**
 * What a case is judged by: the type's policy, with what the row of the risk table says in its place. On the automatic path
 * nobody decides in stages; they are only there for companies that a row sends through a review.
 * @param row null = no row fits this company
 */
export function effectivePolicy(policy: LicensePolicy, row: RiskRow | null): LicensePolicy {
  const path = row?.path ?? policy.path;
  const stages = path === 'automatic' ? [] : policy.stages;
  if (!row) return { ...policy, stages };
  const deemedApproval = row.deemedApproval ?? policy.deemedApproval;
  return {
    ...policy,
    path,
    stages,
    checklist: row.checklist ?? policy.checklist,
    legalWorkingDays: row.legalWorkingDays ?? policy.legalWorkingDays,
    fee: {
      ...policy.fee,
      statutoryMinor: row.statutoryMinor ?? policy.fee.statutoryMinor,
      serviceMinor: row.serviceMinor ?? policy.fee.serviceMinor,
    },
    validityMonths: row.validForLife ? null : (row.validityMonths ?? policy.validityMonths),
    ...(deemedApproval === undefined ? {} : { deemedApproval }),
  };
}

export interface PolicyProblem {
  /** JSON Pointer into the policy. */
  readonly pointer: string;
  readonly code: PolicyProblemCode;
}

export const POLICY_PROBLEM_CODES = [
  'review_without_stages',
  'stage_twice',
  'stages_out_of_order',
  'shares_above_100',
  'needed_above_seats',
  'more_roles_than_needed',
  'rung_twice',
  'not_ascending',
  'kind_twice',
  'reminder_after_lapse',
  'instalments_not_100',
  'last_instalment_not_at_lapse',
  'risk_table_needs_stages',
  'not_descending',
  'reminder_before_opening',
] as const;
export type PolicyProblemCode = (typeof POLICY_PROBLEM_CODES)[number];

/** What no schema can say of a policy: its parts must fit each other. */
export function policyProblems(policy: LicensePolicy): PolicyProblem[] {
  const when = (isWrong: boolean, pointer: string, code: PolicyProblemCode): PolicyProblem[] =>
    isWrong ? [{ pointer, code }] : [];
  const { stages, correction, payment } = policy;
  const names = stages.map(({ stage }) => stage);
  return [
    ...when(policy.path === 'review' && stages.length === 0, '/stages', 'review_without_stages'),
    ...when(hasTwice(names), '/stages', 'stage_twice'),
    ...when(!isAscending(names.map((name) => STAGES.indexOf(name))), '/stages', 'stages_out_of_order'),
    ...when(sum(stages.map(({ sharePercent }) => sharePercent)) > 100, '/stages', 'shares_above_100'),
    ...stages.flatMap((stage, index) => quorumProblems(stage, `/stages/${index}/quorum`)),
    ...(policy.automatic ? quorumProblems(policy.automatic.fallback, '/automatic/fallback/quorum') : []),
    ...when(hasTwice(policy.ladder.map(({ code }) => code)), '/ladder', 'rung_twice'),
    ...when(!isAscending(correction.remindAtPercent ?? []), '/correction/remindAtPercent', 'not_ascending'),
    ...when(hasTwice(policy.checklist.map(({ kind }) => kind)), '/checklist', 'kind_twice'),
    ...when(!isAscending(payment.remindAfterDays), '/payment/remindAfterDays', 'not_ascending'),
    ...when(
      payment.remindAfterDays.some((day) => day >= payment.lapseAfterDays),
      '/payment/remindAfterDays',
      'reminder_after_lapse',
    ),
    ...instalmentProblems(payment),
    ...renewalProblems(policy.renewal),
  ];
}

function renewalProblems(renewal: RenewalTerms | undefined): PolicyProblem[] {
  if (!renewal) return [];
  const pointer = '/renewal/remindDaysBefore';
  if (!isAscending(renewal.remindDaysBefore.toReversed())) return [{ pointer, code: 'not_descending' }];
  const isTooEarly = renewal.remindDaysBefore.some((day) => day > renewal.opensDaysBefore);
  return isTooEarly ? [{ pointer, code: 'reminder_before_opening' }] : [];
}

/** One fault each of what a stage asks: seats, votes, roles. */
function quorumProblems({ quorum }: StagePolicy, pointer: string): PolicyProblem[] {
  if (!quorum) return [];
  if (quorum.needed > quorum.of) return [{ pointer: `${pointer}/needed`, code: 'needed_above_seats' }];
  // Each role must be among the approvals, so there are at least as many of them as roles.
  if ((quorum.requiredRoles?.length ?? 0) > quorum.needed)
    return [{ pointer: `${pointer}/requiredRoles`, code: 'more_roles_than_needed' }];
  return [];
}

function instalmentProblems({ instalments, lapseAfterDays }: PaymentPolicy): PolicyProblem[] {
  if (!instalments) return [];
  const pointer = '/payment/instalments';
  if (sum(instalments.map(({ percent }) => percent)) !== 100) return [{ pointer, code: 'instalments_not_100' }];
  const days = instalments.map(({ dueAfterDays }) => dueAfterDays);
  if (!isAscending(days)) return [{ pointer, code: 'not_ascending' }];
  return days.at(-1) === lapseAfterDays ? [] : [{ pointer, code: 'last_instalment_not_at_lapse' }];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const hasTwice = (values: readonly string[]): boolean => new Set(values).size < values.length;
const isAscending = (values: readonly number[]): boolean =>
  values.every((value, index) => index === 0 || value > (values[index - 1] ?? value));
