/** How the API speaks to the process of a case: it starts it, hands over what people decided, and waits for the answer. */
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { caseOutcome } from '../db/applications.ts';
import { actsForCase } from '../db/company-members.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId } from '../domain/ids.ts';
import {
  type Actor,
  type ApplicationState,
  type DecisionRequest,
  isClosed,
  type Refusal,
} from '../domain/licensing.ts';
import { activationId, licenseReviewId } from '../workflows/ids.ts';
import {
  type CancelRequest,
  cancelUpdate,
  type DecisionRecorded,
  decideUpdate,
  type LicenseReviewInput,
  type MovePolicyRequest,
  movePolicyUpdate,
  type OverrideRequest,
  overrideUpdate,
  type ReassignRequest,
  reassignUpdate,
  respondUpdate,
  resubmitUpdate,
  type Sent,
  type TakenUpAgain,
  withdrawUpdate,
} from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { sealOrigin } from './sealed-origin.ts';

/** How long a caller waits for a process: longer than a worker takes to take over from one that died. */
const ANSWER_WITHIN_MS = 10_000;
/** A deadline counts only once there is a connection; without this, a caller waits 15 s for a Temporal that is away. */
const CONNECT_WITHIN_MS = 3_000;

/** @throws Failure `temporarily_unavailable` when Temporal cannot be reached in time */
export async function withinTime<T>(temporal: Client, work: () => Promise<T>, ms = ANSWER_WITHIN_MS): Promise<T> {
  await requireConnection(temporal);
  return temporal.withDeadline(Date.now() + ms, work);
}

async function requireConnection({ connection }: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure('temporarily_unavailable', '')), CONNECT_WITHIN_MS);
  });
  try {
    await Promise.race([connection.ensureConnected(), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** Starts the process of a submission, or finds it started: needs no worker. @throws Failure `already_submitted` */
export async function startReview(deps: ApiDeps, input: LicenseReviewInput): Promise<void> {
  const start = () =>
    deps.temporal.workflow.start('licenseReview', {
      workflowId: licenseReviewId(input.applicationId),
      taskQueue: deps.taskQueue,
      args: [input],
      // The API may have died between this start and the record: the next try must find it, and never make a second.
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: `Licence review: ${input.typeCode}`,
    });
  try {
    await withinTime(deps.temporal, start);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new Failure(
      'already_submitted',
      'This application was submitted before. Follow its status.',
      {},
      { cause: error },
    );
  }
}

/**
 * Takes up a case that was over: another run under its ID. Asked for twice it is one run; a run that starts though the case
 * has gone on since finds that in the record, and ends. Whether it may be taken up is the caller's question, to the record.
 * @param closedAt of the case that is taken up: by it a run that is there is known for this one
 * @throws Failure `temporarily_unavailable` while the run before is still there, its last letters on their way
 */
export async function takeUpAgain(
  deps: ApiDeps,
  input: LicenseReviewInput & { readonly again: TakenUpAgain },
  closedAt: Date,
): Promise<void> {
  const takenUp = `${input.again.kind}/${closedAt.toISOString()}`;
  const { memo } = await withinTime(deps.temporal, async () => {
    const handle = await deps.temporal.workflow.start('licenseReview', {
      workflowId: licenseReviewId(input.applicationId),
      taskQueue: deps.taskQueue,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `Licence review: ${input.typeCode}, ${input.again.kind === 'appeal' ? 'appeal' : 'reopened'}`,
      memo: { takenUp },
    });
    return handle.describe();
  });
  if (memo?.['takenUp'] !== takenUp) throw new Failure('temporarily_unavailable', '', { retryAfterSeconds: 30 });
}

/** What every message to a case says: who asks, and under which key a repeat is the same. */
export interface Message {
  readonly applicationId: ApplicationId;
  readonly requestKey: string;
  readonly origin: Origin;
}

/** Durable when it returns. The process knows the applicant, and only the records who else acts for the company by now. */
export async function decide(deps: ApiDeps, message: Message, decision: DecisionRequest): Promise<DecisionRecorded> {
  const ownCase = await actsForCase(deps.db, decision.by.userId, message.applicationId);
  return ask(deps, message, decision.by, (handle, sent) =>
    handle.executeUpdate(decideUpdate, { updateId: message.requestKey, args: [{ ...decision, ownCase, ...sent }] }),
  );
}

export const withdraw = (deps: ApiDeps, message: Message, request: { by: Actor; reason: string }) =>
  ask(deps, message, request.by, (handle, sent) =>
    handle.executeUpdate(withdrawUpdate, { updateId: message.requestKey, args: [{ ...request, ...sent }] }),
  );

/** A renewal that waits for its payment: its review is over, and its activation decides. */
export const withdrawUnpaid = (deps: ApiDeps, message: Message, request: { by: Actor; reason: string }) =>
  ask(
    deps,
    message,
    request.by,
    (handle, sent) =>
      handle.executeUpdate(withdrawUpdate, { updateId: message.requestKey, args: [{ ...request, ...sent }] }),
    activationId(message.applicationId),
  );

export const resubmit = (deps: ApiDeps, message: Message, by: Actor) =>
  ask(deps, message, by, (handle, sent) =>
    handle.executeUpdate(resubmitUpdate, { updateId: message.requestKey, args: [{ by, ...sent }] }),
  );

/**
 * What the record refuses may be what this very request has done, and its answer was lost: the process answers a repeat as it
 * did the first time, also when it has ended since. Everything else it refuses, too, and the record's words are the better ones.
 * @param couldBeDone whether the record shows what the request asks for
 * @throws Failure the refusal; `temporarily_unavailable` when the process cannot be asked
 */
export async function unlessDone(
  refusal: Refusal | null,
  couldBeDone: boolean,
  ask: () => Promise<unknown>,
): Promise<void> {
  const refused = refusal && new Failure(refusal.code, refusal.message, refusal.facts);
  if (refused && !couldBeDone) throw refused;
  try {
    await ask();
  } catch (error) {
    const isAway = toFailure(error).code === 'temporarily_unavailable';
    throw refused && !isAway ? refused : error;
  }
}

/** @returns who has the seat now; null = nobody was free, any supervisor may take it */
export const reassign = (deps: ApiDeps, message: Message, request: Omit<ReassignRequest, 'origin'>) =>
  ask(deps, message, request.by, (handle, sent) =>
    handle.executeUpdate(reassignUpdate, { updateId: message.requestKey, args: [{ ...request, ...sent }] }),
  );

/** The applicant's answer to an announced rejection; the statement is on record before this. */
export const respond = (deps: ApiDeps, message: Message, request: { by: Actor; statementId: string }) =>
  ask(deps, message, request.by, (handle, sent) =>
    handle.executeUpdate(respondUpdate, { updateId: message.requestKey, args: [{ ...request, ...sent }] }),
  );

export const cancel = (deps: ApiDeps, message: Message, request: Omit<CancelRequest, 'origin'>) =>
  ask(deps, message, request.by, (handle, sent) =>
    handle.executeUpdate(cancelUpdate, { updateId: message.requestKey, args: [{ ...request, ...sent }] }),
  );

/** A supervisor's decision in place of whoever holds the stage. */
export async function override(
  deps: ApiDeps,
  message: Message,
  request: Omit<OverrideRequest, 'origin' | 'ownCase'>,
): Promise<DecisionRecorded> {
  const ownCase = await actsForCase(deps.db, request.by.userId, message.applicationId);
  return ask(deps, message, request.by, (handle, sent) =>
    handle.executeUpdate(overrideUpdate, { updateId: message.requestKey, args: [{ ...request, ownCase, ...sent }] }),
  );
}

export const movePolicy = (deps: ApiDeps, message: Message, request: Omit<MovePolicyRequest, 'origin'>) =>
  ask(deps, message, request.by, (handle, sent) =>
    handle.executeUpdate(movePolicyUpdate, { updateId: message.requestKey, args: [{ ...request, ...sent }] }),
  );

type Handle = ReturnType<Client['workflow']['getHandle']>;

async function ask<T>(
  deps: ApiDeps,
  message: Message,
  by: Actor,
  say: (handle: Handle, sent: Sent) => Promise<T>,
  process: string = licenseReviewId(message.applicationId),
): Promise<T> {
  const handle = deps.temporal.workflow.getHandle(process);
  try {
    return await withinTime(deps.temporal, () => say(handle, { origin: sealOrigin(deps, message.origin) }));
  } catch (error) {
    // No process under this ID runs: never started, or ended. Only the records can say which.
    if (toFailure(error).code !== 'not_found') throw error;
    throw await whyThereIsNoProcess(deps, by, message.applicationId, error);
  }
}

const OFFICE_ENDED: readonly ApplicationState[] = ['active', 'rejected', 'lapsed_unpaid'];

async function whyThereIsNoProcess(deps: ApiDeps, by: Actor, id: ApplicationId, cause: unknown): Promise<Failure> {
  const found = await caseOutcome(deps.db, by, id);
  if (!found || (found.state === 'draft' && !found.visible)) {
    return new Failure('not_found', 'There is no such application, or none that you may see.', {}, { cause });
  }
  const { state, last } = found;
  if (!isClosed(state)) return notRunning(state, cause);
  // A case that its owner ended was not decided, even if an earlier stage of it was.
  if (!last || !OFFICE_ENDED.includes(state))
    return new Failure(
      'already_closed',
      `The case is ${state}; nothing can be changed any more.`,
      { state },
      { cause },
    );
  const message = `The case is ${state}: it was decided before. Read it again.`;
  const facts = {
    decidedBy: last.by,
    decidedAt: last.at.toISOString(),
    decision: last.decision,
    stage: last.stage,
    state,
  };
  return new Failure('already_decided', message, facts, { cause });
}

/** A draft has no process yet; any other open case without one is for ops to start again, and the caller comes back. */
function notRunning(state: ApplicationState, cause: unknown): Failure {
  if (state === 'draft') {
    return new Failure(
      'not_in_review',
      'The applicant has not submitted it yet: there is nothing to decide.',
      { state },
      { cause },
    );
  }
  return new Failure('temporarily_unavailable', '', { state, retryAfterSeconds: 30 }, { cause });
}
