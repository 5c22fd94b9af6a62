import { z } from 'zod';
import { votesOf } from '../../db/case-reads.ts';
import type { ApplicationId } from '../../domain/ids.ts';
import type { DecisionRequest } from '../../domain/licensing.ts';
import type { DecisionRecorded } from '../../workflows/messages.ts';
import { voteJson } from '../application-json.ts';
import type { ApiDeps } from '../deps.ts';
import { requireGoodReasons } from '../reason-check.ts';
import type { Caller } from '../request.ts';
import { decide, override } from '../review-process.ts';
import { type Context, defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import {
  approvalSchema,
  decisionRecordedSchema,
  overrideSchema,
  rejectionSchema,
  reviewSchema,
} from '../schemas/licenses.ts';

const params = z.object({ id: applicationIdSchema });
const tags = ['Review'];
const decided = { 200: { description: 'Recorded', schema: decisionRecordedSchema } } as const;
const problems = [
  'not_found',
  'not_in_review',
  'not_assigned',
  'own_application',
  'already_acted',
  'already_decided',
  'already_closed',
  'conflict_declared',
  'reviewer_not_eligible',
  'submission_changed',
  'stage_changed',
  'reasons_required',
  'reason_unknown',
  'intent_required',
  'correction_rounds_exhausted',
] as const;

type Asked = Pick<
  Context<{ id: ApplicationId }, unknown, unknown, unknown, Caller>,
  'params' | 'actor' | 'origin' | 'deps' | 'requestKey' | 'locale'
>;

// These three hand the decision to the process and wait for its word. Whether it is their case, at the right stage and
// undecided, is the process's rule, asked before it counts; here only the reasons are read, when there are any.

const review = defineRoute({
  method: 'post',
  path: '/licenses/review/:id',
  summary: 'Decide at the current stage',
  description:
    'Of a quorum, one vote. `intend_to_reject` announces a rejection: the applicant may answer before the decision. Reasons are ' +
    'of the catalogue, or say in a text what they mean; those of a correction point at what may be changed.',
  tags,
  permission: 'review.decide',
  params,
  body: reviewSchema,
  problems,
  workflow: { gone: 'not_in_review' },
  responses: decided,
  handler: async ({ body, ...asked }) =>
    json(200, await decideNow(asked, { ...body, by: asked.actor, reasons: body.reasons ?? [] })),
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
  handler: async ({ body, ...asked }) =>
    json(200, await decideNow(asked, { ...body, by: asked.actor, decision: 'approve', reasons: [] })),
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
  handler: async ({ body, ...asked }) =>
    json(200, await decideNow(asked, { ...body, by: asked.actor, decision: 'reject', reasons: body.reasons ?? [] })),
});

async function decideNow({ params: { id }, deps, origin, requestKey, locale }: Asked, decision: DecisionRequest) {
  await requireGoodReasons(deps, { applicationId: id, ...decision, locale });
  return decidedJson(deps, id, await decide(deps, { applicationId: id, requestKey, origin }, decision));
}

const decideInstead = defineRoute({
  method: 'post',
  path: '/licenses/override/:id',
  summary: 'Decide the open stage in place of whoever holds it',
  description:
    'By a supervisor who has no part in the case. After an appeal somebody who had a part before it may, where the office has no other supervisor; the record says so. Wants a fresh second factor; stands in the record as an override.',
  tags,
  permission: 'review.override',
  stepUp: 'where_there_is_a_factor',
  params,
  body: overrideSchema,
  problems,
  workflow: { gone: 'not_in_review' },
  responses: decided,
  async handler({ params: { id }, body, actor: by, deps, origin, requestKey, locale }) {
    const { decision, reason, reasons = [] } = body;
    await requireGoodReasons(deps, { applicationId: id, by, decision, reasons, locale });
    const message = { applicationId: id, requestKey, origin };
    return json(200, await decidedJson(deps, id, await override(deps, message, { by, decision, reason, reasons })));
  },
});

export const reviewRoutes = [review, approve, reject, decideInstead];

async function decidedJson({ db }: ApiDeps, applicationId: ApplicationId, made: DecisionRecorded) {
  const { stage, round, seat } = made;
  return {
    applicationId,
    stage,
    round,
    decision: made.decision,
    decidedBy: { id: made.by },
    decidedAt: made.at,
    state: made.state,
    ...(seat === undefined ? {} : { seat, votes: (await votesOf(db, { applicationId, round, stage })).map(voteJson) }),
    ...(made.override ? { override: true } : {}),
  };
}
