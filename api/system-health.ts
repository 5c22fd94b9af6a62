/** How the whole of Alur is, for ops: each part is asked by itself, for two seconds at most, and none keeps the others back. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ScheduleDescription } from '@temporalio/client';
import { type Backlog, backlogs } from '../db/backlogs.ts';
import { SCHEDULE_IDS } from '../workflows/ids.ts';
import type { ApiDeps } from './deps.ts';
import { loggable } from './logging.ts';

const TIMEOUT_MS = 2_000;

export type Asked<Part> = ({ readonly status: 'ok' } & Part) | { readonly status: 'unavailable' };

export interface Pollers {
  /** Workers that asked for tasks in the last minutes. */
  readonly workers: number;
  readonly lastSeenAt: Date | null;
}

export interface ScheduleHealth {
  readonly paused: boolean;
  readonly lastRunAt: Date | null;
  /** Absent before the first run. */
  readonly lastOutcome?: string;
  readonly nextRunAt: Date | null;
  /** Runs that were never made, because Temporal was away for longer than they may be late. */
  readonly missed: number;
}

export interface SystemHealth {
  readonly postgres: Asked<object>;
  readonly temporal: Asked<object>;
  readonly workflowPollers: Asked<Pollers>;
  readonly activityPollers: Asked<Pollers>;
  readonly schedules: readonly (Asked<ScheduleHealth> & { readonly id: string })[];
  readonly outbox: Asked<Backlog>;
  readonly inbox: Asked<Backlog>;
}

type Deps = Pick<ApiDeps, 'db' | 'temporal' | 'taskQueue' | 'logger'>;

/** @param schedules.prefix before every ID, where tests share a namespace */
export async function systemHealth(
  deps: Deps,
  schedules: { readonly ids: readonly string[]; readonly prefix?: string } = { ids: SCHEDULE_IDS },
): Promise<SystemHealth> {
  const { db, temporal } = deps;
  const { ids, prefix = '' } = schedules;
  const waiting = backlogs(db);
  const [postgres, temporalPart, workflowPollers, activityPollers, outbox, inbox, found] = await Promise.all([
    part(deps, 'postgres', () => answered(db.raw('select 1'))),
    part(deps, 'temporal', () => answered(temporal.workflowService.getSystemInfo({}))),
    part(deps, 'workflow pollers', () => pollersOf(deps, 'workflow')),
    part(deps, 'activity pollers', () => pollersOf(deps, 'activity')),
    part(deps, 'outbox', async () => (await waiting).outbox),
    part(deps, 'inbox', async () => (await waiting).inbox),
    Promise.all(
      ids.map(async (id) => ({ id, ...(await part(deps, `schedule ${id}`, () => scheduleOf(deps, prefix + id))) })),
    ),
  ]);
  return { postgres, temporal: temporalPart, workflowPollers, activityPollers, schedules: found, outbox, inbox };
}

async function answered(question: PromiseLike<unknown>): Promise<object> {
  await question;
  return {};
}

async function part<Part extends object>(
  { temporal, logger }: Pick<Deps, 'temporal' | 'logger'>,
  name: string,
  ask: () => Promise<Part>,
): Promise<Asked<Part>> {
  const timer = new AbortController();
  const timeUp = delay(TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${TIMEOUT_MS} ms`);
  });
  try {
    const asked = temporal.withDeadline(Date.now() + TIMEOUT_MS, ask);
    const answer = await Promise.race([asked, timeUp]);
    return { status: 'ok' as const, ...answer };
  } catch (error) {
    logger.warn({ err: loggable(error), part: name }, 'a part is not available');
    return { status: 'unavailable' };
  } finally {
    timer.abort();
  }
}

/** As temporal.api.enums.v1.TaskQueueType numbers them. */
const TASK_QUEUE_TYPES = { workflow: 1, activity: 2 } as const;

async function pollersOf({ temporal, taskQueue }: Deps, kind: keyof typeof TASK_QUEUE_TYPES): Promise<Pollers> {
  const { pollers } = await temporal.workflowService.describeTaskQueue({
    namespace: temporal.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: TASK_QUEUE_TYPES[kind],
  });
  const seen = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
  const identities = new Set((pollers ?? []).map(({ identity }) => identity));
  return { workers: identities.size, lastSeenAt: seen.length > 0 ? new Date(Math.max(...seen)) : null };
}

async function scheduleOf({ temporal }: Deps, id: string): Promise<ScheduleHealth> {
  const { state, info } = await temporal.schedule.getHandle(id).describe();
  const last = info.recentActions.at(-1);
  return {
    paused: state.paused,
    lastRunAt: last?.takenAt ?? null,
    ...(last ? { lastOutcome: await outcomeOf(temporal, last) } : {}),
    nextRunAt: state.paused ? null : (info.nextActionTimes[0] ?? null),
    missed: info.numActionsMissedCatchupWindow,
  };
}

/** In Temporal's words: `running`, `completed`, `failed`, `terminated`, … */
async function outcomeOf(
  temporal: ApiDeps['temporal'],
  { action }: ScheduleDescription['info']['recentActions'][number],
): Promise<string> {
  const { workflowId, firstExecutionRunId } = action.workflow;
  const { status } = await temporal.workflow.getHandle(workflowId, firstExecutionRunId).describe();
  return status.name.toLowerCase();
}
