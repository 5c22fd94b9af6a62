import assert from 'node:assert/strict';
import { alertRung, freeOf, isLow, refuseAcknowledge, refuseChange, refuseSnooze } from '../../domain/stock.ts';

const DAY = 86_400_000;

describe('the rules of stock', () => {
  it('leave at least what is reserved', () => {
    const level = { onHand: 5, reserved: 3 };
    assert.deepEqual([refuseChange(level, -2), refuseChange(level, 1)], [null, null]);
    assert.equal(refuseChange(level, -3)?.code, 'stock_not_enough');
  });

  it('call few what is below the threshold, in all stores together; without a threshold nothing', () => {
    const free = freeOf([
      { onHand: 5, reserved: 3 },
      { onHand: 2, reserved: 0 },
    ]);
    assert.deepEqual([free, isLow(free, 5), isLow(free, 4), isLow(0, null)], [4, true, false, false]);
  });

  it('speak of an alert each week', () => {
    assert.deepEqual(alertRung(0, 0), { number: 0, nextAt: 7 * DAY });
    assert.deepEqual(alertRung(0, 7 * DAY - 1), { number: 0, nextAt: 7 * DAY });
    assert.deepEqual(alertRung(0, 15 * DAY), { number: 2, nextAt: 21 * DAY });
    assert.deepEqual(alertRung(DAY, 0), { number: 0, nextAt: 8 * DAY });
  });

  it('let an alert sleep from now on for ninety days at most, and none that is over', () => {
    assert.equal(refuseSnooze('open', 90 * DAY, 0), null);
    assert.equal(refuseSnooze('acknowledged', 1, 0), null);
    assert.equal(refuseSnooze('open', 90 * DAY + 1, 0)?.code, 'invalid_request');
    assert.equal(refuseSnooze('open', 0, 0)?.code, 'invalid_request');
    assert.equal(refuseSnooze('cleared', DAY, 0)?.code, 'alert_not_open');
    assert.deepEqual([refuseAcknowledge('snoozed'), refuseAcknowledge('cleared')?.code], [null, 'alert_not_open']);
  });
});
