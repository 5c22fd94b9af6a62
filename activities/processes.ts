/** How activities reach processes: to start them, to tell them something. Every call is bounded, and may be repeated. */
import { activityInfo, getClient, heartbeat, log } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/common';

/** A process by the names that workflows/ knows it under. */
export interface ProcessStart {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input: unknown;
  readonly summary: string;
}

/** By the name that workflows/messages.ts knows it under. */
export interface ProcessSignal {
  readonly name: string;
  readonly argument?: unknown;
}

export interface ProcessesStarted {
  readonly started: number;
  /** It was there. */
  readonly running: number;
  /** Logged; the next run tries again. */
  readonly failed: number;
}

const ANSWER_WITHIN_MS = 5_000;

/** One that runs is left to itself. */
export async function startProcess(start: ProcessStart): Promise<void> {
  await inTime((client) => client.workflow.start(start.workflowType, optionsOf(start)));
}

/** Start and signal in one: between the two, a process that has nothing to do would end and never hear of it. */
export async function tellOrStartProcess(start: ProcessStart, signal: ProcessSignal): Promise<void> {
  const signalled = { ...optionsOf(start), signal: signal.name, signalArgs: argumentsOf(signal) };
  await inTime((client) => client.workflow.signalWithStart(start.workflowType, signalled));
}

/** @returns false when there is none, or it has ended */
export async function tellProcess(workflowId: string, signal: ProcessSignal): Promise<boolean> {
  try {
    await inTime((client) => client.workflow.getHandle(workflowId).signal(signal.name, ...argumentsOf(signal)));
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** One that cannot be started keeps no other from it. Safe to repeat: what runs is left alone. */
export async function startMissing(starts: readonly ProcessStart[]): Promise<ProcessesStarted> {
  const done = { started: 0, running: 0, failed: 0 };
  for (const start of starts) {
    heartbeat();
    done[await startUnlessRunning(start)] += 1;
  }
  return done;
}

async function startUnlessRunning(start: ProcessStart): Promise<keyof ProcessesStarted> {
  const { workflowType, workflowId } = start;
  // One call both asks and starts: between two of them the process might come back by itself.
  const options = { ...optionsOf(start), workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL };
  try {
    await inTime((client) => client.workflow.start(workflowType, options));
    log.warn('a process that should have been there was started', { workflowId });
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'running';
    log.warn('a process could not be started; the next run tries again', { error, workflowId });
    return 'failed';
  }
}

const optionsOf = ({ workflowId, input, summary }: ProcessStart) => ({
  workflowId,
  taskQueue: activityInfo().taskQueue,
  args: [input],
  workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
  staticSummary: summary,
});

const argumentsOf = ({ argument }: ProcessSignal): unknown[] => (argument === undefined ? [] : [argument]);

function inTime<T>(call: (client: ReturnType<typeof getClient>) => Promise<T>): Promise<T> {
  const client = getClient();
  return client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => call(client));
}
