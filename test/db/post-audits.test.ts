import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { countOverdue, findAudit, listAudits } from '../../db/post-audit-reads.ts';
import {
  auditSample,
  decideAudit,
  decideProposal,
  openPostAudit,
  tellOfWaitingProposal,
  waitingProposals,
} from '../../db/post-audits.ts';
import { Failure, type FailureCode } from '../../domain/failures.ts';
import { type ApplicationId, asId, type CompanyId, type PostAuditId, type UserId } from '../../domain/ids.ts';
import {
  aCompany,
  aDecision,
  aLicense,
  aLicenseType,
  anApplication,
  aUser,
  holds,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const later = (days: number) => new Date(Date.parse(MONDAY) + days * 86_400_000);

describe('a post-audit', () => {
  let database: TestDatabase;
  let owner: UserId;
  let auditor: UserId;
  let head: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    const { db } = database;
    [owner, auditor, head] = [await aUser(db, 'owner'), await aUser(db, 'examiner'), await aUser(db, 'head')];
    companyId = await aCompany(db, owner);
    type = await aLicenseType(db);
    await db('users').whereIn('id', [auditor, head]).update({ office_id: type.officeId });
  });
  after(() => database?.drop());

  const audited = async ({ licensed = true } = {}) => {
    const { db } = database;
    const applicationId = await anApplication(db, { companyId, type, applicantId: owner, state: 'active' });
    const license = licensed ? await aLicense(db, { applicationId, companyId, type }) : null;
    await db.transaction((tx) => openPostAudit(tx, { applicationId, kind: 'deemed', at: MONDAY }));
    const { id } = await db('post_audits').where({ application_id: applicationId }).first('id');
    return { applicationId, id: asId<PostAuditId>(id), license };
  };
  const said = (id: PostAuditId, by: UserId) => ({ id, by, requestKey: randomUUID(), at: later(1).toISOString() });
  const decide = (id: PostAuditId, outcome: 'passed' | 'failed' = 'passed', by = auditor) =>
    database.db.transaction((tx) => decideAudit(tx, { ...said(id, by), outcome, findings: 'semua sesuai' }));
  const propose = (id: PostAuditId, decision: 'suspend' | 'dismiss', by = head) =>
    database.db.transaction((tx) => decideProposal(tx, { ...said(id, by), decision, note: 'lokasi fiktif' }));
  const isRefused = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code;
  const row = (id: PostAuditId) => database.db('post_audits').where({ id }).first();
  const events = (id: ApplicationId): Promise<string[]> =>
    database.db('events').where({ application_id: id }).orderBy('id').pluck('type');
  const statusOf = async (applicationId: ApplicationId) =>
    (await database.db('licenses').where({ application_id: applicationId }).first('status'))?.status;
  const viewer = (userId: UserId) => ({ userId, roles: ['supervisor'] }) as const;

  it('is opened once a case, due in twenty working days of its office', async () => {
    const { applicationId, id } = await audited();
    await database.db.transaction((tx) => openPostAudit(tx, { applicationId, kind: 'sample', at: MONDAY }));
    const { kind, state, due_at } = await row(id);
    assert.deepEqual([kind, state, due_at], ['deemed', 'open', new Date('2026-03-30T02:00:00Z')]);
    assert.deepEqual(await events(applicationId), ['post_audit.opened']);
  });
  it('of the automatic path is drawn by a secret: the same again with it, others with another', async () => {
    const draw = async (key: Buffer) => {
      const drawn: boolean[] = [];
      for (const applicationId of cases) {
        const tx = await database.db.transaction();
        drawn.push(await auditSample(tx, key, { applicationId, percent: 50, at: MONDAY }));
        await tx.rollback();
      }
      return drawn;
    };
    const make = () => anApplication(database.db, { companyId, type, applicantId: owner, state: 'active' });
    const cases = await Promise.all(Array.from({ length: 24 }, make));
    const [key, other] = [randomBytes(32), randomBytes(32)];
    const first = await draw(key);
    assert.deepEqual(await draw(key), first);
    assert.notDeepEqual(await draw(other), first);
  });
  it('passes, and that is all', async () => {
    const { id, applicationId } = await audited();
    await decide(id);
    const { state, proposal, decided_by } = await row(id);
    assert.deepEqual([state, proposal, decided_by], ['passed', null, auditor]);
    assert.deepEqual(await events(applicationId), ['post_audit.opened', 'post_audit.decided']);
    await assert.rejects(propose(id, 'suspend'), isRefused('audit_not_open'));
  });
  it('fails, proposes to suspend the licence, and tells those who decide', async () => {
    const { id, applicationId, license } = await audited();
    await decide(id, 'failed');
    assert.equal((await row(id)).proposal, 'open');
    assert.equal(await statusOf(applicationId), 'active');
    assert.deepEqual(await events(applicationId), [
      'post_audit.opened',
      'post_audit.decided',
      'license.suspension_proposed',
    ]);
    const letters = await database
      .db('account_letters')
      .whereRaw("data->>'licenseNumber' = ?", [license?.number ?? ''])
      .select('template', 'user_id');
    assert.deepEqual(letters, [{ template: 'license_suspension_proposed', user_id: head }]);
  });
  it('reminds of its proposal after each week, once, until somebody decides', async () => {
    const { db } = database;
    const { id, license } = await audited();
    await decide(id, 'failed');
    const letters = async () =>
      (await db('account_letters').whereRaw("data->>'licenseNumber' = ?", [license?.number ?? ''])).length;
    const told = async (days: number): Promise<number[]> => {
      const at = later(1 + days).toISOString();
      const waiting = (await waitingProposals(db, at, 50)).filter((proposal) => proposal.id === id);
      // Twice, as an activity whose answer was lost.
      for (const proposal of [...waiting, ...waiting])
        await db.transaction((tx) => tellOfWaitingProposal(tx, proposal, at));
      return [...waiting.map(({ week }) => week), await letters()];
    };
    assert.deepEqual(await told(6.9), [1]);
    assert.deepEqual(await told(7), [1, 2]);
    assert.deepEqual(await told(13), [2]);
    assert.deepEqual(await told(23), [3, 3], 'a week in which nobody looked is not made up for');
    await propose(id, 'dismiss');
    assert.deepEqual(await told(40), [3]);
    await db.transaction((tx) => tellOfWaitingProposal(tx, { id, week: 5 }, MONDAY));
    assert.equal(await letters(), 3, 'decided since it was looked up');
  });
  it('is decided once, though two do so at the same moment, and names the first', async () => {
    const { id, applicationId } = await audited();
    const outcomes = await Promise.allSettled([decide(id, 'failed'), decide(id, 'passed', head)]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await events(applicationId)).filter((one) => one === 'post_audit.decided').length, 1);
    const { decided_by } = await row(id);
    await assert.rejects(decide(id), (error) => error instanceof Failure && error.facts.decidedBy === decided_by);
  });
  it('is recorded once for a request that is repeated', async () => {
    const { id, applicationId } = await audited();
    const asked = { ...said(id, auditor), outcome: 'failed', findings: 'lokasi fiktif' } as const;
    for (let time = 0; time < 3; time += 1) await database.db.transaction((tx) => decideAudit(tx, asked));
    assert.equal((await events(applicationId)).length, 3);
  });

  describe('is nobody’s who has a part in the case:', () => {
    const involved: Readonly<Record<string, (id: ApplicationId, person: UserId) => Promise<unknown>>> = {
      'who held a task': (id, person) => holds(database.db, id, person, 'approval'),
      'who decided in place of its holder': (id, by) =>
        aDecision(database.db, { applicationId: id, stage: 'approval', decision: 'approve', by }),
    };
    for (const [who, involve] of Object.entries(involved)) {
      it(who, async () => {
        const { id, applicationId } = await audited();
        const person = await aUser(database.db, 'supervisor');
        await involve(applicationId, person);
        await assert.rejects(decide(id, 'passed', person), isRefused('already_acted'));
        await decide(id, 'failed');
        await assert.rejects(propose(id, 'dismiss', person), isRefused('already_acted'));
        assert.equal((await row(id)).proposal, 'open');
      });
    }
    it('who declared a conflict', async () => {
      const { id, applicationId } = await audited();
      const conflict = { application_id: applicationId, user_id: auditor, reason: 'neighbour', declared_at: MONDAY };
      await database.db('conflicts').insert(conflict);
      await assert.rejects(decide(id), isRefused('conflict_declared'));
    });
    it('who acts for the company', async () => {
      const { id } = await audited();
      await assert.rejects(decide(id, 'passed', owner), isRefused('own_application'));
    });
    it('nor does the auditor decide what it proposes', async () => {
      const { id } = await audited();
      await decide(id, 'failed', head);
      await assert.rejects(propose(id, 'suspend', head), isRefused('already_acted'));
    });
  });

  describe('that failed', () => {
    it('leads to a suspension, through the one way', async () => {
      const { id, applicationId } = await audited();
      await decide(id, 'failed');
      await propose(id, 'suspend');
      const { proposal, proposal_decided_by, proposal_note } = await row(id);
      assert.deepEqual([proposal, proposal_decided_by, proposal_note], ['suspended', head, 'lokasi fiktif']);
      assert.equal(await statusOf(applicationId), 'suspended');
      const causes = await database
        .db('license_suspensions as s')
        .join('licenses as l', 'l.id', 's.license_id')
        .where('l.application_id', applicationId)
        .select('s.cause', 's.note');
      assert.deepEqual(causes, [{ cause: 'audit_failed', note: 'lokasi fiktif' }]);
      await assert.rejects(propose(id, 'dismiss'), isRefused('audit_not_open'));
    });
    it('is dismissed, and stays on record with why', async () => {
      const { id, applicationId } = await audited();
      await decide(id, 'failed');
      await propose(id, 'dismiss');
      assert.deepEqual(
        [(await row(id)).proposal, (await row(id)).proposal_note, await statusOf(applicationId)],
        ['dismissed', 'lokasi fiktif', 'active'],
      );
    });
    it('before there is a licence keeps its proposal until there is one', async () => {
      const { id, applicationId } = await audited({ licensed: false });
      await decide(id, 'failed');
      await assert.rejects(propose(id, 'suspend'), isRefused('license_not_active'));
      assert.equal((await row(id)).proposal, 'open');
      await aLicense(database.db, { applicationId, companyId, type });
      await propose(id, 'suspend');
      assert.equal(await statusOf(applicationId), 'suspended');
    });
    it('of a licence that has ended can only be dismissed', async () => {
      const { id, applicationId } = await audited();
      await decide(id, 'failed');
      await database.db('licenses').where({ application_id: applicationId }).update({ status: 'revoked' });
      await assert.rejects(propose(id, 'suspend'), isRefused('license_ended'));
      await propose(id, 'dismiss');
    });
  });

  describe('in the list', () => {
    const listed = async (by: UserId, filter: object = {}, now = later(2)) =>
      (await listAudits(database.db, viewer(by), { ...filter, now, after: null, limit: 100 })).map(({ id }) => id);

    it('is seen in its office, and by those who belong to none', async () => {
      const { id } = await audited();
      const elsewhere = await aUser(database.db, 'supervisor');
      assert.ok((await listed(elsewhere)).includes(id));
      const other = await aLicenseType(database.db);
      await database.db('users').where({ id: elsewhere }).update({ office_id: other.officeId });
      assert.ok(!(await listed(elsewhere)).includes(id));
      assert.equal(await findAudit(database.db, viewer(elsewhere), id, later(2)), null);
      assert.ok((await listed(auditor)).includes(id));
    });
    it('is overdue after its date, and its proposal seven days after it was made', async () => {
      const before = await countOverdue(database.db, later(60));
      const [late, proposed] = [await audited(), await audited()];
      await decide(proposed.id, 'failed');
      const isOverdue = async (id: PostAuditId, now: Date) =>
        (await findAudit(database.db, viewer(auditor), id, now))?.overdue;
      assert.equal(await isOverdue(late.id, new Date('2026-03-30T02:00:00Z')), false);
      assert.equal(await isOverdue(late.id, new Date('2026-03-30T02:00:00.001Z')), true);
      assert.equal(await isOverdue(proposed.id, later(8)), false);
      assert.equal(await isOverdue(proposed.id, new Date(later(8).getTime() + 1)), true);
      const after = await countOverdue(database.db, later(60));
      assert.deepEqual([after.audit - before.audit, after.proposal - before.proposal], [1, 1]);
      const open = await listed(auditor, { proposal: 'open', overdue: true }, later(60));
      assert.ok(open.includes(proposed.id) && !open.includes(late.id));
      await propose(proposed.id, 'dismiss');
      assert.equal(await isOverdue(proposed.id, later(60)), false);
    });
    it('is filtered by state and kind, and comes page by page', async () => {
      const { id } = await audited();
      await decide(id, 'passed');
      assert.ok((await listed(auditor, { state: 'passed', kind: 'deemed' })).includes(id));
      assert.ok(!(await listed(auditor, { state: 'open' })).includes(id));
      assert.ok(!(await listed(auditor, { kind: 'sample' })).includes(id));
      const all = await listed(auditor);
      const found: string[] = [];
      for (let after: { at: Date; id: string } | null = null; ; ) {
        const [one] = await listAudits(database.db, viewer(auditor), { now: later(2), after, limit: 1 });
        if (!one) break;
        found.push(one.id);
        after = { at: one.dueAt, id: one.id };
      }
      assert.deepEqual(found, all);
    });
  });
});
