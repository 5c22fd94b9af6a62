import assert from 'node:assert/strict';
import fc from 'fast-check';
import { returnDeadline, type WaitingReturn, waitOf } from '../../domain/return-deadlines.ts';
import { type ClimbedRung, isAgainstCustomer, nextReturnDue } from '../../domain/return-timeline.ts';
import { DEFAULT_RETURN_POLICY, RETURN_STATES } from '../../domain/returns.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-11-22T03:00:00Z');
const days = (max: number) => fc.integer({ min: 1, max });
const rises = (max: number) =>
  fc.uniqueArray(days(max), { maxLength: 3 }).map((some) => some.toSorted((one, other) => one - other));

const waiting: fc.Arbitrary<WaitingReturn> = fc.record({
  state: fc.constantFrom(...RETURN_STATES),
  stateSince: fc.constant(new Date(START)),
  rungs: fc.constant<readonly ClimbedRung[]>([]),
  units: fc.constantFrom({ authorised: 1 }, { received: 1, authorised: 1 }, { accepted: 1 }),
  dropOffBy: fc.option(days(20).map((count) => new Date(START + count * DAY))),
  disputedAt: fc.option(fc.constant(new Date(START))),
  policy: fc
    .record({
      infoExpiresAfterDays: days(10),
      lostAfterDays: days(30),
      shipment: fc.record({ remindAfterDays: rises(16), expiresAfterDays: days(15) }),
      resolution: fc.record({ remindAfterDays: rises(8), defaultAfterDays: days(7) }),
    })
    .map((some) => ({ ...DEFAULT_RETURN_POLICY, ...some })),
});

/** Its process works from `from` on, and does what is due when it is due. @returns when it was looked at, and its end */
function lived(
  it: WaitingReturn,
  from: number,
): { readonly looks: readonly [WaitingReturn, number][]; end: number | null } {
  const looks: [WaitingReturn, number][] = [];
  let now = it;
  for (let at = from; ; ) {
    looks.push([now, at]);
    const due = nextReturnDue(waitOf(now), at);
    if (due === null || due.kind === 'escalate') return { looks, end: null };
    if (due.at > at) {
      looks.push([now, Math.floor((at + due.at) / 2)]);
      at = due.at;
    }
    if (due.kind !== 'remind' && due.kind !== 'late') return { looks, end: isAgainstCustomer(due.kind) ? at : null };
    now = { ...now, rungs: [...now.rungs, { rung: due.rung, at }] };
  }
}

describe('the deadline that a customer reads', () => {
  it('is the instant at which time alone ends it, whatever the state and the policy, whenever it is read', () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 0, max: 40 * DAY }), (it, away) => {
        const { looks, end } = lived(it, START + away);
        for (const [then, at] of looks) assert.equal(returnDeadline(then, at), end, `${it.state} at ${at - START}`);
      }),
      { numRuns: 500 },
    );
  });

  it('is never within a day of the last reminder', () => {
    fc.assert(
      fc.property(waiting, fc.integer({ min: 0, max: 40 * DAY }), (it, away) => {
        const { looks, end } = lived(it, START + away);
        const last = looks.at(-1)?.[0].rungs.at(-1);
        if (end !== null && last) assert.ok(end >= last.at + DAY);
      }),
    );
  });

  it('is put off where the reminder before it was late', () => {
    const it: WaitingReturn = {
      ...{ state: 'info_requested', stateSince: new Date(START), rungs: [], units: { requested: 1 }, dropOffBy: null },
      ...{ disputedAt: null, policy: DEFAULT_RETURN_POLICY },
    };
    assert.equal(returnDeadline(it, START), START + 7 * DAY);
    assert.equal(returnDeadline(it, START + 6.5 * DAY), START + 7.5 * DAY);
    assert.equal(
      returnDeadline({ ...it, rungs: [{ rung: 'remind/1', at: START + 6.5 * DAY }] }, START + 6.6 * DAY),
      START + 7.5 * DAY,
    );
  });
});
