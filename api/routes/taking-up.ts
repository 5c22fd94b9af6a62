/** What an applicant says to the office where it counts: an answer to an announced rejection, why to reopen, an appeal. */
import { z } from 'zod';
import type { Application } from '../../db/applications.ts';
import { appealedRoundOf } from '../../db/case-reads.ts';
import { correctionOf } from '../../db/corrections.ts';
import { pinnedPolicyOf } from '../../db/policies.ts';
import { type StatementKind, sameStatement, writeStatement } from '../../db/statements.ts';
import { Failure } from '../../domain/failures.ts';
import type { ApplicationId } from '../../domain/ids.ts';
import {
  type Actor,
  type ApplicationState,
  type LicensePolicy,
  type Refusal,
  refuseResponse,
} from '../../domain/licensing.ts';
import { refuseAppeal, refuseReopening } from '../../domain/taking-up.ts';
import { ownApplication } from '../application-json.ts';
import type { ApiDeps } from '../deps.ts';
import { licenseSeenBy } from '../license-json.ts';
import { requireOpen } from '../renewals.ts';
import type { Caller } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { respond, takeUpAgain } from '../review-process.ts';
import { type Context, defineRoute, json } from '../route.ts';
import { applicationIdSchema } from '../schemas/ids.ts';
import { statementTextSchema, statusSchema } from '../schemas/licenses.ts';
import { sealOrigin } from '../sealed-origin.ts';
import { statusAfter, statusPast } from '../status-reply.ts';

const params = z.object({ id: applicationIdSchema });
const tags = ['Applications'];
const responses = { 200: { description: 'Where the case stands now', schema: statusSchema } } as const;

type Asked = Pick<
  Context<{ id: ApplicationId }, unknown, { text: string }, unknown, Caller>,
  'params' | 'body' | 'actor' | 'origin' | 'deps' | 'requestKey'
>;

const answer = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/respond',
  summary: 'Answer an announced rejection',
  description: 'Whoever announced it reads the answer before deciding. The office has the case again.',
  tags,
  permission: 'application.write',
  params,
  body: statementTextSchema,
  problems: ['not_found', 'not_awaiting_response', 'already_closed', 'already_decided'],
  workflow: { gone: 'not_awaiting_response' },
  responses,
  async handler(asked) {
    const { params: given, actor, origin, deps, requestKey } = asked;
    const application = await ownApplication(deps.db, actor, given.id);
    const refusal = refuseResponse(application.state);
    if (refusal && (await isTakenUpBy(asked, application, 'response')))
      return json(200, await statusAfter(deps, actor, given.id));
    refuseIf(refusal);
    const statementId = await keep(asked, application, 'response');
    await respond(deps, { applicationId: given.id, requestKey, origin }, { by: actor, statementId });
    return json(200, await statusAfter(deps, actor, given.id));
  },
});

const reopen = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/reopen',
  summary: 'Take up a case that lapsed because a correction was not answered',
  description:
    'The correction that was asked for is open again, with its whole time to answer. How long this is possible, the licence type says.',
  tags,
  permission: 'application.write',
  params,
  body: statementTextSchema,
  problems: ['not_found', 'not_reopenable', 'renewal_under_way', 'renewal_not_possible'],
  responses,
  async handler(asked) {
    const { params: given, actor, deps } = asked;
    const application = await ownApplication(deps.db, actor, given.id);
    if (await isTakenUpBy(asked, application, 'reopening')) return json(200, await statusAfter(deps, actor, given.id));
    const policy = await pinnedPolicyOf(deps.db, given.id);
    await requireRenewable(deps, actor, application);
    refuseIf(refuseReopening({ ...ended(application), policy }, Date.now()));
    return json(200, await takeUp(asked, application, policy, 'reopened'));
  },
});

const appeal = defineRoute({
  method: 'post',
  path: '/licenses/applications/:id/appeal',
  summary: 'Ask for a rejected case to be reviewed once more, by others',
  description: 'Once a case. How long after the rejection this is possible, the licence type says.',
  tags,
  permission: 'application.write',
  params,
  body: statementTextSchema,
  problems: ['not_found', 'not_reopenable', 'renewal_under_way', 'renewal_not_possible'],
  responses,
  async handler(asked) {
    const { params: given, actor, deps } = asked;
    const application = await ownApplication(deps.db, actor, given.id);
    if (await isTakenUpBy(asked, application, 'appeal')) return json(200, await statusAfter(deps, actor, given.id));
    const policy = await pinnedPolicyOf(deps.db, given.id);
    const appealed = (await appealedRoundOf(deps.db, given.id)) > 0;
    await requireRenewable(deps, actor, application);
    refuseIf(refuseAppeal({ ...ended(application), policy, appealed }, Date.now()));
    return json(200, await takeUp(asked, application, policy, 'appeal'));
  },
});

export const takingUpRoutes = [answer, reopen, appeal];

const COME_TO_NOTHING: readonly ApplicationState[] = [
  'rejected',
  'lapsed_no_response',
  'withdrawn',
  'cancelled',
  'lapsed_unpaid',
];

/**
 * Whether the case went on by these very words: the answer to them was lost, and they come once more under another
 * Idempotency-Key, or none. One that has come to nothing since is judged as if for the first time.
 */
async function isTakenUpBy(
  { body, actor, deps }: Pick<Asked, 'body' | 'actor' | 'deps'>,
  { id, state }: Application,
  kind: StatementKind,
): Promise<boolean> {
  if (COME_TO_NOTHING.includes(state)) return false;
  const said = { applicationId: id, kind, by: actor.userId, text: body.text };
  return (await sameStatement(deps.db, said)) !== null;
}

/** A renewal that came to nothing may have been followed by another. */
async function requireRenewable(deps: ApiDeps, actor: Actor, { renewsId }: Application): Promise<void> {
  if (renewsId) requireOpen(await licenseSeenBy(deps, actor, renewsId), new Date());
}

const ended = ({ state, closedAt }: Application) => ({ state, closedAt: closedAt?.getTime() ?? null });

function refuseIf(refusal: Refusal | null): void {
  if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
}

/** Before the process hears of it: what it is told is the ID. Should the API die in between, the repeat meets its own row. */
async function keep(
  { body, actor, deps, requestKey }: Asked,
  { id, round, closedAt }: Application,
  kind: StatementKind,
) {
  const said = { applicationId: id, kind, by: actor.userId, text: body.text };
  // Asked again under another key, before the process has recorded the first: one statement, not two.
  const before = closedAt && (await sameStatement(deps.db, { ...said, since: closedAt.toISOString() }));
  if (before) return before;
  const statementId = idFromKey(requestKey, 'statement');
  const at = new Date().toISOString();
  await writeStatement(deps.db, { ...said, id: statementId, round, at });
  return statementId;
}

/** Longer than a worker that is there needs to record it. */
const TAKEN_UP_WITHIN_MS = 1_500;

async function takeUp(asked: Asked, application: Application, policy: LicensePolicy, kind: 'reopened' | 'appeal') {
  const { actor, origin, deps } = asked;
  const { id, companyId, typeCode, round, state, closedAt } = application;
  if (closedAt === null) throw new Error(`application ${id} is ${state} and was never closed`);
  const stage = kind === 'reopened' ? ((await correctionOf(deps.db, id, round))?.stage ?? null) : null;
  const appealedRound = await appealedRoundOf(deps.db, id);
  const statementId = await keep(asked, application, kind === 'reopened' ? 'reopening' : 'appeal');
  await takeUpAgain(
    deps,
    {
      applicationId: id,
      companyId,
      applicant: actor.userId,
      typeCode,
      policy,
      submittedAt: new Date().toISOString(),
      again: { kind, round, stage, statementId, ...(appealedRound > 0 ? { appealedRound } : {}) },
      origin: sealOrigin(deps, origin),
    },
    closedAt,
  );
  return statusPast(deps, actor, id, { state, withinMs: TAKEN_UP_WITHIN_MS });
}
