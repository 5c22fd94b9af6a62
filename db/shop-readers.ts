/** Whom the shop writes to. */
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';

/**
 * Who placed the order, or asked for the return, while they act for the company and have a mailbox; else its member of
 * longest standing. null when nobody acts for it any more.
 */
export async function customerReader(db: Knex, companyId: CompanyId, first: UserId | null): Promise<UserId | null> {
  const row: { id: UserId } | undefined = await db('company_members as m')
    .join('users as u', 'u.id', 'm.user_id')
    .where({ 'm.company_id': companyId, 'u.status': 'active' })
    // Programmes have no mailbox.
    .where('u.email', 'not like', `%@${INTEGRATOR_MAIL_DOMAIN}`)
    .orderByRaw('coalesce(u.id = ?, false) desc, m.created_at, u.id', [first])
    .first({ id: 'u.id' });
  return row?.id ?? null;
}

/** Whether this person still acts for the company: what a link in a letter is good for. */
export async function actsFor(db: Knex, companyId: CompanyId, userId: UserId): Promise<boolean> {
  const row: unknown = await db('company_members as m')
    .join('users as u', 'u.id', 'm.user_id')
    .where({ 'm.company_id': companyId, 'm.user_id': userId, 'u.status': 'active' })
    .first('u.id');
  return row !== undefined;
}
