import assert from 'node:assert/strict';
import { type ApplicationId, asId, type Sha256, type UserId } from '../../domain/ids.ts';
import type { DecisionMade, DecisionRequest, Quorum, StagePolicy } from '../../domain/licensing.ts';
import {
  endOfStage,
  type HandoverAsked,
  type ReviewSituation,
  refuseCancel,
  refuseDecision,
  refuseHandover,
  refuseOverride,
  seatMeant,
} from '../../domain/review-rules.ts';
import type { Role } from '../../domain/roles.ts';

const person = (name: string): UserId => asId<UserId>(name);
const ROLES_OF: Readonly<Record<string, readonly Role[]>> = {
  owner: ['owner'],
  agus: ['approver'],
  dewi: ['approver'],
  ratna: ['head'],
  hendra: ['supervisor'],
};
const actor = (name: string) => ({ userId: person(name), roles: ROLES_OF[name] ?? [] });
const QUORUM: Quorum = { of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' };
const STAGE: StagePolicy = { stage: 'approval', role: 'approver', sharePercent: 20, quorum: QUORUM };
const SEATS = [
  { seat: 1, role: 'head', assignee: person('ratna') },
  { seat: 2, role: 'approver', assignee: person('agus') },
  { seat: 3, role: 'approver', assignee: null },
] as const;
const NOW = '2026-03-02T02:00:00.000Z';

const situation = (changes: Partial<ReviewSituation> = {}): ReviewSituation => ({
  applicationId: asId<ApplicationId>('case'),
  state: 'approval',
  round: 2,
  stage: 'approval',
  stages: [STAGE],
  assignee: person('ratna'),
  applicant: person('owner'),
  submissionHash: asId<Sha256>('a'.repeat(64)),
  decisions: [],
  maxCorrectionRounds: 2,
  seats: SEATS,
  quorum: QUORUM,
  ...changes,
});
const voted = (by: string, seat: number, changes: Partial<DecisionMade> = {}): DecisionMade => ({
  stage: 'approval',
  round: 2,
  decision: 'approve',
  by: person(by),
  at: NOW,
  seat,
  ...changes,
});
const reasons = [{ code: 'other', text: 'why' }];
const decide = (given: ReviewSituation, by: string, changes: Partial<DecisionRequest> = {}) =>
  refuseDecision(given, { by: actor(by), decision: 'approve', reasons, ...changes })?.code ?? null;
const hand = (given: ReviewSituation, by: string, request: Partial<HandoverAsked>) =>
  refuseHandover(given, { by: actor(by), to: null, ...request })?.code ?? null;

describe('a vote', () => {
  it('is given by whoever holds a seat, once a round', () => {
    assert.equal(decide(situation(), 'agus'), null);
    assert.equal(decide(situation(), 'dewi'), 'not_assigned');
    assert.equal(decide(situation({ decisions: [voted('agus', 2)] }), 'agus'), 'already_decided');
    assert.equal(decide(situation({ decisions: [voted('agus', 2)] }), 'ratna'), null, 'the stage waits for more');
    assert.equal(decide(situation({ decisions: [voted('agus', 2, { round: 1 })] }), 'agus'), null, 'void by now');
  });

  it('comes too late once the stage is decided, though that is only being recorded', () => {
    const decisions = [voted('ratna', 1), voted('dewi', 3)];
    assert.equal(decide(situation({ decisions }), 'agus'), 'already_decided');
    assert.equal(endOfStage(situation({ decisions }))?.by, 'dewi');
    assert.equal(endOfStage(situation({ decisions: [voted('dewi', 3)] })), null);
  });

  it('ends for all with a supervisor’s override', () => {
    const decisions = [voted('hendra', 1, { override: true })];
    assert.equal(decide(situation({ decisions }), 'agus'), 'already_decided');
  });
});

describe('an announced rejection', () => {
  const intent = { required: true, answerWithinWorkingDays: 5 };
  const announced = voted('agus', 2, { decision: 'intend_to_reject' });

  it('is asked for before a rejection, and possible where the policy has it', () => {
    assert.equal(decide(situation({ intent }), 'agus', { decision: 'reject' }), 'intent_required');
    assert.equal(decide(situation({ intent }), 'agus', { decision: 'intend_to_reject' }), null);
    assert.equal(decide(situation(), 'agus', { decision: 'intend_to_reject' }), 'invalid_request');
    assert.equal(decide(situation(), 'agus', { decision: 'reject' }), null);
  });

  it('holds every other decision up until it is answered', () => {
    assert.equal(decide(situation({ intent, decisions: [announced] }), 'ratna'), 'already_decided');
  });

  it('answered, lets its author have the last word, and is made once a round', () => {
    const answered = situation({ intent, decisions: [announced], announced });
    assert.equal(decide(answered, 'agus', { decision: 'reject' }), null);
    assert.equal(decide(answered, 'agus', { decision: 'approve' }), null);
    assert.equal(decide(answered, 'ratna', { decision: 'intend_to_reject' }), 'already_decided');
  });
});

describe('a correction', () => {
  it('too many is for a supervisor to ask', () => {
    const third = situation({ round: 3 });
    assert.equal(decide(third, 'agus', { decision: 'request_correction' }), 'correction_rounds_exhausted');
    const supervised = situation({
      round: 3,
      seats: [{ seat: 1, role: 'approver', assignee: person('hendra') }],
    });
    assert.equal(decide(supervised, 'hendra', { decision: 'request_correction' }), null);
    assert.equal(decide(situation({ round: 3, roundsBefore: 2 }), 'agus', { decision: 'request_correction' }), null);
  });
});

describe('a supervisor', () => {
  const override = (given: ReviewSituation, by: string, changes: Partial<DecisionRequest> = {}) =>
    refuseOverride(given, { by: actor(by), decision: 'approve', reasons, ...changes })?.code ?? null;

  it('decides in place of others, by the same rules of wording', () => {
    assert.equal(override(situation(), 'hendra'), null);
    assert.equal(override(situation(), 'ratna'), 'forbidden');
    assert.equal(override(situation(), 'hendra', { ownCase: true }), 'own_application');
    assert.equal(override(situation(), 'hendra', { decision: 'reject', reasons: [] }), 'reasons_required');
    assert.equal(override(situation({ stage: null, state: 'correction_requested' }), 'hendra'), 'not_in_review');
    assert.equal(
      override(situation({ decisions: [voted('ratna', 1), voted('agus', 2)] }), 'hendra'),
      'already_decided',
    );
  });

  it('cancels a case until it is approved', () => {
    assert.equal(refuseCancel(situation(), actor('hendra')), null);
    assert.equal(refuseCancel(situation({ state: 'correction_requested' }), actor('hendra')), null);
    assert.equal(refuseCancel(situation(), actor('ratna'))?.code, 'forbidden');
    assert.equal(refuseCancel(situation({ state: 'pending_payment' }), actor('hendra'))?.code, 'already_decided');
    assert.equal(refuseCancel(situation({ state: 'rejected' }), actor('hendra'))?.code, 'already_closed');
  });
});

describe('a seat', () => {
  it('is handed on by its holder, or a supervisor; a free one is claimed', () => {
    assert.equal(hand(situation(), 'agus', { kind: 'delegate', to: person('dewi') }), null);
    assert.equal(hand(situation(), 'dewi', { kind: 'delegate', to: person('dewi') }), 'not_your_task');
    assert.equal(hand(situation(), 'dewi', { kind: 'delegate', from: person('agus') }), 'not_your_task');
    assert.equal(hand(situation(), 'dewi', { kind: 'conflict' }), 'not_your_task');
    assert.equal(hand(situation(), 'dewi', { kind: 'claim', to: person('dewi') }), null);
    assert.equal(hand(situation(), 'hendra', { kind: 'reassign', from: person('agus'), to: person('dewi') }), null);
  });

  it('that somebody holds is not claimed, but by a supervisor', () => {
    const one = situation({ seats: [{ seat: 1, role: 'approver', assignee: person('agus') }] });
    assert.equal(hand(one, 'dewi', { kind: 'claim', to: person('dewi') }), 'not_your_task');
    assert.equal(hand(one, 'hendra', { kind: 'claim', to: person('hendra') }), null);
  });

  it('is, where there are several and none is named, the first that waits and is not the new holder’s already', () => {
    const held = situation({ seats: SEATS.filter(({ assignee }) => assignee !== null) });
    const [first] = held.seats ?? [];
    assert.equal(seatMeant(held, { by: actor('hendra'), kind: 'reassign', to: person('dewi') }), first);
    assert.notEqual(seatMeant(held, { by: actor('hendra'), kind: 'reassign', to: first?.assignee ?? null }), first);
    assert.equal(hand(held, 'hendra', { kind: 'reassign', to: person('dewi') }), null);
    assert.equal(hand(held, 'hendra', { kind: 'claim', to: person('hendra') }), 'invalid_request');
    assert.equal(hand(held, 'hendra', { kind: 'reassign', from: person('dewi') }), 'invalid_request');
  });

  it('that nobody has is handed on by a supervisor, though they hold one themselves', () => {
    const [first, second, free] = [
      { seat: 1, role: 'approver', assignee: person('hendra') },
      { seat: 2, role: 'approver', assignee: person('agus') },
      { seat: 3, role: 'approver', assignee: null },
    ] as const;
    const reassign = { by: actor('hendra'), kind: 'reassign', to: person('dewi') } as const;
    const held = { seats: [first, second, free] };
    assert.equal(seatMeant(situation(held), reassign), free);
    assert.equal(seatMeant(situation({ ...held, decisions: [voted('hendra', 1)] }), reassign), free);
    assert.equal(seatMeant(situation(held), { ...reassign, from: person('hendra') }), first);
    const full = { seats: [first, second] };
    assert.equal(seatMeant(situation(full), reassign), first, 'their own');
    assert.equal(seatMeant(situation({ ...full, decisions: [voted('hendra', 1)] }), reassign), second);
    const delegate = { ...reassign, kind: 'delegate' } as const;
    assert.equal(seatMeant(situation(held), delegate), first, 'only their own');
  });

  it('that has voted stays where it is', () => {
    const decisions = [voted('agus', 2)];
    assert.equal(hand(situation({ decisions }), 'agus', { kind: 'delegate' }), 'already_decided');
    assert.equal(
      hand(situation({ stage: null, state: 'completeness' }), 'agus', { kind: 'delegate' }),
      'not_in_review',
    );
  });
});
