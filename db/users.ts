import type { Knex } from 'knex';
import type { OfficeId, UserId } from '../domain/ids.ts';
import type { Role } from '../domain/roles.ts';

export interface User {
  readonly id: UserId;
  /** Lower case. */
  readonly email: string;
  readonly name: string;
  readonly locale: 'id' | 'en';
  readonly roles: readonly Role[];
  readonly status: 'active' | 'disabled';
  readonly officeId: OfficeId | null;
  readonly emailVerifiedAt: Date | null;
  /** Goes up when roles or status change; access tokens carry it. */
  readonly tokenVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewUser {
  readonly id: UserId;
  readonly email: string;
  readonly passwordHash: string;
  readonly name: string;
  readonly locale: 'id' | 'en';
  readonly roles: readonly Role[];
}

const columns = {
  id: 'id',
  email: 'email',
  name: 'name',
  locale: 'locale',
  roles: 'roles',
  status: 'status',
  officeId: 'office_id',
  emailVerifiedAt: 'email_verified_at',
  tokenVersion: 'token_version',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

/** null = the address belongs to somebody else. Adding the same ID again returns what is there. */
export async function addUser(db: Knex, user: NewUser): Promise<User | null> {
  const row = {
    id: user.id,
    email: user.email,
    password_hash: user.passwordHash,
    name: user.name,
    locale: user.locale,
    roles: [...user.roles],
  };
  await db('users').insert(row).onConflict().ignore();
  return findUser(db, user.id);
}

export async function findUser(db: Knex, id: UserId): Promise<User | null> {
  const user: User | undefined = await db('users').where({ id }).first(columns);
  return user ?? null;
}

/** Null: this account has no password, so none opens it. */
export type Credentials = User & { readonly passwordHash: string | null };

/** For logging in, and nothing else: the hash goes no further. */
export async function findCredentials(db: Knex, email: string): Promise<Credentials | null> {
  const found: Credentials | undefined = await db('users')
    .where({ email })
    .first({ ...columns, passwordHash: 'password_hash' });
  return found ?? null;
}

/** Asked for a token that was given out before the address was verified. */
export async function isEmailVerified(db: Knex, id: UserId): Promise<boolean> {
  const found = await db('users').where({ id }).whereNotNull('email_verified_at').first('id');
  return found !== undefined;
}

/** The same password hashed anew, unless it was changed meanwhile. */
export async function replaceHash(db: Knex, id: UserId, before: string, after: string): Promise<void> {
  await db('users').where({ id, password_hash: before }).update({ password_hash: after });
}

/** Takes the one log-in that staff have without a second factor. @returns false when it was taken before */
export async function takeSecondFactorGrace(db: Knex, id: UserId, at: Date): Promise<boolean> {
  const taken = await db('users').where({ id, second_factor_grace_at: null }).update({ second_factor_grace_at: at });
  return taken > 0;
}

/** A new password; what was proven with the one before, and links to reset that one, open nothing any more. */
export async function setPassword(db: Knex, id: UserId, passwordHash: string, at: Date): Promise<void> {
  await db('users').where({ id }).update({ password_hash: passwordHash, password_changed_at: at, updated_at: at });
  await db('link_tokens').where({ user_id: id, purpose: 'reset_password', used_at: null }).update({ used_at: at });
}

/** @returns false when the address was verified before */
export async function verifyEmail(db: Knex, id: UserId, at: Date): Promise<boolean> {
  const verified = await db('users')
    .where({ id, email_verified_at: null })
    .update({ email_verified_at: at, updated_at: at });
  return verified > 0;
}

export async function updateProfile(
  db: Knex,
  id: UserId,
  profile: { readonly name: string; readonly locale: 'id' | 'en' },
): Promise<User | null> {
  await db('users')
    .where({ id })
    .update({ ...profile, updated_at: db.fn.now() });
  return findUser(db, id);
}

/** How people are called, for those who may know: refusals that name who came first, lists for staff. */
export async function findUserNames(db: Knex, ids: readonly UserId[]): Promise<ReadonlyMap<UserId, string>> {
  const found: { id: UserId; name: string }[] = await db('users')
    .whereIn('id', [...ids])
    .select('id', 'name');
  return new Map(found.map(({ id, name }) => [id, name]));
}
