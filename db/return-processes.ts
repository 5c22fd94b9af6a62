/** What a return's process is started from when there is none, and which returns need one. */
import type { Knex } from 'knex';
import type { ReturnId } from '../domain/ids.ts';

export interface ReturnOrigin {
  readonly returnId: ReturnId;
}

/** What a parcel or a bank may still bring back to life. */
const MAY_COME_BACK = `(r.state in ('expired', 'cancelled') and exists (select 1 from shipments s
    where s.return_id = r.id and s.direction = 'back' and s.state = 'delivered')
  and not exists (select 1 from return_units u where u.return_id = r.id and u.state in ('received', 'accepted', 'declined')))`;
const OPEN = `r.state not in ('expired', 'closed_refunded', 'closed_replaced', 'closed_mixed', 'rejected', 'cancelled')`;

/**
 * null when there is no such return, or nothing can come of it any more. One that expired or was called off can still be
 * received, and money that was sent can still come back.
 */
export async function returnOrigin(db: Knex, id: ReturnId): Promise<ReturnOrigin | null> {
  const row: ReturnOrigin | undefined = await db('returns')
    .where({ id })
    .whereNotIn('state', ['rejected', 'closed_replaced'])
    .first({ returnId: 'id' });
  return row ?? null;
}

/**
 * Returns that should be in a process's hands: those that none has taken since they were asked for, those that are open and of
 * which nothing was heard since `quietSince`, and those that had ended and whose parcel has come. In the order of their IDs.
 */
export async function returnsToWatch(
  db: Knex,
  page: {
    readonly requestedBefore: string;
    readonly quietSince: string;
    readonly after: ReturnId | null;
    readonly limit: number;
  },
): Promise<ReturnOrigin[]> {
  const { requestedBefore, quietSince, after, limit } = page;
  const rows: ReturnOrigin[] = await db('returns as r')
    .whereRaw(
      `((r.taken_at is null and r.requested_at < :requestedBefore) or (${OPEN} and r.updated_at < :quietSince) or ${MAY_COME_BACK})`,
      { requestedBefore, quietSince },
    )
    .modify((query) => {
      if (after) query.where('r.id', '>', after);
    })
    .orderBy('r.id')
    .limit(limit)
    .select({ returnId: 'r.id' });
  return rows;
}
