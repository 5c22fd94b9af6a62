/** Tax numbers and NIKs of those that the office knows: found by fingerprint, read in clear only with an event. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { CompanyStatus } from '../domain/companies.ts';
import type { Origin } from '../domain/events.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';
import type { Role } from '../domain/roles.ts';
import { recordEvent } from './events.ts';

/**
 * Whether nobody has this number under any of its fingerprints; `but` is the row that may. Holds on to the number until
 * the transaction ends: a unique index cannot see that two fingerprints, made under two keys, are of one number. Every
 * fingerprint is held, so that processes meet that share but one of their keys.
 */
export async function claimNumber(
  trx: Knex,
  number: {
    readonly table: 'companies' | 'users';
    readonly column: 'npwp_hash' | 'nik_hash';
    readonly hashes: readonly string[];
    readonly but?: UserId | CompanyId;
  },
): Promise<boolean> {
  const { table, column, hashes, but } = number;
  // In one order everywhere: two that claim the same number wait for each other and never in a circle.
  for (const hash of hashes.toSorted()) await trx.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [hash]);
  const found = await trx(table)
    .whereIn(column, [...hashes])
    .modify((query) => {
      if (but) query.whereNot({ id: but });
    })
    .first('id');
  return found === undefined;
}

// ---- the profile ----------------------------------------------------------------------------------------------------

export interface Profile {
  readonly id: UserId;
  readonly email: string;
  readonly name: string;
  readonly locale: 'id' | 'en';
  readonly roles: readonly Role[];
  readonly emailVerifiedAt: Date | null;
  readonly nikMasked: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const profileColumns = {
  id: 'id',
  email: 'email',
  name: 'name',
  locale: 'locale',
  roles: 'roles',
  emailVerifiedAt: 'email_verified_at',
  nikMasked: 'nik_masked',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

export async function findProfile(db: Knex, id: UserId): Promise<Profile | null> {
  const found: Profile | undefined = await db('users').where({ id }).first(profileColumns);
  return found ?? null;
}

export interface NewNik {
  readonly encrypted: Buffer;
  /** Under every key, the current one's first. */
  readonly hashes: readonly string[];
  readonly masked: string;
}

export interface ProfileChange {
  readonly name: string;
  readonly locale: 'id' | 'en';
  /** null takes it away, undefined leaves it. */
  readonly nik: NewNik | null | undefined;
}

/**
 * Changes a profile and tells what differs; the name only that it does, the NIK masked. Nothing differs = no event.
 * @returns null when there is no such person, `number_taken` when another person has the NIK; then nothing is changed
 */
export async function changeProfile(
  db: Knex,
  id: UserId,
  change: ProfileChange,
  about: { readonly origin: Origin; readonly at: Date },
): Promise<Profile | 'number_taken' | null> {
  return db.transaction(async (trx) => {
    const nik = change.nik ?? null;
    // Before the row is locked: who claims a number may have to wait, and must not make others wait meanwhile.
    const isFree =
      !nik || (await claimNumber(trx, { table: 'users', column: 'nik_hash', hashes: nik.hashes, but: id }));
    const before: (Profile & { nikHash: string | null }) | undefined = await trx('users')
      .where({ id })
      .forUpdate()
      .first({ ...profileColumns, nikHash: 'nik_hash' });
    if (!before) return null;
    if (!isFree) return 'number_taken';
    const nikDiffers = change.nik !== undefined && !isSame(nik, before.nikHash);
    const fields = [
      ...(change.name === before.name ? [] : ['name']),
      ...(change.locale === before.locale ? [] : ['locale']),
      ...(nikDiffers ? ['nik'] : []),
    ];
    if (fields.length === 0) return before;
    await trx('users')
      .where({ id })
      .update({
        name: change.name,
        locale: change.locale,
        updated_at: about.at,
        ...(nikDiffers ? nikColumns(nik) : {}),
      });
    await recordEvent(trx, {
      // Not the request's key: a repeat finds nothing that differs, and another change under the same key is one more event.
      key: `user/${id}/changed/${randomUUID()}`,
      type: 'user.changed',
      by: id,
      subject: `user/${id}`,
      origin: about.origin,
      data: { fields },
      ...(nikDiffers ? { before: { nik: before.nikMasked }, after: { nik: nik?.masked ?? null } } : {}),
      at: about.at.toISOString(),
    });
    return findProfile(trx, id);
  });
}

const isSame = (nik: NewNik | null, hash: string | null): boolean =>
  nik === null ? hash === null : hash !== null && nik.hashes.includes(hash);

const nikColumns = (nik: NewNik | null) => ({
  nik_encrypted: nik?.encrypted ?? null,
  nik_hash: nik?.hashes[0] ?? null,
  nik_masked: nik?.masked ?? null,
});

// ---- searching ------------------------------------------------------------------------------------------------------

export interface FoundCompany {
  readonly id: CompanyId;
  readonly name: string;
  readonly npwpMasked: string;
  readonly nib: string | null;
  readonly status: CompanyStatus;
  readonly createdAt: Date;
}

/** What is looked for: a number by its fingerprints, or a text. */
export type CompanySearch =
  | { readonly npwpHashes: readonly string[] }
  | { readonly nib: string }
  | { readonly name: string };

/** Newest first. A name matches in any part of it, in either case. */
export async function searchCompanies(db: Knex, search: CompanySearch, limit: number): Promise<FoundCompany[]> {
  const found: FoundCompany[] = await db('companies')
    .modify((query) => {
      if ('npwpHashes' in search) query.whereIn('npwp_hash', [...search.npwpHashes]);
      else if ('nib' in search) query.where('nib', search.nib);
      else query.whereILike('name', containing(search.name));
    })
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .select({
      id: 'id',
      name: 'name',
      npwpMasked: 'npwp_masked',
      nib: 'nib',
      status: 'status',
      createdAt: 'created_at',
    });
  return found;
}

export type UserSearch =
  | { readonly nikHashes: readonly string[] }
  | { readonly email: string }
  | { readonly name: string };

export interface FoundUser extends Profile {
  readonly status: 'active' | 'disabled';
}

/** Newest first. @param search `email` in lower case */
export async function searchUsers(db: Knex, search: UserSearch, limit: number): Promise<FoundUser[]> {
  const found: FoundUser[] = await db('users')
    .modify((query) => {
      if ('nikHashes' in search) query.whereIn('nik_hash', [...search.nikHashes]);
      else if ('email' in search) query.where('email', search.email);
      else query.whereILike('name', containing(search.name));
    })
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .select({ ...profileColumns, status: 'status' });
  return found;
}

const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

// ---- in clear -------------------------------------------------------------------------------------------------------

/** null = no such company, or its number was erased. */
export async function sealedNpwp(db: Knex, id: CompanyId): Promise<Buffer | null> {
  const found: { sealed: Buffer | null } | undefined = await db('companies')
    .where({ id })
    .first({ sealed: 'npwp_encrypted' });
  return found?.sealed ?? null;
}

/** null = no such person; `sealed` is null for one whose NIK is not known. */
export async function sealedNik(db: Knex, id: UserId): Promise<{ readonly sealed: Buffer | null } | null> {
  const found: { sealed: Buffer | null } | undefined = await db('users')
    .where({ id })
    .first({ sealed: 'nik_encrypted' });
  return found ?? null;
}

export interface PersonalDataRead {
  readonly subject: `company/${CompanyId}` | `user/${UserId}`;
  /** Which numbers were shown; empty when there were none. */
  readonly fields: readonly ('npwp' | 'nik')[];
  readonly reason: string;
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: Date;
}

/** Each reading is an event of its own, also one of a repeated request: it must be there before anything is shown. */
export async function recordPersonalDataRead(db: Knex, read: PersonalDataRead): Promise<void> {
  await recordEvent(db, {
    key: `personal-data/read/${randomUUID()}`,
    type: 'personal_data.read',
    by: read.by,
    subject: read.subject,
    origin: read.origin,
    data: { fields: read.fields, reason: read.reason },
    at: read.at.toISOString(),
  });
}
