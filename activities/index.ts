import { createActivationActivities } from './activation.ts';
import type { ActivityDeps } from './deps.ts';
import { createLicensingActivities } from './licensing.ts';
import { createMailActivities } from './mail/send.ts';
import { createPaymentActivities } from './payments.ts';

export const createActivities = (deps: ActivityDeps) => ({
  ...createLicensingActivities(deps),
  ...createActivationActivities(deps),
  ...createPaymentActivities(deps),
  ...createMailActivities(deps),
});

export type Activities = ReturnType<typeof createActivities>;
