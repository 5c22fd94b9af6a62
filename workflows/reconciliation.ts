/**
 * Each night: every gateway's money against the books, then a report to finance. A schedule starts it (worker/schedules.ts).
 * A gateway that cannot be asked fails its own walk and keeps neither the others nor the report from going on.
 */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { isCancellation, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ReconciliationPlan, Walked } from '../activities/reconciliation.ts';
import { clock } from './answers.ts';
import { reconciling, records } from './policies.ts';

type Span = ReconciliationPlan['spans'][number];

const { planReconciliation, failReconciliation, reportDay } = proxyActivities<Activities>({
  ...records,
  summary: 'Reconciliation: plan, notes, report',
});
const walks = proxyActivities<Activities>({ ...reconciling, summary: 'Walk a gateway against the books' });

export interface Reconciled {
  readonly day: string;
  readonly walks: Readonly<Record<string, Walked>>;
  readonly letters: number;
}

/** @param night any instant of the day after the one that is walked, ISO 8601; absent = when it was due, or now */
export async function reconciliation(night?: string): Promise<Reconciled> {
  const { day, spans } = await planReconciliation({ at: night ?? dueAt() });
  setCurrentDetails(`Walking **${day}** at ${spans.map(({ gateway }) => gateway).join(', ')}`);
  const walked = await Promise.all(spans.map(async (span) => [span.gateway, await walk(span)] as const));
  const { letters } = await reportDay({ day, at: clock() });
  setCurrentDetails(`Walked **${day}**; ${letters} reports to finance`);
  return { day, walks: Object.fromEntries(walked), letters };
}

async function walk(span: Span): Promise<Walked> {
  try {
    return await walks.reconcileGateway({ span, at: clock() });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return failReconciliation({ span, reason: reasonOf(error), at: clock() });
  }
}

/** A night that is caught up on later is still that night. */
function dueAt(): string {
  const due = workflowInfo().searchAttributes['TemporalScheduledStartTime']?.[0];
  return due instanceof Date ? due.toISOString() : clock();
}

function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return reasonBefore(cause) ?? 'timed_out';
  return cause instanceof ApplicationFailure && cause.type ? cause.type : 'failed';
}

/** What went wrong the last time before the time was up. */
const reasonBefore = ({ cause }: TimeoutFailure): string | null =>
  cause instanceof ApplicationFailure ? (cause.type ?? null) : null;
