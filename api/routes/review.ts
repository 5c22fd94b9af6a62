import { z } from 'zod';
import { type InboxItem, inboxOf } from '../../db/task-reads.ts';
import type { ApplicationId } from '../../domain/ids.ts';
import type { DecisionRequest } from '../../domain/licensing.ts';
import type { DecisionRecorded } from '../../workflows/messages.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { decide, reassign } from '../review-process.ts';
import { defineRoute, json } from '../route.ts';
import { applicationIdSchema, positionInTime } from '../schemas/ids.ts';
import {
  approvalSchema,
  decisionRecordedSchema,
  inboxItemSchema,
  reassignedSchema,
  reassignmentSchema,
  rejectionSchema,
  reviewSchema,
} from '../schemas/licenses.ts';
import { timeJson } from '../wire.ts';

const params = z.object({ id: applicationIdSchema });
const tags = ['Review'];
const decided = { 200: { description: 'Recorded', schema: decisionRecordedSchema } } as const;
const problems = [
  'not_found',
  'not_in_review',
  'not_assigned',
  'own_application',
  'already_decided',
  'already_closed',
  'submission_changed',
  'stage_changed',
  'reasons_required',
  'correction_rounds_exhausted',
] as const;

const inbox = defineRoute({
  method: 'get',
  path: '/licenses/assigned',
  summary: "The caller's open tasks, what is due first on top",
  description: 'Supervisors also see the tasks that nobody was free for.',
  tags,
  permission: 'review.inbox',
  query: z.strictObject(pageQuery),
  responses: { 200: { description: 'A page of tasks', schema: pageOf(inboxItemSchema) } },
  async handler({ query: { limit, cursor }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await inboxOf(deps.db, actor, { after, limit: limit + 1 });
    const now = new Date();
    return json(
      200,
      page(
        rows,
        limit,
        (item) => inboxJson(item, now),
        ({ dueAt, taskId }) => ({ at: dueAt, id: taskId }),
      ),
    );
  },
});

const inboxJson = (item: InboxItem, now: Date) => ({
  applicationId: item.applicationId,
  companyName: item.companyName,
  typeCode: item.typeCode,
  stage: item.stage,
  round: item.round,
  assignedAt: timeJson(item.assignedAt),
  dueAt: timeJson(item.dueAt),
  atRisk: item.atRiskAt !== null && item.atRiskAt <= now,
  assigneeId: item.assigneeId,
});

// These three hand the decision to the process and wait for its word. Nothing else belongs on this path: whether it is
// their case, at the right stage and undecided, is the process's rule (domain/licensing.ts), asked before it counts.

const review = defineRoute({
  method: 'post',
  path: '/licenses/review/:id',
  summary: 'Decide at the current stage',
  tags,
  permission: 'review.decide',
  params,
  body: reviewSchema,
  problems,
  workflow: { gone: 'not_in_review' },
  responses: decided,
  async handler({ params: { id }, body, actor, origin, deps, requestKey }) {
    const decision: DecisionRequest = { ...body, by: actor, reasons: body.reasons ?? [] };
    return json(200, decidedJson(id, await decide(deps, { applicationId: id, requestKey, origin }, decision)));
  },
});

const approve = defineRoute({
  method: 'post',
  path: '/licenses/approve/:id',
  summary: 'Approve at the current stage',
  tags,
  permission: 'review.decide',
  params,
  body: approvalSchema,
  problems,
  workflow: { gone: 'not_in_review' },
  responses: decided,
  async handler({ params: { id }, body, actor, origin, deps, requestKey }) {
    const decision: DecisionRequest = { ...body, by: actor, decision: 'approve', reasons: [] };
    return json(200, decidedJson(id, await decide(deps, { applicationId: id, requestKey, origin }, decision)));
  },
});

const reject = defineRoute({
  method: 'post',
  path: '/licenses/reject/:id',
  summary: 'Reject at the current stage, with reasons',
  tags,
  permission: 'review.decide',
  params,
  body: rejectionSchema,
  problems,
  workflow: { gone: 'not_in_review' },
  responses: decided,
  async handler({ params: { id }, body, actor, origin, deps, requestKey }) {
    const decision: DecisionRequest = { ...body, by: actor, decision: 'reject', reasons: body.reasons ?? [] };
    return json(200, decidedJson(id, await decide(deps, { applicationId: id, requestKey, origin }, decision)));
  },
});

const decidedJson = (applicationId: ApplicationId, made: DecisionRecorded) => ({
  applicationId,
  stage: made.stage,
  round: made.round,
  decision: made.decision,
  decidedBy: { id: made.by },
  decidedAt: made.at,
  state: made.state,
});

const handed = { 200: { description: 'Who has the task now', schema: reassignedSchema } } as const;
const handingProblems = [
  'not_found',
  'not_in_review',
  'reviewer_not_eligible',
  'already_closed',
  'already_decided',
] as const;

const claim = defineRoute({
  method: 'post',
  path: '/licenses/claim/:id',
  summary: 'Take the open task of a case',
  tags,
  permission: 'review.inbox',
  params,
  problems: handingProblems,
  workflow: { gone: 'not_in_review' },
  responses: handed,
  async handler({ params: { id }, actor, origin, deps, requestKey }) {
    const request = { by: actor, to: actor.userId, reason: 'claim' };
    const { assignee } = await reassign(deps, { applicationId: id, requestKey, origin }, request);
    return json(200, { applicationId: id, assigneeId: assignee });
  },
});

const handOver = defineRoute({
  method: 'post',
  path: '/licenses/reassign/:id',
  summary: 'Give the open task of a case to another person',
  tags,
  permission: 'review.reassign',
  params,
  body: reassignmentSchema,
  problems: handingProblems,
  workflow: { gone: 'not_in_review' },
  responses: handed,
  async handler({ params: { id }, body: { userId, reason }, actor, origin, deps, requestKey }) {
    const { assignee } = await reassign(
      deps,
      { applicationId: id, requestKey, origin },
      { by: actor, to: userId, reason },
    );
    return json(200, { applicationId: id, assigneeId: assignee });
  },
});

export const reviewRoutes = [inbox, review, approve, reject, claim, handOver];
