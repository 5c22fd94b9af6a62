/** Accounts as an administrator sees them, and what changes them: one row of `users` each. */
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { OfficeId, UserId } from '../domain/ids.ts';
import type { Role } from '../domain/roles.ts';

/** Invited: nobody has taken the account up yet. */
export const ACCOUNT_STATUSES = ['active', 'invited', 'disabled'] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

export interface Account {
  readonly id: UserId;
  readonly email: string;
  readonly name: string;
  readonly locale: 'id' | 'en';
  readonly roles: readonly Role[];
  readonly status: AccountStatus;
  readonly officeId: OfficeId | null;
  readonly createdAt: Date;
  readonly lastLoginAt: Date | null;
  /** Whether one is set up and confirmed. */
  readonly secondFactor: boolean;
}

// Not the account of a programme: nobody can be invited by its address.
const INVITED = `u.password_hash is null and u.email_verified_at is null and u.email not like '%@${INTEGRATOR_MAIL_DOMAIN}'`;
const STATUS = `case when u.status = 'disabled' then 'disabled' when ${INVITED} then 'invited' else 'active' end`;
const COLUMNS = `u.id, u.email, u.name, u.locale, u.roles, ${STATUS} as status, u.office_id as "officeId",
  u.created_at as "createdAt",
  (select max(s.created_at) from sessions s where s.user_id = u.id) as "lastLoginAt",
  exists (select from second_factors f where f.user_id = u.id and f.confirmed_at is not null) as "secondFactor"`;

export interface AccountFilter {
  readonly role?: Role | undefined;
  readonly status?: AccountStatus | undefined;
  /** How name or address begins, in whichever case. */
  readonly q?: string | undefined;
}

/** Where a page ends: the time to the microsecond, which a Date would cut. */
export interface AccountPosition {
  readonly at: string;
  readonly id: string;
}

/** Newest first. */
export async function listAccounts(
  db: Knex,
  options: AccountFilter & { readonly after: AccountPosition | undefined; readonly limit: number },
): Promise<(Account & { readonly createdAtExactly: string })[]> {
  const { role = null, status = null, q, after, limit } = options;
  const conditions = [
    ...(role === null ? [] : ['u.roles @> array[:role]::text[]']),
    ...(status === null ? [] : [`${STATUS} = :status`]),
    ...(q === undefined ? [] : ['(u.email like :prefix or lower(u.name) like :prefix)']),
    ...(after === undefined ? [] : ['(u.created_at, u.id) < (:at::timestamptz, :id::uuid)']),
  ];
  const { rows }: { rows: (Account & { createdAtExactly: string })[] } = await db.raw(
    `select ${COLUMNS}, ${EXACTLY} as "createdAtExactly" from users u
      where ${['true', ...conditions].join(' and ')}
      order by u.created_at desc, u.id desc
      limit :limit`,
    { role, status, prefix: startsWith(q ?? ''), at: after?.at ?? null, id: after?.id ?? null, limit },
  );
  return rows;
}

const EXACTLY = `to_char(u.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const startsWith = (text: string): string => `${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;

export async function findAccount(db: Knex, id: UserId): Promise<Account | null> {
  const { rows }: { rows: Account[] } = await db.raw(`select ${COLUMNS} from users u where u.id = ?`, [id]);
  return rows[0] ?? null;
}

export interface NewAccount {
  readonly id: UserId;
  /** Lower case. */
  readonly email: string;
  readonly name: string;
  readonly locale: 'id' | 'en';
  readonly roles: readonly Role[];
  readonly officeId: OfficeId | null;
  readonly at: Date;
}

/** An account that nobody can open yet. null = the address belongs to somebody else; the same ID again changes nothing. */
export async function addAccount(trx: Knex, account: NewAccount): Promise<Account | null> {
  await trx('users')
    .insert({
      id: account.id,
      email: account.email,
      name: account.name,
      locale: account.locale,
      roles: [...account.roles],
      office_id: account.officeId,
      created_at: account.at,
      updated_at: account.at,
    })
    .onConflict()
    .ignore();
  return findAccount(trx, account.id);
}

/**
 * Everybody who changes accounts queues here until the transaction ends: two administrators who take each other's role
 * at once must not both find the other still in place.
 */
export async function queueForAccounts(trx: Knex): Promise<void> {
  await trx.raw(`select pg_advisory_xact_lock(hashtext('accounts'))`);
}

/** The account as it is, kept from changing until the transaction ends. */
export async function lockAccount(trx: Knex, id: UserId): Promise<Account | null> {
  await trx('users').where({ id }).forUpdate().first('id');
  return findAccount(trx, id);
}

/** Those who can log in as administrators. */
export async function activeAdmins(db: Knex): Promise<UserId[]> {
  const { rows }: { rows: { id: UserId }[] } = await db.raw(
    `select u.id from users u where u.roles @> array['admin'] and ${STATUS} = 'active'`,
  );
  return rows.map(({ id }) => id);
}

export async function changeAccountRow(
  trx: Knex,
  id: UserId,
  change: {
    readonly name: string;
    readonly roles: readonly Role[];
    readonly status: 'active' | 'disabled';
    readonly at: Date;
  },
): Promise<void> {
  const { name, roles, status, at } = change;
  await trx('users')
    .where({ id })
    .update({ name, roles: [...roles], status, updated_at: at });
}

/** Links of invitations that were sent before; a letter that is still on its way makes a newer one. */
export async function voidInvitationLinks(trx: Knex, userId: UserId, at: Date): Promise<void> {
  await trx('link_tokens').where({ user_id: userId, purpose: 'join_staff', used_at: null }).update({ used_at: at });
}

/** An invited person comes: from now on the password opens the account, and the address counts as verified. */
export async function takeUpAccount(
  trx: Knex,
  id: UserId,
  person: { readonly name: string; readonly passwordHash: string; readonly at: Date },
): Promise<void> {
  const { name, passwordHash, at } = person;
  await trx('users').where({ id }).update({
    name,
    password_hash: passwordHash,
    email_verified_at: at,
    password_changed_at: at,
    updated_at: at,
  });
}

/** Whether there is an office of this ID. */
export async function isOffice(db: Knex, id: OfficeId): Promise<boolean> {
  return (await db('offices').where({ id }).first('id')) !== undefined;
}

/** Whether this person acts for any company. */
export async function actsForACompany(db: Knex, userId: UserId): Promise<boolean> {
  return (await db('company_members').where({ user_id: userId }).first('user_id')) !== undefined;
}
