/** Processes that do nothing but what the comparison needs: one insert an activity, and as many messages as asked. */
import {
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { BareActivities } from './bare-worker.ts';
import type { Places } from './statements.ts';

const { insertRow, readRows } = proxyActivities<BareActivities>({ startToCloseTimeout: '10s' });
const near = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '8s' });

export const sayUpdate = defineUpdate<void, [number]>('say');
export const tellSignal = defineSignal('tell');

const validator = (number: number): void => {
  if (!Number.isInteger(number)) throw new TypeError('say a number');
};

/** Answers each update after one insert. Stays open: the bench's server ends with it. */
export async function bareDecision(name: string): Promise<void> {
  setHandler(sayUpdate, (number) => insertRow(`${name}/${number}`), { validator });
  await condition(() => false);
}

export interface BareCase {
  readonly name: string;
  readonly messages: number;
  readonly activities: number;
}

/** Activities one after the other, spread evenly over the messages; each update is answered after the next of them. */
export async function bareCase({ name, messages, activities }: BareCase): Promise<void> {
  let arrived = 0;
  let recorded = 0;
  let inserted = 0;
  setHandler(
    sayUpdate,
    async () => {
      arrived += 1;
      const mine = arrived;
      await condition(() => recorded >= mine);
    },
    { validator },
  );
  setHandler(tellSignal, () => {
    arrived += 1;
  });

  const upTo = async (count: number): Promise<void> => {
    for (; inserted < count; inserted += 1) await insertRow(`${name}/${inserted}`);
  };
  const share = activities / (messages + 1);
  await upTo(Math.round(share));
  for (let message = 1; message <= messages; message += 1) {
    await condition(() => arrived >= message);
    await upTo(inserted + 1);
    recorded = message;
    await upTo(Math.round(share * (message + 1)));
  }
  await condition(allHandlersFinished);
}

export const collectionId = (invoiceId: string): string => `bare-collection/${invoiceId}`;

const NEXT_MS = 7 * 86_400_000;

/** Sleeps until it is due, has the rows of a renewal written and another process started, and sleeps until what would be next. */
export async function bareRenewal({ dueAt, places }: { dueAt: number; places: Places }): Promise<void> {
  await condition(() => false, Math.max(1, dueAt - Date.now()));
  await near.renewRows(places);
  await near.collect(places, collectionId(places.invoice));
  await condition(() => false, NEXT_MS);
}

/** Reads what there is, and waits for a payment that does not come. */
export async function bareCollection(places: Places): Promise<void> {
  await readRows(places);
  await condition(() => false);
}
