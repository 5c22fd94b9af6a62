import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { asId, type ReturnId } from '../../domain/ids.ts';
import { rmaId } from '../../workflows/ids.ts';
import { aCompany } from '../builders/licensing.ts';
import { aDeliveredOrder, type BuiltOrder } from '../builders/orders.ts';
import { ask, type Problem } from '../builders/requests.ts';
import type { TestPerson } from '../support/api.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

interface Money {
  readonly amountMinor: number;
}
interface Return {
  readonly id: string;
  readonly number: string;
  readonly state: string;
  readonly items: readonly {
    readonly orderItemId: string;
    readonly quantity: number;
    readonly units: readonly {
      readonly number: number;
      readonly state: string;
      readonly reason: string;
      readonly refund: Money | null;
    }[];
  }[];
  readonly photos: readonly { readonly id: string; readonly kind: string }[];
  readonly label: { readonly trackingNumber: string | null; readonly labelUrl: string | null } | null;
  readonly statement: {
    readonly version: number;
    readonly refund: Money;
    readonly needsAcceptance: boolean;
    readonly deductions: readonly { readonly code: string; readonly amount: Money; readonly reason: string }[];
  } | null;
  readonly refunds: readonly {
    readonly id: string;
    readonly state: string;
    readonly channel: string | null;
    readonly amount: Money;
  }[];
  readonly messages: readonly { readonly kind: string; readonly by: string; readonly text: string }[];
  readonly next: { readonly what: string; readonly at: string } | null;
  readonly actions: readonly string[];
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('returns over HTTP', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let owner: TestPerson;
  let stranger: TestPerson;
  let seller: TestPerson;
  let warehouse: TestPerson;
  let finance: TestPerson;
  before(async () => {
    system = await startSystem();
    const { api } = system;
    [owner, stranger, seller, warehouse, finance] = await Promise.all([
      api.person('owner'),
      api.person('owner'),
      api.person('seller'),
      api.person('warehouse'),
      api.person('finance'),
    ]);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const bought = async (): Promise<BuiltOrder> =>
    aDeliveredOrder(db(), { by: owner.id, companyId: await aCompany(db(), owner.id) });
  const say = (as: TestPerson, id: string, what: string, body?: object, key: string = randomUUID()) =>
    ask<Return & Problem>(system.api, as, 'POST', `/returns/${id}/${what}`, {
      body: body ?? {},
      headers: { 'idempotency-key': key },
    });
  const open = (as: TestPerson, order: BuiltOrder, more: object = {}, key: string = randomUUID()) =>
    ask<Return & Problem>(system.api, as, 'POST', '/returns', {
      body: {
        orderId: order.orderId,
        items: order.items.map(({ id, quantity }) => ({ orderItemId: id, quantity, reason: 'no_longer_needed' })),
        refundMethod: 'original_payment',
        ...more,
      },
      headers: { 'idempotency-key': key },
    });
  const opened = async (order: BuiltOrder, more: object = {}): Promise<Return> => {
    const { status, body } = await open(owner, order, more);
    assert.equal(status, 201, JSON.stringify(body));
    return body;
  };
  const read = async (id: string, as = owner): Promise<Return> =>
    (await ask<Return>(system.api, as, 'GET', `/returns/${id}`)).body;
  const comesTo = (id: string, state: string) =>
    eventually(`the return to be ${state}`, async () => (await read(id)).state === state);
  const done = async (answer: Promise<{ status: number; body: Return & Problem }>): Promise<Return> => {
    const { status, body } = await answer;
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const refused = async (status: number, code: string, answer: Promise<{ status: number; body: Problem }>) => {
    const { status: got, body } = await answer;
    assert.deepEqual([got, body.code], [status, code], JSON.stringify(body));
  };
  /** On its way back, and looked at. */
  const inspected = async (order: BuiltOrder, more: object, found: object): Promise<Return> => {
    const { id } = await opened(order, more);
    await done(say(seller, id, 'approve'));
    await comesTo(id, 'awaiting_shipment');
    await done(say(warehouse, id, 'receive'));
    return done(say(warehouse, id, 'inspect', found));
  };

  it('go from asking to the credit, with a label, a statement that is accepted, and a story', async () => {
    const order = await bought();
    const asked = await opened(order, { refundMethod: 'store_credit', note: 'Salah ukuran' });
    assert.match(asked.number, /^RMA\/\d{4}\/\d{6}$/);
    assert.deepEqual(
      asked.items.map(({ quantity }) => quantity),
      [2, 1],
    );
    assert.deepEqual(
      asked.messages.map(({ by, text }) => [by, text]),
      [['customer', 'Salah ukuran']],
    );
    await done(say(seller, asked.id, 'approve'));
    await comesTo(asked.id, 'awaiting_shipment');
    const sent = await read(asked.id);
    assert.ok(sent.label?.trackingNumber && sent.label.labelUrl, JSON.stringify(sent.label));
    assert.equal(sent.next?.what, 'return_expires');
    await done(say(warehouse, asked.id, 'receive'));
    const stated = await done(say(warehouse, asked.id, 'inspect', { condition: 'used' }));
    assert.equal(stated.state, 'resolution_pending');
    assert.equal(stated.statement?.needsAcceptance, true);
    const total = Number((await db()('invoices').where({ id: order.invoiceId }).first('total_minor')).total_minor);
    const deducted = stated.statement?.deductions.reduce((sum, { amount }) => sum + amount.amountMinor, 0) ?? 0;
    assert.equal((stated.statement?.refund.amountMinor ?? 0) + deducted, total);
    assert.match(stated.statement?.deductions[0]?.reason ?? '', /15% of its price/);
    await refused(409, 'statement_changed', say(owner, asked.id, 'accept-deduction', { version: 7 }));
    await done(say(owner, asked.id, 'accept-deduction'));
    // Accepting took what was wanted: who asks for that once more, or accepts again, is told how it stands.
    await done(say(owner, asked.id, 'resolve', { method: 'store_credit' }));
    await done(say(owner, asked.id, 'accept-deduction'));
    await refused(409, 'return_not_open', say(owner, asked.id, 'resolve', { method: 'refund' }));
    await eventually('the refund to be asked for', async () => (await read(asked.id)).refunds.length > 0);
    const [refund] = (await read(asked.id)).refunds;
    assert.ok(refund);
    if (refund.state === 'requested')
      assert.equal((await ask(system.api, finance, 'POST', `/refunds/${refund.id}/approve`, { body: {} })).status, 200);
    await comesTo(asked.id, 'closed_refunded');
    const closed = await read(asked.id);
    assert.deepEqual(
      closed.refunds.map(({ state, channel, amount }) => [state, channel, amount.amountMinor]),
      [['succeeded', 'store_credit', stated.statement?.refund.amountMinor]],
    );
    const story = await ask<{ items: { type: string; by?: unknown }[] }>(
      system.api,
      owner,
      'GET',
      `/returns/${asked.id}/timeline?limit=100`,
    );
    const types = story.body.items.map(({ type }) => type);
    for (const type of [
      'return.requested',
      'return.approved',
      'return.labelled',
      'return.received',
      'return.inspected',
      'return.stated',
      'return.closed',
    ])
      assert.ok(types.includes(type), `${type} in ${types}`);
    const report = await ask<{
      byReason: { reason: string; units: number }[];
      money: { storeCredit: Money }[];
      timeInState: { state: string }[];
    }>(system.api, seller, 'GET', '/admin/returns/report');
    assert.equal(report.status, 200, JSON.stringify(report.body));
    assert.ok(report.body.byReason.some(({ reason, units }) => reason === 'no_longer_needed' && units >= 3));
    assert.equal(report.body.money[0]?.storeCredit.amountMinor, stated.statement?.refund.amountMinor);
    assert.ok(report.body.timeInState.some(({ state }) => state === 'awaiting_shipment'));
    const csv = await fetch(`${system.api.url}/api/v1/admin/returns/report?format=csv`, { headers: seller.headers });
    assert.match(await csv.text(), /^sku,sold,returned,accepted,rate\r\n/);
  });

  it('of what a bank account had paid are transferred, by somebody who did not inspect', async () => {
    const order = await bought();
    await db()('payments').where({ invoice_id: order.invoiceId }).update({ method: 'bca_va' });
    const both = await system.api.person('finance', 'warehouse');
    const { id } = await opened(order);
    await done(say(seller, id, 'approve'));
    await comesTo(id, 'awaiting_shipment');
    await done(say(both, id, 'receive'));
    const stated = await done(say(both, id, 'inspect', { condition: 'as_new' }));
    assert.equal(stated.statement?.needsAcceptance, false);
    if (stated.state === 'resolution_pending') await done(say(owner, id, 'resolve', { resolution: 'refund' }));
    await eventually('the refund to be asked for', async () => (await read(id)).refunds.length > 0);
    const [refund] = (await read(id)).refunds;
    assert.ok(refund);
    const agree = (as: TestPerson) =>
      ask<Problem>(system.api, as, 'POST', `/refunds/${refund.id}/approve`, { body: {} });
    if (refund.state === 'requested') {
      await refused(403, 'own_refund', agree(both));
      assert.equal((await agree(finance)).status, 200);
    }
    await eventually(
      'an account to be asked for',
      async () => (await read(id)).refunds[0]?.state === 'awaiting_destination',
    );
    const account = {
      channel: 'bank_transfer',
      bankCode: '014',
      accountNumber: '1234567890',
      accountHolder: owner.name,
    };
    assert.equal(
      (await ask(system.api, owner, 'POST', `/refunds/${refund.id}/destination`, { body: account })).status,
      200,
    );
    await eventually('the transfer to be due', async () => (await read(id)).refunds[0]?.state === 'transfer_due');
    const told = { bankReference: 'TRF 1', transferredAt: new Date().toISOString(), nameChecked: true };
    assert.equal(
      (await ask(system.api, finance, 'POST', `/refunds/${refund.id}/transferred`, { body: told })).status,
      200,
    );
    await comesTo(id, 'closed_refunded');
  });

  it('are asked for by who bought it alone, and each unit once', async () => {
    const order = await bought();
    await refused(404, 'not_found', open(stranger, order));
    await refused(403, 'forbidden', open(seller, order));
    const key = randomUUID();
    const [first, again] = [await open(owner, order, {}, key), await open(owner, order, {}, key)];
    assert.deepEqual([first.status, again.body.id], [201, first.body.id]);
    await refused(409, 'unit_claimed', open(owner, order));
    const other = await bought();
    const wrong = (items: object[], more = {}) => open(owner, other, { items, ...more });
    await refused(422, 'items_not_known', wrong([{ orderItemId: randomUUID(), reason: 'other' }]));
    await refused(422, 'items_not_known', wrong([{ orderItemId: other.items[1]?.id, quantity: 9, reason: 'other' }]));
    await refused(
      422,
      'invalid_request',
      wrong([{ orderItemId: other.items[0]?.id, reason: 'other' }], { refundMethod: 'exchange' }),
    );
    await db()('order_units')
      .where({ order_id: other.orderId })
      .update({ delivered_at: new Date(Date.now() - 40 * 86_400_000) });
    const late = await open(owner, other);
    assert.deepEqual([late.status, late.body.code], [409, 'not_returnable']);
    assert.equal('reason' in late.body && late.body.reason, 'window_over');
  });

  it('take any words as a reason, and keep them for who looks at it', async () => {
    const order = await bought();
    const items = [{ orderItemId: order.items[0]?.id, quantity: 1, reason: 'warnanya tidak cocok' }];
    const { items: shown, messages } = await opened(order, { items });
    assert.equal(shown[0]?.units[0]?.reason, 'other');
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['warnanya tidak cocok'],
    );
  });

  it('hear only who may speak, and only what their state hears', async () => {
    const { id } = await opened(await bought());
    await refused(404, 'not_found', say(stranger, id, 'cancel'));
    await refused(403, 'forbidden', say(owner, id, 'approve'));
    await refused(403, 'forbidden', say(seller, id, 'cancel'));
    await refused(409, 'return_not_open', say(warehouse, id, 'inspect', { condition: 'used' }));
    await refused(409, 'return_not_open', say(owner, id, 'accept-deduction'));
    await refused(422, 'invalid_request', say(seller, id, 'request-info'));
    await refused(422, 'invalid_request', say(seller, id, 'reject', {}));
    const member = await system.api.person('seller', 'owner');
    const { company_id } = await db()('returns').where({ id }).first('company_id');
    await db()('company_members').insert({ company_id, user_id: member.id });
    await refused(403, 'forbidden', say(member, id, 'approve'));
  });

  it('are asked about, answered, and refused with a reason that the customer reads', async () => {
    const { id } = await opened(await bought());
    assert.equal((await done(say(seller, id, 'request-info', { message: 'Foto segelnya?' }))).state, 'info_requested');
    const answered = await done(say(owner, id, 'provide-info', { answer: 'Terlampir.' }));
    assert.equal(answered.state, 'under_review');
    const key = randomUUID();
    const rejected = await done(say(seller, id, 'reject', { reason: 'Segel rusak.' }, key));
    assert.equal(rejected.state, 'rejected');
    assert.deepEqual(
      rejected.messages.map(({ kind, by, text }) => [kind, by, text]),
      [
        ['request-info', 'seller', 'Foto segelnya?'],
        ['provide-info', 'customer', 'Terlampir.'],
        ['reject', 'seller', 'Segel rusak.'],
      ],
    );
    await refused(409, 'return_not_open', say(seller, id, 'approve'));
  });

  it('that were called off are over, and are taken up again when the parcel comes all the same', async () => {
    const { id } = await opened(await bought());
    await done(say(seller, id, 'approve'));
    await comesTo(id, 'awaiting_shipment');
    assert.equal((await done(say(owner, id, 'cancel'))).state, 'cancelled');
    // Its process may listen on for a while, or not: both times it is heard.
    await system.client.workflow.getHandle(rmaId(asId<ReturnId>(id))).terminate('gone');
    assert.equal((await done(say(warehouse, id, 'receive'))).state, 'received');
  });

  it('are disputed, and decided by somebody who did not inspect', async () => {
    const both = await system.api.person('seller', 'warehouse');
    const order = await bought();
    const { id } = await opened(order);
    await done(say(seller, id, 'approve'));
    await comesTo(id, 'awaiting_shipment');
    await done(say(both, id, 'receive'));
    await done(
      say(both, id, 'inspect', {
        units: order.items.map(({ id: orderItemId }) => ({ orderItemId, condition: 'damaged', restock: false })),
      }),
    );
    const actionsOf = async (who: TestPerson) => (await read(id, who)).actions;
    assert.deepEqual(await actionsOf(owner), ['resolve', 'accept-deduction', 'dispute']);
    assert.deepEqual(await actionsOf(seller), []);
    await done(say(owner, id, 'dispute', { reason: 'Sudah rusak saat tiba.' }));
    assert.deepEqual([await actionsOf(owner), await actionsOf(seller)], [['resolve'], ['decide-dispute']]);
    await refused(403, 'not_your_return', say(both, id, 'decide-dispute', { decision: 'waive', note: 'x' }));
    const decided = await done(say(seller, id, 'decide-dispute', { decision: 'waive', note: 'Setuju.' }));
    assert.deepEqual(decided.statement?.deductions, []);
  });

  it('are read with an ETag, listed by filters, and by nobody else', async () => {
    const order = await bought();
    const { id } = await opened(order);
    await comesTo(id, 'under_review');
    const first = await ask<Return>(system.api, owner, 'GET', `/returns/${id}`);
    const etag = first.headers.get('etag');
    assert.ok(etag);
    assert.equal(
      (await ask(system.api, owner, 'GET', `/returns/${id}`, { headers: { 'if-none-match': etag } })).status,
      304,
    );
    const ids = async (as: TestPerson, query: string) =>
      (await ask<{ items: { id: string }[] }>(system.api, as, 'GET', `/returns?${query}`)).body.items.map(
        (item) => item.id,
      );
    assert.deepEqual(await ids(owner, `orderId=${order.orderId}`), [id]);
    assert.deepEqual(await ids(warehouse, `orderId=${order.orderId}&state=under_review`), [id]);
    assert.deepEqual(await ids(owner, `orderId=${order.orderId}&state=received`), []);
    assert.deepEqual(await ids(stranger, `orderId=${order.orderId}`), []);
    await refused(404, 'not_found', ask<Problem>(system.api, stranger, 'GET', `/returns/${id}`));
    const page = await ask<{ items: { id: string }[]; nextCursor: string | null }>(
      system.api,
      seller,
      'GET',
      '/returns?limit=1',
    );
    assert.ok(page.body.nextCursor);
    const next = await ids(seller, `limit=1&cursor=${page.body.nextCursor}`);
    assert.notDeepEqual(
      next,
      page.body.items.map((item) => item.id),
    );
  });

  it('take photos: images by their content, a claim of the customer, of the inspection by staff', async () => {
    const { id } = await opened(await bought());
    const upload = async (as: TestPerson, content: Buffer) => {
      const body = new FormData();
      body.set('file', new Blob([new Uint8Array(content)], { type: 'image/png' }), 'bukti.png');
      return ask<{ id: string; kind: string; url: string } & Problem>(system.api, as, 'POST', `/returns/${id}/photos`, {
        body,
      });
    };
    const claim = await upload(owner, PNG);
    assert.deepEqual([claim.status, claim.body.kind], [201, 'claim'], JSON.stringify(claim.body));
    assert.equal((await upload(warehouse, PNG)).body.kind, 'inspection');
    await refused(415, 'unsupported_media_type', upload(owner, Buffer.from('%PDF-1.7 not a picture')));
    await refused(404, 'not_found', upload(stranger, PNG));
    assert.deepEqual(
      (await read(id)).photos.map(({ kind }) => kind),
      ['claim', 'inspection'],
    );
    const photo = await fetch(`${system.api.url}${claim.body.url}`, { headers: warehouse.headers });
    assert.deepEqual(Buffer.from(await photo.arrayBuffer()), PNG);
    const unseen = await fetch(`${system.api.url}${claim.body.url}`, { headers: stranger.headers });
    assert.equal(unseen.status, 404);
  });

  it('go by rules that the shop publishes, and keep those that they began under', async () => {
    const before = await ask<{ version: number; policy: { windowDays: number } }>(
      system.api,
      seller,
      'GET',
      '/admin/shop-policies/return',
    );
    assert.deepEqual([before.status, before.body.version], [200, 0]);
    const policy = { ...before.body.policy, windowDays: 3 };
    const publish = (body: object, key = randomUUID()) =>
      ask<{ version: number } & Problem>(system.api, seller, 'POST', '/admin/shop-policies/return', {
        body,
        headers: { 'idempotency-key': key },
      });
    await refused(422, 'invalid_request', publish({ policy: { ...policy, windowDays: 'long' } }));
    await refused(422, 'rules_not_valid', publish({ policy, effectiveFrom: '2020-01-01T00:00:00Z' }));
    await refused(403, 'forbidden', ask<Problem>(system.api, owner, 'GET', '/admin/shop-policies/return'));
    const order = await bought();
    await db()('order_units')
      .where({ order_id: order.orderId })
      .update({ delivered_at: new Date(Date.now() - 5 * 86_400_000) });
    const first = await publish({ policy });
    assert.deepEqual([first.status, first.body.version], [201, 1], JSON.stringify(first.body));
    await refused(409, 'not_returnable', open(owner, order));
    assert.equal((await publish({ policy: before.body.policy })).body.version, 2);
    await opened(order);
  });

  it('of what was declined bring nothing, and say so', async () => {
    const order = await bought();
    const stated = await inspected(
      order,
      {},
      { units: order.items.map(({ id: orderItemId }) => ({ orderItemId, condition: 'not_ours', accepted: false })) },
    );
    assert.equal(stated.statement?.refund.amountMinor, 0);
    assert.deepEqual([...new Set(stated.statement?.deductions.map(({ code }) => code))], ['declined']);
  });
});
