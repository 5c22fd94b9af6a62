import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { GatewayError, type ListedPayment, type PaymentGateway } from '../../activities/gateways/gateway.ts';
import { createReconciliationActivities, type Walked } from '../../activities/reconciliation.ts';
import { resolveCase } from '../../db/case-resolutions.ts';
import { postEntry } from '../../db/ledger.ts';
import { asId, type CompanyId, type PaymentCaseId, type RefundId, type UserId } from '../../domain/ids.ts';
import { rupiah } from '../../domain/money.ts';
import type { GatewayName, GatewayPayment } from '../../domain/payments.ts';
import { walkedSpan } from '../../domain/reconciliation.ts';
import { aBookedInvoice, aCapture, aTakeBack, type Captured } from '../builders/books.ts';
import { aCompany, anInvoice, aPayment, aUser } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';

const DAY = '2026-03-10';
const PAID_AT = '2026-03-10T05:00:00.000Z';
const NIGHT = '2026-03-10T19:00:00.000Z';

/** A gateway that says what it is told to; what it was asked stands in `asked`. */
function gatewayThatSays(name: GatewayName, listed: readonly ListedPayment[] | null) {
  const said = new Map<string, GatewayPayment>();
  const asked: string[] = [];
  const pages: (string | null)[] = [];
  let beforePage: (page: number) => void = () => undefined;
  const never = async () => assert.fail('not asked for here');
  const gateway: PaymentGateway = {
    name,
    create: never,
    expire: never,
    refund: null,
    lookUpRefund: null,
    lookUp: async (reference) => {
      asked.push(reference);
      return said.get(reference) ?? { ...NOT_FOUND };
    },
    list: listed
      ? async (_, cursor) => {
          const page = Number(cursor ?? 0);
          beforePage(page);
          pages.push(cursor);
          const next = (page + 1) * PAGE < listed.length ? String(page + 1) : null;
          return { payments: listed.slice(page * PAGE, (page + 1) * PAGE), next };
        }
      : null,
  };
  const at = (work: (page: number) => void) => {
    beforePage = work;
  };
  return { gateway, said, asked, pages, at };
}

interface CaseRow {
  readonly id: string;
  readonly kind: string;
  readonly reference: string;
  readonly state: string;
  readonly payment_id: string | null;
  readonly amount_minor: bigint;
  readonly owner_id: string | null;
  readonly suggested_resolution: string;
  readonly facts: { readonly expected: unknown };
  readonly resolution: string | null;
  readonly resolved_by: string | null;
  readonly resolved_at: Date;
}

const PAGE = 3;
const NOT_FOUND: GatewayPayment = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };
const listedAs = (payment: Pick<Captured, 'reference'>, changes: Partial<ListedPayment> = {}): ListedPayment => ({
  reference: payment.reference,
  transactionId: `tx-${payment.reference}`,
  state: 'paid',
  paid: rupiah(361_000),
  refundedMinor: 0n,
  paidAt: PAID_AT,
  ...changes,
});

describe('walking a gateway against the books', () => {
  let database: TestDatabase;
  let companyId: CompanyId;
  let finance: UserId;

  beforeEach(async () => {
    database = await createTestDatabase();
    await database.db('users').whereRaw("'finance' = any(roles)").update({ status: 'disabled' });
    finance = await aUser(database.db, 'finance');
    companyId = await aCompany(database.db, await aUser(database.db, 'owner'));
  });
  afterEach(() => database.drop());

  const capture = async (changes: Parameters<typeof aCapture>[2] = {}) =>
    aCapture(database.db, await aBookedInvoice(database.db, companyId), { gateway: 'xendit', at: PAID_AT, ...changes });
  const walk = async (gateway: PaymentGateway, day = DAY, at = NIGHT): Promise<Walked> => {
    const { reconcileGateway } = createReconciliationActivities({
      db: database.db,
      gateways: { [gateway.name]: gateway },
    });
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const span = { gateway: gateway.name, ...walkedSpan(day, 'Asia/Jakarta') };
    return environment.run(reconcileGateway, { span, at });
  };
  const cases = (): Promise<CaseRow[]> => database.db('payment_cases').orderBy('reference').select();
  const kinds = async (): Promise<string[][]> =>
    (await cases())
      .map(({ kind, reference, state }) => [kind, reference, state])
      .filter(([kind]) => kind !== 'reversed');
  const hints = () => database.db('payment_inbox').where({ status: 'look_again' });

  it('finds nothing where both say the same, and tells of it once', async () => {
    const [one, two] = [await capture(), await capture()];
    const { gateway, asked } = gatewayThatSays('xendit', [listedAs(one), listedAs(two)]);
    assert.deepEqual(await walk(gateway), { state: 'finished', compared: 2, differences: 0 });
    assert.deepEqual([await cases(), asked], [[], []]);
    const events = await database.db('events').where({ type: 'reconciliation.finished' });
    assert.deepEqual(
      events.map(({ data }) => [data.gateway, data.compared, data.differences]),
      [['xendit', 2, 0]],
    );
    assert.equal((await database.db('reconciliation_items')).length, 0);
  });

  it('does nothing the second time', async () => {
    const { gateway, pages } = gatewayThatSays('xendit', [listedAs({ reference: 'nobody' })]);
    const first = await walk(gateway);
    assert.deepEqual(await walk(gateway), first);
    assert.deepEqual([pages.length, (await cases()).length], [1, 1]);
    assert.equal((await database.db('events').where({ type: 'reconciliation.finished' })).length, 1);
  });

  it('opens a case, owned by finance, for money of which we know nothing', async () => {
    const listed = listedAs({ reference: 'nobody' });
    assert.equal((await walk(gatewayThatSays('xendit', [listed]).gateway)).differences, 1);
    const [found] = await cases();
    assert.ok(found);
    assert.deepEqual(
      [found.kind, found.reference, found.amount_minor, found.owner_id, found.suggested_resolution],
      ['missing_here', listed.transactionId, 361_000n, finance, 'nothing_to_do'],
    );
    assert.deepEqual(found.facts, {
      expected: null,
      found: { state: 'paid', currency: 'IDR', amountMinor: '361000', transactionId: listed.transactionId },
    });
  });

  it('takes a second transaction under one of our references for unknown money', async () => {
    const one = await capture();
    const listed = ['A-other', one.transactionId].map((transactionId) => listedAs(one, { transactionId }));
    await walk(gatewayThatSays('xendit', listed).gateway);
    assert.deepEqual(await kinds(), [['missing_here', 'A-other', 'open']]);
  });

  it('knows a payment by the gateway’s own name too', async () => {
    const { transactionId } = await capture();
    const listed = listedAs({ reference: 'other' }, { reference: null, transactionId });
    assert.equal((await walk(gatewayThatSays('xendit', [listed]).gateway)).differences, 0);
  });

  it('asks about each capture that the gateway did not list, and believes its denial', async () => {
    const [gone, late] = [await capture(), await capture()];
    const { gateway, said, asked } = gatewayThatSays('xendit', []);
    said.set(late.reference, {
      ...NOT_FOUND,
      state: 'paid',
      paid: rupiah(361_000),
      paidAt: PAID_AT,
      transactionId: 'tx-late',
    });
    assert.deepEqual(await walk(gateway), { state: 'finished', compared: 2, differences: 1 });
    assert.deepEqual(asked.toSorted(), [gone.reference, late.reference].toSorted());
    assert.deepEqual(await kinds(), [['missing_there', gone.reference, 'open']]);
  });

  it('compares the amount to the unit, and the currency', async () => {
    const [less, other] = [await capture(), await capture()];
    const listed = [
      listedAs(less, { paid: rupiah(360_999) }),
      listedAs(other, { paid: { amountMinor: 361_000n, currency: 'MYR' } }),
    ];
    await walk(gatewayThatSays('xendit', listed).gateway);
    const expected = [less, other].map(({ reference }) => ['amount_differs', reference, 'open']).toSorted();
    assert.deepEqual((await kinds()).toSorted(), expected);
  });

  it('finds what was paid there and has expired here, and leaves a hint for its process to ask', async () => {
    const invoiceId = await anInvoice(database.db, { companyId, state: 'lapsed' });
    const expired = await aPayment(database.db, { invoiceId, state: 'expired' });
    await database.db('payments').where({ id: expired.id }).update({ gateway: 'xendit' });
    await walk(gatewayThatSays('xendit', [listedAs(expired)]).gateway);
    const [found] = await cases();
    assert.ok(found);
    assert.deepEqual(
      [found.kind, found.payment_id, found.facts.expected],
      ['state_differs', expired.id, { state: 'expired', amountMinor: null }],
    );
    assert.deepEqual(
      (await hints()).map(({ payment_id, reference, handled_at }) => [payment_id, reference, handled_at]),
      [[expired.id, expired.reference, null]],
    );
  });

  it('finds what the gateway took back and we still count, and nothing where we know', async () => {
    const [unknown, known] = [await capture(), await capture()];
    await aTakeBack(database.db, known, PAID_AT);
    const listed = [unknown, known].map((one) => listedAs(one, { state: 'reversed' }));
    await walk(gatewayThatSays('xendit', listed).gateway);
    assert.deepEqual(await kinds(), [['state_differs', unknown.reference, 'open']]);
  });

  it('compares what went back: ours that arrived, and those that may have', async () => {
    const [none, arrived, onTheWay, unlike] = [await capture(), await capture(), await capture(), await capture()];
    await aRefund(arrived, 'succeeded');
    await aRefund(onTheWay, 'pending');
    await aRefund(unlike, 'succeeded');
    const listed = [
      listedAs(none, { refundedMinor: 5n }),
      listedAs(arrived, { refundedMinor: 1_000n }),
      listedAs(onTheWay, { refundedMinor: 1_000n }),
      listedAs(unlike, { refundedMinor: 0n }),
    ];
    await walk(gatewayThatSays('xendit', listed).gateway);
    const expected = [none, unlike].map(({ reference }) => ['refund_differs', reference, 'open']).toSorted();
    assert.deepEqual((await kinds()).toSorted(), expected);
  });

  async function aRefund(of: Captured, state: 'pending' | 'succeeded'): Promise<void> {
    const id = asId<RefundId>(randomUUID());
    await database.db('refunds').insert({
      id,
      payment_id: of.id,
      invoice_id: of.invoice.id,
      company_id: companyId,
      state,
      amount_minor: 1_000,
      currency: 'IDR',
      source: 'suspense',
      reason: 'goodwill',
      needs_approval: false,
      channel: 'gateway',
      requested_at: PAID_AT,
      updated_at: PAID_AT,
    });
    if (state !== 'succeeded') return;
    await database.db.transaction((tx) =>
      postEntry(tx, {
        key: `refund/${id}/paid`,
        kind: 'refund_paid',
        currency: 'IDR',
        postings: [
          { account: 'refunds', amountMinor: 1_000n },
          { account: 'gateway_clearing', amountMinor: -1_000n },
        ],
        paymentId: of.id,
        refundId: id,
        at: PAID_AT,
      }),
    );
  }

  it('keeps a difference of two nights as one case, and closes it when it is gone', async () => {
    const one = await capture();
    const short = listedAs(one, { paid: rupiah(1) });
    await walk(gatewayThatSays('xendit', [short]).gateway);
    await walk(gatewayThatSays('xendit', [short]).gateway, '2026-03-11', '2026-03-11T19:00:00.000Z');
    assert.deepEqual(await kinds(), [['amount_differs', one.reference, 'open']]);
    await walk(gatewayThatSays('xendit', [listedAs(one)]).gateway, '2026-03-12', '2026-03-12T19:00:00.000Z');
    const [closed] = await cases();
    assert.ok(closed);
    assert.deepEqual(
      [closed.state, closed.resolution, closed.resolved_by, closed.resolved_at.toISOString()],
      ['resolved', 'nothing_to_do', null, '2026-03-12T19:00:00.000Z'],
    );
    const events = await database.db('events').where({ type: 'payment_case.resolved' });
    assert.deepEqual(
      events.map(({ actor, data }) => [actor, data.after]),
      [['system', { state: 'resolved' }]],
    );
  });

  it('asks about a payment whose case is open, however long ago it was paid', async () => {
    const one = await capture();
    await walk(gatewayThatSays('xendit', []).gateway);
    assert.deepEqual(await kinds(), [['missing_there', one.reference, 'open']]);
    const later = gatewayThatSays('xendit', []);
    later.said.set(one.reference, { ...NOT_FOUND, state: 'paid', paid: rupiah(361_000), transactionId: 't' });
    await walk(later.gateway, '2026-03-25', '2026-03-25T19:00:00.000Z');
    assert.deepEqual(await kinds(), [['missing_there', one.reference, 'resolved']]);
  });

  it('opens another case for a difference that came back, and none for one that finance closed', async () => {
    const one = await capture();
    const days = ['2026-03-10', '2026-03-11', '2026-03-12'] as const;
    for (const [day, paid] of [
      [days[0], 1],
      [days[1], 361_000],
      [days[2], 1],
    ] as const) {
      await walk(gatewayThatSays('xendit', [listedAs(one, { paid: rupiah(paid) })]).gateway, day);
    }
    assert.deepEqual((await kinds()).map(([, , state]) => state).toSorted(), ['open', 'resolved']);
    await resolveCase(database.db, {
      caseId: asId<PaymentCaseId>((await cases()).find(({ state }) => state === 'open')?.id ?? ''),
      resolution: 'nothing_to_do',
      note: 'known to the bank',
      amountMinor: null,
      targetInvoiceId: null,
      refundId: asId<RefundId>(randomUUID()),
      by: { userId: finance, key: 'k', at: NIGHT },
      policy: MONEY_POLICY,
    });
    await walk(gatewayThatSays('xendit', [listedAs(one, { paid: rupiah(1) })]).gateway, '2026-03-09');
    assert.equal((await cases()).length, 2);
    await walk(gatewayThatSays('xendit', [listedAs(one, { paid: rupiah(2) })]).gateway, '2026-03-13');
    assert.equal((await cases()).length, 3, 'another difference than the one that was closed');
  });

  it('goes on after a break at the page where it was: nothing twice, nothing left out', async () => {
    const paid = await Promise.all(Array.from({ length: 8 }, () => capture()));
    const listed = [...paid.map((one) => listedAs(one)), listedAs({ reference: 'nobody' })];
    const { gateway, pages, at } = gatewayThatSays('xendit', listed);
    at((page) => {
      if (page === 2) throw new GatewayError('retry_later', 'rate_limited', 'slowly', { retryAfterSeconds: 7 });
    });
    await assert.rejects(
      walk(gateway),
      (error) =>
        error instanceof ApplicationFailure &&
        error.type === 'rate_limited' &&
        error.nextRetryDelay === '7s' &&
        !error.nonRetryable,
    );
    at(() => undefined);
    assert.deepEqual(await walk(gateway), { state: 'finished', compared: 9, differences: 1 });
    assert.deepEqual(pages, [null, '1', '2']);
  });

  it('begins anew when the database has lost what was collected', async () => {
    const paid = await Promise.all(Array.from({ length: 5 }, () => capture()));
    const { gateway, pages, at } = gatewayThatSays(
      'xendit',
      paid.map((one) => listedAs(one)),
    );
    at((page) => {
      if (page === 1) throw new Error('died');
    });
    await assert.rejects(walk(gateway), /died/);
    await database.db('reconciliation_items').delete();
    at(() => undefined);
    assert.deepEqual(await walk(gateway), { state: 'finished', compared: 5, differences: 0 });
    assert.deepEqual(pages, [null, null, '1']);
  });

  it('of two at once counts each payment once and opens each case once', async () => {
    const paid = await Promise.all(Array.from({ length: 7 }, () => capture()));
    const listed = [...paid.map((one) => listedAs(one)), listedAs({ reference: 'nobody' })];
    const { gateway } = gatewayThatSays('xendit', listed);
    const [one, two] = await Promise.all([walk(gateway), walk(gateway)]);
    assert.deepEqual(one, { state: 'finished', compared: 8, differences: 1 });
    assert.deepEqual(two, one);
    assert.equal((await cases()).length, 1);
    assert.equal((await database.db('events').where({ type: 'reconciliation.finished' })).length, 1);
  });

  it('is over at once where the gateway refuses the key', async () => {
    const { gateway, at } = gatewayThatSays('xendit', [listedAs({ reference: 'x' })]);
    at(() => {
      throw new GatewayError('refused', 'unauthorized', 'check the key');
    });
    await assert.rejects(walk(gateway), (error) => error instanceof ApplicationFailure && error.nonRetryable === true);
  });

  describe('that lists nothing', () => {
    const midtrans = (changes: Parameters<typeof capture>[0] = {}) => capture({ gateway: 'midtrans', ...changes });
    const paid: GatewayPayment = {
      state: 'paid',
      paid: rupiah(361_000),
      paidAt: PAID_AT,
      transactionId: null,
      method: null,
    };

    it('asks about every payment of those days, paid or not, and of no other', async () => {
      const [one, old] = [await midtrans(), await midtrans({ at: '2026-03-01T05:00:00.000Z' })];
      const invoiceId = await anInvoice(database.db, { companyId });
      const open = await aPayment(database.db, { invoiceId, at: PAID_AT, expiresAt: '2026-03-11T00:00:00Z' });
      const { gateway, said, asked } = gatewayThatSays('midtrans', null);
      said.set(one.reference, paid).set(open.reference, paid);
      assert.deepEqual(await walk(gateway), { state: 'finished', compared: 2, differences: 1 });
      assert.deepEqual(asked.toSorted(), [one.reference, open.reference].toSorted());
      assert.ok(!asked.includes(old.reference));
      assert.deepEqual(await kinds(), [['state_differs', open.reference, 'open']]);
    });

    it('goes on with the payment that it could not ask about, and asks about none twice', async () => {
      const all = await Promise.all(Array.from({ length: 4 }, () => midtrans()));
      const { gateway, said, asked } = gatewayThatSays('midtrans', null);
      for (const { reference } of all) said.set(reference, paid);
      let calls = 0;
      const impatient: PaymentGateway = {
        ...gateway,
        lookUp: (reference) => {
          calls += 1;
          if (calls === 3) throw new GatewayError('retry_later', 'rate_limited', 'slowly', { retryAfterSeconds: 30 });
          return gateway.lookUp(reference);
        },
      };
      await assert.rejects(walk(impatient), /slowly/);
      assert.deepEqual(await walk(impatient), { state: 'finished', compared: 4, differences: 0 });
      assert.deepEqual(asked.toSorted(), all.map(({ reference }) => reference).toSorted());
    });

    it('asks about each refund that we count as arrived', async () => {
      const [good, bad, slow] = [await midtrans(), await midtrans(), await midtrans()];
      for (const one of [good, bad, slow]) await aRefund(one, 'succeeded');
      const { gateway, said } = gatewayThatSays('midtrans', null);
      for (const { reference } of [good, bad, slow]) said.set(reference, paid);
      const states = new Map([
        [good.reference, 'succeeded'],
        [slow.reference, 'pending'],
      ] as const);
      const lookUpRefund: NonNullable<PaymentGateway['lookUpRefund']> = async ({ reference, amount }) => ({
        state: states.get(reference) ?? 'failed',
        refundId: null,
        amount,
        reason: null,
      });
      await walk({ ...gateway, lookUpRefund });
      const expected = [bad, slow].map(({ reference }) => ['refund_differs', reference, 'open']).toSorted();
      assert.deepEqual((await kinds()).toSorted(), expected);
    });

    it('takes all of it as gone back where the gateway says so and no refund is ours', async () => {
      const one = await midtrans();
      const { gateway, said } = gatewayThatSays('midtrans', null);
      said.set(one.reference, { ...paid, state: 'refunded' });
      await walk({ ...gateway, lookUpRefund: () => assert.fail('there is none to ask about') });
      const [found] = await database.db('payment_cases').where({ payment_id: one.id }).select('kind', 'facts');
      assert.deepEqual([found?.kind, found?.facts.found?.refundedMinor], ['refund_differs', '361000']);
    });
  });
});
