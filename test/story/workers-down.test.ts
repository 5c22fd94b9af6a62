import assert from 'node:assert/strict';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

describe('while every worker is down', () => {
  let system: TestSystem;
  let story: Story;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  it('submissions are accepted, reads answer, and the case is carried on afterwards', async () => {
    await system.stopWorker();
    const id = await story.submitted('restaurant');
    assert.equal((await story.status(id)).state, 'submitted');
    await story.expect(200, story.call('GET', `licenses/applications/${id}/timeline`, { as: 'owner' }));
    await system.startWorker();
    await story.holder(id, 'document_verification');
  });

  it('reports of gateways are stored, answered, and acted on afterwards', async () => {
    const id = await story.submitted('retail_kiosk');
    await story.reaches(id, 'pending_payment');
    const { reference } = await story.openPayment(id);
    await system.stopWorker();
    await story.sandbox(reference, 'pay');
    const { db } = system.database;
    assert.equal((await db('payment_inbox').where({ reference })).length, 1);
    assert.equal((await story.status(id)).state, 'pending_payment');
    await system.startWorker();
    await story.reaches(id, 'active');
  });

  it('a decision is not lost in silence: the answer says to ask again, and asking again gives the outcome', async function () {
    this.timeout(60_000);
    const id = await story.submitted('restaurant');
    const reviewer = await story.holder(id, 'document_verification');
    await system.stopWorker();
    const once = { as: reviewer, body: { note: 'ok' }, headers: { 'idempotency-key': `asleep-${id}` } };
    const first = await story.call('POST', `licenses/approve/${id}`, once);
    assert.equal(first.status, 202, JSON.stringify(first.body));
    await system.startWorker();
    await story.expect(200, story.call('POST', `licenses/approve/${id}`, once));
    assert.equal((await system.database.db('decisions').where({ application_id: id })).length, 1);
  });
});
