import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import {
  aCompany,
  aDecision,
  aLicenseType,
  anApplication,
  aTask,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface Seen {
  readonly decisions: readonly { readonly decision: string }[];
  readonly statements: readonly { readonly kind: string; readonly text: string }[];
  readonly legalClock: unknown;
  readonly compliance?: unknown;
  readonly registryChecks?: unknown;
  readonly seats?: readonly { readonly seat: number; readonly state: string; readonly holder: { id: string } | null }[];
  readonly votes?: readonly { readonly seat: number; readonly decision: string; readonly by: { id: string } }[];
  readonly closedAt: string | null;
}

const FRIDAY = '2026-03-06T02:00:00.000Z';

describe('a case in review, as it is read', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let supervisor: TestPerson;
  let approvers: TestPerson[];
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    [owner, supervisor] = [await api.person('owner'), await api.person('supervisor')];
    approvers = [await api.person('approver'), await api.person('approver'), await api.person('head')];
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const read = async (id: ApplicationId, person: TestPerson) =>
    (await ask<Seen>(api, person, 'GET', `/licenses/applications/${id}`)).body;

  /** At an approval by two of three, where one has voted. */
  async function inApproval(): Promise<ApplicationId> {
    const { db } = database;
    const id = await anApplication(db, { companyId, type, applicantId: owner.id, state: 'approval' });
    const [first, second] = approvers;
    for (const [index, person] of [first, second, null].entries()) {
      const state = index === 0 ? 'decided' : 'open';
      const seat = { applicationId: id, stage: 'approval', dueAt: FRIDAY, seat: index + 1, role: 'approver' } as const;
      await aTask(db, { ...seat, assigneeId: person?.id ?? null, state });
    }
    await aDecision(db, { applicationId: id, stage: 'approval', decision: 'reject', by: first?.id ?? owner.id });
    return id;
  }

  it('shows the office who holds which seat, and how each has voted', async () => {
    const { seats, votes } = await read(await inApproval(), supervisor);
    const [first, second] = approvers;
    assert.deepEqual(
      seats?.map(({ seat, state, holder }) => [seat, state, holder?.id ?? null]),
      [
        [1, 'decided', first?.id],
        [2, 'open', second?.id],
        [3, 'open', null],
      ],
    );
    assert.deepEqual(
      votes?.map(({ seat, decision, by }) => [seat, decision, by.id]),
      [[1, 'reject', first?.id]],
    );
  });
  it('shows its owner neither seats nor votes, nor a vote that may not count', async () => {
    const id = await inApproval();
    const seen = await read(id, owner);
    for (const part of ['seats', 'votes', 'compliance', 'registryChecks', 'assigneeId'])
      assert.equal(part in seen, false, part);
    assert.deepEqual(seen.decisions, []);
    const approval = { applicationId: id, stage: 'approval', decision: 'approve' } as const;
    for (const [index, person] of approvers.slice(1).entries())
      await aDecision(database.db, { ...approval, by: person.id, seat: index + 2, at: FRIDAY });
    await database.db('applications').where({ id }).update({ state: 'pending_payment', stage: null });
    assert.deepEqual(
      (await read(id, owner)).decisions.map(({ decision }) => decision),
      ['approve'],
    );
    assert.equal((await read(id, supervisor)).decisions.length, 3);
  });
  it('has votes of this round only: a resubmission makes the others void', async () => {
    const id = await inApproval();
    await database.db('applications').where({ id }).update({ round: 2 });
    const { votes, decisions } = await read(id, supervisor);
    assert.deepEqual([votes?.length, decisions.length], [0, 1]);
  });
  it('shows the office what rules and registries say of this round, and never a number', async () => {
    const id = await inApproval();
    const reason = { id: 'Luas terlalu kecil', en: 'The area is too small' };
    const rule = { application_id: id, rule_version: 1, reason, checked_at: MONDAY };
    await database.db('compliance_results').insert([
      { ...rule, round: 1, rule_code: 'area', outcome: 'fail', position: 2 },
      { ...rule, round: 1, rule_code: 'zone', outcome: 'pass', position: 1 },
      { ...rule, round: 2, rule_code: 'area', outcome: 'pass', position: 1 },
    ]);
    const check = {
      application_id: id,
      round: 1,
      registry: 'npwp',
      state: 'mismatch',
      differences: ['name'],
      asked_at: MONDAY,
    };
    await database.db('registry_checks').insert(check);
    const { compliance, registryChecks } = await read(id, supervisor);
    assert.deepEqual(compliance, [
      { code: 'zone', outcome: 'pass', reason },
      { code: 'area', outcome: 'fail', reason },
    ]);
    assert.deepEqual(registryChecks, [
      { registry: 'npwp', state: 'mismatch', differences: ['name'], askedAt: MONDAY, answeredAt: null },
    ]);
  });
  it('shows both what the applicant said', async () => {
    const id = await inApproval();
    await database.db('applicant_statements').insert({
      id: randomUUID(),
      application_id: id,
      kind: 'response',
      round: 1,
      said_by: owner.id,
      said_at: MONDAY,
      text: 'Denah sudah benar.',
    });
    for (const person of [owner, supervisor]) {
      const [said] = (await read(id, person)).statements;
      assert.deepEqual([said?.kind, said?.text], ['response', 'Denah sudah benar.']);
    }
  });
  it('tells how its legal clock stands: running, or stopped and since when', async () => {
    const id = await inApproval();
    assert.equal((await read(id, owner)).legalClock, null);
    const set = (columns: object) => database.db('applications').where({ id }).update(columns);
    await set({ complete_at: MONDAY, legal_budget_ms: 1, legal_due_at: FRIDAY });
    const running = { startedAt: MONDAY, dueAt: FRIDAY, suspendedSince: null, suspendedFor: null };
    assert.deepEqual((await read(id, owner)).legalClock, running);
    await set({ legal_due_at: null });
    const suspension = { application_id: id, reason: 'correction', round: 1, from_at: FRIDAY };
    await database.db('suspensions').insert(suspension);
    const stopped = { startedAt: MONDAY, dueAt: null, suspendedSince: FRIDAY, suspendedFor: 'correction' };
    assert.deepEqual((await read(id, supervisor)).legalClock, stopped);
  });
  it('is not closed once it was taken up again', async () => {
    const id = await anApplication(database.db, { companyId, type, applicantId: owner.id, state: 'rejected' });
    assert.equal((await read(id, owner)).closedAt, MONDAY);
    await database.db('applications').where({ id }).update({ state: 'completeness' });
    assert.equal((await read(id, owner)).closedAt, null);
  });
});
