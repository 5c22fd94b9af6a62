/** What an API process has to know about access that was taken away since tokens were given out. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';

export interface AccessTakenAway {
  readonly sessions: readonly string[];
  readonly users: readonly { readonly id: UserId; readonly version: number }[];
}

/** Sessions that ended, and people whose roles or status changed, after `since`: access tokens live no longer than that. */
export async function accessTakenAwaySince(db: Knex, since: Date): Promise<AccessTakenAway> {
  const [sessions, users] = await Promise.all([
    db('sessions').where('ended_at', '>', since).pluck<string[]>('id'),
    db('users').where('access_changed_at', '>', since).select<AccessTakenAway['users']>({
      id: 'id',
      version: 'token_version',
    }),
  ]);
  return { sessions, users };
}
