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

/** For logging in, and nothing else: the hash goes no further. */
export async function findCredentials(db: Knex, email: string): Promise<(User & { passwordHash: string }) | null> {
  const found: (User & { passwordHash: string }) | undefined = await db('users')
    .where({ email })
    .first({ ...columns, passwordHash: 'password_hash' });
  return found ?? null;
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
