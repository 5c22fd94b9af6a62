import assert from 'node:assert/strict';
import { mailbox } from '../support/machine.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

/** Each point is a `kill -9` of the only worker, at one activity of one case; afterwards another worker goes on. */
const DEATHS = [
  { name: 'between paid and licence issued', activity: 'issueLicense', when: 'before', at: (id: string) => id },
  {
    name: 'after the licence was issued, before the answer left',
    activity: 'issueLicense',
    when: 'after',
    at: (id: string) => id,
  },
  {
    name: 'between issued and mailed',
    activity: 'sendMail',
    when: 'before',
    at: (id: string) => `activation/${id}/mail/2/license_issued`,
  },
] as const;

describe('a worker that dies on the way from paid to mailed', () => {
  let system: TestSystem;
  let story: Story;
  const cases = new Map<string, string>();

  // One worker after the other dies at a case of its own. What each left behind is found again only when its activity times
  // out, so the last worker waits for all of them at once.
  before(async function () {
    this.timeout(150_000);
    system = await startSystem();
    story = storyOf(system);
    const paying = DEATHS.map(async ({ name }) => {
      const id = await story.submitted('home_food');
      await story.reaches(id, 'pending_payment');
      cases.set(name, id);
      return { id, ...(await story.openPayment(id)) };
    });
    const paid = await Promise.all(paying);
    await system.stopWorker();
    for (const [index, { id, reference }] of paid.entries()) {
      const { activity, when, at } = DEATHS[index] ?? assert.fail();
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

  for (const { name } of DEATHS) {
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
      ['000001', '000002', '000003'],
    );
  });
});
