import type { License } from '../db/license-reads.ts';
import { judgedFor, licenseTypeInForce } from '../db/license-types.ts';
import { renewalSource } from '../db/renewals.ts';
import { type Money, money } from '../domain/money.ts';
import { lateFeeMinor } from '../domain/renewal.ts';
import type { ApiDeps } from './deps.ts';

/** What a late renewal of this licence costs on top, by the rules in force. */
export async function lateFeeOf({ db }: Pick<ApiDeps, 'db'>, license: License, at: Date): Promise<Money | null> {
  const offered = await licenseTypeInForce(db, license.typeCode, at);
  if (!offered) return null;
  const { form } = await renewalSource(db, license.id);
  const { policy } = await judgedFor(db, offered, { companyId: license.companyId, form }, at);
  return money(lateFeeMinor(policy), policy.fee.currency);
}
