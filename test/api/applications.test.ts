import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { recordEvent } from '../../db/events.ts';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import {
  aCompany,
  aDecision,
  aLicenseType,
  anApplication,
  aPolicy,
  aTask,
  GOOD_FORM,
  holds,
  type LicenseTypeRow,
  MONDAY,
  policy,
} from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

interface ApplicationBody {
  readonly id: ApplicationId;
  readonly state: string;
  readonly formVersion: number;
  readonly form: unknown;
  readonly decisions: readonly Record<string, unknown>[];
}

describe('applications over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const path = '/licenses/applications';
  const newOne = (changes: object = {}) => ({ companyId, typeCode: type.code, form: GOOD_FORM, ...changes });
  const given = (changes: object = {}) => ({ companyId, type, applicantId: owner.id, ...changes });
  const rows = async () => (await database.db('applications').where({ company_id: companyId })).length;
  const pointers = (errors: readonly { pointer: string }[] | undefined) =>
    errors?.map(({ pointer }) => pointer).toSorted();

  describe('beginning one', () => {
    it('makes a draft, even with an empty form, and says where it is', async () => {
      const { status, headers, body } = await ask<ApplicationBody>(api, owner, 'POST', path, {
        body: newOne({ form: {} }),
      });
      assert.equal(status, 201);
      assert.equal(body.state, 'draft');
      assert.equal(headers.get('location'), `/api/v1${path}/${body.id}`);
      const read = await ask<ApplicationBody>(api, owner, 'GET', `${path}/${body.id}`);
      assert.deepEqual(read.body, body);
    });
    it('makes one for a request that is sent twice', async () => {
      const before = await rows();
      const options = { body: newOne(), headers: { 'idempotency-key': randomUUID() } };
      const [first, second] = [
        await ask(api, owner, 'POST', path, options),
        await ask(api, owner, 'POST', path, options),
      ];
      assert.equal(first.body['id'], second.body['id']);
      assert.equal(await rows(), before + 1);
    });
    it("finds no company that is another's", async () => {
      const stranger = await api.person('owner');
      const { status, body } = await problem(api, stranger, 'POST', path, { body: newOne() });
      assert.deepEqual([status, body.code], [404, 'not_found']);
    });
    it('is refused to a company that is suspended, and to staff', async () => {
      const suspended = await aCompany(database.db, owner.id, { status: 'suspended' });
      assert.equal(
        (await problem(api, owner, 'POST', path, { body: newOne({ companyId: suspended }) })).body.code,
        'forbidden',
      );
      assert.equal((await problem(api, await api.person('supervisor'), 'POST', path, { body: newOne() })).status, 403);
    });
    it('points at a licence type that does not exist, and at a field that does not', async () => {
      const unknown = await problem(api, owner, 'POST', path, { body: newOne({ typeCode: 'none' }) });
      assert.deepEqual([unknown.status, pointers(unknown.body.errors)], [422, ['/typeCode']]);
      const extra = await problem(api, owner, 'POST', path, { body: newOne({ nik: 'x' }) });
      assert.deepEqual([extra.status, pointers(extra.body.errors)], [422, ['/nik']]);
    });
    it('creates nothing when it is to be submitted at once and cannot', async () => {
      const before = await rows();
      const { status, body } = await problem(api, owner, 'POST', path, { body: newOne({ submit: true }) });
      assert.deepEqual([status, body.code, pointers(body.errors)], [422, 'incomplete_application', ['/documents/ktp']]);
      assert.equal(await rows(), before);
    });
  });

  describe('reading one', () => {
    it('shows its owner reasons and no names of the office, and the office both', async () => {
      const [verifier, supervisor] = [await api.person('verifier'), await api.person('supervisor')];
      const id = await anApplication(database.db, given({ state: 'rejected' }));
      await aDecision(database.db, {
        applicationId: id,
        stage: 'approval',
        decision: 'reject',
        by: verifier.id,
        note: 'internal',
      });
      const [own] = (await ask<ApplicationBody>(api, owner, 'GET', `${path}/${id}`)).body.decisions;
      assert.deepEqual(own?.['reasons'], [{ code: 'unclear_document', text: 'KTP tidak terbaca' }]);
      assert.deepEqual([own?.['decidedBy'], own?.['note']], [undefined, undefined]);
      const [office] = (await ask<ApplicationBody>(api, supervisor, 'GET', `${path}/${id}`)).body.decisions;
      assert.deepEqual(
        [office?.['decidedBy'], office?.['note']],
        [{ id: verifier.id, name: verifier.name }, 'internal'],
      );
    });
    it("is impossible for another company's people and for a reviewer who never held it", async () => {
      const id = await anApplication(database.db, given({ state: 'approval' }));
      for (const role of ['owner', 'verifier'] as const) {
        for (const suffix of ['', '/timeline', '/deadline']) {
          assert.equal((await ask(api, await api.person(role), 'GET', `${path}/${id}${suffix}`)).status, 404);
        }
      }
    });
    it('pages through the list, newest first', async () => {
      const mine = await api.person('owner');
      const company = await aCompany(database.db, mine.id);
      const at = (day: number) =>
        given({ companyId: company, applicantId: mine.id, at: `2026-03-0${day}T02:00:00.000Z` });
      const ids = [
        await anApplication(database.db, at(1)),
        await anApplication(database.db, at(2)),
        await anApplication(database.db, at(3)),
      ];
      type Page = { items: { id: string }[]; nextCursor: string | null };
      const first = (await ask<Page>(api, mine, 'GET', `${path}?limit=2`)).body;
      const second = (await ask<Page>(api, mine, 'GET', `${path}?limit=2&cursor=${first.nextCursor}`)).body;
      assert.deepEqual(
        [...first.items, ...second.items].map(({ id }) => id),
        ids.toReversed(),
      );
      assert.equal(second.nextCursor, null);
    });
  });

  describe('changing the form', () => {
    const change = (id: string, etag?: string | null) =>
      problem(api, owner, 'PUT', `${path}/${id}`, {
        body: { form: { shopName: 'Lain' } },
        ...(etag && { headers: { 'if-match': etag } }),
      });

    it('counts only when nobody has changed it since it was read', async () => {
      const id = await anApplication(database.db, given());
      const etag = (await ask(api, owner, 'GET', `${path}/${id}`)).headers.get('etag');
      const changed = await change(id, etag);
      assert.equal(changed.status, 200);
      const late = await change(id, etag);
      assert.deepEqual([late.status, late.body.code], [412, 'precondition_failed']);
      assert.equal((await change(id, changed.headers.get('etag'))).status, 200);
    });
    it('needs no If-Match', async () => {
      assert.equal((await change(await anApplication(database.db, given()))).status, 200);
    });
    it('is over once the office has the case, and possible again for a correction', async () => {
      const refused = await change(await anApplication(database.db, given({ state: 'approval' })));
      assert.deepEqual([refused.status, refused.body.code], [409, 'not_a_draft']);
      assert.equal(
        (await change(await anApplication(database.db, given({ state: 'correction_requested' })))).status,
        200,
      );
    });
    it('is not for staff who see the case', async () => {
      const id = await anApplication(database.db, given());
      const both = await api.person('owner', 'supervisor');
      const { status } = await ask(api, both, 'PUT', `${path}/${id}`, { body: { form: {} } });
      assert.equal(status, 403);
    });
  });

  describe('handing it over', () => {
    it('points at everything that is missing or wrong, in the reader’s language', async () => {
      const id = await anApplication(
        database.db,
        given({ form: { shopName: 'ab', contact: { email: 'x' }, 'a/b': 1 } }),
      );
      const headers = { 'accept-language': 'id' };
      const { status, body } = await problem(api, owner, 'POST', `${path}/${id}/submit`, { headers });
      assert.deepEqual([status, body.code], [422, 'incomplete_application']);
      assert.deepEqual(pointers(body.errors), [
        '/documents/ktp',
        '/form/a~1b',
        '/form/contact/email',
        '/form/shopName',
      ]);
      assert.match(body.errors?.find(({ pointer }) => pointer === '/documents/ktp')?.detail ?? '', /wajib diunggah/);
    });
    it('is 503 while Temporal is away, and leaves a draft', async function () {
      this.timeout(20_000);
      const easy = await aLicenseType(database.db, { checklist: [] });
      const id = await anApplication(database.db, given({ type: easy }));
      const { status, headers } = await ask(api, owner, 'POST', `${path}/${id}/submit`);
      assert.equal(status, 503);
      assert.ok(headers.get('retry-after'));
      assert.equal((await ask(api, owner, 'GET', `${path}/${id}`)).body['state'], 'draft');
    });
    it('a second time is 409', async () => {
      const id = await anApplication(database.db, given({ state: 'submitted' }));
      const { status, body } = await problem(api, owner, 'POST', `${path}/${id}/submit`);
      assert.deepEqual([status, body.code], [409, 'already_submitted']);
    });
    it('again is possible only after a correction was requested', async () => {
      const id = await anApplication(database.db, given({ state: 'approval' }));
      const { status, body } = await problem(api, owner, 'POST', `${path}/${id}/resubmit`);
      assert.deepEqual([status, body.code], [409, 'not_awaiting_correction']);
    });
    it('again asks for what is missing', async () => {
      const id = await anApplication(database.db, given({ state: 'correction_requested' }));
      const { status, body } = await problem(api, owner, 'POST', `${path}/${id}/resubmit`);
      assert.deepEqual([status, pointers(body.errors)], [422, ['/documents/ktp']]);
    });
  });

  describe('handing it over while every worker is down', () => {
    let connection: Connection;
    let running: TestApi;
    let easy: LicenseTypeRow;
    let sender: TestPerson;
    let company: CompanyId;

    before(async () => {
      connection = await Connection.connect({ address: (await temporal()).address });
      running = await startApi(database, { temporal: new Client({ connection }), taskQueue: `nobody-${randomUUID()}` });
      easy = await aLicenseType(database.db, { checklist: [] });
      sender = await running.person('owner');
      company = await aCompany(database.db, sender.id);
    });
    after(async () => {
      await running.close();
      await connection.close();
    });

    const handle = (id: ApplicationId) => running.deps.temporal.workflow.getHandle(licenseReviewId(id));
    const aDraft = () => anApplication(database.db, { companyId: company, type: easy, applicantId: sender.id });
    const submit = (id: string) => ask(running, sender, 'POST', `${path}/${id}/submit`);

    it('is accepted: the process waits and the submission is on record, once', async () => {
      const id = await aDraft();
      const { status, body } = await submit(id);
      assert.deepEqual([status, body['state'], body['percent']], [200, 'submitted', 10]);
      assert.equal((await handle(id).describe()).status.name, 'RUNNING');
      assert.equal((await database.db('submissions').where({ application_id: id })).length, 1);
      const again = await submit(id);
      assert.equal(again.status, 409);
      assert.equal(
        (await database.db('events').where({ application_id: id, type: 'application.submitted' })).length,
        1,
      );
    });
    it('is accepted at once, where no document is needed', async () => {
      const body = { companyId: company, typeCode: easy.code, form: GOOD_FORM, submit: true };
      const made = await ask<ApplicationBody>(running, sender, 'POST', path, { body });
      assert.deepEqual([made.status, made.body.state], [201, 'submitted']);
      assert.equal((await handle(made.body.id).describe()).status.name, 'RUNNING');
    });
    it('goes on where an API stopped that had started the process and recorded nothing', async () => {
      const id = await aDraft();
      const options = { workflowId: licenseReviewId(id), taskQueue: running.deps.taskQueue, args: [{}] };
      const started = await running.deps.temporal.workflow.start('licenseReview', options);
      assert.equal((await submit(id)).status, 200);
      assert.equal((await handle(id).describe()).runId, started.firstExecutionRunId);
    });
    it('pins the rules in force at that moment', async () => {
      const id = await aDraft();
      const now = {
        version: 2,
        effectiveFrom: '2026-02-01T00:00:00Z',
        policy: policy({ checklist: [], legalWorkingDays: 3 }),
      };
      const policyId = await aPolicy(database.db, easy.code, now);
      await submit(id);
      const pinned: { policy_id: string } | undefined = await database
        .db('applications')
        .where({ id })
        .first('policy_id');
      assert.equal(pinned?.policy_id, policyId);
    });
  });

  describe('withdrawing', () => {
    const withdraw = (id: string) =>
      problem(api, owner, 'POST', `${path}/${id}/withdraw`, { body: { reason: 'closed the shop' } });

    it('a draft asks nobody', async () => {
      const id = await anApplication(database.db, given());
      const { status, body } = await withdraw(id);
      assert.deepEqual([status, body.state], [200, 'withdrawn']);
    });
    it('is over when the case is closed or decided', async () => {
      const closed = await withdraw(await anApplication(database.db, given({ state: 'rejected' })));
      assert.deepEqual([closed.status, closed.body.code], [409, 'already_closed']);
      const decided = await withdraw(await anApplication(database.db, given({ state: 'pending_payment' })));
      assert.deepEqual([decided.status, decided.body.code], [409, 'already_decided']);
    });
    it('takes a reason', async () => {
      const id = await anApplication(database.db, given());
      const { status, body } = await problem(api, owner, 'POST', `${path}/${id}/withdraw`, { body: {} });
      assert.deepEqual([status, pointers(body.errors)], [422, ['/reason']]);
    });
  });

  describe('the timeline', () => {
    it('tells its owner what concerns them, without names of the office, and the office all of it', async () => {
      const [verifier, supervisor] = [await api.person('verifier'), await api.person('supervisor')];
      const id = await anApplication(database.db, given({ state: 'approval' }));
      const event = (key: string, rest: object) => ({ key: `${id}/${key}`, applicationId: id, at: MONDAY, ...rest });
      await recordEvent(database.db, { ...event('1', {}), type: 'application.created', by: owner.id });
      await recordEvent(database.db, { ...event('2', {}), type: 'task.assigned' });
      await recordEvent(database.db, { ...event('3', {}), type: 'decision.recorded', by: verifier.id });
      type Page = { items: { type: string; by?: { name: string } }[]; nextCursor: string | null };
      const own = (await ask<Page>(api, owner, 'GET', `${path}/${id}/timeline`)).body.items;
      assert.deepEqual(
        own.map(({ type, by }) => [type, by?.name]),
        [
          ['application.created', owner.name],
          ['decision.recorded', undefined],
        ],
      );
      const first = (await ask<Page>(api, supervisor, 'GET', `${path}/${id}/timeline?limit=2`)).body;
      const rest = (
        await ask<Page>(api, supervisor, 'GET', `${path}/${id}/timeline?limit=2&cursor=${first.nextCursor}`)
      ).body;
      assert.deepEqual(
        [...first.items, ...rest.items].map(({ type, by }) => [type, by?.name]),
        [
          ['application.created', owner.name],
          ['task.assigned', undefined],
          ['decision.recorded', verifier.name],
        ],
      );
    });
  });

  describe('the deadline', () => {
    it('tells the budget, what is used, the holidays that moved it, and what fires next', async () => {
      const verifier = await api.person('verifier');
      const id = await anApplication(database.db, given({ state: 'document_verification', assigneeId: verifier.id }));
      // Monday 09:00 to 13:00 in Jakarta, where the office is open from 8 to 16: the year is past, so all days since count.
      const task = { applicationId: id, stage: 'document_verification', assigneeId: verifier.id } as const;
      await aTask(database.db, { ...task, openedAt: '2099-03-02T02:00:00.000Z', dueAt: '2099-03-03T02:00:00.000Z' });
      await database.db('tasks').where({ application_id: id }).update({ used_ms: 3_600_000 });
      const fired = { application_id: id, round: 1, stage: 'document_verification', rung: 'half', fired_at: MONDAY };
      await database.db('escalations').insert(fired);
      type Body = {
        dueAt: string;
        whoseTurn: string;
        clock: { usedMs: number; budgetMs: number; holidays: object[]; next: { code: string } };
      };
      const { body } = await ask<Body>(api, verifier, 'GET', `${path}/${id}/deadline`);
      assert.deepEqual([body.dueAt, body.whoseTurn], ['2099-03-03T02:00:00.000Z', 'office']);
      assert.deepEqual(
        [body.clock.budgetMs, body.clock.usedMs, body.clock.holidays, body.clock.next.code],
        [8 * 3_600_000, 3_600_000, [{ date: '2026-03-03', reason: 'Hari Uji' }], 'at_risk'],
      );
    });
    it('counts the working time since the stage was opened', async () => {
      const supervisor = await api.person('supervisor');
      const id = await anApplication(database.db, given({ state: 'approval' }));
      const opened = new Date(Date.now() - 14 * 86_400_000);
      const task = {
        applicationId: id,
        stage: 'approval',
        assigneeId: null,
        dueAt: '2099-01-01T00:00:00.000Z',
      } as const;
      await aTask(database.db, { ...task, openedAt: opened.toISOString() });
      type Body = { clock: { usedMs: number } };
      const { body } = await ask<Body>(api, supervisor, 'GET', `${path}/${id}/deadline`);
      // Two weeks hold ten working days of eight hours.
      assert.ok(Math.abs(body.clock.usedMs - 10 * 8 * 3_600_000) < 60_000, `${body.clock.usedMs}`);
    });
    it("is the applicant's own while the applicant has the turn", async () => {
      const id = await anApplication(
        database.db,
        given({ state: 'correction_requested', dueAt: '2026-04-01T09:00:00.000Z' }),
      );
      const { body } = await ask(api, owner, 'GET', `${path}/${id}/deadline`);
      assert.deepEqual(
        [body['whoseTurn'], body['dueAt'], body['clock']],
        ['applicant', '2026-04-01T09:00:00.000Z', null],
      );
    });
  });

  it('lists what can be applied for, with the fee in total', async () => {
    type Item = { code: string; name: string; stages: string[]; fee: { amountMinor: number; formatted: string } };
    const { body } = await ask<{ items: Item[] }>(api, await api.person('verifier'), 'GET', '/licenses/types');
    const found = body.items.find(({ code }) => code === type.code);
    assert.deepEqual([found?.name, found?.stages.length], ['Test licence', 3]);
    // 250 000 carry no tax, 100 000 carry 11 000.
    assert.deepEqual([found?.fee.amountMinor, found?.fee.formatted], [361_000, 'Rp361.000']);
  });

  it('is refused to whoever is not logged in', async () => {
    const id = await anApplication(database.db, given());
    for (const where of ['/licenses/types', path, `${path}/${id}`, `/licenses/status/${id}`, '/licenses/assigned']) {
      assert.equal((await ask(api, null, 'GET', where)).status, 401, where);
    }
  });

  it('shows a case in the list of the reviewer who held it', async () => {
    const verifier = await api.person('verifier');
    const id = await anApplication(database.db, given({ state: 'approval' }));
    await holds(database.db, id, verifier.id, 'document_verification');
    const { body } = await ask<{ items: { id: string }[] }>(api, verifier, 'GET', path);
    assert.deepEqual(
      body.items.map((item) => item.id),
      [id],
    );
  });
});
