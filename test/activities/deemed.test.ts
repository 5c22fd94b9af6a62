import assert from 'node:assert/strict';
import { createDeemedActivities } from '../../activities/deemed.ts';
import { moveApplication } from '../../db/application-moves.ts';
import { recordDecision } from '../../db/decisions.ts';
import { findEvidence } from '../../db/evidence.ts';
import { createFileStore, type FileStore } from '../../db/files.ts';
import { issueLicense } from '../../db/licenses.ts';
import { certificateFacts } from '../../db/printed.ts';
import { resumeClock, startLegalClock, suspendClock } from '../../db/suspensions.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  aTask,
  aUser,
  hashOf,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';
import { linesOf } from './documents/pdf-text.ts';

/** 09:00 in Jakarta, as MONDAY is. Due: five working days later, and one in which the applicant had the case. */
const TUESDAY = '2026-03-03T02:00:00.000Z';
const WEDNESDAY = '2026-03-04T02:00:00.000Z';
const DUE = '2026-03-10T02:00:00.000Z';
const DAY_MS = 8 * 3_600_000;

describe('an approval by law', () => {
  let database: TestDatabase;
  let owner: UserId;
  let verifier: UserId;
  let supervisor: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let directory: string;
  let files: FileStore;

  before(async () => {
    database = await createTestDatabase();
    const { db } = database;
    owner = await aUser(db, 'owner');
    companyId = await aCompany(db, owner);
    type = await aLicenseType(db);
    verifier = await aUser(db, 'verifier');
    supervisor = await aUser(db, 'supervisor');
    await db('users').whereIn('id', [verifier, supervisor]).update({ office_id: type.officeId });
    directory = await temporaryDirectory();
    files = createFileStore(directory);
  });
  after(async () => {
    await database?.drop();
    await removeDirectory(directory);
  });

  /** Complete on Monday; the applicant had it from Tuesday to Wednesday; due the Tuesday after. */
  async function waiting(state: ApplicationState = 'document_verification'): Promise<ApplicationId> {
    const { db } = database;
    const id = await anApplication(db, {
      companyId,
      type,
      applicantId: owner,
      state,
      assigneeId: verifier,
      dueAt: DUE,
    });
    await db('applications').where({ id }).update({ round: 1 });
    const started = { applicationId: id, officeId: type.officeId, legalWorkingDays: 5, at: MONDAY };
    await db.transaction((tx) => startLegalClock(tx, started));
    const stage = 'document_verification';
    const reason = 'correction';
    const suspended = { applicationId: id, reason, stage, round: 1, by: verifier, at: TUESDAY } as const;
    await db.transaction((tx) => suspendClock(tx, suspended));
    await db.transaction((tx) => resumeClock(tx, { applicationId: id, at: WEDNESDAY }));
    if (state === stage) await aTask(db, { applicationId: id, stage, assigneeId: verifier, dueAt: DUE });
    return id;
  }
  const activities = () => createDeemedActivities({ db: database.db, files });
  const bill = { fee: { statutoryMinor: '250000', serviceMinor: '100000', currency: 'IDR' }, dueAt: DUE } as const;
  const approve = (applicationId: ApplicationId, changes: object = {}) =>
    activities().approveByLaw({
      applicationId,
      round: 1,
      stage: 'document_verification',
      to: 'pending_payment',
      bill,
      at: DUE,
      ...changes,
    });
  const decide = (applicationId: ApplicationId) =>
    recordDecision(database.db, {
      applicationId,
      round: 1,
      stage: 'document_verification',
      decision: 'approve',
      by: verifier,
      at: DUE,
      reasons: [],
      note: null,
      submissionHash: hashOf('submission'),
      to: 'compliance_check',
      nextStage: 'compliance_check',
    });
  const of = (table: string, id: ApplicationId) => database.db(table).where({ application_id: id });
  const stateOf = async (id: ApplicationId): Promise<string> =>
    (await database.db('applications').where({ id }).first('state')).state;
  const left = async (id: ApplicationId) => ({
    state: await stateOf(id),
    tasks: await of('tasks', id).pluck('state'),
    invoices: (await of('invoices', id)).length,
    audits: await of('post_audits', id).select('kind', 'state', 'due_at'),
    evidence: (await of('evidence_packs', id)).length,
    decisions: (await of('decisions', id)).length,
    events: await of('events', id)
      .whereIn('type', ['application.deemed_approved', 'post_audit.opened', 'invoice.issued'])
      .orderBy('id')
      .pluck('type'),
  });
  const GRANTED = {
    state: 'pending_payment',
    tasks: ['cancelled'],
    invoices: 1,
    // Twenty working days after Tuesday 09:00; the demonstration office's holidays are not this office's.
    audits: [{ kind: 'deemed', state: 'open', due_at: new Date('2026-04-07T02:00:00.000Z') }],
    evidence: 1,
    decisions: 0,
    events: ['application.deemed_approved', 'post_audit.opened', 'invoice.issued'],
  };

  it('moves the case on, ends its tasks, bills it, opens an audit and keeps the evidence, in one', async () => {
    const id = await waiting();
    const answer = await approve(id);
    assert.deepEqual(answer, { approved: true, state: 'pending_payment', legalDueAt: DUE });
    assert.deepEqual(await left(id), GRANTED);
  });
  it('happens once, though it runs again later and five times at once', async () => {
    const [again, atOnce] = [await waiting(), await waiting()];
    await approve(again);
    await moveApplication(database.db, { id: again, to: 'activating', at: DUE });
    assert.equal((await approve(again)).approved, true);
    assert.deepEqual(await left(again), { ...GRANTED, state: 'activating' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => approve(atOnce)));
    assert.ok(answers.every(({ approved }) => approved));
    assert.deepEqual(await left(atOnce), GRANTED);
  });
  it('of a type without a fee goes straight to its licence', async () => {
    const id = await waiting();
    await approve(id, { to: 'activating', bill: null });
    const after = await left(id);
    assert.deepEqual([after.state, after.invoices], ['activating', 0]);
  });
  it('of a case that is complete and has no stage yet needs none', async () => {
    const id = await waiting('completeness');
    // Without a task there is only the case itself to keep five at once apart.
    const answers = await Promise.all(Array.from({ length: 5 }, () => approve(id, { stage: null })));
    assert.ok(answers.every(({ approved }) => approved));
    assert.deepEqual(await left(id), { ...GRANTED, tasks: [] });
  });
  it('leaves nothing behind when it fails in the middle', async () => {
    const id = await waiting();
    await database
      .db('license_policies')
      .where({ id: type.policyId })
      .update({ policy: JSON.stringify({}) });
    try {
      await assert.rejects(approve(id));
    } finally {
      await database
        .db('license_policies')
        .where({ id: type.policyId })
        .update({ policy: JSON.stringify(type.policy) });
    }
    assert.deepEqual(await left(id), {
      state: 'document_verification',
      tasks: ['open'],
      invoices: 0,
      audits: [],
      evidence: 0,
      decisions: 0,
      events: [],
    });
  });

  describe('gives way', () => {
    it('to a decision that was recorded first', async () => {
      const id = await waiting();
      assert.equal(await decide(id), null);
      assert.deepEqual(await approve(id), { approved: false, state: 'compliance_check', legalDueAt: DUE });
      const after = await left(id);
      assert.deepEqual([after.state, after.evidence, after.audits, after.invoices], ['compliance_check', 0, [], 0]);
    });
    it('to no decision that comes after it', async () => {
      const id = await waiting();
      await approve(id);
      assert.notEqual(await decide(id), null);
      assert.deepEqual(await left(id), GRANTED);
    });
    it('or not, whoever of the two is first, when both come at the same moment', async () => {
      for (let round = 0; round < 12; round += 1) {
        const id = await waiting();
        const both = round % 2 === 0 ? [decide(id), approve(id)] : [approve(id), decide(id)];
        await Promise.all(both);
        const { state, decisions, evidence } = await left(id);
        assert.equal(decisions + evidence, 1, `${state}: one of them and not the other`);
        assert.equal(state, decisions === 1 ? 'compliance_check' : 'pending_payment');
      }
    });
    it('waits for a decision that is being recorded, and for nothing else', async () => {
      const id = await waiting();
      const decision = await database.db.transaction();
      await recordDecision(decision, {
        applicationId: id,
        round: 1,
        stage: 'document_verification',
        decision: 'approve',
        by: verifier,
        at: DUE,
        reasons: [],
        note: null,
        submissionHash: hashOf('submission'),
        to: 'compliance_check',
        nextStage: 'compliance_check',
      });
      let answered = false;
      const approval = approve(id).finally(() => {
        answered = true;
      });
      await lockWaited(id);
      assert.equal(answered, false);
      await decision.commit();
      assert.deepEqual((await approval).approved, false);
      assert.equal(await stateOf(id), 'compliance_check');
    });
    it('while the legal time is not over, and while the clock stands still', async () => {
      const early = await waiting();
      const at = new Date(Date.parse(DUE) - 1).toISOString();
      assert.deepEqual(await approve(early, { at }), {
        approved: false,
        state: 'document_verification',
        legalDueAt: DUE,
      });
      const still = await waiting();
      const stage = 'document_verification';
      const answer = { applicationId: still, reason: 'intent_to_reject', stage, round: 1, by: verifier } as const;
      await database.db.transaction((tx) => suspendClock(tx, { ...answer, at: WEDNESDAY }));
      assert.deepEqual([(await approve(still)).approved, (await approve(still)).legalDueAt], [false, null]);
    });
    it('to a case that is at another stage, in another round, or over', async () => {
      const id = await waiting();
      assert.equal((await approve(id, { stage: 'approval' })).approved, false);
      assert.equal((await approve(id, { round: 2 })).approved, false);
      assert.equal((await approve(id, { stage: null })).approved, false);
      await moveApplication(database.db, { id, to: 'withdrawn', at: DUE });
      assert.deepEqual((await approve(id, { stage: null })).state, 'withdrawn');
    });
  });

  /** Until some other connection waits for a lock. */
  async function lockWaited(id: ApplicationId): Promise<void> {
    for (let tries = 0; tries < 500; tries += 1) {
      const { rows } = await database.db.raw(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      if (rows.length > 0) return;
    }
    assert.fail(`nobody waits for ${id}`);
  }

  describe('is evident', () => {
    let id: ApplicationId;
    before(async () => {
      const { db } = database;
      id = await waiting();
      const fired = { application_id: id, round: 1, stage: 'document_verification' };
      await db('escalations').insert([
        { ...fired, rung: 'half', fired_at: '2026-03-05T02:00:00Z' },
        { ...fired, rung: 'breach', fired_at: '2026-03-06T02:00:00Z' },
        { ...fired, rung: 'head', fired_at: '2026-03-09T02:00:00Z' },
      ]);
      const letter = (template: string, user: UserId, at: string) => ({
        id: crypto.randomUUID(),
        key: `${id}/${template}/${user}`,
        message_id: `<${crypto.randomUUID()}@test>`,
        template,
        template_version: 1,
        locale: 'id',
        user_id: user,
        application_id: id,
        state: 'sent',
        queued_at: at,
        sent_at: at,
      });
      await db('mail_deliveries').insert([
        letter('task_assigned', verifier, MONDAY),
        letter('task_reminder', verifier, '2026-03-05T02:00:01Z'),
        letter('task_breached', supervisor, '2026-03-06T02:00:01Z'),
        letter('application_submitted', owner, MONDAY),
      ]);
      await approve(id);
    });

    it('with every day and hour counted: they are the legal time', async () => {
      const pack = (await findEvidence(database.db, id))?.pack ?? assert.fail('no evidence');
      assert.deepEqual(
        [pack.completeAt, pack.legalDueAt, pack.grantedAt],
        ['2026-03-02T09:00:00+07:00', '2026-03-10T09:00:00+07:00', '2026-03-10T09:00:00+07:00'],
      );
      assert.deepEqual([pack.legalBudgetMs, pack.officeMs, pack.applicantMs], [5 * DAY_MS, 5 * DAY_MS, DAY_MS]);
      assert.equal(
        pack.days.reduce((sum, { workingMs }) => sum + workingMs, 0),
        pack.officeMs,
      );
      assert.deepEqual(
        pack.days.map(({ date }) => date),
        ['02', '03', '04', '05', '06', '09', '10'].map((day) => `2026-03-${day}`),
      );
      assert.deepEqual(
        pack.suspensions.map(({ reason, from, to, workingMs, by }) => [reason, from, to, workingMs, by.userId]),
        [['correction', '2026-03-03T09:00:00+07:00', '2026-03-04T09:00:00+07:00', DAY_MS, verifier]],
      );
      assert.equal(pack.calendar.version, 1);
    });
    it('with who held it and who was told by which rung', async () => {
      const pack = (await findEvidence(database.db, id))?.pack ?? assert.fail('no evidence');
      assert.deepEqual(
        pack.rungs.map(({ code, told }) => [code, told.map(({ person }) => person.roles.join())]),
        [
          ['half', ['verifier']],
          ['breach', ['supervisor']],
          ['head', []],
        ],
      );
      assert.deepEqual(
        pack.holders.map(({ person }) => person),
        [{ userId: verifier, roles: ['verifier'] }],
      );
      assert.deepEqual(
        pack.tasks.map(({ state, assignee }) => [state, assignee]),
        [['open', verifier]],
      );
    });
    it('on a paper that is printed once and names nobody', async () => {
      const first = await activities().printEvidence({ applicationId: id });
      const again = await activities().printEvidence({ applicationId: id });
      assert.deepEqual(again, first);
      const pdf = (await files.read(first.sha256)) ?? assert.fail('not stored');
      const text = linesOf(pdf).join(' ').replaceAll(/\s+/g, ' ');
      for (const shown of [
        'CV Uji Coba',
        'Bukti persetujuan menurut hukum',
        'Pasal 53 UU 30/2014',
        'article 175 of Law 11/2020',
        '5 hari kerja (40:00 jam)',
        '10 Maret 2026 pukul 09.00 WIB',
        'verifikator (terkirim',
        'correction by the applicant',
      ])
        assert.ok(text.includes(shown), shown);
      const people: { name: string }[] = await database
        .db('users')
        .whereIn('id', [verifier, supervisor])
        .select('name');
      for (const { name } of people) assert.ok(!text.includes(name), name);
    });
    it('on two papers that are printed at once only once', async () => {
      const other = await waiting();
      await approve(other);
      const printed = await Promise.all([1, 2, 3].map(() => activities().printEvidence({ applicationId: other })));
      assert.equal(new Set(printed.map(({ sha256 }) => sha256)).size, 1);
    });
    it('to the certificate, by the record', async () => {
      const { db } = database;
      await moveApplication(db, { id, to: 'activating', at: DUE });
      const { licenseId } = await issueLicense(db, {
        applicationId: id,
        typeCode: type.code,
        at: DUE,
        validUntil: null,
      });
      assert.equal((await certificateFacts(db, licenseId)).grantedBy, 'law');
    });
    it('is not asserted of a case without a legal clock', async () => {
      const { db } = database;
      const clockless = await anApplication(db, { companyId, type, applicantId: owner, state: 'completeness' });
      await db('applications').where({ id: clockless }).update({ legal_due_at: MONDAY, round: 1 });
      await assert.rejects(approve(clockless, { stage: null }), /no legal clock/);
    });
  });
});
