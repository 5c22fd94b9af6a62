import assert from 'node:assert/strict';
import { asId, type UserId } from '../../domain/ids.ts';
import { type CaseNow, isAtRest, isBusyIn, isOver, nextAlarm } from './case-now.ts';
import { PLAYED_POLICIES } from './office.ts';
import { MINUTE_MS } from './people.ts';

const NOON = Date.parse('2026-03-02T05:00:00Z');
const seat = {
  ...{ stage: 'approval' as const, round: 1, seat: 1, role: 'approver' as const },
  ...{ assignee: asId<UserId>('a'), dueAt: NOON },
};
const IN_APPROVAL: CaseNow = {
  ...{ state: 'approval', round: 1, closedAt: null, answerBy: null, announced: false, roundsBefore: 0 },
  legalDueAt: NOON + 600 * MINUTE_MS,
  open: [seat],
  rungs: [
    { at: NOON + 60 * MINUTE_MS, moves: false },
    { at: NOON + 120 * MINUTE_MS, moves: true },
  ],
};
const { restaurant: byLaw, fuel_storage: escalated } = PLAYED_POLICIES;

describe('a case of the simulated year, as the records show it', () => {
  it('is at rest when somebody is waited for, and not while its stage is being opened', () => {
    assert.equal(isAtRest(IN_APPROVAL, byLaw, NOON), true);
    assert.equal(isAtRest({ ...IN_APPROVAL, open: [] }, byLaw, NOON), false);
    assert.equal(isAtRest({ ...IN_APPROVAL, round: 2 }, byLaw, NOON), false, 'the task is of the round before');
    assert.equal(isAtRest({ ...IN_APPROVAL, state: 'completeness' }, byLaw, NOON), false);
  });

  it('is not at rest while something that is due has not happened yet', () => {
    assert.equal(isAtRest(IN_APPROVAL, byLaw, NOON + 121 * MINUTE_MS), false, 'the task is to move');
    const climbed = { ...IN_APPROVAL, rungs: [] };
    assert.equal(isAtRest(climbed, byLaw, NOON + 601 * MINUTE_MS), false, 'the law is to approve it');
    assert.equal(isAtRest(climbed, escalated, NOON + 601 * MINUTE_MS), true);
    const asked: CaseNow = { ...IN_APPROVAL, state: 'correction_requested', open: [], rungs: [] };
    assert.equal(isAtRest(asked, byLaw, NOON), false, 'nobody has said yet until when');
    assert.equal(isAtRest({ ...asked, answerBy: NOON + 1 }, byLaw, NOON), true);
    assert.equal(isAtRest({ ...asked, answerBy: NOON - 1 }, byLaw, NOON), false, 'it is to lapse');
  });

  it('wakes by itself for what touches others, first the first', () => {
    assert.equal(nextAlarm(IN_APPROVAL, byLaw), NOON + 120 * MINUTE_MS);
    assert.equal(nextAlarm({ ...IN_APPROVAL, rungs: [] }, byLaw), NOON + 600 * MINUTE_MS);
    assert.equal(nextAlarm({ ...IN_APPROVAL, rungs: [] }, escalated), null);
    assert.equal(
      nextAlarm({ ...IN_APPROVAL, rungs: [], roundsBefore: 1 }, byLaw),
      null,
      'an appeal is not decided by law',
    );
  });

  it('is left alone in the minute in which it does something, and in the one after', () => {
    const due = NOON + 60 * MINUTE_MS;
    const busy = [-1, 0, 1, 2].map((minutes) => isBusyIn(IN_APPROVAL, due + minutes * MINUTE_MS));
    assert.deepEqual(busy, [false, true, true, false]);
  });

  it('is over for the review when it is approved', () => {
    assert.equal(isOver(IN_APPROVAL), false);
    assert.equal(isOver({ ...IN_APPROVAL, state: 'activating' }), true);
    assert.equal(isOver({ ...IN_APPROVAL, state: 'rejected' }), true);
  });
});
