/** The gateways that this installation is configured for. Activities choose by name; a missing name is not configured. */
import type { Knex } from 'knex';
import { beginBill, billsOf, learnBill, releaseBill } from '../../db/gateway-bills.ts';
import type { GatewayName } from '../../domain/payments.ts';
import { type BillplzOptions, createBillplzGateway } from './billplz.ts';
import type { BillBook } from './billplz-book.ts';
import type { PaymentGateway } from './gateway.ts';
import { createMidtransGateway, type MidtransOptions } from './midtrans.ts';
import { createStripeGateway, type StripeOptions } from './stripe.ts';
import { createXenditGateway, type XenditOptions } from './xendit.ts';

export type Gateways = Partial<Record<GatewayName, PaymentGateway>>;

export interface GatewaySettings {
  readonly midtrans: MidtransOptions;
  readonly xendit?: XenditOptions | undefined;
  readonly stripe?: StripeOptions | undefined;
  readonly billplz?: Omit<BillplzOptions, 'book'> | undefined;
}

/** Takes the whole `Config`: each gateway reads its own part. */
export const createGateways = ({ midtrans, xendit, stripe, billplz }: GatewaySettings, db: Knex): Gateways => ({
  midtrans: createMidtransGateway(midtrans),
  ...(xendit ? { xendit: createXenditGateway(xendit) } : {}),
  ...(stripe ? { stripe: createStripeGateway(stripe) } : {}),
  ...(billplz ? { billplz: createBillplzGateway({ ...billplz, book: bookIn(db) }) } : {}),
});

const bookIn = (db: Knex): BillBook => ({
  billsOf: (reference) => billsOf(db, reference),
  begin: (reference) => beginBill(db, reference),
  release: (reference) => releaseBill(db, reference),
  learn: (reference, billId) => learnBill(db, reference, billId),
});
