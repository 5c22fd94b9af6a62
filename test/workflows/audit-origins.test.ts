import assert from 'node:assert/strict';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import { type DemoAccount, demoUserId } from '../../local/demo-data.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { historyToJson } from '../replay/history-json.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

describe('what people do through a process', () => {
  let system: TestSystem;
  let story: Story;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  interface Row {
    readonly type: string;
    readonly address: string | null;
    readonly request_id: string | null;
  }
  const byPeople = (id: string): Promise<Row[]> =>
    system.database
      .db('events')
      .where({ application_id: id, actor: 'person' })
      .orderBy('id')
      .select('type', 'address', 'request_id');
  const named = (requestId: string) => ({ 'x-request-id': requestId });

  it('is on record with their address and request, and the history has no address in clear', async () => {
    const id = await story.submitted();
    const reviewer = await story.holder(id, 'document_verification');
    const reasons = [{ code: 'document_unreadable', pointer: '/documents/identity_card' }];
    const post = (path: string, as: DemoAccount, body: object, requestId: string) =>
      story.expect(200, story.call('POST', path, { as, body, headers: named(requestId) }));
    await post(`licenses/review/${id}`, reviewer, { decision: 'request_correction', reasons }, 'asked-to-correct');
    await story.reaches(id, 'correction_requested');
    await post(`licenses/applications/${id}/resubmit`, 'owner', {}, 'resubmitted-1');
    await story.approve(id, 'document_verification');
    await story.holder(id, 'compliance_check');
    const supervisor = demoUserId('supervisor');
    await post(`licenses/reassign/${id}`, 'supervisor', { userId: supervisor, reason: 'leave' }, 'reassigned-1');
    await post(`licenses/applications/${id}/withdraw`, 'owner', { reason: 'sold' }, 'withdrawn-1');
    await story.reaches(id, 'withdrawn');

    const rows = await byPeople(id);
    assert.deepEqual(
      rows.filter(({ address, request_id }) => address !== '127.0.0.1' || request_id === null),
      [],
    );
    const requests = new Map(rows.map(({ type, request_id }) => [type, request_id]));
    assert.ok(rows.some(({ type, request_id }) => type === 'decision.recorded' && request_id === 'asked-to-correct'));
    assert.equal(requests.get('task.reassigned'), 'reassigned-1');
    assert.equal(requests.get('application.resubmitted'), 'resubmitted-1');
    assert.equal(requests.get('application.withdrawn'), 'withdrawn-1');
    assert.ok(requests.has('application.submitted') && requests.has('document.added'));

    const handle = system.client.workflow.getHandle(licenseReviewId(asId<ApplicationId>(id)));
    const told = texts(historyToJson(await handle.fetchHistory()));
    assert.ok(
      told.some((text) => text.includes('withdrawn-1')),
      'the message is not in what was looked through',
    );
    assert.deepEqual(
      told.filter((text) => text.includes('127.0.0.1')),
      [],
    );
  });

  it('is so for an attempt to pay', async () => {
    const id = await story.submitted('retail_kiosk');
    await story.openPayment(id);
    const [attempt] = (await byPeople(id)).filter(({ type }) => type === 'payment.attempted');
    assert.deepEqual([attempt?.address, typeof attempt?.request_id], ['127.0.0.1', 'string']);
  });
});

/** Every text of a history, payloads (base64 of JSON) in clear. */
function texts(json: unknown): string[] {
  if (typeof json === 'string') return [json, Buffer.from(json, 'base64').toString('utf8')];
  return typeof json === 'object' && json !== null ? Object.values(json).flatMap(texts) : [];
}
