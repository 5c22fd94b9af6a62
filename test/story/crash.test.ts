import assert from 'node:assert/strict';
import { mailbox } from '../support/machine.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

/** Each point is a `kill -9` of the only worker; afterwards another worker goes on. */
const DEATHS = [
  { name: 'between paid and licence issued', activity: 'issueLicense', when: 'before', inputContains: '' },
  {
    name: 'after the licence was issued, before the answer left',
    activity: 'issueLicense',
    when: 'after',
    inputContains: '',
  },
  { name: 'between issued and mailed', activity: 'sendMail', when: 'before', inputContains: 'license_issued' },
] as const;

describe('a worker that dies on the way from paid to mailed', () => {
  let system: TestSystem;
  let story: Story;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const sent = async (number: string): Promise<number> => {
    const messages = await (await mailbox()).messages();
    return messages.filter(({ attachments }) =>
      attachments.some(({ filename }) => filename === `${number.replaceAll('/', '-')}.pdf`),
    ).length;
  };

  for (const [index, { name, ...dieAt }] of DEATHS.entries()) {
    it(`${name}: one licence, one number, one mail`, async function () {
      this.timeout(90_000);
      const id = await story.submitted('home_food');
      await story.reaches(id, 'pending_payment');
      const { reference } = await story.openPayment(id);
      await system.stopWorker();
      const death = system.workUntilDeath(dieAt);
      await story.sandbox(reference, 'pay');
      await death;
      await system.startWorker();
      const { license } = await story.reaches(id, 'active', 60_000);
      assert.ok(license);
      assert.match(license.number, new RegExp(`/00000${index + 1}$`));
      await eventually('the mail', async () => (await sent(license.number)) > 0, 60_000);
      assert.equal(await sent(license.number), 1);
      const { db } = system.database;
      assert.equal((await db('licenses').where({ application_id: id })).length, 1);
      assert.equal((await db('events').where({ application_id: id, type: 'license.issued' })).length, 1);
    });
  }
});
