import assert from 'node:assert/strict';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import { type DemoAccount, demoUserId } from '../../local/demo-data.ts';
import { ask } from '../builders/requests.ts';
import type { TestPerson } from '../support/api.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

interface Decided {
  readonly state: string;
  readonly seat?: number;
  readonly votes?: readonly { readonly seat: number; readonly decision: string }[];
  readonly override?: boolean;
}
interface Seen {
  readonly submissionHash: string;
  readonly form: Readonly<Record<string, unknown>>;
  readonly openFields?: readonly string[] | null;
  readonly seats?: readonly {
    readonly seat: number;
    readonly state: string;
    readonly holder: { name: string } | null;
  }[];
  readonly statements: readonly { readonly kind: string; readonly text: string }[];
  readonly documents: readonly { readonly kind: string; readonly accepted: boolean }[];
}
interface Refused {
  readonly code: string;
  readonly conflict?: { readonly decidedBy: { readonly name: string } };
}

const UNREADABLE = { code: 'document_unreadable', pointer: '/documents/identity_card' };

/** Through the public API, with the process behind it. */
describe('a review in depth', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let story: Story;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  async function call<Body>(as: DemoAccount, method: string, path: string, body?: unknown) {
    const headers = await system.as(as);
    const response = await fetch(`${system.api.url}/api/v1/${path}`, {
      method,
      headers: {
        ...headers,
        'accept-language': 'en',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: Body = JSON.parse(await response.text());
    return { status: response.status, body: answer };
  }
  const read = async (id: string, as: DemoAccount = 'owner') =>
    (await call<Seen>(as, 'GET', `licenses/applications/${id}`)).body;
  const decide = (id: string, as: DemoAccount, body: object) =>
    call<Decided & Refused>(as, 'POST', `licenses/review/${id}`, body);
  /** A person of this office who has just given a second factor. */
  async function chief(): Promise<TestPerson> {
    const person = await system.api.person('supervisor');
    const office: { id: string } | undefined = await system.database.db('offices').first('id');
    await system.database.db('users').where({ id: person.id }).update({ office_id: office?.id });
    await system.api.stepUp(person);
    return person;
  }
  const atApproval = async () => {
    const id = await story.submitted();
    for (const stage of ['document_verification', 'compliance_check']) await story.approve(id, stage);
    await story.holder(id, 'approval');
    return id;
  };

  it('takes two votes for an approval by two, and tells each voter of the votes so far', async () => {
    const id = await atApproval();
    const { seats } = await read(id, 'supervisor');
    assert.deepEqual(
      seats?.map(({ seat, state, holder }) => [seat, state, holder !== null]),
      [
        [1, 'open', true],
        [2, 'open', true],
      ],
    );
    const first = await decide(id, 'approver', { decision: 'approve' });
    assert.deepEqual([first.status, first.body.state, first.body.votes?.length], [200, 'approval', 1]);
    const decided = async () =>
      (
        await call<{ items: { type: string; data: { stage?: string } }[] }>(
          'owner',
          'GET',
          `licenses/applications/${id}/timeline?limit=100`,
        )
      ).body.items.filter(({ type, data }) => type === 'decision.recorded' && data.stage === 'approval').length;
    assert.equal(await decided(), 0, 'the applicant is not told of a vote that decides nothing yet');
    const again = await decide(id, 'approver', { decision: 'approve' });
    assert.deepEqual([again.status, again.body.code], [409, 'already_decided']);
    const second = await decide(id, 'approver2', { decision: 'approve' });
    assert.deepEqual([second.body.state, second.body.votes?.length], ['pending_payment', 2]);
    assert.notEqual(first.body.seat, second.body.seat);
    assert.equal(await decided(), 1);
  });

  it('limits a correction to what was asked, shows the change, and refuses a decision on what was before', async () => {
    const id = await story.submitted();
    const verifier = await story.holder(id, 'document_verification');
    const { submissionHash, form } = await read(id, verifier);
    const reasons = [UNREADABLE, { code: 'data_mismatch', pointer: '/form/seats' }];
    const asked = await decide(id, verifier, { decision: 'request_correction', reasons, submissionHash });
    assert.equal(asked.body.state, 'correction_requested', JSON.stringify(asked.body));
    assert.deepEqual((await read(id)).openFields, ['/documents/identity_card', '/form/seats']);
    const change = (changed: object) =>
      call<Refused>('owner', 'PUT', `licenses/applications/${id}`, { form: { ...form, ...changed } });
    assert.equal((await change({ businessName: 'Lain' })).body.code, 'field_not_open');
    assert.equal((await change({ seats: 30 })).status, 200);
    const resubmit = (key: string) =>
      story.call('POST', `licenses/applications/${id}/resubmit`, { as: 'owner', headers: { 'idempotency-key': key } });
    assert.equal((await resubmit('handed-in')).status, 200);
    await story.holder(id, 'document_verification');
    // As though the API had died before its answer was kept: the repeat hears what the first would have.
    await system.database.db('idempotency_keys').delete();
    assert.equal((await resubmit('handed-in')).status, 200);
    assert.equal((await resubmit('another')).status, 409);
    const diff = await call<{ form: unknown[]; documents: { kind: string; change: string; accepted: boolean }[] }>(
      verifier,
      'GET',
      `licenses/applications/${id}/diff`,
    );
    assert.deepEqual(diff.body.form, [{ pointer: '/form/seats', before: form['seats'], after: 30 }]);
    const accepted = diff.body.documents.map((document) => [document.kind, document.change, document.accepted]);
    assert.deepEqual(accepted, [
      ['identity_card', 'same', false],
      ['premises_photo', 'same', true],
    ]);
    const late = await decide(id, verifier, { decision: 'approve', submissionHash });
    assert.deepEqual([late.status, late.body.code], [409, 'submission_changed']);
    const now = (await read(id, verifier)).submissionHash;
    assert.equal((await decide(id, verifier, { decision: 'approve', submissionHash: now })).status, 200);
  });

  it('is withdrawn once, and says so again to a request whose answer was lost', async () => {
    const id = await story.submitted();
    const withdraw = (key: string) =>
      story.call('POST', `licenses/applications/${id}/withdraw`, {
        as: 'owner',
        body: { reason: 'Pindah kota.' },
        headers: { 'idempotency-key': key },
      });
    assert.equal((await withdraw('leaving')).status, 200);
    await system.client.workflow.getHandle(`license-review/${id}`).result();
    await system.database.db('idempotency_keys').delete();
    assert.equal((await withdraw('leaving')).status, 200);
    assert.equal((await withdraw('once-more')).status, 409);
  });

  it('announces a rejection, hears the applicant, and lets the office decide; a rejection is appealed once', async () => {
    const id = await story.submitted();
    const verifier = await story.holder(id, 'document_verification');
    const reasons = [{ code: 'requirement_not_met', text: 'Dapur tidak terpisah.' }];
    const announced = await decide(id, verifier, { decision: 'intend_to_reject', reasons });
    assert.equal(announced.body.state, 'intent_to_reject', JSON.stringify(announced.body));
    const waiting = await eventually('the end of the time to answer', async () => {
      const { body } = await call<{ dueAt: string | null; whoseTurn: string }>('owner', 'GET', `licenses/status/${id}`);
      return body.dueAt ? body : null;
    });
    assert.equal(waiting.whoseTurn, 'applicant');
    assert.ok(Date.parse(waiting.dueAt ?? '') > Date.now() + 4 * 86_400_000);
    const said = await call<Refused & { state: string }>('owner', 'POST', `licenses/applications/${id}/respond`, {
      text: 'Dapur dipisah bulan lalu.',
    });
    assert.equal(said.status, 200, JSON.stringify(said.body));
    const reviewer = await story.holder(id, 'document_verification');
    const { statements } = await read(id, reviewer);
    assert.deepEqual(
      statements.map(({ kind, text }) => [kind, text]),
      [['response', 'Dapur dipisah bulan lalu.']],
    );
    const rejected = await decide(id, reviewer, { decision: 'reject', reasons });
    assert.equal(rejected.body.state, 'rejected', JSON.stringify(rejected.body));
    const appeal = (text = 'Foto terlampir.') =>
      call<Refused & { state: string }>('owner', 'POST', `licenses/applications/${id}/appeal`, { text });
    const appealed = await eventually('the run before to have ended', async () => {
      const answer = await appeal();
      return answer.status === 503 ? null : answer;
    });
    assert.equal(appealed.status, 200, JSON.stringify(appealed.body));
    await story.reaches(id, 'document_verification');
    const [task] = await system.database
      .db('tasks')
      .where({ application_id: id, state: 'open' })
      .select('assignee_id', 'round');
    assert.deepEqual([task?.assignee_id, task?.round], [null, 2], 'nobody who rejected it has it again');
    const asked = await appeal();
    assert.deepEqual([asked.status, asked.body.state], [200, 'document_verification'], 'its answer was lost');
    assert.equal((await appeal('Sekali lagi.')).body.code, 'not_reopenable');
  });

  it('goes from hand to hand: delegated, given up for a conflict, given back by the rules', async () => {
    const id = await atApproval();
    const boss = await chief();
    const hand = (what: string, as: DemoAccount, body: object) =>
      call<Refused & { assigneeId: string | null }>(as, 'POST', `licenses/${what}/${id}`, body);
    const notTheirs = await hand('delegate', 'verifier', { userId: boss.id, reason: 'holiday' });
    assert.equal(notTheirs.body.code, 'not_your_task');
    const conflict = await hand('declare-conflict', 'approver', { reason: 'my sister' });
    assert.deepEqual([conflict.status, conflict.body.assigneeId], [200, null], JSON.stringify(conflict.body));
    const back = await hand('claim', 'approver', {});
    assert.ok(['conflict_declared', 'reviewer_not_eligible'].includes(back.body.code), JSON.stringify(back.body));
    const given = await hand('delegate', 'approver2', { userId: boss.id, reason: 'holiday' });
    assert.deepEqual([given.status, given.body.assigneeId], [200, boss.id], JSON.stringify(given.body));
    const byTheRules = await hand('reassign', 'supervisor', { from: boss.id, reason: 'she is back' });
    assert.deepEqual([byTheRules.status, byTheRules.body.assigneeId], [200, demoUserId('approver2')]);
  });

  it('is decided by a supervisor in place of those who hold it, and says so', async () => {
    const id = await atApproval();
    const boss = await chief();
    const body = { decision: 'approve', reason: 'both are ill' };
    const overridden = await ask<Decided>(system.api, boss, 'POST', `/licenses/override/${id}`, { body });
    assert.equal(overridden.status, 200, JSON.stringify(overridden.body));
    assert.deepEqual([overridden.body.state, overridden.body.override], ['pending_payment', true]);
    const late = await decide(id, 'approver', { decision: 'approve' });
    assert.deepEqual(
      [late.status, late.body.code, late.body.conflict?.decidedBy.name],
      [409, 'already_decided', boss.name],
    );
  });

  it('is cancelled by a supervisor as long as nothing is approved', async () => {
    const id = await story.submitted();
    await story.holder(id, 'document_verification');
    const boss = await chief();
    const cancel = () =>
      ask<Refused & { state: string }>(system.api, boss, 'POST', `/licenses/applications/${id}/cancel`, {
        body: { code: 'duplicate', reason: 'sent in twice' },
      });
    const cancelled = await cancel();
    assert.deepEqual([cancelled.status, cancelled.body.state], [200, 'cancelled'], JSON.stringify(cancelled.body));
    assert.equal((await cancel()).body.code, 'already_closed');
    const left = await system.database.db('tasks').where({ application_id: asId<ApplicationId>(id), state: 'open' });
    assert.deepEqual(left, []);
  });
});
