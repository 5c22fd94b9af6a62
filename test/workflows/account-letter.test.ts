import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { createMailTransport, type MailTransport } from '../../activities/mail/transport.ts';
import { dispatchLetter } from '../../api/account-letters.ts';
import { type NewAccountLetter, writeLetter } from '../../db/account-letters.ts';
import { linkToken } from '../../db/one-time-secrets.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { type Mailbox, startMailbox } from '../../local/mailbox.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { accountLetterId } from '../../workflows/ids.ts';
import { historyToJson } from '../replay/history-json.ts';
import { noTemporal } from '../support/api.ts';
import { temporal } from '../support/machine.ts';
import { startSystem, type TestSystem, workflowBundle } from '../support/system.ts';

import { eventually } from '../support/wait.ts';

describe('a letter about an account', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let box: Mailbox;
  let mail: MailTransport;

  before(async () => {
    box = await startMailbox({ httpPort: 0, smtpPort: 0, directory: null });
    mail = createMailTransport({ smtpUrl: box.smtpUrl, from: 'Alur <no-reply@alur.example>' });
    system = await startSystem({ worker: false });
    await system.startWorker({ mail });
  });
  after(async () => {
    await system?.close();
    mail?.close();
    await box?.close();
  });

  const MINUTE = 60_000;
  const ago = (ms: number): Date => new Date(Date.now() - ms);
  const person = async () => {
    const id = asId<UserId>(randomUUID());
    const email = `${id}@example.test`;
    await system.database.db('users').insert({ id, email, name: 'Sari Wulandari', roles: ['owner'] });
    return { id, email };
  };
  /** A letter to a new person, as a route leaves it in the outbox. */
  const written = async (at = new Date()) => {
    const { id: userId, email } = await person();
    const letter: NewAccountLetter = { id: randomUUID(), template: 'verify_email', data: {}, at, userId };
    await writeLetter(system.database.db, letter);
    return { id: letter.id, email };
  };
  const isTaken = async (id: string): Promise<boolean> =>
    (await system.database.db('account_letters').where({ id }).whereNotNull('taken_at').first('id')) !== undefined;
  const received = (email: string) => box.messages().filter(({ to }) => to.includes(email)).length;
  const ended = (id: string) => system.client.workflow.getHandle(accountLetterId(id)).result();
  /** Of the newest execution under the letter's ID. */
  const runOf = async (id: string): Promise<string> =>
    (await system.client.workflow.getHandle(accountLetterId(id)).describe()).runId;
  const sweep = (page = 100): Promise<{ taken: number }> =>
    system.client.workflow.execute('accountLetterSweep', {
      workflowId: `account-letters-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [page],
    });

  it('is sent as soon as it is handed over, and handing it over again does nothing', async () => {
    const { id, email } = await written();
    await Promise.all([dispatchLetter(system.api.deps, id), dispatchLetter(system.api.deps, id)]);
    assert.deepEqual(await ended(id), { sent: true });
    assert.equal(await isTaken(id), true);
    const first = await runOf(id);
    await dispatchLetter(system.api.deps, id);
    assert.equal(await runOf(id), first);
    assert.equal(received(email), 1);
  });

  it('waits in the outbox while Temporal is away, and the request goes on; the sweep sends it later', async () => {
    const { id, email } = await written(ago(2 * MINUTE));
    const fresh = await written();
    const log = system.api.log.length;
    await dispatchLetter({ ...system.api.deps, temporal: noTemporal() }, id);
    assert.equal(await isTaken(id), false);
    const line = system.api.log.slice(log).find((one) => one.includes(id));
    assert.match(line ?? '', /"level":40.*"code":"temporarily_unavailable"/);

    assert.deepEqual(await sweep(), { taken: 1 });
    assert.deepEqual(await ended(id), { sent: true });
    assert.equal(await isTaken(id), true);
    assert.equal(received(email), 1);
    assert.equal(await isTaken(fresh.id), false, 'a letter of this minute is left to who wrote it');
    assert.deepEqual(await sweep(), { taken: 0 });
  });

  it('is not started again by a sweep that finds only its mark missing', async () => {
    const { id, email } = await written(ago(2 * MINUTE));
    await dispatchLetter(system.api.deps, id);
    await ended(id);
    const first = await runOf(id);
    await system.database.db('account_letters').where({ id }).update({ taken_at: null });
    assert.deepEqual(await sweep(), { taken: 1 });
    assert.equal(await isTaken(id), true);
    assert.equal(await runOf(id), first);
    assert.equal(received(email), 1);
  });

  it('is swept up by a schedule, which every worker makes sure of', async () => {
    const { id, email } = await written(ago(2 * MINUTE));
    const entries = SCHEDULES.filter((entry) => entry.id === 'account-letters');
    assert.equal(entries.length, 1);
    const prefix = `${randomUUID()}-`;
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    const schedule = system.client.schedule.getHandle(`${prefix}account-letters`);
    try {
      await schedule.trigger();
      await eventually('the letter', async () => received(email) === 1);
      assert.equal(await isTaken(id), true);
    } finally {
      await schedule.delete();
    }
  });

  it('is swept up page by page, all of them', async () => {
    const letters = await Promise.all(Array.from({ length: 5 }, () => written(ago(2 * MINUTE))));
    assert.deepEqual(await sweep(2), { taken: 5 });
    for (const { id } of letters) assert.deepEqual(await ended(id), { sent: true });
    assert.deepEqual(await sweep(2), { taken: 0 });
  });

  it('comes once though the answer of the activity was lost', async () => {
    const { id, email } = await written();
    await system.stopWorker();
    let sent = 0;
    const activities = createActivities({ ...system.deps, mail });
    const forgetful: typeof activities = {
      ...activities,
      sendAccountLetter: async (input) => {
        const answer = await activities.sendAccountLetter(input);
        sent += 1;
        if (sent === 1) throw new Error('the worker was cut off');
        return answer;
      },
    };
    const connection = await NativeConnection.connect({ address: (await temporal()).address });
    const worker = await Worker.create({
      connection,
      taskQueue: system.taskQueue,
      workflowBundle: await workflowBundle(),
      activities: forgetful,
    });
    const handedOver = dispatchLetter(system.api.deps, id);
    assert.deepEqual(await worker.runUntil(async () => handedOver.then(() => ended(id))), { sent: true });
    await connection.close();
    await system.startWorker({ mail });
    assert.equal(sent, 2);
    assert.equal(received(email), 1);
  });

  it('tells Temporal its ID and nothing else: no address, name, link or token', async () => {
    const email = `${randomUUID()}@example.test`;
    const { id: userId } = await person();
    await system.database.db('users').where({ id: userId }).update({ email, password_hash: 'none' });
    const id = randomUUID();
    const addressEncrypted = system.deps.personalData.seal(email, 'account_letters.address');
    await writeLetter(system.database.db, {
      id,
      template: 'password_reset',
      data: {},
      at: ago(2 * MINUTE),
      addressEncrypted,
    });
    const workflowId = `account-letters-${randomUUID()}`;
    await system.client.workflow.execute('accountLetterSweep', { workflowId, taskQueue: system.taskQueue });
    await ended(id);
    assert.equal(received(email), 1);
    for (const one of [accountLetterId(id), workflowId]) {
      const told = inClear(historyToJson(await system.client.workflow.getHandle(one).fetchHistory()));
      assert.ok(told.includes(id));
      const token = linkToken(system.deps.secretKey, id);
      for (const secret of [email, token, 'Sari', '/account/', userId])
        assert.ok(!told.includes(secret), `${one} tells ${secret}`);
    }
  });
});

/** Every text of a history, payloads (base64 of JSON) in clear. */
const inClear = (json: unknown): string => {
  if (typeof json === 'string') return `${json}\n${Buffer.from(json, 'base64').toString('utf8')}\n`;
  return typeof json === 'object' && json !== null ? Object.values(json).map(inClear).join('') : '';
};
