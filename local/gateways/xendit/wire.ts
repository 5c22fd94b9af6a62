/** An invoice and its refunds in Xendit's own words: answers of the API, and callbacks. */
import type { Channel, Invoice, Refund } from './invoices.ts';

export const BUSINESS_ID = '5f27a14a9bf05c73dd040bc8';

const METHOD: Record<Channel, { readonly payment_method: string; readonly payment_channel: string }> = {
  bca_va: { payment_method: 'BANK_TRANSFER', payment_channel: 'BCA' },
  qris: { payment_method: 'QR_CODE', payment_channel: 'QRIS' },
  ovo: { payment_method: 'EWALLET', payment_channel: 'OVO' },
  credit_card: { payment_method: 'CREDIT_CARD', payment_channel: 'CREDIT_CARD' },
};

/** What `payment_methods` calls a channel. */
export const methodName = (channel: Channel): string => METHOD[channel].payment_channel;

/** The answer to create, get and expire. */
export const invoiceBody = (invoice: Invoice, invoiceUrl: string) => ({
  ...common(invoice),
  invoice_url: invoiceUrl,
  expiry_date: invoice.expiresAt,
  should_send_email: false,
  items: invoice.items,
});

/** The JSON that is POSTed to the merchant: flat, and without the invoice's address and expiry. */
export const invoiceCallback = (invoice: Invoice) => common(invoice);

function common(invoice: Invoice) {
  return {
    id: invoice.id,
    external_id: invoice.externalId,
    user_id: BUSINESS_ID,
    status: invoice.status,
    merchant_name: 'Alur Sandbox',
    amount: invoice.amount,
    currency: 'IDR',
    created: invoice.createdAt,
    updated: invoice.updatedAt,
    ...(invoice.description === null ? {} : { description: invoice.description }),
    ...(invoice.payerEmail === null ? {} : { payer_email: invoice.payerEmail }),
    ...(invoice.successUrl === null ? {} : { success_redirect_url: invoice.successUrl }),
    ...(invoice.failureUrl === null ? {} : { failure_redirect_url: invoice.failureUrl }),
    ...paidFields(invoice),
  };
}

function paidFields({ paidAt, channel, amount, paymentId, vaNumber }: Invoice) {
  if (paidAt === null || channel === null) return {};
  return {
    paid_amount: amount,
    paid_at: paidAt,
    payment_id: paymentId,
    ...METHOD[channel],
    ...(vaNumber === null ? {} : { payment_destination: vaNumber, bank_code: 'BCA' }),
  };
}

export const refundBody = (invoice: Invoice, refund: Refund) => ({
  id: refund.id,
  payment_id: invoice.paymentId,
  invoice_id: invoice.id,
  amount: refund.amount,
  currency: 'IDR',
  channel_code: invoice.channel === null ? null : METHOD[invoice.channel].payment_channel,
  status: refund.status,
  reason: refund.reason,
  reference_id: refund.referenceId,
  failure_code: refund.failureCode,
  refund_fee_amount: null,
  created: refund.createdAt,
  updated: refund.updatedAt,
  metadata: null,
});

/** One envelope around the refund, or the two that the documentation shows. */
export function refundCallback(invoice: Invoice, refund: Refund, nested: boolean) {
  const event = refund.status === 'SUCCEEDED' ? 'refund.succeeded' : 'refund.failed';
  const envelope = (data: object) => ({ event, business_id: BUSINESS_ID, created: refund.updatedAt, data });
  const once = envelope(refundBody(invoice, refund));
  return nested ? envelope(once) : once;
}

const CATEGORY: Record<Channel, string> = {
  bca_va: 'VIRTUAL_ACCOUNT',
  qris: 'QR_CODE',
  ovo: 'EWALLET',
  credit_card: 'CARDS',
};

export const transactionId = ({ id }: Invoice): string => `txn_${id}`;

/** A payment as the balance sees it. https://docs.xendit.co/apidocs/list-transactions */
export function transactionBody(invoice: Invoice) {
  const channel = invoice.channel ?? 'bca_va';
  const noFee = { xendit_fee: 0, value_added_tax: 0, xendit_withholding_tax: 0, third_party_withholding_tax: 0 };
  return {
    id: transactionId(invoice),
    product_id: invoice.id,
    type: 'PAYMENT',
    status: 'SUCCESS',
    channel_category: CATEGORY[channel],
    channel_code: METHOD[channel].payment_channel,
    reference_id: invoice.externalId,
    account_identifier: null,
    currency: 'IDR',
    amount: invoice.amount,
    net_amount: invoice.amount,
    net_amount_currency: 'IDR',
    cashflow: 'MONEY_IN',
    settlement_status: invoice.status === 'SETTLED' ? 'SETTLED' : 'PENDING',
    estimated_settlement_time: invoice.paidAt,
    business_id: BUSINESS_ID,
    created: invoice.paidAt,
    updated: invoice.updatedAt,
    fee: { ...noFee, status: 'NOT_APPLICABLE' },
    product_data: { payment_link_id: invoice.id },
  };
}
