import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { declareConflict } from '../../db/conflicts.ts';
import { recordEvent } from '../../db/events.ts';
import { lockSeat, seatsToOffer } from '../../db/task-offers.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { Stage } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import {
  aCompany,
  aDecision,
  aLicenseType,
  anApplication,
  aTask,
  aUser,
  holds,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { anAbsence } from '../builders/people.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const STAGE: Stage = 'document_verification';
const TUESDAY = '2026-03-03T02:00:00.000Z';

describe('seats of the supervisor’s queue', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let applicationId: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(db(), 'owner');
    companyId = await aCompany(db(), owner);
  });
  after(() => database?.drop());
  beforeEach(async () => {
    type = await aLicenseType(db());
    applicationId = await aQueuedCase();
  });

  const db = () => database.db;
  const aQueuedCase = async (dueAt = MONDAY): Promise<ApplicationId> => {
    const id = await anApplication(db(), { companyId, type, applicantId: owner, state: STAGE });
    await aTask(db(), { applicationId: id, stage: STAGE, assigneeId: null, dueAt });
    return id;
  };
  const staff = async (role: Role = 'verifier', changes: object = {}): Promise<UserId> => {
    const id = await aUser(db(), role);
    await db()('users')
      .where({ id })
      .update({ office_id: type.officeId, ...changes });
    return id;
  };
  /** Of this test's office. */
  const found = async (at = MONDAY): Promise<ApplicationId[]> => {
    const all = await seatsToOffer(db(), at, 1_000);
    const own = await db()('applications').where({ type_code: type.code }).pluck<ApplicationId[]>('id');
    return all.map((seat) => seat.applicationId).filter((id) => own.includes(id));
  };
  const queuedBy = (kind: string, from: UserId) =>
    recordEvent(db(), {
      key: randomUUID(),
      type: 'task.reassigned',
      applicationId,
      data: { stage: STAGE, round: 1, seat: 1, to: null, from, kind },
      at: MONDAY,
    });
  const accountChanged = (userId: UserId, event: 'user.enabled' | 'user.roles_changed' | 'user.changed') =>
    recordEvent(db(), { key: randomUUID(), type: event, subject: `user/${userId}`, at: MONDAY });

  it('are found once somebody is free for them, the most urgent first', async () => {
    const later = await aQueuedCase(TUESDAY);
    assert.deepEqual(await found(), []);
    await staff();
    assert.deepEqual(await found(), [applicationId, later]);
    await db()('tasks').where({ application_id: applicationId }).update({ state: 'cancelled' });
    assert.deepEqual(await found(), [later]);
  });

  it('are not found for who is in another role or office, or disabled', async () => {
    await staff('examiner');
    await staff('supervisor');
    await staff('verifier', { status: 'disabled' });
    await aUser(db(), 'verifier');
    assert.deepEqual(await found(), []);
  });

  it('are found for who was away when that is over, or has been cancelled', async () => {
    const verifier = await staff();
    const id = await anAbsence(db(), verifier, { from: '2026-03-01T02:00:00Z', to: TUESDAY, plannedAt: MONDAY });
    assert.deepEqual(await found(), []);
    assert.deepEqual(await found(TUESDAY), [applicationId]);
    await db()('absences').where({ id }).update({ cancelled_at: MONDAY });
    assert.deepEqual(await found(), [applicationId]);
  });

  it('are not found for who has a part in the case: the applicant’s people, the conflicted, those of another stage', async () => {
    const member = await staff();
    await db()('company_members').insert({ company_id: companyId, user_id: member });
    const conflicted = await staff();
    const conflict = { applicationId, userId: conflicted, reason: 'a cousin', at: MONDAY, origin: undefined };
    await db().transaction((tx) => declareConflict(tx, conflict));
    await holds(db(), applicationId, await staff(), 'approval');
    await aDecision(db(), { applicationId, stage: 'approval', decision: 'approve', by: await staff() });
    assert.deepEqual(await found(), []);
    await db()('conflicts').where({ application_id: applicationId }).delete();
    assert.deepEqual(await found(), [applicationId]);
    await db()('company_members').where({ user_id: member }).delete();
  });

  it('are not found for who has another seat of the stage', async () => {
    const verifier = await staff();
    await aTask(db(), { applicationId, stage: STAGE, seat: 2, assigneeId: verifier, dueAt: MONDAY });
    assert.deepEqual(await found(), []);
  });

  it('do not go back to whom a supervisor took them from', async () => {
    for (const kind of ['reassign', 'bulk']) {
      applicationId = await aQueuedCase();
      const verifier = await staff();
      await queuedBy(kind, verifier);
      assert.ok(!(await found()).includes(applicationId), kind);
      const seat = await lockSeat(db(), { applicationId, round: 1, stage: STAGE, seat: 1 });
      assert.deepEqual(seat, { assignee: null, takenFrom: verifier });
      await db()('users').where({ id: verifier }).update({ status: 'disabled' });
    }
    await staff();
    assert.ok((await found()).includes(applicationId), 'to others they do');
  });

  it('go back to whom an absence took them from, and to whose account was changed since', async () => {
    const verifier = await staff();
    await queuedBy('absence', verifier);
    assert.deepEqual(await found(), [applicationId]);
    await queuedBy('bulk', verifier);
    await accountChanged(verifier, 'user.changed');
    assert.deepEqual(await found(), []);
    await accountChanged(verifier, 'user.enabled');
    assert.deepEqual(await found(), [applicationId]);
    await queuedBy('bulk', verifier);
    assert.deepEqual(await found(), [], 'taken from them again');
    await accountChanged(verifier, 'user.roles_changed');
    assert.deepEqual(await found(), [applicationId]);
  });
});
