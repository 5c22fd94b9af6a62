import { z } from 'zod';
import { cancel } from '../review-process.ts';
import { defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { cancellationSchema, statusSchema } from '../schemas/licenses.ts';
import { statusAfter } from '../status-reply.ts';

const end = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/cancel',
  summary: 'End a case that is none: a duplicate, or fraud',
  description: 'By a supervisor, until the office has approved it. The applicant is told. Wants a fresh second factor.',
  tags: ['Review'],
  permission: 'review.override',
  stepUp: 'where_there_is_a_factor',
  params: z.object({ id: applicationIdSchema }),
  body: cancellationSchema,
  problems: ['not_found', 'not_in_review', 'own_application', 'already_closed', 'already_decided'],
  workflow: { gone: 'already_closed' },
  responses: { 200: { description: 'Where the case stands now', schema: statusSchema } },
  async handler({ params: { id }, body: { code, reason }, actor, origin, deps, requestKey }) {
    await cancel(deps, { applicationId: id, requestKey, origin }, { by: actor, code, reason });
    return json(200, await statusAfter(deps, actor, id));
  },
});

export const cancellationRoutes = [end];
