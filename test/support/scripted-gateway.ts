/** A gateway that says what a test tells it to: for words that no sandbox can be made to say in that order. */
import { GatewayError, type PaymentGateway } from '../../activities/gateways/gateway.ts';
import type { Money } from '../../domain/money.ts';
import type { GatewayName, GatewayPayment, GatewayPaymentState } from '../../domain/payments.ts';

export interface ScriptedGateway extends PaymentGateway {
  /** From now on it says so of a reference; `expire` changes nothing of it. */
  says(reference: string, state: GatewayPaymentState, paid?: Money | null): void;
  /** Or it does not answer. */
  isAway(reference: string): void;
  /** What it was asked to open. */
  readonly created: readonly { readonly reference: string; readonly amount: Money }[];
}

export function scriptedGateway(name: GatewayName): ScriptedGateway {
  const words = new Map<string, GatewayPayment | null>();
  const created: { reference: string; amount: Money }[] = [];
  const word = async (reference: string): Promise<GatewayPayment> => {
    const said = words.get(reference);
    if (said === null) throw new GatewayError('retry_later', 'unreachable', 'The gateway is away.');
    return said ?? { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };
  };
  return {
    name,
    created,
    says: (reference, state, paid = null) =>
      words.set(reference, { state, paid, paidAt: null, transactionId: `T-${reference}`, method: 'bca_va' }),
    isAway: (reference) => words.set(reference, null),
    create: async ({ reference, amount, expiresAt }) => {
      created.push({ reference, amount });
      return { redirectUrl: `https://pay.example.test/${reference}`, expiresAt };
    },
    lookUp: word,
    expire: word,
    refund: null,
    lookUpRefund: null,
    list: null,
  };
}
