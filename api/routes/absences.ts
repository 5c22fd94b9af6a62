import { z } from 'zod';
import { type Absence, cancelAbsence, findAbsence, listAbsences, planAbsence } from '../../db/absences.ts';
import { Failure } from '../../domain/failures.ts';
import { type AbsenceId, asId, type UserId } from '../../domain/ids.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { type Charge, chargeOf, isIn, officeIn, personIn, startAbsence, tellOfCancellation } from '../people.ts';
import type { Caller } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import { absenceIdSchema, positionInTime, userIdSchema } from '../schemas/ids.ts';
import { timeJson, timeOrNull, timeSchema } from '../wire.ts';

const tags = ['Admin'];
const permission = 'absence.manage';
const params = z.object({ id: absenceIdSchema });

const absenceSchema = z
  .object({
    id: z.string(),
    userId: z.string(),
    userName: z.string(),
    from: timeSchema,
    to: timeSchema.describe('Not included.'),
    reason: z.string(),
    plannedBy: z.string(),
    plannedAt: timeSchema,
    cancelledAt: timeSchema.nullable(),
  })
  .meta({ id: 'Absence' });

const planning = z.strictObject({
  userId: userIdSchema.optional().describe('Absent = the caller. Somebody else: for a supervisor or administrator.'),
  from: timeSchema.describe('Now, or a time that has passed: it begins at once.'),
  to: timeSchema.describe('Not included; at most 366 days after `from`.'),
  reason: z.string().trim().min(1).max(1000),
});

const list = defineRoute({
  method: 'get',
  path: '/admin/absences',
  summary: 'Who is away, the latest first: a reviewer’s own; for supervisors and administrators those of the office',
  tags,
  permission,
  query: z.strictObject({
    ...pageQuery,
    userId: userIdSchema.optional(),
    past: z.stringbool().default(false).describe('`true`: also what is over or was cancelled.'),
  }),
  responses: { 200: { description: 'A page of absences', schema: pageOf(absenceSchema) } },
  async handler({ query: { limit, cursor, userId, past }, actor, deps }) {
    const charge = await chargeOf(deps.db, actor);
    const rows = await listAbsences(deps.db, {
      userId: charge === 'themselves' ? actor.userId : userId,
      officeId: officeIn(charge),
      openAt: past ? undefined : new Date(),
      after: readCursor(cursor, positionInTime) ?? null,
      limit: limit + 1,
    });
    const shown = rows.filter((row) => charge !== 'themselves' || userId === undefined || row.userId === userId);
    return json(
      200,
      page(shown, limit, toJson, ({ from, id }) => ({ at: from, id })),
    );
  },
});

const plan = defineRoute({
  method: 'post',
  path: '/admin/absences',
  summary: 'Plan an absence: when it begins, the person’s open tasks go to others, and nothing comes until it is over',
  tags,
  permission,
  body: planning,
  problems: ['absence_not_valid', 'not_found'],
  responses: { 201: { description: 'The absence', schema: absenceSchema } },
  async handler({ body, actor, origin, requestKey, deps }) {
    const userId = await whoseAbsence(deps, actor, body.userId);
    const at = new Date();
    const [from, to] = [new Date(body.from), new Date(body.to)];
    requireValid(from, to, at);
    const id = asId<AbsenceId>(idFromKey(requestKey, 'absence'));
    const { reason } = body;
    const planned = await deps.db.transaction((tx) =>
      planAbsence(tx, { id, userId, from, to, reason, by: actor.userId, at, origin }),
    );
    if (!planned) throw new Failure('absence_not_valid', '');
    await startAbsence(deps, id, from);
    const absence = await found(deps, id);
    return json(201, toJson(absence), { headers: { Location: `/api/v1/admin/absences?userId=${userId}` } });
  },
});

const cancel = defineRoute({
  method: 'delete',
  path: '/admin/absences/:id',
  summary: 'Cancel an absence: before it begins it never does, afterwards it is over now',
  description: 'Tasks that were moved stay where they are; the person gets new ones again.',
  tags,
  permission,
  params,
  problems: ['absence_not_valid'],
  responses: { 204: { description: 'Cancelled' } },
  async handler({ params: { id }, actor, origin, deps }) {
    const charge = await chargeOf(deps.db, actor);
    const absence = await findAbsence(deps.db, id);
    if (!absence || !mayTouch(charge, actor, absence)) throw noSuchAbsence();
    const at = new Date();
    if (absence.cancelledAt) return noContent();
    if (absence.to <= at) throw new Failure('absence_not_valid', 'This absence is over. There is nothing to cancel.');
    await deps.db.transaction((tx) => cancelAbsence(tx, { id, by: actor.userId, at, origin }));
    if (absence.from > at) void tellOfCancellation(deps, id);
    return noContent();
  },
});

export const absenceRoutes: readonly Route[] = [list, plan, cancel];

/** @throws Failure `forbidden` for whoever plans for another and has no office in charge, `not_found` */
async function whoseAbsence({ db }: ApiDeps, actor: Caller, userId: UserId | undefined): Promise<UserId> {
  if (userId === undefined || userId === actor.userId) return actor.userId;
  const charge = await chargeOf(db, actor);
  if (charge === 'themselves')
    throw new Failure('forbidden', 'You plan your own absences; a supervisor plans those of others.');
  return (await personIn(db, charge, userId)).id;
}

const mayTouch = (charge: Charge, actor: Caller, absence: Absence): boolean =>
  absence.userId === actor.userId || isIn(charge, absence.officeId);

/** Longer is not an absence, and most likely a wrong year. */
const LONGEST_MS = 366 * 86_400_000;

function requireValid(from: Date, to: Date, at: Date): void {
  if (to <= from || to <= at) throw new Failure('absence_not_valid', '');
  if (to.getTime() - from.getTime() > LONGEST_MS)
    throw new Failure('absence_not_valid', 'An absence lasts at most 366 days. Look at the year of its end.');
}

async function found({ db }: ApiDeps, id: AbsenceId): Promise<Absence> {
  const absence = await findAbsence(db, id);
  if (!absence) throw noSuchAbsence();
  return absence;
}

const noSuchAbsence = () => new Failure('not_found', 'There is no such absence. Look at GET /api/v1/admin/absences.');

const toJson = ({ id, userId, userName, from, to, reason, plannedBy, plannedAt, cancelledAt }: Absence) => ({
  id,
  userId,
  userName,
  from: timeJson(from),
  to: timeJson(to),
  reason,
  plannedBy,
  plannedAt: timeJson(plannedAt),
  cancelledAt: timeOrNull(cancelledAt),
});
