/** A letter that was handed over at once, and a sweep that finds one waiting and one that only lacks its mark. */
import { randomUUID } from 'node:crypto';
import { dispatchLetter } from '../../api/account-letters.ts';
import { writeLetter } from '../../db/account-letters.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { accountLetterId } from '../../workflows/ids.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playLetters(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const written = async (): Promise<string> => {
    const id = randomUUID();
    const at = new Date(Date.now() - 120_000);
    await writeLetter(db, { id, template: 'verify_email', userId: demoUserId('owner'), data: {}, at });
    return id;
  };
  const sent = await written();
  await dispatchLetter(system.api.deps, sent);
  await db('account_letters').where({ id: sent }).update({ taken_at: null });
  await written();
  const sweep = `account-letters-${randomUUID()}`;
  await system.client.workflow.start('accountLetterSweep', { workflowId: sweep, taskQueue: system.taskQueue });
  return { 'accountLetter-sent': accountLetterId(sent), 'accountLetterSweep-one-waiting-one-unmarked': sweep };
}
