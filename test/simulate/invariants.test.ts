import assert from 'node:assert/strict';
import { A_CASE, at, person } from './a-case.ts';
import { officeDoneAt, problemsOf } from './invariants.ts';
import type { CaseRecord } from './records.ts';
import { playedYear } from './year.ts';

describe('the invariants of a simulated case', () => {
  const { calendar } = playedYear(2026, Date.parse('2025-06-01T00:00:00Z'));
  const problems = (changes: Partial<CaseRecord>) => problemsOf({ ...A_CASE, ...changes }, calendar).join('; ');

  it('hold for a case in which everything is right', () => {
    assert.deepEqual(problemsOf(A_CASE, calendar), []);
    assert.equal(officeDoneAt(A_CASE), at('04T03:00'));
  });

  it('miss an end', () => {
    const events = A_CASE.events.slice(0, -2);
    assert.match(problems({ state: 'approval', events }), /has not ended: it is approval/);
    assert.match(problems({ tasks: A_CASE.tasks.map((task) => ({ ...task, state: 'open' })) }), /a task of it is open/);
    assert.deepEqual(problemsOf({ ...A_CASE, state: 'approval', events }, calendar, true), []);
  });

  it('miss working time that is neither a stage’s nor the applicant’s', () => {
    assert.match(problems({ suspensions: [] }), /less than have passed/);
    const [first, ...others] = A_CASE.tasks;
    assert.ok(first);
    assert.match(
      problems({ tasks: others.map((task) => ({ ...task, usedMs: 0 })) }),
      /7200000 ms of working time less/,
    );
    assert.match(problems({ suspensions: [{ from: at('02T04:00'), to: null }] }), /its clock still stands/);
  });

  it('see a rung that fired twice', () => {
    assert.match(
      problems({ rungs: [...A_CASE.rungs, ...A_CASE.rungs] }),
      /half of compliance_check in round 2 fired twice/,
    );
  });

  it('see somebody at two stages, though not a supervisor who overrides', () => {
    const decisions = (override: boolean) =>
      A_CASE.decisions.map((made) =>
        made.stage === 'approval' ? { ...made, by: person('compliance_check'), override } : made,
      );
    assert.match(problems({ decisions: decisions(false) }), /decided at compliance_check and approval/);
    assert.equal(problems({ decisions: decisions(true) }), '');
  });

  it('see a seat that was decided twice, or without a decision', () => {
    assert.match(
      problems({ decisions: [...A_CASE.decisions, ...A_CASE.decisions.slice(-1)] }),
      /was decided twice: approval/,
    );
    assert.match(problems({ decisions: A_CASE.decisions.slice(0, -1) }), /decided without a decision: approval/);
  });

  it('see events that lead elsewhere than the record, or by no way', () => {
    assert.match(problems({ state: 'rejected' }), /its events lead to active, and its record is rejected/);
    const events = A_CASE.events.filter(
      ({ type, data }) => type !== 'decision.recorded' || data['to'] !== 'activating',
    );
    assert.match(problems({ events }), /license.issued leads from approval to active, which is no move/);
  });
});
