/** The reminder of a cart that was left. */
import type { Knex } from 'knex';
import { advanceCart, type CartStanding } from '../db/carts.ts';
import type { CompanyId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';

export const createCartActivities = ({ db }: Pick<ActivityDeps, 'db'>) => ({
  /** Reminds if it is due, or tells when it will be; safe to repeat. */
  async advanceCart(input: { companyId: CompanyId; at: string }): Promise<CartStanding> {
    return db.transaction((tx: Knex) => advanceCart(tx, input));
  },
});
