/** Which units of an order may be asked back, and what a customer is told of one that may not. */
import type { FailureFacts } from './failures.ts';
import type { Refusal } from './licensing.ts';
import type { UnitState } from './orders.ts';
import { type Condition, type ReturnPolicy, type ReturnReason, SELLERS_FAULT } from './returns.ts';

export const NOT_RETURNABLE = ['not_delivered', 'window_over', 'final_sale', 'hygiene', 'claimed'] as const;
export type NotReturnable = (typeof NOT_RETURNABLE)[number];

/** What the rules need to know of a unit. */
export interface ReturnableUnit {
  readonly state: UnitState;
  /** Epoch ms; null = it has not arrived. */
  readonly deliveredAt: number | null;
  /** The product's own window in days; null = the policy's. */
  readonly returnDays: number | null;
  readonly isFinalSale: boolean;
  readonly isHygiene: boolean;
  /** Another return has it in hand, or has accepted it. */
  readonly isClaimed: boolean;
  readonly reason: ReturnReason;
  /** As the customer says; null or absent = they have not said. */
  readonly condition?: Condition | null;
}

const DAY_MS = 86_400_000;

/** Ours to answer for, whatever was agreed about taking back. */
export function isSellersFault(reason: ReturnReason): boolean {
  const faults: readonly ReturnReason[] = SELLERS_FAULT;
  return faults.includes(reason);
}

/** The last moment (epoch ms) at which a unit may be asked back; null = it has not arrived. */
export const returnableUntil = (
  { deliveredAt, returnDays }: Pick<ReturnableUnit, 'deliveredAt' | 'returnDays'>,
  { windowDays }: Pick<ReturnPolicy, 'windowDays'>,
): number | null => (deliveredAt === null ? null : deliveredAt + (returnDays ?? windowDays) * DAY_MS);

/**
 * Why this unit cannot be asked back now, or null. A final sale and a broken seal do not shut out what is the seller's fault:
 * the law gives the customer that right whatever was agreed (UU 8/1999, article 18). Facts: {reason, until?}.
 */
export function refuseUnit(
  unit: ReturnableUnit,
  policy: Pick<ReturnPolicy, 'windowDays' | 'hygieneUnopenedOnly'>,
  now: number,
): Refusal | null {
  if (unit.isClaimed) {
    const facts = { reason: 'claimed' } satisfies FailureFacts;
    return { code: 'unit_claimed', message: 'Another return has this unit in hand.', facts };
  }
  const until = returnableUntil(unit, policy);
  if (unit.state !== 'delivered' || until === null) {
    return refuse('not_delivered', `The unit is ${unit.state}: only what has arrived can be sent back.`);
  }
  if (now > until) {
    const last = new Date(until).toISOString();
    return refuse('window_over', `It could be sent back until ${last}.`, { until: last });
  }
  if (isSellersFault(unit.reason)) return null;
  if (unit.isFinalSale) return refuse('final_sale', 'It was sold as final: it is taken back only when it is at fault.');
  const isOpened = unit.condition != null && unit.condition !== 'unopened';
  if (unit.isHygiene && policy.hygieneUnopenedOnly && isOpened) {
    return refuse('hygiene', 'Its seal is broken: for hygiene it is taken back only unopened, or when it is at fault.');
  }
  return null;
}

const refuse = (reason: NotReturnable, message: string, facts: FailureFacts = {}): Refusal => ({
  code: 'not_returnable',
  message,
  facts: { reason, ...facts },
});
