import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { readXenditNotification } from '../../../api/webhooks/xendit.ts';

const TOKEN = 'mP6BvtAhO585zao6r5aUWgWhlzo6xhFEbNmcQza7iL7DRXU7';

/** As in https://developers.xendit.co/api-reference/#invoice-callback, shortened. */
const paid = {
  id: '579c8d61f23fa4ca35e52da4',
  external_id: 'invoice_123124123',
  user_id: '5781d19b2e2385880609791c',
  status: 'PAID',
  merchant_name: 'Xendit',
  amount: 50_000,
  paid_amount: 50_000,
  paid_at: '2016-10-12T08:15:03.404Z',
  payment_method: 'BANK_TRANSFER',
  payment_channel: 'PERMATA',
  currency: 'IDR',
};

const refund = {
  id: 'rfd-6f4a377d-a201-437f-9119-f8b00cbbe857',
  invoice_id: '579c8d61f23fa4ca35e52da4',
  reference_id: 'refund-1',
  status: 'SUCCEEDED',
  amount: 10_000,
};
const envelope = (data: unknown, event = 'refund.succeeded') => ({
  event,
  business_id: '5f27a14a9bf05c73dd040bc8',
  created: '2020-08-29T09:12:33.001Z',
  data,
});

const headers = (token: string): IncomingHttpHeaders => ({ 'x-callback-token': token });
const read = (body: unknown, given = headers(TOKEN), token = TOKEN) =>
  readXenditNotification(Buffer.from(JSON.stringify(body)), given, token);
const noticeOf = (body: unknown) => {
  const reading = read(body);
  assert.ok(reading.ok);
  return reading.notification;
};

describe('reading a Xendit notification', () => {
  it('takes what comes with the callback token', () => {
    assert.deepEqual(read(paid), {
      ok: true,
      notification: {
        gateway: 'xendit',
        reference: 'invoice_123124123',
        objectId: '579c8d61f23fa4ca35e52da4',
        status: 'paid',
        body: paid,
      },
    });
  });

  const strangers: Record<string, IncomingHttpHeaders> = {
    missing: {},
    empty: headers(''),
    'of another account': headers('nP6BvtAhO585zao6r5aUWgWhlzo6xhFEbNmcQza7iL7DRXU7'),
    shortened: headers(TOKEN.slice(0, -1)),
    lengthened: headers(`${TOKEN}x`),
    'in other letters': headers(TOKEN.toLowerCase()),
    doubled: headers(`${TOKEN}, ${TOKEN}`),
    'a list': { 'x-callback-token': [TOKEN] },
  };
  for (const [what, given] of Object.entries(strangers)) {
    it(`turns away a token that is ${what}`, () => {
      assert.deepEqual(read(paid, given), { ok: false, problem: 'bad_signature' });
    });
  }

  it('lets nobody in when no token is configured, not even without one', () => {
    assert.deepEqual(read(paid, headers(''), ''), { ok: false, problem: 'bad_signature' });
    assert.deepEqual(read(paid, {}, ''), { ok: false, problem: 'bad_signature' });
  });

  it('says nothing about the body to a stranger', () => {
    const truncated = Buffer.from('{"id":');
    assert.deepEqual(readXenditNotification(truncated, {}, TOKEN), { ok: false, problem: 'bad_signature' });
  });

  it('calls a truncated body malformed', () => {
    const whole = Buffer.from(JSON.stringify(paid));
    for (const body of [whole.subarray(0, -10), Buffer.alloc(0)]) {
      assert.deepEqual(readXenditNotification(body, headers(TOKEN), TOKEN), { ok: false, problem: 'malformed' });
    }
  });

  for (const body of [
    null,
    [],
    'text',
    17,
    { ...paid, id: '' },
    { ...paid, external_id: 7 },
    { ...paid, status: undefined },
    envelope(null),
    envelope({ ...refund, reference_id: null }),
    envelope(envelope(envelope(refund))),
  ]) {
    it(`calls ${JSON.stringify(body).slice(0, 60)} malformed`, () => {
      assert.deepEqual(read(body), { ok: false, problem: 'malformed' });
    });
  }
});

describe('telling Xendit notifications apart', () => {
  it('gives a repeated notification the same status, whatever else it says', () => {
    assert.equal(noticeOf({ ...paid, updated: 'later', status: 'Paid' }).status, noticeOf(paid).status);
  });

  it('reads a refund in one envelope and in two as the same step', () => {
    const once = noticeOf(envelope(refund));
    const twice = noticeOf(envelope(envelope(refund)));
    assert.deepEqual({ ...once, body: null }, { ...twice, body: null });
    assert.deepEqual([once.reference, once.objectId, once.status], ['refund-1', refund.id, 'refund/succeeded']);
  });

  it('gives every other step another name', () => {
    const steps = [
      paid,
      { ...paid, status: 'SETTLED' },
      { ...paid, status: 'EXPIRED' },
      { ...paid, id: 'other' },
      envelope(refund),
      envelope({ ...refund, status: 'FAILED' }, 'refund.failed'),
      envelope({ ...refund, id: 'rfd-2' }),
    ].map((body) => `${noticeOf(body).objectId} ${noticeOf(body).status}`);
    assert.equal(new Set(steps).size, steps.length, steps.join('\n'));
  });
});
