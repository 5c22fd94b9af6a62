/** `/refunds`: 200 means pending, the end comes by callback, and the key in the header makes a repeat harmless. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { type InvoiceBook, keyName } from './book.ts';
import { type Invoice, REFUSED_REFUND, type Refund, refundRefusal, startRefund } from './invoices.ts';
import { invalidRequest, refused } from './refusals.ts';
import { refundBody } from './wire.ts';

const refundRequest = z.object({
  invoice_id: z.string({ error: 'is required' }),
  reference_id: z.string({ error: 'is required' }).min(1, 'is required').max(255, 'is too long'),
  amount: z.number().int().positive(),
  currency: z.literal('IDR').default('IDR'),
  reason: z.enum(['FRAUDULENT', 'DUPLICATE', 'REQUESTED_BY_CUSTOMER', 'CANCELLATION', 'OTHERS']),
});

export interface RefundState {
  readonly clock: () => Date;
  readonly book: InvoiceBook;
  find(id: string): Invoice | undefined;
  /** Stores it; the end of its last refund is notified when it comes. */
  changeRefund(invoice: Invoice): void;
}

type Found = readonly [Invoice, Refund];

export function createRefundApi(state: RefundState) {
  const search = (name: string, test: (refund: Refund) => boolean): Found | undefined =>
    state.book
      .named(name)
      .flatMap((invoice) => invoice.refunds.map((made): Found => [invoice, made]))
      .find(([, made]) => test(made));

  const start = (request: z.infer<typeof refundRequest>, key: string | null): Reply => {
    const invoice = state.find(request.invoice_id);
    if (invoice === undefined) return refused(404, 'DATA_NOT_FOUND', 'Could not find the payment to be refunded');
    const refusal = refundRefusal(invoice, request.amount);
    if (refusal !== null) return refused(REFUSED_REFUND[refusal].status, refusal, REFUSED_REFUND[refusal].message);
    const asked = {
      referenceId: request.reference_id,
      idempotencyKey: key,
      amount: request.amount,
      reason: request.reason,
    };
    const changed = startRefund(invoice, asked, state.clock());
    state.changeRefund(changed);
    return told(changed, changed.refunds.at(-1));
  };
  return {
    create: (req: Request): Reply => {
      const parsed = refundRequest.safeParse(req.body);
      if (!parsed.success) return invalidRequest(parsed.error);
      const key = req.get('idempotency-key') ?? null;
      const first = key === null ? undefined : search(keyName(key), ({ idempotencyKey }) => idempotencyKey === key);
      if (first === undefined) return start(parsed.data, key);
      const [invoice, made] = first;
      if (isRepeat(parsed.data, invoice, made)) return told(invoice, made);
      return refused(409, 'DUPLICATE_ERROR', 'Idempotency key has been used before with another request');
    },
    get: (req: Request): Reply => {
      const name = String(req.params.id);
      const found = search(name, ({ id }) => id === name);
      return found === undefined ? told(undefined, undefined) : told(...found);
    },
  };
}

const isRepeat = (asked: z.infer<typeof refundRequest>, invoice: Invoice, made: Refund): boolean =>
  asked.invoice_id === invoice.id && asked.reference_id === made.referenceId && asked.amount === made.amount;

const told = (invoice: Invoice | undefined, made: Refund | undefined): Reply =>
  invoice === undefined || made === undefined
    ? refused(404, 'DATA_NOT_FOUND', 'Could not find the refund')
    : { status: 200, body: refundBody(invoice, made) };
