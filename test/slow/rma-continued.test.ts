import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { UserId } from '../../domain/ids.ts';
import { aColleague } from '../builders/people.ts';
import { aReturnInHand, type ReturnInTest } from '../support/returns.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

/** At so many events Temporal suggests another run. */
const SUGGESTED_AT = 4_096;
const AT_ONCE = 10;

describe('a return that is told so much that its history grows long', function () {
  this.timeout(120_000);
  let system: TestSystem;
  let seller: UserId;
  let it_: ReturnInTest;
  let firstRun = '';
  const key = randomUUID();
  let answer: unknown;

  const run = async () => (await system.client.workflow.getHandle(it_.workflowId).describe()).runId;
  before(async () => {
    system = await startSystem();
    seller = await aColleague(system.database.db, 'seller');
    it_ = await aReturnInHand(system);
    answer = await it_.say('approve', {}, seller, key);
    await it_.is('awaiting_shipment');
    firstRun = await run();
    for (let told = 0; told < SUGGESTED_AT; told += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, () => it_.tell()));
    await eventually('another run', async () => (await run()) !== firstRun, 60_000);
  });
  after(() => system?.close());

  it('goes on in another run, as what it was, and tells the search nothing twice', async () => {
    const { events } = await system.client.workflow.getHandle(it_.workflowId).fetchHistory();
    assert.ok((events ?? []).length < 1_000, `${events?.length} events`);
    assert.equal(
      (events ?? []).some((event) => event.upsertWorkflowSearchAttributesEventAttributes),
      false,
    );
    assert.equal(await it_.state(), 'awaiting_shipment');
  });

  it('answers who asks again with what the run before had answered', async () => {
    assert.deepEqual(await it_.say('approve', {}, seller, key), answer);
    assert.equal((await it_.events()).filter((type) => type === 'return.approved').length, 1);
  });

  it('undoes what the run before had done', async () => {
    assert.equal((await it_.say('cancel', {})).state, 'cancelled');
    const { db } = system.database;
    assert.equal((await db('shipments').where({ return_id: it_.id }).first('state')).state, 'voided');
    assert.deepEqual(await it_.units(), ['withdrawn', 'withdrawn']);
    const { events } = await system.client.workflow.getHandle(it_.workflowId, firstRun).fetchHistory();
    assert.ok(events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes);
  });
});
