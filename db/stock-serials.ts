/** Things with a number of their own, and batches: which one leaves, which one comes back. */
import type { Knex } from 'knex';
import { Failure } from '../domain/failures.ts';
import type { OrderItemId, Sku } from '../domain/ids.ts';
import type { PutToStock, TakeFromStock } from './stock.ts';

interface SerialRow {
  readonly serial: string;
  readonly state: 'in_stock' | 'sold' | 'scrapped';
  readonly location: string | null;
}

/** The number of the unit as it was sold last; null = it has none, or is back. */
export async function serialOfUnit(
  db: Knex,
  { orderItemId, number }: { readonly orderItemId: OrderItemId; readonly number: number },
): Promise<string | null> {
  const row: { serial: string } | undefined = await db('stock_serials')
    .where({ order_item_id: orderItemId, unit_number: number, state: 'sold' })
    .first('serial');
  return row?.serial ?? null;
}

/** They are sold from now on. @returns where each lay, in the order they were named in */
export async function takeSerials(
  tx: Knex,
  { sku, quantity, serials = [], unitNumbers, orderItemId, at }: TakeFromStock,
): Promise<{ serial: string; location: string }[]> {
  checkCount(sku, serials, quantity);
  const rows = await lockSerials(tx, sku, serials);
  const taken = serials.map((serial) => {
    const location = rows.find((row) => row.serial === serial)?.location;
    if (!location) throw new Failure('serial_not_valid', `No ${sku} with the number ${serial} lies in a store.`);
    return { serial, location };
  });
  for (const [index, serial] of serials.entries()) {
    const unit = { order_item_id: orderItemId, unit_number: unitNumbers[index] ?? null };
    await tx('stock_serials')
      .where({ sku, serial })
      .update({ state: 'sold', location: null, ...unit, updated_at: at });
  }
  return taken;
}

/** They lie in the store from now on, or are scrapped, each from where it can be. */
export async function putSerials(tx: Knex, asked: PutToStock & { readonly location: string }): Promise<void> {
  const { sku, serials = [], quantity, kind, location, at } = asked;
  checkCount(sku, serials, Math.abs(quantity));
  const rows = await lockSerials(tx, sku, serials);
  const isTakenOff = kind === 'scrapped' || quantity < 0;
  for (const serial of serials) {
    const row = rows.find((each) => each.serial === serial) ?? null;
    if (!mayCome(kind, quantity, row, location)) throw new Failure('serial_not_valid', whyNot(sku, serial, row));
    const now = isTakenOff ? { state: 'scrapped', location: null } : { state: 'in_stock', location };
    await tx('stock_serials')
      .insert({ sku, serial, ...now, updated_at: at })
      .onConflict(['sku', 'serial'])
      .merge({ ...now, updated_at: at });
  }
}

/** What is new is not known; what comes back was sold; what is taken off lies there. */
function mayCome(kind: PutToStock['kind'], quantity: number, row: SerialRow | null, location: string): boolean {
  switch (kind) {
    case 'received':
      return row === null;
    case 'adjusted':
      return quantity < 0 ? row?.state === 'in_stock' && row.location === location : row?.state !== 'in_stock';
    case 'restocked':
    case 'scrapped':
      return row?.state === 'sold';
    case 'found':
      return row?.state !== 'in_stock';
  }
}

const whyNot = (sku: Sku, serial: string, row: SerialRow | null): string =>
  row ? `The ${sku} with the number ${serial} is ${row.state}.` : `No ${sku} with the number ${serial} is known.`;

function checkCount(sku: Sku, serials: readonly string[], quantity: number): void {
  const named = new Set(serials).size;
  if (named === quantity && serials.length === quantity) return;
  throw new Failure('serial_not_valid', `${sku} has serial numbers: name ${quantity}, each once; ${named} were named.`);
}

async function lockSerials(tx: Knex, sku: Sku, serials: readonly string[]): Promise<SerialRow[]> {
  return tx('stock_serials')
    .where({ sku })
    .whereIn('serial', [...serials])
    .orderBy('serial')
    .forUpdate()
    .select('serial', 'state', 'location');
}

/**
 * A batch for each thing that leaves one of these places, the one that came first while it lasts.
 * @param asked.batch only of this one
 * @throws Failure `serial_not_valid` when there are too few of it
 */
export async function batchesFor(
  tx: Knex,
  asked: { readonly sku: Sku; readonly locations: readonly string[]; readonly batch?: string | undefined },
): Promise<(string | null)[]> {
  const { sku, locations, batch } = asked;
  const rows: { location: string; batch: string | null; left: number }[] = await tx('stock_movements')
    .where({ sku })
    .groupBy('location', 'batch')
    .orderByRaw('min(id)')
    .select({ location: 'location', batch: 'batch', left: tx.raw('sum(quantity)::int') });
  const pools = rows.map((row) => ({ ...row }));
  return locations.map((location) => {
    const pool = pools.find(
      (each) => each.location === location && each.left > 0 && (batch === undefined || each.batch === batch),
    );
    if (!pool) throw new Failure('serial_not_valid', `There are too few of batch ${batch ?? ''} in ${location}.`);
    pool.left -= 1;
    return pool.batch;
  });
}
