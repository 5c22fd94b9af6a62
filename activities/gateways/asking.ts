/** What every question to a gateway needs: the gateway itself, and what Temporal is told when it gives no answer. */
import { ApplicationFailure } from '@temporalio/activity';
import type { GatewayName } from '../../domain/payments.ts';
import type { CardsOnFile, GatewayError, PaymentGateway } from './gateway.ts';
import type { Gateways } from './index.ts';

/** The gateway that money was taken by. @throws Error while it is not configured */
export function gatewayOf(gateways: Gateways, name: GatewayName): PaymentGateway {
  const gateway = gateways[name];
  // Not `failed`: what was begun belongs to a gateway that was configured, and must be again.
  if (!gateway) throw new Error(`gateway ${name} is not configured; set its key and restart the worker`);
  return gateway;
}

/** @throws Error while it is not configured, or keeps no cards */
export function cardsOf(gateways: Gateways, name: GatewayName): CardsOnFile {
  const { cards } = gatewayOf(gateways, name);
  if (!cards) throw new Error(`${name} keeps no cards on file`);
  return cards;
}

/** A gateway that asks for patience is asked again when it said, anything else by the policy of the activity. */
export function retryable(error: GatewayError): Error {
  if (error.retryAfterSeconds === null) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nextRetryDelay: `${error.retryAfterSeconds}s`,
    cause: error,
  });
}
