/**
 * What a renewal costs beside a bare process with as many local activities, activities and starts of another process, which sends
 * the same SQL statements: those that Alur sent for a model, with other IDs. On one system, in turns.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Knex } from 'knex';
import { z } from 'zod';
import { connect } from '../../db/connection.ts';
import { lockCollected } from '../../db/invoice-payments.ts';
import { attachPdf } from '../../db/papers.ts';
import { applicantOf } from '../../db/payers.ts';
import { paymentsOf } from '../../db/payments.ts';
import { invoiceFacts } from '../../db/printed.ts';
import { advance } from '../../db/subscription-moves.ts';
import { asId, type InvoiceId, type Sha256 } from '../../domain/ids.ts';
import { paymentId } from '../../workflows/ids.ts';
import { eventually } from '../support/wait.ts';
import { type Pair, pairOf, type Round } from './figures.ts';
import type { Machine } from './machine.ts';
import { collectionId } from './programs/bare-workflows.ts';
import { type Places, placeOf, type Statement, type StatementsOf } from './programs/statements.ts';
import { asleepOnes, type Subscribed, startProcesses, subscribe } from './subscription-rows.ts';

const ROUNDS = 4;
const AT_ONCE = 100;
const ASLEEP_WITHIN_MS = 8_000;
const DONE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;
const BARE_STARTS_AT_ONCE = 16;

export async function measureRenewals(machine: Machine): Promise<Pair[]> {
  await keepStatements(machine);
  await renewals(machine);
  await bareRenewals(machine);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const measured = { alur: await renewals(machine), bare: await bareRenewals(machine) };
    rounds.push(measured);
    machine.say(`  ${measured.alur.toFixed(1)} : ${measured.bare.toFixed(1)} renewals/s`);
  }
  return [pairOf(`Renewals of subscriptions, ${AT_ONCE} due at once`, 'renewals/s', { atLeast: 0.8 }, rounds)];
}

/** @returns how many a second, from when all are due until the last is waited for by the process of its payment */
async function renewals(machine: Machine): Promise<number> {
  const dueAt = Date.now() + ASLEEP_WITHIN_MS;
  const before = await asleepOnes(machine);
  const subscribed = await subscribe(machine, AT_ONCE, () => dueAt);
  await startProcesses(machine, subscribed);
  await eventually('subscriptions asleep', async () => (await asleepOnes(machine)) === before + AT_ONCE);
  return perSecond(machine, subscribed, dueAt, paymentId);
}

async function bareRenewals(machine: Machine): Promise<number> {
  const dueAt = Date.now() + ASLEEP_WITHIN_MS;
  const subscribed = await subscribe(machine, AT_ONCE, () => dueAt);
  const left = subscribed.values();
  const lane = async () => {
    for (const one of left) await startBare(machine, one, dueAt);
  };
  await Promise.all(Array.from({ length: BARE_STARTS_AT_ONCE }, lane));
  return perSecond(machine, subscribed, dueAt, collectionId);
}

async function startBare({ client, bareQueue }: Machine, one: Subscribed, dueAt: number): Promise<void> {
  const places: Places = {
    subscription: one.id,
    company: one.companyId,
    invoice: randomUUID(),
    letter: randomUUID(),
    number: `BARE/${one.id}`,
  };
  const options = { workflowId: `bare-renewal/${one.id}`, taskQueue: bareQueue, args: [{ dueAt, places }] };
  await client.workflow.start('bareRenewal', options);
}

async function perSecond(
  { db, client }: Machine,
  subscribed: readonly Subscribed[],
  dueAt: number,
  processOf: (id: InvoiceId) => string,
): Promise<number> {
  if (Date.now() > dueAt) throw new Error('the renewals were due before all of them slept');
  await delay(dueAt - Date.now());
  const ids = await printed(db, subscribed);
  const ends = await Promise.all(ids.map((id) => loadedAt(client, processOf(id))));
  // The letters are another process's work, and would be sent during another round.
  await db('account_letters').whereNull('taken_at').update({ taken_at: db.fn.now() });
  return (subscribed.length * 1000) / (Math.max(...ends) - dueAt);
}

async function printed(db: Knex, subscribed: readonly Subscribed[]): Promise<InvoiceId[]> {
  const of = subscribed.map(({ id }) => id);
  const until = Date.now() + DONE_WITHIN_MS;
  for (;;) {
    const ids: InvoiceId[] = await db('invoices').whereIn('subscription_id', of).whereNotNull('pdf_sha256').pluck('id');
    if (ids.length === of.length) return ids;
    if (Date.now() > until) throw new Error(`${ids.length} of ${of.length} invoices were printed`);
    await delay(LOOK_EVERY_MS);
  }
}

/** When its first activity had ended, by the server's clock; epoch milliseconds. */
const loadedAt = (client: Client, workflowId: string): Promise<number> =>
  eventually(`the beginning of ${workflowId}`, async () => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const time = events?.find((event) => event.activityTaskCompletedEventAttributes)?.eventTime;
    return time && Number(time.seconds) * 1000 + (time.nanos ?? 0) / 1e6;
  });

// ---- the statements -------------------------------------------------------------------------------------------------

const NO_PDF = asId<Sha256>('0'.repeat(64));

async function keepStatements(machine: Machine): Promise<void> {
  const { db } = machine;
  await db.raw('create table bench_statements (name text primary key, kept text not null)');
  const [model] = await subscribe(machine, 1, () => Date.now());
  if (!model) throw new Error('there is no subscription to learn from');
  const own = connect(machine.databaseUrl, 1, 'alur-bench');
  try {
    const told = await statementsOf(own, model);
    const { id: invoice, number } = z
      .object({ id: z.string(), number: z.string() })
      .parse(await db('invoices').where({ subscription_id: model.id }).first('id', 'number'));
    const { id: letter } = z
      .object({ id: z.string() })
      .parse(await db('account_letters').whereRaw("data ->> 'invoiceId' = ?", [invoice]).first('id'));
    const places: Places = { subscription: model.id, company: model.companyId, invoice, number, letter };
    for (const [name, statements] of Object.entries(told)) {
      const text = JSON.stringify(statements, (_key, value) => (typeof value === 'bigint' ? value.toString() : value));
      const kept = Object.entries(places).reduce((all, [place, is]) => all.replaceAll(is, placeOf(place)), text);
      await db('bench_statements').insert({ name, kept });
      machine.say(`  ${statements.length} statements: ${name}`);
    }
  } finally {
    await own.destroy();
  }
}

/** As activities/subscriptions.ts and activities/payments.ts do it, without the paper itself. */
async function statementsOf(db: Knex, { id }: Subscribed): Promise<Record<StatementsOf, readonly Statement[]>> {
  const tools = { closeInvoice: () => Promise.reject(new Error('a renewal closes no invoice')) };
  const renewal = await recorded(db, () =>
    db.transaction((tx) => advance(tx, tools, { subscriptionId: id, at: Date.now() })),
  );
  const [invoiceId] = await db('invoices').where({ subscription_id: id }).pluck<InvoiceId[]>('id');
  if (!invoiceId) throw new Error('the model was not invoiced');
  const paper = await recorded(db, async () => {
    await invoiceFacts(db, invoiceId);
    await attachPdf(db, 'invoices', invoiceId, NO_PDF);
  });
  const collection = await recorded(db, async () => {
    await db.transaction((tx) => lockCollected(tx, invoiceId));
    await paymentsOf(db, invoiceId);
    await applicantOf(db, invoiceId);
  });
  return { renewal, paper, collection };
}

interface Connected {
  query(statement: string | Statement, ...rest: unknown[]): unknown;
}

/** Whatever goes over the one connection that there is. */
async function recorded(db: Knex, work: () => Promise<unknown>): Promise<Statement[]> {
  const connection: Connected = await db.client.acquireConnection();
  const statements: Statement[] = [];
  const query = connection.query;
  connection.query = (statement, ...rest) => {
    const { name, text, values } = typeof statement === 'string' ? { text: statement, values: [] } : statement;
    statements.push({ ...('name' in Object(statement) && name ? { name } : {}), text, values: values ?? [] });
    return query.call(connection, statement, ...rest);
  };
  await db.client.releaseConnection(connection);
  await work();
  connection.query = query;
  return statements;
}
