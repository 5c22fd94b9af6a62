import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { asId, type PaymentMethodId } from '../../domain/ids.ts';
import { forgetCardId } from '../../workflows/ids.ts';
import { aPlan } from '../builders/subscriptions.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const pageJson = z.object({ setupUrl: z.string(), expiresAt: z.string() });
const cardsJson = z.object({
  items: z.array(
    z.object({ id: z.string().transform((id) => asId<PaymentMethodId>(id)), brand: z.string(), last4: z.string() }),
  ),
});

const subscriptionJson = z.object({
  id: z.string(),
  plan: z.object({ code: z.string() }),
  openInvoice: z.object({ id: z.string() }).nullable(),
  pendingChange: z.object({ invoiceId: z.string().nullable() }).nullable(),
  cardId: z.string().nullable(),
});

describe('cards on file', () => {
  let system: TestSystem;
  let story: Story;
  let companyId: string;
  let owner: Readonly<Record<string, string>>;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
    companyId = await story.companyId();
    owner = await system.as('owner');
  });
  after(() => system?.close());

  const at = (rest = '', company = companyId) => `${system.api.url}/api/v1/users/companies/${company}/cards${rest}`;
  const send = (method: string, url: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(url, { method, headers: { ...owner, ...headers } });
  const opened = async (key: string = randomUUID()) => {
    const response = await send('POST', at(), { 'idempotency-key': key });
    assert.equal(response.status, 201, await response.clone().text());
    return pageJson.parse(await response.json());
  };
  const cards = async () => cardsJson.parse(await (await send('GET', at())).json()).items;
  const give = async (setupUrl: string, card: string) => {
    const response = await fetch(`${setupUrl}/card`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ card }),
    });
    assert.equal(response.status, 303);
  };
  const db = () => system.database.db;

  it('are given at the gateway and listed once it has said so, with an event and no number', async () => {
    const key = randomUUID();
    const { setupUrl, expiresAt } = await opened(key);
    assert.ok(Date.parse(expiresAt) > Date.now());
    assert.deepEqual(await opened(key), { setupUrl, expiresAt }, 'a repeat leads to the same page');
    assert.deepEqual(await cards(), []);
    await give(setupUrl, '4242');
    const [card, ...more] = await eventually('the card', async () => {
      const found = await cards();
      return found.length > 0 && found;
    });
    assert.deepEqual([card?.brand, card?.last4, more.length], ['visa', '4242', 0]);
    const event = await db()('events').where({ type: 'payment_method.added' }).first();
    assert.deepEqual([event.subject, event.company_id], [`payment_method/${card?.id}`, companyId]);
    assert.deepEqual(event.data, { brand: 'visa' });
    const page = await fetch(`${system.api.url}/card/${card?.id}`, { headers: { 'accept-language': 'en' } });
    assert.match(await page.text(), /STORED/);
  });

  it('are stored by the notification alone, and it leaves no case about an unknown payment', async () => {
    const before = (await cards()).length;
    const { setupUrl } = await opened();
    await give(setupUrl, '9995');
    await eventually('the card, without anybody asking for it', async () => {
      const rows = await db()('payment_methods').where({ company_id: companyId }).whereNull('removed_at').select('id');
      return rows.length === before + 1;
    });
    assert.deepEqual(await db()('payment_cases').where({ kind: 'unknown_object' }).select('reference'), []);
    assert.deepEqual(await db()('payment_inbox').select('id'), []);
  });

  it('are taken off, here and at the gateway', async () => {
    const [card] = await cards();
    assert.ok(card);
    assert.equal((await send('DELETE', at(`/${card.id}`))).status, 204);
    assert.equal((await cards()).filter(({ id }) => id === card.id).length, 0);
    assert.equal((await send('DELETE', at(`/${card.id}`))).status, 404, 'once');
    await system.client.workflow.getHandle(forgetCardId(card.id)).result();
    const stored = await db()('payment_methods').where({ id: card.id }).first();
    const charge = system.deps.gateways.stripe?.cards?.charge({
      reference: randomUUID(),
      amount: { amountMinor: 100_000n, currency: 'IDR' },
      customer: stored.customer_reference,
      card: stored.method_reference,
    });
    await assert.rejects(charge ?? assert.fail('no cards'), /refused to charge a card/);
    const event = await db()('events').where({ type: 'payment_method.removed' }).first();
    assert.equal(event.subject, `payment_method/${card.id}`);
  });

  it('pay a subscription: declined, another one is charged at once; taken off, it is paid by links again', async () => {
    const { code } = await aPlan(db(), { priceMinor: '50000' });
    const dearer = await aPlan(db(), { priceMinor: '150000' });
    const call = async (method: string, path: string, body?: object) => {
      const response = await fetch(`${system.api.url}/api/v1/${path}`, {
        method,
        headers: { ...owner, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const json: unknown = await response.json();
      assert.ok(response.ok, JSON.stringify(json));
      return subscriptionJson.parse(json);
    };
    const given = async (number: string) => {
      const before = (await cards()).map(({ id }) => id);
      await give((await opened()).setupUrl, number);
      return eventually('the card', async () => (await cards()).find(({ id }) => !before.includes(id)));
    };
    const { id } = await call('POST', 'subscriptions', { companyId, planCode: code });
    const first = await eventually('the invoice', async () => (await call('GET', `subscriptions/${id}`)).openInvoice);
    const { gatewayReference } = await eventually('a page to pay on', async () => {
      const body = JSON.stringify({ gateway: 'xendit' });
      const headers = { 'content-type': 'application/json', ...owner };
      await fetch(`${system.api.url}/api/v1/invoices/${first.id}/pay`, { method: 'POST', headers, body });
      return z
        .object({ gatewayReference: z.string() })
        .optional()
        .parse(
          await db()('payments')
            .where({ invoice_id: first.id, state: 'pending' })
            .first({ gatewayReference: 'gateway_reference' }),
        );
    });
    await story.sandbox(gatewayReference, 'pay');
    await eventually('the term', async () => (await call('GET', `subscriptions/${id}`)).openInvoice === null);

    const bad = await given('9995');
    await call('POST', `subscriptions/${id}/method`, { cardId: bad.id });
    const asked = await call('POST', `subscriptions/${id}/change-plan`, { planCode: dearer.code });
    const upgrade = asked.pendingChange?.invoiceId;
    assert.ok(upgrade);
    const states = async () => db()('payments').where({ invoice_id: upgrade }).orderBy('attempt').pluck('state');
    await eventually('the bank to decline it', async () => (await states()).join() === 'failed');

    const good = await given('4242');
    await call('POST', `subscriptions/${id}/method`, { cardId: good.id });
    const larger = await eventually('the larger plan', async () => {
      const now = await call('GET', `subscriptions/${id}`);
      return now.plan.code === dearer.code && now;
    });
    assert.deepEqual([larger.pendingChange, larger.cardId], [null, good.id]);
    assert.deepEqual(await states(), ['failed', 'paid']);

    for (const card of [good, bad]) assert.equal((await send('DELETE', at(`/${card.id}`))).status, 204);
    assert.equal((await call('GET', `subscriptions/${id}`)).cardId, null);
  });

  it('are not shown, added or taken off by who does not act for the company', async () => {
    const stranger = await system.api.person('owner');
    const [card] = await cards();
    assert.ok(card);
    for (const [method, url] of [
      ['GET', at()],
      ['POST', at()],
      ['DELETE', at(`/${card.id}`)],
    ] as const)
      assert.equal((await fetch(url, { method, headers: stranger.headers })).status, 404, method);
    assert.equal((await cards()).length, 1);
  });

  it('are a page that says so where nobody was ever led back to', async () => {
    for (const id of [randomUUID(), 'nonsense'])
      assert.equal((await fetch(`${system.api.url}/card/${id}`)).status, 404);
  });
});
