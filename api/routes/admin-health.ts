import { z } from 'zod';
import type { Backlog } from '../../db/backlogs.ts';
import { defineRoute, json } from '../route.ts';
import { type Asked, type Pollers, type SystemHealth, systemHealth } from '../system-health.ts';
import { timeOrNull, timeSchema } from '../wire.ts';

const unavailable = z.object({ status: z.literal('unavailable') });
const ok = { status: z.literal('ok') };
const plain = z.union([z.object(ok), unavailable]);
const pollers = z.union([
  z.object({ ...ok, workers: z.int().describe('That ask for tasks.'), lastSeenAt: timeSchema.nullable() }),
  unavailable,
]);
const backlog = z.union([
  z.object({
    ...ok,
    waiting: z.int(),
    oldestAt: timeSchema.nullable(),
    lagSeconds: z.int().describe('Since when the first of it waits.'),
  }),
  unavailable,
]);
const schedule = z.union([
  z.object({
    id: z.string(),
    ...ok,
    paused: z.boolean(),
    lastRunAt: timeSchema.nullable(),
    lastOutcome: z.string().optional().describe('In Temporal’s words; absent before the first run.'),
    nextRunAt: timeSchema.nullable().describe('null while it is paused.'),
    missed: z.int().describe('Runs that were never made, because Temporal was away for too long.'),
  }),
  z.object({ id: z.string(), status: z.literal('unavailable') }),
]);

const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded']).describe('`degraded`: a part is away, or no worker asks for tasks.'),
    checkedAt: timeSchema,
    postgres: plain,
    temporal: plain,
    worker: z.object({ workflows: pollers, activities: pollers }),
    schedules: z.array(schedule),
    outbox: backlog.describe('Letters that no workflow has in hand yet.'),
    inbox: backlog.describe('Notices of gateways that nobody has looked into yet.'),
  })
  .meta({ id: 'SystemHealth' });

const read = defineRoute({
  method: 'get',
  path: '/admin/health',
  summary: 'How each part of the system is, and when its schedules run',
  description:
    'Each part is asked for two seconds at most; one that does not answer is `unavailable`, and the answer is 200 all the same.',
  tags: ['Admin'],
  permission: 'system.read',
  responses: { 200: { description: 'As it is now', schema: healthSchema } },
  async handler({ deps }) {
    return json(200, healthJson(await systemHealth(deps), new Date()), { headers: { 'Cache-Control': 'no-store' } });
  },
});

export const adminHealthRoutes = [read];

function healthJson(health: SystemHealth, at: Date) {
  const { postgres, temporal, workflowPollers, activityPollers, schedules, outbox, inbox } = health;
  const parts = [postgres, temporal, workflowPollers, activityPollers, outbox, inbox, ...schedules];
  const isOk = parts.every(({ status }) => status === 'ok') && [workflowPollers, activityPollers].every(isPolled);
  return {
    status: isOk ? ('ok' as const) : ('degraded' as const),
    checkedAt: at.toISOString(),
    postgres: { status: postgres.status },
    temporal: { status: temporal.status },
    worker: { workflows: pollersJson(workflowPollers), activities: pollersJson(activityPollers) },
    schedules: schedules.map(scheduleJson),
    outbox: backlogJson(outbox, at),
    inbox: backlogJson(inbox, at),
  };
}

const isPolled = (part: Asked<Pollers>): boolean => part.status === 'ok' && part.workers > 0;

const pollersJson = (part: Asked<Pollers>) =>
  part.status === 'ok' ? { ...part, lastSeenAt: timeOrNull(part.lastSeenAt) } : part;

const scheduleJson = (part: SystemHealth['schedules'][number]) =>
  part.status === 'ok'
    ? { ...part, lastRunAt: timeOrNull(part.lastRunAt), nextRunAt: timeOrNull(part.nextRunAt) }
    : part;

function backlogJson(part: Asked<Backlog>, at: Date) {
  if (part.status !== 'ok') return part;
  const { waiting, oldestAt } = part;
  const lagMs = oldestAt === null ? 0 : at.getTime() - oldestAt.getTime();
  return {
    status: part.status,
    waiting,
    oldestAt: timeOrNull(oldestAt),
    lagSeconds: Math.max(0, Math.floor(lagMs / 1000)),
  };
}
