import { createActivationActivities } from './activation.ts';
import { createAuditActivities } from './audit.ts';
import { createCalendarActivities } from './calendars.ts';
import { createCardActivities } from './cards.ts';
import { createCartActivities } from './carts.ts';
import { createCreditExpiryActivities } from './credit-expiry.ts';
import { createDeemedActivities } from './deemed.ts';
import type { ActivityDeps } from './deps.ts';
import { createDocumentRetentionActivities } from './document-retention.ts';
import { createDocumentScanActivities } from './document-scans.ts';
import { createInvoiceActivities } from './invoices.ts';
import { createLicenseExpiryActivities } from './license-expiry.ts';
import { createLicensingActivities } from './licensing.ts';
import { createAccountLetterActivities } from './mail/account-letters.ts';
import { createMailActivities } from './mail/send.ts';
import { createMoneyWatchActivities } from './money-watch.ts';
import { createOnboardingActivities } from './onboarding.ts';
import { createOrderActivities } from './orders.ts';
import { createProcessWatchActivities } from './overdue-invoices.ts';
import { createPaymentActivities } from './payments.ts';
import { createPersonalDataActivities } from './personal-data.ts';
import { createPolicyMoveActivities } from './policy-moves.ts';
import { createReconciliationActivities } from './reconciliation.ts';
import { createRefundActivities } from './refunds.ts';
import { createRegistryActivities } from './registries.ts';
import { createRenewalActivities } from './renewals.ts';
import { createReturnActivities } from './returns.ts';
import { createReviewOfferActivities } from './review-offers.ts';
import { createShipmentActivities } from './shipments.ts';
import { createShopMessageActivities } from './shop-messages.ts';
import { createTextMessageActivities } from './sms/send.ts';
import { createStockActivities } from './stock.ts';
import { createSubscriptionActivities } from './subscriptions.ts';
import { createTaskMoveActivities } from './task-moves.ts';

export const createActivities = (deps: ActivityDeps) => ({
  ...createLicensingActivities(deps),
  ...createLicenseExpiryActivities(deps),
  ...createActivationActivities(deps),
  ...createOnboardingActivities(deps),
  ...createOrderActivities(deps),
  ...createPaymentActivities(deps),
  ...createInvoiceActivities(deps),
  ...createCalendarActivities(deps),
  ...createCardActivities(deps),
  ...createCartActivities(deps),
  ...createDeemedActivities(deps),
  ...createDocumentRetentionActivities(deps),
  ...createDocumentScanActivities(deps),
  ...createMailActivities(deps),
  ...createAccountLetterActivities(deps),
  ...createMoneyWatchActivities(deps),
  ...createCreditExpiryActivities(deps),
  ...createProcessWatchActivities(deps),
  ...createAuditActivities(deps),
  ...createPersonalDataActivities(deps),
  ...createPolicyMoveActivities(deps),
  ...createReconciliationActivities(deps),
  ...createRefundActivities(deps),
  ...createRegistryActivities(deps),
  ...createRenewalActivities(deps),
  ...createReturnActivities(deps),
  ...createReviewOfferActivities(),
  ...createShipmentActivities(deps),
  ...createShopMessageActivities(deps),
  ...createStockActivities(deps),
  ...createSubscriptionActivities(deps),
  ...createTaskMoveActivities(deps),
  ...createTextMessageActivities(deps),
});

export type Activities = ReturnType<typeof createActivities>;
