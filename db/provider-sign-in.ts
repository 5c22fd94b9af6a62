/** Staff who come through the office's identity provider: sign-ins that are under way, and whose account is whose. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';

export interface SignInUnderWay {
  readonly stateHash: string;
  readonly secretsEncrypted: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Sweeps up those that nobody came back from. */
export async function addSignIn(db: Knex, signIn: SignInUnderWay): Promise<void> {
  await db('oidc_logins').where('expires_at', '<', signIn.createdAt).delete();
  await db('oidc_logins').insert({
    state_hash: signIn.stateHash,
    secrets_encrypted: signIn.secretsEncrypted,
    created_at: signIn.createdAt,
    expires_at: signIn.expiresAt,
  });
}

/** Good for one use. @returns its sealed secrets; null when there is none, or it was used or is too old */
export async function takeSignIn(db: Knex, stateHash: string, at: Date): Promise<Buffer | null> {
  const taken: { secrets: Buffer }[] = await db('oidc_logins')
    .where({ state_hash: stateHash, used_at: null })
    .where('expires_at', '>', at)
    .update({ used_at: at })
    .returning('secrets_encrypted as secrets');
  return taken[0]?.secrets ?? null;
}

export interface Identity {
  readonly issuer: string;
  /** What the provider calls the person, for ever; an address may be given to somebody else. */
  readonly subject: string;
}

export async function findLinkedUser(db: Knex, { issuer, subject }: Identity): Promise<UserId | null> {
  const found: { userId: UserId } | undefined = await db('oidc_identities')
    .where({ issuer, subject })
    .first('user_id as userId');
  return found?.userId ?? null;
}

/** @returns false when the account belongs to somebody else at this provider already */
export async function linkIdentity(
  db: Knex,
  link: Identity & { readonly userId: UserId; readonly at: Date; readonly origin: Origin },
): Promise<boolean> {
  const { issuer, subject, userId, at, origin } = link;
  return db.transaction(async (trx) => {
    const linked: { user_id: UserId }[] = await trx('oidc_identities')
      .insert({ issuer, subject, user_id: userId, created_at: at })
      .onConflict()
      .ignore()
      .returning('user_id');
    // Two first sign-ins at once: the other one has linked it.
    if (linked.length === 0) return (await findLinkedUser(trx, link)) === userId;
    await recordEvent(trx, {
      key: `user/${userId}/linked/${issuer}`,
      type: 'provider.linked',
      by: userId,
      subject: `user/${userId}`,
      origin,
      data: { issuer },
      at: at.toISOString(),
    });
    return true;
  });
}
