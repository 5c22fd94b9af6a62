import assert from 'node:assert/strict';
import type { ApplicationState } from '../../domain/licensing.ts';
import { refuseAppeal, refuseReopening } from '../../domain/taking-up.ts';
import { policy } from '../builders/licensing.ts';

const DAY = 86_400_000;
const CLOSED_AT = Date.parse('2026-03-02T09:00:00Z');

describe('a case that lapsed unanswered', () => {
  const correction = { maxRounds: 2, answerWithinWorkingDays: 10, reopenWithinDays: 180 };
  const lapsed = { state: 'lapsed_no_response' as const, closedAt: CLOSED_AT, policy: policy({ correction }) };

  it('is reopened until the last moment of its time, and not after', () => {
    assert.equal(refuseReopening(lapsed, CLOSED_AT + 180 * DAY), null);
    const late = refuseReopening(lapsed, CLOSED_AT + 180 * DAY + 1);
    assert.equal(late?.code, 'not_reopenable');
    assert.match(late?.message ?? '', /180 days/);
  });
  it('is not where its licence type does not know of it', () => {
    assert.equal(refuseReopening({ ...lapsed, policy: policy() }, CLOSED_AT)?.code, 'not_reopenable');
  });
  it('is the only one that is', () => {
    for (const state of ['rejected', 'withdrawn', 'active', 'correction_requested'] satisfies ApplicationState[])
      assert.equal(refuseReopening({ ...lapsed, state }, CLOSED_AT)?.facts.state, state);
  });
});

describe('a rejection', () => {
  const rejected = {
    state: 'rejected' as const,
    closedAt: CLOSED_AT,
    policy: policy({ appeal: { withinDays: 10 } }),
    appealed: false,
  };

  it('is appealed until the last moment of its time, and not after', () => {
    assert.equal(refuseAppeal(rejected, CLOSED_AT + 10 * DAY), null);
    assert.equal(refuseAppeal(rejected, CLOSED_AT + 10 * DAY + 1)?.code, 'not_reopenable');
  });
  it('is appealed once', () => {
    assert.match(refuseAppeal({ ...rejected, appealed: true }, CLOSED_AT)?.message ?? '', /appealed before/);
  });
  it('is final where its licence type says so, and nothing else is appealed', () => {
    assert.equal(refuseAppeal({ ...rejected, policy: policy() }, CLOSED_AT)?.code, 'not_reopenable');
    assert.equal(refuseAppeal({ ...rejected, state: 'withdrawn' }, CLOSED_AT)?.facts.state, 'withdrawn');
  });
});
