/**
 * The walk of one gateway over one span of time: where it stands, and what the gateway has said so far. Each step is a
 * transaction that moves the run from the place where its caller saw it: of two that walk at once one is a step ahead, and
 * the other finds that out and goes on from there. So nothing is counted twice and nothing is left out.
 */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { asId, type PaymentId, type ReconciliationId } from '../domain/ids.ts';
import type { GatewayName, GatewayPaymentState } from '../domain/payments.ts';
import { RECONCILED_KINDS } from '../domain/reconciliation.ts';
import { recordEvent } from './events.ts';

export interface WalkedSpan {
  readonly gateway: GatewayName;
  /** ISO 8601; money that came in at `from` or later and before `to`. */
  readonly from: string;
  readonly to: string;
}

/**
 * Where a run stands. `list`: the gateway's pages, `at` = its cursor. `ask`: our payments that it did not list, one by one.
 * `compare`: the differences, `at` = the last that became a case.
 */
export interface Place {
  readonly step: 'list' | 'ask' | 'compare';
  readonly at: string | null;
}

export interface ReconciliationRun {
  readonly id: ReconciliationId;
  readonly gateway: GatewayName;
  readonly from: Date;
  readonly to: Date;
  readonly state: 'running' | 'finished' | 'failed';
  readonly compared: number;
  readonly differences: number;
  readonly place: Place;
  readonly failure: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

interface RunRow extends Omit<ReconciliationRun, 'place' | 'from' | 'to'> {
  readonly from: Date;
  readonly to: Date;
  readonly cursor: string | null;
}

export const RUN_COLUMNS = {
  id: 'id',
  gateway: 'gateway',
  from: 'from_at',
  to: 'to_at',
  state: 'state',
  compared: 'compared',
  differences: 'differences',
  cursor: 'cursor',
  failure: 'failure',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
} as const;

const BEGINNING: Place = { step: 'list', at: null };
const STEPS = ['list', 'ask', 'compare'] as const;

const written = ({ step, at }: Place): string => (at === null ? step : `${step}:${at}`);

function read(cursor: string | null): Place {
  const step = STEPS.find((one) => cursor === one || cursor?.startsWith(`${one}:`));
  if (!step || cursor === null) return BEGINNING;
  return { step, at: cursor.length > step.length ? cursor.slice(step.length + 1) : null };
}

const toRun = ({ cursor, ...row }: RunRow): ReconciliationRun => ({ ...row, place: read(cursor) });

/**
 * The one run of this gateway and span: begun, gone on with after a failure, or finished long ago. What a run has collected
 * is not written ahead by the database; when a crash of the database has lost it, the run begins anew.
 */
export async function beginRun(db: Knex, { gateway, from, to }: WalkedSpan, at: string): Promise<ReconciliationRun> {
  return db.transaction(async (tx) => {
    await tx('reconciliation_runs')
      .insert({ id: randomUUID(), gateway, from_at: from, to_at: to, state: 'running', started_at: at })
      .onConflict(['gateway', 'from_at', 'to_at'])
      .ignore();
    const run = await lockRun(tx, { gateway, from_at: from, to_at: to });
    if (run.state === 'finished') return run;
    const [collected] = await tx('reconciliation_items').where({ run_id: run.id }).count({ rows: '*' });
    const isWhole = Number(collected?.['rows']) === run.compared;
    if (!isWhole) await tx('reconciliation_items').where({ run_id: run.id }).delete();
    await tx('reconciliation_runs')
      .where({ id: run.id })
      .update({
        state: 'running',
        failure: null,
        finished_at: null,
        ...(isWhole ? {} : { compared: 0, differences: 0, cursor: null }),
      });
    return lockRun(tx, { id: run.id });
  });
}

async function lockRun(tx: Knex, where: Readonly<Record<string, unknown>>): Promise<ReconciliationRun> {
  const row: RunRow | undefined = await tx('reconciliation_runs').where(where).forUpdate().first(RUN_COLUMNS);
  if (!row) throw new Error('the reconciliation run does not exist');
  return toRun(row);
}

/** What a gateway says of one payment. */
export interface ReconciliationItem {
  readonly transactionId: string;
  readonly reference: string | null;
  readonly state: GatewayPaymentState;
  readonly paidMinor: string | null;
  readonly currency: string | null;
  readonly refundedMinor: string | null;
  readonly paidAt: string | null;
}

const COLLECT = `
  insert into reconciliation_items (run_id, transaction_id, reference, state, paid_minor, currency, refunded_minor, paid_at)
  select :run, i."transactionId", i.reference, i.state, i."paidMinor", i.currency, i."refundedMinor", i."paidAt"
  from jsonb_to_recordset(:items) as i ("transactionId" text, reference text, state text, "paidMinor" bigint, currency text,
    "refundedMinor" bigint, "paidAt" timestamptz)
  on conflict (run_id, transaction_id) do nothing`;

/** Keeps what the gateway said and moves on. A payment that it lists twice is compared once. */
export const collect = (
  db: Knex,
  run: ReconciliationRun,
  items: readonly ReconciliationItem[],
  next: Place,
): Promise<ReconciliationRun> =>
  step(db, run, async (tx) => {
    const { rowCount }: { rowCount: number } = await tx.raw(COLLECT, { run: run.id, items: JSON.stringify(items) });
    return { cursor: written(next), compared: run.compared + rowCount };
  });

/** Notes that the differences up to `at` are cases now. */
export const noteCompared = (
  db: Knex,
  run: ReconciliationRun,
  differences: number,
  at: string,
): Promise<ReconciliationRun> =>
  step(db, run, async () => ({
    cursor: written({ step: 'compare', at }),
    differences: run.differences + differences,
  }));

/** Tells of the end and lets go of what was collected. */
export const finishRun = (db: Knex, run: ReconciliationRun, at: string): Promise<ReconciliationRun> =>
  step(db, run, async (tx) => {
    await tellOf(tx, run, 'finished', at);
    await tx('reconciliation_items').where({ run_id: run.id }).delete();
    return { state: 'finished', finished_at: at, cursor: null };
  });

/** A gateway that cannot be asked: the next walk of this span goes on where this one stopped. @param failure a code */
export async function failRun(db: Knex, span: WalkedSpan, failure: string, at: string): Promise<ReconciliationRun> {
  const run = await beginRun(db, span, at);
  if (run.state === 'finished') return run;
  return step(db, run, async (tx) => {
    await tellOf(tx, { ...run, failure }, `failed/${at}`, at);
    return { state: 'failed', failure, finished_at: at };
  });
}

async function step(
  db: Knex,
  seen: ReconciliationRun,
  work: (tx: Knex) => Promise<Readonly<Record<string, unknown>>>,
): Promise<ReconciliationRun> {
  return db.transaction(async (tx) => {
    const now = await lockRun(tx, { id: seen.id });
    if (now.state !== 'running' || written(now.place) !== written(seen.place)) return now;
    await tx('reconciliation_runs')
      .where({ id: seen.id })
      .update(await work(tx));
    return lockRun(tx, { id: seen.id });
  });
}

const tellOf = (tx: Knex, run: ReconciliationRun, step: string, at: string): Promise<boolean> =>
  recordEvent(tx, {
    key: `reconciliation/${run.id}/${step}`,
    type: 'reconciliation.finished',
    subject: `reconciliation/${run.id}`,
    data: {
      gateway: run.gateway,
      from: run.from.toISOString(),
      to: run.to.toISOString(),
      compared: run.compared,
      differences: run.differences,
      ...(run.failure ? { failure: run.failure } : {}),
    },
    at,
  });

const KEPT_DAYS = 7;

/** What walks collected that failed and were never gone on with; should one be after all, it begins anew. */
export async function forgetCollected(db: Knex, at: string): Promise<void> {
  const before = new Date(Date.parse(at) - KEPT_DAYS * 86_400_000);
  await db('reconciliation_items')
    .whereIn('run_id', (old) => old.select('id').from('reconciliation_runs').where('started_at', '<', before))
    .delete();
}

/** A payment of ours that the gateway has to be asked about. */
export interface PaymentToAsk {
  readonly id: PaymentId;
  readonly reference: string;
}

const TO_ASK = `
  select p.id, p.gateway_reference as reference from payments p
  where p.gateway = :gateway and p.id > :after
    and (p.id in (select e.payment_id from ledger_entries e
                  where e.kind = 'captured' and e.occurred_at >= :from and e.occurred_at < :to)
      or p.id in (select k.payment_id from payment_cases k
                  where k.state = 'open' and k.gateway = :gateway and k.kind = any(:kinds))
      or (:everyAttempt and p.created_at < :to and p.expires_at >= :from))
    and not exists (select from reconciliation_items i where i.run_id = :run and i.reference = p.gateway_reference)
    and not exists (select from reconciliation_items i where i.run_id = :run and i.transaction_id = p.transaction_id)
  order by p.id limit :limit`;

/**
 * Captured in the span and not listed, or of a case that is still open; by ID.
 * @param everyAttempt for a gateway that lists nothing: also what could have been paid within the span and, as far as we know, was not
 */
export async function paymentsToAsk(
  db: Knex,
  run: ReconciliationRun,
  { everyAttempt, limit }: { readonly everyAttempt: boolean; readonly limit: number },
): Promise<PaymentToAsk[]> {
  const { rows }: { rows: { id: string; reference: string }[] } = await db.raw(TO_ASK, {
    run: run.id,
    gateway: run.gateway,
    after: run.place.at ?? '00000000-0000-0000-0000-000000000000',
    from: run.from,
    to: run.to,
    kinds: [...RECONCILED_KINDS],
    everyAttempt,
    limit,
  });
  return rows.map(({ id, reference }) => ({ id: asId<PaymentId>(id), reference }));
}
