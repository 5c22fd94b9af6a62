/** How the API speaks to the process of a subscription: it starts it, hands over what people ask for, and waits for the answer. */
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy } from '@temporalio/client';
import { type UpdateDefinition, WorkflowIdReusePolicy } from '@temporalio/common';
import { openSubscriptionOrigin } from '../db/subscription-processes.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { PaymentMethodId, SubscriptionId, UserId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { Plan } from '../domain/subscriptions.ts';
import { subscriptionId } from '../workflows/ids.ts';
import {
  cancelSubscriptionUpdate,
  changeMethodUpdate,
  changePlanUpdate,
  extendSubscriptionUpdate,
  pauseSubscriptionUpdate,
  resumeSubscriptionUpdate,
  type Sent,
  type SubscriptionAnswer,
  type SubscriptionInput,
} from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';
import { subscriptionSeenBy } from './subscription-json.ts';

/**
 * Starts the process of a subscription, or finds it started: needs no worker. One that has ended is there as well: its record
 * says how it went.
 */
export async function startSubscription(
  deps: Pick<ApiDeps, 'temporal' | 'taskQueue'>,
  input: SubscriptionInput,
  workflowIdReusePolicy: WorkflowIdReusePolicy = WorkflowIdReusePolicy.REJECT_DUPLICATE,
): Promise<void> {
  const start = () =>
    deps.temporal.workflow.start('subscription', {
      workflowId: subscriptionId(input.subscriptionId),
      taskQueue: deps.taskQueue,
      args: [input],
      // The API may have died between this start and the record: the next try must find it, and never make a second.
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy,
      staticSummary: `Subscription: ${input.plan.code}`,
    });
  try {
    await withinTime(deps.temporal, start);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** What every message says: about which subscription, by whom, and under which key a repeat is the same. */
export interface SubscriptionMessage {
  readonly id: SubscriptionId;
  readonly actor: Actor;
  readonly requestKey: string;
  readonly origin: Origin;
}

export const cancelSubscription = (deps: ApiDeps, message: SubscriptionMessage, at: 'now' | 'period_end') =>
  ask(deps, message, cancelSubscriptionUpdate, { at });

export const pauseSubscription = (deps: ApiDeps, message: SubscriptionMessage) =>
  ask(deps, message, pauseSubscriptionUpdate, {});

/** Ends a pause, or takes back a cancellation at the period's end. */
export const resumeSubscription = (deps: ApiDeps, message: SubscriptionMessage) =>
  ask(deps, message, resumeSubscriptionUpdate, {});

export const changePlan = (deps: ApiDeps, message: SubscriptionMessage, plan: Plan) =>
  ask(deps, message, changePlanUpdate, { plan });

export const extendSubscription = (
  deps: ApiDeps,
  message: SubscriptionMessage,
  said: { readonly days: number; readonly reason: string },
) => ask(deps, message, extendSubscriptionUpdate, said);

/** The caller has made sure that the card is the company's. */
export const changeMethod = (deps: ApiDeps, message: SubscriptionMessage, paymentMethodId: PaymentMethodId | null) =>
  ask(deps, message, changeMethodUpdate, { paymentMethodId });

/** Durable when it returns. */
async function ask<Said>(
  deps: ApiDeps,
  { id, actor, requestKey, origin }: SubscriptionMessage,
  update: UpdateDefinition<SubscriptionAnswer, [Said & { readonly by: UserId } & Sent]>,
  said: Said,
): Promise<SubscriptionAnswer> {
  const handle = deps.temporal.workflow.getHandle(subscriptionId(id));
  const message: Said & { by: UserId } & Sent = { ...said, by: actor.userId, origin: sealOrigin(deps, origin) };
  const options = { updateId: requestKey, args: [message] } satisfies { updateId: string; args: [typeof message] };
  try {
    return await withinTime(deps.temporal, () => handle.executeUpdate(update, options));
  } catch (error) {
    if (toFailure(error).code !== 'not_found') throw error;
    throw await whyThereIsNoProcess(deps, actor, id, error);
  }
}

/** One that is open and has no process gets it back here, from the record; the caller comes again and finds it. */
async function whyThereIsNoProcess(deps: ApiDeps, actor: Actor, id: SubscriptionId, cause: unknown): Promise<Failure> {
  const { state } = await subscriptionSeenBy(deps, actor, id);
  const origin = await openSubscriptionOrigin(deps.db, id);
  if (origin) {
    await startSubscription(deps, origin, WorkflowIdReusePolicy.ALLOW_DUPLICATE);
    return new Failure('temporarily_unavailable', '', { state, retryAfterSeconds: 1 }, { cause });
  }
  return new Failure('subscription_not_open', `The subscription is ${state}. Start a new one.`, { state }, { cause });
}
