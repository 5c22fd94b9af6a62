import { isDeepStrictEqual } from 'node:util';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { UserId } from '../domain/ids.ts';
import type { Decision } from '../domain/licensing.ts';
import type { KnownReason } from '../domain/reasons.ts';
import { recordEachTime } from './events.ts';

/** The office's reasons in their order, by code; one that was retired keeps its name and is used for nothing. */
export async function knownReasons(db: Knex): Promise<ReadonlyMap<string, KnownReason>> {
  const rows: { code: string; names: KnownReason['names']; usedFor: Decision[] }[] = await db('reason_catalogue')
    .orderBy(['position', 'code'])
    .select({ code: 'code', names: 'names', usedFor: db.raw("case when active then used_for else '{}' end") });
  return new Map(rows.map(({ code, names, usedFor }) => [code, { names, usedFor }]));
}

export interface ReasonChange extends KnownReason {
  readonly code: string;
  readonly position: number;
  readonly active: boolean;
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: string;
}

/** Adds a reason or changes it; one that says the same already is left alone, without an event. */
export async function publishReason(db: Knex, { code, by, origin, at, ...change }: ReasonChange): Promise<void> {
  await db.transaction(async (tx) => {
    // Two changes of one reason queue up, also where there is no row yet that could be locked.
    await tx.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`reason/${code}`]);
    const before: Omit<ReasonChange, 'code' | 'by' | 'origin' | 'at'> | undefined = await tx('reason_catalogue')
      .where({ code })
      .first({ names: 'names', usedFor: 'used_for', position: 'position', active: 'active' });
    const after = { names: change.names, usedFor: change.usedFor, position: change.position, active: change.active };
    if (before && isDeepStrictEqual(before, after)) return;
    await recordEachTime(tx, {
      key: `reason/${code}/published`,
      type: 'reasons.published',
      by,
      data: { code },
      ...(before ? { before: { ...before } } : {}),
      after,
      origin,
      at,
    });
    const row = {
      names: JSON.stringify(after.names),
      used_for: [...after.usedFor],
      position: after.position,
      active: after.active,
    };
    await tx('reason_catalogue')
      .insert({ code, ...row })
      .onConflict('code')
      .merge(row);
  });
}
