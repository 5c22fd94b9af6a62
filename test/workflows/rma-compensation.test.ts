import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { type Activities, createActivities } from '../../activities/index.ts';
import type { UserId } from '../../domain/ids.ts';
import { aColleague } from '../builders/people.ts';
import { temporal } from '../support/machine.ts';
import { aReturnInHand, type ReturnInTest } from '../support/returns.ts';
import { startSystem, type TestSystem, workflowBundle } from '../support/system.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

type Fault =
  | 'buy'
  | 'buy, answer lost'
  | 'void_label'
  | 'void_label, answer lost'
  | 'release_units'
  | 'cancel_replacement';

describe('undoing a return that ends before money has moved', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let seller: UserId;
  let warehouse: UserId;
  let worker: Worker;
  let running: Promise<void>;
  let native: NativeConnection;
  /** By the return that they are for. */
  const faults = new Map<string, Set<Fault>>();

  before(async () => {
    system = await startSystem({ worker: false });
    native = await NativeConnection.connect({ address: (await temporal()).address });
    worker = await Worker.create({
      connection: native,
      taskQueue: system.taskQueue,
      workflowBundle: await workflowBundle(),
      activities: faulty(createActivities(system.deps)),
    });
    running = worker.run();
    seller = await aColleague(system.database.db, 'seller');
    warehouse = await aColleague(system.database.db, 'warehouse');
  });
  after(async () => {
    worker?.shutdown();
    await running;
    await native?.close();
    await system?.close();
  });

  const fails = async (returnId: string, fault: Fault): Promise<boolean> => faults.get(returnId)?.has(fault) ?? false;
  const broken = (what: string) => ApplicationFailure.nonRetryable(`${what} is broken here`);
  /** Each failure is for good: what is tried again succeeds once its fault is taken away. */
  function faulty(activities: Activities) {
    const returnOf = async (shipmentId: string): Promise<string> => {
      const row: { return_id: string } | undefined = await system.database
        .db('shipments')
        .where({ id: shipmentId })
        .first('return_id');
      return row?.return_id ?? '';
    };
    return {
      ...activities,
      buyReturnLabel: async (input: Parameters<Activities['buyReturnLabel']>[0]) => {
        if (await fails(input.returnId, 'buy')) throw broken('buying');
        const label = await activities.buyReturnLabel(input);
        if (await fails(input.returnId, 'buy, answer lost')) throw broken('the answer');
        return label;
      },
      voidLabel: async (input: Parameters<Activities['voidLabel']>[0]) => {
        const id = await returnOf(input.shipmentId);
        if (await fails(id, 'void_label')) throw broken('voiding');
        const said = await activities.voidLabel(input);
        if (faults.get(id)?.delete('void_label, answer lost')) throw new Error('the answer was lost');
        return said;
      },
      undoReturnStep: async (input: Parameters<Activities['undoReturnStep']>[0]) => {
        const { returnId, step } = input;
        if (step !== 'void_label' && (await fails(returnId, step))) throw broken(step);
        return activities.undoReturnStep(input);
      },
    };
  }
  const with_ = (it: ReturnInTest, ...which: Fault[]): void => void faults.set(it.id, new Set(which));
  const begun = (given: Parameters<typeof aReturnInHand>[1] = {}) => aReturnInHand(system, given);
  const labelled = async (it: ReturnInTest): Promise<ReturnInTest> => {
    await it.say('approve', {}, seller);
    await it.is('awaiting_shipment');
    return it;
  };
  const parcel = async (it: ReturnInTest): Promise<string | undefined> => {
    const row: { state: string } | undefined = await system.database
      .db('shipments')
      .where({ return_id: it.id })
      .first('state');
    return row?.state;
  };
  const undone = async (it: ReturnInTest): Promise<string[]> => {
    const rows: { data: { step: string } }[] = await system.database
      .db('events')
      .where({ subject: `rma/${it.id}`, type: 'return.undone' })
      .orderBy('id')
      .select('data');
    return rows.map(({ data }) => data.step);
  };
  const replacing = async (): Promise<ReturnInTest> => {
    const it = await labelled(await begun({ wanted: 'replacement' }));
    await it.say('receive', {}, warehouse);
    await it.say(
      'inspect',
      { units: [{ orderItemId: it.of.itemId, condition: 'unopened', disposition: 'restock' }] },
      warehouse,
    );
    await it.say('resolve', { resolution: 'replacement' });
    await it.days(10.1);
    await it.is('manual_review');
    return it;
  };
  const replacement = async (it: ReturnInTest) =>
    system.database.db('orders').where({ return_id: it.id }).first('state');

  together({
    'takes back the label, then gives the units free, each once': async () => {
      const it = await labelled(await begun());
      assert.equal((await it.say('cancel', {})).state, 'cancelled');
      assert.deepEqual(await undone(it), ['void_label', 'release_units']);
      assert.deepEqual([await parcel(it), await it.units()], ['voided', ['withdrawn', 'withdrawn']]);
    },

    'has only the units to give free before a label was asked for': async () => {
      const it = await begun();
      await it.say('reject', { reason: 'Not ours' }, seller);
      assert.deepEqual([await undone(it), await parcel(it)], [['release_units'], undefined]);
    },

    'gives the units free though the label cannot be taken back, and shows that': async () => {
      const it = await labelled(await begun());
      with_(it, 'void_label');
      await it.say('cancel', {});
      await it.is('manual_review');
      assert.deepEqual(await it.reasons(), ['undo_failed/void_label']);
      assert.deepEqual([await undone(it), await it.units()], [['release_units'], ['withdrawn', 'withdrawn']]);
      assert.equal(await parcel(it), 'labelled');
      assert.equal(
        (await it.say('continue', { to: 'cancelled', note: 'Voided by telephone' }, seller)).state,
        'cancelled',
      );
      assert.equal(await parcel(it), 'labelled');
    },

    'takes back the label though the units cannot be given free, and shows that': async () => {
      const it = await labelled(await begun());
      with_(it, 'release_units');
      await it.say('cancel', {});
      await it.is('manual_review');
      assert.deepEqual(await it.reasons(), ['undo_failed/release_units']);
      assert.deepEqual([await undone(it), await it.units()], [['void_label'], ['authorised', 'authorised']]);
    },

    'shows each of two that cannot be undone': async () => {
      const it = await labelled(await begun());
      with_(it, 'release_units', 'void_label');
      await it.say('cancel', {});
      await eventually('both shown', async () => (await it.reasons()).length === 2);
      assert.deepEqual([...(await it.reasons())].sort(), ['undo_failed/release_units', 'undo_failed/void_label']);
      assert.deepEqual(await undone(it), []);
    },

    'takes back a label once whose carrier did it and whose answer was lost': async () => {
      const it = await labelled(await begun());
      with_(it, 'void_label, answer lost');
      await it.say('cancel', {});
      assert.deepEqual(await undone(it), ['void_label', 'release_units']);
      assert.equal(await parcel(it), 'voided');
    },

    'undoes what it did where the label could not be bought': async () => {
      const it = await begun();
      with_(it, 'buy');
      await it.say('approve', {}, seller);
      await it.is('label_pending');
      await it.say('cancel', {});
      assert.deepEqual([await undone(it), await it.units()], [['release_units'], ['withdrawn', 'withdrawn']]);
    },

    'goes on with a label that was bought and whose answer was lost': async () => {
      const it = await begun();
      with_(it, 'buy, answer lost');
      await it.say('approve', {}, seller);
      await it.is('awaiting_shipment');
    },

    'asks for a label again and again, after an hour people, and goes on when there is one': async () => {
      const it = await begun();
      with_(it, 'buy');
      await it.say('approve', {}, seller);
      await it.is('label_pending');
      await it.days(0.05);
      await it.is('manual_review');
      assert.deepEqual(await it.reasons(), ['label_failed']);
      faults.delete(it.id);
      await it.say('continue', { to: 'label_pending', note: 'The carrier is back' }, seller);
      await it.is('awaiting_shipment');
    },

    'calls off what replaces the goods, first of all': async () => {
      const it = await replacing();
      assert.equal(
        (await it.say('continue', { to: 'cancelled', note: 'Agreed with the customer' }, seller)).state,
        'cancelled',
      );
      assert.deepEqual([(await undone(it))[0], (await replacement(it)).state], ['cancel_replacement', 'cancelled']);
    },

    'stops at nothing where that cannot be called off, and shows it': async () => {
      const it = await replacing();
      with_(it, 'cancel_replacement');
      await it.say('continue', { to: 'cancelled', note: 'Agreed with the customer' }, seller);
      await it.is('manual_review');
      assert.ok((await it.reasons()).includes('undo_failed/cancel_replacement'));
      assert.equal((await replacement(it)).state === 'cancelled', false);
      assert.deepEqual(await undone(it), ['void_label']);
    },

    'undoes nothing once money has begun to move': async () => {
      const it = await labelled(await begun());
      await it.say('receive', {}, warehouse);
      const units = [{ orderItemId: it.of.itemId, condition: 'unopened', disposition: 'restock' }] as const;
      await it.say('inspect', { units }, warehouse);
      await it.say('resolve', { resolution: 'refund' });
      await assert.rejects(it.say('cancel', {}));
      assert.deepEqual([await undone(it), await it.units()], [[], ['accepted', 'accepted']]);
    },

    'knows after its process was ended from outside what there is to undo': async () => {
      const it = await labelled(await begun());
      const { workflowId } = it;
      await system.client.workflow.getHandle(workflowId).terminate('for a test');
      await system.client.workflow.start('rma', {
        workflowId,
        taskQueue: system.taskQueue,
        args: [{ returnId: it.id }],
      });
      await it.say('cancel', {});
      assert.deepEqual(await undone(it), ['void_label', 'release_units']);
    },
  });
});
