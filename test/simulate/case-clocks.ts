/**
 * Each execution has a clock of its own, which stands at the machine's time plus what it has skipped. These bring one to a
 * moment of the simulated year: at its start by a delay that is skipped, later by going forward.
 *
 * An execution that is busy while it passes the target of a fast-forward skips once more, to its next timer, however far that
 * is. So a target lies before whatever makes it busy, or a minute after; what is a moment away is waited for.
 */
import { randomUUID } from 'node:crypto';
import {
  Client,
  type Connection,
  WorkflowClient,
  type WorkflowClientOptions,
  type WorkflowStartInput,
} from '@temporalio/client';
import Long from 'long';

export interface CaseClocks {
  /** A client whose executions begin when `startAt` says so. */
  clientOf(connection: Connection): Client;
  /** The execution that is started next under this ID begins at this time, in epoch milliseconds. */
  startAt(workflowId: string, at: number): void;
  /** It begins within a moment. Once it was started. */
  begun(client: Client, workflowId: string): Promise<void>;
  /** What is due until then has happened, with its activities, when this resolves. Also when it ends on the way. */
  bringTo(client: Client, workflowId: string, at: number): Promise<void>;
}

const WITHIN_MS = 60_000;
/** Between the skip and the first task. */
const BEFORE_START_MS = 10;

interface Beginning {
  readonly at: number;
  readonly fastForwardId: string;
}

export function createCaseClocks(): CaseClocks {
  const beginnings = new Map<string, Beginning>();
  const skippedMs = new Map<string, number>();
  const arrived = async (client: Client, workflowId: string, fastForwardId: string): Promise<void> => {
    const there = await arrival(client, workflowId, fastForwardId);
    if (there !== null) skippedMs.set(workflowId, there - Date.now());
  };
  return {
    clientOf: (connection) => new MovedClient(connection, beginnings),
    startAt: (workflowId, at) => {
      beginnings.set(workflowId, { at, fastForwardId: randomUUID() });
    },
    begun: async (client, workflowId) => {
      const beginning = beginnings.get(workflowId);
      if (!beginning) throw new Error(`nobody said when ${workflowId} begins`);
      await arrived(client, workflowId, beginning.fastForwardId);
    },
    bringTo: async (client, workflowId, at) => {
      const aheadMs = at - (Date.now() + (skippedMs.get(workflowId) ?? 0));
      if (aheadMs > 0) await arrived(client, workflowId, await goForward(client, workflowId, aheadMs));
    },
  };
}

class MovedClient extends Client {
  override readonly workflow: WorkflowClient;

  constructor(connection: Connection, beginnings: ReadonlyMap<string, Beginning>) {
    super({ connection });
    this.workflow = new MovedWorkflowClient({ connection }, beginnings);
  }
}

class MovedWorkflowClient extends WorkflowClient {
  readonly #beginnings: ReadonlyMap<string, Beginning>;

  constructor(options: WorkflowClientOptions, beginnings: ReadonlyMap<string, Beginning>) {
    super(options);
    this.#beginnings = beginnings;
  }

  /** Both in the one request: the skip ends just before the delay does, on the same clock. */
  protected override async createStartWorkflowRequest(input: WorkflowStartInput) {
    const request = await super.createStartWorkflowRequest(input);
    const beginning = this.#beginnings.get(input.options.workflowId);
    if (!beginning) return request;
    const delayMs = beginning.at - Date.now();
    const fastForwardConfig = { id: beginning.fastForwardId, duration: durationOf(delayMs - BEFORE_START_MS) };
    return {
      ...request,
      workflowStartDelay: durationOf(delayMs),
      timeSkippingConfig: { enabled: true, disablePropagation: true, fastForwardConfig },
    };
  }
}

const execution = (client: Client, workflowId: string) => ({
  namespace: client.options.namespace,
  workflowExecution: { workflowId },
});

/** @returns the fast-forward's ID */
async function goForward(client: Client, workflowId: string, byMs: number): Promise<string> {
  const id = randomUUID();
  const fastForwardConfig = { id, duration: durationOf(byMs) };
  await client.connection.workflowService.updateWorkflowExecutionOptions({
    ...execution(client, workflowId),
    workflowExecutionOptions: { timeSkippingConfig: { enabled: true, disablePropagation: true, fastForwardConfig } },
    updateMask: { paths: ['time_skipping_config'] },
  });
  return id;
}

/** @returns where its clock stands, epoch milliseconds; null when it has ended on the way */
async function arrival(client: Client, workflowId: string, fastForwardId: string): Promise<number | null> {
  const { fastForwardInfo } = await client.withDeadline(Date.now() + WITHIN_MS, () =>
    client.connection.workflowService.pollWorkflowExecutionTimeSkipping({
      ...execution(client, workflowId),
      fastForwardId,
    }),
  );
  const target = fastForwardInfo?.targetTime;
  return target ? Number(target.seconds) * 1000 + Math.floor((target.nanos ?? 0) / 1_000_000) : null;
}

const durationOf = (ms: number) => ({
  seconds: Long.fromNumber(Math.floor(ms / 1000)),
  nanos: (Math.floor(ms) % 1000) * 1_000_000,
});
