/**
 * Until when a return waits for its customer: what its letters and its page tell. It is nobody's own reckoning but the timeline
 * played on, so what is read is what happens.
 */
import { isAgainstCustomer, nextReturnDue, type ReturnRung, type ReturnWait } from './return-timeline.ts';
import type { ReturnPolicy, ReturnUnitState } from './returns.ts';

/** As the record has it. */
export interface WaitingReturn extends Pick<ReturnWait, 'state' | 'rungs' | 'units'> {
  readonly stateSince: Date;
  readonly dropOffBy: Date | null;
  /** Since when the customer disputes the statement: staff has to answer first. */
  readonly disputedAt: Date | null;
  readonly policy: ReturnPolicy;
}

/**
 * When time alone ends it, should nobody say anything and each reminder go out when it is due, or now.
 * @param now epoch ms @returns epoch ms; null where nothing runs against the customer
 */
export const returnDeadline = (it: WaitingReturn, now: number): number | null => endOf(it, now)?.at ?? null;

/** The same, and what happens then. */
export function endOf(it: WaitingReturn, now: number): { readonly kind: ReturnRung; readonly at: number } | null {
  let wait: ReturnWait = waitOf(it);
  for (let at = now; ; ) {
    const due = nextReturnDue(wait, at);
    if (due === null || due.kind === 'escalate') return null;
    at = Math.max(at, due.at);
    if (due.kind !== 'remind' && due.kind !== 'late')
      return isAgainstCustomer(due.kind) ? { kind: due.kind, at } : null;
    wait = { ...wait, rungs: [...wait.rungs, { rung: due.rung, at }] };
  }
}

/** How many units are in each state, of rows that say so many each. */
export function countStates(
  units: readonly { readonly state: ReturnUnitState; readonly quantity?: number }[],
): ReturnWait['units'] {
  const counts: Partial<Record<ReturnUnitState, number>> = {};
  for (const { state, quantity = 1 } of units) counts[state] = (counts[state] ?? 0) + quantity;
  return counts;
}

/** As its process knows it. */
export const waitOf = ({ stateSince, dropOffBy, disputedAt, policy, ...it }: WaitingReturn): ReturnWait => ({
  state: it.state,
  rungs: it.rungs,
  units: it.units,
  stateSince: stateSince.getTime(),
  dropOffBy: dropOffBy?.getTime() ?? null,
  isDisputed: disputedAt !== null,
  timers: policy,
});
