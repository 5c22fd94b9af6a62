/** Subscriptions: after a trial into the next term, unpaid to the end, and through a pause. */
import { randomUUID } from 'node:crypto';
import { pauseSubscriptionUpdate, resumeSubscriptionUpdate } from '../../workflows/messages.ts';
import { subscribe } from '../support/subscriptions.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export function subscriptionCasesOf(system: TestSystem): (() => Promise<Played>)[] {
  const { client } = system;
  const end = (workflowId: string, by: string) =>
    client.workflow
      .getHandle(workflowId)
      .executeUpdate('cancelSubscription', { updateId: randomUUID(), args: [{ by, at: 'now' }] });
  return [
    async () => {
      const it = await subscribe(system, { trialDays: 20 });
      await it.days(14);
      await it.pay();
      // The last run is what is recorded: it was handed over by the one before, reminds, and bills the next term.
      await it.days(30);
      await it.open();
      await end(it.workflowId, it.by);
      return { 'subscription-renewed': it.workflowId };
    },
    async () => {
      const it = await subscribe(system, {});
      await it.open();
      await it.days(7.01);
      await it.days(21);
      await it.days(30);
      await it.is('expired');
      return { 'subscription-never-paid': it.workflowId };
    },
    async () => {
      const it = await subscribe(system, {});
      await it.pay();
      const handle = client.workflow.getHandle(it.workflowId);
      await handle.executeUpdate(pauseSubscriptionUpdate, { updateId: randomUUID(), args: [{ by: it.by }] });
      await handle.executeUpdate(resumeSubscriptionUpdate, { updateId: randomUUID(), args: [{ by: it.by }] });
      await end(it.workflowId, it.by);
      return { 'subscription-paused': it.workflowId };
    },
  ];
}
