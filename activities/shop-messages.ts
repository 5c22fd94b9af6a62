/** Handing over what people said while nobody heard it: it is on record, and its process is told once more. */
import { activityInfo, getClient, heartbeat, log } from '@temporalio/activity';
import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { Knex } from 'knex';
import { isOrderInProcess } from '../db/order-processes.ts';
import { readReturn } from '../db/return-records.ts';
import { refuseShopMessage, type WaitingMessage, waitingMessages } from '../db/shop-messages.ts';
import { isFailureCode } from '../domain/failures.ts';
import { asId, type OrderId, type ReturnId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import { isReturnMessage, refuseReturnMessage } from '../domain/returns.ts';
import type { ActivityDeps } from './deps.ts';

/** By the names that workflows/ knows them under. */
export interface HearMessages {
  /** The process of a subject has its name as ID. */
  readonly of: 'order' | 'rma';
  readonly workflowType: string;
  /** By the kind of a message, the update that its process hears it by. */
  readonly updates: Readonly<Record<string, string>>;
  /** ISO 8601: what was said later is being heard. */
  readonly before: string;
  readonly at: string;
  readonly limit: number;
}

export interface MessagesHeard {
  /** Done, or its process said no to it. */
  readonly heard: number;
  /** Nothing can come of it any more, says the record. */
  readonly refused: number;
  /** Nobody answered; the next run tries again. */
  readonly left: number;
}

const ANSWER_WITHIN_MS = 5_000;

export function createShopMessageActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /** Of one subject in the order in which they were said; one that is left keeps those after it waiting. Safe to repeat. */
    async hearWaitingMessages(input: HearMessages): Promise<MessagesHeard> {
      const done = { heard: 0, refused: 0, left: 0 };
      for (let after: string | null = null; ; ) {
        const page: WaitingMessage[] = await waitingMessages(db, {
          ...input,
          kinds: Object.keys(input.updates),
          after,
        });
        const stuck = new Set<string>();
        for (const message of page) {
          heartbeat();
          if (stuck.has(message.subject)) continue;
          const what = await hear(db, input, message);
          done[what] += 1;
          if (what === 'left') stuck.add(message.subject);
        }
        if (page.length < input.limit) return done;
        after = page.at(-1)?.subject ?? null;
      }
    },
  };
}

async function hear(db: Knex, input: HearMessages, message: WaitingMessage): Promise<keyof MessagesHeard> {
  const over = await refusalOnRecord(db, message);
  if (over) {
    await refuseShopMessage(db, message.id, over, new Date(input.at));
    return 'refused';
  }
  try {
    await tell(input, message);
    return 'heard';
  } catch (error) {
    const refusal = refusalIn(error);
    if (refusal) await refuseShopMessage(db, message.id, refusal, new Date(input.at));
    else log.warn('what somebody said was not heard; the next run tries again', { error, messageId: message.id });
    return refusal ? 'heard' : 'left';
  }
}

async function tell({ of, workflowType, updates }: HearMessages, { id, subject, kind, by }: WaitingMessage) {
  const [, about = ''] = subject.split('/');
  const client = getClient();
  const startWorkflowOperation = new WithStartWorkflowOperation(workflowType, {
    workflowId: subject,
    taskQueue: activityInfo().taskQueue,
    args: [of === 'order' ? { orderId: about } : { returnId: about }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: of === 'order' ? 'Order, taken up' : 'Return, taken up again',
  });
  const options = { updateId: id, args: [{ messageId: id, by }], startWorkflowOperation };
  await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
    client.workflow.executeUpdateWithStart(updates[kind] ?? kind, options),
  );
}

/** One of ours: whoever spoke is told it. */
function refusalIn(error: unknown): Refusal | null {
  if (!(error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)) return null;
  const { type, message } = error.cause;
  return isFailureCode(type) ? { code: type, message, facts: {} } : null;
}

/** What the record knows that nothing can come of: no process is started for it. */
async function refusalOnRecord(db: Knex, { subject, kind }: WaitingMessage): Promise<Refusal | null> {
  const [of, about = ''] = subject.split('/');
  if (of === 'order') {
    const isInProcess = await isOrderInProcess(db, asId<OrderId>(about));
    return isInProcess ? null : { code: 'order_not_open', message: 'The order is over. Read it again.', facts: {} };
  }
  const { state } = await readReturn(db, asId<ReturnId>(about));
  return isReturnMessage(kind) ? refuseReturnMessage(kind, state) : null;
}
