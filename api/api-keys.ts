/**
 * Keys of integrators: what stands behind `X-Api-Key`. A key that was seen a moment ago costs no query; one that was
 * revoked, or whose account was, is known within moments (api/access-changes.ts).
 */
import { randomBytes, randomInt } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { findStoredKey, noteKeyUse, type StoredKey } from '../db/api-keys.ts';
import type { Knex } from '../db/connection.ts';
import { hashOfSecret } from '../db/one-time-secrets.ts';
import {
  KEY_NAME_ALPHABET,
  KEY_NAME_LENGTH,
  type KeyEnvironment,
  keyStateAt,
  parseKey,
  prefixOf,
} from '../domain/api-keys.ts';
import { Failure } from '../domain/failures.ts';
import type { AccessChanges } from './access-changes.ts';
import { loggable } from './logging.ts';
import { inNetworks } from './networks.ts';
import type { Caller, KeyOfCaller } from './request.ts';
import { isSameSecret } from './secrets.ts';
import { ACCESS_TOKEN_SECONDS } from './tokens.ts';

export type KeyCaller = Caller & { readonly key: KeyOfCaller };

export interface ApiKeys {
  /**
   * Answers at once for a key seen within the last half minute.
   * @throws Failure `unauthenticated`, `address_not_allowed`
   */
  authenticate(key: string, address: string): KeyCaller | Promise<KeyCaller>;
  /** Whether a key, known by its ID from a token it gave out, has been revoked or has ended meanwhile. */
  isRevoked(keyId: string): boolean;
}

/** Should a message about a change be lost, it counts after this long. */
const KNOWN_MS = 30_000;
const NOTE_USE_EVERY_MS = 60_000;

interface Deps {
  readonly db: Knex;
  readonly accessChanges: AccessChanges;
  readonly logger: Logger;
  readonly production: boolean;
}

export function createApiKeys({ db, accessChanges, logger, production }: Deps): ApiKeys {
  // By hash: no key lies in memory.
  const known = new LRUCache<string, StoredKey>({ max: 10_000, ttl: KNOWN_MS });
  const ends = new LRUCache<string, Date>({ max: 100_000, ttl: (ACCESS_TOKEN_SECONDS + 60) * 1000 });
  const noted = new LRUCache<string, true>({ max: 10_000, ttl: NOTE_USE_EVERY_MS });

  accessChanges.onKeyChange((id, endsAt) => {
    for (const [hash, key] of known.entries()) if (key.id === id) known.delete(hash);
    if (endsAt) ends.set(id, endsAt);
    else ends.delete(id);
  });

  const isRevoked = (id: string): boolean => (ends.get(id)?.getTime() ?? Number.POSITIVE_INFINITY) <= Date.now();

  function authenticate(secret: string, address: string): KeyCaller | Promise<KeyCaller> {
    const parsed = parseKey(secret);
    if (!parsed) throw refused(UNKNOWN);
    if (production && parsed.environment === 'test') throw refused(ONLY_LIVE);
    const hash = hashOfSecret(secret);
    const key = known.get(hash);
    return key && stillGood(key) ? admit(key, address) : lookUp(hash, parsed.prefix, address);
  }

  const stillGood = (key: StoredKey): boolean =>
    !isRevoked(key.id) && keyStateAt(key, new Date()) === 'active' && accessChanges.stillHolds(callerOf(key));

  async function lookUp(hash: string, prefix: string, address: string): Promise<KeyCaller> {
    known.delete(hash);
    const key = await findStoredKey(db, prefix);
    if (!key || !isSameSecret(hash, key.keyHash)) throw refused(UNKNOWN);
    refuseUnusable(key, prefix);
    known.set(hash, key);
    return admit(key, address);
  }

  function admit(key: StoredKey, address: string): KeyCaller {
    if (!inNetworks(address, key.networks)) throw notFrom(address);
    noteUse(key.id, address);
    return callerOf(key);
  }

  /** Beside the request: whether it can be written down decides nothing. */
  function noteUse(id: string, address: string): void {
    if (noted.has(id)) return;
    noted.set(id, true);
    noteKeyUse(db, { id, at: new Date(), address }, NOTE_USE_EVERY_MS).catch((error: unknown) => {
      logger.warn({ err: loggable(error), keyId: id }, 'the last use of an API key could not be noted');
    });
  }

  return { authenticate, isRevoked };
}

const callerOf = (key: StoredKey): KeyCaller => ({
  userId: key.userId,
  // Whatever else the account may be: a key gives the rights of an integrator.
  roles: ['integrator'],
  tokenVersion: key.tokenVersion,
  emailVerified: true,
  setupOnly: false,
  key: {
    id: key.id,
    scopes: key.scopes,
    requestsPerMinute: key.requestsPerMinute,
    networks: key.networks,
    endsAt: key.expiresAt,
  },
});

function refuseUnusable(key: StoredKey, prefix: string): void {
  const state = keyStateAt(key, new Date());
  if (state !== 'active')
    throw refused(`The API key ${prefix}… ${state === 'revoked' ? 'was' : 'has'} ${state}. ${ASK}`);
  if (key.status === 'disabled' || !key.roles.includes('integrator')) {
    throw refused(`The account of the API key ${prefix}… is disabled or no longer an integrator's. ${ASK}`);
  }
}

const ASK = 'Ask an administrator of the office for a new one.';
const UNKNOWN =
  'There is no such API key. Check that it was copied whole: alur_live_, 8 characters, an underscore, 43 characters.';
const ONLY_LIVE = 'Test keys are not accepted here. Use one that starts with alur_live_.';

const refused = (message: string): Failure => new Failure('unauthenticated', message);

/** For a key, and for a token that one gave out. */
export const notFrom = (address: string): Failure =>
  new Failure(
    'address_not_allowed',
    `This key may not be used from ${address}. Ask an administrator of the office for one that may.`,
  );

export interface NewSecret {
  /** Shown once, to whoever asked for it. */
  readonly key: string;
  readonly prefix: string;
  readonly keyHash: string;
}

export function newKey(environment: KeyEnvironment): NewSecret {
  const name = Array.from({ length: KEY_NAME_LENGTH }, () => KEY_NAME_ALPHABET[randomInt(KEY_NAME_ALPHABET.length)]);
  const prefix = prefixOf(environment, name.join(''));
  const key = `${prefix}_${randomBytes(32).toString('base64url')}`;
  return { key, prefix, keyHash: hashOfSecret(key) };
}
