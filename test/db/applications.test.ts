import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { applicationStatus } from '../../db/application-status.ts';
import { createDraft, findApplication, listApplications, replaceForm, withdrawDraft } from '../../db/applications.ts';
import { licenseTypeInForce, licenseTypesInForce } from '../../db/license-types.ts';
import { inboxOf } from '../../db/task-reads.ts';
import { type ApplicationId, asId, type CompanyId, type UserId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  aPolicy,
  aTask,
  aUser,
  holds,
  type LicenseTypeRow,
  MONDAY,
  policy,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the records of applications', () => {
  let database: TestDatabase;
  let owner: Actor;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  const actor = async (role: Role): Promise<Actor> => ({ userId: await aUser(database.db, role), roles: [role] });
  const first = { after: null, limit: 100 };

  before(async () => {
    database = await createTestDatabase();
    owner = await actor('owner');
    companyId = await aCompany(database.db, owner.userId);
    type = await aLicenseType(database.db);
  });
  after(() => database.drop());

  const given = (changes: object = {}) => ({ companyId, type, applicantId: owner.userId, ...changes });

  describe('who sees a case', () => {
    const everywhere = async (viewer: Actor, id: ApplicationId) => {
      const found = await findApplication(database.db, viewer, id);
      const status = await applicationStatus(database.db, viewer, id);
      const listed = await listApplications(database.db, viewer, { ...first, companyId });
      assert.equal(found === null, status === null, 'the status shows the same cases as the case itself');
      assert.equal(
        found === null,
        !listed.some((row) => row.id === id),
        'the list shows the same cases as the case itself',
      );
      return found;
    };

    it('its company, as its own', async () => {
      const id = await anApplication(database.db, given());
      assert.equal((await everywhere(owner, id))?.own, true);
    });
    it('nobody of another company', async () => {
      const id = await anApplication(database.db, given());
      const stranger = await actor('owner');
      await aCompany(database.db, stranger.userId);
      assert.equal(await everywhere(stranger, id), null);
    });
    it('a reviewer who held a task of it, not the others', async () => {
      const id = await anApplication(database.db, given({ state: 'approval' }));
      const [holder, other] = [await actor('verifier'), await actor('verifier')];
      await holds(database.db, id, holder.userId, 'document_verification');
      assert.equal((await everywhere(holder, id))?.own, false);
      assert.equal(await everywhere(other, id), null);
    });
    for (const role of ['supervisor', 'finance', 'ops', 'admin'] as const) {
      it(`every ${role}`, async () => {
        const id = await anApplication(database.db, given());
        assert.equal((await everywhere(await actor(role), id))?.own, false);
      });
    }
  });

  describe('a list', () => {
    it('walks through cases of the same instant without losing or repeating one', async () => {
      const mine = await actor('owner');
      const company = await aCompany(database.db, mine.userId);
      const ids = await Promise.all(
        Array.from({ length: 7 }, () =>
          anApplication(database.db, given({ companyId: company, applicantId: mine.userId })),
        ),
      );
      const seen: string[] = [];
      let after = null;
      for (;;) {
        const rows = await listApplications(database.db, mine, { after, limit: 2 });
        const last = rows.at(-1);
        if (!last) break;
        seen.push(...rows.map(({ id }) => id));
        after = { at: last.createdAt, id: last.id };
      }
      assert.deepEqual(seen, ids.toSorted().toReversed());
    });
    it('is filtered by state', async () => {
      await anApplication(database.db, given({ state: 'rejected' }));
      const rows = await listApplications(database.db, owner, { ...first, state: 'rejected' });
      assert.deepEqual([...new Set(rows.map(({ state }) => state))], ['rejected']);
    });
  });

  describe('a draft', () => {
    it('is made once for each ID, with one event', async () => {
      const id = asId<ApplicationId>(randomUUID());
      const draft = {
        id,
        companyId,
        typeCode: type.code,
        policyId: type.policyId,
        applicantId: owner.userId,
        form: {},
        at: MONDAY,
      };
      await createDraft(database.db, draft);
      await createDraft(database.db, draft);
      assert.equal((await database.db('events').where({ application_id: id, type: 'application.created' })).length, 1);
    });
    it('takes one of two changes that were both made to the version that was read', async () => {
      const id = await anApplication(database.db, given());
      const changes = await Promise.all(
        ['one', 'two'].map((shopName) =>
          replaceForm(database.db, id, { form: { shopName }, ifVersion: 1, at: MONDAY }),
        ),
      );
      assert.deepEqual(changes.toSorted(), [2, null]);
    });
    it('is not changed once the office has it', async () => {
      const id = await anApplication(database.db, given({ state: 'submitted' }));
      assert.equal(await replaceForm(database.db, id, { form: {}, ifVersion: null, at: MONDAY }), null);
    });
    it('is withdrawn once, with its event; a submitted case is not', async () => {
      const [draft, submitted] = [
        await anApplication(database.db, given()),
        await anApplication(database.db, given({ state: 'submitted' })),
      ];
      const withdrawal = { by: owner.userId, reason: 'closing', at: MONDAY };
      assert.equal(await withdrawDraft(database.db, draft, withdrawal), true);
      assert.equal(await withdrawDraft(database.db, draft, withdrawal), false);
      assert.equal(await withdrawDraft(database.db, submitted, withdrawal), false);
      assert.equal(
        (await database.db('events').where({ application_id: draft, type: 'application.withdrawn' })).length,
        1,
      );
      assert.equal((await findApplication(database.db, owner, draft))?.state, 'withdrawn');
      assert.equal((await findApplication(database.db, owner, submitted))?.state, 'submitted');
    });
  });

  describe('the inbox', () => {
    const due = (day: number) => `2026-03-${String(day).padStart(2, '0')}T09:00:00.000Z`;
    const aCaseFor = async (assigneeId: UserId | null, day: number, state?: 'decided') => {
      const applicationId = await anApplication(database.db, given({ state: 'document_verification' }));
      await aTask(database.db, {
        applicationId,
        stage: 'document_verification',
        assigneeId,
        dueAt: due(day),
        ...(state && { state }),
      });
      return applicationId;
    };

    it('holds the open tasks of the person, what is due first on top', async () => {
      const verifier = await actor('verifier');
      const [late, early] = [await aCaseFor(verifier.userId, 9), await aCaseFor(verifier.userId, 4)];
      await aCaseFor(verifier.userId, 3, 'decided');
      await aCaseFor((await actor('verifier')).userId, 3);
      await aCaseFor(null, 3);
      const rows = await inboxOf(database.db, verifier, { ...first, asOf: new Date(MONDAY) });
      assert.deepEqual(
        rows.map(({ applicationId }) => applicationId),
        [early, late],
      );
    });
    it('of a supervisor holds what nobody has as well, in one order, page by page', async () => {
      await database.db('tasks').whereNull('assignee_id').update({ state: 'cancelled' });
      const supervisor = await actor('supervisor');
      const expected = [await aCaseFor(null, 5), await aCaseFor(supervisor.userId, 6), await aCaseFor(null, 7)];
      const [one, two] = await inboxOf(database.db, supervisor, { after: null, limit: 2, asOf: new Date(MONDAY) });
      assert.ok(one && two);
      const after = { at: two.dueAt, id: two.taskId, late: two.late };
      const rest = await inboxOf(database.db, supervisor, { after, limit: 2, asOf: new Date(MONDAY) });
      assert.deepEqual(
        [one, two, ...rest].map(({ applicationId }) => applicationId),
        expected,
      );
    });
  });

  describe('the rules of a licence type', () => {
    it('are those of the newest version in force, not of one that is still to come', async () => {
      const { code } = await aLicenseType(database.db);
      const current = await aPolicy(database.db, code, {
        version: 2,
        effectiveFrom: '2026-02-01T00:00:00Z',
        policy: policy(),
      });
      await aPolicy(database.db, code, { version: 3, effectiveFrom: '2027-01-01T00:00:00Z', policy: policy() });
      assert.equal((await licenseTypeInForce(database.db, code, new Date(MONDAY)))?.policyId, current);
      const listed = await licenseTypesInForce(database.db, new Date(MONDAY));
      assert.deepEqual(
        listed.filter((row) => row.code === code).map(({ policyId }) => policyId),
        [current],
      );
    });
    it('are not offered any more when the type was taken out of use', async () => {
      const { code } = await aLicenseType(database.db);
      await database.db('license_types').where({ code }).update({ active: false });
      assert.equal(await licenseTypeInForce(database.db, code, new Date(MONDAY)), null);
    });
  });
});
