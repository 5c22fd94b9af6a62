/** The place that a log-in comes from: by what device, and in which network. */
import { randomBytes, randomUUID } from 'node:crypto';
import bowser from 'bowser';
import type { Knex } from '../db/connection.ts';
import {
  addDevice,
  type Device,
  findDevice,
  hasHadDevice,
  knowsNetwork,
  noteDevice,
  revokeDevice,
} from '../db/devices.ts';
import { recordEvent } from '../db/events.ts';
import { hashOfSecret } from '../db/one-time-secrets.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { asId, type UserId } from '../domain/ids.ts';
import type { ApiDeps } from './deps.ts';
import { networkOf, UNKNOWN } from './networks.ts';

/** What a request says of where it comes from. */
export interface Whereabouts {
  readonly origin: Origin;
  readonly userAgent: string | undefined;
  /** What an earlier log-in of this device was given. */
  readonly deviceToken?: string | undefined;
}

/** How well a person is known there: by the device's own token, by the network, or not at all. */
export interface Place {
  readonly known: 'device' | 'network' | 'unknown';
  readonly device: Device | null;
}

/** No person has it: with it an address that nobody has costs the same look-ups. */
const NOBODY = asId<UserId>('00000000-0000-0000-0000-000000000000');

export async function placeOf(
  db: Knex,
  userId: UserId | undefined,
  { origin, deviceToken = '' }: Pick<Whereabouts, 'origin' | 'deviceToken'>,
): Promise<Place> {
  const at = new Date();
  const network = networkOf(origin.address);
  const person = userId ?? NOBODY;
  const [device, nearby] = await Promise.all([
    findDevice(db, person, hashOfSecret(deviceToken), at),
    knowsNetwork(db, person, network, at),
  ]);
  if (device) return { known: 'device', device };
  return { known: nearby && network !== UNKNOWN ? 'network' : 'unknown', device: null };
}

export interface MetDevice {
  readonly id: string;
  /** The device keeps it, and sends it with each log-in. */
  readonly token: string;
  readonly name: string;
  /** Neither device nor network was seen before, though the person was. */
  readonly isStrange: boolean;
}

/** Finds the device by its token or makes a new one, and notes where it is now. */
export async function meetDevice(db: Knex, userId: UserId, where: Whereabouts, at: Date): Promise<MetDevice> {
  const name = deviceNameOf(where.userAgent);
  const address = where.origin.address ?? UNKNOWN;
  const seen = { name, address, network: networkOf(where.origin.address), at };
  const { known, device } = await placeOf(db, userId, where);
  if (device && where.deviceToken !== undefined) {
    await noteDevice(db, device.id, seen);
    return { id: device.id, token: where.deviceToken, name, isStrange: false };
  }
  const isStrange = known === 'unknown' && (await hasHadDevice(db, userId));
  const [id, token] = [randomUUID(), randomBytes(32).toString('base64url')];
  await addDevice(db, { ...seen, id, userId, tokenHash: hashOfSecret(token) });
  return { id, token, name, isStrange };
}

/**
 * From now on the device is a strange one.
 * @throws Failure `not_found` when this person has no such device
 */
export async function forgetDevice(
  { db }: Pick<ApiDeps, 'db'>,
  userId: UserId,
  id: string,
  origin: Origin,
): Promise<void> {
  const at = new Date();
  await db.transaction(async (trx) => {
    if (!(await revokeDevice(trx, userId, id, at))) throw new Failure('not_found', '');
    const key = `device/${id}/revoked`;
    const subject = `device/${id}` as const;
    await recordEvent(trx, { key, type: 'device.revoked', by: userId, subject, origin, at: at.toISOString() });
  });
}

/** As a person would call it: "Chrome on Android". */
export function deviceNameOf(userAgent: string | undefined): string {
  // Longer ones are made up, and cost the parser's patterns their time.
  if (!userAgent || userAgent.length > 500) return UNKNOWN;
  const { browser, os } = bowser.parse(userAgent);
  const names = [browser.name, os.name].filter((name) => name !== undefined && name !== '');
  return names.length === 0 ? UNKNOWN : names.join(' on ');
}
