import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { sentCode } from '../../db/one-time-secrets.ts';
import { accountLetterId, textMessageId } from '../../workflows/ids.ts';
import type { TestPerson } from '../support/api.ts';
import { mailbox } from '../support/machine.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const WITHIN_MS = 20_000;
const codesSchema = z.object({ backupCodes: z.array(z.string()) });

describe('sending codes of the second factor', function () {
  this.timeout(60_000);
  let system: TestSystem;
  before(async function () {
    this.timeout(120_000);
    system = await startSystem();
  });
  after(() => system.close());

  let phones = 0;
  const newPhone = () => {
    phones += 1;
    return `+62812${String(Date.now() % 1_000_000).padStart(6, '0')}${String(phones).padStart(2, '0')}`;
  };
  const begin = (person: TestPerson, phone: string) =>
    system.api.call('/auth/mfa/sms', { as: person, body: { phone } });
  const textTo = async (phone: string) => (await mailbox()).sms.waitForMessage(({ to }) => to === phone, WITHIN_MS);
  const codeIn = (text: string) => /^\d{6}/.exec(text)?.[0] ?? '';
  const newestId = async ({ id }: TestPerson): Promise<string> => {
    const row: { id: string } = await system.database
      .db('sent_codes')
      .where({ user_id: id })
      .orderBy('created_at', 'desc')
      .first('id');
    return row.id;
  };

  it('brings one by SMS, which confirms the number', async () => {
    const person = await system.api.person('owner');
    const phone = newPhone();
    const begun = await begin(person, phone.replace('+62', '0'));
    assert.deepEqual(begun.body, {
      expiresInSeconds: 600,
      nextInSeconds: 60,
      phone: `+62•••••••${phone.slice(-4)}`,
    });
    const { text } = await textTo(phone);
    assert.match(text, /^\d{6} adalah kode Alur Anda/);
    assert.ok(text.length <= 160, 'it fits one message');
    const confirmed = await system.api.call('/auth/mfa/sms/confirm', { as: person, body: { code: codeIn(text) } });
    assert.equal(codesSchema.parse(confirmed.body).backupCodes.length, 10);
    const { body } = await system.api.call('/auth/mfa', { as: person });
    assert.match(JSON.stringify(body), /"kind":"sms"/);
    assert.ok(JSON.stringify(body).includes(`+62•••••••${phone.slice(-4)}`) && !JSON.stringify(body).includes(phone));
  });

  it('brings it though the provider is away for a while', async () => {
    const person = await system.api.person('owner');
    const phone = newPhone();
    (await mailbox()).sms.failNext(2, 503);
    assert.equal((await begin(person, phone)).status, 200);
    assert.match((await textTo(phone)).text, /^\d{6}/);
  });

  it('gives up where the provider refuses the number', async () => {
    const person = await system.api.person('owner');
    (await mailbox()).sms.failNext(1, 422);
    assert.equal((await begin(person, newPhone())).status, 200);
    const handle = system.client.workflow.getHandle(textMessageId(await newestId(person)));
    assert.equal(await handle.result(), 'refused');
  });

  it('brings one by e-mail, which confirms the address', async () => {
    const person = await system.api.person('owner');
    await system.api.call('/auth/mfa/email', { as: person, body: {} });
    const id = await newestId(person);
    const code = sentCode(system.api.deps.secretKey, id);
    const letter = await (await mailbox()).waitForMessage(
      ({ to, text }) => to.includes(person.email) && text.includes(code),
      WITHIN_MS,
    );
    assert.ok(letter.subject);
    const confirmed = await system.api.call('/auth/mfa/email/confirm', { as: person, body: { code } });
    assert.equal(confirmed.status, 200);
  });

  it('leaves neither code nor number in a history', async () => {
    const person = await system.api.person('owner');
    const phone = newPhone();
    await begin(person, phone);
    await textTo(phone);
    const bySms = await newestId(person);
    await system.api.call('/auth/mfa/email', { as: person, body: {} });
    const byMail = await newestId(person);
    for (const [workflowId, id] of [
      [textMessageId(bySms), bySms],
      [accountLetterId(byMail), byMail],
    ] as const) {
      const told = await historyOf(system.client, workflowId);
      assert.ok(told.includes(id), 'it names the code by its ID');
      for (const hidden of [sentCode(system.api.deps.secretKey, id), phone, phone.slice(3), person.email]) {
        assert.ok(!told.includes(hidden), workflowId);
      }
    }
  });
});

/** Everything that a history holds, with its payloads read, once the execution has ended. */
async function historyOf(client: Client, workflowId: string): Promise<string> {
  const handle = client.workflow.getHandle(workflowId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  assert.ok(events && events.length > 4);
  return JSON.stringify(events, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
  );
}
