import assert from 'node:assert/strict';
import {
  changedAt,
  hasEnded,
  isNotYetValid,
  LICENSE_STATUSES,
  licenseTransitions,
  mayTurn,
  statusAt,
} from '../../domain/licenses.ts';

const NOON = new Date('2026-03-02T05:00:00.000Z');
const before = new Date(NOON.getTime() - 1);

describe('the status of a licence', () => {
  it('knows every status of its table', () => {
    assert.deepEqual([...LICENSE_STATUSES].sort(), Object.keys(licenseTransitions).sort());
  });
  it('ends for good when it is revoked, expired or superseded, and not when it is suspended', () => {
    assert.deepEqual(LICENSE_STATUSES.filter(hasEnded), ['revoked', 'expired', 'superseded']);
    assert.ok(mayTurn('suspended', 'active'));
    for (const to of LICENSE_STATUSES) assert.equal(mayTurn('revoked', to), false);
  });
  it('is expired from the very millisecond at which its validity ends, whatever the record says by then', () => {
    for (const status of ['active', 'suspended'] as const) {
      assert.equal(statusAt({ status, validUntil: NOON }, before), status);
      assert.equal(statusAt({ status, validUntil: NOON }, NOON), 'expired');
      assert.equal(statusAt({ status, validUntil: null }, NOON), status);
    }
    assert.equal(statusAt({ status: 'revoked', validUntil: NOON }, NOON), 'revoked');
  });
  it('is superseded from that millisecond on where it was renewed, and not before', () => {
    for (const status of ['active', 'suspended'] as const) {
      assert.equal(statusAt({ status, validUntil: NOON, isRenewed: true }, before), status);
      assert.equal(statusAt({ status, validUntil: NOON, isRenewed: true }, NOON), 'superseded');
    }
    assert.equal(statusAt({ status: 'revoked', validUntil: NOON, isRenewed: true }, NOON), 'revoked');
    assert.deepEqual(
      LICENSE_STATUSES.filter((to) => mayTurn('expired', to)),
      ['superseded'],
    );
  });
  it('does not make a licence count before its term begins', () => {
    assert.deepEqual(
      [isNotYetValid({ validFrom: NOON }, before), isNotYetValid({ validFrom: NOON }, NOON)],
      [true, false],
    );
  });
  it('has been expired since its validity ended', () => {
    const suspended = { status: 'suspended', validUntil: NOON, statusChangedAt: before } as const;
    assert.equal(changedAt(suspended, before), before);
    assert.equal(changedAt(suspended, NOON), NOON);
  });
});
