import { GATEWAYS, type MoneyPolicy } from '../../domain/payments.ts';

/** As the defaults of config.ts have it. */
export const MONEY_POLICY: MoneyPolicy = {
  gatewayOrder: GATEWAYS,
  refundApprovalAbove: { IDR: 1_000_000n, MYR: 30_000n },
};
