import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { applyToInvoice, lapseInvoice } from '../../db/invoice-payments.ts';
import { postEntry } from '../../db/ledger.ts';
import { asId, type CompanyId, type InvoiceId } from '../../domain/ids.ts';
import { suspenseApplied, suspenseReleased } from '../../domain/ledger.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import type { GatewayName } from '../../domain/payments.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { paymentId, refundId } from '../../workflows/ids.ts';
import {
  lookAgainSignal,
  type PayRequest,
  payUpdate,
  payWithCreditUpdate,
  type VoidRequest,
  voidUpdate,
} from '../../workflows/messages.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

const OWNER = demoUserId('owner');
/** Of a kiosk: 50.000 and 11 % of it. */
const TOTAL = 55_500n;
const HALVES = [
  { percent: 50, dueAfterDays: 2 },
  { percent: 50, dueAfterDays: 7 },
];

describe('paying an invoice', () => {
  let system: TestSystem;
  let story: Story;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const collection = (invoiceId: string) => system.client.workflow.getHandle(paymentId(asId<InvoiceId>(invoiceId)));
  const count = async (table: string, where: Record<string, unknown>): Promise<number> =>
    Number((await db()(table).where(where).count<{ count: bigint }[]>())[0]?.count);
  const letters = (id: string, template: string) =>
    count('mail_deliveries', { application_id: id, template, state: 'sent' });

  /** A kiosk licence with another policy. */
  const kiosk = async (changes: Partial<LicensePolicy['payment']>, fee?: LicensePolicy['fee']): Promise<string> => {
    const code = `kiosk_${randomBytes(4).toString('hex')}`;
    const type = await db()('license_types').where({ code: 'retail_kiosk' }).first();
    const known = await db()('license_policies').where({ type_code: 'retail_kiosk' }).first();
    const { policy, form_schema, example_form } = known;
    const payment = { remindAfterDays: [], lapseAfterDays: 7, ...changes };
    await db()('license_types').insert({ ...type, code, name: JSON.stringify(type.name) });
    await db()('license_policies').insert({
      ...known,
      id: randomUUID(),
      type_code: code,
      policy: JSON.stringify({ ...policy, payment, ...(fee ? { fee } : {}) }),
      form_schema: JSON.stringify(form_schema),
      example_form: JSON.stringify(example_form),
    });
    return code;
  };
  const billed = async (code = 'retail_kiosk') => {
    const id = await story.submitted(code);
    await story.reaches(id, 'pending_payment');
    return { id, invoiceId: await story.invoiceOf(id) };
  };
  const payable = async (code?: string, gateway: GatewayName = 'midtrans') => {
    const made = await billed(code);
    return { ...made, ...(await story.openPayment(made.id, gateway)) };
  };
  const invoiceNow = async (invoiceId: string): Promise<{ state: string; paid_minor: bigint }> =>
    db()('invoices').where({ id: invoiceId }).first('state', 'paid_minor');
  const invoiceIs = (invoiceId: string, state: string) =>
    eventually(`invoice ${invoiceId} to be ${state}`, async () => (await invoiceNow(invoiceId)).state === state);
  const attemptsOf = async (invoiceId: string) =>
    db()('payments').where({ invoice_id: invoiceId }).orderBy('attempt').select('state', 'amount_minor', 'instalment');
  const casesOf = async (invoiceId: string): Promise<string[]> =>
    db()('payment_cases').where({ invoice_id: invoiceId }).orderBy('opened_at').pluck<string[]>('kind');

  /** What the books say of an account, over all that is about an invoice. */
  const balance = async (invoiceId: string, account: string): Promise<bigint> => {
    const [row]: { sum: bigint | null }[] = await db()('ledger_entries as e')
      .join('ledger_postings as p', 'p.entry_id', 'e.id')
      .where({ 'e.invoice_id': invoiceId, 'p.account': account })
      .select(db().raw('sum(p.amount_minor)::bigint as sum'));
    return row?.sum ?? 0n;
  };
  /** Nothing is owed, and every entry is in balance. */
  const booksAreRight = async (invoiceId: string, suspense = 0n) => {
    assert.equal(await balance(invoiceId, 'receivable'), 0n, 'receivable');
    assert.equal(await balance(invoiceId, 'suspense'), -suspense, 'suspense');
    const off = await db()('ledger_postings')
      .groupBy('entry_id')
      .havingRaw('sum(amount_minor) <> 0')
      .select('entry_id');
    assert.deepEqual(off, []);
  };
  /** As finance does with money that it has found. */
  const paidBySomebodyElse = async (invoiceId: InvoiceId, amountMinor = TOTAL) => {
    const { company_id: companyId } = await db()('invoices').where({ id: invoiceId }).first('company_id');
    const at = new Date().toISOString();
    await db().transaction(async (tx) => {
      const about = { currency: 'IDR', companyId, invoiceId, at } as const;
      const postings = suspenseApplied(amountMinor);
      await postEntry(tx, { key: `test/${invoiceId}`, kind: 'suspense_applied', postings, ...about });
      await applyToInvoice(tx, { invoiceId, amountMinor, at });
    });
  };
  const pay = (invoiceId: string, asked: Partial<PayRequest> = {}) =>
    collection(invoiceId).executeUpdate(payUpdate, {
      args: [{ by: OWNER, gateway: 'midtrans', locale: 'id', ...asked }],
    });
  const voids = (invoiceId: string, asked: Partial<VoidRequest> = {}) =>
    collection(invoiceId).executeUpdate(voidUpdate, {
      args: [{ by: demoUserId('finance'), reason: 'wrong fee', replace: false, ...asked }],
    });
  const refusedWith = (code: string) => (error: unknown) =>
    error instanceof WorkflowUpdateFailedError &&
    error.cause instanceof ApplicationFailure &&
    error.cause.type === code;

  together({
    'goes by instalments to the licence, with a receipt for each': async () => {
      const { id, invoiceId, reference } = await payable(await kiosk({ instalments: HALVES }));
      await story.sandbox(reference, 'pay');
      await eventually('the first half', async () => (await invoiceNow(invoiceId)).paid_minor === TOTAL / 2n);
      assert.equal((await story.status(id)).state, 'pending_payment');
      const second = await eventually('a page for the second half', async () => {
        const opened = await story.openPayment(id);
        return opened.reference === reference ? null : opened;
      });
      await story.sandbox(second.reference, 'pay');
      await story.reaches(id, 'active');
      assert.deepEqual(await attemptsOf(invoiceId), [
        { state: 'paid', amount_minor: TOTAL / 2n, instalment: 1 },
        { state: 'paid', amount_minor: TOTAL / 2n, instalment: 2 },
      ]);
      assert.equal(await count('events', { application_id: id, type: 'invoice.part_paid' }), 1);
      await eventually('both receipts', async () => (await letters(id, 'payment_received')) === 2);
      await booksAreRight(invoiceId);
    },

    'takes all that is left at once where the payer asks for it, though a page for an instalment is open': async () => {
      const { id, invoiceId, reference } = await payable(await kiosk({ instalments: HALVES }));
      await pay(invoiceId, { part: 'all' });
      await story.sandbox(`${invoiceId}-2`, 'pay');
      await story.reaches(id, 'active');
      const [first, second] = await attemptsOf(invoiceId);
      assert.deepEqual([first.state, first.instalment, second.amount_minor], ['expired', 1, TOTAL]);
      assert.notEqual(reference, `${invoiceId}-2`);
      await booksAreRight(invoiceId);
    },

    'closes the page that is open when one that was let go is paid after all': async () => {
      const { id, invoiceId } = await payable(await kiosk({ instalments: HALVES }));
      const isPaidAlthough = async (first: string, second: Partial<PayRequest>) => {
        const { redirectUrl } = await pay(invoiceId, { gateway: 'stripe', ...second });
        await story.sandbox(`${invoiceId}-${first}`, 'pay');
        await eventually(`the page after attempt ${first} to be closed`, async () => {
          const rows = await attemptsOf(invoiceId);
          return rows.at(-1)?.state === 'expired';
        });
        assert.match(await (await fetch(redirectUrl)).text(), /sudah kedaluwarsa/);
      };
      await isPaidAlthough('1', { part: 'all' });
      assert.equal((await invoiceNow(invoiceId)).paid_minor, TOTAL / 2n);
      await pay(invoiceId, { part: 'all' });
      await isPaidAlthough('3', { part: 'next' });
      await story.reaches(id, 'active');
      assert.deepEqual(
        (await attemptsOf(invoiceId)).map(({ state }) => state),
        ['paid', 'expired', 'paid', 'expired'],
      );
      await booksAreRight(invoiceId);
    },

    'reminds of an instalment that is overdue, once, and lapses with a part paid': async () => {
      const thirds = [1, 2, 7].map((dueAfterDays) => ({ percent: dueAfterDays === 7 ? 50 : 25, dueAfterDays }));
      const { id, invoiceId, reference } = await payable(await kiosk({ instalments: thirds }));
      await story.sandbox(reference, 'pay');
      await eventually('the receipt', async () => (await letters(id, 'payment_received')) === 1);
      const paid = (await invoiceNow(invoiceId)).paid_minor;
      await travel(system.client, paymentId(asId<InvoiceId>(invoiceId)), 3 * DAY);
      await eventually('a reminder', async () => (await letters(id, 'payment_reminder')) === 1);
      const overdue = await db()('events').where({ application_id: id, type: 'invoice.overdue' }).pluck('data');
      assert.deepEqual(overdue, [{ instalment: 2 }]);
      await travel(system.client, paymentId(asId<InvoiceId>(invoiceId)), 5 * DAY);
      await story.reaches(id, 'lapsed_unpaid');
      assert.deepEqual(await casesOf(invoiceId), ['short']);
      await booksAreRight(invoiceId, paid);
      assert.equal(await letters(id, 'payment_reminder'), 1);
    },

    'gives odd money back where the policy says so, by a refund of its own': async () => {
      const code = await kiosk({ oddMoney: { twice: 'refund' } });
      const { id, invoiceId, reference } = await payable(code, 'xendit');
      const second = await story.openPayment(id, 'midtrans');
      await story.sandbox(second.reference, 'pay');
      await story.reaches(id, 'active');
      await story.sandbox(reference, 'pay-late');
      const [refund] = await eventually('a refund', async () => {
        const found = await db()('refunds')
          .where({ invoice_id: invoiceId })
          .select('id', 'amount_minor', 'requested_by');
        return found.length > 0 ? found : null;
      });
      assert.deepEqual([refund.amount_minor, refund.requested_by], [TOTAL, null]);
      const running = system.client.workflow.getHandle(refundId(refund.id));
      await eventually('its process', () => running.describe().catch(() => null));
      assert.deepEqual(await casesOf(invoiceId), ['twice']);
    },

    'suspends the licence when the money is taken back, and reinstates it when a dispute is won': async () => {
      const { id, invoiceId, reference } = await payable(undefined, 'stripe');
      await story.sandbox(reference, 'pay');
      const { license } = await story.reaches(id, 'active');
      assert.ok(license);
      const read = async () => {
        const answer = await story.expect(200, story.call('GET', `licenses/${license.id}`, { as: 'owner' }));
        const verified = await fetch(license.verifyUrl, { headers: { accept: 'application/json' } });
        return [answer.body, await verified.json()].map((body) => /"status":"(\w+)"/.exec(JSON.stringify(body))?.[1]);
      };
      await eventually('the certificate', async () => (await letters(id, 'license_issued')) === 1);
      await story.sandbox(reference, 'reverse');
      await invoiceIs(invoiceId, 'reversed');
      assert.deepEqual(await read(), ['suspended', 'suspended']);
      const certificate = await story.call('GET', `licenses/${license.id}/certificate`, { as: 'owner' });
      assert.equal(certificate.status, 200, 'the paper stays what it is; its code leads to the page that says so');
      await story.sandbox(reference, 'unreverse');
      await invoiceIs(invoiceId, 'paid');
      assert.deepEqual(await read(), ['active', 'active']);
      await booksAreRight(invoiceId);
    },

    'tells finance of each of two payments that come late, by a letter each': async () => {
      const { id, invoiceId, reference } = await payable(undefined, 'xendit');
      const second = await story.openPayment(id, 'midtrans');
      await collection(invoiceId).terminate('its time is over');
      await db().transaction((tx) => lapseInvoice(tx, asId<InvoiceId>(invoiceId), new Date().toISOString()));
      for (const [index, late] of [reference, second.reference].entries()) {
        await story.sandbox(late, 'pay-late');
        await eventually('the letter', async () => (await letters(id, 'payment_late')) === index + 1);
      }
      assert.deepEqual(await casesOf(invoiceId), ['late', 'late']);
      await booksAreRight(invoiceId, 2n * TOTAL);
    },

    'a voided invoice takes no money any more, and its case ends': async () => {
      const { id, invoiceId } = await payable();
      assert.deepEqual(await voids(invoiceId), { state: 'void', replacement: null });
      await eventually('the end of the case', async () => {
        const row = await db()('applications').where({ id }).first('state');
        return row.state === 'lapsed_unpaid';
      });
      await eventually('the applicant to be told', async () => (await letters(id, 'invoice_voided')) === 1);
      assert.deepEqual((await attemptsOf(invoiceId))[0].state, 'expired');
      await assert.rejects(pay(invoiceId), refusedWith('invoice_not_open'));
      await booksAreRight(invoiceId);
      await story.sandbox(`${invoiceId}-1`, 'pay');
      await eventually('money for it to be a case', async () => (await casesOf(invoiceId)).includes('late'));
      await booksAreRight(invoiceId, TOTAL);
    },

    'a voided invoice is replaced by another, which leads to the licence': async () => {
      const { id, invoiceId } = await payable();
      const lines = [{ code: 'service_fee', amountMinor: '20000' }] as const;
      const { replacement } = await voids(invoiceId, { replace: true, lines });
      assert.ok(replacement);
      await eventually('the other invoice', async () => (await letters(id, 'invoice_issued')) === 2);
      const { reference } = await story.openPayment(id);
      assert.equal(reference, `${replacement.invoiceId}-1`);
      await story.sandbox(reference, 'pay');
      await story.reaches(id, 'active');
      await booksAreRight(invoiceId);
      await booksAreRight(replacement.invoiceId);
    },

    'an invoice that was paid while it was to be voided is paid': async () => {
      const { id, invoiceId, reference } = await payable();
      await story.sandbox(reference, 'pay', '?webhook=none');
      await assert.rejects(voids(invoiceId), refusedWith('invoice_not_open'));
      await story.reaches(id, 'active');
      await booksAreRight(invoiceId);
    },

    'an invoice of which a part is paid cannot be voided': async () => {
      const { invoiceId, reference } = await payable(await kiosk({ instalments: HALVES }));
      await story.sandbox(reference, 'pay');
      await eventually('the first half', async () => (await invoiceNow(invoiceId)).paid_minor > 0n);
      await eventually('the process to know', () =>
        voids(invoiceId).then(
          () => assert.fail('it was voided'),
          (error: unknown) => refusedWith('invoice_part_paid')(error),
        ),
      );
    },

    'leads to the licence in ringgit, at each gateway that takes them': async () => {
      const code = await kiosk({}, { statutoryMinor: '5000', serviceMinor: '10000', currency: 'MYR' });
      for (const gateway of ['billplz', 'stripe'] as const) {
        const { id, invoiceId, reference } = await payable(code, gateway);
        await story.sandbox(reference, 'pay');
        await story.reaches(id, 'active');
        await eventually('the receipt', async () => (await letters(id, 'payment_received')) === 1);
        const [attempt] = await db()('payments').where({ invoice_id: invoiceId }).select('paid_minor', 'paid_currency');
        assert.deepEqual(attempt, { paid_minor: 16_100n, paid_currency: 'MYR' });
        await booksAreRight(invoiceId);
      }
    },

    'notices that somebody else has paid the invoice, also where nobody was collecting any more': async () => {
      for (const isCollecting of [true, false]) {
        const { id, invoiceId } = await payable();
        if (!isCollecting) await collection(invoiceId).terminate('the process is gone');
        await paidBySomebodyElse(asId<InvoiceId>(invoiceId));
        await system.client.workflow.signalWithStart('invoicePayment', {
          workflowId: paymentId(asId<InvoiceId>(invoiceId)),
          taskQueue: system.taskQueue,
          args: [{ invoiceId }],
          signal: lookAgainSignal,
        });
        await story.reaches(id, 'active');
        assert.deepEqual((await attemptsOf(invoiceId))[0].state, 'expired', 'the page that was open is closed');
        await booksAreRight(invoiceId, -TOTAL);
      }
    },

    'closes a page that asks for more than somebody else has left to pay, though a part was paid before': async () => {
      const { invoiceId, reference } = await payable(await kiosk({ instalments: HALVES }));
      await story.sandbox(reference, 'pay');
      await eventually('the first half', async () => (await invoiceNow(invoiceId)).paid_minor > 0n);
      await pay(invoiceId, { gateway: 'stripe' });
      await paidBySomebodyElse(asId<InvoiceId>(invoiceId), TOTAL / 5n);
      await collection(invoiceId).signal(lookAgainSignal);
      await eventually('the page to be closed', async () => (await attemptsOf(invoiceId))[1].state === 'expired');
    },

    'closes a page of an invoice that was paid otherwise when its turn to be asked about comes': async () => {
      const { invoiceId } = await payable(undefined, 'stripe');
      await collection(invoiceId).terminate('the process is gone');
      await paidBySomebodyElse(asId<InvoiceId>(invoiceId));
      await system.client.workflow.start('invoicePayment', {
        workflowId: paymentId(asId<InvoiceId>(invoiceId)),
        taskQueue: system.taskQueue,
        args: [{ invoiceId: asId<InvoiceId>(invoiceId) }],
      });
      await travel(system.client, paymentId(asId<InvoiceId>(invoiceId)), 60);
      await eventually('the page to be closed', async () => (await attemptsOf(invoiceId))[0].state === 'expired');
    },
  });

  it('is paid with store credit, as far as that goes, after the open page was ended', async () => {
    const company = asId<CompanyId>(await story.companyId());
    const give = (amountMinor: bigint) =>
      db().transaction((tx) =>
        postEntry(tx, {
          key: `test/${randomUUID()}`,
          kind: 'suspense_released',
          currency: 'IDR',
          postings: suspenseReleased(amountMinor, 'store_credit'),
          companyId: company,
          at: new Date().toISOString(),
        }),
      );
    const { id, invoiceId } = await payable();
    const useCredit = (updateId: string) =>
      collection(invoiceId).executeUpdate(payWithCreditUpdate, { updateId, args: [{ by: OWNER }] });
    await assert.rejects(useCredit('none'), refusedWith('no_store_credit'));
    await give(20_000n);
    assert.deepEqual(await useCredit('one'), { appliedMinor: '20000', invoiceState: 'open' });
    assert.deepEqual(await useCredit('one'), { appliedMinor: '20000', invoiceState: 'open' });
    await pay(invoiceId);
    const attempts = await attemptsOf(invoiceId);
    assert.deepEqual([attempts[0].state, attempts.at(-1).amount_minor], ['expired', TOTAL - 20_000n]);
    await give(100_000n);
    assert.deepEqual(await useCredit('two'), { appliedMinor: '35500', invoiceState: 'paid' });
    await story.reaches(id, 'active');
    await booksAreRight(invoiceId);
    assert.equal(await balance(invoiceId, 'store_credit'), TOTAL);
  });

  it('that is taken back before the licence is issued brings none, until the money is back', async () => {
    const { id, invoiceId, reference } = await payable(undefined, 'stripe');
    // What the licence is issued from cannot be read for a moment.
    const held = await db().transaction();
    await held.raw('lock table offices in access exclusive mode');
    await story.sandbox(reference, 'pay');
    await invoiceIs(invoiceId, 'paid');
    await story.sandbox(reference, 'reverse');
    await invoiceIs(invoiceId, 'reversed');
    await held.commit();
    const activation = system.client.workflow.getHandle(`activation/${id}`);
    await eventually('the activation to wait', async () =>
      JSON.stringify(await activation.query('__temporal_workflow_metadata')).includes('taken back'),
    );
    assert.equal(await count('licenses', { application_id: id }), 0);
    await story.sandbox(reference, 'unreverse');
    await story.reaches(id, 'active');
    await booksAreRight(invoiceId);
  });
});
