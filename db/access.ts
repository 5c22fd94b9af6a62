/** What an API process has to know about access that was taken away since tokens were given out. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';

export interface AccessTakenAway {
  readonly sessions: readonly string[];
  readonly users: readonly { readonly id: UserId; readonly version: number }[];
  readonly keys: readonly { readonly id: string; readonly endsAt: Date }[];
}

/**
 * Sessions and API keys that ended, and people whose roles or status changed, after `since`: access tokens live no longer
 * than that. A key with an end to come is told of too.
 */
export async function accessTakenAwaySince(db: Knex, since: Date): Promise<AccessTakenAway> {
  const [sessions, users, keys] = await Promise.all([
    db('sessions').where('ended_at', '>', since).pluck<string[]>('id'),
    db('users').where('access_changed_at', '>', since).select<AccessTakenAway['users']>({
      id: 'id',
      version: 'token_version',
    }),
    db('api_keys')
      .whereRaw('coalesce(revoked_at, expires_at) > ?', [since])
      .select<AccessTakenAway['keys']>('id', db.raw('coalesce(revoked_at, expires_at) as "endsAt"')),
  ]);
  return { sessions, users, keys };
}
