/** What comes back: received, in parts or again after all; looked at, unit by unit; put on the shelf or thrown away. */
import type { Refusal } from '../domain/licensing.ts';
import type { InspectContent, InspectedUnits, ReceiveContent, ReceivedUnits } from '../domain/return-messages.ts';
import type { ReturnUnitState } from '../domain/returns.ts';
import { type ReturnRecord, type ReturnUnit, readReturn, turnUnits, writeUnit } from './return-records.ts';
import { openResolution } from './return-resolution.ts';
import { chosen, isRefusal } from './return-review.ts';
import { change, iso, needsPerson, type Turn, takeBack, tell, tellCustomer, tellStaff } from './return-steps.ts';
import { putToStock } from './stock.ts';

/** States of units that may still come: those that were given up may turn up after all. */
const MAY_COME: readonly ReturnUnitState[] = ['authorised', 'withdrawn', 'missing'];

const HERE: readonly ReturnUnitState[] = ['received', 'accepted', 'declined'];

// ---- receiving ------------------------------------------------------------------------------------------------------

export async function receive(turn: Turn, it: ReturnRecord, said: ReceiveContent): Promise<Refusal | null> {
  const named = said.units?.map((unit) => bySerial(it, unit));
  const units = named ? chosen(it, named, MAY_COME) : comingOf(it);
  if (isRefusal(units)) return units;
  const wrong = named ? wrongSerial(units, named) : null;
  if (wrong) return wrong;
  if (units.length === 0 && !said.complete) {
    return { code: 'items_not_known', message: 'Nothing is left to be received.', facts: { state: it.state } };
  }
  for (const unit of units) {
    const claimed = await claimAgain(turn, it, unit);
    if (claimed) return claimed;
    await writeUnit(turn.tx, it, unit, { state: 'received', received_at: new Date(turn.at) });
  }
  const missing = said.complete ? await turnUnits(turn.tx, it, ['authorised'], 'missing') : 0;
  const data = {
    received: units.length,
    missing,
    units: units.map(({ orderItemId, number }) => ({ orderItemId, number })),
  };
  const after = units.length > 0 ? await arrived(turn, it, data) : await noteMissing(turn, it, data);
  await goOnWhenInspected(turn, after);
  return null;
}

/** Of a return that has ended, everything that was ever authorised. */
function comingOf(it: ReturnRecord): readonly ReturnUnit[] {
  const ended = it.state === 'expired' || it.state === 'cancelled';
  return it.units.filter(({ state }) => state === 'authorised' || (ended && state === 'withdrawn'));
}

async function noteMissing(
  turn: Turn,
  it: ReturnRecord,
  data: Readonly<Record<string, unknown>>,
): Promise<ReturnRecord> {
  await tell(turn, it, 'return.received', data);
  return readReturn(turn.tx, it.id);
}

/** The parcel is here, or a part of it. What had ended is taken up again, and both sides learn that. */
export async function arrived(
  turn: Turn,
  it: ReturnRecord,
  data: Readonly<Record<string, unknown>> = {},
): Promise<ReturnRecord> {
  const isReopened = it.state === 'expired' || it.state === 'cancelled';
  if (isReopened) await tell(turn, it, 'return.reopened', { from: it.state });
  const after = await change(turn, it, 'return.received', { state: 'received' }, data);
  if (isReopened) await tellStaff(turn, after, 'reopened');
  // Told once that the parcel is here, whether its carrier says it first or the warehouse; then of each part that follows.
  const isTold = it.state === 'received' && it.units.every(({ state }) => !HERE.includes(state));
  if (!isTold) await tellCustomer(turn, after, isReopened ? 'return_reopened' : 'return_received');
  return after;
}

/** Given up here, it may be another return's by now. */
async function claimAgain(turn: Turn, it: ReturnRecord, unit: ReturnUnit): Promise<Refusal | null> {
  if (unit.state === 'authorised') return null;
  const other: { id: string } | undefined = await turn
    .tx('return_units')
    .where({ order_item_id: unit.orderItemId, number: unit.number })
    .whereNot({ return_id: it.id })
    .whereIn('state', ['requested', 'authorised', 'kept', 'received', 'accepted'])
    .first({ id: 'return_id' });
  if (!other) return null;
  return { code: 'unit_claimed', message: 'Another return has this unit in hand by now.', facts: {} };
}

/** A carrier says that the parcel was brought; what is in it is counted by people. Units that were given up count again. */
export async function parcelArrived(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const isReopened = it.state === 'expired' || it.state === 'cancelled';
  const withdrawn = isReopened ? it.units.filter(({ state }) => state === 'withdrawn') : [];
  let claimed = false;
  for (const unit of withdrawn) {
    if (await claimAgain(turn, it, unit)) claimed = true;
    else await writeUnit(turn.tx, it, unit, { state: 'authorised' });
  }
  const after = await arrived(turn, it, { by: 'carrier' });
  return claimed ? needsPerson(turn, after, 'unit_claimed') : after;
}

/** A serial number says which unit it is, where nothing else does. */
function bySerial(it: ReturnRecord, named: ReceivedUnits): ReceivedUnits {
  if (named.serial === undefined || named.number !== undefined) return named;
  const unit = it.units.find(({ orderItemId, serial }) => orderItemId === named.orderItemId && serial === named.serial);
  return unit ? { ...named, number: unit.number } : named;
}

/** A serial that is told has to be the unit's. */
function wrongSerial(units: readonly ReturnUnit[], named: readonly ReceivedUnits[]): Refusal | null {
  for (const { orderItemId, number, serial } of named) {
    if (serial === undefined) continue;
    const meant = units.filter(
      (unit) => unit.orderItemId === orderItemId && (number === undefined || unit.number === number),
    );
    if (meant.some((unit) => unit.serial === serial)) continue;
    return {
      code: 'serial_not_valid',
      message: 'This serial number is not that of the unit which was sold.',
      facts: {},
    };
  }
  return null;
}

// ---- inspecting -----------------------------------------------------------------------------------------------------

/** What is inspected has been received, whether somebody said so or not. */
export async function inspect(turn: Turn, it: ReturnRecord, said: InspectContent): Promise<Refusal | null> {
  const found: { readonly unit: ReturnUnit; readonly as: InspectedUnits }[] = [];
  for (const as of said.units) {
    const rest = { ...it, units: it.units.filter((unit) => !found.some((one) => one.unit === unit)) };
    const received = chosen(rest, [as], ['received']);
    const units = isRefusal(received) ? chosen(rest, [as], ['received', 'authorised']) : received;
    if (isRefusal(units)) return units;
    found.push(...units.map((unit) => ({ unit, as })));
  }
  if (found.length === 0) return { code: 'items_not_known', message: 'Say which units were inspected.', facts: {} };
  for (const { unit, as } of found) await judge(turn, it, unit, as);
  const accepted = found.filter(({ as }) => isAccepted(as)).map(({ unit }) => unit);
  if (accepted.length > 0) await takeBack(turn, it, accepted);
  const units = found.map(({ unit, as }) => ({
    orderItemId: unit.orderItemId,
    number: unit.number,
    condition: as.condition,
    disposition: as.disposition,
  }));
  const columns = { state: 'inspecting', ...(turn.by ? { inspected_by: turn.by } : {}) } as const;
  const after = await change(turn, it, 'return.inspected', columns, { units });
  await goOnWhenInspected(turn, after);
  return null;
}

const isAccepted = ({ condition, disposition }: InspectedUnits): boolean =>
  condition !== 'not_ours' && disposition !== 'send_back';

async function judge(turn: Turn, it: ReturnRecord, unit: ReturnUnit, as: InspectedUnits): Promise<void> {
  const { condition, disposition } = as;
  await writeUnit(turn.tx, it, unit, {
    state: isAccepted(as) ? 'accepted' : 'declined',
    condition,
    disposition,
    ...(unit.state === 'authorised' ? { received_at: new Date(turn.at) } : {}),
    ...(turn.by ? { inspected_by: turn.by } : {}),
  });
  if (isAccepted(as)) await putAway(turn, it, unit, disposition === 'restock');
}

/** Once a unit, whatever is repeated: the key is the unit's. */
async function putAway(turn: Turn, it: ReturnRecord, unit: ReturnUnit, isRestocked: boolean): Promise<void> {
  const kind = isRestocked ? 'restocked' : 'scrapped';
  const isNew = await putToStock(turn.tx, {
    sku: unit.sku,
    ...(unit.location ? { location: unit.location } : {}),
    quantity: 1,
    kind,
    key: `rma/${it.id}/${unit.orderItemId}/${unit.number}/${kind}`,
    at: iso(turn.at),
    ...(turn.by ? { by: turn.by } : {}),
    returnId: it.id,
    ...(unit.serial ? { serials: [unit.serial] } : {}),
    ...(unit.batch ? { batch: unit.batch } : {}),
  });
  if (isNew && isRestocked) turn.news.restocked.push(unit.sku);
}

// ---- and then -------------------------------------------------------------------------------------------------------

/** Everything that came was looked at, and nothing more is waited for: the statement is written. */
export async function goOnWhenInspected(turn: Turn, given: ReturnRecord): Promise<ReturnRecord> {
  const it = await readReturn(turn.tx, given.id);
  const isOpen = it.state === 'received' || it.state === 'inspecting';
  const isWaiting = it.units.some(({ state }) => state === 'authorised' || state === 'received');
  return isOpen && !isWaiting ? openResolution(turn, it) : it;
}

/** The rest never came. */
export async function giveUpRest(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const missing = await turnUnits(turn.tx, it, ['authorised'], 'missing');
  await tell(turn, it, 'return.lost', { missing });
  return goOnWhenInspected(turn, it);
}
