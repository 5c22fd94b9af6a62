import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { asId, type InvoiceId } from '../../domain/ids.ts';
import { paymentId } from '../../workflows/ids.ts';
import { MIDTRANS_SERVER_KEY, mailbox } from '../support/machine.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

describe('from approval to an active licence', () => {
  let system: TestSystem;
  let story: Story;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const count = async (table: string, where: Record<string, unknown>): Promise<number> =>
    Number((await system.database.db(table).where(where).count<{ count: bigint }[]>())[0]?.count);
  const letters = (id: string, template: string) =>
    count('mail_deliveries', { application_id: id, template, state: 'sent' });
  const awaitingPayment = async () => {
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    const invoiceId = await story.invoiceOf(id);
    return { id, invoiceId, payment: await story.openPayment(id) };
  };
  const collection = (invoiceId: string) => paymentId(asId<InvoiceId>(invoiceId));
  const hasLapsed = async (id: string) => {
    await travel(system.client, collection(await story.invoiceOf(id)), 7.1 * DAY);
    await story.reaches(id, 'lapsed_unpaid');
  };

  together({
    'activates once though the gateway reports twice': async () => {
      const { id, payment } = await awaitingPayment();
      await story.sandbox(payment.reference, 'pay', '?webhook=twice');
      await story.reaches(id, 'active');
      assert.equal(await count('licenses', { application_id: id }), 1);
      await eventually('the letter', async () => (await letters(id, 'license_issued')) === 1);
    },

    'activates when the report comes late': async () => {
      const { id, payment } = await awaitingPayment();
      await story.sandbox(payment.reference, 'pay', '?webhook=late&delayMs=300');
      await story.reaches(id, 'active');
    },

    'finds out by itself when no report ever comes': async () => {
      const { id, invoiceId, payment } = await awaitingPayment();
      await story.sandbox(payment.reference, 'pay', '?webhook=none');
      assert.equal((await story.status(id)).state, 'pending_payment');
      await travel(system.client, collection(invoiceId), 40);
      await story.reaches(id, 'active');
      assert.equal(await count('payment_inbox', { reference: payment.reference }), 0);
    },

    'activates once under fifty copies of the same report at once': async () => {
      const { id, payment } = await awaitingPayment();
      await story.sandbox(payment.reference, 'pay', '?webhook=none');
      const body = JSON.stringify(notification(payment.reference, '50000.00'));
      const send = () =>
        fetch(`${system.api.url}/webhooks/midtrans`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
      const answers = await Promise.all(Array.from({ length: 50 }, send));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      await story.reaches(id, 'active');
      assert.equal(await count('payment_inbox', { reference: payment.reference }), 1);
      assert.equal(await count('licenses', { application_id: id }), 1);
      assert.equal(await count('events', { application_id: id, type: 'license.issued' }), 1);
      assert.equal(await count('events', { application_id: id, type: 'invoice.paid' }), 1);
    },

    'believes no report that the gateway does not confirm': async () => {
      const { id, payment } = await awaitingPayment();
      const body = JSON.stringify(notification(payment.reference, '50000.00'));
      const answer = await fetch(`${system.api.url}/webhooks/midtrans`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      assert.equal(answer.status, 200);
      await eventually(
        'the notice to be handled',
        async () =>
          (await count('payment_inbox', { reference: payment.reference })) === 1 &&
          (await system.database
            .db('payment_inbox')
            .where({ reference: payment.reference })
            .whereNotNull('handled_at')
            .first('id')) !== undefined,
      );
      assert.equal((await story.status(id)).state, 'pending_payment');
    },

    'gives the same pay page again while it is open': async () => {
      const { id, payment } = await awaitingPayment();
      const again = await story.openPayment(id);
      assert.equal(again.redirectUrl, payment.redirectUrl);
      assert.equal(again.paymentId, payment.paymentId);
    },

    'reminds on day 3 and 6 and lapses on day 7': async () => {
      const id = await story.submitted('retail_kiosk');
      const invoiceId = await story.invoiceOf(id);
      await eventually('its collection', async () => (await letters(id, 'invoice_issued')) === 1);
      await travel(system.client, collection(invoiceId), 3.1 * DAY);
      await eventually('the first reminder', async () => (await letters(id, 'payment_reminder')) === 1);
      await travel(system.client, collection(invoiceId), 3 * DAY);
      await eventually('the second reminder', async () => (await letters(id, 'payment_reminder')) === 2);
      await travel(system.client, collection(invoiceId), 1 * DAY);
      const ended = await story.reaches(id, 'lapsed_unpaid');
      assert.equal(ended.invoice?.state, 'lapsed');
      await eventually('the letter of the lapse', async () => (await letters(id, 'application_lapsed_unpaid')) === 1);
      const answer = await story.call('POST', `invoices/${invoiceId}/pay`, {
        as: 'owner',
        body: { gateway: 'midtrans' },
      });
      assert.equal(answer.status, 409);
      assert.match(JSON.stringify(answer.body), /invoice_not_open/);
    },

    'records money that comes after the lapse, tells finance, and activates nothing': async () => {
      const { id, invoiceId, payment } = await awaitingPayment();
      await hasLapsed(id);
      await story.sandbox(payment.reference, 'pay-late');
      const found = await eventually('a case for finance', async () =>
        system.database.db('payment_cases').where({ invoice_id: invoiceId }).first('kind', 'amount_minor'),
      );
      assert.deepEqual(found, { kind: 'late', amount_minor: 55_500n });
      await eventually('a letter to finance', async () => (await letters(id, 'payment_late')) === 1);
      assert.equal((await story.status(id)).state, 'lapsed_unpaid');
      const listed = z
        .object({ items: z.array(z.looseObject({ kind: z.string(), invoiceId: z.string().nullable() })) })
        .parse((await story.expect(200, story.call('GET', 'admin/reconciliation', { as: 'finance' }))).body);
      assert.ok(listed.items.some((item) => item.kind === 'late' && item.invoiceId === invoiceId));
    },

    'notices late money even when no report of it ever comes': async () => {
      const id = await story.submitted('retail_kiosk');
      const invoiceId = await story.invoiceOf(id);
      await eventually('its collection', async () => (await letters(id, 'invoice_issued')) === 1);
      await travel(system.client, collection(invoiceId), 6.5 * DAY);
      const payment = await story.openPayment(id);
      await travel(system.client, collection(invoiceId), 1 * DAY);
      await story.reaches(id, 'lapsed_unpaid');
      await story.sandbox(payment.reference, 'pay-late', '?webhook=none');
      await travel(system.client, collection(invoiceId), 2 * DAY);
      await eventually(
        'a case for finance',
        async () => (await count('payment_cases', { invoice_id: invoiceId })) === 1,
      );
    },

    'a report that comes when the collection has long ended wakes it again': async () => {
      const { id, invoiceId, payment } = await awaitingPayment();
      await hasLapsed(id);
      await system.client.workflow.getHandle(collection(invoiceId)).result();
      await story.sandbox(payment.reference, 'pay-late');
      await eventually(
        'a case for finance',
        async () => (await count('payment_cases', { invoice_id: invoiceId })) === 1,
      );
      assert.equal((await story.status(id)).state, 'lapsed_unpaid');
    },

    'stores a certificate that stays byte-identical': async () => {
      const { id, payment } = await awaitingPayment();
      await story.sandbox(payment.reference, 'pay');
      const { license } = await story.reaches(id, 'active');
      assert.ok(license);
      const read = async () => {
        const answer = await fetch(`${system.api.url}/api/v1/licenses/${license.id}/certificate`, {
          headers: await system.as('owner'),
        });
        return answer.status === 200
          ? createHash('sha256')
              .update(Buffer.from(await answer.arrayBuffer()))
              .digest('hex')
          : null;
      };
      const first = await eventually('the certificate', read);
      const stored: { certificate_sha256: string } | undefined = await system.database
        .db('licenses')
        .where({ id: license.id })
        .first('certificate_sha256');
      assert.equal(first, stored?.certificate_sha256);
      assert.equal(await read(), first);
    },
  });

  it('opens the page again under the same reference when the answer to its creation was lost', async () => {
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    await fault({ operation: 'create', kind: '5xx_after', times: 1 });
    const payment = await story.openPayment(id);
    assert.equal(await count('payments', { invoice_id: await story.invoiceOf(id) }), 1);
    await story.sandbox(payment.reference, 'pay');
    await story.reaches(id, 'active');
  });

  it('records late money while its letters wait for a mail server that is away', async function () {
    this.timeout(60_000);
    const { id, invoiceId, payment } = await awaitingPayment();
    await travel(system.client, collection(invoiceId), 6.5 * DAY);
    const box = await mailbox();
    await box.setAvailable(false);
    // A letter that waits is work under way, at which time travel stops.
    const travelled = travel(system.client, collection(invoiceId), 5 * DAY).catch(() => undefined);
    try {
      await story.reaches(id, 'lapsed_unpaid');
      await story.sandbox(payment.reference, 'pay-late');
      await eventually(
        'a case for finance',
        async () => (await count('payment_cases', { invoice_id: invoiceId })) === 1,
      );
      assert.equal(await letters(id, 'application_lapsed_unpaid'), 0);
    } finally {
      await box.setAvailable(true);
    }
    await eventually('the letters', async () => (await letters(id, 'payment_late')) === 1, 25_000);
    await travelled;
  });

  const fault = async (body: Record<string, unknown>) => {
    const answer = await fetch(`${system.sandboxUrl}/_sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, await answer.text());
  };
});

/** As Midtrans signs it. */
function notification(orderId: string, grossAmount: string) {
  const statusCode = '200';
  return {
    order_id: orderId,
    status_code: statusCode,
    gross_amount: grossAmount,
    transaction_id: orderId,
    transaction_status: 'settlement',
    payment_type: 'bank_transfer',
    signature_key: createHash('sha512')
      .update(`${orderId}${statusCode}${grossAmount}${MIDTRANS_SERVER_KEY}`)
      .digest('hex'),
  };
}
