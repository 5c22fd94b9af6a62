import assert from 'node:assert/strict';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { effectivePolicy, policyProblems } from '../../domain/policies.ts';
import type { RiskRow } from '../../domain/risk-table.ts';
import { DEMO_LICENSE_TYPES } from '../../local/demo-license-types.ts';
import { policy } from '../builders/licensing.ts';

const row = (more: Partial<RiskRow> = {}): RiskRow => ({
  kbli: '56101',
  scale: 'any',
  risk: 'low',
  typeCode: 'test',
  path: null,
  checklist: null,
  legalWorkingDays: null,
  statutoryMinor: null,
  serviceMinor: null,
  validityMonths: null,
  validForLife: false,
  deemedApproval: null,
  ...more,
});

describe('the policy that a case is judged by', () => {
  it('is the type’s own where no row fits, and where the row says nothing', () => {
    assert.deepEqual(effectivePolicy(policy(), null), policy());
    assert.deepEqual(effectivePolicy(policy(), row()), policy());
  });

  it('takes from the row what that says', () => {
    const checklist = [{ kind: 'ktp', required: false }];
    const given = row({
      checklist,
      legalWorkingDays: 9,
      statutoryMinor: '5',
      serviceMinor: '0',
      deemedApproval: 'issue',
    });
    assert.deepEqual(effectivePolicy(policy(), given), {
      ...policy(),
      checklist,
      legalWorkingDays: 9,
      fee: { statutoryMinor: '5', serviceMinor: '0', currency: 'IDR' },
      deemedApproval: 'issue',
    });
  });

  it('is valid for life, or for so many months, as the row has it', () => {
    assert.equal(effectivePolicy(policy(), row({ validForLife: true })).validityMonths, null);
    assert.equal(effectivePolicy(policy({ validityMonths: null }), row({ validityMonths: 12 })).validityMonths, 12);
  });

  it('has no stages on the automatic path, whoever says so', () => {
    assert.deepEqual(effectivePolicy(policy(), row({ path: 'automatic' })), {
      ...policy(),
      path: 'automatic',
      stages: [],
    });
    assert.deepEqual(effectivePolicy(policy({ path: 'automatic' }), null).stages, []);
  });

  it('has the stages of the type where a row sends a company through a review', () => {
    assert.deepEqual(effectivePolicy(policy({ path: 'automatic' }), row({ path: 'review' })), policy());
  });
});

describe('a policy', () => {
  const problems = (changes: Partial<LicensePolicy>) =>
    policyProblems(policy(changes)).map(({ pointer, code }) => `${pointer} ${code}`);
  const [first, second, third] = policy().stages;
  assert.ok(first && second && third);
  const quorum = { of: 3, needed: 2, rejection: 'one_ends' } as const;

  it('is sound where its parts fit, as those of the demonstration do', () => {
    assert.deepEqual(problems({}), []);
    for (const { code, policy: one, since2 } of DEMO_LICENSE_TYPES)
      assert.deepEqual([...policyProblems(one), ...policyProblems({ ...one, ...since2 })], [], code);
  });

  const WRONG: readonly (readonly [Partial<LicensePolicy>, string])[] = [
    [{ stages: [] }, '/stages review_without_stages'],
    [{ stages: [first, third, second] }, '/stages stages_out_of_order'],
    [{ stages: [{ ...first, sharePercent: 90 }, second] }, '/stages shares_above_100'],
    [{ stages: [{ ...first, quorum: { ...quorum, needed: 4 } }] }, '/stages/0/quorum/needed needed_above_seats'],
    [
      { stages: [{ ...first, quorum: { ...quorum, requiredRoles: ['head', 'approver', 'examiner'] } }] },
      '/stages/0/quorum/requiredRoles more_roles_than_needed',
    ],
    [
      { automatic: { auditPercent: 10, fallback: { ...second, quorum: { ...quorum, needed: 9 } } } },
      '/automatic/fallback/quorum/needed needed_above_seats',
    ],
    [
      {
        ladder: [
          { code: 'half', percent: 50, action: 'remind_assignee' },
          { code: 'half', percent: 60, action: 'remind_assignee' },
        ],
      },
      '/ladder rung_twice',
    ],
    [
      { correction: { maxRounds: 2, answerWithinWorkingDays: 10, remindAtPercent: [80, 50] } },
      '/correction/remindAtPercent not_ascending',
    ],
    [
      {
        checklist: [
          { kind: 'ktp', required: true },
          { kind: 'ktp', required: false },
        ],
      },
      '/checklist kind_twice',
    ],
    [{ payment: { remindAfterDays: [6, 3], lapseAfterDays: 7 } }, '/payment/remindAfterDays not_ascending'],
    [{ payment: { remindAfterDays: [3, 7], lapseAfterDays: 7 } }, '/payment/remindAfterDays reminder_after_lapse'],
    [
      { payment: { remindAfterDays: [], lapseAfterDays: 7, instalments: [{ percent: 99, dueAfterDays: 7 }] } },
      '/payment/instalments instalments_not_100',
    ],
    [
      { payment: { remindAfterDays: [], lapseAfterDays: 7, instalments: [{ percent: 100, dueAfterDays: 5 }] } },
      '/payment/instalments last_instalment_not_at_lapse',
    ],
  ];
  for (const [changes, problem] of WRONG)
    it(`is refused: ${problem}`, () => assert.deepEqual(problems(changes), [problem]));

  it('names a stage once', () => {
    assert.ok(problems({ stages: [first, first] }).includes('/stages stage_twice'));
  });
});
