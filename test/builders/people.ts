/** Reviewers of the demonstration office, and the tasks that people hold there. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { type ApplicationId, asId, type CompanyId, type OfficeId, type UserId } from '../../domain/ids.ts';
import type { Stage } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import { demoUserId } from '../../local/demo-data.ts';
import type { Story } from '../support/story.ts';
import { eventually } from '../support/wait.ts';
import { aLicenseType, anApplication, aTask, aUser } from './licensing.ts';

export async function demoOffice(db: Knex): Promise<OfficeId> {
  const { office_id }: { office_id: string } = await db('users')
    .where({ id: demoUserId('verifier') })
    .first('office_id');
  return asId<OfficeId>(office_id);
}

/** @param status `disabled`: somebody who gets no task of what else goes on at the same time */
export async function aColleague(db: Knex, role: Role, status: 'active' | 'disabled' = 'active'): Promise<UserId> {
  const id = await aUser(db, role);
  await db('users')
    .where({ id })
    .update({ office_id: await demoOffice(db), status });
  return id;
}

/** Who has the open tasks of these cases, in their order. */
export const holdersOfCases = async (db: Knex, ids: readonly string[]): Promise<(UserId | null)[]> => {
  const rows: { application_id: string; assignee_id: UserId | null }[] = await db('tasks')
    .whereIn('application_id', [...ids])
    .where({ state: 'open' })
    .select('application_id', 'assignee_id');
  return ids.map((id) => rows.find((row) => row.application_id === id)?.assignee_id ?? null);
};

/** Submitted, and at the first stage, with this person. */
export async function casesWith(story: Story, db: Knex, holder: UserId, count: number): Promise<string[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => story.submitted()));
  for (const id of ids)
    await eventually(`${id} in review`, async () => {
      const [assignee] = await holdersOfCases(db, [id]);
      return assignee === holder;
    });
  return ids;
}

/** Out of the way: no task comes to them, and they have none. */
export async function retire(db: Knex, ...people: readonly UserId[]): Promise<void> {
  await db('users')
    .whereIn('id', [...people])
    .update({ status: 'disabled' });
}

/** Of a person of the office, as if its process had never been started. */
export async function anAbsence(
  db: Knex,
  userId: UserId,
  times: { readonly from: string; readonly to: string; readonly plannedAt: string },
): Promise<string> {
  const id = randomUUID();
  await db('absences').insert({
    id,
    user_id: userId,
    from_at: times.from,
    to_at: times.to,
    reason: 'leave',
    planned_by: userId,
    planned_at: times.plannedAt,
  });
  return id;
}

/** A task on record whose process was never started: nobody answers for it. */
export async function aCaseWithoutProcess(db: Knex, stage: Stage, holder: UserId): Promise<ApplicationId> {
  const applicantId = demoUserId('owner');
  const member: { company_id: string } = await db('company_members')
    .where({ user_id: applicantId })
    .first('company_id');
  const given = { companyId: asId<CompanyId>(member.company_id), applicantId, type: await aLicenseType(db) };
  const applicationId = await anApplication(db, { ...given, state: stage });
  await aTask(db, { applicationId, stage, assigneeId: holder, dueAt: new Date().toISOString() });
  return applicationId;
}
