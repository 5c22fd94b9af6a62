import { z } from 'zod';
import { isAbsent } from '../../db/absences.ts';
import { findTaskMove, listTaskMoves, stayedCases, type TaskMove } from '../../db/task-move-reads.ts';
import { planMove } from '../../db/task-moves.ts';
import { findUser } from '../../db/users.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type TaskMoveId, type UserId } from '../../domain/ids.ts';
import { may } from '../../domain/roles.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { type Charge, chargeOf, isIn, officeIn, personIn, startTaskMove } from '../people.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { positionInTime, taskMoveIdSchema, userIdSchema } from '../schemas/ids.ts';
import { timeJson, timeOrNull, timeSchema } from '../wire.ts';

const tags = ['Admin'];
const permission = 'review.reassign';
const params = z.object({ id: taskMoveIdSchema });

const moveSchema = z
  .object({
    id: z.string(),
    fromUserId: z.string(),
    toUserId: z.string().nullable().describe('null = by the rules of assignment, case by case.'),
    absenceId: z.string().nullable(),
    reason: z.string(),
    askedBy: z.string(),
    askedAt: timeSchema,
    finishedAt: timeSchema.nullable(),
    moved: z.int().describe('Those in the supervisor’s queue, because nobody was free, among them.'),
    stayed: z.int(),
  })
  .meta({ id: 'TaskMove' });

const stayedSchema = z.object({
  applicationId: z.string(),
  round: z.int(),
  stage: z.string(),
  code: z.string().describe('Why it stayed: a code as refusals have it.'),
});
const moveInFullSchema = moveSchema.extend({ cases: z.array(stayedSchema).describe('That stayed; at most 500.') });

const moving = z.strictObject({
  fromUserId: userIdSchema,
  toUserId: userIdSchema.optional().describe('Absent = by the rules of assignment, case by case.'),
  reason: z.string().trim().min(1).max(1000),
});

const start = defineRoute({
  method: 'post',
  path: '/admin/task-moves',
  summary: 'Move all open tasks of a person, to one other or to whoever is free',
  description: 'Each case answers for itself: one that the other may not hold stays where it is, and is listed.',
  tags,
  permission,
  body: moving,
  problems: ['not_found', 'reviewer_not_eligible'],
  responses: { 202: { description: 'On record; read its progress', schema: moveSchema } },
  async handler({ body: { fromUserId, toUserId = null, reason }, actor, origin, requestKey, deps }) {
    const charge = await chargeOf(deps.db, actor);
    const from = await personIn(deps.db, charge, fromUserId);
    const at = new Date();
    if (toUserId !== null) await requireReceiver(deps, charge, { from: from.id, to: toUserId, at });
    const id = asId<TaskMoveId>(idFromKey(requestKey, 'task_move'));
    const move = { id, from: from.id, to: toUserId, absenceId: null, reason, by: actor.userId, origin };
    await deps.db.transaction((tx) => planMove(tx, { ...move, at: at.toISOString() }));
    await startTaskMove(deps, id);
    const headers = { Location: `/api/v1/admin/task-moves/${id}` };
    return json(202, toJson(await found(deps, charge, id)), { headers });
  },
});

const read = defineRoute({
  method: 'get',
  path: '/admin/task-moves/:id',
  summary: 'How far a move of tasks is, and which cases stayed',
  tags,
  permission,
  params,
  responses: { 200: { description: 'The move', schema: moveInFullSchema } },
  async handler({ params: { id }, actor, deps }) {
    const move = await found(deps, await chargeOf(deps.db, actor), id);
    return json(200, { ...toJson(move), cases: await stayedCases(deps.db, id, 500) });
  },
});

const list = defineRoute({
  method: 'get',
  path: '/admin/task-moves',
  summary: 'Moves of tasks in the office, newest first: by a supervisor, for an absence, of a closed account',
  tags,
  permission,
  query: z.strictObject(pageQuery),
  responses: { 200: { description: 'A page of moves', schema: pageOf(moveSchema) } },
  async handler({ query: { limit, cursor }, actor, deps }) {
    const charge = await chargeOf(deps.db, actor);
    const after = readCursor(cursor, positionInTime) ?? null;
    const options = { officeId: officeIn(charge), after, limit: limit + 1 };
    const rows = charge === 'themselves' ? [] : await listTaskMoves(deps.db, options);
    return json(
      200,
      page(rows, limit, toJson, ({ askedAt, id }) => ({ at: askedAt, id })),
    );
  },
});

export const taskMoveRoutes: readonly Route[] = [list, start, read];

/** Case by case it is asked again; this one can be told at once. @throws Failure `reviewer_not_eligible` */
async function requireReceiver(
  { db }: ApiDeps,
  charge: Charge,
  { from, to, at }: { from: UserId; to: UserId; at: Date },
): Promise<void> {
  const receiver = await findUser(db, to);
  const works =
    receiver?.status === 'active' && may(receiver.roles, 'review.decide') && isIn(charge, receiver.officeId);
  if (!works || from === to || (await isAbsent(db, to, at))) throw new Failure('reviewer_not_eligible', '');
}

async function found({ db }: ApiDeps, charge: Charge, id: TaskMoveId): Promise<TaskMove> {
  const move = charge === 'themselves' ? null : await findTaskMove(db, id, officeIn(charge));
  if (!move) throw new Failure('not_found', 'There is no such move. Look at GET /api/v1/admin/task-moves.');
  return move;
}

const toJson = ({ askedAt, finishedAt, ...move }: TaskMove) => ({
  ...move,
  askedAt: timeJson(askedAt),
  finishedAt: timeOrNull(finishedAt),
});
