/** Slow because the process itself tries for 25 seconds before it gives up on a gateway. */
import assert from 'node:assert/strict';
import { storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

describe('paying from the link in the letter while the gateway is away', () => {
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system?.close());

  it('says to try again, and works when the gateway is back', async () => {
    const story = storyOf(system);
    const applicationId = await story.submitted('retail_kiosk');
    await story.reaches(applicationId, 'pending_payment');
    const letter = `${system.api.url}/pay/${await story.invoiceOf(applicationId)}`;
    const press = () => fetch(letter, { method: 'POST', redirect: 'manual', body: new URLSearchParams() });
    await breakGateway(50);
    const refused = await press();
    await breakGateway(0);
    assert.equal(refused.status, 503);
    assert.match(await refused.text(), /role="alert"[\s\S]*<button>/);
    assert.equal((await press()).status, 303);
  });

  async function breakGateway(times: number): Promise<void> {
    const answer = await fetch(`${system.sandboxUrl}/_sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operation: 'create', kind: '5xx_before', times }),
    });
    assert.equal(answer.status, 201);
  }
});
