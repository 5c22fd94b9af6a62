/** How the API speaks to the process that collects an invoice. */
import { setTimeout } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { isOpenInvoice } from '../db/invoice-reads.ts';
import type { PayableParts } from '../db/payable.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { InvoiceId, UserId } from '../domain/ids.ts';
import { type Currency, formatMoney, type Money, money } from '../domain/money.ts';
import { chooseGateway, type GatewayChoice } from '../domain/payment-methods.ts';
import { amountToAsk, GATEWAY_CURRENCIES, type GatewayName, type InvoiceState, type Part } from '../domain/payments.ts';
import { paymentId } from '../workflows/ids.ts';
import {
  type OpenPayment,
  type PayRequest,
  payUpdate,
  payWithCreditUpdate,
  type VoidedInvoice,
  type VoidRequest,
  voidUpdate,
} from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { RETRY_AFTER_SECONDS } from './failures.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

/** Gateways that this office has an account with and that take this currency, in the office's order. */
export const gatewaysFor = (
  { gateways, money }: Pick<ApiDeps, 'gateways' | 'money'>,
  currency: Currency,
): readonly GatewayName[] =>
  money.gatewayOrder.filter((name) => gateways[name] !== undefined && GATEWAY_CURRENCIES[name].includes(currency));

/**
 * The gateway that a payer named, or that fits: the one of the attempt that is open, else the office's first that takes the
 * amount by the method.
 * @throws Failure `gateway_not_available`, `method_not_available`, `amount_not_payable`, naming what there is instead
 */
export function gatewayFor(
  deps: Pick<ApiDeps, 'gateways' | 'money'>,
  { total, paid, instalments, openGateway }: PayableParts,
  asked: { readonly gateway?: GatewayName | undefined; readonly method?: string | undefined; readonly part: Part },
): GatewayName {
  const { currency } = total;
  const offered = gatewaysFor(deps, currency);
  const { amountMinor } = amountToAsk({ total, paid }, instalments, asked.part);
  const again =
    asked.method === undefined && openGateway !== null && offered.includes(openGateway) ? openGateway : undefined;
  const { gateway = again, method } = asked;
  const choice = chooseGateway({ currency, amountMinor, offered, gateway, method });
  if (choice.ok) return choice.gateway;
  throw unfit(choice, asked.gateway ?? null, money(amountMinor, currency));
}

function unfit(
  { code, choices }: Extract<GatewayChoice, { ok: false }>,
  gateway: GatewayName | null,
  amount: Money,
): Failure {
  const instead = choices.length > 0 ? ` Choose one of: ${choices.join(', ')}.` : '';
  const errors = [{ pointer: POINTERS[code], code: 'not_available', detail: choices.join(', ') }];
  switch (code) {
    case 'gateway_not_available':
      return new Failure(code, `${gateway ?? 'A gateway'} is not offered here for ${amount.currency}.${instead}`, {
        errors,
      });
    case 'method_not_available':
      return new Failure(code, `${gateway ?? 'This office'} does not take this method for this invoice.${instead}`, {
        errors,
      });
    case 'amount_not_payable':
      return new Failure(code, `${formatMoney(amount)} is too little or too much for it.${instead}`, { errors });
  }
}

const POINTERS = {
  gateway_not_available: '/gateway',
  method_not_available: '/method',
  amount_not_payable: '/method',
} as const;

/**
 * Where to pay: the attempt that is open, or a new one. The caller has made sure that the invoice is open and that
 * `asked.by` may pay it.
 * @param requestKey repeats of the same request carry the same one, here and below
 * @throws Failure or an error that api/failures.ts knows
 */
export const openPayment = (
  deps: ApiDeps,
  id: InvoiceId,
  requestKey: string,
  asked: Omit<PayRequest, 'origin'> & { readonly origin: Origin },
): Promise<OpenPayment> => ask(deps, id, requestKey, payUpdate, { ...asked, origin: sealOrigin(deps, asked.origin) });

/** Pays with the company's credit. The caller has made sure that the invoice is open and that `asked.by` may pay it. */
export const payFromCredit = (
  deps: ApiDeps,
  id: InvoiceId,
  requestKey: string,
  asked: { readonly by: UserId; readonly origin: Origin },
): Promise<{ readonly appliedMinor: string; readonly invoiceState: InvoiceState }> =>
  ask(deps, id, requestKey, payWithCreditUpdate, { ...asked, origin: sealOrigin(deps, asked.origin) });

/** Voided by the process that collects it, so that no payment is opened meanwhile. */
export const voidInvoice = (
  deps: ApiDeps,
  id: InvoiceId,
  requestKey: string,
  asked: Omit<VoidRequest, 'origin'> & { readonly origin: Origin },
): Promise<VoidedInvoice> =>
  ask(deps, id, requestKey, voidUpdate, { ...asked, origin: sealOrigin(deps, asked.origin) });

/** The process asks the gateway within this time, and waits for it. */
const GATEWAY_ANSWERS_WITHIN_MS = 25_000;

function ask<Answer, Said>(
  deps: ApiDeps,
  id: InvoiceId,
  requestKey: string,
  update: UpdateDefinition<Answer, [Said]>,
  said: Said,
): Promise<Answer> {
  const handle = deps.temporal.workflow.getHandle(paymentId(id));
  const message = { updateId: requestKey, args: [said] } satisfies { updateId: string; args: [Said] };
  const say = () => handle.executeUpdate(update, message);
  return withinTime(deps.temporal, () => onceThere(deps, id, say), GATEWAY_ANSWERS_WITHIN_MS);
}

const THERE_AFTER_MS = [50, 100, 200, 400, 800, 1600] as const;

/**
 * An invoice is on record a moment before the process that collects it has started, longer when the workers are busy: who
 * is that quick waits for it.
 * @throws Failure `temporarily_unavailable` when it is not there in time; an open invoice can still be paid
 */
async function onceThere<T>({ db }: Pick<ApiDeps, 'db'>, id: InvoiceId, say: () => Promise<T>): Promise<T> {
  for (const waitMs of THERE_AFTER_MS) {
    try {
      return await say();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      if (!(await isOpenInvoice(db, id))) throw error;
      await setTimeout(waitMs);
    }
  }
  throw new Failure('temporarily_unavailable', '', { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
