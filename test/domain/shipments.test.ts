import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  afterNews,
  CARRIER_STATUSES,
  isMoving,
  isShipmentOver,
  SHIPMENT_STATES,
  type ShipmentNews,
  type ShipmentState,
  shipmentLeadsTo,
  shipmentTransitions,
  stateOfStatus,
} from '../../domain/shipments.ts';

const CREATED: ShipmentNews = { state: 'created', at: 0 };
const told = (state: ShipmentState, at: number): ShipmentNews => ({ state, at });
const news = fc
  .tuple(fc.constantFrom(...SHIPMENT_STATES), fc.integer({ min: 1, max: 5 }))
  .map(([state, at]) => told(state, at));

describe('news of a parcel', () => {
  it('takes a parcel on, and what is older never takes it back', () => {
    const out = afterNews(CREATED, [told('labelled', 1), told('in_transit', 2), told('out_for_delivery', 4)]);
    assert.deepEqual(out, told('out_for_delivery', 4));
    assert.deepEqual(afterNews(out, [told('in_transit', 2), told('labelled', 9)]), out);
    assert.deepEqual(afterNews(out, [told('in_transit', 5)]), told('in_transit', 5));
  });

  it('leaves what was delivered delivered, whatever is told later', () => {
    const there = told('delivered', 5);
    for (const state of SHIPMENT_STATES) assert.equal(afterNews(there, [told(state, 9)]).state, 'delivered', state);
  });

  it('finds a lost parcel where somebody has it, and nowhere before', () => {
    const lost = afterNews(CREATED, [told('in_transit', 2), told('lost', 3)]);
    assert.equal(afterNews(lost, [told('in_transit', 8)]).state, 'lost');
    assert.equal(afterNews(lost, [told('in_transit', 8), told('delivered', 9)]).state, 'delivered');
    assert.equal(afterNews(lost, [told('sent_back', 9)]).state, 'sent_back');
  });

  it('follows a parcel that was sent with a label that had been taken back', () => {
    const voided = afterNews(CREATED, [told('labelled', 1), told('voided', 5)]);
    assert.equal(voided.state, 'voided');
    assert.equal(afterNews(voided, [told('in_transit', 2)]).state, 'in_transit');
  });

  it('ends in the same state in any order, and however often it is told', () => {
    const shuffled = fc
      .array(news, { maxLength: 12 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })));
    fc.assert(
      fc.property(shuffled, ([inOrder, mixed]) => {
        assert.deepEqual(afterNews(CREATED, mixed), afterNews(CREATED, inOrder));
      }),
    );
  });

  it('ends in the same state when it comes piece by piece, and never leaves the table', () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 12 }), (all) => {
        const last = all.reduce((stands, next) => {
          const then = afterNews(stands, [next]);
          assert.ok(
            then.state === stands.state || shipmentLeadsTo(stands.state, then.state),
            `${stands.state} → ${then.state}`,
          );
          return then;
        }, CREATED);
        assert.deepEqual(last, afterNews(CREATED, all));
      }),
    );
  });

  it('is drawn in the docs exactly as it is', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/shop/parcels.md'), 'utf8');
    const drawn = page
      .split('\n')
      .filter((line) => line.includes('-->'))
      .map((line) => line.trim())
      .filter((line) => !line.includes('[*]'));
    const edges = Object.entries(shipmentTransitions).flatMap(([from, to]) => to.map((next) => `${from} --> ${next}`));
    assert.deepEqual(drawn.toSorted(), edges.toSorted());
  });

  it('has a meaning for each word of the carrier', () => {
    const states = CARRIER_STATUSES.map(stateOfStatus);
    assert.ok(!states.includes('created'));
    assert.equal(new Set(states).size, SHIPMENT_STATES.length - 1);
    assert.deepEqual(SHIPMENT_STATES.filter(isMoving), ['in_transit', 'out_for_delivery', 'exception']);
    assert.deepEqual(SHIPMENT_STATES.filter(isShipmentOver), ['sent_back', 'delivered']);
  });
});
