import assert from 'node:assert/strict';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import type { Stage } from '../../domain/licensing.ts';
import { aCompany, aLicenseType, anApplication, aTask, type LicenseTypeRow } from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface Item {
  readonly applicationId: ApplicationId;
  readonly stage: Stage;
  readonly seat: number;
  readonly seats: number;
  readonly legalDueAt: string | null;
  readonly atRisk: boolean;
  readonly overdue: boolean;
}
interface Inbox {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

const [LONG_AGO, LATER, MUCH_LATER] = [
  '2026-01-05T02:00:00.000Z',
  '2098-01-06T02:00:00.000Z',
  '2099-01-07T02:00:00.000Z',
];

describe('the inbox of a reviewer', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id, { name: 'CV Sumber Rejeki' });
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  interface Given {
    dueAt: string;
    atRiskAt?: string;
    stage?: Stage;
    type?: LicenseTypeRow;
    companyId?: CompanyId;
  }
  async function assigned(person: TestPerson | null, given: Given): Promise<ApplicationId> {
    const { stage = 'document_verification', dueAt } = given;
    const applicationId = await anApplication(database.db, {
      companyId: given.companyId ?? companyId,
      type: given.type ?? type,
      applicantId: owner.id,
      state: stage,
    });
    const atRiskAt = given.atRiskAt ?? dueAt;
    await aTask(database.db, { applicationId, stage, assigneeId: person?.id ?? null, dueAt, atRiskAt });
    return applicationId;
  }
  const inbox = async (person: TestPerson, query = ''): Promise<Inbox> =>
    (await ask<Inbox>(api, person, 'GET', `/licenses/assigned${query}`)).body;
  const found = async (person: TestPerson, query: string): Promise<ApplicationId[]> =>
    (await inbox(person, query)).items.map((item) => item.applicationId);

  /** One overdue, one at risk that is due last, one with time. */
  async function three(person: TestPerson) {
    return {
      onTime: await assigned(person, { dueAt: LATER }),
      atRisk: await assigned(person, { dueAt: MUCH_LATER, atRiskAt: LONG_AGO }),
      overdue: await assigned(person, { dueAt: LONG_AGO }),
    };
  }

  it('has on top what is overdue or at risk, even when something else is due before', async () => {
    const reviewer = await api.person('verifier');
    const { onTime, atRisk, overdue } = await three(reviewer);
    const { items } = await inbox(reviewer);
    assert.deepEqual(
      items.map((item) => [item.applicationId, item.atRisk, item.overdue]),
      [
        [overdue, true, true],
        [atRisk, true, false],
        [onTime, false, false],
      ],
    );
  });
  it('pages through that order without losing or repeating anything', async () => {
    const reviewer = await api.person('verifier');
    await three(reviewer);
    await three(reviewer);
    const all = (await inbox(reviewer)).items.map((item) => item.applicationId);
    assert.equal(all.length, 6);
    const paged: ApplicationId[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Inbox = await inbox(reviewer, `?limit=1${cursor ? `&cursor=${cursor}` : ''}`);
      paged.push(...page.items.map((item) => item.applicationId));
      cursor = page.nextCursor;
    }
    assert.deepEqual(paged, all);
  });
  it('keeps to the hour of its first page: a task that gets at risk meanwhile is told once', async () => {
    const reviewer = await api.person('verifier');
    const { onTime, atRisk, overdue } = await three(reviewer);
    const first = await inbox(reviewer, '?limit=2');
    await database.db('tasks').where({ application_id: onTime }).update({ at_risk_at: new Date() });
    const second = await inbox(reviewer, `?limit=2&cursor=${first.nextCursor}`);
    const told = [...first.items, ...second.items].map((item) => item.applicationId);
    assert.deepEqual(told, [overdue, atRisk, onTime]);
  });
  it('shows only what is asked for', async () => {
    const reviewer = await api.person('verifier');
    const { onTime, atRisk, overdue } = await three(reviewer);
    const other = await aLicenseType(database.db);
    const elsewhere = await assigned(reviewer, { dueAt: MUCH_LATER, type: other });
    const approval = await assigned(reviewer, { dueAt: MUCH_LATER, stage: 'approval' });
    assert.deepEqual(await found(reviewer, '?atRisk=true'), [overdue, atRisk]);
    assert.deepEqual((await found(reviewer, '?atRisk=false'))[0], onTime);
    assert.deepEqual(await found(reviewer, '?overdue=true'), [overdue]);
    assert.deepEqual((await found(reviewer, '?overdue=false')).slice(0, 2), [atRisk, onTime]);
    assert.deepEqual(await found(reviewer, '?overdue=true&atRisk=false'), []);
    assert.deepEqual(await found(reviewer, `?typeCode=${other.code}`), [elsewhere]);
    assert.deepEqual(await found(reviewer, '?stage=approval'), [approval]);
    assert.deepEqual(await found(reviewer, `?stage=approval&typeCode=${other.code}`), []);
    assert.equal((await problem(api, reviewer, 'GET', '/licenses/assigned?atRisk=yes')).status, 422);
  });
  it('finds a company by how its name begins, and takes no sign for a wildcard', async () => {
    const reviewer = await api.person('verifier');
    const others = await aCompany(database.db, owner.id, { name: 'PT 100% Murni' });
    const theirs = await assigned(reviewer, { dueAt: LATER, companyId: others });
    await assigned(reviewer, { dueAt: LATER });
    assert.deepEqual(await found(reviewer, `?companyName=${encodeURIComponent('pt 100%')}`), [theirs]);
    assert.deepEqual(await found(reviewer, `?companyName=${encodeURIComponent('%')}`), []);
    assert.deepEqual(await found(reviewer, '?companyName=Murni'), []);
  });
  it('tells which seat of a quorum it is, and when the legal time of the case is over', async () => {
    const [one, other] = [await api.person('approver'), await api.person('approver')];
    const applicationId = await assigned(one, { dueAt: LATER, stage: 'approval' });
    await aTask(database.db, { applicationId, stage: 'approval', assigneeId: other.id, dueAt: LATER, seat: 2 });
    await database.db('applications').where({ id: applicationId }).update({ legal_due_at: MUCH_LATER });
    const [item] = (await inbox(other)).items;
    assert.deepEqual([item?.seat, item?.seats, item?.legalDueAt], [2, 2, MUCH_LATER]);
  });

  describe('of a supervisor', () => {
    it('has their own and what nobody has, together or apart', async () => {
      const supervisor = await api.person('supervisor');
      await database.db('tasks').whereNull('assignee_id').update({ state: 'cancelled' });
      const [mine, nobodys] = [await assigned(supervisor, { dueAt: LATER }), await assigned(null, { dueAt: LONG_AGO })];
      assert.deepEqual(await found(supervisor, ''), [nobodys, mine]);
      assert.deepEqual(await found(supervisor, '?unassigned=true'), [nobodys]);
      assert.deepEqual(await found(supervisor, '?unassigned=false'), [mine]);
    });
    it('is not for others: what nobody has is a supervisor’s', async () => {
      const { status, body } = await problem(
        api,
        await api.person('verifier'),
        'GET',
        '/licenses/assigned?unassigned=true',
      );
      assert.deepEqual([status, body.code], [403, 'forbidden']);
    });
  });

  describe('in numbers', () => {
    interface Counts {
      readonly stages: readonly { stage: Stage; open: number; atRisk: number; overdue: number }[];
      readonly total: { open: number; atRisk: number; overdue: number };
    }
    const counts = async (person: TestPerson) =>
      (await ask<Counts>(api, person, 'GET', '/licenses/assigned/counts')).body;

    it('counts each stage, the empty ones too', async () => {
      const reviewer = await api.person('verifier');
      await three(reviewer);
      await assigned(reviewer, { dueAt: LATER, stage: 'approval' });
      assert.deepEqual(await counts(reviewer), {
        stages: [
          { stage: 'document_verification', open: 3, atRisk: 2, overdue: 1 },
          { stage: 'compliance_check', open: 0, atRisk: 0, overdue: 0 },
          { stage: 'approval', open: 1, atRisk: 0, overdue: 0 },
        ],
        total: { open: 4, atRisk: 2, overdue: 1 },
      });
    });
    it('counts for a supervisor what nobody has as well, as the list does', async () => {
      const supervisor = await api.person('supervisor');
      await assigned(null, { dueAt: LATER });
      const { total } = await counts(supervisor);
      assert.equal(total.open, (await inbox(supervisor, '?limit=100')).items.length);
      assert.equal((await counts(await api.person('verifier'))).total.open, 0);
    });
  });
});
