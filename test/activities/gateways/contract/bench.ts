/** One case at work: an adapter against its sandbox, and what a case does to both. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type CreatePaymentRequest,
  GatewayError,
  type GatewayErrorCode,
  type GatewayErrorKind,
  type GatewayRefund,
  type PaymentGateway,
  type RefundRequest,
} from '../../../../activities/gateways/gateway.ts';
import { readNotification } from '../../../../api/webhooks/index.ts';
import { type Money, money } from '../../../../domain/money.ts';
import type { GatewayName } from '../../../../domain/payments.ts';
import { gatewayAccounts } from '../../../../local/gateways/accounts.ts';
import type { Fault } from '../../../../local/gateways/faults.ts';
import { until } from '../../../local/gateways/support.ts';
import { failureWithout } from '../asking.ts';
import { newBook, type Subject } from './subjects.ts';
import { type Received, SECRET, type World } from './world.ts';

export function createBench(name: GatewayName, subject: Subject, world: World) {
  const book = newBook();
  const { merchantUrl } = world;
  const at = (url: string, timeoutMs: number) => subject.open({ url, timeoutMs, merchantUrl, book });
  /** Makes it happen; the real gateway could do this now. */
  const play = async (path: string) => {
    const answer = await world.play(path);
    assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  };
  const gateway = at(world.url, 10_000);
  return {
    name,
    subject,
    world,
    play,
    gateway,
    /** Gives up soon. */
    hasty: at(world.url, 200),
    /** Nobody listens there. */
    unreachable: at(world.deadUrl, 2000),
    fault: (operation: Fault['operation'], kind: Fault['kind'], times = 1) =>
      world.fault({ operation, kind, times, gateway: name }),
    request: (reference: string, amount: Money = subject.amount, more: Partial<CreatePaymentRequest> = {}) =>
      requestOf(world, reference, amount, more),
    held: async (reference: string) => (await world.held(name)).filter((one) => one.reference === reference),
    read: (received: Received) => readNotification(name, received, secrets),
    /** Pays it through this channel; what may be asked of the refunds is returned. */
    paid: (reference: string, channel = subject.channels.parts) =>
      payFor({ gateway, subject, world, play }, reference, channel),
  };
}
export type Bench = ReturnType<typeof createBench>;

const accounts = gatewayAccounts(SECRET);
const secrets = { midtrans: { serverKey: SECRET }, ...accounts };

function requestOf(
  world: World,
  reference: string,
  amount: Money,
  more: Partial<CreatePaymentRequest>,
): CreatePaymentRequest {
  return {
    reference,
    amount,
    now: new Date(world.now()).toISOString(),
    expiresAt: new Date(world.now() + 3_600_000).toISOString(),
    items: [{ name: 'Biaya izin', amount, quantity: 1 }],
    payer: { name: 'Siti Rahayu', email: 'siti@example.com' },
    locale: 'id',
    finishUrl: 'https://alur.example/done',
    ...more,
  };
}

type Paying = Pick<Bench, 'gateway' | 'subject' | 'world' | 'play'>;

async function payFor({ gateway, subject, world, play }: Paying, reference: string, channel: string) {
  await gateway.create(requestOf(world, reference, subject.amount, {}));
  await play(`${reference}/pay?webhook=none&channel=${channel}`);
  if (subject.settle.includes(channel)) await play(`${reference}/settle?webhook=none`);
  const { transactionId, method, paid } = await gateway.lookUp(reference);
  const captured = paid ?? assert.fail('nothing was paid');
  return (amountMinor: bigint, key: string = randomUUID()): RefundRequest => ({
    reference,
    transactionId,
    key,
    amount: money(amountMinor, captured.currency),
    captured,
    method,
    reason: 'requested_by_payer',
  });
}

export function refunding({ refund, lookUpRefund }: PaymentGateway) {
  assert.ok(refund !== null && lookUpRefund !== null, 'this adapter gives nothing back');
  return { refund, lookUpRefund };
}

/** Asks for it, and waits until it has ended. */
export async function refundToTheEnd(bench: Bench, request: RefundRequest): Promise<GatewayRefund> {
  const { refund } = refunding(bench.gateway);
  return ended(bench, request, await insist(() => refund(request)));
}

export async function ended(bench: Bench, request: RefundRequest, first: GatewayRefund): Promise<GatewayRefund> {
  const { lookUpRefund } = refunding(bench.gateway);
  let said = first;
  if (said.state === 'pending') await bench.world.play(`${request.reference}/refund-settle?webhook=none`);
  await until('the refund ended', async () => {
    if (said.state === 'pending') said = await lookUpRefund({ ...request, refundId: first.refundId });
    return said.state !== 'pending';
  });
  return said;
}

/** The last request of this kind may still be under way: what a caller does then is ask again. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  await until('the first request had ended', async () => {
    try {
      results.push(await work());
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'in_progress')) throw error;
    }
    return results.length > 0;
  });
  const [result] = results;
  assert.ok(result !== undefined);
  return result;
}

export const failure = failureWithout(SECRET);

export async function fails(work: Promise<unknown>, kind: GatewayErrorKind, code: GatewayErrorCode): Promise<void> {
  const error = await failure(work);
  assert.deepEqual({ kind: error.kind, code: error.code }, { kind, code }, error.message);
}
