import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readStripeNotification } from '../../../api/webhooks/stripe.ts';

const SECRET = 'whsec_known_beforehand';
const SIGNED_AT = 1_700_000_000;
const COMPLETED =
  '{"id":"evt_1","object":"event","type":"checkout.session.completed","data":{"object":{"id":"cs_test_1","object":"checkout.session","client_reference_id":"inv-1","payment_intent":"pi_1","status":"complete","payment_status":"paid","metadata":{"alur_reference":"inv-1"}}}}';

/** Not by this code: `printf '1700000000.%s' "$body" | openssl dgst -sha256 -hmac whsec_known_beforehand`. */
const KNOWN = '6eb3eb4d796f6d3c2190c3a7bd6bb6d8c44fe987cdca29834eb1f1a991fff4e5';

const at = (seconds: number): Date => new Date((SIGNED_AT + seconds) * 1000);
const header = (v1: string, t = SIGNED_AT) => ({ 'stripe-signature': `t=${t},v1=${v1}` });
const sign = (body: string | Buffer, { t = SIGNED_AT, secret = SECRET } = {}) =>
  header(createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex'), t);
const read = (body: string, headers: Record<string, string | string[]> = sign(body), now = at(1)) =>
  readStripeNotification(Buffer.from(body), headers, SECRET, now);
const problem = (kind: 'bad_signature' | 'malformed') => ({ ok: false, problem: kind });

describe('reading a Stripe event', () => {
  it('accepts a signature known beforehand', async () => {
    assert.deepEqual(await read(COMPLETED, header(KNOWN)), {
      ok: true,
      notification: {
        gateway: 'stripe',
        reference: 'inv-1',
        objectId: 'cs_test_1',
        status: 'checkout.session.completed/complete/paid',
        body: JSON.parse(COMPLETED),
      },
    });
  });

  it('accepts one right signature among others, while a secret is being rolled', async () => {
    const headers = { 'stripe-signature': `t=${SIGNED_AT},v1=${'0'.repeat(64)},v1=${KNOWN},v0=${'1'.repeat(64)}` };
    assert.equal((await read(COMPLETED, headers)).ok, true);
  });

  it('refuses a body that was changed, cut, lengthened or written anew', async () => {
    for (const body of [
      COMPLETED.replace('inv-1', 'inv-2'),
      COMPLETED.slice(0, -10),
      `${COMPLETED}\n`,
      JSON.stringify(JSON.parse(COMPLETED), null, 2),
      '',
    ]) {
      assert.deepEqual(await read(body, header(KNOWN)), problem('bad_signature'), body.slice(0, 60));
    }
  });

  it('refuses a signature by another secret, and by none', async () => {
    assert.deepEqual(await read(COMPLETED, sign(COMPLETED, { secret: 'whsec_other' })), problem('bad_signature'));
    const unset = readStripeNotification(Buffer.from(COMPLETED), sign(COMPLETED, { secret: '' }), '', at(1));
    assert.deepEqual(await unset, problem('bad_signature'));
  });

  it('refuses a replay after five minutes, and a time that was moved', async () => {
    assert.equal((await read(COMPLETED, header(KNOWN), at(300))).ok, true);
    assert.deepEqual(await read(COMPLETED, header(KNOWN), at(301)), problem('bad_signature'));
    assert.deepEqual(await read(COMPLETED, header(KNOWN, SIGNED_AT + 300), at(301)), problem('bad_signature'));
  });

  for (const [what, headers] of Object.entries<Record<string, string | string[]>>({
    missing: {},
    empty: { 'stripe-signature': '' },
    doubled: { 'stripe-signature': [`t=${SIGNED_AT},v1=${KNOWN}`, `t=${SIGNED_AT},v1=${KNOWN}`] },
    'without a time': { 'stripe-signature': `v1=${KNOWN}` },
    'with words for a time': { 'stripe-signature': `t=now,v1=${KNOWN}` },
    'of another scheme': { 'stripe-signature': `t=${SIGNED_AT},v0=${KNOWN}` },
    shortened: header(KNOWN.slice(0, 62)),
    lengthened: header(`${KNOWN}00`),
    'not hexadecimal': header('z'.repeat(64)),
  })) {
    it(`refuses a signature that is ${what}`, async () => {
      assert.deepEqual(await read(COMPLETED, headers), problem('bad_signature'));
    });
  }

  for (const body of [
    '{"object":"event"',
    'null',
    '[]',
    '17',
    '{}',
    '{"object":"event","type":"x","data":{}}',
    COMPLETED.replace('"id":"cs_test_1"', '"id":7'),
    '{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered"}',
  ]) {
    it(`calls ${body.slice(0, 50)} malformed although it is signed`, async () => {
      assert.deepEqual(await read(body), problem('malformed'));
    });
  }
});

describe('telling Stripe events apart', () => {
  const told = async (type: string, object: object) => {
    const body = JSON.stringify({ id: `evt_${Math.random()}`, object: 'event', type, data: { object } });
    const reading = await read(body);
    assert.ok(reading.ok);
    return reading.notification;
  };
  const session = { id: 'cs_1', client_reference_id: 'inv-1', status: 'complete', payment_status: 'paid' };
  const charge = { id: 'ch_1', status: 'succeeded', metadata: { alur_reference: 'inv-1' }, payment_intent: 'pi_1' };

  it('gives two events about one step the same status', async () => {
    const [first, second] = [
      await told('checkout.session.completed', session),
      await told('checkout.session.completed', session),
    ];
    assert.equal(first.status, second.status);
    assert.equal(first.objectId, second.objectId);
  });

  it('gives every other step another status', async () => {
    const steps = await Promise.all([
      told('checkout.session.completed', session),
      told('checkout.session.completed', { ...session, payment_status: 'unpaid' }),
      told('checkout.session.async_payment_succeeded', session),
      told('checkout.session.async_payment_failed', { ...session, payment_status: 'unpaid' }),
      told('checkout.session.expired', { ...session, status: 'expired', payment_status: 'unpaid' }),
      told('charge.refunded', { ...charge, amount_refunded: 1 }),
      told('charge.refunded', { ...charge, amount_refunded: 2 }),
      told('refund.updated', { id: 're_1', status: 'succeeded' }),
      told('refund.updated', { id: 're_1', status: 'failed' }),
      told('charge.dispute.closed', { id: 'du_1', status: 'won' }),
      told('charge.dispute.closed', { id: 'du_1', status: 'lost' }),
    ]);
    const statuses = steps.map(({ status }) => status);
    assert.equal(new Set(statuses).size, statuses.length, statuses.join('\n'));
  });

  it('finds our reference in the session, else in the metadata, else names the payment', async () => {
    assert.equal((await told('checkout.session.expired', session)).reference, 'inv-1');
    assert.equal((await told('charge.refunded', charge)).reference, 'inv-1');
    assert.equal(
      (await told('charge.dispute.created', { id: 'du_1', metadata: {}, payment_intent: 'pi_1' })).reference,
      'pi_1',
    );
    assert.equal((await told('refund.failed', { id: 're_1', payment_intent: { id: 'pi_1' } })).reference, 'pi_1');
    assert.equal((await told('payout.failed', { id: 'po_1' })).reference, 'po_1');
  });
});
