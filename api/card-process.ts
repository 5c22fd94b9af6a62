/** How the API speaks to the processes that take and forget cards. */
import { WithStartWorkflowOperation } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { PaymentMethodId } from '../domain/ids.ts';
import { cardId, forgetCardId } from '../workflows/ids.ts';
import {
  type CardInput,
  type CardPage,
  cardPageUpdate,
  lookAgainSignal,
  lookForCardUpdate,
} from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';

type Parts = Pick<ApiDeps, 'temporal' | 'taskQueue' | 'logger'>;

/** The gateway opens a page within this time, or not. */
const OPENS_WITHIN_MS = 30_000;

/**
 * Where the card is given; a repeat of the request finds the same page.
 * @throws Failure `gateway_not_available`, `gateway_unavailable`
 */
export async function openCardPage({ temporal, taskQueue }: Parts, input: CardInput): Promise<CardPage> {
  const startWorkflowOperation = new WithStartWorkflowOperation('addCard', {
    workflowId: cardId(input.cardId),
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: 'A card to be kept on file',
  });
  const message = { updateId: input.cardId, startWorkflowOperation };
  return withinTime(temporal, () => temporal.workflow.executeUpdateWithStart(cardPageUpdate, message), OPENS_WITHIN_MS);
}

const LOOKS_WITHIN_MS = 5_000;

/** Has the gateway asked about pages on which a card may have been given. What gives no answer in time is left as it is. */
export async function lookForCards({ temporal, logger }: Parts, ids: readonly PaymentMethodId[]): Promise<void> {
  const look = async (id: PaymentMethodId) => {
    const handle = temporal.workflow.getHandle(cardId(id));
    try {
      await withinTime(temporal, () => handle.executeUpdate(lookForCardUpdate), LOOKS_WITHIN_MS);
    } catch (error) {
      logger.warn({ code: toFailure(error).code }, 'a card that may have been given could not be asked about');
    }
  };
  await Promise.all(ids.map(look));
}

/** The gateway says that a card was given: a hint, for the process asks by itself. Never throws. */
export async function tellCardGiven({ temporal, logger }: Parts, id: PaymentMethodId): Promise<void> {
  try {
    await withinTime(temporal, () => temporal.workflow.getHandle(cardId(id)).signal(lookAgainSignal), LOOKS_WITHIN_MS);
  } catch (error) {
    logger.warn({ code: toFailure(error).code }, 'the process that waits for a card could not be told of it');
  }
}

/** Started before the removal is committed: a start that fails leaves the card where it is. */
export async function startForgetting({ temporal, taskQueue }: Parts, id: PaymentMethodId): Promise<void> {
  await withinTime(temporal, () =>
    temporal.workflow.start('forgetCard', {
      workflowId: forgetCardId(id),
      taskQueue,
      args: [{ cardId: id }],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: 'A card to be forgotten',
    }),
  );
}
