/** How the API speaks to the process that collects an invoice. */
import { setTimeout } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Origin } from '../domain/events.ts';
import type { InvoiceId } from '../domain/ids.ts';
import type { Currency } from '../domain/money.ts';
import { GATEWAY_CURRENCIES, GATEWAYS, type GatewayName } from '../domain/payments.ts';
import { paymentId } from '../workflows/ids.ts';
import { type OpenPayment, type PayRequest, payUpdate } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

/** Gateways that this office has an account with and that take this currency; the first is for payers who were not asked. */
export const gatewaysFor = ({ gateways }: Pick<ApiDeps, 'gateways'>, currency: Currency): readonly GatewayName[] =>
  GATEWAYS.filter((name) => gateways[name] !== undefined && GATEWAY_CURRENCIES[name].includes(currency));

/** The process asks the gateway within this time, and waits for it. */
const GATEWAY_ANSWERS_WITHIN_MS = 25_000;

/**
 * Where to pay: the attempt that is open, or a new one. The caller has made sure that the invoice is open and that
 * `asked.by` may pay it.
 * @param requestKey repeats of the same request carry the same one
 * @throws Failure or an error that api/failures.ts knows
 */
export async function openPayment(
  deps: ApiDeps,
  id: InvoiceId,
  requestKey: string,
  asked: Omit<PayRequest, 'origin'> & { readonly origin: Origin },
): Promise<OpenPayment> {
  const handle = deps.temporal.workflow.getHandle(paymentId(id));
  const request: PayRequest = { ...asked, origin: sealOrigin(deps, asked.origin) };
  const say = () => handle.executeUpdate(payUpdate, { updateId: requestKey, args: [request] });
  return withinTime(deps.temporal, () => onceThere(say), GATEWAY_ANSWERS_WITHIN_MS);
}

/** An invoice is on record a moment before the process that collects it has started: who is that quick waits for it. */
async function onceThere<T>(say: () => Promise<T>): Promise<T> {
  for (const waitMs of [50, 100, 200, 400, 800, 1600]) {
    try {
      return await say();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await setTimeout(waitMs);
    }
  }
  return say();
}
