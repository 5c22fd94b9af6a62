import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createMailActivities } from '../../../activities/mail/send.ts';
import { createMailTransport } from '../../../activities/mail/transport.ts';
import { type ApplicationId, asId } from '../../../domain/ids.ts';
import { demoUserId } from '../../../local/demo-data.ts';
import { type Mailbox, startMailbox } from '../../../local/mailbox.ts';
import { type Story, storyOf } from '../../support/story.ts';
import { startSystem, type TestSystem } from '../../support/system.ts';

describe('sending a letter', () => {
  let system: TestSystem;
  let story: Story;
  let box: Mailbox;
  let applicationId: ApplicationId;

  before(async function () {
    this.timeout(60_000);
    system = await startSystem({ worker: false });
    story = storyOf(system);
    box = await startMailbox({ httpPort: 0, smtpPort: 0, directory: null });
    applicationId = asId<ApplicationId>(await story.draft('retail_kiosk'));
  });
  after(async () => {
    await box?.close();
    await system?.close();
  });

  /** Runs the activity once, as a worker would, against the mailbox of this file. */
  const send = async (key: string): Promise<{ sent: boolean }> => {
    const mail = createMailTransport({ smtpUrl: box.smtpUrl, from: 'Alur <no-reply@alur.example>' });
    try {
      const { sendMail } = createMailActivities({ ...system.deps, mail });
      const letter = {
        key,
        template: 'application_withdrawn',
        to: demoUserId('owner'),
        applicationId,
        at: '2026-11-21T10:00:00.000Z',
      } as const;
      return await new MockActivityEnvironment().run(sendMail, letter);
    } finally {
      mail.close();
    }
  };
  const delivery = (key: string) =>
    system.database.db('mail_deliveries').where({ key }).first('state', 'tries', 'message_id');

  it('sends nothing when it is repeated after it was sent', async () => {
    const key = `test/${randomUUID()}`;
    const before = box.messages().length;
    assert.deepEqual([await send(key), await send(key)], [{ sent: true }, { sent: true }]);
    assert.equal(box.messages().length, before + 1);
    assert.deepEqual({ ...(await delivery(key)), message_id: '' }, { state: 'sent', tries: 1, message_id: '' });
  });

  it('keeps the letter and its Message-ID while the mail server is away', async () => {
    const key = `test/${randomUUID()}`;
    await box.setAvailable(false);
    await assert.rejects(send(key), (error) => error instanceof ApplicationFailure && error.nonRetryable !== true);
    const queued = await delivery(key);
    assert.equal(queued?.state, 'queued');
    await box.setAvailable(true);
    assert.deepEqual(await send(key), { sent: true });
    assert.deepEqual(await delivery(key), { state: 'sent', tries: 2, message_id: queued?.message_id });
  });

  it('writes in the recipient’s language, under the key of that letter alone', async () => {
    const [first, second] = [`test/${randomUUID()}`, `test/${randomUUID()}`];
    await system.database
      .db('users')
      .where({ id: demoUserId('owner') })
      .update({ locale: 'en' });
    await send(first);
    await system.database
      .db('users')
      .where({ id: demoUserId('owner') })
      .update({ locale: 'id' });
    await send(second);
    const [english, indonesian] = box.messages().slice(-2);
    assert.ok(english && indonesian);
    assert.notEqual(english.subject, indonesian.subject);
    assert.match(indonesian.subject, /Kios Eceran/);
  });
});
