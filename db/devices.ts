/** Where a person logged in before, known by a token that the device keeps. Only the token's hash is stored. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';

export interface Device {
  readonly id: string;
  /** "Chrome on Android" */
  readonly name: string;
  readonly address: string;
  /** The address cut to /24, or /48. */
  readonly network: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  /** Until then no second factor is asked for here; null = it is. */
  readonly trustedUntil: Date | null;
}

/** What a log-in tells of the place where it happens. */
export interface Sighting {
  readonly name: string;
  readonly address: string;
  readonly network: string;
  readonly at: Date;
}

const DAY_MS = 86_400_000;
/** Not seen for so long, a device is a new one. */
const REMEMBERED_MS = 180 * DAY_MS;
export const TRUST_MS = 30 * DAY_MS;
/** Clients that keep no token leave a device with each log-in; beyond these the one seen longest ago is forgotten. */
export const MAX_DEVICES = 20;

const columns = {
  id: 'id',
  name: 'name',
  address: 'address',
  network: 'network',
  createdAt: 'created_at',
  lastSeenAt: 'last_seen_at',
  trustedUntil: 'trusted_until',
};

const known = (db: Knex, userId: UserId, at: Date) =>
  db('devices').where({ user_id: userId, revoked_at: null }).where('expires_at', '>', at);

/** The one seen last comes first. */
export async function devicesOf(db: Knex, userId: UserId, at: Date): Promise<Device[]> {
  const found: Device[] = await known(db, userId, at).orderBy('last_seen_at', 'desc').select(columns);
  return found;
}

/** null for a token that is unknown, revoked, too old or another person's. */
export async function findDevice(db: Knex, userId: UserId, tokenHash: string, at: Date): Promise<Device | null> {
  const found: Device | undefined = await known(db, userId, at).where({ token_hash: tokenHash }).first(columns);
  return found ?? null;
}

export async function knowsNetwork(db: Knex, userId: UserId, network: string, at: Date): Promise<boolean> {
  return (await known(db, userId, at).where({ network }).first('id')) !== undefined;
}

/** Whether this person ever left a device, known still or not. */
export async function hasHadDevice(db: Knex, userId: UserId): Promise<boolean> {
  return (await db('devices').where({ user_id: userId }).first('id')) !== undefined;
}

export async function addDevice(
  db: Knex,
  device: Sighting & { readonly id: string; readonly userId: UserId; readonly tokenHash: string },
): Promise<void> {
  await db('devices').insert({
    id: device.id,
    user_id: device.userId,
    token_hash: device.tokenHash,
    name: device.name,
    address: device.address,
    network: device.network,
    created_at: device.at,
    last_seen_at: device.at,
    expires_at: new Date(device.at.getTime() + REMEMBERED_MS),
  });
  const surplus = db('devices').where({ user_id: device.userId }).orderBy('last_seen_at', 'desc').offset(MAX_DEVICES);
  await db('devices').whereIn('id', surplus.select('id')).delete();
}

export async function noteDevice(db: Knex, id: string, { name, address, network, at }: Sighting): Promise<void> {
  const expiresAt = new Date(at.getTime() + REMEMBERED_MS);
  await db('devices').where({ id }).update({ name, address, network, last_seen_at: at, expires_at: expiresAt });
}

/** "Remember this device": no second factor is asked for here for 30 days. */
export async function trustDevice(db: Knex, id: string, at: Date): Promise<void> {
  await db('devices')
    .where({ id })
    .update({ trusted_until: new Date(at.getTime() + TRUST_MS) });
}

/** From now on a second factor is asked for everywhere; the devices stay known. */
export async function untrustDevices(db: Knex, userId: UserId): Promise<void> {
  await db('devices').where({ user_id: userId }).whereNotNull('trusted_until').update({ trusted_until: null });
}

/** false when this person has no such device. */
export async function revokeDevice(db: Knex, userId: UserId, id: string, at: Date): Promise<boolean> {
  return (await known(db, userId, at).where({ id }).update({ revoked_at: at, trusted_until: null })) > 0;
}
