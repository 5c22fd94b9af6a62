import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { checkLedger } from '../../db/ledger-check.ts';
import { namedUuid } from '../../db/uuids.ts';
import type { ShopMessageId, UserId } from '../../domain/ids.ts';
import { gatewayAccounts } from '../../local/gateways/accounts.ts';
import { aColleague } from '../builders/people.ts';
import { MIDTRANS_SERVER_KEY } from '../support/machine.ts';
import type { MortalWorkerSettings } from '../support/mortal-worker-settings.ts';
import { aReturnInHand, type ReturnInTest } from '../support/returns.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

interface Death {
  readonly name: string;
  /** Said to the return while the worker works that dies of it. */
  readonly says: 'approve' | 'inspect' | 'resolve';
  readonly activity: string;
  readonly when: NonNullable<MortalWorkerSettings['dieAt']>['when'];
  readonly at: (it: ReturnInTest, messageId: ShopMessageId) => string;
}

/** Each is a `kill -9` of the only worker, at one activity of one return; afterwards another worker goes on. */
const DEATHS: readonly Death[] = [
  // First: what each leaves behind is carried on by whoever dies next, and only this one dies of any refund.
  {
    name: 'the refund is on record, and its process was not started',
    ...{ says: 'resolve', activity: 'tellProcesses', when: 'before', at: () => 'refund/' },
  },
  {
    name: 'the refund is on record, and nobody heard of it',
    ...{ says: 'resolve', activity: 'actOnReturn', when: 'after', at: (_it, messageId) => messageId },
  },
  {
    name: 'the units are on the shelf, and nobody heard of it',
    ...{ says: 'inspect', activity: 'actOnReturn', when: 'after', at: (_it, messageId) => messageId },
  },
  {
    name: 'the carrier has made a label, and nothing of it is on record',
    ...{ says: 'approve', activity: 'buyReturnLabel', when: 'carrier_answered', at: ({ id }) => labelOf(id) },
  },
  {
    name: 'the label is on record, and nobody heard of it',
    ...{ says: 'approve', activity: 'buyReturnLabel', when: 'after', at: ({ id }) => id },
  },
  {
    name: 'a label is to be made, and the carrier was not asked',
    ...{ says: 'approve', activity: 'buyReturnLabel', when: 'before', at: ({ id }) => id },
  },
];
const HALFWAY = 'the units are being put on the shelf';

const labelOf = (id: string): string => namedUuid(`rma/${id}/label/1`);
const refundShape = z.looseObject({ data: z.array(z.looseObject({ amount: z.number() })) });
const parcelShape = z.looseObject({ items: z.array(z.looseObject({ trackingNumber: z.string() })) });

describe('a worker that dies in the middle of a return', () => {
  let system: TestSystem;
  let seller: UserId;
  let warehouse: UserId;
  const cases = new Map<string, { readonly it: ReturnInTest; readonly shelf: number }>();
  const answers: Promise<unknown>[] = [];

  const hears = (answer: Promise<unknown>): void => {
    answers.push(
      answer.then(
        () => null,
        (failed: unknown) => failed,
      ),
    );
  };
  const contents = {
    approve: () => ({}),
    inspect: ({ of }: ReturnInTest) => ({
      units: [{ orderItemId: of.itemId, condition: 'unopened' as const, disposition: 'restock' as const }],
    }),
    resolve: () => ({ resolution: 'refund' as const }),
  };
  const onShelf = async ({ of }: ReturnInTest): Promise<number> => {
    const { db } = system.database;
    const row = await db('stock_levels').where({ sku: of.sku }).sum({ n: 'on_hand' }).first();
    return Number(row?.n);
  };
  const until = async (says: Death['says']): Promise<ReturnInTest> => {
    const it = await aReturnInHand(system, { goods: { sandboxUrl: `${system.sandboxUrl}/xendit` } });
    await it.is('under_review');
    return says === 'approve' ? it : carriedOn(it, says);
  };
  /** Whatever is left to be said to it until then. */
  const carriedOn = async (it: ReturnInTest, says: Death['says'] | null): Promise<ReturnInTest> => {
    if ((await it.state()) === 'under_review') await it.say('approve', {}, seller);
    await eventually('a label, or more', async () => !['approved', 'label_pending'].includes(await it.state()), 60_000);
    if ((await it.state()) === 'awaiting_shipment') await it.say('receive', {}, warehouse);
    if (says === 'inspect') return it;
    if ((await it.state()) === 'received') await it.say('inspect', contents.inspect(it), warehouse);
    if (says === 'resolve') return it;
    if ((await it.state()) === 'resolution_pending') await it.say('resolve', contents.resolve());
    return it;
  };
  const speak = (it: ReturnInTest, says: Death['says']) =>
    says === 'approve'
      ? it.begin('approve', {}, seller)
      : says === 'inspect'
        ? it.begin('inspect', contents.inspect(it), warehouse)
        : it.begin('resolve', contents.resolve());

  // What each left behind is found again only when its task times out, so the last worker waits for all of them at once.
  before(async function () {
    this.timeout(240_000);
    system = await startSystem();
    seller = await aColleague(system.database.db, 'seller');
    warehouse = await aColleague(system.database.db, 'warehouse');
    for (const { name, says } of DEATHS) {
      const it = await until(says);
      const put = says === 'resolve' ? it.of.quantity : 0;
      cases.set(name, { it, shelf: (await onShelf(it)) - put });
    }
    const halfway = await until('inspect');
    cases.set(HALFWAY, { it: halfway, shelf: await onShelf(halfway) });
    await system.stopWorker();
    for (const { name, says, activity, when, at } of DEATHS) {
      const { it } = cases.get(name) ?? assert.fail();
      const { messageId, answer } = await speak(it, says);
      hears(answer);
      await system.workUntilDeath({ activity, when, inputContains: at(it, messageId) });
    }
    await killedAtTheShelf(halfway);
    await system.startWorker();
  });
  after(() => system?.close());

  /** Somebody holds the shelf's row, so the worker stands in the middle of its transaction when it is killed. */
  async function killedAtTheShelf(it: ReturnInTest): Promise<void> {
    const { db } = system.database;
    const held = await db.transaction();
    await held('stock_levels').where({ sku: it.of.sku }).forUpdate();
    const worker = await system.workInOwnProcess();
    hears((await speak(it, 'inspect')).answer);
    await eventually(
      'the worker at the shelf',
      async () => {
        const { rows } = await db.raw(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      },
      60_000,
    );
    await worker.kill();
    await held.rollback();
  }

  const labelsAtCarrier = async (id: string): Promise<number> => {
    const answer = await fetch(`${system.sandboxUrl}/_sandbox/shipments`);
    const { items } = parcelShape.parse(await answer.json());
    return items.filter((item) => JSON.stringify(item).includes(labelOf(id))).length;
  };
  const refundsAtGateway = async (refundId: string): Promise<number[]> => {
    const { secretKey } = gatewayAccounts(MIDTRANS_SERVER_KEY).xendit;
    const authorization = `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}`;
    const answer = await fetch(`${system.sandboxUrl}/xendit/refunds?limit=50`, { headers: { authorization } });
    const { data } = refundShape.parse(await answer.json());
    return data.filter((one) => JSON.stringify(one).includes(refundId)).map(({ amount }) => amount);
  };

  for (const name of [...DEATHS.map((death) => death.name), HALFWAY]) {
    it(`when ${name}: one label, one refund, each unit on the shelf once`, async function () {
      this.timeout(120_000);
      const { it, shelf } = cases.get(name) ?? assert.fail();
      const { db } = system.database;
      await eventually(
        'what was said to be heard',
        async () => {
          const open = await db('shop_messages')
            .where({ subject: `rma/${it.id}` })
            .whereNull('answered_at');
          return open.length === 0;
        },
        90_000,
      );
      await carriedOn(it, null);
      const { client, taskQueue } = system;
      // Whoever died before the refund's process was started comes again only after minutes: the minute's watch is first.
      await db('refunds')
        .where({ return_id: it.id })
        .update({ requested_at: db.raw(`requested_at - interval '5 minutes'`) });
      await client.workflow.execute('moneyWatch', { workflowId: `money-watch-${randomUUID()}`, taskQueue });
      const rows: { id: string; amount_minor: bigint; state: string }[] = await eventually(
        'its refund at the gateway',
        async () => {
          const found = await db('refunds').where({ return_id: it.id });
          return found.some(({ state }) => state === 'pending' || state === 'succeeded') && found;
        },
        60_000,
      );
      const [refund] = rows;
      assert.equal(rows.length, 1);
      assert.deepEqual(await refundsAtGateway(refund?.id ?? ''), [Number(refund?.amount_minor)]);
      assert.equal(await labelsAtCarrier(it.id), 1);
      assert.equal((await db('shipments').where({ return_id: it.id })).length, 1);
      const movements = await db('stock_movements').where({ return_id: it.id }).pluck('quantity');
      assert.deepEqual([movements, await onShelf(it)], [[1, 1], shelf + 2]);
      const once = ['return.approved', 'return.labelled', 'return.inspected', 'return.resolved', 'return.refunding'];
      const told = (await it.events()).filter((type) => once.includes(type));
      assert.deepEqual(told, once);
    });
  }

  it('answers everybody who had spoken, and the books are right', async function () {
    this.timeout(60_000);
    for (const failed of await Promise.all(answers)) assert.equal(failed, null);
    for (const { name, findings } of (await checkLedger(system.database.db)).proofs)
      assert.deepEqual(findings, [], name);
  });
});
