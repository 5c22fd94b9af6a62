/** Keys of integrators. Of a key only its hash is stored; each change writes its event in the same transaction. */
import type { Knex } from 'knex';
import {
  INTEGRATOR_MAIL_DOMAIN,
  type KeyEnvironment,
  type KeyState,
  keyStateAt,
  overlapEnd,
  successorEnd,
} from '../domain/api-keys.ts';
import type { Origin } from '../domain/events.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';
import type { Role, Scope } from '../domain/roles.ts';
import { recordEvent } from './events.ts';

export interface ApiKey {
  readonly id: string;
  /** The integrator's account: what the key does is done by it. */
  readonly userId: UserId;
  /** Of the account: what the key reaches. */
  readonly companyIds: readonly CompanyId[];
  readonly name: string;
  readonly environment: KeyEnvironment;
  /** `alur_live_Ab3dE6gH` */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** CIDR blocks; none = from anywhere. */
  readonly networks: readonly string[];
  readonly requestsPerMinute: number;
  readonly createdBy: UserId;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly lastUsedFrom: string | null;
  readonly revokedAt: Date | null;
  readonly replaces: string | null;
  /** The key that takes its place, unless that one was revoked. */
  readonly replacedBy: string | null;
}

const columns = (db: Knex) => ({
  id: 'k.id',
  userId: 'k.user_id',
  companyIds: db.raw(
    'array(select m.company_id from company_members m where m.user_id = k.user_id order by m.company_id)',
  ),
  name: 'k.name',
  environment: 'k.environment',
  prefix: 'k.prefix',
  scopes: 'k.scopes',
  networks: 'k.networks',
  requestsPerMinute: 'k.requests_per_minute',
  createdBy: 'k.created_by',
  createdAt: 'k.created_at',
  expiresAt: 'k.expires_at',
  lastUsedAt: 'k.last_used_at',
  lastUsedFrom: 'k.last_used_from',
  revokedAt: 'k.revoked_at',
  replaces: 'k.replaces',
  replacedBy: db.raw('(select s.id from api_keys s where s.replaces = k.id and s.revoked_at is null)'),
});

export async function findApiKey(db: Knex, id: string): Promise<ApiKey | null> {
  const found: ApiKey | undefined = await db('api_keys as k').where('k.id', id).first(columns(db));
  return found ?? null;
}

export interface ApiKeyList {
  readonly state?: KeyState | undefined;
  readonly environment?: KeyEnvironment | undefined;
  /** Whether a key has expired is a question of when. */
  readonly at: Date;
  /** The last one already read. */
  readonly after: { readonly at: Date; readonly id: string } | null;
  readonly limit: number;
}

/** Newest first. */
export async function listApiKeys(db: Knex, list: ApiKeyList): Promise<ApiKey[]> {
  const { state, environment, at, after, limit } = list;
  const found: ApiKey[] = await db('api_keys as k')
    .modify((query) => {
      if (environment) query.where('k.environment', environment);
      if (state) query.whereRaw(...inState(state, at));
      if (after) query.whereRaw('(k.created_at, k.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'k.created_at', order: 'desc' },
      { column: 'k.id', order: 'desc' },
    ])
    .limit(limit)
    .select(columns(db));
  return found;
}

/** As `keyStateAt` tells them apart. */
function inState(state: KeyState, at: Date): [sql: string, bindings: Date[]] {
  switch (state) {
    case 'revoked':
      return ['k.revoked_at is not null', []];
    case 'expired':
      return ['k.revoked_at is null and k.expires_at <= ?', [at]];
    case 'active':
      return ['k.revoked_at is null and (k.expires_at is null or k.expires_at > ?)', [at]];
  }
}

interface Change {
  readonly by: UserId;
  readonly at: Date;
  readonly origin: Origin;
}

export interface NewApiKey extends Change {
  readonly id: string;
  readonly keyHash: string;
  readonly prefix: string;
  readonly name: string;
  readonly environment: KeyEnvironment;
  readonly scopes: readonly Scope[];
  readonly networks: readonly string[];
  readonly requestsPerMinute: number;
  readonly expiresAt: Date | null;
  readonly account:
    | { readonly kind: 'existing'; readonly userId: UserId }
    /** Made for this key, with the key's name, and put among the people of these companies. */
    | { readonly kind: 'new'; readonly userId: UserId; readonly companyIds: readonly CompanyId[] };
}

export type Creation =
  | { readonly outcome: 'created'; readonly key: ApiKey }
  | { readonly outcome: 'not_an_integrator' }
  | { readonly outcome: 'unknown_companies'; readonly companyIds: readonly CompanyId[] };

/** Adds a key, with an account of its own if it has none. */
export async function createApiKey(db: Knex, key: NewApiKey): Promise<Creation> {
  return db.transaction(async (trx) => {
    const refusal = key.account.kind === 'new' ? await openAccount(trx, key) : await wrongAccount(trx, key);
    if (refusal) return refusal;
    await insertKey(trx, { ...key, userId: key.account.userId, replaces: null });
    await recordEvent(trx, {
      key: `api_key/${key.id}/created`,
      type: 'api_key.created',
      subject: `api_key/${key.id}`,
      ...saidOf(key),
      after: factsOf({ ...key, userId: key.account.userId }),
    });
    return { outcome: 'created', key: await written(trx, key.id) };
  });
}

const saidOf = ({ by, at, origin }: Change) => ({ by, origin, at: at.toISOString() });

/** What of a key is told in events: neither its hash, nor its name, which people choose. */
const factsOf = (key: Omit<NewRow, 'name' | 'keyHash' | 'replaces' | keyof Change | 'id'>) => ({
  prefix: key.prefix,
  environment: key.environment,
  userId: key.userId,
  scopes: key.scopes,
  networks: key.networks,
  requestsPerMinute: key.requestsPerMinute,
  expiresAt: key.expiresAt?.toISOString() ?? null,
});

async function openAccount(trx: Knex.Transaction, key: NewApiKey): Promise<Creation | undefined> {
  const { account } = key;
  if (account.kind !== 'new') return undefined;
  const known = await trx('companies')
    .whereIn('id', [...account.companyIds])
    .pluck<CompanyId[]>('id');
  const companyIds = account.companyIds.filter((id) => !known.includes(id));
  if (companyIds.length > 0) return { outcome: 'unknown_companies', companyIds };
  const email = `${account.userId}@${INTEGRATOR_MAIL_DOMAIN}`;
  await trx('users').insert({ id: account.userId, email, name: key.name, roles: ['integrator'] });
  for (const companyId of known) await join(trx, key, account.userId, companyId);
  return undefined;
}

async function join(trx: Knex.Transaction, change: Change, userId: UserId, companyId: CompanyId): Promise<void> {
  await trx('company_members').insert({ company_id: companyId, user_id: userId, created_at: change.at });
  await recordEvent(trx, {
    key: `company/${companyId}/joined/${userId}`,
    type: 'company.member_joined',
    companyId,
    subject: `user/${userId}`,
    ...saidOf(change),
    data: { as: 'integrator' },
  });
}

async function wrongAccount(trx: Knex.Transaction, { account }: NewApiKey): Promise<Creation | undefined> {
  const found = await trx('users')
    .where({ id: account.userId, status: 'active' })
    .whereRaw('roles @> ?', [['integrator']])
    .forShare()
    .first('id');
  return found ? undefined : { outcome: 'not_an_integrator' };
}

interface NewRow extends Omit<NewApiKey, 'account'> {
  readonly userId: UserId;
  readonly replaces: string | null;
}

async function insertKey(trx: Knex.Transaction, key: NewRow): Promise<void> {
  await trx('api_keys').insert({
    id: key.id,
    user_id: key.userId,
    name: key.name,
    environment: key.environment,
    prefix: key.prefix,
    key_hash: key.keyHash,
    scopes: [...key.scopes],
    networks: [...key.networks],
    requests_per_minute: key.requestsPerMinute,
    created_by: key.by,
    created_at: key.at,
    expires_at: key.expiresAt,
    replaces: key.replaces,
  });
}

async function written(trx: Knex.Transaction, id: string): Promise<ApiKey> {
  const key = await findApiKey(trx, id);
  if (!key) throw new Error(`the API key ${id} was not written`);
  return key;
}

export interface KeyRotation extends Change {
  readonly id: string;
  readonly successor: { readonly id: string; readonly prefix: string; readonly keyHash: string };
  readonly overlapSeconds: number;
}

export type Rotated =
  | { readonly outcome: 'rotated'; readonly key: ApiKey }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'not_active'; readonly state: KeyState }
  /** It has a successor already. */
  | { readonly outcome: 'rotated_before'; readonly successor: string };

/** Adds a key with the same rights and lets the old one end after the overlap. */
export async function rotateApiKey(db: Knex, rotation: KeyRotation): Promise<Rotated> {
  const { id, successor, at } = rotation;
  return db.transaction(async (trx) => {
    const locked = await trx('api_keys').where({ id }).forUpdate().first('id');
    const old = locked ? await findApiKey(trx, id) : null;
    if (!old) return { outcome: 'unknown' };
    const state = keyStateAt(old, at);
    if (state !== 'active') return { outcome: 'not_active', state };
    if (old.replacedBy !== null) return { outcome: 'rotated_before', successor: old.replacedBy };
    const end = overlapEnd(old, at, rotation.overlapSeconds);
    const row = { ...old, ...rotation, ...successor, expiresAt: successorEnd(old, at), replaces: old.id };
    await trx('api_keys').where({ id }).update({ expires_at: end });
    await insertKey(trx, row);
    await recordEvent(trx, {
      key: `api_key/${id}/rotated/${successor.id}`,
      type: 'api_key.rotated',
      subject: `api_key/${id}`,
      ...saidOf(rotation),
      before: { prefix: old.prefix, expiresAt: old.expiresAt?.toISOString() ?? null },
      after: { prefix: old.prefix, expiresAt: end.toISOString() },
      data: { successorId: successor.id, successor: factsOf(row) },
    });
    return { outcome: 'rotated', key: await written(trx, successor.id) };
  });
}

/** At once and for good; again changes nothing. @returns false when there is no such key */
export async function revokeApiKey(db: Knex, { id, ...change }: Change & { readonly id: string }): Promise<boolean> {
  return db.transaction(async (trx) => {
    const revoked: { prefix: string }[] = await trx('api_keys')
      .where({ id })
      .whereNull('revoked_at')
      .update({ revoked_at: change.at, revoked_by: change.by })
      .returning('prefix');
    const [key] = revoked;
    if (!key) return (await findApiKey(trx, id)) !== null;
    await recordEvent(trx, {
      key: `api_key/${id}/revoked`,
      type: 'api_key.revoked',
      subject: `api_key/${id}`,
      ...saidOf(change),
      before: { prefix: key.prefix, revokedAt: null },
      after: { prefix: key.prefix, revokedAt: change.at.toISOString() },
    });
    return true;
  });
}

/** What decides whether a key opens anything. */
export interface StoredKey {
  readonly id: string;
  readonly keyHash: string;
  readonly userId: UserId;
  readonly environment: KeyEnvironment;
  readonly scopes: readonly Scope[];
  readonly networks: readonly string[];
  readonly requestsPerMinute: number;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly status: 'active' | 'disabled';
  readonly roles: readonly Role[];
  readonly tokenVersion: number;
}

/** By the part of the key that names it: one look-up by index. */
export async function findStoredKey(db: Knex, prefix: string): Promise<StoredKey | null> {
  const found: StoredKey | undefined = await db('api_keys as k')
    .join('users as u', 'u.id', 'k.user_id')
    .where('k.prefix', prefix)
    .first({
      id: 'k.id',
      keyHash: 'k.key_hash',
      userId: 'k.user_id',
      environment: 'k.environment',
      scopes: 'k.scopes',
      networks: 'k.networks',
      requestsPerMinute: 'k.requests_per_minute',
      expiresAt: 'k.expires_at',
      revokedAt: 'k.revoked_at',
      status: 'u.status',
      roles: 'u.roles',
      tokenVersion: 'u.token_version',
    });
  return found ?? null;
}

export interface KeyUse {
  readonly id: string;
  readonly at: Date;
  readonly address: string;
}

/** Other processes see the same key: a use that was noted within `everyMs` is not noted again. */
export async function noteKeyUse(db: Knex, { id, at, address }: KeyUse, everyMs: number): Promise<void> {
  await db('api_keys')
    .where({ id })
    .where((query) => query.whereNull('last_used_at').orWhere('last_used_at', '<', new Date(at.getTime() - everyMs)))
    .update({ last_used_at: at, last_used_from: address });
}
