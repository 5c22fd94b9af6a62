import type { Knex } from 'knex';
import { type EventType, isPublic, type Origin, type Subject } from '../domain/events.ts';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';

export interface NewEvent {
  /** `<workflowId>/<step>/<attempt>`, or the request's key for what happens outside a workflow. */
  readonly key: string;
  readonly type: EventType;
  readonly applicationId?: ApplicationId;
  readonly companyId?: CompanyId;
  /** Who did it; absent = Alur itself, or the gateway when `gateway` is said. */
  readonly by?: UserId;
  readonly actor?: 'gateway';
  readonly subject?: Subject;
  readonly origin?: Origin | undefined;
  /** What changed, as it was and as it is: only the fields that differ, kept in `data`. */
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  /** Codes, numbers and IDs; no personal data. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/**
 * Writes the event unless its key was written before.
 * @returns false when it was: then the transaction around it has nothing left to do. This is the guard that makes every
 * activity safe to repeat, so it comes first in its transaction, before any other write.
 */
export async function recordEvent(db: Knex, event: NewEvent): Promise<boolean> {
  const inserted = await db('events')
    .insert({
      key: event.key,
      type: event.type,
      application_id: event.applicationId ?? null,
      company_id: event.companyId ?? null,
      actor_id: event.by ?? null,
      actor: event.by ? 'person' : (event.actor ?? 'system'),
      data: JSON.stringify(dataOf(event)),
      subject: event.subject ?? null,
      address: event.origin?.address ?? null,
      request_id: event.origin?.requestId ?? null,
      public: isPublic(event.type),
      occurred_at: event.at,
    })
    .onConflict('key')
    .ignore()
    .returning('id');
  return inserted.length > 0;
}

/**
 * Writes an event that may happen to the same thing again. The caller's lock is the guard, so a key that is taken is an
 * earlier time: the next number is tried, `…/2` and so on.
 * @returns the key under which it stands
 */
export async function recordEachTime(tx: Knex, event: NewEvent): Promise<string> {
  for (let time = 1; ; time += 1) {
    const key = time === 1 ? event.key : `${event.key}/${time}`;
    if (await recordEvent(tx, { ...event, key })) return key;
  }
}

const dataOf = ({ data = {}, before, after }: NewEvent) => ({
  ...data,
  ...(before ? { before } : {}),
  ...(after ? { after } : {}),
});

export interface TimelineEntry {
  readonly id: bigint;
  readonly type: EventType;
  readonly actor: 'person' | 'system' | 'gateway';
  readonly by: UserId | null;
  readonly byName: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: Date;
}

/** The story of one application, or of any other subject, oldest first. `after` = the last ID already read. */
export async function timeline(
  db: Knex,
  of: { readonly applicationId: ApplicationId } | { readonly subject: Subject },
  options: { staff: boolean; after: bigint; limit: number },
): Promise<TimelineEntry[]> {
  const found: TimelineEntry[] = await db('events as e')
    .leftJoin('users as u', 'u.id', 'e.actor_id')
    .where('applicationId' in of ? { 'e.application_id': of.applicationId } : { 'e.subject': of.subject })
    .where('e.id', '>', options.after.toString())
    .modify((query) => {
      if (!options.staff) query.where('e.public', true);
    })
    .orderBy('e.id')
    .limit(options.limit)
    .select({
      id: 'e.id',
      type: 'e.type',
      actor: 'e.actor',
      by: 'e.actor_id',
      byName: 'u.name',
      data: 'e.data',
      at: 'e.occurred_at',
    });
  return found;
}
