/** A process that walks Xendit against the books and kills itself in the middle, as a worker would be killed. */
import { MockActivityEnvironment } from '@temporalio/testing';
import type { PaymentGateway } from '../../activities/gateways/gateway.ts';
import { createXenditGateway } from '../../activities/gateways/xendit.ts';
import { createReconciliationActivities } from '../../activities/reconciliation.ts';
import { connect } from '../../db/connection.ts';
import { mortalWalkSettings } from './mortal-walk-settings.ts';

const { databaseUrl, xenditUrl, secretKey, span, at, diesBeforePage } = mortalWalkSettings.parse(
  JSON.parse(process.argv[2] ?? ''),
);
const real = createXenditGateway({ secretKey, apiUrl: xenditUrl });
let page = 0;
const xendit: PaymentGateway = {
  ...real,
  list: async (window, cursor) => {
    page += 1;
    if (page === diesBeforePage) process.kill(process.pid, 'SIGKILL');
    if (!real.list) throw new Error('Xendit lists its payments');
    return real.list(window, cursor);
  },
};
const { reconcileGateway } = createReconciliationActivities({ db: connect(databaseUrl, 2), gateways: { xendit } });
await new MockActivityEnvironment().run(reconcileGateway, { span, at });
