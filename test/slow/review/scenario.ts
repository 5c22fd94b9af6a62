/** What may happen to a case: by its applicant, by the office, by time, to the worker. */
import fc from 'fast-check';
import { DEFAULT_LADDER } from '../../../domain/escalation.ts';
import type { CancelCode, Decision, LicensePolicy } from '../../../domain/licensing.ts';
import { policy } from '../../builders/licensing.ts';

export const STAFF = [
  'verifier1',
  'verifier2',
  'examiner1',
  'examiner2',
  'approver1',
  'approver2',
  'approver3',
  'head',
  'supervisor1',
  'supervisor2',
  // Reviews for the office, and acts for the company that applies.
  'insider',
] as const;
export type Staff = (typeof STAFF)[number];

/** Somebody by name, or whoever holds the n-th of the open seats. */
export type Who = Staff | { readonly holder: number };

export type CalendarChange =
  | { readonly kind: 'close'; readonly inDays: number; readonly days: number }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'hours'; readonly opensAt: string; readonly closesAt: string }
  | { readonly kind: 'zone'; readonly zone: 'Asia/Jakarta' | 'Asia/Makassar' | 'Asia/Jayapura' };

export type PolicyChange =
  | { readonly kind: 'days'; readonly legalWorkingDays: number }
  | { readonly kind: 'ladder'; readonly without: string }
  | { readonly kind: 'stage'; readonly without: number }
  | { readonly kind: 'rounds'; readonly maxRounds: number }
  | { readonly kind: 'deemed'; readonly deemedApproval: 'issue' | 'escalate_only' };

export type Command =
  | {
      readonly do: 'decide';
      readonly who: Who;
      readonly decision: Decision;
      readonly read: 'current' | 'older' | 'none';
    }
  | { readonly do: 'race'; readonly decisions: readonly { readonly who: Who; readonly decision: Decision }[] }
  | { readonly do: 'claim'; readonly who: Staff }
  | { readonly do: 'reassign'; readonly by: Staff; readonly to: Staff | null; readonly seat: number }
  | { readonly do: 'delegate'; readonly who: Who; readonly to: Staff }
  | { readonly do: 'conflict'; readonly who: Who }
  | { readonly do: 'absence'; readonly who: Who; readonly inHours: number; readonly hours: number }
  | { readonly do: 'end_absence'; readonly which: number }
  | { readonly do: 'override'; readonly by: Staff; readonly decision: Exclude<Decision, 'intend_to_reject'> }
  | { readonly do: 'cancel'; readonly by: Staff; readonly code: CancelCode }
  | { readonly do: 'change'; readonly field: 'asked' | 'another' }
  | { readonly do: 'resubmit' | 'respond' | 'reopen' | 'appeal' | 'withdraw' }
  /** Whatever the applicant is asked for. */
  | { readonly do: 'answer' }
  | { readonly do: 'calendar'; readonly change: CalendarChange }
  | { readonly do: 'policy'; readonly change: PolicyChange }
  | { readonly do: 'wait'; readonly hours: number }
  /** To a moment before or after what the process does next by itself. */
  | { readonly do: 'next'; readonly side: 'before' | 'after' }
  | { readonly do: 'crash'; readonly afterMs: number; readonly during: Command };

export const POLICY_NAMES = ['two_of_two', 'two_of_three', 'by_law', 'announced', 'automatic', 'matching'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

export interface Scenario {
  readonly policy: PolicyName;
  readonly legalWorkingDays: number;
  /** A required document is missing from the first submission. */
  readonly incomplete: boolean;
  /** Minutes after the Monday on which it all begins. */
  readonly begins: number;
  readonly commands: readonly Command[];
}

const COMMON: Partial<LicensePolicy> = {
  ladder: DEFAULT_LADDER,
  checklist: [{ kind: 'ktp', required: true }],
  correction: { maxRounds: 2, answerWithinWorkingDays: 4, remindAtPercent: [50, 80], reopenWithinDays: 180 },
  appeal: { withinDays: 30 },
};
const VERIFICATION = { stage: 'document_verification', role: 'verifier', sharePercent: 20 } as const;
const COMPLIANCE = { stage: 'compliance_check', role: 'examiner', sharePercent: 40 } as const;
const APPROVAL = { stage: 'approval', role: 'approver', sharePercent: 40 } as const;
const FALLBACK = { auditPercent: 50, fallback: { ...COMPLIANCE, sharePercent: 60 } };

const POLICIES: Record<PolicyName, Partial<LicensePolicy>> = {
  two_of_two: {
    stages: [VERIFICATION, { ...APPROVAL, quorum: { of: 2, needed: 2, rejection: 'one_ends' } }],
    intent: { required: false, answerWithinWorkingDays: 2 },
  },
  two_of_three: {
    stages: [
      COMPLIANCE,
      { ...APPROVAL, quorum: { of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' } },
    ],
    deemedApproval: 'escalate_only',
  },
  by_law: { stages: [VERIFICATION, COMPLIANCE, APPROVAL], deemedApproval: 'issue' },
  announced: {
    stages: [VERIFICATION, { ...APPROVAL, quorum: { of: 2, needed: 2, rejection: 'one_ends' } }],
    intent: { required: true, answerWithinWorkingDays: 2 },
    deemedApproval: 'issue',
  },
  automatic: {
    path: 'automatic',
    stages: [],
    automatic: FALLBACK,
    registries: { ask: ['nib'], giveUpAfterMinutes: 240 },
    intent: { required: false, answerWithinWorkingDays: 2 },
  },
  matching: {
    path: 'automatic',
    stages: [],
    automatic: FALLBACK,
    registries: { ask: ['nik'], giveUpAfterMinutes: 240 },
  },
};

export const policyOf = ({ policy: name, legalWorkingDays }: Scenario): LicensePolicy =>
  policy({ ...COMMON, ...POLICIES[name], legalWorkingDays });

const staff = fc.constantFrom(...STAFF);
const supervisor = fc.constantFrom<Staff>('supervisor1', 'supervisor2');
const holder = fc.nat(2).map((n) => ({ holder: n }));
const mostlyHolder: fc.Arbitrary<Who> = fc.oneof({ weight: 8, arbitrary: holder }, { weight: 1, arbitrary: staff });
const mostlySupervisor = fc.oneof({ weight: 8, arbitrary: supervisor }, { weight: 1, arbitrary: staff });

const is = <Name extends Command['do']>(name: Name) => fc.constant(name);

const decision = fc.oneof(
  { weight: 7, arbitrary: fc.constant('approve' as const) },
  { weight: 3, arbitrary: fc.constant('reject' as const) },
  { weight: 4, arbitrary: fc.constant('request_correction' as const) },
  { weight: 2, arbitrary: fc.constant('intend_to_reject' as const) },
);
const read = fc.oneof(
  { weight: 4, arbitrary: fc.constant('current' as const) },
  { weight: 1, arbitrary: fc.constantFrom('older' as const, 'none' as const) },
);

const calendarChange: fc.Arbitrary<CalendarChange> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      inDays: fc.integer({ min: -2, max: 4 }),
      days: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<CalendarChange>(
      { kind: 'hours', opensAt: '09:00', closesAt: '17:00' },
      { kind: 'hours', opensAt: '08:00', closesAt: '12:00' },
      { kind: 'hours', opensAt: '07:30', closesAt: '19:30' },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('zone' as const),
      zone: fc.constantFrom('Asia/Jakarta' as const, 'Asia/Makassar' as const, 'Asia/Jayapura' as const),
    }),
  },
);

const policyChange: fc.Arbitrary<PolicyChange> = fc.oneof(
  fc.record({ kind: fc.constant('days' as const), legalWorkingDays: fc.constantFrom(1, 2, 4, 8) }),
  fc.record({
    kind: fc.constant('ladder' as const),
    without: fc.constantFrom('half', 'at_risk', 'breach', 'head', 'last_day'),
  }),
  fc.record({ kind: fc.constant('stage' as const), without: fc.nat(2) }),
  fc.record({ kind: fc.constant('rounds' as const), maxRounds: fc.integer({ min: 0, max: 3 }) }),
  fc.record({
    kind: fc.constant('deemed' as const),
    deemedApproval: fc.constantFrom('issue' as const, 'escalate_only' as const),
  }),
);

const decide = fc.record({ do: is('decide'), who: mostlyHolder, decision, read });
const override = fc.record({
  do: is('override'),
  by: mostlySupervisor,
  decision: fc.constantFrom('approve' as const, 'reject' as const, 'request_correction' as const),
});
const absence = fc.record({
  do: is('absence'),
  who: mostlyHolder,
  inHours: fc.constantFrom(0, 0, 5, 30),
  hours: fc.constantFrom(4, 24, 200),
});
const wait = fc.record({
  do: is('wait'),
  hours: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 30, max: 500 })),
});
const next = fc.record({
  do: is('next'),
  side: fc.constantFrom('before' as const, 'after' as const, 'after' as const),
});
const answer = fc.record({ do: is('answer') });

/** One thing at a time. */
const single: fc.Arbitrary<Command> = fc.oneof(
  { weight: 26, arbitrary: decide },
  {
    weight: 4,
    arbitrary: fc.record({
      do: is('race'),
      decisions: fc.array(fc.record({ who: mostlyHolder, decision }), { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: is('claim'), who: staff }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: is('reassign'), by: mostlySupervisor, to: fc.option(staff), seat: fc.nat(3) }),
  },
  { weight: 3, arbitrary: fc.record({ do: is('delegate'), who: mostlyHolder, to: staff }) },
  { weight: 3, arbitrary: fc.record({ do: is('conflict'), who: mostlyHolder }) },
  { weight: 6, arbitrary: absence },
  { weight: 2, arbitrary: fc.record({ do: is('end_absence'), which: fc.nat(3) }) },
  { weight: 3, arbitrary: override },
  {
    weight: 1,
    arbitrary: fc.record({
      do: is('cancel'),
      by: mostlySupervisor,
      code: fc.constantFrom('duplicate' as const, 'fraud' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: is('change'), field: fc.constantFrom('asked' as const, 'another' as const) }),
  },
  { weight: 12, arbitrary: answer },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('resubmit' as const, 'respond' as const, 'reopen' as const, 'appeal' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: is('withdraw') }) },
  { weight: 4, arbitrary: fc.record({ do: is('calendar'), change: calendarChange }) },
  { weight: 4, arbitrary: fc.record({ do: is('policy'), change: policyChange }) },
  { weight: 8, arbitrary: wait },
  { weight: 12, arbitrary: next },
);

/** What comes one after the other in life. */
const moves: fc.Arbitrary<readonly Command[]> = fc.oneof(
  { weight: 20, arbitrary: single.map((one) => [one]) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.record({
        do: is('decide'),
        who: holder,
        decision: fc.constantFrom('request_correction' as const, 'intend_to_reject' as const),
        read: fc.constant('current' as const),
      }),
      fc.oneof(wait, next, fc.record({ do: is('change'), field: fc.constant('asked' as const) })),
      answer,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.record({
        do: is('override'),
        by: supervisor,
        decision: fc.constantFrom('reject' as const, 'approve' as const),
      }),
      answer,
      decide,
    ),
  },
);

/** A worker that is down stops everybody: once in a while is enough. */
const deaths = fc.oneof(
  { weight: 40, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(12), afterMs: fc.nat(60) }) },
);

function withDeath(commands: readonly Command[], death: { at: number; afterMs: number } | null): Command[] {
  if (!death) return [...commands];
  return commands.map((during, index) =>
    index === death.at % commands.length ? { do: 'crash', afterMs: death.afterMs, during } : during,
  );
}

export const MOST_COMMANDS = 25;

export const scenarioOf = (most: number): fc.Arbitrary<Scenario> =>
  fc.record({
    policy: fc.constantFrom<PolicyName>(
      'two_of_two',
      'two_of_two',
      'two_of_three',
      'two_of_three',
      'by_law',
      'by_law',
      'announced',
      'announced',
      'automatic',
      'matching',
    ),
    legalWorkingDays: fc.constantFrom(2, 5, 10),
    incomplete: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    begins: fc.nat(5 * 24 * 60),
    commands: fc
      .tuple(fc.array(moves, { minLength: 3, maxLength: most, size: 'max' }), deaths)
      .map(([found, death]) => withDeath(found.flat().slice(0, most), death)),
  });
