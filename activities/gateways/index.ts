/** The gateways that this installation is configured for. Activities choose by name; a missing name is not configured. */
import type { GatewayName } from '../../domain/payments.ts';
import type { PaymentGateway } from './gateway.ts';
import { createMidtransGateway, type MidtransOptions } from './midtrans.ts';

export type Gateways = Partial<Record<GatewayName, PaymentGateway>>;

/** Takes the whole `Config`: each gateway reads its own part. */
export const createGateways = (config: { readonly midtrans: MidtransOptions }): Gateways => ({
  midtrans: createMidtransGateway(config.midtrans),
});
