/** Whether a person should look at an order before it is packed: rules with points, each reason told. */
import { type OrderPolicy, RISK_REASONS, type RiskReason } from './orders.ts';

export interface RiskFacts {
  /** Minor units, tax included. */
  readonly totalMinor: bigint;
  /** Days since the company is known here, which may be a part of one. */
  readonly customerDays: number;
  /** As the company gave it: one text. */
  readonly companyAddress: string;
  readonly shipTo: { readonly city: string; readonly postalCode: string };
  /** Orders of this company in the hours that the policy names, this one included. */
  readonly recentOrders: number;
}

export interface Risk {
  readonly score: number;
  readonly reasons: readonly RiskReason[];
}

export function riskOf(facts: RiskFacts, policy: OrderPolicy['risk']): Risk {
  const holds: Record<RiskReason, boolean> = {
    amount: facts.totalMinor >= BigInt(policy.amountFromMinor),
    new_customer: facts.customerDays < policy.newCustomerDays,
    address_mismatch: !isNear(facts.companyAddress, facts.shipTo),
    velocity: facts.recentOrders >= policy.velocity.orders,
  };
  const reasons = RISK_REASONS.filter((reason) => holds[reason]);
  return { score: reasons.reduce((sum, reason) => sum + policy.points[reason], 0), reasons };
}

export const isRisky = ({ score }: Pick<Risk, 'score'>, policy: OrderPolicy['risk']): boolean =>
  score >= policy.holdFrom;

/** Addresses are one text here, so the same town or postal code in it is all that can be compared; none says nothing. */
function isNear(companyAddress: string, { city, postalCode }: RiskFacts['shipTo']): boolean {
  const text = plain(companyAddress);
  if (text === '' || text.includes(plain(postalCode))) return true;
  return text.includes(plain(city).replace(/^(kota|kabupaten|kab) /, ''));
}

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
