/** What a letter's button leads to. The token is in the letter only; here is its hash. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';
import { LINK_HOLDS_MS, type LinkPurpose } from '../domain/mail.ts';
import { hashOfSecret, linkToken } from './one-time-secrets.ts';

export interface NewLink {
  /** That of its letter. */
  readonly id: string;
  readonly purpose: LinkPurpose;
  /** Whose account it is about; null for an invitation to a company, whose address may be nobody's. */
  readonly userId: UserId | null;
  /** The invitation to a company; null for all others. */
  readonly subjectId: string | null;
  /** When its letter was written: the time that it holds counts from then. */
  readonly createdAt: Date;
}

export interface Link {
  readonly id: string;
  readonly userId: UserId | null;
  readonly subjectId: string | null;
}

/**
 * Makes the link of a letter, once: a repeat gets the same token. A newer link of the same purpose and person (or
 * invitation) makes this one void, in whatever order the two letters leave.
 * @param secretKey 32 bytes, as for `linkToken`
 */
export async function createLink(
  db: Knex,
  secretKey: Buffer,
  link: NewLink,
): Promise<{ token: string; expiresAt: Date }> {
  const token = linkToken(secretKey, link.id);
  const expiresAt = new Date(link.createdAt.getTime() + LINK_HOLDS_MS[link.purpose]);
  await db('link_tokens')
    .insert({
      id: link.id,
      purpose: link.purpose,
      token_hash: hashOfSecret(token),
      user_id: link.userId,
      subject_id: link.subjectId,
      created_at: link.createdAt,
      expires_at: expiresAt,
    })
    .onConflict('id')
    // The same hash, unless the secret key was changed between two tries: then the letter that leaves last is right.
    .merge(['token_hash'])
    .where('link_tokens.used_at', null);
  return { token, expiresAt };
}

/**
 * Uses a link up. Of two at once one gets it.
 * @returns null when it is wrong, used, expired, or a newer one took its place
 */
export async function useLinkToken(trx: Knex, purpose: LinkPurpose, token: string, at: Date): Promise<Link | null> {
  const [used]: Link[] = await good(trx, purpose, token, at).update({ used_at: at }).returning(COLUMNS);
  return used ?? null;
}

/** What `useLinkToken` would return, without using it up: for showing a page. */
export async function peekLinkToken(db: Knex, purpose: LinkPurpose, token: string, at: Date): Promise<Link | null> {
  const found: Link | undefined = await good(db, purpose, token, at).first(COLUMNS);
  return found ?? null;
}

const COLUMNS = ['t.id', 't.user_id as userId', 't.subject_id as subjectId'];

const good = (db: Knex, purpose: LinkPurpose, token: string, at: Date) =>
  db('link_tokens as t')
    .where({ 't.purpose': purpose, 't.token_hash': hashOfSecret(token), 't.used_at': null })
    .where('t.expires_at', '>', at)
    .whereNotExists(
      db('link_tokens as newer')
        .where('newer.purpose', purpose)
        .whereRaw('(newer.user_id = t.user_id or newer.subject_id = t.subject_id)')
        .whereRaw('(newer.created_at, newer.id) > (t.created_at, t.id)'),
    );
