/** Whether a company may be applied for. */
import { findOwnCompany } from '../db/companies.ts';
import { Failure } from '../domain/failures.ts';
import type { CompanyId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { ApiDeps } from './deps.ts';

/**
 * One that is being onboarded may prepare applications; whether it may submit them, the office has decided
 * (ALUR_ONBOARDING_REQUIRED). One whose onboarding expired or was cancelled may do neither.
 * @throws Failure `not_found`, `company_not_active`; `forbidden` when the office has closed or suspended it
 */
export async function requireUsableCompany(
  { db, onboarding }: Pick<ApiDeps, 'db' | 'onboarding'>,
  actor: Actor,
  id: CompanyId,
  { toSubmit }: { readonly toSubmit: boolean },
): Promise<void> {
  const company = await findOwnCompany(db, id, actor.userId);
  if (!company)
    throw new Failure('not_found', 'You have no such company. Look at GET /api/v1/users/companies for yours.');
  const { status } = company;
  switch (status) {
    case 'active':
      return;
    case 'onboarding':
      if (!toSubmit || !onboarding.required) return;
      throw new Failure('company_not_active', '', { state: status });
    case 'expired':
    case 'cancelled':
      throw new Failure('company_not_active', '', { state: status });
    case 'suspended':
    case 'closed':
      throw new Failure('forbidden', `The company is ${status}: it cannot apply. Ask the licensing office.`);
  }
}
