/** What may happen to an invoice: by its payer, at its gateway, in the network, in the office, to the worker. */
import fc from 'fast-check';
import type { Currency } from '../../../domain/money.ts';
import {
  GATEWAY_CURRENCIES,
  GATEWAYS,
  type GatewayName,
  ODD_MONEY_KINDS,
  ODD_MONEY_WAYS,
} from '../../../domain/payments.ts';

export type Command =
  | { readonly do: 'pay'; readonly gateway: GatewayName; readonly part: 'next' | 'all' }
  | { readonly do: 'at-gateway'; readonly event: GatewayEvent; readonly attempt: number; readonly webhook: WebhookMode }
  | { readonly do: 'fault'; readonly operation: FaultyOperation; readonly kind: FaultKind }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'refund'; readonly attempt: number; readonly percent: number }
  | { readonly do: 'kill-worker' };

const GATEWAY_EVENTS = ['pay', 'fail', 'expire', 'pay-late', 'reverse', 'refund', 'refund-fail'] as const;
type GatewayEvent = (typeof GATEWAY_EVENTS)[number];
const WEBHOOK_MODES = ['once', 'none', 'twice', 'late', 'reordered', 'forged'] as const;
type WebhookMode = (typeof WEBHOOK_MODES)[number];
const FAULTY_OPERATIONS = ['create', 'status', 'expire', 'refund', 'refund_status', 'notification'] as const;
type FaultyOperation = (typeof FAULTY_OPERATIONS)[number];
const FAULT_KINDS = ['5xx_before', '5xx_after', '429'] as const;
type FaultKind = (typeof FAULT_KINDS)[number];

export interface Scenario {
  readonly currency: Currency;
  readonly instalments: boolean;
  readonly oddMoney: Readonly<Record<string, string>>;
  readonly commands: readonly Command[];
}

const gatewaysOf = (currency: Currency) => GATEWAYS.filter((name) => GATEWAY_CURRENCIES[name].includes(currency));

const one = <T extends Command>(command: fc.Arbitrary<T>): fc.Arbitrary<Command[]> => command.map((it) => [it]);

const pay = (currency: Currency) =>
  fc.record({
    do: fc.constant('pay' as const),
    gateway: fc.constantFrom(...gatewaysOf(currency)),
    part: fc.constantFrom('next' as const, 'all' as const),
  });

/** Mostly of the newest attempt, mostly that the payer pays; the rest is what gateways do to merchants. */
const atGateway = fc.record({
  do: fc.constant('at-gateway' as const),
  event: fc.oneof(
    { weight: 5, arbitrary: fc.constant('pay' as const) },
    { weight: 4, arbitrary: fc.constantFrom(...GATEWAY_EVENTS) },
  ),
  attempt: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) }),
  webhook: fc.constantFrom(...WEBHOOK_MODES),
});

const fault = fc.record({
  do: fc.constant('fault' as const),
  operation: fc.constantFrom(...FAULTY_OPERATIONS),
  kind: fc.constantFrom(...FAULT_KINDS),
});

const wait = fc.record({
  do: fc.constant('wait' as const),
  seconds: fc.constantFrom(60, 3_600, 90_000, 400_000, 700_000),
});

const refund = fc.record({
  do: fc.constant('refund' as const),
  attempt: fc.nat(1),
  percent: fc.oneof(fc.constant(100), fc.integer({ min: 1, max: 100 })),
});

const LAPSED = { do: 'wait', seconds: 700_000 } as const;

const paidLate = (attempt: number) =>
  fc.record({
    do: fc.constant('at-gateway' as const),
    event: fc.constantFrom('pay' as const, 'pay-late' as const),
    attempt: fc.constant(attempt),
    webhook: fc.constantFrom(...WEBHOOK_MODES),
  });

/** What comes one after the other: a payer who opens a page mostly does something there. */
const moveIn = (currency: Currency): fc.Arbitrary<Command[]> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(pay(currency), atGateway) },
    { weight: 4, arbitrary: fc.tuple(fault, pay(currency), atGateway) },
    // Two pages, and the first is paid after the second was opened; money after the invoice has lapsed.
    { weight: 2, arbitrary: fc.tuple(pay(currency), pay(currency), paidLate(1), paidLate(0)) },
    { weight: 2, arbitrary: fc.tuple(pay(currency), fc.constant(LAPSED), paidLate(0)) },
    { weight: 2, arbitrary: one(pay(currency)) },
    { weight: 5, arbitrary: one(atGateway) },
    { weight: 2, arbitrary: one(fault) },
    { weight: 3, arbitrary: one(wait) },
    { weight: 5, arbitrary: fc.oneof(one(refund), fc.tuple(fault, refund)) },
  );

const scenarioIn = (currency: Currency): fc.Arbitrary<Scenario> =>
  fc.record({
    currency: fc.constant(currency),
    instalments: fc.boolean(),
    oddMoney: fc.dictionary(fc.constantFrom(...ODD_MONEY_KINDS), fc.constantFrom(...ODD_MONEY_WAYS)),
    commands: fc
      .tuple(
        fc.tuple(pay(currency), atGateway),
        fc.array(moveIn(currency), { minLength: 1, maxLength: 5 }),
        // A worker that is down stops everybody: once in a while is enough.
        fc.oneof({ weight: 120, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(5) }),
      )
      .map(([first, moves, death]) => withDeath([...first, ...moves.flat()], death)),
  });

const withDeath = (commands: readonly Command[], at: number | null): readonly Command[] =>
  at === null ? commands : [...commands.slice(0, at), { do: 'kill-worker' }, ...commands.slice(at)];

export const scenario: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 3, arbitrary: scenarioIn('IDR') },
  { weight: 2, arbitrary: scenarioIn('MYR') },
);
