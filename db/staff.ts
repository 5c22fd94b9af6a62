import type { Knex } from 'knex';
import type { OfficeId, UserId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';

/** An active person by user ID or e-mail address; null when there is none. */
export async function findActor(db: Knex, idOrEmail: string): Promise<Actor | null> {
  const found: { userId: UserId; roles: Role[] } | undefined = await db('users')
    .where({ status: 'active' })
    .whereRaw('(id::text = ? or email = ?)', [idOrEmail, idOrEmail.toLowerCase()])
    .first({ userId: 'id', roles: 'roles' });
  return found ?? null;
}

/** Everybody active in a role of an office; of all offices when none is named. */
export async function usersWithRole(db: Knex, role: Role, officeId?: OfficeId): Promise<UserId[]> {
  const found: { id: UserId }[] = await db('users')
    .where({ status: 'active', ...(officeId ? { office_id: officeId } : {}) })
    .whereRaw('roles @> array[?]', [role])
    .orderBy('id')
    .select('id');
  return found.map(({ id }) => id);
}
