import assert from 'node:assert/strict';
import { chanceOf } from './chance.ts';
import { answersAfter, arrivals, DEMAND, type Look, leavesOf, MINUTE_MS, verdictOf, workOf } from './people.ts';

const YEAR = { year: 2026, days: 365 };
const look = (number: number, changes: Partial<Look> = {}): Look => ({
  ...{ number, typeCode: 'restaurant', stage: 'compliance_check', round: 1, seat: 1 },
  ...changes,
});
const looks = (count: number, changes: Partial<Look> = {}) =>
  Array.from({ length: count }, (_, number) => look(number, changes));

describe('those who apply in the simulated year', () => {
  it('come in the order of their numbers, within the year, for every type', () => {
    const coming = arrivals(chanceOf('a'), 500, YEAR);
    assert.deepEqual(
      coming.map(({ number }) => number),
      Array.from({ length: 500 }, (_, index) => index + 1),
    );
    assert.ok(coming.every(({ minute }, index) => minute >= (coming[index - 1]?.minute ?? 0) && minute < 365 * 1440));
    assert.deepEqual(new Set(coming.map(({ typeCode }) => typeCode)), new Set(Object.keys(DEMAND)));
  });

  it('are the same for the same seed, and others for another', () => {
    assert.deepEqual(arrivals(chanceOf('a'), 50, YEAR), arrivals(chanceOf('a'), 50, YEAR));
    assert.notDeepEqual(arrivals(chanceOf('a'), 50, YEAR), arrivals(chanceOf('b'), 50, YEAR));
  });

  it('come seldom at weekends', () => {
    const weekend = arrivals(chanceOf('a'), 500, YEAR).filter(({ minute }) => {
      const weekday = new Date(Date.UTC(2026, 0, 1 + Math.floor(minute / 1440))).getUTCDay();
      return weekday === 0 || weekday === 6;
    });
    assert.ok(weekend.length > 20 && weekend.length < 90, `${weekend.length} of 500`);
  });

  it('answer most corrections after some days, and a few never', () => {
    const answers = Array.from({ length: 400 }, (_, number) => answersAfter(chanceOf('a'), 'correction', number, '1'));
    const never = answers.filter((after) => after === null).length;
    assert.ok(never > 10 && never < 60, `${never} of 400 never answer`);
    assert.ok(answers.every((after) => after === null || (after >= MINUTE_MS && after % MINUTE_MS === 0)));
  });
});

describe('those who review in the simulated year', () => {
  it('take whole minutes, longer for what is visited, and less for what they have seen', () => {
    const mean = (changes: Partial<Look>) =>
      looks(300, changes).reduce((sum, each) => sum + workOf(chanceOf('a'), each), 0) / 300;
    assert.equal(workOf(chanceOf('a'), look(1)) % MINUTE_MS, 0);
    assert.ok(mean({ typeCode: 'fuel_storage' }) > mean({}));
    assert.ok(mean({ round: 2 }) < mean({}));
  });

  const free = { canCorrect: true, intent: 'possible', announced: false } as const;
  const verdicts = (choice: Parameters<typeof verdictOf>[2]) =>
    looks(600).map((each) => verdictOf(chanceOf('a'), each, choice));

  it('mostly approve, and do everything else too', () => {
    const made = verdicts(free);
    assert.deepEqual(new Set(made), new Set(['approve', 'request_correction', 'intend_to_reject', 'reject']));
    assert.ok(made.filter((decision) => decision === 'approve').length > 400);
  });

  it('keep to the rules: no third correction, no rejection that was not announced, no announcement twice', () => {
    assert.ok(!verdicts({ ...free, canCorrect: false }).includes('request_correction'));
    assert.ok(!verdicts({ ...free, intent: 'required' }).includes('reject'));
    assert.ok(!verdicts({ ...free, intent: 'none' }).includes('intend_to_reject'));
    assert.deepEqual(new Set(verdicts({ ...free, announced: true })), new Set(['approve', 'reject']));
  });

  it('are away for three weeks and four days each, never twice at once', () => {
    const leaves = leavesOf(chanceOf('a'), YEAR);
    for (const who of ['verifier', 'examiner', 'approver', 'approver2']) {
      const mine = leaves.filter((leave) => leave.who === who);
      assert.equal(
        mine.reduce((sum, { fromDay, toDay }) => sum + toDay - fromDay, 0),
        3 * 7 + 4,
        who,
      );
      assert.ok(
        mine.every(({ fromDay }, index) => fromDay >= (mine[index - 1]?.toDay ?? 0)),
        who,
      );
      for (const { fromDay } of mine.filter(({ reason }) => reason === 'annual leave'))
        assert.equal(new Date(Date.UTC(2026, 0, 1 + fromDay)).getUTCDay(), 1, 'leave begins on a Monday');
    }
  });
});
