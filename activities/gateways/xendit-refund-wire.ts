/** What Xendit says of refunds, translated. https://docs.xendit.co/apidocs/refund-webhook-notification has the object. */
import { z } from 'zod';
import type { GatewayRefund } from './gateway.ts';
import { parseAmount, refusalCode } from './xendit-wire.ts';

export const refundSaid = z.object({
  id: z.string().min(1),
  reference_id: z.string().nullish(),
  invoice_id: z.string().nullish(),
  payment_id: z.string().nullish(),
  payment_request_id: z.string().nullish(),
  // A number by the schema, a text in some of the examples.
  amount: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]),
  currency: z.string().default('IDR'),
  status: z
    .string()
    .transform((status) => status.toUpperCase())
    .optional(),
  failure_code: z.string().nullish(),
  created: z.string().default(''),
});
export type SaidRefund = z.infer<typeof refundSaid>;

export const refundPage = z.object({ data: z.array(refundSaid), has_more: z.boolean().default(false) });

/** @throws RangeError when a status, an amount or a currency is not one we know how to read. */
export function toGatewayRefund(said: SaidRefund): GatewayRefund {
  const state = stateOf(said);
  return {
    state,
    refundId: said.id,
    amount: parseAmount(said.amount, said.currency),
    reason: state === 'failed' ? whyFailed(said) : null,
  };
}

export function stateOf({ status }: SaidRefund): 'pending' | 'succeeded' | 'failed' {
  switch (status) {
    case 'PENDING':
      return 'pending';
    case 'SUCCEEDED':
      return 'succeeded';
    case 'FAILED':
    case 'CANCELLED':
      return 'failed';
    default:
      throw new RangeError(`the refund's status "${status}" is not one of Xendit's documented ones`);
  }
}

const whyFailed = ({ status, failure_code: code }: SaidRefund): string =>
  status === 'CANCELLED' ? 'cancelled' : (refusalCode(code ?? '')?.toLowerCase() ?? 'refund_failed');
