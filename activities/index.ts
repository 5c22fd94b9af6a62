import { createActivationActivities } from './activation.ts';
import { createAuditActivities } from './audit.ts';
import type { ActivityDeps } from './deps.ts';
import { createLicensingActivities } from './licensing.ts';
import { createAccountLetterActivities } from './mail/account-letters.ts';
import { createMailActivities } from './mail/send.ts';
import { createPaymentActivities } from './payments.ts';
import { createPersonalDataActivities } from './personal-data.ts';
import { createTextMessageActivities } from './sms/send.ts';

export const createActivities = (deps: ActivityDeps) => ({
  ...createLicensingActivities(deps),
  ...createActivationActivities(deps),
  ...createPaymentActivities(deps),
  ...createMailActivities(deps),
  ...createAccountLetterActivities(deps),
  ...createAuditActivities(deps),
  ...createPersonalDataActivities(deps),
  ...createTextMessageActivities(deps),
});

export type Activities = ReturnType<typeof createActivities>;
