/** Absences, and tasks that move from one person to others. */
import { randomUUID } from 'node:crypto';
import { type AbsenceId, type ApplicationId, asId, type TaskMoveId } from '../../domain/ids.ts';
import { absenceProcessId, licenseReviewId, taskMoveProcessId } from '../../workflows/ids.ts';
import { aLicenseType, aUser } from '../builders/licensing.ts';
import { aCaseWithoutProcess, aColleague, anAbsence } from '../builders/people.ts';
import { reviewOf } from '../support/review.ts';
import { idShape, type Story, storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

const inDays = (days: number): string => new Date(Date.now() + days * DAY * 1000).toISOString();

/** Of examiners whose accounts are closed: no task of the other stories comes to them. */
export async function playPeople(system: TestSystem): Promise<Played> {
  const story = storyOf(system);
  return {
    ...(await cancelledBefore(system, story)),
    ...(await begunAfterDays(system, story)),
    ...(await caseThatDoesNotAnswer(system, story)),
    ...(await swept(system)),
    ...(await offeredToWhoIsBack(system)),
  };
}

async function planned(story: Story, userId: string): Promise<AbsenceId> {
  const body = { userId, from: inDays(3), to: inDays(9), reason: 'leave' };
  const answer = await story.expect(201, story.call('POST', 'admin/absences', { as: 'supervisor', body }));
  return asId<AbsenceId>(idShape.parse(answer.body).id);
}

async function cancelledBefore({ database }: TestSystem, story: Story): Promise<Played> {
  const id = await planned(story, await aColleague(database.db, 'examiner', 'disabled'));
  await story.expect(204, story.call('DELETE', `admin/absences/${id}`, { as: 'supervisor' }));
  return { 'absence-cancelled': absenceProcessId(id) };
}

async function begunAfterDays({ client, database: { db } }: TestSystem, story: Story): Promise<Played> {
  const id = await planned(story, await aColleague(db, 'examiner', 'disabled'));
  await travel(client, absenceProcessId(id), 3 * DAY + 60);
  const move: { id: string } | undefined = await db('task_moves').where({ absence_id: id }).first('id');
  if (!move) throw new Error(`the absence ${id} has begun without a move of its tasks`);
  return {
    'absence-begun': absenceProcessId(id),
    'taskMove-of-an-absence': taskMoveProcessId(asId<TaskMoveId>(move.id)),
  };
}

/** Asked five times, with a pause after each. */
async function caseThatDoesNotAnswer({ client, database: { db } }: TestSystem, story: Story): Promise<Played> {
  const holder = await aColleague(db, 'examiner', 'disabled');
  await aCaseWithoutProcess(db, 'compliance_check', holder);
  const body = { fromUserId: holder, reason: 'reorganised' };
  const answer = await story.expect(202, story.call('POST', 'admin/task-moves', { as: 'supervisor', body }));
  const id = asId<TaskMoveId>(idShape.parse(answer.body).id);
  for (let tries = 1; tries < 5; tries += 1) await travel(client, taskMoveProcessId(id), 11);
  await eventually('it to be listed', () =>
    db('task_moves').where({ id, stayed: 1 }).whereNotNull('finished_at').first(),
  );
  return { 'taskMove-a-case-that-does-not-answer': taskMoveProcessId(id) };
}

async function swept({ client, taskQueue, database: { db } }: TestSystem): Promise<Played> {
  const ago = new Date(Date.now() - 120_000).toISOString();
  await anAbsence(db, await aColleague(db, 'examiner', 'disabled'), { from: ago, to: inDays(1), plannedAt: ago });
  const workflowId = `people-watch-${randomUUID()}`;
  await client.workflow.start('peopleWatch', { workflowId, taskQueue });
  return { 'peopleWatch-an-absence-not-begun': workflowId };
}

/** In an office of its own: no seat of another story is free for its one verifier. */
async function offeredToWhoIsBack(system: TestSystem): Promise<Played> {
  const { client, taskQueue, database } = system;
  const stage = 'document_verification';
  const { code, officeId } = await aLicenseType(database.db, {
    stages: [{ stage, role: 'verifier', sharePercent: 50 }],
    checklist: [],
  });
  const verifier = await aUser(database.db, 'verifier');
  const review = reviewOf(system);
  const id = await review.submitted(code);
  await review.at(id, stage);
  await database.db('users').where({ id: verifier }).update({ office_id: officeId });
  const workflowId = `people-watch-${randomUUID()}`;
  await client.workflow.execute('peopleWatch', { workflowId, taskQueue });
  await review.decide(id, verifier, { decision: 'reject' });
  return {
    'peopleWatch-a-seat-offered': workflowId,
    'licenseReview-a-seat-offered': licenseReviewId(asId<ApplicationId>(id)),
  };
}
