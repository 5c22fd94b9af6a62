import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { type AbsenceId, asId, type OfficeId, type TaskMoveId } from '../../domain/ids.ts';
import type { Role } from '../../domain/roles.ts';
import { absenceProcessId, taskMoveProcessId } from '../../workflows/ids.ts';
import { aCompany, aLicenseType, anApplication, aTask, type LicenseTypeRow } from '../builders/licensing.ts';
import { ask, type Problem } from '../builders/requests.ts';
import { noTemporal, startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

interface AbsenceBody {
  readonly id: string;
  readonly userId: string;
  readonly plannedBy: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly cancelledAt: string | null;
}
interface MoveBody {
  readonly id: string;
  readonly fromUserId: string;
  readonly toUserId: string | null;
  readonly moved: number;
  readonly stayed: number;
  readonly finishedAt: string | null;
  readonly cases: readonly unknown[];
}

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

describe('the people of an office', () => {
  let database: TestDatabase;
  let connection: Connection;
  let client: Client;
  let api: TestApi;
  let type: LicenseTypeRow;
  let elsewhere: OfficeId;
  let [verifier, supervisor]: TestPerson[] = [];

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    client = new Client({ connection });
    // Nobody takes its tasks: what is asked is only whether a process was started.
    api = await startApi(database, { temporal: client, taskQueue: `nobody-${randomUUID()}` });
    type = await aLicenseType(database.db);
    elsewhere = (await aLicenseType(database.db)).officeId;
    verifier = await staff('verifier');
    supervisor = await staff('supervisor');
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  const staff = async (role: Role, office = type.officeId): Promise<TestPerson> => {
    const person = await api.person(role);
    await database.db('users').where({ id: person.id }).update({ office_id: office });
    return person;
  };
  const person = (who: TestPerson | undefined): TestPerson => who ?? assert.fail();
  const plan = (as: TestPerson, body: object, headers: Readonly<Record<string, string>> = {}) =>
    ask<AbsenceBody & Problem>(api, as, 'POST', '/admin/absences', { body: { reason: 'leave', ...body }, headers });
  const planned = async (as: TestPerson, body: object): Promise<AbsenceBody> => {
    const answer = await plan(as, body);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body;
  };
  const cancel = (as: TestPerson, id: string) => ask<Problem>(api, as, 'DELETE', `/admin/absences/${id}`);
  const absencesOf = async (as: TestPerson, query = ''): Promise<readonly string[]> => {
    const { body } = await ask<{ items: { id: string }[] }>(api, as, 'GET', `/admin/absences${query}`);
    return body.items.map(({ id }) => id);
  };
  const refusal = ({ status, body }: { status: number; body: Problem }) => [status, body.code];
  const stateOf = async (workflowId: string): Promise<string> =>
    (await client.workflow.getHandle(workflowId).describe()).status.name;
  const eventsAbout = (subject: string) =>
    database.db('events').where({ subject }).orderBy('id').select('type', 'actor_id', 'data');
  const holding = async (holder: TestPerson): Promise<void> => {
    const owner = await api.person('owner');
    const companyId = await aCompany(database.db, owner.id);
    const given = { companyId, type, applicantId: owner.id, state: 'document_verification' } as const;
    const applicationId = await anApplication(database.db, given);
    await aTask(database.db, {
      applicationId,
      stage: 'document_verification',
      assigneeId: holder.id,
      dueAt: inDays(3),
    });
  };

  describe('planning an absence', () => {
    it('starts its process, and keeps why from everybody but those concerned', async () => {
      const me = await staff('verifier');
      const absence = await planned(me, { from: inDays(2), to: inDays(9), reason: 'an operation' });
      assert.deepEqual([absence.userId, absence.plannedBy, absence.cancelledAt], [me.id, me.id, null]);
      const workflowId = absenceProcessId(asId<AbsenceId>(absence.id));
      assert.equal(await stateOf(workflowId), 'RUNNING');
      const { from, to } = absence;
      const events = await eventsAbout(`absence/${absence.id}`);
      assert.deepEqual(events, [{ type: 'absence.planned', actor_id: me.id, data: { from, to, userId: me.id } }]);
      const { events: history } = await client.workflow.getHandle(workflowId).fetchHistory();
      const started = history?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
      assert.deepEqual(JSON.parse(Buffer.from(started ?? []).toString()), { absenceId: absence.id, from });

      assert.deepEqual(await absencesOf(me), [absence.id]);
      assert.deepEqual(await absencesOf(person(supervisor), `?userId=${me.id}`), [absence.id]);
      assert.deepEqual(await absencesOf(person(verifier), `?userId=${me.id}`), []);
      assert.deepEqual(await absencesOf(await staff('supervisor', elsewhere), `?userId=${me.id}`), []);
    });

    it('for others is a supervisor’s or administrator’s of the same office', async () => {
      const me = await staff('verifier');
      const body = { userId: me.id, from: inDays(1), to: inDays(2) };
      assert.deepEqual(refusal(await plan(person(verifier), body)), [403, 'forbidden']);
      assert.deepEqual(refusal(await plan(await staff('supervisor', elsewhere), body)), [404, 'not_found']);
      assert.deepEqual(refusal(await plan(await api.person('supervisor'), body)), [403, 'forbidden']);
      const byOwner = await plan(person(supervisor), { ...body, userId: (await api.person('owner')).id });
      assert.deepEqual(refusal(byOwner), [404, 'not_found']);
      const absence = await planned(person(supervisor), body);
      assert.deepEqual([absence.userId, absence.plannedBy], [me.id, person(supervisor).id]);
      // An administrator of no office looks after all of them.
      await planned(await api.person('admin'), { ...body, from: inDays(3), to: inDays(4) });
    });

    it('has to end after it begins, not in the past and not years later', async () => {
      const me = await staff('verifier');
      const wrong = [
        { from: inDays(2), to: inDays(2) },
        { from: inDays(-3), to: inDays(-1) },
        { from: inDays(1), to: inDays(368) },
      ];
      for (const body of wrong) assert.deepEqual(refusal(await plan(me, body)), [422, 'absence_not_valid']);
      await planned(me, { from: inDays(-1), to: inDays(1) });
    });

    it('must not overlap another of the same person, though two ask at once; one after the other is fine', async () => {
      const me = await staff('verifier');
      const times = { from: inDays(5), to: inDays(7) };
      const both = await Promise.all([plan(me, times), plan(person(supervisor), { ...times, userId: me.id })]);
      assert.deepEqual(both.map(({ status }) => status).toSorted(), [201, 422]);
      assert.deepEqual(refusal(await plan(me, { from: inDays(4), to: inDays(8) })), [422, 'absence_not_valid']);
      await planned(me, { from: times.to, to: inDays(8) });
      await planned(me, { from: inDays(4), to: times.from });
      await planned(await staff('verifier'), times);
    });

    it('twice under one key is one absence', async () => {
      const me = await staff('verifier');
      const body = { from: inDays(1), to: inDays(2) };
      const key = { 'idempotency-key': randomUUID() };
      const [first, second] = [await plan(me, body, key), await plan(me, body, key)];
      assert.deepEqual([first.status, first.body], [201, second.body]);
      assert.equal((await absencesOf(me)).length, 1);
    });
  });

  describe('cancelling an absence', () => {
    it('is for those who may plan it, once, and makes room for another', async () => {
      const me = await staff('verifier');
      const times = { from: inDays(1), to: inDays(3) };
      const { id } = await planned(me, times);
      for (const other of [person(verifier), await staff('supervisor', elsewhere)])
        assert.deepEqual(refusal(await cancel(other, id)), [404, 'not_found']);
      assert.equal((await cancel(person(supervisor), id)).status, 204);
      assert.equal((await cancel(me, id)).status, 204);
      const events = await eventsAbout(`absence/${id}`);
      assert.deepEqual(
        events.map(({ type: what, actor_id }) => [what, actor_id]),
        [
          ['absence.planned', me.id],
          ['absence.cancelled', person(supervisor).id],
        ],
      );
      const { id: again } = await planned(me, times);
      assert.deepEqual(await absencesOf(me), [again]);
      assert.deepEqual((await absencesOf(me, '?past=true')).toSorted(), [id, again].toSorted());
    });

    it('ends one that has begun, and is not possible once it is over', async () => {
      const me = await staff('verifier');
      const { id } = await planned(me, { from: inDays(-1), to: inDays(1) });
      assert.equal((await cancel(me, id)).status, 204);
      const over = await planned(me, { from: inDays(2), to: inDays(3) });
      await database
        .db('absences')
        .where({ id: over.id })
        .update({ from_at: inDays(-3), to_at: inDays(-2) });
      assert.deepEqual(refusal(await cancel(me, over.id)), [422, 'absence_not_valid']);
    });

    it('counts though Temporal is away: the process reads it from the record', async () => {
      const me = await staff('verifier');
      const { id } = await planned(me, { from: inDays(1), to: inDays(2) });
      const alone = await startApi(database, { temporal: noTemporal() });
      try {
        const token = await alone.deps.tokens.issue({ userId: me.id, roles: ['verifier'], sessionId: me.sessionId });
        const as = { ...me, headers: { authorization: `Bearer ${token}` } };
        assert.equal((await ask(alone, as, 'DELETE', `/admin/absences/${id}`)).status, 204);
      } finally {
        await alone.close();
      }
      const row = await database.db('absences').where({ id }).first('cancelled_at');
      assert.ok(row?.cancelled_at);
    });
  });

  describe('moving the tasks of a person', () => {
    const move = (as: TestPerson, body: object) =>
      ask<MoveBody & Problem>(api, as, 'POST', '/admin/task-moves', { body: { reason: 'reorganised', ...body } });
    const read = (as: TestPerson, id: string) => ask<MoveBody & Problem>(api, as, 'GET', `/admin/task-moves/${id}`);

    it('is on record and under way when it is answered, and shows its progress to the office', async () => {
      const [from, to] = [await staff('verifier'), await staff('verifier')];
      const { status, body, headers } = await move(person(supervisor), { fromUserId: from.id, toUserId: to.id });
      assert.deepEqual(
        [status, body.fromUserId, body.toUserId, body.moved, body.stayed, body.finishedAt],
        [202, from.id, to.id, 0, 0, null],
      );
      assert.equal(headers.get('location'), `/api/v1/admin/task-moves/${body.id}`);
      assert.equal(await stateOf(taskMoveProcessId(asId<TaskMoveId>(body.id))), 'RUNNING');
      const events = await eventsAbout(`task_move/${body.id}`);
      const data = { from: from.id, to: to.id, absenceId: null };
      assert.deepEqual(events, [{ type: 'task_move.started', actor_id: person(supervisor).id, data }]);

      await holding(from);
      const task = await database.db('tasks').where({ assignee_id: from.id }).first('application_id');
      const stayed = {
        application_id: task.application_id,
        round: 1,
        stage: 'document_verification',
        code: 'already_acted',
      };
      await database
        .db('task_move_cases')
        .insert({ ...stayed, move_id: body.id, outcome: 'stayed', settled_at: new Date() });
      const shown = await read(person(supervisor), body.id);
      assert.deepEqual(shown.body.cases, [
        { applicationId: task.application_id, round: 1, stage: 'document_verification', code: 'already_acted' },
      ]);
      const outside = await staff('supervisor', elsewhere);
      assert.deepEqual(refusal(await read(outside, body.id)), [404, 'not_found']);
      const listed = await ask<{ items: { id: string }[] }>(api, person(supervisor), 'GET', '/admin/task-moves');
      assert.ok(listed.body.items.some(({ id }) => id === body.id));
      const theirs = await ask<{ items: unknown[] }>(api, outside, 'GET', '/admin/task-moves');
      assert.deepEqual(theirs.body.items, []);
    });

    it('is refused for people of another office, and to whoever cannot work on them', async () => {
      const from = (await staff('verifier')).id;
      const outsider = await staff('verifier', elsewhere);
      const refused = async (body: object) => refusal(await move(person(supervisor), { fromUserId: from, ...body }));
      assert.deepEqual(await refused({ fromUserId: outsider.id }), [404, 'not_found']);
      const away = await staff('verifier');
      await planned(away, { from: inDays(-1), to: inDays(1) });
      const disabled = await staff('verifier');
      await database.db('users').where({ id: disabled.id }).update({ status: 'disabled' });
      for (const to of [from, outsider.id, away.id, disabled.id, (await staff('finance')).id])
        assert.deepEqual(await refused({ toUserId: to }), [422, 'reviewer_not_eligible']);
    });

    it('begins by itself when an account is closed, or may not hold them any more', async () => {
      const admin = await api.person('admin');
      await api.stepUp(admin);
      const change = (id: string, body: object) => ask(api, admin, 'PUT', `/admin/users/${id}`, { body });
      const moves = (id: string) =>
        database.db('task_moves').where({ from_user: id }).select('to_user', 'reason', 'asked_by');
      const [closed, idle, demoted, renamed] = await Promise.all(Array.from({ length: 4 }, () => staff('verifier')));
      for (const each of [closed, demoted, renamed]) await holding(person(each));
      for (const each of [closed, idle])
        assert.equal((await change(person(each).id, { status: 'disabled' })).status, 200);
      assert.equal((await change(person(demoted).id, { roles: ['examiner'] })).status, 200);
      assert.equal(
        (await change(person(renamed).id, { name: 'Another', roles: ['verifier', 'examiner'] })).status,
        200,
      );
      const row = (reason: string) => [{ to_user: null, reason, asked_by: admin.id }];
      assert.deepEqual(await moves(person(closed).id), row('account disabled'));
      assert.deepEqual(await moves(person(demoted).id), row('roles changed'));
      assert.deepEqual([await moves(person(idle).id), await moves(person(renamed).id)], [[], []]);
    });
  });

  it('are looked after when nobody has a task: a figure for the alarm', async () => {
    const figure = async () =>
      /alur_unassigned_tasks (\d+)\n/.exec(await (await fetch(`${api.url}/metrics`)).text())?.[1];
    const before = Number(await figure());
    const nobodys = await staff('verifier');
    await holding(nobodys);
    assert.equal(Number(await figure()), before);
    await database.db('tasks').where({ assignee_id: nobodys.id }).update({ assignee_id: null });
    assert.equal(Number(await figure()), before + 1);
  });
});
