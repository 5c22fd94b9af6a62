import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readMidtransNotification } from '../../../api/webhooks/midtrans.ts';

const KEY = 'askvnoibnosifnboseofinbofinfgbiufglnbfg';

/**
 * The inputs of https://docs.midtrans.com/reference/receiving-notifications (order 1111, status 200, amount 100000.00 and
 * its example server key). The page prints no result; this one is by `sha512sum` of coreutils, over the four joined.
 */
const KNOWN =
  'edc076b21793ebe3e17926350f5b8ae67d902fe657b3d0aa31b932d5c127e2375d308a2bc94f3265ac2d80a1f181a79b997ac178a236fcff35af263fc4d4c231';

const settlement = {
  transaction_time: '2025-12-05 14:48:34',
  transaction_status: 'settlement',
  transaction_id: '513f1f01-c9da-474c-9fc9-d5c64364b709',
  status_code: '200',
  signature_key: KNOWN,
  payment_type: 'bank_transfer',
  order_id: '1111',
  gross_amount: '100000.00',
  fraud_status: 'accept',
  currency: 'IDR',
};

const signed = (change: Record<string, unknown>) => {
  const body = { ...settlement, ...change };
  const text = `${body.order_id}${body.status_code}${body.gross_amount}${KEY}`;
  return { ...body, signature_key: createHash('sha512').update(text).digest('hex') };
};
const read = (body: unknown, key = KEY) => readMidtransNotification(Buffer.from(JSON.stringify(body)), key);
const statusOf = (body: unknown) => {
  const reading = read(body);
  assert.ok(reading.ok);
  return reading.notification.status;
};
const problemOf = (body: unknown, key = KEY) => {
  const reading = read(body, key);
  assert.equal(reading.ok, false);
  return reading.ok ? null : reading.problem;
};

describe('reading a Midtrans notification', () => {
  it('accepts a signature known beforehand', () => {
    assert.deepEqual(read(settlement), {
      ok: true,
      notification: {
        gateway: 'midtrans',
        reference: '1111',
        objectId: '513f1f01-c9da-474c-9fc9-d5c64364b709',
        status: 'settlement/accept/200',
        body: settlement,
      },
    });
  });

  for (const [what, change] of Object.entries({
    amount: { gross_amount: '1000.00' },
    'spelling of the amount': { gross_amount: '100000' },
    order_id: { order_id: '1112' },
    status_code: { status_code: '201' },
  })) {
    it(`refuses a changed ${what}`, () => assert.equal(problemOf({ ...settlement, ...change }), 'bad_signature'));
  }

  it('refuses a signature by another key', () => {
    assert.equal(problemOf(settlement, 'another key'), 'bad_signature');
  });

  for (const [what, signature_key] of Object.entries({
    empty: '',
    missing: undefined,
    shortened: KNOWN.slice(0, 126),
    lengthened: `${KNOWN}zz`,
    'not hexadecimal': 'z'.repeat(128),
  })) {
    it(`refuses a signature that is ${what}`, () => {
      assert.equal(problemOf({ ...settlement, signature_key }), 'bad_signature');
    });
  }

  it('calls a truncated body malformed', () => {
    const whole = Buffer.from(JSON.stringify(settlement));
    assert.deepEqual(readMidtransNotification(whole.subarray(0, -10), KEY), { ok: false, problem: 'malformed' });
    assert.deepEqual(readMidtransNotification(Buffer.alloc(0), KEY), { ok: false, problem: 'malformed' });
  });

  for (const body of [
    null,
    [],
    'text',
    17,
    { ...settlement, gross_amount: 100_000 },
    { ...settlement, order_id: {} },
  ]) {
    it(`calls ${JSON.stringify(body).slice(0, 40)} malformed`, () => assert.equal(problemOf(body), 'malformed'));
  }

  it('calls a signed body without a transaction malformed', () => {
    assert.equal(problemOf(signed({ transaction_id: undefined })), 'malformed');
  });
});

describe('telling Midtrans notifications apart', () => {
  it('gives a repeated notification the same status, also when its state is shouted', () => {
    assert.equal(statusOf(signed({ transaction_status: 'SETTLEMENT' })), statusOf(settlement));
  });

  it('gives every other step another status', () => {
    const refund = { transaction_status: 'partial_refund', refunds: [{ refund_key: 'r1' }] };
    const confirmed = { ...refund, refunds: [{ refund_key: 'r1', bank_confirmed_at: '2025-12-05 15:00:00' }] };
    const steps = [
      {},
      { transaction_status: 'pending', status_code: '201' },
      { transaction_status: 'capture', fraud_status: 'challenge', status_code: '201' },
      { transaction_status: 'capture', fraud_status: 'accept' },
      { transaction_status: 'capture', fraud_status: undefined },
      { transaction_status: 'deny', status_code: '202' },
      refund,
      confirmed,
      { ...confirmed, refunds: [...confirmed.refunds, { refund_key: 'r2' }] },
      { ...refund, refunds: [{ refund_key: 'r2' }] },
    ].map((change) => statusOf(signed(change)));
    assert.equal(new Set(steps).size, steps.length, steps.join('\n'));
  });
});
