/** What is said to a return before anything is sent: approved, refused, asked about, called off. */
import type { Refusal } from '../domain/licensing.ts';
import type {
  ApproveContent,
  CancelContent,
  ProvideInfoContent,
  RejectContent,
  RequestInfoContent,
  UnitChoice,
} from '../domain/return-messages.ts';
import type { ReturnUnitState } from '../domain/returns.ts';
import { type ReturnRecord, type ReturnUnit, turnUnits, writeUnit } from './return-records.ts';
import { openResolution } from './return-resolution.ts';
import { change, type Turn, takeBack, tellCustomer, tellStaff } from './return-steps.ts';

/** The units that are meant, or why not. */
export function chosen(
  it: ReturnRecord,
  choices: readonly UnitChoice[],
  from: readonly ReturnUnitState[],
): readonly ReturnUnit[] | Refusal {
  const free = it.units.filter(({ state }) => from.includes(state));
  const picked = new Set<ReturnUnit>();
  for (const { orderItemId, number, quantity } of choices) {
    const of = free.filter((unit) => unit.orderItemId === orderItemId && !picked.has(unit));
    const wanted =
      number === undefined ? of.slice(0, quantity ?? of.length) : of.filter((unit) => unit.number === number);
    if (wanted.length === 0 || wanted.length < (number === undefined ? (quantity ?? 1) : 1)) {
      const message = `The return has no such units of ${orderItemId} that this can be about.`;
      return { code: 'items_not_known', message, facts: { state: it.state } };
    }
    for (const unit of wanted) picked.add(unit);
  }
  return [...picked];
}

export const isRefusal = (found: readonly ReturnUnit[] | Refusal): found is Refusal => 'code' in found;

/** What is not named is refused; nothing named at all is a refusal of the return, which `reject` says. */
export async function approve(turn: Turn, it: ReturnRecord, said: ApproveContent): Promise<Refusal | null> {
  const asked = it.units.filter(({ state }) => state === 'requested');
  const units = said.items ? chosen(it, said.items, ['requested']) : asked;
  if (isRefusal(units)) return units;
  if (units.length === 0) {
    return { code: 'items_not_known', message: 'Nothing would be approved: reject the return instead.', facts: {} };
  }
  const refused = asked.filter((unit) => !units.includes(unit));
  const keepsItems = mayKeep(it, units);
  for (const unit of units) await writeUnit(turn.tx, it, unit, { state: keepsItems ? 'kept' : 'authorised' });
  for (const unit of refused) await writeUnit(turn.tx, it, unit, { state: 'refused' });
  const after = await change(
    turn,
    it,
    'return.approved',
    { state: 'approved', keeps_items: keepsItems, ...(turn.by ? { reviewed_by: turn.by } : {}) },
    { approved: units.length, refused: refused.length, keepsItems },
  );
  // With a label the letter says more, so it is written when there is one.
  if (!keepsItems) return null;
  await takeBack(turn, after, units);
  await tellCustomer(turn, after, 'return_approved_keep', { note: said.note ?? null });
  await openResolution(turn, after);
  return null;
}

/** Sending it back would cost more than it is worth. Whoever wants another one in its place sends it. */
function mayKeep({ policy, wanted }: ReturnRecord, units: readonly ReturnUnit[]): boolean {
  if (policy.keepItemUpToMinor === null || wanted === 'replacement' || wanted === 'exchange') return false;
  return units.reduce((sum, { priceMinor }) => sum + priceMinor, 0n) <= BigInt(policy.keepItemUpToMinor);
}

export async function reject(turn: Turn, it: ReturnRecord, said: RejectContent): Promise<null> {
  const columns = { state: 'rejected', ...(turn.by ? { reviewed_by: turn.by } : {}) } as const;
  const after = await change(turn, it, 'return.rejected', columns);
  await tellCustomer(turn, after, 'return_refused', { note: said.reason });
  return null;
}

export async function requestInfo(turn: Turn, it: ReturnRecord, said: RequestInfoContent): Promise<null> {
  const after = await change(turn, it, 'return.info_requested', { state: 'info_requested' });
  await tellCustomer(turn, after, 'return_info_requested', { note: said.question });
  return null;
}

export async function provideInfo(turn: Turn, it: ReturnRecord, _said: ProvideInfoContent): Promise<null> {
  const after = await change(turn, it, 'return.info_provided', { state: 'under_review' });
  await tellStaff(turn, after, 'info_provided');
  return null;
}

/** The label and the units are given back afterwards, one after the other (workflows/rma-compensation.ts). */
export async function cancel(turn: Turn, it: ReturnRecord, _said: CancelContent): Promise<null> {
  const after = await change(turn, it, 'return.cancelled', { state: 'cancelled' });
  await tellCustomer(turn, after, 'return_cancelled');
  return null;
}

/** Nobody else was kept off these units in the meantime: they can be asked back again. @returns how many */
export const releaseUnits = (turn: Turn, it: ReturnRecord): Promise<number> =>
  turnUnits(turn.tx, it, ['requested', 'authorised'], 'withdrawn');
