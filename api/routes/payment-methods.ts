/** With what an amount or an invoice can be paid here, and what goes back the way it came. */
import { z } from 'zod';
import { findInvoice } from '../../db/invoice-reads.ts';
import { payablePartsOf } from '../../db/payable.ts';
import { creditIn } from '../../db/store-credit.ts';
import { Failure } from '../../domain/failures.ts';
import type { InvoiceId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { type Money, money } from '../../domain/money.ts';
import { methodsFor } from '../../domain/payment-methods.ts';
import { amountToAsk, PARTS, type Part } from '../../domain/payments.ts';
import type { ApiDeps } from '../deps.ts';
import { gatewaysFor } from '../payment-process.ts';
import { defineRoute, json } from '../route.ts';
import { invoiceIdSchema } from '../schemas/ids.ts';
import { paymentMethodsSchema } from '../schemas/pay.ts';
import { moneyJson } from '../wire.ts';

const list = defineRoute({
  method: 'get',
  path: '/payments/methods',
  summary: 'What an invoice, or an amount, can be paid with',
  description:
    'Give `invoiceId`, or `currency` and `amountMinor`. The first is the one to recommend; the order of gateways is the office’s.',
  tags: ['Payments'],
  permission: 'invoice.read',
  query: z.strictObject({
    invoiceId: invoiceIdSchema.optional(),
    part: z.enum(PARTS).default('next').describe('Of an invoice in instalments.'),
    currency: z.enum(['IDR', 'MYR']).optional(),
    amountMinor: z.coerce.bigint().min(1n).max(BigInt(Number.MAX_SAFE_INTEGER)).optional(),
  }),
  problems: ['not_found'],
  responses: { 200: { description: 'The methods', schema: paymentMethodsSchema } },
  async handler({ query: { invoiceId, part, currency, amountMinor }, actor, deps, locale }) {
    const { amount, storeCredit } = invoiceId
      ? await ofInvoice(deps, actor, invoiceId, part)
      : { amount: givenAmount(currency, amountMinor), storeCredit: null };
    const offered = gatewaysFor(deps, amount.currency);
    const methods = methodsFor({ ...amount, offered });
    return json(200, {
      items: methods.map((one, index) => ({
        gateway: one.gateway,
        method: one.method,
        name: one.name[locale],
        usualTime: one.usual,
        minimum: moneyJson(one.minimum),
        maximum: moneyJson(one.maximum),
        refund: one.refund,
        recommended: index === 0,
      })),
      amount: moneyJson(amount),
      storeCredit: storeCredit && moneyJson(storeCredit),
    });
  },
});

export const paymentMethodRoutes = [list];

async function ofInvoice(
  deps: ApiDeps,
  viewer: Actor,
  id: InvoiceId,
  part: Part,
): Promise<{ amount: Money; storeCredit: Money | null }> {
  const invoice = await findInvoice(deps.db, viewer, id);
  if (!invoice) throw new Failure('not_found', 'There is no such invoice, or none that you may see.');
  const parts = await payablePartsOf(deps.db, id);
  const { currency } = invoice.total;
  const credit = await creditIn(deps.db, invoice.companyId, currency);
  const { amountMinor } = amountToAsk(parts, parts.instalments, part);
  return { amount: money(amountMinor, currency), storeCredit: credit.amountMinor > 0n ? credit : null };
}

function givenAmount(currency: Money['currency'] | undefined, amountMinor: bigint | undefined): Money {
  if (currency !== undefined && amountMinor !== undefined) return money(amountMinor, currency);
  const pointer = currency === undefined ? '/currency' : '/amountMinor';
  throw new Failure('invalid_request', 'Give invoiceId, or currency and amountMinor.', {
    errors: [{ pointer, code: 'required', detail: 'missing' }],
  });
}
