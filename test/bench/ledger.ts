import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { connect } from '../../db/connection.ts';
import { postEntry } from '../../db/ledger.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { captured } from '../../domain/ledger.ts';
import { ensureDatabase } from '../../local/postgres.ts';
import { aBookedInvoice, aCapture, type Captured, TOTAL } from '../builders/books.ts';
import { aCompany, aUser, MONDAY } from '../builders/licensing.ts';
import { type Pair, pairOf, type Round } from './figures.ts';
import type { Machine } from './machine.ts';

const ROUNDS = 12;
const POSTS = 1_500;
const CONNECTIONS = 8;
/** So many that no two transactions of a moment are about the same payment, as in life. */
const PAYMENTS = 200;

/**
 * One transaction an entry. Alur: `postEntry` with two postings on the ledger as it is. Bare: the entry's row and the two
 * postings' rows into tables with the same columns and primary keys, by the same pool; no trigger, foreign key or index.
 */
export async function measureLedgerPosting({ databaseUrl }: Pick<Machine, 'databaseUrl'>): Promise<Pair[]> {
  const url = named(databaseUrl, 'bench_ledger');
  await ensureDatabase(named(databaseUrl, 'postgres'), 'bench_ledger');
  await migrateToLatest(url);
  const db = connect(url, CONNECTIONS, 'alur-bench');
  try {
    await db.raw(BARE_TABLES);
    const payments = await somePayments(db);
    const alur = () => perSecond((n) => post(db, payments[n % PAYMENTS]));
    const bare = () => perSecond((n) => insert(db, payments[n % PAYMENTS]));
    await alur();
    await bare();
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push({ alur: await alur(), bare: await bare() });
    return [pairOf(`Ledger posting, ${CONNECTIONS} connections`, 'entries/s', { atLeast: 0.8 }, rounds)];
  } finally {
    await db.destroy();
  }
}

const named = (databaseUrl: string, name: string): string =>
  Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;

const BARE_TABLES = `
  create table bare_entries (
    id bigint generated always as identity primary key, key text not null, kind text not null, currency text not null,
    gateway text, company_id uuid, invoice_id uuid, payment_id uuid, refund_id uuid, settlement_id uuid,
    occurred_at timestamptz not null, recorded_at timestamptz not null default now(),
    transaction xid8 not null default pg_current_xact_id()
  );
  create table bare_postings (
    entry_id bigint not null, account text not null, amount_minor bigint not null, primary key (entry_id, account)
  )`;

async function somePayments(db: Knex): Promise<Captured[]> {
  const companyId = await aCompany(db, await aUser(db, 'owner'));
  const made: Captured[] = [];
  while (made.length < PAYMENTS) made.push(await aCapture(db, await aBookedInvoice(db, companyId)));
  return made;
}

async function perSecond(work: (n: number) => Promise<void>): Promise<number> {
  const left = Array.from({ length: POSTS }, (_, n) => n).values();
  const startedAt = performance.now();
  const lane = async () => {
    for (const n of left) await work(n);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  return POSTS / ((performance.now() - startedAt) / 1000);
}

async function post(db: Knex, payment: Captured | undefined): Promise<void> {
  if (!payment) throw new Error('there is no payment to post about');
  await db.transaction((tx) =>
    postEntry(tx, {
      key: `bench/${randomUUID()}`,
      kind: 'captured',
      currency: 'IDR',
      postings: captured(TOTAL, TOTAL),
      companyId: payment.invoice.companyId,
      invoiceId: payment.invoice.id,
      paymentId: payment.id,
      gateway: payment.gateway,
      at: MONDAY,
    }),
  );
}

const ENTRY = `insert into bare_entries (key, kind, currency, gateway, company_id, invoice_id, payment_id, occurred_at)
  values (?, ?, ?, ?, ?, ?, ?, ?) returning id`;
const POSTINGS = 'insert into bare_postings (entry_id, account, amount_minor) values (?, ?, ?), (?, ?, ?)';

async function insert(db: Knex, payment: Captured | undefined): Promise<void> {
  if (!payment) throw new Error('there is no payment to post about');
  const { invoice, id, gateway } = payment;
  await db.transaction(async (tx) => {
    const values = [`bench/${randomUUID()}`, 'captured', 'IDR', gateway, invoice.companyId, invoice.id, id, MONDAY];
    const { rows }: { rows: { id: bigint }[] } = await tx.raw(ENTRY, values);
    const entryId = String(rows[0]?.id);
    const [debit, credit] = [TOTAL.toString(), (-TOTAL).toString()];
    await tx.raw(POSTINGS, [entryId, 'gateway_clearing', debit, entryId, 'receivable', credit]);
  });
}
