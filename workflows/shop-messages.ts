/** What people said to an order or a return while nobody heard it is on record, and is heard by the next watch. */
import { patched, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { HearMessages } from '../activities/shop-messages.ts';
import { clock } from './answers.ts';
import { ORDER_UPDATES, RETURN_UPDATES } from './messages.ts';
import { watches } from './policies.ts';

const { hearWaitingMessages } = proxyActivities<Activities>({
  ...watches,
  summary: 'Hand over what nobody has heard yet',
});

/** Whoever said it has had an answer within seconds, or has none. */
const UNHEARD_AFTER_MS = 60_000;

export async function hearWhatWasSaid(of: HearMessages['of'], limit: number): Promise<void> {
  if (!patched('hear-what-was-said')) return;
  const before = new Date(Date.now() - UNHEARD_AFTER_MS).toISOString();
  const updates = namesOf(of === 'order' ? ORDER_UPDATES : RETURN_UPDATES);
  await hearWaitingMessages({ of, workflowType: of, updates, before, at: clock(), limit });
}

const namesOf = (updates: Readonly<Record<string, { readonly name: string }>>): Record<string, string> =>
  Object.fromEntries(Object.entries(updates).map(([kind, { name }]) => [kind, name]));
