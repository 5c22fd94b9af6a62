import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection, defaultPayloadConverter, WorkflowNotFoundError } from '@temporalio/client';
import { createNoticeTelling, type NoticeTelling } from '../../api/notice-telling.ts';
import type { ReceivedNotice } from '../../db/payment-inbox.ts';
import { asId, type InvoiceId } from '../../domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { eventually } from '../support/wait.ts';

describe('telling the processes of notices', () => {
  let database: TestDatabase;
  let connection: Connection;
  let client: Client;
  let warnings: string[];
  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    client = new Client({ connection });
  });
  after(async () => {
    await connection.close();
    await database.drop();
  });
  beforeEach(() => {
    warnings = [];
  });

  const telling = (given: { atOnce: number; waiting: number; perSecond?: number; burst?: number }): NoticeTelling => {
    const warn = (_fields: object, sentence?: string) => void warnings.push(sentence ?? '');
    const logger = { warn };
    return createNoticeTelling(
      { db: database.db, temporal: client, taskQueue: `nobody-${randomUUID()}`, logger },
      { perSecond: 1_000, burst: 1_000, ...given },
    );
  };
  const notice = (inboxId: string, invoiceId = asId<InvoiceId>(randomUUID())): ReceivedNotice => ({
    inboxId,
    invoiceId,
    reference: `${invoiceId}-1`,
    refundId: null,
    refundIds: [],
    handled: false,
  });
  /** Rows of the inbox that the process of a notice's invoice was told of. */
  async function told({ invoiceId }: ReceivedNotice): Promise<unknown[]> {
    const handle = client.workflow.getHandle(`payment/${invoiceId}`);
    try {
      await handle.describe();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return [];
      throw error;
    }
    const { events } = await handle.fetchHistory();
    return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      (signal?.input?.payloads ?? []).map((payload) => {
        const { inboxId } = defaultPayloadConverter.fromPayload<{ inboxId: string }>(payload);
        return inboxId;
      }),
    );
  }

  it('goes on with the newest notice of a payment while others wait', async () => {
    const some = telling({ atOnce: 1, waiting: 10 });
    const [first, second] = [notice('1'), notice('2')];
    for (const one of [first, second, { ...second, inboxId: '3' }, { ...second, inboxId: '4' }])
      some.tell('midtrans', one);
    await some.close();
    assert.deepEqual([await told(first), await told(second)], [['1'], ['4']]);
    assert.deepEqual(warnings, []);
  });
  it('leaves to the sweep what comes faster than it can tell, and says so once', async () => {
    const few = telling({ atOnce: 1, waiting: 1 });
    const [running, waiting, ...others] = [notice('1'), notice('2'), notice('3'), notice('4')] as const;
    for (const one of [running, waiting, ...others]) few.tell('midtrans', one);
    await few.close();
    assert.deepEqual([await told(running), await told(waiting)], [['1'], ['2']]);
    for (const one of others) assert.deepEqual(await told(one), []);
    assert.equal(warnings.filter((sentence) => sentence.includes('faster')).length, 1);
  });
  it('finishes what it has when it is closed, and takes nothing more', async () => {
    const some = telling({ atOnce: 2, waiting: 10 });
    const taken = Array.from({ length: 5 }, (_, index) => notice(String(index)));
    for (const one of taken) some.tell('midtrans', one);
    const closed = some.close();
    const late = notice('9');
    some.tell('midtrans', late);
    await closed;
    for (const one of taken) assert.deepEqual(await told(one), [one.inboxId]);
    assert.deepEqual(await told(late), []);
  });
  it('takes its time with a crowd, and none once it is closed', async () => {
    const slow = telling({ atOnce: 4, waiting: 10, perSecond: 0.01, burst: 2 });
    const crowd = Array.from({ length: 5 }, (_, index) => notice(String(index)));
    for (const one of crowd) slow.tell('midtrans', one);
    const [first, second, third, ...last] = crowd;
    assert.ok(first && second && third && last.length === 2);
    await eventually('the first to be told', async () => (await told(second)).length === 1);
    assert.equal((await told(third)).length, 0);
    await slow.close();
    for (const one of crowd) assert.equal((await told(one)).length, 1);
  });
  it('has nobody to tell of what belongs to nothing', async () => {
    const some = telling({ atOnce: 1, waiting: 1 });
    some.tell('midtrans', { ...notice('1'), invoiceId: null });
    await some.close();
    assert.deepEqual(warnings, []);
  });
});
