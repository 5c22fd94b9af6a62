import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { type GatewayActivities, gatewayQueueOf } from './queues.ts';

/** Activities that ask a gateway, by the queue that keeps to what gateways allow. */
export const atGateways = (options: ActivityOptions): ActivityInterfaceFor<GatewayActivities> =>
  proxyActivities<GatewayActivities>({
    ...options,
    // Read with each call: modules are loaded before there is a workflow to ask.
    get taskQueue() {
      return gatewayQueueOf(workflowInfo().taskQueue);
    },
  });
