/** What people do to the stock by hand, on record as theirs. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { Sku, UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';
import { putToStock } from './stock.ts';

export interface MoveByHand {
  readonly sku: Sku;
  readonly location: string;
  /** Units; of a correction negative for what is not there. */
  readonly quantity: number;
  readonly batch?: string | undefined;
  readonly serials?: readonly string[] | undefined;
  readonly note?: string | undefined;
  /** Names the request: again with the same key changes nothing. */
  readonly key: string;
  readonly by: UserId;
  readonly origin: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/** @throws Failure `product_unknown`, `not_found` (no such store), `serial_not_valid` */
export const receiveStock = (tx: Knex, move: MoveByHand): Promise<boolean> => byHand(tx, move, 'received');

/** What was counted differs from what is on record. @throws as `receiveStock`, and `stock_not_enough` */
export const adjustStock = (tx: Knex, move: MoveByHand): Promise<boolean> => byHand(tx, move, 'adjusted');

async function byHand(tx: Knex, move: MoveByHand, kind: 'received' | 'adjusted'): Promise<boolean> {
  const { sku, location, quantity, batch, by, origin, at } = move;
  const key = `stock/${move.key}/${kind}`;
  const event = { key, type: `stock.${kind}`, subject: `product/${sku}`, by, origin, at } as const;
  if (!(await recordEvent(tx, { ...event, data: { location, quantity, batch: batch ?? null } }))) return false;
  return putToStock(tx, { ...move, kind, key });
}
