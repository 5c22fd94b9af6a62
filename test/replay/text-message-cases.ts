/** A code by SMS that the provider took, and one that it refused. */
import assert from 'node:assert/strict';
import { textMessageId } from '../../workflows/ids.ts';
import { mailbox } from '../support/machine.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playTextMessages({ api, client, database }: TestSystem): Promise<Played> {
  const { sms } = await mailbox();
  const ask = async (phone: string, outcome: string): Promise<string> => {
    const person = await api.person('owner');
    const { status } = await api.call('/auth/mfa/sms', { as: person, body: { phone } });
    assert.equal(status, 200);
    const { id }: { id: string } = await database.db('sent_codes').where({ user_id: person.id }).first('id');
    assert.equal(await client.workflow.getHandle(textMessageId(id)).result(), outcome);
    return textMessageId(id);
  };
  const sent = await ask('0812-0000-0001', 'sent');
  sms.failNext(1, 422);
  const refused = await ask('0812-0000-0002', 'refused');
  return { 'textMessage-sent': sent, 'textMessage-refused': refused };
}
