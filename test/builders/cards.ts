/** A card on file as its process would have stored it; the gateway knows nothing of it. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { asId, type CompanyId, type PaymentMethodId, type UserId } from '../../domain/ids.ts';
import { MONDAY } from './licensing.ts';

export async function aCard(
  db: Knex,
  given: { readonly companyId: CompanyId; readonly by: UserId },
): Promise<PaymentMethodId> {
  const id = asId<PaymentMethodId>(randomUUID());
  await db('payment_methods').insert({
    id,
    company_id: given.companyId,
    gateway: 'stripe',
    customer_reference: `cus_${id}`,
    method_reference: `pm_${id}`,
    brand: 'visa',
    last4: '4242',
    expires_month: 12,
    expires_year: 2099,
    added_by: given.by,
    created_at: MONDAY,
  });
  return id;
}
