/**
 * Reserving, giving back, taking out and putting in. Every function locks the products it is about, so that what it counted is
 * what it commits; a repeat under the same key does nothing. Alerts are raised and cleared in the same transaction.
 */
import type { Knex } from 'knex';
import { Failure } from '../domain/failures.ts';
import type { OrderId, OrderItemId, ReturnId, Sku, UserId } from '../domain/ids.ts';
import { type MovementKind, refuseChange } from '../domain/stock.ts';
import { watchLevels } from './stock-alerts.ts';
import { changeLevel, type LockedLevel, levelsOf, lockStock, recordMovements } from './stock-levels.ts';
import { batchesFor, putSerials, takeSerials } from './stock-serials.ts';

export { productsBySku } from './products.ts';
export { lockStock } from './stock-levels.ts';
export { waitingOrders } from './stock-waiting.ts';

export interface Reserved {
  readonly orderItemId: OrderItemId;
  readonly sku: Sku;
  readonly location: string;
  readonly quantity: number;
}

export interface Wants {
  readonly orderId: OrderId;
  /** Beside what is reserved for them already. */
  readonly wants: readonly { readonly orderItemId: OrderItemId; readonly sku: Sku; readonly quantity: number }[];
  /** ISO 8601; null = paid for: kept until it is shipped or cancelled. */
  readonly expiresAt: string | null;
  readonly at: string;
}

/**
 * Reserves as much as there is, from the preferred store first. What is reserved for an item already stays.
 * @throws Failure `product_unknown`
 */
export async function reserve(tx: Knex, { orderId, wants, expiresAt, at }: Wants): Promise<Reserved[]> {
  const skus = wants.map(({ sku }) => sku);
  if (skus.length === 0) return [];
  await lockStock(tx, skus);
  const free = (await levelsOf(tx, skus))
    .filter(({ isActive }) => isActive)
    .map(({ sku, location, onHand, reserved }) => ({ sku, location, free: onHand - reserved }));
  const found: Reserved[] = [];
  for (const { orderItemId, sku, quantity } of wants) {
    let left = quantity;
    for (const level of free) {
      const taken = level.sku === sku ? Math.min(left, level.free) : 0;
      if (taken <= 0) continue;
      [left, level.free] = [left - taken, level.free - taken];
      found.push({ orderItemId, sku, location: level.location, quantity: taken });
    }
  }
  for (const each of found) await addReservation(tx, { ...each, orderId, expiresAt, at });
  await watchLevels(
    tx,
    found.map(({ sku }) => sku),
    at,
  );
  return found;
}

async function addReservation(
  tx: Knex,
  it: Reserved & { readonly orderId: OrderId; readonly expiresAt: string | null; readonly at: string },
): Promise<void> {
  const { orderId, orderItemId, sku, location, quantity, expiresAt, at } = it;
  await tx('stock_reservations')
    .insert({
      ...{ sku, location, quantity },
      order_id: orderId,
      order_item_id: orderItemId,
      expires_at: expiresAt,
      reserved_at: at,
    })
    .onConflict(['order_item_id', 'location'])
    .merge({ quantity: tx.raw('stock_reservations.quantity + excluded.quantity'), expires_at: expiresAt });
  await changeLevel(tx, { sku, location, reserved: quantity, at });
}

/** Paid: what is reserved for the order has no end any more. */
export async function keepReserved(tx: Knex, orderId: OrderId, _at: string): Promise<void> {
  await tx('stock_reservations').where({ order_id: orderId }).update({ expires_at: null });
}

export interface Release {
  readonly orderId: OrderId;
  /** Absent = of all its items. */
  readonly orderItemId?: OrderItemId;
  /** Absent = all of it; at most what is reserved is given back. Only with an item. */
  readonly quantity?: number;
  readonly at: string;
}

/** Gives back what is reserved, of the least preferred store first. @returns what was given back */
export async function releaseReserved(tx: Knex, { orderId, orderItemId, quantity, at }: Release): Promise<Reserved[]> {
  const of = { order_id: orderId, ...(orderItemId ? { order_item_id: orderItemId } : {}) };
  const skus = await tx('stock_reservations').where(of).where('quantity', '>', 0).pluck<Sku[]>('sku');
  if (skus.length === 0) return [];
  await lockStock(tx, skus);
  const rows = (await reservationsOf(tx, of)).toReversed();
  let left = quantity ?? Number.POSITIVE_INFINITY;
  const given: Reserved[] = [];
  for (const row of rows) {
    const back = Math.min(left, row.quantity);
    if (back <= 0) continue;
    left -= back;
    given.push({ ...row, quantity: back });
    await dropReservation(tx, row, back);
    await changeLevel(tx, { sku: row.sku, location: row.location, reserved: -back, at });
  }
  await watchLevels(
    tx,
    given.map(({ sku }) => sku),
    at,
    'more',
  );
  return given;
}

/** What is reserved, of the preferred store first. */
async function reservationsOf(tx: Knex, of: Readonly<Record<string, string>>): Promise<Reserved[]> {
  return tx('stock_reservations as r')
    .join('stock_locations as s', 's.code', 'r.location')
    .where(of)
    .where('r.quantity', '>', 0)
    .orderBy(['r.sku', 'r.order_item_id', 's.priority', 'r.location'])
    .select({ orderItemId: 'r.order_item_id', sku: 'r.sku', location: 'r.location', quantity: 'r.quantity' });
}

async function dropReservation(tx: Knex, { orderItemId, location }: Reserved, quantity: number): Promise<void> {
  await tx('stock_reservations')
    .where({ order_item_id: orderItemId, location })
    .update({ quantity: tx.raw('quantity - ?', [quantity]) });
}

export interface TakeFromStock {
  readonly orderId: OrderId;
  readonly orderItemId: OrderItemId;
  readonly sku: Sku;
  readonly quantity: number;
  /** Names this shipping of these units: a repeat takes nothing. */
  readonly key: string;
  readonly at: string;
  /** One a unit, in the order of `unitNumbers`; of a product that is followed by serial number. */
  readonly serials?: readonly string[] | undefined;
  /** Absent = of the batch that came first. */
  readonly batch?: string | undefined;
  /** Which units of the item leave; as many as `quantity`. */
  readonly unitNumbers: readonly number[];
  readonly by?: UserId | undefined;
}

/** One unit that left. */
export interface TakenUnit {
  readonly unitNumber: number;
  readonly location: string;
  readonly serial: string | null;
  readonly batch: string | null;
}

/**
 * Takes out what is reserved for an item. A thing with a serial number leaves from where it lies, even when another one was
 * reserved elsewhere.
 * @throws Failure `serial_not_valid`: missing, too many, sold, not of this product, or of a batch that has too few;
 * `stock_not_enough`: not so many are reserved for the item
 */
export async function takeFromStock(tx: Knex, asked: TakeFromStock): Promise<TakenUnit[]> {
  const { orderId, orderItemId, sku, quantity, at, by } = asked;
  const tracking = (await lockStock(tx, [sku])).get(sku) ?? 'none';
  const before = await takenBefore(tx, asked);
  if (before) return before;
  const serials = tracking === 'serial' ? await takeSerials(tx, asked) : null;
  const locations = await placesOf(tx, asked, serials?.map(({ location }) => location) ?? null);
  const batches = tracking === 'batch' ? await batchesFor(tx, { sku, locations, batch: asked.batch }) : null;
  const units = asked.unitNumbers.map((unitNumber, index) => ({
    unitNumber,
    location: locations[index] ?? '',
    serial: serials?.[index]?.serial ?? null,
    batch: batches?.[index] ?? null,
  }));
  if (units.length !== quantity) throw new Error(`${quantity} units of ${sku} leave, ${units.length} are named`);
  const moved = { sku, kind: 'shipped', quantity: -1, orderId, by: by ?? null, at } as const;
  const keyOf = (unitNumber: number) => keyOfUnit(asked, unitNumber);
  await recordMovements(
    tx,
    units.map(({ unitNumber, location, batch }) => ({ ...moved, key: keyOf(unitNumber), location, batch })),
  );
  for (const location of new Set(locations)) {
    const gone = units.filter((unit) => unit.location === location).length;
    await dropReservation(tx, { orderItemId, sku, location, quantity: gone }, gone);
    await changeLevel(tx, { sku, location, onHand: -gone, reserved: -gone, at });
  }
  return units;
}

const keyOfUnit = ({ key, orderItemId }: Pick<TakeFromStock, 'key' | 'orderItemId'>, unitNumber: number): string =>
  `${key}/${orderItemId}/${unitNumber}`;

/** What this key took, when it did. */
async function takenBefore(tx: Knex, asked: TakeFromStock): Promise<TakenUnit[] | null> {
  const { orderItemId, unitNumbers } = asked;
  const keyOf = (unitNumber: number) => keyOfUnit(asked, unitNumber);
  const rows: { key: string; location: string; batch: string | null }[] = await tx('stock_movements')
    .whereIn('key', unitNumbers.map(keyOf))
    .select('key', 'location', 'batch');
  if (rows.length === 0) return null;
  const serials: { unitNumber: number; serial: string }[] = await tx('stock_serials')
    .where({ order_item_id: orderItemId })
    .select({ unitNumber: 'unit_number', serial: 'serial' });
  return unitNumbers.flatMap((unitNumber) => {
    const row = rows.find((each) => each.key === keyOf(unitNumber));
    const serial = serials.find((each) => each.unitNumber === unitNumber)?.serial ?? null;
    return row ? [{ unitNumber, location: row.location, serial, batch: row.batch }] : [];
  });
}

/** Where each unit leaves from. @param wanted where they must be taken from, by unit; null = from where they are reserved */
async function placesOf(tx: Knex, asked: TakeFromStock, wanted: readonly string[] | null): Promise<string[]> {
  const { orderItemId, sku, quantity } = asked;
  const reserved = await reservationsOf(tx, { 'r.order_item_id': orderItemId });
  const places = reserved.flatMap((row) => Array<string>(row.quantity).fill(row.location));
  if (places.length < quantity)
    throw new Failure('stock_not_enough', `Only ${places.length} of ${sku} are reserved for this item.`);
  if (!wanted) return places.slice(0, quantity);
  await moveReservation(tx, asked, reserved, wanted);
  return [...wanted];
}

/** Another thing than the reserved one is taken: what was reserved elsewhere is free again, and this one is not. */
async function moveReservation(
  tx: Knex,
  { orderId, orderItemId, sku, at }: TakeFromStock,
  reserved: readonly Reserved[],
  wanted: readonly string[],
): Promise<void> {
  const levels = await levelsOf(tx, [sku]);
  const needs = new Map(levels.map(({ location }) => [location, wanted.filter((each) => each === location).length]));
  const has = (location: string) => reserved.find((row) => row.location === location)?.quantity ?? 0;
  let moving = 0;
  for (const level of levels) {
    const more = (needs.get(level.location) ?? 0) - has(level.location);
    if (more <= 0) continue;
    if (freeAt(level) < more) {
      const message = `What lies in ${level.location} is reserved for other orders. Take one from where it was reserved.`;
      throw new Failure('serial_not_valid', message);
    }
    moving += more;
    const kept = { orderItemId, sku, location: level.location, quantity: more };
    await addReservation(tx, { ...kept, orderId, expiresAt: null, at });
  }
  for (const row of reserved.toReversed()) {
    const spare = Math.min(moving, row.quantity - (needs.get(row.location) ?? 0));
    if (spare <= 0) continue;
    moving -= spare;
    await dropReservation(tx, row, spare);
    await changeLevel(tx, { sku, location: row.location, reserved: -spare, at });
  }
}

const freeAt = ({ onHand, reserved }: LockedLevel): number => onHand - reserved;

export interface PutToStock {
  readonly sku: Sku;
  /** Absent = the preferred store. */
  readonly location?: string | undefined;
  /** Units; negative only when `adjusted`. */
  readonly quantity: number;
  readonly kind: Exclude<MovementKind, 'shipped'>;
  readonly key: string;
  readonly at: string;
  readonly by?: UserId | undefined;
  readonly returnId?: ReturnId | undefined;
  readonly orderId?: OrderId | undefined;
  /** One a unit, of a product that is followed by serial number. */
  readonly serials?: readonly string[] | undefined;
  readonly batch?: string | null | undefined;
  readonly note?: string | undefined;
}

/**
 * Puts things onto the shelf, or takes off what was counted too much. Scrapped goods are told of and never lie there.
 * @returns false when this key was done before
 * @throws Failure `stock_not_enough` (less than is reserved would be left), `serial_not_valid`, `product_unknown`, `not_found` (no
 * such store)
 */
export async function putToStock(tx: Knex, asked: PutToStock): Promise<boolean> {
  const { sku, key, kind, at } = asked;
  const tracking = (await lockStock(tx, [sku])).get(sku) ?? 'none';
  const location = asked.location ?? (await preferredStore(tx));
  await haveLevel(tx, sku, location, at);
  const change = kind === 'scrapped' ? 0 : asked.quantity;
  const { returnId, orderId, by, note } = asked;
  const moved = { sku, location, kind, returnId, orderId, by, note, at } as const;
  const parts = await partsOf(tx, asked, tracking === 'batch', location, change);
  const movements = parts.map((part, index) => ({ ...moved, ...part, key: index === 0 ? key : `${key}/${index + 1}` }));
  if (!(await recordMovements(tx, movements))) return false;
  const level = (await levelsOf(tx, [sku])).find((each) => each.location === location);
  const refusal = level && refuseChange(level, change);
  if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
  if (tracking === 'serial') await putSerials(tx, { ...asked, location });
  await changeLevel(tx, { sku, location, onHand: change, at });
  await watchLevels(tx, [sku], at, change < 0 ? 'less' : 'more');
  return true;
}

interface Part {
  readonly quantity: number;
  readonly batch: string | null;
}

/** What goes off the shelf without a batch being named is of the batches that came first. */
async function partsOf(
  tx: Knex,
  { sku, batch }: PutToStock,
  hasBatches: boolean,
  location: string,
  change: number,
): Promise<Part[]> {
  if (!hasBatches || change >= 0) return [{ quantity: change, batch: (hasBatches && batch) || null }];
  const locations = Array<string>(-change).fill(location);
  const batches = await batchesFor(tx, { sku, locations, batch: batch ?? undefined });
  return [...new Set(batches)].map((each) => ({
    quantity: -batches.filter((other) => other === each).length,
    batch: each,
  }));
}

async function preferredStore(tx: Knex): Promise<string> {
  const row: { code: string } | undefined = await tx('stock_locations')
    .where({ is_active: true })
    .orderBy(['priority', 'code'])
    .first('code');
  if (!row) throw new Failure('not_found', 'There is no store yet. Add one with PUT /api/v1/stock-locations.');
  return row.code;
}

async function haveLevel(tx: Knex, sku: Sku, location: string, at: string): Promise<void> {
  const known: { code: string } | undefined = await tx('stock_locations').where({ code: location }).first('code');
  if (!known) throw new Failure('not_found', `There is no store ${location}. GET /api/v1/stock-locations lists them.`);
  await tx('stock_levels').insert({ sku, location, updated_at: at }).onConflict(['sku', 'location']).ignore();
}
