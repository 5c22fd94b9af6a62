import assert from 'node:assert/strict';
import { z } from 'zod';
import { storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const payments = z.object({
  items: z.array(z.object({ id: z.string(), state: z.string(), gateway: z.string(), gatewayReference: z.string() })),
});

describe('paying at each gateway', () => {
  let system: TestSystem;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
  });
  after(() => system?.close());

  const planFault = async (operation: string, kind: string) => {
    const response = await fetch(`${system.sandboxUrl}/_sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operation, kind, times: 1 }),
    });
    assert.equal(response.status, 201, await response.text());
  };
  const attemptsOf = async (invoiceId: string) =>
    payments.parse((await storyOf(system).call('GET', `payments?invoiceId=${invoiceId}`, { as: 'owner' })).body).items;

  for (const gateway of ['midtrans', 'xendit', 'stripe'] as const) {
    it(`${gateway}: its page, its notification and its own word lead to the licence`, async () => {
      const story = storyOf(system);
      const id = await story.submitted('retail_kiosk');
      await story.reaches(id, 'pending_payment');
      const { reference, redirectUrl } = await story.openPayment(id, gateway);
      assert.equal((await fetch(redirectUrl)).status, 200, 'there is a page to pay on');
      await story.sandbox(reference, 'pay', '?webhook=twice');
      await story.reaches(id, 'active');
      const [attempt, ...others] = await attemptsOf(await story.invoiceOf(id));
      assert.deepEqual(others, []);
      assert.deepEqual([attempt?.gateway, attempt?.state], [gateway, 'paid']);
    });

    it(`${gateway}: an answer that was lost after the page was made leaves one attempt that can be paid`, async () => {
      const story = storyOf(system);
      const id = await story.submitted('retail_kiosk');
      await story.reaches(id, 'pending_payment');
      await planFault('create', '5xx_after');
      const { reference, redirectUrl } = await story.openPayment(id, gateway);
      assert.equal((await fetch(redirectUrl)).status, 200);
      await story.sandbox(reference, 'pay');
      await story.reaches(id, 'active');
      const paid = (await attemptsOf(await story.invoiceOf(id))).filter(({ state }) => state === 'paid');
      assert.equal(paid.length, 1);
    });
  }

  it('another gateway than the one that was begun with ends the first attempt', async () => {
    const story = storyOf(system);
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    const first = await story.openPayment(id, 'xendit');
    const second = await story.openPayment(id, 'stripe');
    assert.notEqual(second.reference, first.reference);
    await story.sandbox(second.reference, 'pay');
    await story.reaches(id, 'active');
    const attempts = await attemptsOf(await story.invoiceOf(id));
    const states = Object.fromEntries(attempts.map(({ gateway, state }) => [gateway, state]));
    assert.deepEqual(states, { xendit: 'expired', stripe: 'paid' });
  });

  it('one that takes no rupiah is not offered for an invoice in rupiah', async () => {
    const story = storyOf(system);
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    const invoiceId = await story.invoiceOf(id);
    const answer = await story.call('POST', `invoices/${invoiceId}/pay`, { as: 'owner', body: { gateway: 'billplz' } });
    assert.equal(answer.status, 422);
    assert.match(JSON.stringify(answer.body), /gateway_not_available.*midtrans, xendit, stripe/);
  });
});
