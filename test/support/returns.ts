/** Returns in tests, with their process: begun, spoken to as the API speaks to it, and looked at. */
import { randomUUID } from 'node:crypto';
import type { ReturnId, ShopMessageId, UserId } from '../../domain/ids.ts';
import type { ReturnContents } from '../../domain/return-messages.ts';
import type { ReturnMessageKind, ReturnState } from '../../domain/returns.ts';
import { rmaId } from '../../workflows/ids.ts';
import { RETURN_UPDATES, type RmaAnswer, type RmaInput, type ShopMessage } from '../../workflows/messages.ts';
import { aReturnMessage, aReturnOf, type DeliveredGoods, deliveredGoods } from '../builders/delivered-goods.ts';
import type { TestSystem } from './system.ts';
import { DAY, travel } from './time.ts';
import { eventually } from './wait.ts';

export interface ReturnInTest {
  readonly id: ReturnId;
  readonly workflowId: string;
  readonly of: DeliveredGoods;
  /** As the API says it: on record first. A refusal rejects. */
  say<Kind extends ReturnMessageKind>(
    kind: Kind,
    content: ReturnContents[Kind],
    by?: UserId,
    requestKey?: string,
  ): Promise<RmaAnswer>;
  state(): Promise<ReturnState>;
  is(state: ReturnState): Promise<void>;
  units(): Promise<string[]>;
  events(): Promise<string[]>;
  reasons(): Promise<readonly string[]>;
  /** Days of 24 hours on its own clock; whatever is due meanwhile is done when it resolves. */
  days(count: number): Promise<void>;
  /** Letters to the customer, oldest first. */
  letters(): Promise<string[]>;
  /** Said while perhaps nobody works: the answer comes when somebody does. */
  begin<Kind extends ReturnMessageKind>(
    kind: Kind,
    content: ReturnContents[Kind],
    by?: UserId,
  ): Promise<{ messageId: ShopMessageId; answer: Promise<RmaAnswer> }>;
  /** Something of it has changed on record. */
  tell(): Promise<void>;
}

type Worked = Pick<TestSystem, 'client' | 'taskQueue' | 'database'>;

export async function aReturnInHand(
  system: Worked,
  given: Parameters<typeof aReturnOf>[2] & { goods?: Parameters<typeof deliveredGoods>[1] } = {},
): Promise<ReturnInTest> {
  const { db } = system.database;
  const of = await deliveredGoods(db, given.goods);
  return inHand(system, of, await aReturnOf(db, of, given));
}

export async function inHand(system: Worked, of: DeliveredGoods, id: ReturnId): Promise<ReturnInTest> {
  const { client, taskQueue } = system;
  const { db } = system.database;
  const workflowId = rmaId(id);
  const input: RmaInput = { returnId: id };
  await client.workflow.start('rma', { workflowId, taskQueue, args: [input] });
  const row = async (): Promise<{ state: ReturnState; manual_reasons: readonly string[] }> =>
    db('returns').where({ id }).first('state', 'manual_reasons');
  const it: ReturnInTest = {
    id,
    workflowId,
    of,
    async say(kind, content, by = of.by, requestKey = randomUUID()) {
      const messageId = await aReturnMessage(db, id, kind, content, by, requestKey);
      const message: ShopMessage = { messageId, by };
      return client.workflow
        .getHandle(workflowId)
        .executeUpdate(RETURN_UPDATES[kind], { updateId: requestKey, args: [message] });
    },
    async begin(kind, content, by = of.by) {
      const requestKey = randomUUID();
      const messageId = await aReturnMessage(db, id, kind, content, by, requestKey);
      const message: ShopMessage = { messageId, by };
      const options = { updateId: requestKey, args: [message] as [ShopMessage] };
      const asked = () => client.workflow.getHandle(workflowId).executeUpdate(RETURN_UPDATES[kind], options);
      // A question that outlasts the death of whoever was to answer it is asked again.
      return { messageId, answer: asked().catch(asked) };
    },
    state: async () => (await row()).state,
    is: async (state) => {
      await eventually(`return ${id} to be ${state}`, async () => (await row()).state === state).catch(
        async (cause: unknown) => {
          throw new Error(`it is ${(await row()).state}, not ${state}`, { cause });
        },
      );
    },
    units: () => db('return_units').where({ return_id: id }).orderBy('number').pluck('state'),
    events: () =>
      db('events')
        .where({ subject: `rma/${id}` })
        .orderBy('id')
        .pluck('type'),
    reasons: async () => (await row()).manual_reasons,
    days: (count) => travel(client, workflowId, count * DAY),
    letters: () => db('account_letters').where({ user_id: of.by }).orderBy('created_at').pluck('template'),
    tell: () => client.workflow.getHandle(workflowId).signal('returnChanged'),
  };
  return it;
}
