/** What may happen to three orders of one company: by its people, in the shop, on the way, at the gateway, to the worker. */
import fc from 'fast-check';
import { CONTINUE_TO } from '../../../domain/return-messages.ts';
import { CONDITIONS, DISPOSITIONS, RESOLUTIONS, RETURN_REASONS } from '../../../domain/returns.ts';

export const ORDERS = 3;
/** Of each order, how many of each of the three products. */
export type Basket = readonly [number, number, number];

/** `order` counts the three; `nth` counts returns, parcels or invoices from the newest. */
export type Command = { readonly order: number } & (
  | { readonly do: 'pay'; readonly event: (typeof PAID)[number]; readonly webhook: WebhookMode }
  | { readonly do: 'pay-fault'; readonly operation: (typeof GATEWAY_OPERATIONS)[number]; readonly kind: FaultKind }
  | { readonly do: 'cancel'; readonly item: number | null; readonly by: 'owner' | 'seller' }
  | { readonly do: 'hold' | 'release' | 'deliver' }
  | { readonly do: 'ship'; readonly item: number | null; readonly quantity: number; readonly carrier: 'kurir' | 'jne' }
  | { readonly do: 'receive-stock'; readonly product: number; readonly quantity: number }
  | ({ readonly do: 'carrier'; readonly event: (typeof CARRIER_EVENTS)[number]; readonly webhook: WebhookMode } & Nth)
  | { readonly do: 'carrier-fault'; readonly operation: (typeof CARRIER_OPERATIONS)[number]; readonly kind: FaultKind }
  | {
      readonly do: 'return';
      readonly item: number;
      readonly number: number | null;
      readonly quantity: number;
      readonly reason: (typeof RETURN_REASONS)[number];
      readonly wanted: (typeof RESOLUTIONS)[number];
      readonly atOnce: 1 | 2;
    }
  | ({ readonly do: 'approve'; readonly part: 'all' | 'one' } & Nth)
  | ({
      readonly do: 'reject' | 'request-info' | 'provide-info' | 'cancel-return' | 'accept-deduction' | 'dispute';
    } & Nth)
  | ({ readonly do: 'receive'; readonly part: 'all' | 'one' | 'complete' } & Nth)
  | ({
      readonly do: 'inspect';
      readonly part: 'all' | 'one';
      readonly condition: (typeof CONDITIONS)[number];
      readonly disposition: (typeof DISPOSITIONS)[number];
      readonly by: 'warehouse' | 'seller';
    } & Nth)
  | ({ readonly do: 'resolve'; readonly resolution: (typeof RESOLUTIONS)[number] } & Nth)
  | ({ readonly do: 'decide-dispute'; readonly decision: 'uphold' | 'waive' } & Nth)
  | ({ readonly do: 'continue'; readonly to: (typeof CONTINUE_TO)[number] } & Nth)
  | { readonly do: 'wait'; readonly whose: 'order' | 'payment' | 'return'; readonly seconds: number }
  | { readonly do: 'kill-worker' }
);

interface Nth {
  readonly nth: number;
}

const PAID = ['pay', 'fail', 'expire', 'pay-late'] as const;
export const WEBHOOK_MODES = ['once', 'none', 'twice', 'late', 'reordered', 'forged'] as const;
export type WebhookMode = (typeof WEBHOOK_MODES)[number];
const GATEWAY_OPERATIONS = ['create', 'status', 'expire', 'refund', 'refund_status', 'notification'] as const;
const CARRIER_OPERATIONS = ['create', 'cancel', 'list', 'status', 'notification'] as const;
const FAULT_KINDS = ['5xx_before', '5xx_after', '429'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
const CARRIER_EVENTS = [
  'pickup',
  'in-transit',
  'out-for-delivery',
  'deliver',
  'exception',
  'lose',
  'find',
  'send-back',
] as const;

export interface Scenario {
  readonly baskets: readonly Basket[];
  /** Of each product, when it begins: less than is ordered, now and then. */
  readonly stock: Basket;
  readonly commands: readonly Command[];
}

const say = <const Word extends string>(word: Word) => fc.constant(word);
const nth = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) });
// Mostly those that were sold: of the third little can come back.
const order = fc.constantFrom(0, 0, 1, 1, 2);
const item = fc.nat(2);
const maybeItem: fc.Arbitrary<number | null> = fc.option(item, { freq: 2 });
const maybeNumber: fc.Arbitrary<number | null> = fc.constantFrom(null, null, 1, 1, 2);
const webhook = fc.constantFrom(...WEBHOOK_MODES);
const kind = fc.constantFrom(...FAULT_KINDS);
const usually = <T>(value: T, otherwise: readonly T[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(...otherwise) });

type Step = fc.Arbitrary<Command>;

const pay: Step = fc.record({ order, do: say('pay'), event: usually('pay', PAID), webhook });
const payFault: Step = fc.record({
  order,
  do: say('pay-fault'),
  operation: fc.constantFrom(...GATEWAY_OPERATIONS),
  kind,
});
const ship: Step = fc.record({
  order,
  do: say('ship'),
  item: maybeItem,
  quantity: fc.integer({ min: 1, max: 2 }),
  carrier: usually('kurir', ['jne'] as const),
});
const carried: Step = fc.record({
  order,
  do: say('carrier'),
  event: usually('deliver', CARRIER_EVENTS),
  webhook,
  nth,
});
const deliver: Step = fc.record({ order, do: say('deliver') });
const ask: Step = fc.record({
  order,
  do: say('return'),
  item,
  number: maybeNumber,
  quantity: usually(1, [2]),
  reason: fc.constantFrom(...RETURN_REASONS),
  wanted: fc.constantFrom(...RESOLUTIONS),
  atOnce: usually<1 | 2>(1, [2]),
});
const approve: Step = fc.record({ order, do: say('approve'), part: usually('all', ['one'] as const), nth });
const receive: Step = fc.record({
  order,
  do: say('receive'),
  part: usually('all', ['one', 'complete'] as const),
  nth,
});
const inspect: Step = fc.record({
  order,
  do: say('inspect'),
  part: usually('all', ['one'] as const),
  condition: fc.constantFrom(...CONDITIONS),
  disposition: fc.constantFrom(...DISPOSITIONS),
  by: fc.constantFrom('warehouse' as const, 'seller' as const),
  nth,
});
const resolve: Step = fc.record({ order, do: say('resolve'), resolution: fc.constantFrom(...RESOLUTIONS), nth });
const word: Step = fc.record({
  order,
  do: fc.constantFrom('reject', 'request-info', 'provide-info', 'cancel-return', 'accept-deduction', 'dispute'),
  nth,
});
const decideDispute: Step = fc.record({
  order,
  do: say('decide-dispute'),
  decision: fc.constantFrom('uphold' as const, 'waive' as const),
  nth,
});
const goOn: Step = fc.record({ order, do: say('continue'), to: fc.constantFrom(...CONTINUE_TO), nth });
const cancel: Step = fc.record({
  order,
  do: say('cancel'),
  item: maybeItem,
  by: fc.constantFrom('owner' as const, 'seller' as const),
});
const hold: Step = fc.record({ order, do: fc.constantFrom('hold', 'release') });
const stocked: Step = fc.record({
  order,
  do: say('receive-stock'),
  product: item,
  quantity: fc.integer({ min: 1, max: 3 }),
});
const carrierFault: Step = fc.record({
  order,
  do: say('carrier-fault'),
  operation: fc.constantFrom(...CARRIER_OPERATIONS),
  kind,
});
const HOURS = [1, 26, 72] as const;
const wait: Step = fc.record({
  order,
  do: say('wait'),
  whose: fc.constantFrom('order' as const, 'payment' as const, 'return' as const),
  seconds: fc.constantFrom(...HOURS.map((hours) => hours * 3600), 6 * 86_400, 15 * 86_400, 23 * 86_400),
});

/** What comes one after the other for the same order: else hardly anything would ever be returned. */
const together = (...steps: Step[]): fc.Arbitrary<Command[]> =>
  fc.tuple(order, ...steps).map(([which, ...commands]) => commands.map((command) => ({ ...command, order: which })));

const move: fc.Arbitrary<Command[]> = fc.oneof(
  { weight: 4, arbitrary: together(pay, ship, carried) },
  { weight: 4, arbitrary: together(ask, approve, receive, inspect, word, resolve) },
  { weight: 5, arbitrary: together(ask, approve) },
  { weight: 5, arbitrary: together(ask, approve, receive, inspect, resolve) },
  { weight: 3, arbitrary: together(carried, receive, inspect) },
  { weight: 3, arbitrary: together(inspect, word, decideDispute) },
  { weight: 2, arbitrary: together(payFault, pay) },
  { weight: 2, arbitrary: together(carrierFault, ask, approve) },
  { weight: 2, arbitrary: together(cancel, pay) },
  ...[ship, carried, deliver, receive, inspect, resolve, word, goOn, cancel, hold, stocked, wait, decideDispute].map(
    (step) => ({ weight: 2, arbitrary: together(step) }),
  ),
);

const basket: fc.Arbitrary<Basket> = fc
  .tuple(fc.nat(2), fc.nat(2), fc.nat(1))
  .map(([a, b, c]) => (a + b + c === 0 ? [1, b, c] : [a, b, c]));

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    baskets: fc.array(basket, { minLength: ORDERS, maxLength: ORDERS }),
    stock: fc.tuple(fc.integer({ min: 4, max: 9 }), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 4 })),
    sent: fc.tuple(fc.boolean(), fc.boolean()),
    moves: fc.array(move, { minLength: 8, maxLength: 16 }),
    // A worker that is down stops everybody: once in a while is enough.
    death: fc.oneof({ weight: 30, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(20) }),
  })
  .map(({ baskets, stock, sent, moves, death }) => {
    // The first two are sold and delivered, for only then something can come back; the third is left to chance.
    const commands = [...sold(0, sent[0]), ...sold(1, sent[1]), ...moves.flat()];
    return { baskets, stock, commands: death === null ? commands : withDeath(commands, death) };
  });

/** By the carrier's word, or by that of the shop. */
const sold = (which: number, byCarrier: boolean): Command[] => [
  { order: which, do: 'pay', event: 'pay', webhook: 'once' },
  { order: which, do: 'ship', item: null, quantity: 1, carrier: byCarrier ? 'kurir' : 'jne' },
  byCarrier
    ? { order: which, do: 'carrier', event: 'deliver', webhook: 'once', nth: 0 }
    : { order: which, do: 'deliver' },
];

const withDeath = (commands: readonly Command[], at: number): readonly Command[] => [
  ...commands.slice(0, at),
  { order: 0, do: 'kill-worker' },
  ...commands.slice(at),
];
