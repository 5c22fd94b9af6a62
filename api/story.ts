/** What has happened to something, page by page, oldest first: the same for an application and for every other subject. */
import { z } from 'zod';
import { type TimelineEntry, timeline } from '../db/events.ts';
import type { UserId } from '../domain/ids.ts';
import type { ApiDeps } from './deps.ts';
import { page, readCursor } from './paging.ts';
import { json } from './route.ts';
import { timeJson } from './wire.ts';

const afterEvent = z.object({ id: z.string().regex(/^\d{1,18}$/) });

interface Reader {
  readonly viewer: UserId;
  /** Who else acted is named to staff alone, and so is what is not public. */
  readonly staff: boolean;
}

/** The caller has made sure that the reader may see what it is about. */
export async function storyOf(
  { db }: Pick<ApiDeps, 'db'>,
  of: Parameters<typeof timeline>[1],
  { viewer, staff }: Reader,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
) {
  const after = BigInt(readCursor(cursor, afterEvent)?.id ?? 0);
  const rows = await timeline(db, of, { staff, after, limit: limit + 1 });
  const toItem = (entry: TimelineEntry) => entryJson(entry, { viewer, staff });
  return json(
    200,
    page(rows, limit, toItem, ({ id }) => ({ id: id.toString() })),
  );
}

const entryJson = (entry: TimelineEntry, { viewer, staff }: Reader) => ({
  id: entry.id.toString(),
  type: entry.type,
  actor: entry.actor,
  ...(entry.by && entry.byName && (staff || entry.by === viewer) && { by: { id: entry.by, name: entry.byName } }),
  data: entry.data,
  at: timeJson(entry.at),
});
