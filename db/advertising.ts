/** Letters that nobody needs, and the one word that ends them. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { asId, type UserId } from '../domain/ids.ts';
import { recordEachTime } from './events.ts';
import { derive } from './personal-data.ts';
import { isUuid } from './uuids.ts';

/** Where the link in such a letter leads, below the public URL; the token is in its query. */
export const STOP_ADVERTISING_PAGE = '/account/advertising';

/** Somebody who is not there wants none. */
export async function refusesAdvertising(db: Knex, userId: UserId): Promise<boolean> {
  const wants = await db('users').where({ id: userId }).whereNull('advertising_refused_at').first('id');
  return wants === undefined;
}

export interface AdvertisingWish {
  readonly userId: UserId;
  readonly wanted: boolean;
  readonly origin: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/** @returns false when it was so already, or nobody is there */
export async function setAdvertising(tx: Knex, { userId, wanted, origin, at }: AdvertisingWish): Promise<boolean> {
  const row: { refusedAt: Date | null } | undefined = await tx('users')
    .where({ id: userId })
    .forUpdate()
    .first({ refusedAt: 'advertising_refused_at' });
  if (!row || (row.refusedAt === null) === wanted) return false;
  const type = wanted ? 'advertising.allowed' : 'advertising.refused';
  const event = { key: `user/${userId}/${type}`, type, subject: `user/${userId}` } as const;
  await recordEachTime(tx, { ...event, by: userId, origin, at });
  await tx('users')
    .where({ id: userId })
    .update({ advertising_refused_at: wanted ? null : at });
  return true;
}

/** Good for as long as the secret key: who wants no more letters must never find the link too old. @param secretKey 32 bytes */
export const stopAdvertisingToken = (secretKey: Buffer, userId: UserId): string =>
  `${userId}.${signatureOf(secretKey, userId)}`;

/** null when nobody was given this token. */
export function userOfStopToken(secretKey: Buffer, token: string): UserId | null {
  const [id = '', signature = ''] = token.split('.', 2);
  if (!isUuid(id)) return null;
  const [given, right] = [Buffer.from(signature), Buffer.from(signatureOf(secretKey, id))];
  return given.length === right.length && timingSafeEqual(given, right) ? asId<UserId>(id) : null;
}

/** For letters. @param publicUrl without a trailing slash */
export const stopAdvertisingUrl = (publicUrl: string, secretKey: Buffer, userId: UserId): string =>
  `${publicUrl}${STOP_ADVERTISING_PAGE}?token=${stopAdvertisingToken(secretKey, userId)}`;

const signatureOf = (secretKey: Buffer, id: string): string =>
  createHmac('sha256', derive(secretKey, 'alur/stop-advertising')).update(id).digest('base64url');
