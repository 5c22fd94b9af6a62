/** Paying an invoice: by a gateway, or with the credit that the company has. */
import { z } from 'zod';
import { findInvoice, type Invoice } from '../../db/invoice-reads.ts';
import { payablePartsOf } from '../../db/payable.ts';
import { creditIn } from '../../db/store-credit.ts';
import { Failure } from '../../domain/failures.ts';
import type { InvoiceId, UserId } from '../../domain/ids.ts';
import { money } from '../../domain/money.ts';
import { outstandingOf } from '../../domain/payments.ts';
import type { ApiDeps } from '../deps.ts';
import { gatewayFor, openPayment, payFromCredit } from '../payment-process.ts';
import { defineRoute, json } from '../route.ts';
import { invoiceIdSchema } from '../schemas/ids.ts';
import { creditPaidSchema, openedPaymentSchema, paySchema } from '../schemas/pay.ts';
import { moneyJson } from '../wire.ts';

const params = z.object({ id: invoiceIdSchema });
const tags = ['Invoices'];

const pay = defineRoute({
  method: 'post',
  path: '/invoices/:id/pay',
  summary: 'Get a link to pay an invoice',
  description:
    'While an attempt is open, the same link comes back; another gateway or method ends it first, where its page can be ended. The answer says whose page it is.',
  tags,
  permission: 'invoice.pay',
  params,
  body: paySchema,
  problems: [
    'not_found',
    'invoice_not_open',
    'gateway_not_available',
    'method_not_available',
    'amount_not_payable',
    'gateway_refused',
    'gateway_unavailable',
    'payment_unclear',
  ],
  workflow: { gone: 'invoice_not_open' },
  responses: { 201: { description: 'Where to pay', schema: openedPaymentSchema } },
  async handler({ params: { id }, body, actor, origin, deps, locale, requestKey }) {
    await openInvoiceOf(deps, actor.userId, id);
    const gateway = gatewayFor(deps, await payablePartsOf(deps.db, id), body);
    return json(201, await openPayment(deps, id, requestKey, { ...body, by: actor.userId, gateway, locale, origin }));
  },
});

const payWithCredit = defineRoute({
  method: 'post',
  path: '/invoices/:id/pay-with-credit',
  summary: 'Pay an invoice with the credit of the company, as far as it goes',
  description: 'What is left of the invoice then is paid as usual. A repeat with the same Idempotency-Key pays once.',
  tags,
  permission: 'invoice.pay',
  params,
  problems: ['not_found', 'invoice_not_open', 'no_store_credit', 'payment_unclear'],
  workflow: { gone: 'invoice_not_open' },
  responses: { 200: { description: 'What the credit has paid', schema: creditPaidSchema } },
  async handler({ params: { id }, actor, origin, deps, requestKey }) {
    const { total, companyId } = await openInvoiceOf(deps, actor.userId, id);
    // Asked here too: the process would end a page that is open before it found out.
    const credit = await creditIn(deps.db, companyId, total.currency);
    if (credit.amountMinor <= 0n) throw new Failure('no_store_credit', '');
    const { appliedMinor, invoiceState } = await payFromCredit(deps, id, requestKey, { by: actor.userId, origin });
    const outstanding = money(outstandingOf(await payablePartsOf(deps.db, id)), total.currency);
    return json(200, {
      applied: moneyJson(money(BigInt(appliedMinor), total.currency)),
      invoice: { id, state: invoiceState, outstanding: moneyJson(outstanding) },
    });
  },
});

export const payRoutes = [pay, payWithCredit];

/** Asked without the caller's roles: whoever sees every invoice for the office pays only those of their own company. */
async function openInvoiceOf(deps: ApiDeps, userId: UserId, id: InvoiceId): Promise<Invoice> {
  const invoice = await findInvoice(deps.db, { userId, roles: [] }, id);
  if (!invoice) throw new Failure('not_found', 'There is no such invoice, or none that you may see.');
  const { number, state } = invoice;
  if (state === 'open') return invoice;
  throw new Failure('invoice_not_open', `Invoice ${number} is ${state}: it cannot be paid any more.`, { state });
}
