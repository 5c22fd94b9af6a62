/** Refresh tokens. A family is one log-in and all tokens that came of it; only hashes are stored. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';

export interface NewRefreshToken {
  readonly tokenHash: string;
  readonly familyId: string;
  readonly userId: UserId;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Tabs of one browser refresh at the same moment; within this time the second gets a token of its own. */
export const REUSE_GRACE_MS = 10_000;

export async function addRefreshToken(db: Knex, token: NewRefreshToken): Promise<void> {
  await db('refresh_tokens').insert({
    token_hash: token.tokenHash,
    family_id: token.familyId,
    user_id: token.userId,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
  });
}

interface Found {
  readonly familyId: string;
  readonly userId: UserId;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
  readonly revokedAt: Date | null;
}

export type Rotation =
  | { readonly outcome: 'rotated'; readonly userId: UserId }
  /** Somebody kept an old token: the family is revoked, whoever holds the newest one included. */
  | { readonly outcome: 'reused'; readonly userId: UserId }
  | { readonly outcome: 'unknown' };

/** Uses a token up and stores the next of its family, in one transaction. */
export async function rotateRefreshToken(
  db: Knex,
  rotation: { readonly tokenHash: string; readonly nextHash: string; readonly at: Date; readonly expiresAt: Date },
): Promise<Rotation> {
  return db.transaction(async (trx) => {
    const token = await lockToken(trx, rotation.tokenHash);
    if (!token || token.revokedAt || token.expiresAt <= rotation.at) return { outcome: 'unknown' };
    const { familyId, userId } = token;
    if (token.usedAt && rotation.at.getTime() - token.usedAt.getTime() > REUSE_GRACE_MS) {
      await revokeFamily(trx, familyId, rotation.at);
      return { outcome: 'reused', userId };
    }
    await trx('refresh_tokens')
      .where({ token_hash: rotation.tokenHash })
      .whereNull('used_at')
      .update({ used_at: rotation.at });
    const { nextHash: tokenHash, at: createdAt, expiresAt } = rotation;
    await addRefreshToken(trx, { tokenHash, familyId, userId, createdAt, expiresAt });
    return { outcome: 'rotated', userId };
  });
}

/** Ends the log-in that this token belongs to; an unknown token ends nothing. */
export async function revokeSession(db: Knex, tokenHash: string, at: Date): Promise<void> {
  const token = await db('refresh_tokens').where({ token_hash: tokenHash }).first({ familyId: 'family_id' });
  if (token) await revokeFamily(db, token.familyId, at);
}

async function lockToken(trx: Knex.Transaction, tokenHash: string): Promise<Found | undefined> {
  return trx('refresh_tokens').where({ token_hash: tokenHash }).forUpdate().first({
    familyId: 'family_id',
    userId: 'user_id',
    expiresAt: 'expires_at',
    usedAt: 'used_at',
    revokedAt: 'revoked_at',
  });
}

async function revokeFamily(db: Knex, familyId: string, at: Date): Promise<void> {
  await db('refresh_tokens').where({ family_id: familyId }).whereNull('revoked_at').update({ revoked_at: at });
}
