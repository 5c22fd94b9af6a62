/**
 * What a gateway never said, said otherwise, long ago or too often: told to a running system, beside sandboxes that know
 * the truth. Each notification is written here by hand, so that it can be any lie.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import type { GatewayName } from '../../../domain/payments.ts';
import { GATEWAY_SECRETS } from '../../support/machine.ts';
import { type Story, storyOf } from '../../support/story.ts';
import { startSystem, type TestSystem } from '../../support/system.ts';
import { eventually } from '../../support/wait.ts';

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of the address, after the gateway's name. */
  readonly query?: string;
}

type Claim = 'paid' | 'pending' | 'expired';

interface About {
  readonly reference: string;
  /** The gateway's own name of it. */
  readonly object: string;
  readonly claim: Claim;
}

interface Lies {
  /** As the gateway would write it, with its real secret. */
  write(about: About, at?: Date): Sent;
  /** The same with another secret. */
  forge(sent: Sent): Sent;
}

const json = { 'content-type': 'application/json' };

const LIARS: Readonly<Record<GatewayName, Lies>> = {
  midtrans: {
    write({ reference, object, claim }) {
      const [status_code, transaction_status] = (
        { paid: ['200', 'settlement'], pending: ['201', 'pending'], expired: ['202', 'expire'] } as const
      )[claim];
      const gross_amount = '361000.00';
      const signature_key = createHash('sha512')
        .update(reference + status_code + gross_amount + GATEWAY_SECRETS.midtrans.serverKey)
        .digest('hex');
      const said = { order_id: reference, transaction_id: object, transaction_status, status_code, gross_amount };
      return { headers: json, body: JSON.stringify({ ...said, signature_key, currency: 'IDR' }) };
    },
    forge: (sent) => ({ ...sent, body: sent.body.replace(/"signature_key":"./, '"signature_key":"g') }),
  },
  xendit: {
    write({ reference, object, claim }) {
      const status = { paid: 'PAID', pending: 'PENDING', expired: 'EXPIRED' }[claim];
      const body = JSON.stringify({
        id: object,
        external_id: reference,
        status,
        amount: 361_000,
        paid_amount: 361_000,
      });
      return { headers: { ...json, 'x-callback-token': GATEWAY_SECRETS.xendit.callbackToken }, body };
    },
    forge: (sent) => ({ ...sent, headers: { ...sent.headers, 'x-callback-token': 'a guess' } }),
  },
  stripe: {
    write({ reference, object, claim }, at = new Date()) {
      const [type, status, payment_status] = (
        {
          paid: ['checkout.session.completed', 'complete', 'paid'],
          pending: ['checkout.session.async_payment_pending', 'open', 'unpaid'],
          expired: ['checkout.session.expired', 'expired', 'unpaid'],
        } as const
      )[claim];
      const session = {
        id: object,
        object: 'checkout.session',
        client_reference_id: reference,
        status,
        payment_status,
      };
      const payload = JSON.stringify({ id: `evt_${object}`, object: 'event', type, data: { object: session } });
      const { webhookSecret: secret } = GATEWAY_SECRETS.stripe;
      const timestamp = Math.floor(at.getTime() / 1000);
      const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
      return { headers: { ...json, 'stripe-signature': signature }, body: payload };
    },
    forge(sent) {
      const signature = Stripe.webhooks.generateTestHeaderString({ payload: sent.body, secret: 'whsec_a_guess' });
      return { ...sent, headers: { ...sent.headers, 'stripe-signature': signature } };
    },
  },
  billplz: {
    write({ reference, object, claim }) {
      const state = { paid: 'paid', pending: 'due', expired: 'deleted' }[claim];
      const paid = String(claim === 'paid');
      const amount = '361000';
      const said = { id: object, collection_id: 'x', paid, state, amount, paid_amount: paid === 'true' ? amount : '0' };
      const text = Object.entries(said)
        .map(([name, value]) => name + value)
        .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
        .join('|');
      const x_signature = createHmac('sha256', GATEWAY_SECRETS.billplz.xSignatureKey).update(text).digest('hex');
      return {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ ...said, x_signature }).toString(),
        query: `?reference=${reference}`,
      };
    },
    forge: (sent) => ({ ...sent, body: sent.body.replace(/x_signature=.{8}/, 'x_signature=00000000') }),
  },
};

/** What a signature holds together: where nothing is signed, only a look-up tells. */
const SIGNS_BODY: Readonly<Record<GatewayName, boolean>> = {
  midtrans: true,
  xendit: false,
  stripe: true,
  billplz: true,
};

describe('lies about payments', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let story: Story;

  before(async () => {
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const db = () => system.database.db;

  async function send(gateway: GatewayName, { headers, body, query = '' }: Sent): Promise<number> {
    const answer = await fetch(`${system.api.url}/webhooks/${gateway}${query}`, { method: 'POST', headers, body });
    await answer.arrayBuffer();
    return answer.status;
  }
  const paymentOf = (reference: string) =>
    db()('payments').where({ gateway_reference: reference }).first('id', 'state', 'invoice_id', 'paid_minor');
  const notesOf = (reference: string) => db()('payment_inbox').where({ reference });
  const looked = (reference: string) =>
    eventually(`${reference} to be looked into`, async () => {
      const notes = await notesOf(reference);
      return notes.length > 0 && notes.every(({ handled_at }) => handled_at !== null);
    });
  async function opened(gateway: GatewayName): Promise<string> {
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    const invoiceId = await story.invoiceOf(id);
    // No licence is priced in ringgit: the invoice is, for once.
    if (gateway === 'billplz') await db()('invoices').where({ id: invoiceId }).update({ currency: 'MYR' });
    return (await story.openPayment(id, gateway)).reference;
  }
  const stateOf = async (reference: string): Promise<string> => (await paymentOf(reference)).state;
  const capturesOf = async (reference: string): Promise<number> => {
    const { id } = await paymentOf(reference);
    return (await db()('ledger_entries').where({ payment_id: id, kind: 'captured' })).length;
  };

  for (const gateway of ['midtrans', 'xendit', 'stripe', 'billplz'] as const) {
    const { write, forge } = LIARS[gateway];

    describe(`of ${gateway}`, () => {
      let unpaid: string;
      let paid: string;
      const object = () => `obj-${randomUUID()}`;

      before(async () => {
        [unpaid, paid] = await Promise.all([opened(gateway), opened(gateway)]);
        await story.sandbox(paid, 'pay', '?webhook=none');
        assert.equal(await send(gateway, write({ reference: paid, object: object(), claim: 'paid' })), 200);
        await eventually('it to be paid', async () => (await stateOf(paid)) === 'paid');
        await looked(paid);
      });
      /** Nothing that pays is recorded, and nothing that was is undone. */
      const unmoved = async () => {
        assert.equal(await stateOf(unpaid), 'pending');
        assert.equal(await stateOf(paid), 'paid');
        assert.deepEqual([await capturesOf(unpaid), await capturesOf(paid)], [0, 1]);
      };

      it('with another signature are refused, and leave no trace', async () => {
        assert.equal(await send(gateway, forge(write({ reference: unpaid, object: object(), claim: 'paid' }))), 401);
        assert.equal((await notesOf(unpaid)).length, 0);
        await unmoved();
      });
      it('cut off on the way are refused, and leave no trace', async () => {
        const sent = write({ reference: unpaid, object: object(), claim: 'paid' });
        for (const length of [0, 1, Math.floor(sent.body.length / 2), sent.body.length - 1]) {
          const status = await send(gateway, { ...sent, body: sent.body.slice(0, length) });
          assert.ok(status === 400 || status === 401, `${length}: ${status}`);
        }
        assert.equal((await notesOf(unpaid)).length, 0);
        await unmoved();
      });
      it('under the signature of another body are refused, or found out by asking', async () => {
        const genuine = write({ reference: paid, object: object(), claim: 'pending' });
        const claimed = write({ reference: unpaid, object: object(), claim: 'paid' });
        const sent = swapped(gateway, genuine, claimed);
        assert.equal(await send(gateway, sent), SIGNS_BODY[gateway] ? 401 : 200);
        if (!SIGNS_BODY[gateway]) await looked(unpaid);
        await unmoved();
      });
      it('in the gateway’s own hand, that say paid of what is not, are found out by asking', async () => {
        assert.equal(await send(gateway, write({ reference: unpaid, object: object(), claim: 'paid' })), 200);
        await looked(unpaid);
        await unmoved();
      });
      for (const claim of ['pending', 'expired'] as const) {
        it(`that come late and say ${claim} of what is paid undo nothing`, async () => {
          assert.equal(await send(gateway, write({ reference: paid, object: object(), claim })), 200);
          await looked(paid);
          await unmoved();
        });
      }
      it('that repeat the truth twenty times at once are one notice and one payment', async () => {
        const name = object();
        const sent = write({ reference: paid, object: name, claim: 'paid' });
        const answers = await Promise.all(Array.from({ length: 20 }, () => send(gateway, sent)));
        assert.deepEqual([...new Set(answers)], [200]);
        assert.equal((await db()('payment_inbox').where({ object_id: name })).length, 1);
        await looked(paid);
        await unmoved();
      });
      it('about another merchant’s payment are a case for finance, once', async () => {
        const [reference, name] = [`theirs-${randomUUID().slice(0, 8)}`, object()];
        const sent = write({ reference, object: name, claim: 'paid' });
        assert.deepEqual([await send(gateway, sent), await send(gateway, sent)], [200, 200]);
        assert.equal((await notesOf(reference)).length, 1);
        const cases = await db()('payment_cases').where({ reference, gateway });
        assert.deepEqual(
          cases.map(({ kind, payment_id }) => [kind, payment_id]),
          [['unknown_object', null]],
        );
        await unmoved();
      });
      it('that name one gateway’s payment at another’s address move nothing', async () => {
        const other: GatewayName = gateway === 'midtrans' ? 'xendit' : 'midtrans';
        const sent = LIARS[other].write({ reference: unpaid, object: object(), claim: 'paid' });
        assert.equal(await send(other, sent), 200);
        const [note] = await notesOf(unpaid).where({ gateway: other });
        assert.equal(note?.payment_id, null);
        await unmoved();
      });
      if (gateway !== 'stripe') return;
      it('that were signed ten minutes ago are refused', async () => {
        const old = new Date(Date.now() - 600_000);
        const name = object();
        assert.equal(await send(gateway, write({ reference: unpaid, object: name, claim: 'paid' }, old)), 401);
        assert.equal((await db()('payment_inbox').where({ object_id: name })).length, 0);
        await unmoved();
      });
    });
  }
});

/** The claimed words with the genuine signature, which stands in the body or, at Xendit, signs nothing. */
function swapped(gateway: GatewayName, genuine: Sent, claimed: Sent): Sent {
  switch (gateway) {
    case 'xendit':
    case 'stripe':
      return { ...claimed, headers: genuine.headers };
    case 'midtrans': {
      const signature = /"signature_key":"[0-9a-f]+"/.exec(genuine.body)?.[0] ?? '';
      return { ...claimed, body: claimed.body.replace(/"signature_key":"[0-9a-f]+"/, signature) };
    }
    case 'billplz': {
      const signature = /x_signature=[0-9a-f]+/.exec(genuine.body)?.[0] ?? '';
      return { ...claimed, body: claimed.body.replace(/x_signature=[0-9a-f]+/, signature) };
    }
  }
}
