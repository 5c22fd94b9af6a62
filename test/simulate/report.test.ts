import assert from 'node:assert/strict';
import { A_CASE } from './a-case.ts';
import type { CaseRecord } from './records.ts';
import { percentile, report } from './report.ts';
import { playedYear } from './year.ts';

describe('the report of a simulated year', () => {
  const year = playedYear(2026, Date.parse('2025-06-01T00:00:00Z'));
  const played = { seed: 'x', year, leaves: [], refused: [], stuck: new Map<number, string>(), problems: [] };
  const told = (...records: CaseRecord[]) => report({ ...played, records });
  const cells = (text: string, first: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`| ${first} `))
      ?.split('|')
      .map((cell) => cell.trim())
      .slice(1, -1);

  it('tells of a case the office’s time, the applicant’s time, the rungs and the outcome', () => {
    const row = cells(told(A_CASE), '7');
    const when = ['2026-03-02 09:00', '2026-03-04 10:00'];
    assert.deepEqual(row, ['7', 'restaurant', ...when, 'active', '1', '11:00', '28 %', '6:00 (0.9 d)', 'C2 h']);
  });

  it('does not depend on seconds', () => {
    const later = (ms: number) => ms + 700;
    const moved: CaseRecord = {
      ...A_CASE,
      submittedAt: later(A_CASE.submittedAt),
      completeAt: later(A_CASE.completeAt ?? 0),
      suspensions: A_CASE.suspensions.map(({ from, to }) => ({ from: later(from), to: later(to ?? 0) })),
      decisions: A_CASE.decisions.map((made) => ({ ...made, at: later(made.at) })),
      events: A_CASE.events.map((event) => ({ ...event, at: later(event.at) })),
    };
    assert.equal(told(moved), told(A_CASE));
  });

  it('marks what the law approved, and what came late', () => {
    const late = { ...A_CASE, number: 8, budgetMs: 3_600_000 };
    const deemed = {
      type: 'application.deemed_approved',
      by: null,
      at: A_CASE.events.at(-1)?.at ?? 0,
      data: {},
    } as const;
    const text = told(late, { ...A_CASE, number: 9, events: [...A_CASE.events, deemed] });
    assert.equal(cells(text, '8')?.[4], 'active (late)');
    assert.equal(cells(text, '9')?.[4], 'active (by law)');
    assert.deepEqual(cells(text, 'active, approved by law'), ['active, approved by law', '1', '1']);
    assert.deepEqual(cells(text, 'cases later than their legal time'), ['cases later than their legal time', '1', '1']);
  });

  it('says first what does not hold', () => {
    assert.match(told(A_CASE), /All invariants hold for all 1 cases\./);
    assert.match(
      report({ ...played, records: [A_CASE], problems: ['case 7: it never ended'] }),
      /- case 7: it never ended/,
    );
  });

  it('names what has not ended, and why', () => {
    const stuck = new Map([[7, 'nobody may']]);
    const text = report({ ...played, stuck, records: [{ ...A_CASE, state: 'approval' }] });
    assert.match(text, /### What has not ended, and why\n\n- case 7: nobody may\n/);
    assert.deepEqual(cells(text, 'not ended'), ['not ended', '1', '1']);
  });

  it('takes percentiles by the nearest rank', () => {
    assert.equal(percentile([5, 1, 3], 0.5), 3);
    assert.equal(percentile([5, 1, 3], 0.9), 5);
    assert.throws(() => percentile([], 0.5), RangeError);
  });
});
