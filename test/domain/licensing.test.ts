import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ApplicationId, asId, type Sha256, type UserId } from '../../domain/ids.ts';
import {
  APPLICATION_STATES,
  type ApplicationState,
  applicationTransitions,
  canMove,
  DECISIONS,
  type DecisionMade,
  type DecisionRequest,
  isClosed,
  isFree,
  isStage,
  missingDocuments,
  percentDone,
  refuseResponse,
  refuseResubmission,
  refuseWithdrawal,
  STAGES,
  type Stage,
  type StagePolicy,
  stageAfter,
  stageLeft,
  statesBefore,
  type Turn,
  whoseTurn,
} from '../../domain/licensing.ts';
import { type ReviewSituation, refuseDecision } from '../../domain/review-rules.ts';
import type { Role } from '../../domain/roles.ts';

const NOW = '2026-03-02T02:00:00.000Z';
const HASH = asId<Sha256>('a'.repeat(64));
const STALE = asId<Sha256>('b'.repeat(64));
const POLICIES: readonly StagePolicy[] = [
  { stage: 'document_verification', role: 'verifier', sharePercent: 20 },
  { stage: 'compliance_check', role: 'examiner', sharePercent: 50 },
  { stage: 'approval', role: 'approver', sharePercent: 20 },
];

const person = (name: string): UserId => asId<UserId>(name);
const APPLICANT = person('applicant');

/** Reviewers by name; the applicant is a verifier too, as an official who applies for the own shop would be. */
const ROLES_OF: Readonly<Record<string, readonly Role[]>> = {
  applicant: ['owner', 'verifier'],
  budi: ['verifier'],
  rina: ['verifier', 'examiner'],
  agus: ['approver'],
  hendra: ['supervisor'],
};
const PEOPLE = Object.keys(ROLES_OF).map(person);

const situation = (changes: Partial<ReviewSituation> = {}): ReviewSituation => ({
  applicationId: asId<ApplicationId>('case'),
  state: 'document_verification',
  round: 1,
  stage: 'document_verification',
  stages: POLICIES,
  assignee: person('budi'),
  applicant: APPLICANT,
  submissionHash: HASH,
  decisions: [],
  maxCorrectionRounds: 2,
  ...changes,
});
const request = (name: string, changes: Partial<DecisionRequest> = {}): DecisionRequest => ({
  by: { userId: person(name), roles: ROLES_OF[name] ?? [] },
  decision: 'approve',
  reasons: [],
  ...changes,
});
const made = (by: string, stage: Stage, round = 1): DecisionMade => ({
  stage,
  round,
  decision: 'approve',
  by: person(by),
  at: NOW,
});
const codeOf = (given: ReviewSituation, asked: DecisionRequest) => refuseDecision(given, asked)?.code ?? null;

describe('the states of an application', () => {
  const TURNS: Record<ApplicationState, Turn> = {
    draft: 'applicant',
    submitted: 'system',
    completeness: 'system',
    auto_check: 'system',
    document_verification: 'office',
    compliance_check: 'office',
    approval: 'office',
    correction_requested: 'applicant',
    intent_to_reject: 'applicant',
    deemed_approved: 'system',
    pending_payment: 'applicant',
    activating: 'system',
    active: 'nobody',
    rejected: 'nobody',
    withdrawn: 'nobody',
    cancelled: 'nobody',
    lapsed_no_response: 'nobody',
    lapsed_unpaid: 'nobody',
  };

  it('each say whose turn it is; nobody waits for a closed case only', () => {
    for (const state of APPLICATION_STATES) {
      assert.equal(whoseTurn(state), TURNS[state], state);
      assert.equal(whoseTurn(state) === 'nobody', isClosed(state), state);
      assert.equal(whoseTurn(state) === 'office', isStage(state), state);
    }
  });

  it('each are so many percent of the way; only closed ones are all of it', () => {
    for (const state of APPLICATION_STATES) {
      const percent = percentDone(state);
      assert.ok(Number.isInteger(percent) && percent >= 0 && percent <= 100, `${state}: ${percent}`);
      assert.equal(percent === 100, isClosed(state), state);
    }
  });

  it('never go back in percent, but when the applicant is given the case, or takes it up again', () => {
    for (const from of APPLICATION_STATES) {
      for (const to of applicationTransitions[from]) {
        if (to === 'correction_requested' || from === 'correction_requested') continue;
        if (from === 'intent_to_reject' || isClosed(from)) continue;
        assert.ok(percentDone(to) >= percentDone(from), `${from} to ${to}`);
      }
    }
  });

  it('can all be reached from a draft, and all lead to an end', () => {
    const reached = new Set<ApplicationState>(['draft']);
    for (const state of reached) for (const next of applicationTransitions[state]) reached.add(next);
    assert.deepEqual([...reached].sort(), [...APPLICATION_STATES].sort());
    const ends = new Set(APPLICATION_STATES.filter(isClosed));
    for (const _ of APPLICATION_STATES)
      for (const state of APPLICATION_STATES)
        if (applicationTransitions[state].some((next) => ends.has(next))) ends.add(state);
    assert.equal(ends.size, APPLICATION_STATES.length);
  });

  it('know from where they can be reached', () => {
    for (const to of APPLICATION_STATES)
      assert.deepEqual(
        statesBefore(to),
        APPLICATION_STATES.filter((from) => canMove(from, to)),
        to,
      );
    assert.deepEqual(statesBefore('active'), ['activating']);
    assert.deepEqual(statesBefore('rejected'), [...STAGES]);
    assert.deepEqual(statesBefore('draft'), []);
  });
});

describe('a decision', () => {
  it('is taken by the assignee of the open stage', () => {
    assert.equal(codeOf(situation(), request('budi')), null);
    assert.equal(codeOf(situation(), request('budi', { stage: 'document_verification', submissionHash: HASH })), null);
  });

  it('is refused to everybody else, with the reason', () => {
    assert.equal(codeOf(situation(), request('rina')), 'not_assigned');
    assert.equal(codeOf(situation(), request('hendra')), 'not_assigned');
    assert.equal(codeOf(situation({ assignee: null }), request('budi')), 'not_assigned');
    assert.equal(codeOf(situation({ stage: null, state: 'withdrawn' }), request('budi')), 'not_in_review');
    assert.equal(codeOf(situation(), request('budi', { ownCase: true })), 'own_application');
    assert.equal(codeOf(situation(), request('budi', { ownCase: false })), null);
    assert.equal(codeOf(situation(), request('budi', { stage: 'approval' })), 'stage_changed');
    assert.equal(codeOf(situation(), request('budi', { submissionHash: STALE })), 'submission_changed');
  });

  it('against the applicant needs a reason; for them it does not', () => {
    const reasons = [{ code: 'document_unreadable' }];
    for (const decision of ['reject', 'request_correction'] as const) {
      assert.equal(codeOf(situation(), request('budi', { decision })), 'reasons_required');
      assert.equal(codeOf(situation(), request('budi', { decision, reasons })), null);
    }
  });

  it('to ask for a correction is possible in as many rounds as the policy says', () => {
    const asked = request('budi', { decision: 'request_correction', reasons: [{ code: 'other' }] });
    const rounds = [1, 2, 3].map((round) => codeOf(situation({ round }), asked));
    assert.deepEqual(rounds, [null, null, 'correction_rounds_exhausted']);
    assert.equal(codeOf(situation({ round: 3 }), { ...asked, decision: 'reject' }), null);
  });

  it('that came too late names the winner: who, when, what, and at which stage', () => {
    const winner = { ...made('budi', 'document_verification'), decision: 'reject' } as const;
    const late = situation({ decisions: [winner] });
    for (const name of ['budi', 'rina']) {
      const refusal = refuseDecision(late, request(name));
      assert.equal(refusal?.code, 'already_decided', name);
      assert.deepEqual(refusal.facts, {
        decidedBy: 'budi',
        decidedAt: NOW,
        decision: 'reject',
        stage: 'document_verification',
      });
    }
  });

  it('on a stage that has passed names who decided there, though another is open', () => {
    const next = situation({
      state: 'compliance_check',
      stage: 'compliance_check',
      assignee: person('siti'),
      decisions: [made('budi', 'document_verification')],
    });
    assert.equal(refuseDecision(next, request('budi'))?.facts['decidedBy'], 'budi');
    assert.equal(codeOf(next, request('rina', { stage: 'document_verification' })), 'already_decided');
    // Rina is an examiner too: at the stage that is open she is merely not the one.
    assert.equal(codeOf(next, request('rina')), 'not_assigned');
  });

  it('of an earlier round does not count in the next', () => {
    const second = situation({ round: 2, decisions: [made('budi', 'document_verification', 1)] });
    assert.equal(codeOf(second, request('budi')), null);
  });

  describe('in any order of requests and events', () => {
    type Step =
      | { kind: 'ask'; asked: DecisionRequest }
      | { kind: 'advance' }
      | { kind: 'correct' }
      | { kind: 'assign'; to: UserId | null };

    const requests = fc.record({
      name: fc.constantFrom(...Object.keys(ROLES_OF)),
      decision: fc.constantFrom(...DECISIONS),
      reasons: fc.constantFrom([], [{ code: 'other' }]),
      stage: fc.constantFrom(undefined, undefined, ...STAGES),
      submissionHash: fc.constantFrom(undefined, HASH, STALE),
    });
    const asks = requests.map(({ name, decision, reasons, stage, submissionHash }): Step => {
      const asked = request(name, {
        decision,
        reasons,
        ...(stage ? { stage } : {}),
        ...(submissionHash ? { submissionHash } : {}),
      });
      return { kind: 'ask', asked };
    });
    const steps = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: asks },
        { weight: 1, arbitrary: fc.constant<Step>({ kind: 'advance' }) },
        { weight: 1, arbitrary: fc.constant<Step>({ kind: 'correct' }) },
        // The applicant among them: the rule must hold even when the assignment has failed to.
        { weight: 2, arbitrary: fc.constantFrom(null, ...PEOPLE).map((to): Step => ({ kind: 'assign', to })) },
      ),
      { maxLength: 40 },
    );

    /** What a step makes of the case: what is accepted is on the list at once, the stage moves a while later. */
    function after(now: ReviewSituation, step: Step): ReviewSituation {
      switch (step.kind) {
        case 'ask': {
          if (refuseDecision(now, step.asked) !== null || now.stage === null) return now;
          const { by, decision } = step.asked;
          const taken = { stage: now.stage, round: now.round, decision, by: by.userId, at: NOW };
          return { ...now, decisions: [...now.decisions, taken] };
        }
        case 'advance':
          return { ...now, stage: STAGES[STAGES.indexOf(now.stage ?? 'approval') + 1] ?? null };
        case 'correct':
          return { ...now, round: now.round + 1, stage: now.stage ?? 'document_verification' };
        case 'assign':
          return { ...now, assignee: step.to };
      }
    }

    function play(
      given: readonly Step[],
      onAsk: (now: ReviewSituation, asked: DecisionRequest) => void,
    ): readonly DecisionMade[] {
      let now = situation();
      for (const step of given) {
        if (step.kind === 'ask') onAsk(now, step.asked);
        now = after(now, step);
      }
      return now.decisions;
    }

    it('is never the applicant’s', () => {
      const property = fc.property(steps, (given) => {
        const decisions = play(given, (now, asked) => {
          if (asked.by.userId === APPLICANT) assert.equal(codeOf(now, asked), 'own_application');
        });
        assert.ok(decisions.every(({ by }) => by !== APPLICANT));
      });
      fc.assert(property, { numRuns: 500 });
    });

    it('has at most one winner in a stage and round', () => {
      const property = fc.property(steps, (given) => {
        const places = play(given, () => undefined).map(({ stage, round }) => `${round}/${stage}`);
        assert.equal(new Set(places).size, places.length, places.join(', '));
      });
      fc.assert(property, { numRuns: 1000 });
    });

    it('is only the assignee’s, on what is current, with a reason unless it approves', () => {
      const property = fc.property(steps, (given) => {
        play(given, (now, asked) => {
          if (refuseDecision(now, asked) !== null) return;
          assert.equal(asked.by.userId, now.assignee);
          assert.notEqual(asked.submissionHash, STALE);
          assert.ok(asked.stage === undefined || asked.stage === now.stage);
          assert.ok(asked.decision === 'approve' || asked.reasons.length > 0);
        });
      });
      fc.assert(property, { numRuns: 500 });
    });

    it('that came too late names one who did decide in this round', () => {
      const property = fc.property(steps, (given) => {
        play(given, (now, asked) => {
          const refusal = refuseDecision(now, asked);
          if (refusal?.code !== 'already_decided') return;
          const { decidedBy, decidedAt, decision, stage } = refusal.facts;
          const winner = now.decisions.find(
            (each) =>
              each.round === now.round && each.by === decidedBy && each.stage === stage && each.decision === decision,
          );
          assert.equal(winner?.at, decidedAt);
        });
      });
      fc.assert(property, { numRuns: 500 });
    });

    it('is refused to whoever asks again at a stage that was just decided, by naming its winner', () => {
      const property = fc.property(steps, (given) => {
        play(given, (now, asked) => {
          const winner = now.decisions.find(({ round, stage }) => round === now.round && stage === now.stage);
          if (!winner || asked.by.userId === APPLICANT || asked.stage !== now.stage) return;
          assert.equal(refuseDecision(now, asked)?.facts['decidedBy'], winner.by);
        });
      });
      fc.assert(property, { numRuns: 500 });
    });
  });
});

describe('the stage after one', () => {
  it('is the next of the policy; where the policy was changed meanwhile, the next that it knows', () => {
    const [first, second, third] = POLICIES;
    assert.deepEqual(stageAfter(POLICIES, 'document_verification'), second);
    assert.equal(stageAfter(POLICIES, 'approval'), null);
    assert.deepEqual(
      stageAfter(
        [first, third].flatMap((each) => each ?? []),
        'compliance_check',
      ),
      third,
    );
    assert.equal(stageAfter([], 'compliance_check'), null);
  });

  it('that the policy has no more goes on at the next that is left, else at the last', () => {
    const without = (...gone: Stage[]) => POLICIES.filter(({ stage }) => !gone.includes(stage));
    const left = (stage: Stage | null, ...gone: Stage[]) => stageLeft(without(...gone), stage)?.stage ?? null;
    assert.equal(left('compliance_check', 'compliance_check'), 'approval');
    assert.equal(left('compliance_check', 'compliance_check', 'approval'), 'document_verification');
    assert.equal(left('approval', 'approval'), 'compliance_check');
    assert.equal(left(null), 'document_verification');
    assert.equal(stageLeft([], 'approval'), null);
  });
});

describe('the applicant', () => {
  it('may withdraw until the office has decided', () => {
    const refused = Object.fromEntries(
      APPLICATION_STATES.map((state) => [state, refuseWithdrawal(state)?.code ?? null]),
    );
    assert.deepEqual(refused, {
      draft: null,
      submitted: null,
      completeness: null,
      auto_check: null,
      document_verification: null,
      compliance_check: null,
      approval: null,
      correction_requested: null,
      intent_to_reject: null,
      deemed_approved: 'already_decided',
      pending_payment: 'already_decided',
      activating: 'already_decided',
      active: 'already_closed',
      rejected: 'already_closed',
      withdrawn: 'already_closed',
      cancelled: 'already_closed',
      lapsed_no_response: 'already_closed',
      lapsed_unpaid: 'already_closed',
    });
  });

  it('may answer only a rejection that was announced', () => {
    const allowed = APPLICATION_STATES.filter((state) => refuseResponse(state) === null);
    assert.deepEqual(allowed, ['intent_to_reject']);
  });

  it('may send again only what was given back', () => {
    const allowed = APPLICATION_STATES.filter((state) => refuseResubmission(state) === null);
    assert.deepEqual(allowed, ['correction_requested']);
  });

  it('is told which required documents are missing, and of no optional one', () => {
    const checklist = [
      { kind: 'ktp', required: true },
      { kind: 'photo', required: true },
      { kind: 'menu', required: false },
    ];
    assert.deepEqual(missingDocuments(checklist, new Set()), ['ktp', 'photo']);
    assert.deepEqual(missingDocuments(checklist, new Set(['photo', 'other'])), ['ktp']);
    assert.deepEqual(missingDocuments(checklist, new Set(['ktp', 'photo'])), []);
  });

  it('pays nothing only when both fees are nothing', () => {
    const fee = (statutoryMinor: string, serviceMinor: string) => ({
      fee: { statutoryMinor, serviceMinor, currency: 'IDR' as const },
    });
    assert.deepEqual([isFree(fee('0', '0')), isFree(fee('1', '0')), isFree(fee('0', '1'))], [true, false, false]);
  });
});
