/** Links in letters of the shop: whoever has one sees one order or one return, and answers for whom it was sent to. */
import type { Knex } from 'knex';
import type { OrderId, ReturnId, UserId } from '../domain/ids.ts';
import { hashOfSecret, linkToken } from './one-time-secrets.ts';

/** Longer than a parcel may be under way and a window be open; each letter brings a new one. */
const HOLDS_MS = 90 * 86_400_000;

/** What a link opens. */
export type ShopLinkSubject =
  | { readonly kind: 'order'; readonly id: OrderId }
  | { readonly kind: 'return'; readonly id: ReturnId };

export interface NewShopLink {
  /** That of its letter, or a name made from what it is for: a repeat gets the same token. */
  readonly id: string;
  readonly subject: ShopLinkSubject;
  readonly userId: UserId;
  readonly createdAt: Date;
}

export interface ShopLink {
  readonly id: string;
  readonly subject: ShopLinkSubject;
  readonly userId: UserId;
  readonly expiresAt: Date;
}

/** Newer links leave older ones good. @param secretKey 32 bytes, as for `linkToken` */
export async function createShopLink(db: Knex, secretKey: Buffer, link: NewShopLink): Promise<string> {
  const token = linkToken(secretKey, link.id);
  const { subject } = link;
  await db('shop_links')
    .insert({
      id: link.id,
      token_hash: hashOfSecret(token),
      order_id: subject.kind === 'order' ? subject.id : null,
      return_id: subject.kind === 'return' ? subject.id : null,
      user_id: link.userId,
      created_at: link.createdAt,
      expires_at: new Date(link.createdAt.getTime() + HOLDS_MS),
    })
    .onConflict('id')
    // The same hash, unless the secret key was changed between two tries: then the letter that leaves last is right.
    .merge(['token_hash']);
  return token;
}

/** Ended or not: the caller looks at `expiresAt`. null when there never was such a link. */
export async function findShopLink(db: Knex, token: string): Promise<ShopLink | null> {
  const row: LinkRow | undefined = await db('shop_links')
    .where({ token_hash: hashOfSecret(token) })
    .first({ id: 'id', orderId: 'order_id', returnId: 'return_id', userId: 'user_id', expiresAt: 'expires_at' });
  return row ? { id: row.id, subject: subjectOf(row), userId: row.userId, expiresAt: row.expiresAt } : null;
}

interface LinkRow {
  readonly id: string;
  readonly orderId: OrderId | null;
  readonly returnId: ReturnId | null;
  readonly userId: UserId;
  readonly expiresAt: Date;
}

function subjectOf({ orderId, returnId }: LinkRow): ShopLinkSubject {
  if (orderId !== null) return { kind: 'order', id: orderId };
  if (returnId !== null) return { kind: 'return', id: returnId };
  throw new Error('a link of the shop opens an order or a return');
}
