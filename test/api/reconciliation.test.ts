import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { creditIn } from '../../db/store-credit.ts';
import { asId, type CompanyId, type InvoiceId } from '../../domain/ids.ts';
import { aBookedInvoice, aCapture, type Captured } from '../builders/books.ts';
import { aCompany } from '../builders/licensing.ts';
import { ask, type Problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface CaseBody {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly ageHours: number;
  readonly owner: { readonly id: string; readonly name: string } | null;
  readonly resolution: string | null;
  readonly resolvedBy: { readonly id: string } | null;
  readonly refundId: string | null;
  readonly note: string | null;
  readonly suspense: { readonly amountMinor: number } | null;
  readonly possibleResolutions: readonly string[];
  readonly notices: readonly Readonly<Record<string, unknown>>[];
}

describe('cases of finance', () => {
  let database: TestDatabase;
  let api: TestApi;
  let finance: TestPerson;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    finance = await api.person('finance');
    companyId = await aCompany(database.db, (await api.person('owner')).id);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  /** A payment that came twice: 361.000 wait in suspense. */
  async function twice(): Promise<{ payment: Captured; caseId: string }> {
    const payment = await aCapture(database.db, await aBookedInvoice(database.db, companyId), {
      applied: 0n,
      odd: 'twice',
    });
    return { payment, caseId: await caseOf(payment) };
  }
  const caseOf = async ({ id }: Captured): Promise<string> =>
    (await database.db('payment_cases').where({ payment_id: id }).first('id')).id;
  async function aCase(kind: string, payment: Captured, changes: object = {}): Promise<string> {
    const id = randomUUID();
    const row = { kind, gateway: 'midtrans', reference: payment.reference, payment_id: payment.id };
    await database.db('payment_cases').insert({ id, key: id, opened_at: new Date(), ...row, ...changes });
    return id;
  }
  const resolve = (caseId: string, body: object, as = finance) =>
    ask<CaseBody & Problem>(api, as, 'POST', `/admin/reconciliation/${caseId}/resolve`, {
      body: { note: 'seen', ...body },
    });
  const read = async (caseId: string) =>
    (await ask<CaseBody>(api, finance, 'GET', `/admin/reconciliation/${caseId}`)).body;
  const balances = async (payment: Captured) => {
    const rows: { account: string; total: string }[] = await database
      .db('ledger_entries as e')
      .join('ledger_postings as p', 'p.entry_id', 'e.id')
      .where('e.payment_id', payment.id)
      .groupBy('p.account')
      .select('p.account')
      .sum({ total: 'p.amount_minor' });
    return Object.fromEntries(
      rows.map(({ account, total }) => [account, Number(total)]).filter(([, total]) => total !== 0),
    );
  };

  it('show what is left in suspense and what can be done about it', async () => {
    const { caseId, payment } = await twice();
    await database.db('payment_inbox').insert({
      gateway: 'midtrans',
      object_id: payment.transactionId,
      status: 'settlement',
      reference: payment.reference,
      payment_id: payment.id,
      body: JSON.stringify({ customer: 'Sari' }),
    });
    const found = await read(caseId);
    assert.deepEqual(
      [found.suspense?.amountMinor, found.possibleResolutions],
      [361_000, ['apply_to_invoice', 'refund', 'store_credit', 'other_income', 'look_again']],
    );
    assert.deepEqual(
      found.notices.map(({ status, handledAt, ...rest }) => [status, handledAt, Object.keys(rest).toSorted()]),
      [['settlement', null, ['objectId', 'receivedAt']]],
    );
  });

  it('are listed by kind, gateway and owner', async () => {
    const { caseId, payment } = await twice();
    const mine = await aCase('late', payment, { owner_id: finance.id, gateway: 'xendit' });
    const ids = async (query: string) =>
      (await ask<{ items: CaseBody[] }>(api, finance, 'GET', `/admin/reconciliation?${query}`)).body.items.map(
        ({ id }) => id,
      );
    assert.deepEqual(await ids('ownerId=me'), [mine]);
    assert.deepEqual(await ids('kind=late&gateway=xendit'), [mine]);
    assert.ok((await ids('kind=twice')).includes(caseId));
    assert.deepEqual(await ids(`ownerId=${randomUUID()}`), []);
  });

  it('keep money as the payer’s credit or as income, once', async () => {
    for (const [resolution, account] of [
      ['store_credit', 'store_credit'],
      ['other_income', 'other_income'],
    ] as const) {
      const { caseId, payment } = await twice();
      const { status, body } = await resolve(caseId, { resolution });
      assert.deepEqual(
        [status, body.state, body.resolution, body.resolvedBy?.id],
        [200, 'resolved', resolution, finance.id],
      );
      assert.deepEqual(await balances(payment), { gateway_clearing: 361_000, [account]: -361_000 });
      const again = await resolve(caseId, { resolution });
      assert.deepEqual(
        [again.status, again.body.code, again.body.conflict?.decidedBy.id],
        [409, 'case_not_open', finance.id],
      );
      const [event] = await database
        .db('events')
        .where({ type: 'payment_case.resolved', subject: `payment_case/${caseId}` });
      assert.deepEqual(
        [event.actor_id, event.data.before, event.data.after, event.data.amountMinor, event.request_id !== null],
        [finance.id, { state: 'open' }, { state: 'resolved' }, '361000', true],
      );
    }
  });

  it('stay open for the rest when a part of the money is taken, and give no more than there is', async () => {
    const { caseId, payment } = await twice();
    const part = await resolve(caseId, { resolution: 'store_credit', amountMinor: 61_000 });
    assert.deepEqual([part.body.state, part.body.suspense?.amountMinor], ['open', 300_000]);
    const tooMuch = await resolve(caseId, { resolution: 'other_income', amountMinor: 300_001 });
    assert.deepEqual([tooMuch.status, tooMuch.body.code], [422, 'resolution_not_possible']);
    assert.equal((await resolve(caseId, { resolution: 'other_income' })).body.state, 'resolved');
    const expected = { gateway_clearing: 361_000, store_credit: -61_000, other_income: -300_000 };
    assert.deepEqual(await balances(payment), expected);
  });

  it('are resolved by one of several who do it at once', async () => {
    const { caseId, payment } = await twice();
    const ways = ['store_credit', 'other_income', 'refund', 'store_credit', 'other_income'];
    const answers = await Promise.all(ways.map((resolution) => resolve(caseId, { resolution })));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 409, 409, 409, 409]);
    const { suspense = 0 } = await balances(payment);
    assert.ok(suspense === 0 || suspense === -361_000);
    assert.equal((await database.db('events').where({ subject: `payment_case/${caseId}` })).length, 1);
  });

  it('let the same money leave once, also where two cases are about it', async () => {
    const { caseId, payment } = await twice();
    const other = await aCase('late', payment);
    const answers = await Promise.all([caseId, other].map((id) => resolve(id, { resolution: 'other_income' })));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 422]);
    assert.deepEqual(await balances(payment), { gateway_clearing: 361_000, other_income: -361_000 });
  });

  it('do the same once when a request is repeated', async () => {
    const { caseId } = await twice();
    const headers = { 'idempotency-key': randomUUID() };
    const body = { resolution: 'store_credit', amountMinor: 1_000, note: 'seen' };
    for (const _ of [1, 2]) {
      const path = `/admin/reconciliation/${caseId}/resolve`;
      assert.equal((await ask(api, finance, 'POST', path, { body, headers })).status, 200);
      await database.db('idempotency_keys').delete();
    }
    assert.equal((await read(caseId)).suspense?.amountMinor, 360_000);
  });

  it('become a refund out of suspense, which is then spoken for', async () => {
    const { caseId, payment } = await twice();
    const { status, body } = await resolve(caseId, { resolution: 'refund', amountMinor: 100_000 });
    assert.deepEqual([status, body.state, body.suspense?.amountMinor], [200, 'open', 261_000]);
    const refund = await database.db('refunds').where({ payment_id: payment.id }).first();
    assert.deepEqual(
      [refund.id, refund.case_id, refund.source, refund.amount_minor, refund.reason, refund.requested_by],
      [body.refundId, caseId, 'suspense', 100_000n, 'duplicate', finance.id],
    );
  });

  it('is not for who acts for the company that paid', async () => {
    const { caseId } = await twice();
    await database.db('company_members').insert({ company_id: companyId, user_id: finance.id });
    for (const resolution of ['store_credit', 'apply_to_invoice', 'other_income'])
      assert.equal((await resolve(caseId, { resolution })).body.code, 'own_refund', resolution);
    await database.db('company_members').where({ company_id: companyId, user_id: finance.id }).delete();
  });

  it('pay an open invoice of the same company, as much as it still takes', async () => {
    const { caseId, payment } = await twice();
    const target = await aBookedInvoice(database.db, companyId);
    const before = await creditIn(database.db, companyId, 'IDR');
    const { status, body } = await resolve(caseId, { resolution: 'apply_to_invoice', targetInvoiceId: target.id });
    assert.deepEqual([status, body.state, body.suspense?.amountMinor], [200, 'resolved', 0], JSON.stringify(body));
    const paid = await database.db('invoices').where({ id: target.id }).first('state', 'paid_minor');
    assert.deepEqual(paid, { state: 'paid', paid_minor: 361_000n });
    // By way of the payer's credit: a chargeback of this payment is no business of the other invoice.
    assert.deepEqual(await balances(payment), { gateway_clearing: 361_000, store_credit: -361_000 });
    assert.deepEqual(await creditIn(database.db, companyId, 'IDR'), before);
  });

  it('stay open for what an invoice takes no more, and pay none of another currency', async () => {
    const { caseId } = await twice();
    const target = await aBookedInvoice(database.db, companyId);
    await aCapture(database.db, target, { paid: 300_000n });
    const foreign = await aBookedInvoice(database.db, companyId);
    await database.db('invoices').where({ id: foreign.id }).update({ currency: 'MYR' });
    const to = (targetInvoiceId: InvoiceId) => resolve(caseId, { resolution: 'apply_to_invoice', targetInvoiceId });
    assert.equal((await to(foreign.id)).body.code, 'resolution_not_possible');
    const { body } = await to(target.id);
    assert.deepEqual([body.state, body.suspense?.amountMinor], ['open', 300_000]);
    assert.equal((await database.db('invoices').where({ id: target.id }).first('state')).state, 'paid');
  });

  it('pay the invoice that the money was for, and count it as applied', async () => {
    const { caseId, payment } = await twice();
    assert.equal((await resolve(caseId, { resolution: 'apply_to_invoice' })).status, 200);
    const { applied_minor } = await database.db('payments').where({ id: payment.id }).first('applied_minor');
    assert.equal(applied_minor, 361_000n);
    const hint = await database.db('payment_inbox').where({ payment_id: payment.id, status: 'look_again' });
    assert.equal(hint.length, 1, 'its process hears of it also when Temporal is away');
  });

  it('pay no invoice of another company, and none that takes nothing', async () => {
    const { caseId } = await twice();
    const stranger = await aCompany(database.db, (await api.person('owner')).id);
    const theirs = await aBookedInvoice(database.db, stranger);
    const closed = await aBookedInvoice(database.db, companyId);
    await database.db('invoices').where({ id: closed.id }).update({ state: 'void' });
    const to = async (targetInvoiceId: InvoiceId) =>
      (await resolve(caseId, { resolution: 'apply_to_invoice', targetInvoiceId })).body.code;
    assert.deepEqual(
      [await to(theirs.id), await to(closed.id), await to(asId<InvoiceId>(randomUUID()))],
      ['not_found', 'invoice_not_open', 'not_found'],
    );
    assert.equal((await read(caseId)).state, 'open');
  });

  it('count what had paid an invoice that lapsed afterwards', async () => {
    const payment = await aCapture(database.db, await aBookedInvoice(database.db, companyId), { paid: 100_000n });
    await database.db('invoices').where({ id: payment.invoice.id }).update({ state: 'lapsed', paid_minor: 0 });
    await database.db('payments').where({ id: payment.id }).update({ applied_minor: 0 });
    assert.equal((await read(await aCase('short', payment))).suspense?.amountMinor, 100_000);
  });

  it('are looked into again without being closed', async () => {
    const { payment } = await twice();
    const caseId = await aCase('state_differs', payment);
    const { status, body } = await resolve(caseId, { resolution: 'look_again' });
    assert.deepEqual([status, body.state, body.note], [200, 'open', 'seen']);
    const hint = await database.db('payment_inbox').where({ payment_id: payment.id, status: 'look_again' }).first();
    assert.deepEqual([hint.reference, hint.handled_at], [payment.reference, null]);
  });

  it('are closed as they are where no money waits, and are not where some does', async () => {
    const { payment, caseId } = await twice();
    const other = await aCase('refund_differs', payment);
    assert.equal((await resolve(other, { resolution: 'nothing_to_do' })).body.state, 'resolved');
    const refused = await resolve(caseId, { resolution: 'nothing_to_do' });
    assert.deepEqual([refused.status, refused.body.code], [422, 'resolution_not_possible']);
    assert.match(refused.body.detail, /Rp361\.000 in suspense/);
  });

  it('are handed to somebody who resolves such cases, and to nobody else', async () => {
    const { caseId } = await twice();
    const [colleague, supervisor, verifier] = [
      await api.person('finance'),
      await api.person('supervisor'),
      await api.person('verifier'),
    ];
    const assign = (userId: string) =>
      ask<CaseBody & Problem>(api, finance, 'POST', `/admin/reconciliation/${caseId}/assign`, { body: { userId } });
    assert.deepEqual((await assign(colleague.id)).body.owner, { id: colleague.id, name: colleague.name });
    assert.equal((await assign(supervisor.id)).body.owner?.id, supervisor.id);
    for (const userId of [verifier.id, randomUUID()])
      assert.equal((await assign(userId)).body.code, 'reviewer_not_eligible');
    const events = await database
      .db('events')
      .where({ type: 'payment_case.assigned', subject: `payment_case/${caseId}` })
      .orderBy('id');
    assert.deepEqual(
      events.map(({ actor_id, data }) => [actor_id, data.before.ownerId, data.after.ownerId]),
      [
        [finance.id, null, colleague.id],
        [finance.id, colleague.id, supervisor.id],
      ],
    );
    await resolve(caseId, { resolution: 'other_income' });
    assert.equal((await assign(colleague.id)).body.code, 'case_not_open');
  });

  it('are read by oversight, and resolved by finance and supervisors only', async () => {
    const { caseId } = await twice();
    const path = `/admin/reconciliation/${caseId}`;
    for (const role of ['ops', 'admin'] as const) {
      const person = await api.person(role);
      assert.equal((await ask(api, person, 'GET', path)).status, 200);
      assert.equal((await resolve(caseId, { resolution: 'other_income' }, person)).status, 403);
    }
    assert.equal((await resolve(caseId, { resolution: 'other_income' }, await api.person('supervisor'))).status, 200);
    assert.equal((await ask(api, finance, 'GET', `/admin/reconciliation/${randomUUID()}`)).status, 404);
  });

  it('want a note', async () => {
    const { caseId } = await twice();
    assert.equal((await resolve(caseId, { resolution: 'other_income', note: ' ' })).status, 422);
  });

  it('are summed up for a day, beside the money that moved and the walks', async () => {
    const at = '2026-02-03T05:00:00.000Z';
    const payment = await aCapture(database.db, await aBookedInvoice(database.db, companyId), { at });
    const opened = new Date(Date.now() - 5 * 3_600_000 - 60_000);
    await aCase('stuck_unknown', payment, { opened_at: opened });
    const run = { gateway: 'xendit', from_at: '2026-01-31T17:00:00Z', to_at: '2026-02-03T17:00:00Z', state: 'failed' };
    const more = { failure: 'unauthorized', started_at: '2026-02-03T19:00:00Z', finished_at: '2026-02-03T19:00:01Z' };
    await database.db('reconciliation_runs').insert({ id: randomUUID(), ...run, ...more });
    const { body, status } = await ask<{
      walks: unknown[];
      openCases: { kind: string }[];
      totals: { captured: { formatted: string } }[];
    }>(api, finance, 'GET', '/admin/reconciliation/report?day=2026-02-03');
    assert.equal(status, 200);
    assert.deepEqual(body.walks, [
      { gateway: 'xendit', state: 'failed', compared: 0, differences: 0, failure: 'unauthorized' },
    ]);
    assert.deepEqual(
      body.totals.map(({ captured }) => captured.formatted),
      ['Rp361.000'],
    );
    assert.deepEqual(
      body.openCases.filter(({ kind }) => kind === 'stuck_unknown'),
      [{ kind: 'stuck_unknown', count: 1, oldestHours: 5 }],
    );
    const runs = await ask<{ items: { gateway: string; to: string }[] }>(
      api,
      finance,
      'GET',
      '/admin/reconciliation/runs',
    );
    assert.deepEqual(
      runs.body.items.map(({ gateway, to }) => [gateway, to]),
      [['xendit', '2026-02-03T17:00:00.000Z']],
    );
    assert.equal((await ask(api, finance, 'GET', '/admin/reconciliation/report?day=2026-02-30')).status, 422);
  });
});
