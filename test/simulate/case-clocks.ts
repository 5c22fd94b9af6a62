/**
 * Each execution has a clock of its own, which stands at the machine's time plus what it has skipped. These bring one to a
 * moment of the simulated year: at its start by a delay that is skipped, later by going forward.
 */
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowClientInterceptor } from '@temporalio/client';
import Long from 'long';

export interface CaseClocks {
  /** The execution that is started next under this ID begins at this time, in epoch milliseconds. */
  startAt(workflowId: string, at: number): void;
  /** For the client that starts them. */
  readonly interceptor: WorkflowClientInterceptor;
  /** What is due until then has happened, with its activities, when this resolves. Also when it ends on the way. */
  bringTo(client: Client, workflowId: string, at: number): Promise<void>;
}

const WITHIN_MS = 60_000;

export function createCaseClocks(): CaseClocks {
  const beginnings = new Map<string, number>();
  const skippedMs = new Map<string, number>();
  return {
    startAt: (workflowId, at) => {
      beginnings.set(workflowId, at);
      skippedMs.set(workflowId, 0);
    },
    interceptor: {
      start: (input, next) => {
        const at = beginnings.get(input.options.workflowId);
        if (at === undefined) return next(input);
        return next({ ...input, options: { ...input.options, startDelay: durationOf(Math.max(0, at - Date.now())) } });
      },
    },
    bringTo: async (client, workflowId, at) => {
      const aheadMs = at - (Date.now() + (skippedMs.get(workflowId) ?? 0));
      if (aheadMs <= 0) return;
      const there = await goForward(client, workflowId, aheadMs);
      if (there !== null) skippedMs.set(workflowId, there - Date.now());
    },
  };
}

/** @returns where its clock stands now, epoch milliseconds; null when it has ended on the way */
async function goForward(client: Client, workflowId: string, byMs: number): Promise<number | null> {
  const { workflowService } = client.connection;
  const id = randomUUID();
  const execution = { namespace: client.options.namespace, workflowExecution: { workflowId } };
  await workflowService.updateWorkflowExecutionOptions({
    ...execution,
    workflowExecutionOptions: {
      timeSkippingConfig: {
        enabled: true,
        disablePropagation: true,
        fastForwardConfig: { id, duration: durationOf(byMs) },
      },
    },
    updateMask: { paths: ['time_skipping_config'] },
  });
  const { fastForwardInfo } = await client.withDeadline(Date.now() + WITHIN_MS, () =>
    workflowService.pollWorkflowExecutionTimeSkipping({ ...execution, fastForwardId: id }),
  );
  const target = fastForwardInfo?.targetTime;
  if (!target) return null;
  return Number(target.seconds) * 1000 + Math.floor((target.nanos ?? 0) / 1_000_000);
}

const durationOf = (ms: number) => ({
  seconds: Long.fromNumber(Math.floor(ms / 1000)),
  nanos: (Math.floor(ms) % 1000) * 1_000_000,
});
