/** Who works on a case: taken, handed on, or given up; each an update of its process. */
import { z } from 'zod';
import type { ApplicationId } from '../../domain/ids.ts';
import type { ReassignRequest } from '../../workflows/messages.ts';
import type { Caller } from '../request.ts';
import { reassign } from '../review-process.ts';
import { type Context, defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { conflictSchema, delegationSchema, reassignedSchema, reassignmentSchema } from '../schemas/licenses.ts';

const params = z.object({ id: applicationIdSchema });
const tags = ['Review'];
const workflow = { gone: 'not_in_review' } as const;
const responses = { 200: { description: 'Who has the task now', schema: reassignedSchema } } as const;
const problems = [
  'not_found',
  'not_in_review',
  'reviewer_not_eligible',
  'own_application',
  'already_acted',
  'conflict_declared',
  'not_your_task',
  'already_closed',
  'already_decided',
] as const;

type Asked = Pick<
  Context<{ id: ApplicationId }, unknown, unknown, unknown, Caller>,
  'params' | 'actor' | 'origin' | 'deps' | 'requestKey'
>;

async function hand(asked: Asked, request: Omit<ReassignRequest, 'origin' | 'by'>) {
  const { params: given, actor, origin, deps, requestKey } = asked;
  const message = { applicationId: given.id, requestKey, origin };
  const { assignee } = await reassign(deps, message, { by: actor, ...request });
  return json(200, { applicationId: given.id, assigneeId: assignee });
}

const claim = defineRoute({
  method: 'post',
  path: '/licenses/claim/:id',
  summary: 'Take the open task of a case',
  tags,
  permission: 'review.inbox',
  params,
  problems,
  workflow,
  responses,
  handler: (asked) => hand(asked, { to: asked.actor.userId, reason: 'claim', kind: 'claim' }),
});

const handOver = defineRoute({
  method: 'post',
  path: '/licenses/reassign/:id',
  summary: 'Give the open task of a case to another person',
  description: 'Without `userId`, to whoever the rules of assignment choose. `from` says whose seat of a quorum.',
  tags,
  permission: 'review.reassign',
  params,
  body: reassignmentSchema,
  problems,
  workflow,
  responses,
  handler: ({ body: { userId = null, reason, from }, ...asked }) =>
    hand(asked, { to: userId, reason, kind: 'reassign', ...(from ? { from } : {}) }),
});

const delegate = defineRoute({
  method: 'post',
  path: '/licenses/delegate/:id',
  summary: 'Give your own task to a colleague',
  description: 'To somebody who may hold it: in the role, with no other part in the case.',
  tags,
  permission: 'review.delegate',
  params,
  body: delegationSchema,
  problems,
  workflow,
  responses,
  handler: ({ body: { userId, reason }, ...asked }) =>
    hand(asked, { to: userId, from: asked.actor.userId, reason, kind: 'delegate' }),
});

const declareConflict = defineRoute({
  method: 'post',
  path: '/licenses/declare-conflict/:id',
  summary: 'Say that you cannot judge this case without bias',
  description: 'Your task goes to somebody else by the rules of assignment, and the case never comes back to you.',
  tags,
  permission: 'review.decide',
  params,
  body: conflictSchema,
  problems,
  workflow,
  responses,
  handler: ({ body: { reason }, ...asked }) =>
    hand(asked, { to: null, from: asked.actor.userId, reason, kind: 'conflict' }),
});

export const taskHandingRoutes = [claim, handOver, delegate, declareConflict];
