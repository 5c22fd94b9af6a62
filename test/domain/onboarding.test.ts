import assert from 'node:assert/strict';
import { OFFICE_ZONES } from '../../domain/calendar.ts';
import { LEGAL_FORMS } from '../../domain/companies.ts';
import {
  ASKED_AGAIN_AFTER,
  byDay,
  missingDocuments,
  nextInSilence,
  ONBOARDING_STATES,
  ONBOARDING_STEPS,
  type OnboardingFacts,
  type OnboardingState,
  OWNER_STEPS,
  onboardingPolicy,
  onboardingTransitions,
  percentOf,
  REQUIRED_DOCUMENTS,
  refuseOnboardingCancel,
  refuseOnboardingReview,
  refuseReopening,
  refuseStep,
  reviewReasonsOf,
  type StepStanding,
} from '../../domain/onboarding.ts';

/** The first `done` steps are done. */
const standing = (done: number): StepStanding[] =>
  ONBOARDING_STEPS.map((step, index) => ({ step, state: index < done ? 'completed' : 'pending' }));

describe('the steps of an onboarding', () => {
  it('are open one after the other', () => {
    for (let done = 0; done <= OWNER_STEPS.length; done += 1) {
      const open = OWNER_STEPS.filter((step) => !refuseStep({ state: 'in_progress', steps: standing(done) }, step));
      assert.deepEqual(open, OWNER_STEPS.slice(0, done + 1), `${done} done`);
    }
  });

  it('say which has to come first', () => {
    const refusal = refuseStep({ state: 'in_progress', steps: standing(1) }, 'documents');
    assert.equal(refusal?.code, 'step_not_open');
    assert.match(refusal?.message ?? '', /business_profile, identity/);
  });

  it('are closed after the end, and open under review', () => {
    const open = ONBOARDING_STATES.filter((state) => !refuseStep({ state, steps: standing(4) }, 'identity'));
    assert.deepEqual(open, ['in_progress', 'in_review']);
    for (const state of ['completed', 'expired', 'cancelled'] as const)
      assert.equal(refuseStep({ state, steps: standing(4) }, 'identity')?.code, 'onboarding_not_open');
  });

  it('wait for one before them that is asked again', () => {
    const steps = standing(4).map((each) =>
      each.step === 'identity' ? { ...each, state: 'asked_again' as const } : each,
    );
    assert.equal(refuseStep({ state: 'in_progress', steps }, 'documents')?.code, 'step_not_open');
    assert.equal(refuseStep({ state: 'in_progress', steps }, 'identity'), null);
  });

  it('ask again only for what comes after them', () => {
    for (const step of OWNER_STEPS)
      for (const later of ASKED_AGAIN_AFTER[step]) assert.ok(OWNER_STEPS.indexOf(later) > OWNER_STEPS.indexOf(step));
  });

  it('are a fifth each, and the end the last one', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((done) => percentOf('in_progress', standing(done))),
      [0, 20, 40, 60, 80],
    );
    assert.equal(percentOf('in_review', standing(4)), 80);
    assert.equal(percentOf('completed', standing(4)), 100);
  });
});

describe('what may be asked of an onboarding', () => {
  const passing = (refuse: (state: OnboardingState) => unknown) => ONBOARDING_STATES.filter((state) => !refuse(state));

  it('is in each state what its table of transitions allows', () => {
    assert.deepEqual(Object.keys(onboardingTransitions), [...ONBOARDING_STATES]);
    assert.deepEqual(
      passing((state) => refuseOnboardingCancel({ state, steps: [] })),
      ['in_progress', 'in_review'],
    );
    assert.deepEqual(
      passing((state) => refuseOnboardingReview({ state, steps: standing(4) })),
      ['in_review'],
    );
    assert.deepEqual(
      passing((state) => refuseReopening({ state, isErased: false })),
      ['expired', 'cancelled'],
    );
  });

  it('is no approval while its owner enters something anew', () => {
    const steps = standing(4).map((each) =>
      each.step === 'identity' ? { ...each, state: 'asked_again' as const } : each,
    );
    assert.equal(refuseOnboardingReview({ state: 'in_review', steps })?.code, 'step_not_open');
  });

  it('is no reopening of what is erased', () => {
    assert.equal(refuseReopening({ state: 'cancelled', isErased: true })?.code, 'not_reopenable');
  });
});

describe('when a person looks at an onboarding', () => {
  const plain: OnboardingFacts = { scale: 'micro', legalForm: 'PT', kbli: ['56101'], registryStates: ['match'] };
  const CASES: readonly (readonly [string, Partial<OnboardingFacts>, readonly string[]])[] = [
    ['nothing is odd', {}, []],
    ['the business is large', { scale: 'large' }, ['large_scale']],
    ['nobody knows how large it is', { scale: 'unknown' }, []],
    ['a registry knows another name', { registryStates: ['match', 'mismatch'] }, ['registry_mismatch']],
    ['a registry does not know the number', { registryStates: ['not_found'] }, ['registry_mismatch']],
    ['a registry is away', { registryStates: ['unavailable', 'not_applicable'] }, []],
    ['it is a cooperative', { legalForm: 'koperasi' }, ['legal_form']],
    ['it sells weapons', { kbli: ['56101', '25200'] }, ['watched_kbli']],
    ['it is a bank', { kbli: ['64121'] }, ['watched_kbli']],
    ['a code only holds such digits', { kbli: ['16400'] }, []],
    ['several things are odd', { scale: 'large', legalForm: 'yayasan' }, ['large_scale', 'legal_form']],
  ];
  for (const [what, facts, reasons] of CASES)
    it(`${reasons.length > 0 ? 'is' : 'is not'} when ${what}`, () =>
      assert.deepEqual(reviewReasonsOf({ ...plain, ...facts }), reasons));
});

describe('documents of a company', () => {
  it('are asked for by legal form, the owner’s card of each', () => {
    for (const form of LEGAL_FORMS) assert.ok(REQUIRED_DOCUMENTS[form].includes('identity_card'), form);
    assert.deepEqual(missingDocuments('CV', ['npwp_card']), ['identity_card', 'deed']);
    assert.deepEqual(missingDocuments('PT_perorangan', ['npwp_card', 'identity_card']), []);
  });
});

describe('what comes while nothing is heard', () => {
  const policy = onboardingPolicy({ zone: 'Asia/Jakarta', retentionDays: 90 });
  const noon = Date.parse('2026-03-02T12:00:00+07:00');
  const comesAfter = (lastStepAt: number, remindersSent: number, now = lastStepAt, zone = policy.zone) => {
    const turn = nextInSilence({ lastStepAt, remindersSent, now }, { ...policy, zone });
    return [turn.kind, new Date(turn.at).toISOString(), turn.kind === 'remind' ? turn.number : null];
  };
  const utc = (text: string) => new Date(text).toISOString();

  it('is a reminder after 1, 3 and 7 days, and the end after 30', () => {
    assert.deepEqual(comesAfter(noon, 0), ['remind', utc('2026-03-03T12:00:00+07:00'), 1]);
    assert.deepEqual(comesAfter(noon, 1), ['remind', utc('2026-03-05T12:00:00+07:00'), 2]);
    assert.deepEqual(comesAfter(noon, 2), ['remind', utc('2026-03-09T12:00:00+07:00'), 3]);
    assert.deepEqual(comesAfter(noon, 3), ['expire', utc('2026-04-01T12:00:00+07:00'), null]);
  });

  it('waits for the morning where the owner lives', () => {
    const nights = [
      ['2026-03-02T20:00:00', '2026-03-04T08:00:00'],
      ['2026-03-02T23:59:59', '2026-03-04T08:00:00'],
      ['2026-03-03T00:00:00', '2026-03-04T08:00:00'],
      ['2026-03-03T07:59:59', '2026-03-04T08:00:00'],
      ['2026-03-03T08:00:00', '2026-03-04T08:00:00'],
      ['2026-03-03T19:59:59', '2026-03-04T19:59:59'],
    ] as const;
    const offsets = { 'Asia/Jakarta': '+07:00', 'Asia/Makassar': '+08:00', 'Asia/Jayapura': '+09:00' } as const;
    for (const zone of OFFICE_ZONES)
      for (const [last, due] of nights) {
        const [, at] = comesAfter(Date.parse(last + offsets[zone]), 0, undefined, zone);
        assert.equal(at, utc(due + offsets[zone]), `${last} in ${zone}`);
      }
  });

  it('is one reminder, by day, after an outage in which several came due', () => {
    const back = Date.parse('2026-03-07T03:00:00+07:00');
    assert.deepEqual(comesAfter(noon, 0, back), ['remind', utc('2026-03-07T08:00:00+07:00'), 2]);
    const late = Date.parse('2026-03-20T10:00:00+07:00');
    assert.deepEqual(comesAfter(noon, 0, late), ['remind', utc('2026-03-20T10:00:00+07:00'), 3]);
    assert.deepEqual(comesAfter(noon, 0, Date.parse('2026-05-01T10:00:00+07:00'))[0], 'expire');
  });

  it('is moved by no more than to the next morning', () => {
    for (let hour = 0; hour < 48; hour += 1) {
      const at = noon + hour * 3_600_000 + 1;
      const moved = byDay(at, policy);
      assert.ok(moved >= at && moved - at < 12.1 * 3_600_000);
      assert.equal(byDay(moved, policy), moved);
    }
  });
});
