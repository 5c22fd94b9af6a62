/** Lists: `?limit=` and an opaque `cursor`, `{ items, nextCursor }`, always in a stable order. */
import { z } from 'zod';
import { Failure } from '../domain/failures.ts';

/** Spread into a route's query schema: `z.strictObject({ ...pageQuery, state: … })`. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().min(1).max(1000).optional().describe('`nextCursor` of the page before'),
};

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/**
 * Makes a page of rows of which one more than `limit` was asked for.
 * @param positionOf what the next query continues after; it comes back from `readCursor`
 */
export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  positionOf: (row: Row) => unknown,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? writeCursor(positionOf(last)) : null;
  return { items: shown.map(toItem), nextCursor };
}

export const writeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');

/** @throws Failure `invalid_request` for a cursor that no page has given out. */
export function readCursor<Position extends z.ZodType>(
  cursor: string | undefined,
  position: Position,
): z.output<Position> | undefined {
  if (cursor === undefined) return undefined;
  const parsed = position.safeParse(decoded(cursor));
  if (parsed.success) return parsed.data;
  throw new Failure('invalid_request', 'Take the cursor from nextCursor of the page before, unchanged.', {
    errors: [{ pointer: '/cursor', code: 'invalid_cursor', detail: 'not a cursor of this list' }],
  });
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    // No schema of a position accepts undefined, so it is refused above.
    return undefined;
  }
}
