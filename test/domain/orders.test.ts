import assert from 'node:assert/strict';
import {
  ORDER_MESSAGES,
  ORDER_STATES,
  type OrderState,
  orderLeadsTo,
  refuseOrderMessage,
  stateOfUnits,
  UNIT_STATES,
  type UnitCounts,
  type UnitState,
  unitTransitions,
} from '../../domain/orders.ts';

const NONE: UnitCounts = { waiting: 0, reserved: 0, shipped: 0, lost: 0, delivered: 0, returned: 0, cancelled: 0 };
const countsOf = (units: readonly UnitState[]): UnitCounts => ({
  ...NONE,
  ...Object.fromEntries(UNIT_STATES.map((state) => [state, units.filter((unit) => unit === state).length])),
});

/** Every way that three units can go, packed or not, one move at a time. */
function* everyMove(isPacking: boolean): Generator<{ from: OrderState; to: OrderState; units: readonly UnitState[] }> {
  const seen = new Set<string>();
  const open: (readonly UnitState[])[] = [['waiting', 'reserved', 'reserved']];
  for (let units = open.pop(); units; units = open.pop()) {
    const from = stateOfUnits(countsOf(units), isPacking);
    if (from === 'cancelled') continue;
    for (const [i, unit] of units.entries())
      for (const to of unitTransitions[unit]) {
        const next = units.with(i, to).toSorted();
        yield { from, to: stateOfUnits(countsOf(next), isPacking), units: next };
        if (seen.has(next.join())) continue;
        seen.add(next.join());
        open.push(next);
      }
  }
}

describe('what an order is', () => {
  for (const isPacking of [false, true])
    it(`follows its units along the table, whatever becomes of them${isPacking ? ', while it is packed' : ''}`, () => {
      const wrong = [...everyMove(isPacking)].filter(({ from, to }) => from !== to && !orderLeadsTo(from, to));
      assert.deepEqual(wrong, []);
    });

  it('is what is left of it', () => {
    const state = (counts: Partial<UnitCounts>) => stateOfUnits({ ...NONE, ...counts }, false);
    assert.equal(state({ cancelled: 2 }), 'cancelled');
    assert.equal(state({ cancelled: 1, reserved: 1 }), 'confirmed');
    assert.equal(state({ waiting: 1, reserved: 1 }), 'backordered');
    assert.equal(state({ reserved: 1, shipped: 1 }), 'partially_shipped');
    assert.equal(state({ delivered: 1, returned: 1 }), 'delivered');
    assert.equal(state({ returned: 1, cancelled: 1 }), 'returned');
    assert.equal(state({ lost: 2 }), 'shipped');
  });
});

describe('what people may ask of an order', () => {
  const refusal = (kind: Parameters<typeof refuseOrderMessage>[0], state: OrderState, units: Partial<UnitCounts>) =>
    refuseOrderMessage(kind, { state, units: { ...NONE, ...units } })?.code ?? null;

  it('cancels what has not left, and what was lost', () => {
    assert.equal(refusal('cancel', 'shipped', { shipped: 2 }), 'order_not_open');
    assert.equal(refusal('cancel', 'shipped', { shipped: 1, lost: 1 }), null);
    assert.equal(refusal('cancel', 'partially_shipped', { shipped: 1, reserved: 1 }), null);
  });

  it('sends nothing that is held, not paid or not there', () => {
    assert.equal(refusal('ship', 'on_hold', { reserved: 1 }), 'order_held');
    assert.equal(refusal('ship', 'pending', { reserved: 1 }), 'order_not_shippable');
    assert.equal(refusal('ship', 'backordered', { waiting: 1 }), 'order_not_shippable');
    assert.equal(refusal('ship', 'backordered', { waiting: 1, reserved: 1 }), null);
  });

  it('packs what it could send, also when it is packed already', () => {
    assert.equal(refusal('pack', 'confirmed', { reserved: 1 }), null);
    assert.equal(refusal('pack', 'processing', { reserved: 1 }), null);
    assert.equal(refusal('pack', 'partially_shipped', { reserved: 1, shipped: 1 }), null);
    assert.equal(refusal('pack', 'on_hold', { reserved: 1 }), 'order_held');
    assert.equal(refusal('pack', 'pending', { reserved: 1 }), 'order_not_shippable');
    assert.equal(refusal('pack', 'backordered', { waiting: 1 }), 'order_not_shippable');
    assert.equal(refusal('pack', 'cancelled', { cancelled: 1 }), 'order_not_open');
  });

  it('edits before the first parcel has left', () => {
    assert.equal(refusal('edit', 'confirmed', { reserved: 1 }), null);
    assert.equal(refusal('edit', 'partially_shipped', { reserved: 1, shipped: 1 }), 'order_not_open');
  });

  it('takes a parcel back as long as one is out, or what was in it was cancelled', () => {
    assert.equal(refusal('take_back', 'shipped', { lost: 1 }), null);
    assert.equal(refusal('take_back', 'cancelled', { cancelled: 1 }), null);
    assert.equal(refusal('take_back', 'delivered', { delivered: 1 }), 'shipment_not_known');
  });

  it('asks nothing else of one that is over', () => {
    for (const state of ORDER_STATES.filter((one) => one === 'cancelled' || one === 'refunded'))
      for (const kind of ORDER_MESSAGES.filter((one) => one !== 'take_back'))
        assert.notEqual(refusal(kind, state, { cancelled: 1 }), null);
  });
});
