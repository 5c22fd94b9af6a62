/** Alerts of stock that runs out: one a crossing of the threshold, raised and cleared with what crossed it. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { Sku, StockAlertId, UserId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import { type AlertState, alertRung, isLow, refuseAcknowledge, refuseSnooze } from '../domain/stock.ts';
import { writeLetter } from './account-letters.ts';
import { recordEvent } from './events.ts';
import { usersWithRole } from './staff.ts';
import { namedUuid } from './uuids.ts';

/**
 * Raises and clears alerts after the stock of these products has changed. Their rows in `products` are locked by the caller, or
 * are locked here: then what was counted is what is committed.
 * @param change `more` clears only: a shelf that is being filled has crossed nothing
 */
export async function watchLevels(
  tx: Knex,
  skus: readonly Sku[],
  at: string,
  change: 'less' | 'more' = 'less',
): Promise<void> {
  for (const { sku, below, free } of await counted(tx, skus)) {
    if (!isLow(free, below)) await clear(tx, sku, free, at);
    else if (change === 'less') await raise(tx, { sku, threshold: below ?? 0, free }, at);
  }
}

interface Counted {
  readonly sku: Sku;
  readonly below: number | null;
  readonly free: number;
}

async function counted(tx: Knex, skus: readonly Sku[]): Promise<Counted[]> {
  const sorted = [...new Set(skus)].toSorted();
  await tx('products').whereIn('sku', sorted).orderBy('sku').forNoKeyUpdate().select('sku');
  const rows: Counted[] = await tx('products as p')
    .leftJoin('stock_levels as l', 'l.sku', 'p.sku')
    .whereIn('p.sku', sorted)
    .groupBy('p.sku')
    .orderBy('p.sku')
    .select({
      sku: 'p.sku',
      below: 'p.low_stock_below',
      free: tx.raw('coalesce(sum(l.on_hand - l.reserved), 0)::int'),
    });
  return rows;
}

async function raise(tx: Knex, { sku, threshold, free }: { sku: Sku; threshold: number; free: number }, at: string) {
  const id = randomUUID();
  const alert = { id, sku, state: 'open', threshold, free_then: free, opened_at: at };
  // One that is not over yet has been told of: a crossing is not another one because more is taken.
  const raised = await tx('stock_alerts')
    .insert(alert)
    .onConflict(tx.raw("(sku) where state <> 'cleared'"))
    .ignore()
    .returning('id');
  if (raised.length === 0) return;
  const data = { sku, threshold, free };
  await recordEvent(tx, { key: `stock-alert/${id}/raised`, type: 'stock.low', subject: `product/${sku}`, data, at });
}

async function clear(tx: Knex, sku: Sku, free: number, at: string): Promise<void> {
  const over: { id: StockAlertId }[] = await tx('stock_alerts')
    .where({ sku })
    .whereNot({ state: 'cleared' })
    // Its process is told by the watch, and ends.
    .update({ state: 'cleared', cleared_at: at, taken_at: null })
    .returning('id');
  for (const { id } of over) {
    const event = { key: `stock-alert/${id}/cleared`, type: 'stock.alert_cleared' } as const;
    await recordEvent(tx, { ...event, subject: `product/${sku}`, data: { sku, free }, at });
  }
}

export interface StockAlert {
  readonly id: StockAlertId;
  readonly sku: Sku;
  readonly name: { readonly id: string; readonly en: string };
  readonly state: AlertState;
  readonly threshold: number;
  /** When it was raised, and now; over all stores. */
  readonly freeThen: number;
  readonly free: number;
  readonly snoozedUntil: Date | null;
  readonly acknowledgedBy: UserId | null;
  readonly openedAt: Date;
  readonly clearedAt: Date | null;
}

const alerts = (db: Knex) =>
  db('stock_alerts as a')
    .join('products as p', 'p.sku', 'a.sku')
    .select({
      id: 'a.id',
      sku: 'a.sku',
      name: 'p.name',
      state: 'a.state',
      threshold: 'a.threshold',
      freeThen: 'a.free_then',
      free: db.raw('(select coalesce(sum(l.on_hand - l.reserved), 0)::int from stock_levels l where l.sku = a.sku)'),
      snoozedUntil: 'a.snoozed_until',
      acknowledgedBy: 'a.acknowledged_by',
      openedAt: 'a.opened_at',
      clearedAt: 'a.cleared_at',
    });

export interface AlertFilter {
  /** Absent = all that are not over. */
  readonly state?: AlertState | undefined;
  readonly sku?: Sku | undefined;
  readonly after: { readonly at: Date; readonly id: string } | null;
  readonly limit: number;
}

/** The latest first. */
export async function listAlerts(db: Knex, { state, sku, after, limit }: AlertFilter): Promise<StockAlert[]> {
  const rows: StockAlert[] = await alerts(db)
    .modify((query) => {
      if (state) query.where('a.state', state);
      else query.whereNot('a.state', 'cleared');
      if (sku) query.where('a.sku', sku);
      if (after) query.whereRaw('(a.opened_at, a.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'a.opened_at', order: 'desc' },
      { column: 'a.id', order: 'desc' },
    ])
    .limit(limit);
  return rows;
}

/** @throws Failure `not_found` */
export async function alertById(db: Knex, id: StockAlertId): Promise<StockAlert> {
  const row: StockAlert | undefined = await alerts(db).where('a.id', id).first();
  if (!row) throw new Failure('not_found', 'There is no such alert. GET /api/v1/stock-alerts lists them.');
  return row;
}

interface Answer {
  readonly id: StockAlertId;
  readonly by: UserId;
  /** Names the request: again with the same key changes nothing. */
  readonly key: string;
  readonly origin: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/** Somebody looks after it: nobody is told again. @throws Failure `not_found`, `alert_not_open` */
export const acknowledgeAlert = (tx: Knex, answer: Answer): Promise<Sku> =>
  answered(tx, answer, {
    type: 'stock.alert_acknowledged',
    refuse: refuseAcknowledge,
    change: { state: 'acknowledged', acknowledged_by: answer.by, snoozed_until: null },
    data: {},
  });

/** Nobody is told until then. @throws Failure `not_found`, `alert_not_open`, `invalid_request` */
export const snoozeAlert = (tx: Knex, answer: Answer & { readonly until: string }): Promise<Sku> =>
  answered(tx, answer, {
    type: 'stock.alert_snoozed',
    refuse: (state) => refuseSnooze(state, Date.parse(answer.until), Date.parse(answer.at)),
    change: { state: 'snoozed', snoozed_until: answer.until },
    data: { until: answer.until },
  });

interface Change {
  readonly type: 'stock.alert_acknowledged' | 'stock.alert_snoozed';
  readonly refuse: (state: AlertState) => Refusal | null;
  readonly change: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
}

async function answered(tx: Knex, { id, by, key, origin, at }: Answer, { type, refuse, change, data }: Change) {
  const row: { sku: Sku; state: AlertState } | undefined = await tx('stock_alerts')
    .where({ id })
    .forUpdate()
    .first('sku', 'state');
  if (!row) throw new Failure('not_found', 'There is no such alert. GET /api/v1/stock-alerts lists them.');
  const { sku, state } = row;
  const event = { key: `stock-alert/${id}/${key}`, type, subject: `product/${sku}`, by, origin, at } as const;
  if (await isOnRecord(tx, event.key)) return sku;
  const refusal = refuse(state);
  if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
  await recordEvent(tx, { ...event, data: { alertId: id, ...data } });
  await tx('stock_alerts')
    .where({ id })
    .update({ ...change, taken_at: null });
  return sku;
}

async function isOnRecord(tx: Knex, key: string): Promise<boolean> {
  return (await tx('events').where({ key }).first('id')) !== undefined;
}

/** How an alert stands, for its process. */
export interface AlertStanding {
  readonly state: AlertState | 'none';
  /** ISO 8601: when to look again though nobody has said anything; null = it is over. */
  readonly nextAt: string | null;
  /** Letters so far are of this many weeks; null = nothing is written at the moment. */
  readonly told: number | null;
}

/** Its process looks again then, should what happened meanwhile not have reached it. */
const LOOK_AGAIN_MS = 7 * 86_400_000;

/** Writes what is due about the alert of a product, each letter once; and takes note that its process knows of it. */
export async function advanceAlert(
  tx: Knex,
  { sku, at }: { readonly sku: Sku; readonly at: string },
): Promise<AlertStanding> {
  const now = Date.parse(at);
  // In this order everywhere: whoever moves stock has the product first.
  await tx('products').where({ sku }).forNoKeyUpdate().first('sku');
  await tx('stock_alerts').where({ sku, taken_at: null }).update({ taken_at: at });
  const open: OpenAlert | undefined = await tx('stock_alerts')
    .where({ sku })
    .whereNot({ state: 'cleared' })
    .first({ id: 'id', state: 'state', threshold: 'threshold', snoozedUntil: 'snoozed_until', openedAt: 'opened_at' });
  if (!open) return { state: 'none', nextAt: null, told: null };
  const sleepsUntil = open.snoozedUntil?.getTime() ?? 0;
  if (open.state === 'acknowledged') return waits(open.state, now + LOOK_AGAIN_MS);
  if (open.state === 'snoozed' && sleepsUntil > now) return waits(open.state, sleepsUntil);
  if (open.state === 'snoozed') await tx('stock_alerts').where({ id: open.id }).update({ state: 'open' });
  const since = Math.max(open.openedAt.getTime(), sleepsUntil);
  const rung = alertRung(since, now);
  await tellSellers(tx, sku, { ...open, since, number: rung.number }, at);
  return { ...waits('open', rung.nextAt), told: rung.number };
}

interface OpenAlert {
  readonly id: StockAlertId;
  readonly state: AlertState;
  readonly threshold: number;
  readonly snoozedUntil: Date | null;
  readonly openedAt: Date;
}

const waits = (state: AlertState, nextAt: number): AlertStanding => ({
  state,
  nextAt: new Date(nextAt).toISOString(),
  told: null,
});

async function tellSellers(
  tx: Knex,
  sku: Sku,
  { id, since, number, threshold }: OpenAlert & { readonly since: number; readonly number: number },
  at: string,
): Promise<void> {
  const about: { productName: { id: string; en: string }; free: number } = await tx('products as p')
    .where('p.sku', sku)
    .first({
      productName: 'p.name',
      free: tx.raw('(select coalesce(sum(l.on_hand - l.reserved), 0)::int from stock_levels l where l.sku = p.sku)'),
    });
  const sellers = await usersWithRole(tx, 'seller');
  // A shop without sellers has somebody who would want to know.
  for (const userId of sellers.length > 0 ? sellers : await usersWithRole(tx, 'supervisor')) {
    const letterId = namedUuid(`stock-low/${id}/${since}/${number}/${userId}`);
    const data = { sku, ...about, threshold, isRepeat: number > 0 };
    await writeLetter(tx, { id: letterId, template: 'stock_low', userId, data, at: new Date(at) });
  }
}

/** Products of whose alerts something is not known to their process, since before this moment; the longest waiting first. */
export async function alertsNotTaken(db: Knex, before: string, limit: number): Promise<Sku[]> {
  return db('stock_alerts')
    .whereNull('taken_at')
    .whereRaw('coalesce(cleared_at, opened_at) <= ?', [before])
    .groupBy('sku')
    .orderByRaw('min(opened_at)')
    .limit(limit)
    .pluck<Sku[]>('sku');
}

/** Those of these products of whose alerts something is not known to their process. */
export async function newsOfAlerts(db: Knex, skus: readonly Sku[]): Promise<Sku[]> {
  return db('stock_alerts')
    .whereNull('taken_at')
    .whereIn('sku', [...skus])
    .groupBy('sku')
    .orderBy('sku')
    .pluck<Sku[]>('sku');
}
