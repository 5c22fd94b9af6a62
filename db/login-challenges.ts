/** Log-ins between the password and the second factor. Only the hash of the token is stored. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';
import { CHALLENGE_TRIES } from '../domain/second-factors.ts';
import type { LoginMethod } from './sessions.ts';

export interface LoginChallenge {
  readonly id: string;
  readonly userId: UserId;
  readonly method: LoginMethod;
  /** When the password was given. */
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface NewChallenge extends LoginChallenge {
  readonly tokenHash: string;
}

const DAY_MS = 86_400_000;

/** Forgets those of this person that ran out a day ago: what became of them is in the events. */
export async function addChallenge(db: Knex, challenge: NewChallenge): Promise<void> {
  const dayAgo = new Date(challenge.expiresAt.getTime() - DAY_MS);
  await db('login_challenges').where({ user_id: challenge.userId }).where('expires_at', '<', dayAgo).delete();
  await db('login_challenges').insert({
    id: challenge.id,
    user_id: challenge.userId,
    token_hash: challenge.tokenHash,
    method: challenge.method,
    created_at: challenge.createdAt,
    expires_at: challenge.expiresAt,
  });
}

/**
 * One that still takes a code; null when there is none, or it was used, ran out, took too many wrong codes, or the
 * password was changed since.
 */
export async function findChallenge(db: Knex, tokenHash: string, at: Date): Promise<LoginChallenge | null> {
  const found: LoginChallenge | undefined = await db('login_challenges as c')
    .join('users as u', 'u.id', 'c.user_id')
    .where({ 'c.token_hash': tokenHash, 'c.used_at': null })
    .where('c.expires_at', '>', at)
    .where('c.failures', '<', CHALLENGE_TRIES)
    .whereRaw(`c.created_at >= coalesce(u.password_changed_at, '-infinity')`)
    .first({
      id: 'c.id',
      userId: 'c.user_id',
      method: 'c.method',
      createdAt: 'c.created_at',
      expiresAt: 'c.expires_at',
    });
  return found ?? null;
}

export async function useChallenge(db: Knex, id: string, at: Date): Promise<void> {
  await db('login_challenges').where({ id }).update({ used_at: at });
}

export async function noteWrongCode(db: Knex, id: string): Promise<void> {
  await db('login_challenges').where({ id }).increment('failures', 1);
}
