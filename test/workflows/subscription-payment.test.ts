import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { createInvoiceActivities } from '../../activities/invoices.ts';
import { addCard, findCardSetup, insertCardSetup, noteSetupOpened, removeCard } from '../../db/payment-methods.ts';
import { asId, type CompanyId, type PaymentMethodId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import type { TestCard } from '../../local/gateways/stripe/setups.ts';
import { paymentId } from '../../workflows/ids.ts';
import {
  chargeCardSignal,
  lookAgainSignal,
  type PaymentInput,
  payUpdate,
  voidUpdate,
} from '../../workflows/messages.ts';
import { aCompany } from '../builders/licensing.ts';
import { aSubscriptionInvoice, type OfSubscription, PLAN_TOTAL, planLine } from '../builders/subscription-invoices.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

const OWNER = demoUserId('owner');

describe('paying an invoice of a subscription', () => {
  let system: TestSystem;
  let story: Story;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const process = ({ invoiceId }: OfSubscription) => system.client.workflow.getHandle(paymentId(invoiceId));
  const issued = async (lines = [planLine(100_000)]) => {
    const companyId = await aCompany(db(), OWNER);
    const at = new Date().toISOString();
    const invoice = await aSubscriptionInvoice(db(), { companyId, by: OWNER, lines, at, dueAt: at });
    const { invoiceId, subscriptionId } = invoice;
    const input: PaymentInput = { invoiceId, subscriptionId };
    await system.client.workflow.start('invoicePayment', {
      workflowId: paymentId(invoiceId),
      taskQueue: system.taskQueue,
      args: [input],
    });
    return { ...invoice, companyId };
  };
  const pay = (invoice: OfSubscription) =>
    process(invoice).executeUpdate(payUpdate, { args: [{ by: OWNER, gateway: 'midtrans', locale: 'id' }] });
  const attemptsOf = ({ invoiceId }: OfSubscription): Promise<{ state: string; gateway_reference: string }[]> =>
    db()('payments').where({ invoice_id: invoiceId }).orderBy('attempt').select('state', 'gateway_reference');
  const stateOf = async ({ invoiceId }: OfSubscription): Promise<string> =>
    (await db()('invoices').where({ id: invoiceId }).first('state')).state;
  const is = (invoice: OfSubscription, state: string) =>
    eventually(`the invoice to be ${state}`, async () => (await stateOf(invoice)) === state);

  /** What the process said to `subscription/<id>`, in order; nobody is there to hear it. */
  const toldTo = async (invoice: OfSubscription): Promise<[string, unknown][]> => {
    const { events = [] } = await process(invoice).fetchHistory();
    return (events ?? []).flatMap(({ signalExternalWorkflowExecutionInitiatedEventAttributes: said }) => {
      const [payload] = said?.input?.payloads ?? [];
      if (!said?.signalName || !payload) return [];
      assert.equal(said.workflowExecution?.workflowId, `subscription/${invoice.subscriptionId}`);
      return [[said.signalName, defaultPayloadConverter.fromPayload(payload)]];
    });
  };
  const hears = (invoice: OfSubscription, signal: string) =>
    eventually(
      `the subscription to hear ${signal}`,
      async () => (await toldTo(invoice)).find(([name]) => name === signal)?.[1],
    );

  const cardOf = async (companyId: CompanyId, number: TestCard): Promise<PaymentMethodId> => {
    const id = asId<PaymentMethodId>(randomUUID());
    const cards = system.deps.gateways.stripe?.cards;
    assert.ok(cards);
    const [at, expiresAt] = [new Date().toISOString(), new Date(Date.now() + 3_600_000).toISOString()];
    await insertCardSetup(db(), { id, companyId, by: OWNER, at, expiresAt });
    const request = { id, companyId, customer: null, locale: 'id', finishUrl: system.api.url, expiresAt } as const;
    const opened = await cards.openSetup(request);
    await noteSetupOpened(db(), id, opened);
    await fetch(`${opened.url}/card`, { method: 'POST', body: new URLSearchParams({ card: number }) });
    const { card } = await cards.lookUpSetup(opened.session);
    assert.ok(card);
    await db().transaction(async (tx) => addCard(tx, await findCardSetup(tx, id), card, at));
    return id;
  };
  const charge = (invoice: OfSubscription, paymentMethodId: PaymentMethodId, number = 1) =>
    process(invoice).signal(chargeCardSignal, { paymentMethodId, try: number });
  const billedWithCard = async (number: TestCard) => {
    const invoice = await issued();
    return { invoice, card: await cardOf(invoice.companyId, number) };
  };

  together({
    'is told to the subscription, with a receipt by the outbox and no case': async () => {
      const invoice = await issued([planLine(150_000), planLine(-50_000)]);
      await pay(invoice);
      const [attempt] = await attemptsOf(invoice);
      await story.sandbox(attempt?.gateway_reference ?? '', 'pay');
      assert.deepEqual(await hears(invoice, 'invoiceClosed'), { invoiceId: invoice.invoiceId, outcome: 'paid' });
      const letter = await eventually('the letter', () =>
        db()('account_letters').where({ template: 'subscription_payment_received', user_id: OWNER }).first(),
      );
      const receipt = await db()('receipts').where({ payment_id: letter.data.paymentId }).first();
      assert.ok(receipt.pdf_sha256, 'the letter is written once its PDF is stored');
      assert.equal(receipt.amount_minor, PLAN_TOTAL);
      await process(invoice).result();
    },

    'never lapses by itself, is closed by its subscription, and money that comes later is a case': async () => {
      const invoice = await issued();
      await pay(invoice);
      const [attempt] = await attemptsOf(invoice);
      await travel(system.client, paymentId(invoice.invoiceId), 40 * DAY);
      assert.equal(await stateOf(invoice), 'open');
      const { closeUnpaid } = createInvoiceActivities(system.deps);
      const closing = { invoiceId: invoice.invoiceId, at: new Date().toISOString() };
      assert.deepEqual(await closeUnpaid(closing), { state: 'lapsed' });
      assert.deepEqual(await closeUnpaid(closing), { state: 'lapsed' }, 'a repeat changes nothing');
      await process(invoice).signal(lookAgainSignal);
      await process(invoice).result();
      await story.sandbox(attempt?.gateway_reference ?? '', 'pay-late');
      const late = await eventually('the case', () =>
        db()('payment_cases').where({ invoice_id: invoice.invoiceId, kind: 'late' }).first(),
      );
      assert.deepEqual([late.amount_minor, late.application_id], [PLAN_TOTAL, null]);
      assert.equal(await stateOf(invoice), 'lapsed');
    },

    'is not voided by hand': async () => {
      const invoice = await issued();
      const asked = { by: demoUserId('finance'), reason: 'wrong', replace: false };
      await assert.rejects(
        process(invoice).executeUpdate(voidUpdate, { args: [asked] }),
        (error: unknown) =>
          error instanceof WorkflowUpdateFailedError &&
          error.cause instanceof ApplicationFailure &&
          error.cause.type === 'invoice_of_subscription',
      );
      assert.equal(await stateOf(invoice), 'open');
    },

    'is taken from the card on file, once a try': async () => {
      const { invoice, card } = await billedWithCard('4242');
      await Promise.all([charge(invoice, card), charge(invoice, card)]);
      await is(invoice, 'paid');
      assert.deepEqual(await hears(invoice, 'invoiceClosed'), { invoiceId: invoice.invoiceId, outcome: 'paid' });
      await process(invoice).result();
      assert.deepEqual(
        (await attemptsOf(invoice)).map(({ state }) => state),
        ['paid'],
      );
      assert.ok(await db()('receipts').where({ invoice_id: invoice.invoiceId }).first());
    },

    'is told as declined, with whether another try may change that; and the payer can still pay': async () => {
      const { invoice, card } = await billedWithCard('4444');
      const { invoiceId } = invoice;
      await charge(invoice, card);
      const told = { invoiceId, code: 'insufficient_funds', mayChange: true, try: 1 };
      assert.deepEqual(await hears(invoice, 'cardDeclined'), told);
      const stolen = await cardOf(invoice.companyId, '9979');
      await charge(invoice, stolen, 2);
      await eventually('the second answer', async () => (await toldTo(invoice)).length === 2);
      assert.deepEqual((await toldTo(invoice))[1], [
        'cardDeclined',
        { invoiceId, code: 'stolen_card', mayChange: false, try: 2 },
      ]);
      await pay(invoice);
      await charge(invoice, card, 3);
      await is(invoice, 'paid');
      assert.deepEqual(
        (await attemptsOf(invoice)).map(({ state }) => state),
        ['failed', 'failed', 'expired', 'paid'],
      );
    },

    'is not taken from a card that was removed, or is another company’s': async () => {
      const { invoice, card } = await billedWithCard('4242');
      const foreign = await cardOf(await aCompany(db(), OWNER), '4242');
      await db().transaction((tx) =>
        removeCard(tx, { id: card, companyId: invoice.companyId, by: OWNER, at: new Date().toISOString() }),
      );
      for (const [number, id] of [card, foreign].entries()) await charge(invoice, id, number + 1);
      await eventually('both answers', async () => (await toldTo(invoice)).length === 2);
      const declined = { invoiceId: invoice.invoiceId, code: 'no_card_on_file', mayChange: false };
      assert.deepEqual(await toldTo(invoice), [
        ['cardDeclined', { ...declined, try: 1 }],
        ['cardDeclined', { ...declined, try: 2 }],
      ]);
      assert.deepEqual(await attemptsOf(invoice), []);
    },

    'of which the gateway loses the answer is asked for again, and charged once': async () => {
      const { invoice, card } = await billedWithCard('4242');
      const fault = { operation: 'create', kind: '5xx_after', gateway: 'stripe', reference: `${invoice.invoiceId}-1` };
      await fetch(`${system.sandboxUrl}/_sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(fault),
      });
      await charge(invoice, card);
      await is(invoice, 'paid');
      assert.equal((await attemptsOf(invoice)).length, 1);
      const entries = await db()('ledger_entries').where({ invoice_id: invoice.invoiceId, kind: 'captured' });
      assert.equal(entries.length, 1);
    },
  });
});
