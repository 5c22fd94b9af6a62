import { createActivationActivities } from './activation.ts';
import { createAuditActivities } from './audit.ts';
import type { ActivityDeps } from './deps.ts';
import { createInvoiceActivities } from './invoices.ts';
import { createLicensingActivities } from './licensing.ts';
import { createAccountLetterActivities } from './mail/account-letters.ts';
import { createMailActivities } from './mail/send.ts';
import { createMoneyWatchActivities } from './money-watch.ts';
import { createPaymentActivities } from './payments.ts';
import { createPersonalDataActivities } from './personal-data.ts';
import { createReconciliationActivities } from './reconciliation.ts';
import { createRefundActivities } from './refunds.ts';
import { createRegistryActivities } from './registries.ts';
import { createTextMessageActivities } from './sms/send.ts';

export const createActivities = (deps: ActivityDeps) => ({
  ...createLicensingActivities(deps),
  ...createActivationActivities(deps),
  ...createPaymentActivities(deps),
  ...createInvoiceActivities(deps),
  ...createMailActivities(deps),
  ...createAccountLetterActivities(deps),
  ...createMoneyWatchActivities(deps),
  ...createAuditActivities(deps),
  ...createPersonalDataActivities(deps),
  ...createReconciliationActivities(deps),
  ...createRefundActivities(deps),
  ...createRegistryActivities(deps),
  ...createTextMessageActivities(deps),
});

export type Activities = ReturnType<typeof createActivities>;
