/** Refunds: back the way it came, by hand after a second person agreed, as credit, refused, and one that came back. */
import assert from 'node:assert/strict';
import { asId, type RefundId } from '../../domain/ids.ts';
import type { DemoAccount } from '../../local/demo-data.ts';
import { refundId } from '../../workflows/ids.ts';
import { idShape, storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

const ACCOUNT = { channel: 'bank_transfer', bankCode: '014', accountNumber: '1234567890', accountHolder: 'Sari' };

export async function playRefunds(system: TestSystem): Promise<Played> {
  const story = storyOf(system);
  const paidBy = async (channel: string) => {
    const id = await story.submitted('retail_kiosk');
    const payment = await story.openPayment(id);
    await story.sandbox(payment.reference, 'pay', `?channel=${channel}`);
    await story.reaches(id, 'active');
    return payment;
  };
  const post = (path: string, as: DemoAccount, body: object) => story.call('POST', path, { as, body });
  const ask = async (as: DemoAccount, paymentId: string, more: object = {}) =>
    idShape.parse((await story.expect(201, post('refunds', as, { paymentId, amountMinor: 5_000, ...more }))).body).id;
  const comesTo = (id: string, state: string) =>
    eventually(`refund ${id} to be ${state}`, async () => {
      const { body } = await story.expect(200, story.call('GET', `refunds/${id}`, { as: 'finance' }));
      return idShape.parse(body)['state'] === state;
    });
  const process = (id: string) => refundId(asId<RefundId>(id));

  // One each: what a gateway tells of a payment wakes all of its refunds, also one that has ended.
  const [wallet, other, account] = await Promise.all([paidBy('gopay'), paidBy('gopay'), paidBy('bca_va')]);
  const byGateway = await ask('finance', wallet.paymentId);
  await comesTo(byGateway, 'succeeded');
  // Two journeys: no time passes while the gateway is being asked on the third day.
  await travel(system.client, process(byGateway), 3.1 * DAY);
  await travel(system.client, process(byGateway), 7.5 * DAY);

  const back = await ask('finance', other.paymentId);
  await comesTo(back, 'succeeded');
  await story.sandbox(other.reference, 'refund-fail', '?webhook=none');
  await travel(system.client, process(back), 3.1 * DAY);

  const byHand = await ask('owner', account.paymentId, { destination: ACCOUNT });
  await story.expect(200, post(`refunds/${byHand}/approve`, 'finance', {}));
  await comesTo(byHand, 'transfer_due');
  const transferred = { bankReference: 'TRF1', transferredAt: '2026-11-21T10:00:00+07:00', nameChecked: true };
  await story.expect(200, post(`refunds/${byHand}/transferred`, 'finance', transferred));
  await travel(system.client, process(byHand), 11 * DAY);

  const credit = await ask('finance', account.paymentId);
  await comesTo(credit, 'awaiting_destination');
  await travel(system.client, process(credit), 31 * DAY);
  await story.expect(200, post(`refunds/${credit}/destination`, 'owner', { channel: 'store_credit' }));

  const refused = await ask('owner', account.paymentId);
  await story.expect(200, post(`refunds/${refused}/reject`, 'supervisor', { note: 'not due' }));
  const second = await post(`refunds/${refused}/approve`, 'finance', {});
  assert.equal(second.status, 409);

  return {
    'refund-by-gateway': process(byGateway),
    'refund-came-back': process(back),
    'refund-transferred-by-hand': process(byHand),
    'refund-as-credit-after-reminders': process(credit),
    'refund-rejected': process(refused),
  };
}
