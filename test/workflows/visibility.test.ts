import assert from 'node:assert/strict';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { z } from 'zod';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { progressQuery, type ReviewProgress } from '../../workflows/messages.ts';
import {
  assigneeAttribute,
  companyAttribute,
  dueAtAttribute,
  stageAttribute,
  typeAttribute,
} from '../../workflows/search-attributes.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const metadata = z.object({ currentDetails: z.string() });

describe('what ops see of a running review', () => {
  let system: TestSystem;
  let story: Story;
  let workflowId: string;
  let progress: ReviewProgress;

  const review = () => system.client.workflow.getHandle(workflowId);
  const details = async (): Promise<string> =>
    metadata.parse(await review().query('__temporal_workflow_metadata')).currentDetails;
  const atStage = (id: string, stage: string): Promise<ReviewProgress> =>
    eventually(`${id} to be at ${stage}`, async () => {
      const now = await system.client.workflow.getHandle(licenseReviewId(asId<ApplicationId>(id))).query(progressQuery);
      return now.stage === stage ? now : null;
    });

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
    const id = await story.submitted();
    workflowId = licenseReviewId(asId<ApplicationId>(id));
    progress = await atStage(id, 'document_verification');
  });
  after(() => system?.close());

  it('says by typed search attributes where it stands, whose it is and when it is due', async () => {
    const { typedSearchAttributes } = await review().describe();
    assert.equal(typedSearchAttributes.get(stageAttribute), 'document_verification');
    assert.equal(typedSearchAttributes.get(typeAttribute), 'restaurant');
    assert.equal(typedSearchAttributes.get(companyAttribute), await story.companyId());
    assert.equal(typedSearchAttributes.get(assigneeAttribute), demoUserId('verifier'));
    assert.ok(progress.dueAt);
    assert.equal(typedSearchAttributes.get(dueAtAttribute)?.getTime(), Date.parse(progress.dueAt));
  });

  it('is found by its stage and its assignee, and no longer once that has passed', async () => {
    const id = await story.submitted();
    const moving = licenseReviewId(asId<ApplicationId>(id));
    await atStage(id, 'document_verification');
    const listed = async (query: string): Promise<boolean> => {
      for await (const found of system.client.workflow.list({ query })) if (found.workflowId === moving) return true;
      return false;
    };
    const first = `AlurStage="document_verification" AND AlurAssignee="${demoUserId('verifier')}"`;
    await eventually('the list to show the first stage', () => listed(first));
    await story.approve(id, 'document_verification');
    await atStage(id, 'compliance_check');
    await eventually('the list to show the second stage', () => listed('AlurStage="compliance_check"'));
    await eventually('the first stage to be over', async () => !(await listed(first)));
  });

  it('has a static summary that names the kind of case', async () => {
    assert.equal(await (await review().describe()).staticSummary(), 'Licence review: restaurant');
  });

  it('says who is waited for, until when, and what fires next', async () => {
    const { dueAt, nextRung } = progress;
    assert.ok(dueAt && nextRung);
    const text = await details();
    assert.match(text, /\*\*document_verification\*\*, round 1/);
    assert.ok(
      text.includes(`Waiting for a decision on **document_verification** by \`${demoUserId('verifier')}\``),
      text,
    );
    assert.ok(text.includes(`due ${dueAt}.`), text);
    assert.ok(text.includes(`Next: **half** (50 %) at ${nextRung.at}.`), text);
  });

  it('says so when it waits for the applicant', async () => {
    const id = await story.submitted();
    const reviewer = await story.holder(id, 'document_verification');
    const body = { decision: 'request_correction', reasons: [{ code: 'document_unreadable' }] };
    await story.expect(200, story.call('POST', `licenses/review/${id}`, { as: reviewer, body }));
    await story.reaches(id, 'correction_requested');
    const handle = system.client.workflow.getHandle(licenseReviewId(asId<ApplicationId>(id)));
    const text = await eventually('the details to speak of the applicant', async () => {
      const { currentDetails } = metadata.parse(await handle.query('__temporal_workflow_metadata'));
      return currentDetails.includes('Waiting for the applicant') ? currentDetails : null;
    });
    assert.match(text, /Waiting for the applicant's correction until \S+; the clock is stopped\./);
    assert.match(text, /\| 1 \| document_verification \| request_correction \| `[0-9a-f-]{36}` \|/);
  });

  it('has a summary on every timer and every activity', async () => {
    const { events } = await review().fetchHistory();
    const steps = (events ?? []).filter(
      (event) => event.timerStartedEventAttributes || event.activityTaskScheduledEventAttributes,
    );
    const summaries = steps.map((event) => textOf(event.userMetadata?.summary));
    assert.ok(summaries.length >= 4, `${summaries.length} timers and activities`);
    assert.deepEqual(
      steps.filter((_event, index) => summaries[index] === '').map(({ eventId }) => String(eventId)),
      [],
    );
    assert.ok(summaries.includes('document_verification: rung half, 50 % of the working time'), summaries.join('; '));
    assert.ok(summaries.includes('Mail: task_assigned'), summaries.join('; '));
  });
});

const textOf = (payload: Payload | null | undefined): string =>
  payload ? z.string().parse(defaultPayloadConverter.fromPayload(payload)) : '';
