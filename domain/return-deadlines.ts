/** Until when a return waits for its customer, as its policy says: what its letters and its page tell. */
import type { ReturnPolicy, ReturnState } from './returns.ts';

const DAY = 86_400_000;

export interface WaitingReturn {
  readonly state: ReturnState;
  readonly stateSince: Date;
  readonly dropOffBy: Date | null;
  /** Since when the customer disputes the statement: staff has to answer first. */
  readonly disputedAt: Date | null;
  readonly policy: Pick<ReturnPolicy, 'infoExpiresAfterDays' | 'shipment' | 'resolution'>;
}

/** @returns epoch ms; null where nothing is asked of the customer, or no time runs against them */
export function returnDeadline({ state, stateSince, dropOffBy, disputedAt, policy }: WaitingReturn): number | null {
  const after = (days: number): number => stateSince.getTime() + days * DAY;
  switch (state) {
    case 'info_requested':
      return after(policy.infoExpiresAfterDays);
    case 'awaiting_shipment':
      return dropOffBy?.getTime() ?? after(policy.shipment.expiresAfterDays);
    case 'resolution_pending':
      return disputedAt === null ? after(policy.resolution.defaultAfterDays) : null;
    default:
      return null;
  }
}
