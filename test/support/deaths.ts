/** A worker that is killed between a payment and the letter about the licence that it paid for. */
import assert from 'node:assert/strict';
import { mailbox } from './machine.ts';
import type { MortalWorkerSettings } from './mortal-worker-settings.ts';
import { type Story, storyOf } from './story.ts';
import { startSystem, type TestSystem } from './system.ts';
import { eventually } from './wait.ts';

export interface Death {
  readonly name: string;
  readonly activity: string;
  readonly when: NonNullable<MortalWorkerSettings['dieAt']>['when'];
  /** What the input of that activity contains, by the application's ID. */
  readonly at: (id: string) => string;
}

/**
 * Declares the tests for these deaths: each is a `kill -9` of the only worker, at one activity of one case; afterwards another
 * worker goes on.
 */
export function dyingFromPaidToMailed(deaths: readonly Death[]): void {
  let system: TestSystem;
  let story: Story;
  const cases = new Map<string, string>();

  // One worker after the other dies at a case of its own. What each left behind is found again only when its activity times
  // out, so the last worker waits for all of them at once.
  before(async function () {
    this.timeout(150_000);
    system = await startSystem();
    story = storyOf(system);
    const paying = deaths.map(async ({ name }) => {
      const id = await story.submitted('home_food');
      await story.reaches(id, 'pending_payment');
      cases.set(name, id);
      return { id, ...(await story.openPayment(id)) };
    });
    const paid = await Promise.all(paying);
    await system.stopWorker();
    for (const [index, { id, reference }] of paid.entries()) {
      const { activity, when, at } = deaths[index] ?? assert.fail();
      const death = system.workUntilDeath({ activity, when, inputContains: at(id) });
      await story.sandbox(reference, 'pay');
      await death;
    }
    await system.startWorker();
  });
  after(() => system?.close());

  const sent = async (number: string): Promise<number> => {
    const messages = await (await mailbox()).messages();
    return messages.filter(({ attachments }) =>
      attachments.some(({ filename }) => filename === `${number.replaceAll('/', '-')}.pdf`),
    ).length;
  };

  for (const { name } of deaths) {
    it(`${name}: one licence, one number, one mail`, async function () {
      this.timeout(90_000);
      const id = cases.get(name) ?? assert.fail();
      const { license } = await story.reaches(id, 'active', 60_000);
      assert.ok(license);
      await eventually('the mail', async () => (await sent(license.number)) > 0, 60_000);
      assert.equal(await sent(license.number), 1);
      const { db } = system.database;
      assert.equal((await db('licenses').where({ application_id: id })).length, 1);
      assert.equal((await db('events').where({ application_id: id, type: 'license.issued' })).length, 1);
    });
  }

  it('no number was lost or given twice', async () => {
    const numbers = await system.database.db('licenses').orderBy('number').pluck<string[]>('number');
    assert.deepEqual(
      numbers.map((number) => number.slice(-6)),
      deaths.map((_death, index) => String(index + 1).padStart(6, '0')),
    );
  });
}
