/**
 * Every route of the API: each file of this folder exports `<noun>Routes`, and what is not listed here is not served.
 * Express tries them in this order: the status that owners poll comes first, then the gateways' notices, which come in
 * crowds. `/licenses/:id`, which would match `/licenses/types` too, comes after all other licence paths; so does
 * `/payments/:id` after `/payments/methods`.
 */
import type { Route } from '../route.ts';
import { absenceRoutes } from './absences.ts';
import { accountPageRoutes } from './account-pages.ts';
import { accountRoutes } from './accounts.ts';
import { adminHealthRoutes } from './admin-health.ts';
import { adminUserRoutes } from './admin-users.ts';
import { advertisingRoutes } from './advertising.ts';
import { apiKeyRoutes } from './api-keys.ts';
import { applicationRoutes } from './applications.ts';
import { auditRoutes } from './audit.ts';
import { authRoutes } from './auth.ts';
import { calendarRoutes } from './calendar.ts';
import { cancellationRoutes } from './cancellation.ts';
import { cardRoutes } from './cards.ts';
import { carrierWebhookRoutes } from './carrier-webhook.ts';
import { cartRoutes } from './carts.ts';
import { caseHistoryRoutes } from './case-history.ts';
import { companyRoutes } from './companies.ts';
import { companyMemberRoutes } from './company-members.ts';
import { complianceRoutes } from './compliance.ts';
import { cspReportRoutes } from './csp-reports.ts';
import { documentRoutes } from './documents.ts';
import { entitlementRoutes } from './entitlements.ts';
import { evidenceRoutes } from './evidence.ts';
import { inboxRoutes } from './inbox.ts';
import { invoicePaperRoutes } from './invoice-papers.ts';
import { invoiceRoutes } from './invoices.ts';
import { ledgerRoutes } from './ledger.ts';
import { licenseTypeRoutes } from './license-types.ts';
import { licenseRoutes } from './licenses.ts';
import { oauthRoutes } from './oauth.ts';
import { onboardingRoutes } from './onboarding.ts';
import { onboardingDocumentRoutes } from './onboarding-documents.ts';
import { orderPageRoutes } from './order-pages.ts';
import { orderRoutes } from './orders.ts';
import { payRoutes } from './pay.ts';
import { payPageRoutes } from './pay-pages.ts';
import { paymentMethodRoutes } from './payment-methods.ts';
import { paymentRoutes } from './payments.ts';
import { personalDataRoutes } from './personal-data.ts';
import { planRoutes } from './plans.ts';
import { policyRoutes } from './policies.ts';
import { postAuditRoutes } from './post-audits.ts';
import { problemRoutes } from './problems.ts';
import { productRoutes } from './products.ts';
import { providerSignInRoutes } from './provider-sign-in.ts';
import { reasonRoutes } from './reasons.ts';
import { reconciliationRoutes } from './reconciliation.ts';
import { refundRoutes } from './refunds.ts';
import { renewalRoutes } from './renewals.ts';
import { returnPageRoutes } from './return-pages.ts';
import { returnPhotoRoutes } from './return-photos.ts';
import { returnReportRoutes } from './return-report.ts';
import { returnRoutes } from './returns.ts';
import { revenueRoutes } from './revenue.ts';
import { reviewRoutes } from './review.ts';
import { riskTableRoutes } from './risk-table.ts';
import { secondFactorRoutes } from './second-factors.ts';
import { sessionRoutes } from './sessions.ts';
import { settlementRoutes } from './settlements.ts';
import { shipmentRoutes } from './shipments.ts';
import { shopPolicyRoutes } from './shop-policies.ts';
import { statusRoutes } from './status.ts';
import { stockRoutes } from './stock.ts';
import { stockAlertRoutes } from './stock-alerts.ts';
import { submissionDiffRoutes } from './submission-diff.ts';
import { submissionRoutes } from './submissions.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { takingUpRoutes } from './taking-up.ts';
import { taskHandingRoutes } from './task-handing.ts';
import { taskMoveRoutes } from './task-moves.ts';
import { userRoutes } from './users.ts';
import { verifyRoutes } from './verify.ts';
import { webhookRoutes } from './webhooks.ts';

export const routes: readonly Route[] = [
  ...statusRoutes,
  // Before the gateways': theirs takes any name.
  ...carrierWebhookRoutes,
  ...webhookRoutes,
  ...authRoutes,
  ...secondFactorRoutes,
  ...accountRoutes,
  ...sessionRoutes,
  ...userRoutes,
  ...adminUserRoutes,
  ...absenceRoutes,
  ...taskMoveRoutes,
  ...companyRoutes,
  ...companyMemberRoutes,
  ...onboardingRoutes,
  ...onboardingDocumentRoutes,
  ...apiKeyRoutes,
  ...oauthRoutes,
  ...providerSignInRoutes,
  ...licenseTypeRoutes,
  ...reasonRoutes,
  ...applicationRoutes,
  ...submissionRoutes,
  ...takingUpRoutes,
  ...cancellationRoutes,
  ...caseHistoryRoutes,
  ...submissionDiffRoutes,
  ...documentRoutes,
  ...inboxRoutes,
  ...reviewRoutes,
  ...taskHandingRoutes,
  ...evidenceRoutes,
  ...renewalRoutes,
  ...licenseRoutes,
  ...postAuditRoutes,
  ...invoiceRoutes,
  ...invoicePaperRoutes,
  ...payRoutes,
  ...paymentMethodRoutes,
  ...paymentRoutes,
  ...refundRoutes,
  ...orderRoutes,
  ...shipmentRoutes,
  ...reconciliationRoutes,
  ...settlementRoutes,
  ...ledgerRoutes,
  ...cardRoutes,
  ...planRoutes,
  ...entitlementRoutes,
  ...subscriptionRoutes,
  ...revenueRoutes,
  ...advertisingRoutes,
  ...cartRoutes,
  ...productRoutes,
  ...stockAlertRoutes,
  ...stockRoutes,
  ...returnRoutes,
  ...returnPhotoRoutes,
  ...returnReportRoutes,
  ...shopPolicyRoutes,
  ...adminHealthRoutes,
  ...riskTableRoutes,
  ...policyRoutes,
  ...calendarRoutes,
  ...complianceRoutes,
  ...personalDataRoutes,
  ...auditRoutes,
  ...verifyRoutes,
  ...payPageRoutes,
  ...accountPageRoutes,
  ...orderPageRoutes,
  ...returnPageRoutes,
  ...problemRoutes,
  ...cspReportRoutes,
];
