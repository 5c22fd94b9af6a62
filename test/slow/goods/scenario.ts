/** What may happen to three orders of one company: by its people, in the shop, on the way, at the gateway, to the worker. */
import fc from 'fast-check';
import { CONTINUE_TO } from '../../../domain/return-messages.ts';
import { CONDITIONS, DISPOSITIONS, RESOLUTIONS, RETURN_REASONS } from '../../../domain/returns.ts';

export const ORDERS = 3;
/** Of each order, how many of each of the three products. */
export type Basket = readonly [number, number, number];

/** `order` counts the three; `nth` counts returns, parcels or invoices from the newest. */
export type Command = { readonly order: number } & (
  | {
      readonly do: 'pay';
      readonly event: (typeof PAID)[number];
      readonly webhook: WebhookMode;
      /** What is paid to a virtual account cannot go back the way it came. */
      readonly method: 'page' | 'bca_va';
    }
  | { readonly do: 'pay-credit' }
  | { readonly do: 'pay-fault'; readonly operation: (typeof GATEWAY_OPERATIONS)[number]; readonly kind: FaultKind }
  /** How many there shall be of a product; null = another address. */
  | { readonly do: 'edit'; readonly product: number; readonly quantity: number | null }
  | { readonly do: 'cancel'; readonly item: number | null; readonly by: 'owner' | 'seller' }
  | { readonly do: 'hold' | 'release' | 'pack' }
  | { readonly do: 'deliver'; readonly part: 'all' | 'one' }
  /** A parcel that could not be delivered is here again. */
  | { readonly do: 'take-back' }
  /** The gateway says that a refund did not arrive, or takes a payment back. */
  | ({ readonly do: 'refund-fail' | 'charge-back'; readonly webhook: ToldMode } & Nth)
  | { readonly do: 'ship'; readonly item: number | null; readonly quantity: number; readonly carrier: 'kurir' | 'jne' }
  | { readonly do: 'receive-stock'; readonly product: number; readonly quantity: number }
  | ({
      readonly do: 'carrier';
      readonly event: (typeof CARRIER_EVENTS)[number];
      readonly webhook: WebhookMode;
      readonly way: (typeof WAYS)[number];
    } & Nth)
  | { readonly do: 'carrier-fault'; readonly operation: (typeof CARRIER_OPERATIONS)[number]; readonly kind: FaultKind }
  | {
      readonly do: 'return';
      readonly item: number;
      readonly number: number | null;
      readonly quantity: number;
      readonly reason: (typeof RETURN_REASONS)[number];
      readonly wanted: (typeof RESOLUTIONS)[number];
      readonly exchangeFor: number;
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
  | ({ readonly do: 'resolve'; readonly resolution: (typeof RESOLUTIONS)[number]; readonly exchangeFor: number } & Nth)
  | ({ readonly do: 'decide-dispute'; readonly decision: 'uphold' | 'waive' } & Nth)
  | ({ readonly do: 'continue'; readonly to: (typeof CONTINUE_TO)[number] } & Nth)
  | { readonly do: 'wait'; readonly whose: 'order' | 'payment' | 'return'; readonly seconds: number }
  /** Nobody is left behind by whoever looks after them. */
  | { readonly do: 'look-round' }
  | { readonly do: 'kill-worker' }
);

interface Nth {
  readonly nth: number;
}

const WAYS = ['any', 'out', 'back'] as const;
const PAID = ['pay', 'fail', 'expire', 'pay-late'] as const;
export const WEBHOOK_MODES = ['once', 'none', 'twice', 'late', 'reordered', 'forged'] as const;
export type WebhookMode = (typeof WEBHOOK_MODES)[number];
/** What nobody is told of only the night's reconciliation finds, which is the subject of another model. */
const TOLD_MODES = ['once', 'once', 'twice', 'late', 'reordered', 'forged'] as const satisfies readonly WebhookMode[];
export type ToldMode = (typeof TOLD_MODES)[number];
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

const method = fc.constantFrom('page' as const, 'page' as const, 'bca_va' as const);
const pay: Step = fc.record({ order, do: say('pay'), event: usually('pay', PAID), webhook, method });
const payByWallet: Step = fc.record({
  order,
  do: say('pay'),
  event: say('pay'),
  webhook: say('once'),
  method: say('page'),
});
const payCredit: Step = fc.record({ order, do: say('pay-credit') });
const edit: Step = fc.record({
  order,
  do: say('edit'),
  product: item,
  quantity: fc.oneof(fc.nat(3), fc.nat(3), fc.constant(null)),
});
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
const way = fc.constantFrom(...WAYS);
const carried: Step = fc.record({
  order,
  do: say('carrier'),
  event: usually('deliver', CARRIER_EVENTS),
  webhook,
  way,
  nth,
});
const byCarrier = (event: (typeof CARRIER_EVENTS)[number], which: (typeof WAYS)[number]): Step =>
  fc.record({ order, do: say('carrier'), event: say(event), webhook, way: say(which), nth: fc.constant(0) });
const deliver: Step = fc.record({ order, do: say('deliver'), part: usually('all', ['one'] as const) });
const pack: Step = fc.record({ order, do: say('pack') });
const takeBack: Step = fc.record({ order, do: say('take-back') });
const taken = (what: 'refund-fail' | 'charge-back'): Step =>
  fc.record({ order, do: say(what), webhook: fc.constantFrom(...TOLD_MODES), nth: fc.constant(0) });
/** The gateway's answer to a refund is lost: it is asked again half a minute later. */
const unheard: Step = fc.record({ order, do: say('pay-fault'), operation: say('refund'), kind: say('5xx_after') });
const ask: Step = fc.record({
  order,
  do: say('return'),
  // What is cheap is kept by its buyer, and nothing more is to be seen of it.
  item: fc.constantFrom(0, 0, 1, 2, 2),
  number: maybeNumber,
  quantity: usually(1, [2]),
  reason: fc.constantFrom(...RETURN_REASONS),
  wanted: fc.constantFrom(...RESOLUTIONS),
  exchangeFor: item,
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
  disposition: fc.constantFrom('restock', 'restock', 'scrap', ...DISPOSITIONS),
  by: fc.constantFrom('warehouse' as const, 'seller' as const),
  nth,
});
const resolve: Step = fc.record({
  order,
  do: say('resolve'),
  resolution: fc.constantFrom(...RESOLUTIONS),
  exchangeFor: item,
  nth,
});
const toReturn = (what: 'accept-deduction' | 'dispute'): Step =>
  fc.record({ order, do: say(what), nth: fc.constant(0) });
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
const cancelAll: Step = fc.record({ order, do: say('cancel'), item: fc.constant(null), by: say('owner') });
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

/** The first two have mostly left by then: what can be done before that is done to the last. */
const ofTheThird = (...steps: Step[]): fc.Arbitrary<Command[]> =>
  together(...steps).map((commands) => commands.map((command) => ({ ...command, order: 2 })));

const move: fc.Arbitrary<Command[]> = fc.oneof(
  { weight: 3, arbitrary: together(pay, ship, carried) },
  { weight: 2, arbitrary: together(edit, pay, edit, ship) },
  { weight: 2, arbitrary: together(payCredit, pay, ship, deliver) },
  { weight: 3, arbitrary: together(ask, approve, byCarrier('pickup', 'back'), carried, receive, inspect) },
  { weight: 3, arbitrary: together(ask, approve, byCarrier('lose', 'back'), byCarrier('find', 'back'), receive) },
  { weight: 2, arbitrary: together(ship, byCarrier('lose', 'out'), cancel, byCarrier('find', 'out')) },
  { weight: 5, arbitrary: together(ask, approve, receive, inspect, resolve, toReturn('accept-deduction')) },
  { weight: 4, arbitrary: together(ask, approve, receive, inspect, toReturn('dispute'), decideDispute, word) },
  { weight: 3, arbitrary: together(ask, word, word, approve) },
  { weight: 2, arbitrary: together(resolve, pay, ship, deliver) },
  { weight: 2, arbitrary: together(payFault, pay) },
  { weight: 2, arbitrary: together(carrierFault, ask, approve) },
  { weight: 2, arbitrary: together(cancel, pay) },
  { weight: 2, arbitrary: ofTheThird(payByWallet, pack, ship, deliver) },
  { weight: 2, arbitrary: ofTheThird(payByWallet, hold, pack, edit, cancel) },
  { weight: 2, arbitrary: ofTheThird(payByWallet, ship, byCarrier('send-back', 'out'), takeBack) },
  { weight: 2, arbitrary: ofTheThird(payByWallet, ship, byCarrier('lose', 'out'), cancel, takeBack, carried) },
  { weight: 3, arbitrary: ofTheThird(payByWallet, cancelAll, taken('refund-fail')) },
  { weight: 2, arbitrary: ofTheThird(payByWallet, unheard, cancelAll, taken('refund-fail')) },
  { weight: 1, arbitrary: ofTheThird(payByWallet, taken('charge-back'), ship, cancel) },
  { weight: 1, arbitrary: together(ask, approve, receive, taken('charge-back'), inspect, resolve) },
  { weight: 2, arbitrary: together(fc.record({ order, do: say('look-round') })) },
  ...[ship, carried, deliver, receive, inspect, resolve, word, goOn, cancel, hold, stocked, wait, edit, payCredit].map(
    (step) => ({ weight: 1, arbitrary: together(step) }),
  ),
  ...[pack, takeBack, taken('refund-fail'), taken('charge-back')].map((step) => ({
    weight: 1,
    arbitrary: together(step),
  })),
);

/** One return that goes the whole way to the customer's choice, as most do. */
const all = say('all');
const newest = fc.constant(0);
const whole: readonly [Step, Step, Step] = [
  fc.record({ order, do: say('approve'), part: all, nth: newest }),
  fc.record({ order, do: say('receive'), part: all, nth: newest }),
  fc.record({
    order,
    do: say('inspect'),
    part: all,
    condition: fc.constantFrom(...CONDITIONS),
    disposition: fc.constantFrom('restock' as const, 'scrap' as const),
    by: say('warehouse'),
    nth: newest,
  }),
];
const accept = toReturn('accept-deduction');
const refundIt: Step = fc.record({
  order,
  do: say('resolve'),
  resolution: say('refund'),
  exchangeFor: item,
  nth: newest,
});
const ofTheFirst = (commands: readonly Command[]): Command[] => commands.map((command) => ({ ...command, order: 0 }));
const story: fc.Arbitrary<Command[]> = fc
  .oneof(
    together(ask, whole[0], byCarrier('deliver', 'back'), whole[1], whole[2], resolve, accept),
    together(ask, whole[0], whole[1], whole[2], accept, resolve, accept),
    together(ask, approve, byCarrier('pickup', 'back'), receive, inspect, resolve, accept),
    together(ask, whole[0], whole[1], whole[2], accept, refundIt, accept, taken('refund-fail')),
    together(ask, whole[0], whole[1], unheard, whole[2], accept, refundIt, accept, taken('refund-fail')),
  )
  .map(ofTheFirst);

const basket: fc.Arbitrary<Basket> = fc
  .tuple(fc.nat(2), fc.nat(2), fc.nat(1))
  .map(([a, b, c]) => (a + b + c === 0 ? [1, b, c] : [a, b, c]));

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    baskets: fc.array(basket, { minLength: ORDERS, maxLength: ORDERS }),
    stock: fc.tuple(fc.integer({ min: 4, max: 9 }), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 4 })),
    sent: fc.tuple(fc.boolean(), fc.boolean()),
    paid: fc.tuple(method, method),
    first: fc.oneof({ weight: 5, arbitrary: story }, { weight: 1, arbitrary: fc.constant([]) }),
    moves: fc.array(move, { minLength: 6, maxLength: 12 }),
    // A worker that is down stops everybody: once in a while is enough.
    death: fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 }) },
    ),
  })
  .map(({ baskets, stock, sent, paid, first, moves, death }) => {
    // The first two are sold and delivered, for only then something can come back; the third is left to chance.
    const commands = [...sold(0, sent[0], paid[0]), ...first, ...sold(1, sent[1], paid[1]), ...moves.flat()];
    return { baskets, stock, commands: death === null ? commands : withDeath(commands, death) };
  });

/** By the carrier's word, or by that of the shop. */
const sold = (which: number, byItsWord: boolean, how: 'page' | 'bca_va'): Command[] => [
  { order: which, do: 'pay', event: 'pay', webhook: 'once', method: how },
  { order: which, do: 'ship', item: null, quantity: 1, carrier: byItsWord ? 'kurir' : 'jne' },
  byItsWord
    ? { order: which, do: 'carrier', event: 'deliver', webhook: 'once', way: 'out', nth: 0 }
    : { order: which, do: 'deliver', part: 'all' },
];

const withDeath = (commands: readonly Command[], at: number): readonly Command[] => [
  ...commands.slice(0, at),
  { order: 0, do: 'kill-worker' },
  ...commands.slice(at),
];
