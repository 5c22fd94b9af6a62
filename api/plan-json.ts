/** A plan as it is shown: its price, and what it comes to with the tax of today. */
import type { Knex } from '../db/connection.ts';
import type { PlanVersion } from '../db/plans.ts';
import { taxRules } from '../db/tax-rules.ts';
import { localDate } from '../domain/calendar.ts';
import { buildInvoice, type TaxRule, taxRuleOn } from '../domain/invoicing.ts';
import { money } from '../domain/money.ts';
import type { Plan } from '../domain/subscriptions.ts';
import { moneyJson } from './wire.ts';

/** Tax goes by the day of the capital. */
export const taxRuleNow = async (db: Knex, at: Date): Promise<TaxRule> =>
  taxRuleOn(await taxRules(db), localDate(at.getTime(), 'Asia/Jakarta'));

export const planJson = ({ isDefault, ...plan }: Plan & Pick<PlanVersion, 'isDefault'>, rule: TaxRule) => ({
  code: plan.code,
  version: plan.version,
  price: moneyJson(money(BigInt(plan.priceMinor), plan.currency)),
  priceWithTax: moneyJson(withTax(plan, rule)),
  interval: plan.interval,
  trialDays: plan.trialDays,
  entitlements: { ...plan.entitlements },
  isDefault,
});

function withTax({ code, name, priceMinor, currency, isTaxed }: Plan, rule: TaxRule) {
  const net = money(BigInt(priceMinor), currency);
  return isTaxed ? buildInvoice([{ code, description: name, kind: 'service', net }], rule).total : net;
}
