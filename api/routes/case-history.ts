import { z } from 'zod';
import { deadlinesOf } from '../../db/deadlines.ts';
import { versionedCalendarOf } from '../../db/offices.ts';
import { whoseTurn } from '../../domain/licensing.ts';
import { applicationSeenBy } from '../application-json.ts';
import { deadlineParts } from '../deadline-json.ts';
import { pageOf, pageQuery } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { deadlineSchema } from '../schemas/deadlines.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { timelineEntrySchema } from '../schemas/licenses.ts';
import { storyOf } from '../story.ts';
import { timeOrNull } from '../wire.ts';

const params = z.object({ id: applicationIdSchema });
const tags = ['Applications'];
const story = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id/timeline',
  summary: 'What has happened in a case, oldest first',
  tags,
  permission: 'application.read',
  params,
  query: z.strictObject(pageQuery),
  problems: ['not_found'],
  responses: { 200: { description: 'A page of events', schema: pageOf(timelineEntrySchema) } },
  async handler({ params: { id }, query, actor, deps }) {
    const { own } = await applicationSeenBy(deps.db, actor, id);
    return storyOf(deps, { applicationId: id }, { viewer: actor.userId, staff: !own }, query);
  },
});

const deadline = defineRoute({
  method: 'get',
  path: '/licenses/applications/:id/deadline',
  summary: 'Why a case is due then, how much of the time is used, and what fires next',
  tags,
  permission: 'application.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The deadline', schema: deadlineSchema } },
  async handler({ params: { id }, actor, deps }) {
    const application = await applicationSeenBy(deps.db, actor, id);
    const found = await deadlinesOf(deps.db, id);
    const calendar = await versionedCalendarOf(deps.db, found.officeId);
    const viewer = { userId: actor.userId, own: application.own };
    return json(200, {
      applicationId: id,
      state: application.state,
      whoseTurn: whoseTurn(application.state),
      dueAt: found.task?.plan.dueAt ?? timeOrNull(application.dueAt),
      ...deadlineParts(found, calendar, viewer, new Date()),
    });
  },
});

export const caseHistoryRoutes = [story, deadline];
