import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createReviewPeopleActivities, type OfferSeat } from '../../activities/review-people.ts';
import { type ApplicationId, asId, type UserId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { offerSeatUpdate, reassignUpdate } from '../../workflows/messages.ts';
import { aColleague, anAbsence, holdersOfCases, retire } from '../builders/people.ts';
import { FIRST, type Review, refusalOf, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const ONE = { stages: [{ stage: FIRST, role: 'verifier', sharePercent: 50 }], checklist: [] } as const;
const SEAT = { round: 1, stage: FIRST, seat: 1 } as const;

describe('a seat that nobody was free for', () => {
  let system: TestSystem;
  let review: Review;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    review = reviewOf(system);
    await retire(db(), demoUserId('verifier'));
  });
  after(() => system?.close());
  afterEach(async () => {
    const verifiers = await db()('users').whereRaw("roles @> array['verifier']").pluck<UserId[]>('id');
    await retire(db(), ...verifiers);
    await db()('tasks').where({ state: 'open' }).whereNull('assignee_id').update({ state: 'cancelled' });
  });

  const db = () => system.database.db;
  const supervisor = demoUserId('supervisor');
  const queued = async (): Promise<string> => {
    const { id, assignee } = await review.open(ONE, FIRST);
    assert.equal(assignee, null);
    return id;
  };
  const sweep = (): Promise<unknown> => {
    const workflowId = `people-watch-${randomUUID()}`;
    return system.client.workflow.execute('peopleWatch', { workflowId, taskQueue: system.taskQueue });
  };
  const offer = (id: string) => review.handle(id).executeUpdate(offerSeatUpdate, { args: [SEAT] });
  const claim = async (id: string) =>
    review.handle(id).executeUpdate(reassignUpdate, {
      args: [{ by: await review.actor(supervisor), to: supervisor, reason: 'claim', kind: 'claim' }],
    });
  const handOvers = async (id: string) => (await review.events(id, 'task.reassigned')).map(({ data }) => data);

  it('goes by the sweep of the minute to who is back from an absence, once, with its event and a letter', async () => {
    const verifier = await aColleague(db(), 'verifier');
    const [from, to] = [new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000)];
    const times = { from: from.toISOString(), to: to.toISOString(), plannedAt: to.toISOString() };
    const absence = await anAbsence(db(), verifier, times);
    await db()('task_moves').insert({
      id: randomUUID(),
      from_user: verifier,
      absence_id: absence,
      reason: 'absence',
      asked_by: supervisor,
      asked_at: from,
      finished_at: from,
    });
    const id = await queued();
    assert.deepEqual(await sweep(), { started: 0 });
    await db()('absences').where({ id: absence }).update({ cancelled_at: new Date() });

    assert.deepEqual(await sweep(), { started: 0, offered: 1 });
    assert.deepEqual(await holdersOfCases(db(), [id]), [verifier]);
    assert.equal((await review.progress(id)).assignee, verifier);
    assert.deepEqual(await sweep(), { started: 0 });
    const [event, ...others] = await review.events(id, 'task.reassigned');
    assert.deepEqual(
      [event?.actor_id, event?.data, others],
      [null, { ...SEAT, to: verifier, from: null, kind: 'offer' }, []],
    );
    await eventually('the letter', async () => (await review.letters(id, 'task_assigned')).includes(verifier));
    assert.equal((await review.letters(id, 'task_assigned')).length, 1);
    assert.equal((await review.decide(id, verifier)).state, 'pending_payment');
  });

  it('goes to whoever has least to do, each to the next', async () => {
    const ids = [await queued(), await queued(), await queued(), await queued()];
    const verifiers = [await aColleague(db(), 'verifier'), await aColleague(db(), 'verifier')];
    assert.deepEqual(await sweep(), { started: 0, offered: 4 });
    const holders = await holdersOfCases(db(), ids);
    for (const verifier of verifiers) assert.equal(holders.filter((holder) => holder === verifier).length, 2);
  });

  it('stays with the supervisor who has claimed it meanwhile', async () => {
    const id = await queued();
    await claim(id);
    await aColleague(db(), 'verifier');
    assert.equal(await refusalOf(offer(id)), 'not_your_task');
    assert.deepEqual(await sweep(), { started: 0 });
    assert.deepEqual(await holdersOfCases(db(), [id]), [supervisor]);
  });

  it('is given once when it is claimed and offered at the same moment', async () => {
    const id = await queued();
    const verifier = await aColleague(db(), 'verifier');
    const [claimed] = await Promise.all([refusalOf(claim(id)), refusalOf(offer(id)), refusalOf(offer(id))]);
    assert.equal(claimed, null, 'a supervisor may take what somebody has');
    assert.deepEqual(await holdersOfCases(db(), [id]), [supervisor]);
    assert.equal((await review.progress(id)).assignee, supervisor);
    const given = (await handOvers(id)).map(({ to }) => to);
    assert.ok(given.length === 1 || (given.length === 2 && given[0] === verifier), JSON.stringify(given));
  });

  it('stays in the queue when nobody is free after all, without a trace', async () => {
    const id = await queued();
    assert.deepEqual(await offer(id), { assignee: null });
    assert.deepEqual(await handOvers(id), []);
    assert.equal((await review.events(id, 'task.unassigned')).length, 1);
  });

  it('is not offered once the case has gone on', async () => {
    const id = await queued();
    await claim(id);
    await review.decide(id, supervisor);
    assert.equal(await refusalOf(offer(id)), 'not_in_review');
  });

  describe('as it is recorded', () => {
    const record = async (id: string, attempt: string) => {
      const { offerSeat } = createReviewPeopleActivities(system.deps);
      const { type_code: typeCode } = await db()('applications').where({ id }).first('type_code');
      const at = new Date().toISOString();
      const asked: OfferSeat = {
        applicationId: asId<ApplicationId>(id),
        typeCode,
        role: 'verifier',
        attempt,
        at,
        ...SEAT,
      };
      const { now: _, ...offered } = await offerSeat(asked);
      return offered;
    };

    it('a second time, because its answer was lost, is the same and changes nothing', async () => {
      const id = await queued();
      const assignee = await aColleague(db(), 'verifier');
      const twice = [await record(id, 'x'), await record(id, 'x')];
      assert.deepEqual(twice, Array(2).fill({ assignee, isOffered: true }));
      assert.equal((await handOvers(id)).length, 1);
    });

    it('leaves to whoever has it by the record, though the process does not know it', async () => {
      const id = await queued();
      await aColleague(db(), 'verifier');
      await db()('tasks').where({ application_id: id }).update({ assignee_id: supervisor });
      assert.deepEqual(await record(id, 'y'), { assignee: supervisor, isOffered: false });
      assert.deepEqual(await handOvers(id), []);
    });

    it('is written once though two do it at the same moment', async () => {
      const id = await queued();
      const assignee = await aColleague(db(), 'verifier');
      await aColleague(db(), 'verifier');
      await Promise.all([record(id, 'z'), record(id, 'z')]);
      assert.equal((await handOvers(id)).length, 1);
      assert.ok((await holdersOfCases(db(), [id]))[0] !== null, assignee);
    });
  });
});
