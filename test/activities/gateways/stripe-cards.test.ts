import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { CardsOnFile } from '../../../activities/gateways/gateway.ts';
import { asId, type CompanyId } from '../../../domain/ids.ts';
import { rupiah } from '../../../domain/money.ts';
import type { TestCard } from '../../../local/gateways/stripe/setups.ts';
import { SECRET_KEY, type StripeWorld, startStripe } from '../../local/gateways/stripe-support.ts';
import { eventually } from '../../support/wait.ts';
import { failureWithout, kindAndCode } from './asking.ts';

const HOUR = 3_600_000;
const failure = failureWithout(SECRET_KEY);

describe('cards on file at Stripe', () => {
  let world: StripeWorld;
  let cards: CardsOnFile;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startStripe({ clock: () => new Date(time) });
    assert.ok(world.gateway.cards);
    cards = world.gateway.cards;
  });
  afterEach(() => world.close());

  const asked = (id: string = randomUUID(), customer: string | null = null) => ({
    id,
    companyId: asId<CompanyId>(randomUUID()),
    customer,
    locale: 'en' as const,
    finishUrl: 'https://alur.example/card',
    expiresAt: new Date(time + HOUR).toISOString(),
  });
  const press = (url: string, card: TestCard) =>
    fetch(`${url}/card`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ card }) });
  const given = async (number: TestCard) => {
    const { customer, session, url } = await cards.openSetup(asked());
    assert.equal((await press(url, number)).status, 303);
    const { card } = await cards.lookUpSetup(session);
    assert.ok(card);
    return { customer, card: card.method };
  };
  const charge = (on: { customer: string; card: string }, reference = 'sub-1-1', amount = rupiah(111_000)) =>
    cards.charge({ reference, amount, ...on });

  it('are given on a page, and known by brand, last digits and expiry once they are', async () => {
    const request = asked();
    const opened = await cards.openSetup(request);
    assert.deepEqual(await cards.lookUpSetup(opened.session), { state: 'open', card: null });
    assert.match(await (await fetch(opened.url)).text(), /insufficient_funds[\s\S]*expired_card[\s\S]*stolen_card/);
    assert.deepEqual(await cards.openSetup(request), opened, 'a repeat opens the same page');
    await press(opened.url, '4242');
    const { state, card } = await cards.lookUpSetup(opened.session);
    assert.equal(state, 'complete');
    const { method, ...face } = card ?? assert.fail('no card');
    assert.match(method, /^pm_/);
    assert.deepEqual(face, { brand: 'visa', last4: '4242', expiresMonth: 12, expiresYear: 2099 });
    assert.equal((await press(opened.url, '9995')).status, 409, 'a page takes one card');
  });

  it('tell the merchant, with our ID and no payment', async () => {
    const request = asked();
    const { url } = await cards.openSetup(request);
    await press(url, '4242');
    assert.deepEqual(world.merchant.references, [request.id]);
    assert.match(world.merchant.statuses[0] ?? '', /^checkout\.session\.completed/);
  });

  it('are not given on a page that has expired', async () => {
    const { session, url } = await cards.openSetup(asked());
    time += HOUR + 1000;
    assert.deepEqual(await cards.lookUpSetup(session), { state: 'expired', card: null });
    assert.equal((await press(url, '4242')).status, 409);
  });

  it('are charged while nobody is there; the payment is looked up, listed and refunded like any other', async () => {
    const on = await given('4242');
    const said = await charge(on);
    assert.deepEqual([said.state, said.paid, said.method], ['paid', rupiah(111_000), 'credit_card']);
    const { transactionId } = said;
    assert.deepEqual(await cards.lookUpCharge({ reference: 'sub-1-1', ...on, transactionId }), said);
    assert.deepEqual(await cards.lookUpCharge({ reference: 'sub-1-1', ...on, transactionId: null }), said);
    time += 61_000;
    assert.deepEqual(await world.gateway.lookUp('sub-1-1'), said, 'also by its reference alone');
    assert.ok(world.gateway.list && world.gateway.refund);
    const window = { from: new Date(time - HOUR).toISOString(), to: new Date(time + HOUR).toISOString() };
    const { payments } = await world.gateway.list(window, null);
    assert.deepEqual(
      payments.map(({ reference, paid }) => [reference, paid]),
      [['sub-1-1', rupiah(111_000)]],
    );
    const refund = await world.gateway.refund({
      reference: 'sub-1-1',
      transactionId: null,
      key: randomUUID(),
      amount: rupiah(111_000),
      captured: rupiah(111_000),
      method: 'credit_card',
      reason: 'goodwill',
    });
    assert.equal(refund.state, 'succeeded');
  });

  it('that the bank refuses say why, at once and when asked later', async () => {
    const codes = {
      '9995': 'insufficient_funds',
      '0069': 'expired_card',
      '9979': 'stolen_card',
      '9987': 'lost_card',
      '3184': 'authentication_required',
    } as const;
    for (const number of ['9995', '0069', '9979', '9987', '3184'] as const) {
      const on = await given(number);
      const reference = `sub-${number}-1`;
      const said = await charge(on, reference);
      assert.deepEqual([said.state, said.paid, said.declineCode], ['failed', null, codes[number]]);
      assert.deepEqual(await cards.lookUpCharge({ reference, ...on, transactionId: null }), said);
    }
    const once = await given('4444');
    assert.equal((await charge(once, 'sub-4444-1')).declineCode, 'insufficient_funds');
    assert.equal((await charge(once, 'sub-4444-2')).state, 'paid');
  });

  it('are charged once for one reference, whatever was lost', async () => {
    const on = await given('4242');
    const hasty = world.gatewayWithin(300).cards ?? assert.fail('no cards');
    await world.fault({ operation: 'create', kind: 'timeout_after', times: 1 });
    const lost = await failure(hasty.charge({ reference: 'sub-1-1', amount: rupiah(111_000), ...on }));
    assert.equal(lost.kind, 'unknown');
    // Until the sandbox has seen that nobody listens any more, it is still working on the first.
    const repeated = async () => {
      try {
        return await charge(on);
      } catch (error) {
        assert.match(String(error), /still working/);
        return null;
      }
    };
    assert.equal((await eventually('the first answer again', repeated)).state, 'paid');
    await world.fault({ operation: 'create', kind: '5xx_after', times: 1 });
    assert.equal((await failure(charge(on, 'sub-1-2'))).kind, 'unknown');
    assert.equal((await charge(on, 'sub-1-2')).state, 'paid', 'a stored failure of Stripe is looked behind');
    assert.equal(world.sandbox.list().filter(({ state }) => state === 'succeeded').length, 2);
  });

  it('that were never asked for are not found', async () => {
    const on = await given('4242');
    const found = await cards.lookUpCharge({ reference: 'sub-1-1', ...on, transactionId: null });
    assert.equal(found.state, 'not_found');
  });

  it('that are forgotten cannot be charged any more, and are forgotten once', async () => {
    const on = await given('4242');
    await cards.detach(on.card);
    await cards.detach(on.card);
    assert.deepEqual(kindAndCode(await failure(charge(on))), { kind: 'refused', code: 'invalid_request' });
  });

  it('of one company are filed under one customer', async () => {
    const companyId = asId<CompanyId>(randomUUID());
    const first = await cards.openSetup({ ...asked(), companyId });
    assert.equal((await cards.openSetup({ ...asked(), companyId })).customer, first.customer);
    assert.equal((await cards.openSetup(asked(randomUUID(), first.customer))).customer, first.customer);
  });
});
