import assert from 'node:assert/strict';
import { NativeConnection } from '@temporalio/worker';
import { asId } from '../../domain/ids.ts';
import { createWorkers } from '../../worker/create.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { temporal } from '../support/machine.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem, UNHURRIED, workflowBundle } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

describe('releases that Temporal tells apart', () => {
  let system: TestSystem;
  let story: Story;
  let native: NativeConnection;
  const stops: (() => Promise<void>)[] = [];
  before(async () => {
    system = await startSystem({ worker: false });
    story = storyOf(system);
    native = await NativeConnection.connect({ address: (await temporal()).address });
  });
  after(async () => {
    for (const stop of stops) await stop();
    await native?.close();
    await system?.close();
  });

  const release = async (build: string) => {
    const workers = await createWorkers({
      connection: native,
      namespace: 'default',
      taskQueue: system.taskQueue,
      maxCachedWorkflows: 50,
      gatewayCallsPerSecond: UNHURRIED,
      shutdownGraceSeconds: 2,
      workflowBundle: await workflowBundle(),
      deps: system.deps,
      build,
    });
    // Of the options as the SDK has them in the end: it does not declare this one.
    assert.equal(workers.processes.options.isolateExecutionTimeoutMs, 30_000);
    const ended = workers.run();
    stops.push(async () => {
      workers.shutdown();
      await ended;
    });
  };

  /** What `temporal worker deployment set-current-version` does; known once a worker of the build has polled. */
  const makeCurrent = (build: string) =>
    eventually(`build ${build} to be current`, async () => {
      const { workflowService } = system.client.connection;
      return workflowService
        .setWorkerDeploymentCurrentVersion({
          namespace: 'default',
          deploymentName: system.taskQueue,
          buildId: build,
          identity: 'test',
          ignoreMissingTaskQueues: true,
        })
        .catch(() => null);
    });

  const buildOf = async (applicationId: string): Promise<string | null> => {
    const { workflowService } = system.client.connection;
    const workflowId = licenseReviewId(asId(applicationId));
    const said = await workflowService.describeWorkflowExecution({ namespace: 'default', execution: { workflowId } });
    return said.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? null;
  };

  it('carry on the cases of the release before, from the moment they are made current', async function () {
    this.timeout(60_000);
    await release('2026.11.1');
    await makeCurrent('2026.11.1');
    const id = await story.submitted('restaurant');
    const verifier = await story.holder(id, 'document_verification');
    assert.equal(await buildOf(id), '2026.11.1');

    await release('2026.11.2');
    await story.expect(200, story.call('POST', `licenses/approve/${id}`, { as: verifier, body: {} }));
    assert.equal(await buildOf(id), '2026.11.1', 'a release that nobody made current takes no case');

    const examiner = await story.holder(id, 'compliance_check');
    await makeCurrent('2026.11.2');
    await story.expect(200, story.call('POST', `licenses/approve/${id}`, { as: examiner, body: {} }));
    await eventually('the case to go on under the new release', async () =>
      (await buildOf(id)) === '2026.11.2' ? true : null,
    );
    await story.holder(id, 'approval');
  });
});
