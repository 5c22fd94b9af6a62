import type { Knex } from 'knex';

/** What waits to be taken over, and since when the first of it does. */
export interface Backlog {
  readonly waiting: number;
  readonly oldestAt: Date | null;
}

/** Letters that no workflow has in hand, and gateways' notices that nobody has looked into. */
export async function backlogs(db: Knex): Promise<{ readonly outbox: Backlog; readonly inbox: Backlog }> {
  const { rows }: { rows: (Backlog & { name: string })[] } = await db.raw(
    `select 'outbox' as name, count(*)::integer as waiting, min(created_at) as "oldestAt" from account_letters where taken_at is null
     union all
     select 'inbox', count(*)::integer, min(received_at) from payment_inbox where handled_at is null and payment_id is not null`,
  );
  const named = (name: string): Backlog => {
    const { waiting = 0, oldestAt = null } = rows.find((row) => row.name === name) ?? {};
    return { waiting, oldestAt };
  };
  return { outbox: named('outbox'), inbox: named('inbox') };
}
