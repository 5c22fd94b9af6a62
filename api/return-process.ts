/**
 * How the API speaks to the process of a return: what is said is put on record first, so a history holds its ID alone; then the
 * process hears of it and answers. One that has ended and must hear all the same (the parcel of a return that had expired) is
 * started again, and goes on from the record.
 */
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
} from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import type { ReturnRead } from '../db/return-reads.ts';
import { recordShopMessage, refuseShopMessage, shopMessageAnswer } from '../db/shop-messages.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ReturnId } from '../domain/ids.ts';
import type { Actor, Refusal } from '../domain/licensing.ts';
import type { ReturnContents } from '../domain/return-messages.ts';
import { type ReturnMessageKind, refuseReturnMessage } from '../domain/returns.ts';
import { rmaId } from '../workflows/ids.ts';
import { RETURN_UPDATES, type RmaAnswer, type RmaInput, type ShopMessage } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { isRefusal, toFailure } from './failures.ts';
import { returnSeenBy } from './return-json.ts';
import { withinTime } from './review-process.ts';
import { sealOrigin } from './sealed-origin.ts';

/** Starts the process of a return that is on record, or finds it started: needs no worker. */
export async function startReturn(deps: Pick<ApiDeps, 'temporal' | 'taskQueue'>, id: ReturnId): Promise<void> {
  const input: RmaInput = { returnId: id };
  const start = () =>
    deps.temporal.workflow.start('rma', {
      ...startOptions(deps, input),
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    });
  try {
    await withinTime(deps.temporal, start);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

const startOptions = ({ taskQueue }: Pick<ApiDeps, 'taskQueue'>, input: RmaInput) => ({
  workflowId: rmaId(input.returnId),
  taskQueue,
  args: [input] satisfies [RmaInput],
  // The API may have died between the record and this start: the next try must find it, and never make a second.
  workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  staticSummary: 'Return of goods',
});

export interface ReturnSaid {
  readonly id: ReturnId;
  readonly actor: Actor;
  readonly requestKey: string;
  readonly origin: Origin;
}

/**
 * Durable when it returns. What was done counts for whoever says it again, also where the watch has handed it over meanwhile and
 * the same would be refused by now.
 * @throws Failure as the process refuses it, or the record where there is none any more
 */
export async function sayToReturn<Kind extends ReturnMessageKind>(
  deps: ApiDeps,
  { id, actor, requestKey, origin }: ReturnSaid,
  kind: Kind,
  content: ReturnContents[Kind],
): Promise<RmaAnswer> {
  const said = {
    subject: `rma/${id}` as const,
    kind,
    by: actor.userId,
    content: Object.fromEntries(Object.entries(content)),
  };
  const messageId = await recordShopMessage(deps.db, { ...said, requestKey, at: new Date() });
  const answer = async (): Promise<RmaAnswer | null> => {
    const known = await shopMessageAnswer(deps.db, messageId);
    if (!known) return null;
    const it = await returnSeenBy(deps, actor, id);
    const { refusal } = known;
    if (!refusal || (refusal.code === 'return_not_open' && IS_SO[kind]?.(it, content))) return { state: it.state };
    throw new Failure(refusal.code, refusal.message, refusal.facts);
  };
  const sayNo = (refusal: Refusal) => refuseShopMessage(deps.db, messageId, refusal, new Date());
  const before = await answer();
  if (before) return before;
  const message: ShopMessage = { messageId, by: actor.userId, origin: sealOrigin(deps, origin) };
  const options = { updateId: requestKey, args: [message] } satisfies { updateId: string; args: [ShopMessage] };
  const handle = deps.temporal.workflow.getHandle(rmaId(id));
  try {
    return await withinTime(deps.temporal, () => handle.executeUpdate(RETURN_UPDATES[kind], options));
  } catch (error) {
    if (isRefusal(error)) await sayNo(toFailure(error));
    const meanwhile = await answer();
    if (meanwhile) return meanwhile;
    if (toFailure(error).code !== 'not_found') throw error;
  }
  // Its process has ended, or was never started: the record says whether there is still something to say to it.
  const { state } = await returnSeenBy(deps, actor, id);
  const refusal = refuseReturnMessage(kind, state);
  if (refusal) await sayNo(refusal);
  const startWorkflowOperation = new WithStartWorkflowOperation('rma', {
    ...startOptions(deps, { returnId: id }),
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  });
  try {
    return (
      (refusal && (await answer())) ??
      (await withinTime(deps.temporal, () =>
        deps.temporal.workflow.executeUpdateWithStart(RETURN_UPDATES[kind], { ...options, startWorkflowOperation }),
      ))
    );
  } catch (error) {
    if (isRefusal(error)) await sayNo(toFailure(error));
    const meanwhile = await answer();
    if (meanwhile) return meanwhile;
    throw error;
  }
}

/** What is asked for may be so already: by an answer that was lost, or because accepting the statement chose the outcome too. */
const IS_SO: { readonly [Kind in ReturnMessageKind]?: (it: ReturnRead, asked: ReturnContents[Kind]) => boolean } = {
  resolve: (it, { resolution }) => it.resolution === resolution,
  accept_deduction: ({ acceptedVersion, statementVersion }, { version }) =>
    acceptedVersion === statementVersion && (version ?? acceptedVersion) === acceptedVersion,
};
