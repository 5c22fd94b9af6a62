import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createNoticeTelling } from '../../api/notice-telling.ts';
import { asId, type CompanyId, type InvoiceId } from '../../domain/ids.ts';
import { anInvoice, aPayment } from '../builders/licensing.ts';
import { type Pair, pairOf, percentile, type Round } from './figures.ts';
import type { Machine } from './machine.ts';
import { processorMs } from './process-figures.ts';
import type { Order } from './programs/orders.ts';

const PER_SECOND = 200;
const ROUNDS = 5;
const REQUESTS = 600;
/** Of each round, not measured. */
const WARM = 100;
/** Once, before the rounds: until the compiler is through with either server. */
const FIRST_WARM = 2_000;
/** Gateways tell several times of each. */
const PAYMENTS = 50;
/** The worker's; config.ts has the same. */
const TASK_QUEUE = 'alur';
/** After a row was due, as the API tells after it has answered. */
const TELLING_LAG_MS = 20;

type Posts = Extract<Order, { kind: 'arrivals' }>['posts'];

/**
 * Notices of a gateway, 200 a second, each one new. Alur: the whole API, the payment and its refunds looked up, the process
 * told meanwhile. Bare: Express, the bytes, one hash, one insert of the same row, whose payment it is told. What the
 * processes then do is no intake and would weigh on Alur's rounds alone, for here it runs on the same processors: so while
 * bare is measured, the bench tells the same processes of bare's rows, at the same pace.
 */
export async function measureWebhooks(machine: Machine): Promise<Pair[]> {
  const { apiUrl, bareUrl, driver, api, bareServer, db } = machine;
  const payments = await paymentsFor(machine);
  const round = async (url: string, pid: number, count: number): Promise<Reading> => {
    const posts = Array.from({ length: count }, (_, index) => postOf(payments, index, machine.midtransServerKey));
    const before = processorMs(pid);
    const { latenciesMs, all } = await driver({ kind: 'arrivals', url, posts, perSecond: PER_SECOND, warm: WARM });
    const processorUs = ((processorMs(pid) - before) * 1000) / all;
    return { p95: percentile(latenciesMs, 0.95), median: percentile(latenciesMs, 0.5), processorUs };
  };
  const alur = async (count = REQUESTS) => {
    const reading = await round(`${apiUrl}/webhooks/midtrans`, api.pid, count);
    await quiet(db);
    return reading;
  };
  const bare = async (count = REQUESTS) => {
    const stopTelling = await tellInstead(machine, payments);
    const reading = await round(`${bareUrl}/webhooks/midtrans`, bareServer.pid, count);
    await stopTelling();
    await quiet(db);
    return reading;
  };

  await alur(FIRST_WARM);
  await bare(FIRST_WARM);
  const rounds: { alur: Reading; bare: Reading }[] = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push({ alur: await alur(), bare: await bare() });
  const beside = (figure: keyof Reading): Round[] =>
    rounds.map((one) => ({ alur: one.alur[figure], bare: one.bare[figure] }));
  return [
    pairOf(`Webhook intake at ${PER_SECOND}/s, p95`, 'ms', { atMost: 1.25 }, beside('p95')),
    pairOf('– median', 'ms', null, beside('median')),
    pairOf('– processor time of the server, telling included', 'µs/request', null, beside('processorUs')),
  ];
}

interface Reading {
  readonly p95: number;
  readonly median: number;
  readonly processorUs: number;
}

/** Does for bare what the API does for itself, by the API's own code, as often as notices come. */
async function tellInstead({ db, client }: Machine, payments: readonly Known[]): Promise<() => Promise<void>> {
  const warned: string[] = [];
  const logger = { warn: (_fields: object, sentence?: string) => void warned.push(sentence ?? '') };
  const telling = createNoticeTelling({ db, temporal: client, taskQueue: TASK_QUEUE, logger });
  const newest: { id: bigint } | undefined = await db('payment_inbox').orderBy('id', 'desc').first('id');
  // Beyond every row of the round: whoever looks has looked for all that are there.
  const after = (newest?.id ?? 0n) + BigInt(FIRST_WARM);
  let index = 0;
  const startedAt = performance.now() + TELLING_LAG_MS;
  const tellWhatIsDue = () => {
    for (; index < ((performance.now() - startedAt) * PER_SECOND) / 1000; index += 1) {
      const payment = payments[index % payments.length];
      if (!payment) throw new Error('there is no payment to tell of');
      const { invoiceId, reference } = payment;
      const inboxId = String(after + BigInt(index));
      telling.tell('midtrans', { inboxId, invoiceId, reference, refundId: null, refundIds: [], handled: false });
    }
  };
  const timer = setInterval(tellWhatIsDue, 5);
  return async () => {
    clearInterval(timer);
    tellWhatIsDue();
    await telling.close();
    if (warned.length > 0) throw new Error(`bare's notices could not be told: ${warned[0]}`);
  };
}

interface Known {
  readonly id: string;
  readonly invoiceId: InvoiceId;
  readonly reference: string;
}

async function paymentsFor({ db, people }: Machine): Promise<Known[]> {
  const member: { company_id: string } | undefined = await db('company_members')
    .where({ user_id: people.owner.userId })
    .first('company_id');
  if (!member) throw new Error('the owner of the demonstration data has no company');
  const companyId = asId<CompanyId>(member.company_id);
  const made: Known[] = [];
  for (let index = 0; index < PAYMENTS; index += 1) {
    const invoiceId = await anInvoice(db, { companyId, state: 'paid' });
    made.push({ ...(await aPayment(db, { invoiceId, state: 'paid' })), invoiceId });
  }
  return made;
}

function postOf(payments: readonly Known[], index: number, serverKey: string): Posts[number] {
  const { id = '', reference = '' } = payments[index % payments.length] ?? {};
  const said = { order_id: reference, status_code: '200', gross_amount: '361000.00' };
  const signature_key = createHash('sha512')
    .update(said.order_id + said.status_code + said.gross_amount + serverKey)
    .digest('hex');
  const body = JSON.stringify({
    ...said,
    signature_key,
    transaction_id: randomUUID(),
    transaction_status: 'settlement',
    transaction_time: '2026-03-02 09:00:00',
    payment_type: 'qris',
    merchant_id: 'G123456789',
    currency: 'IDR',
  });
  return { body, headers: { 'x-bench-payment': id } };
}

/** What a round has set off is over before the next begins. */
async function quiet(db: Machine['db']): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const waiting = await db('payment_inbox').whereNull('handled_at').first('id');
    if (!waiting) break;
    await delay(100);
  }
  await delay(500);
}
