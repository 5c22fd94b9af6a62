import type {
  AbsenceId,
  ApplicationId,
  CompanyId,
  DocumentId,
  InvoiceId,
  LicenseId,
  OfficeId,
  OrderId,
  PaymentMethodId,
  RefundId,
  ReturnId,
  ShipmentId,
  Sku,
  SubscriptionId,
  TaskMoveId,
} from '../domain/ids.ts';

/** A workflow's ID is its business ID: whoever knows the case finds the execution, and starting it twice is impossible. */
export const licenseReviewId = (id: ApplicationId) => `license-review/${id}`;
export const activationId = (id: ApplicationId) => `activation/${id}`;
export const paymentId = (id: InvoiceId) => `payment/${id}`;
export const refundId = (id: RefundId) => `refund/${id}`;
export const documentScanId = (id: DocumentId) => `document-scan/${id}`;
export const onboardingId = (id: CompanyId) => `onboarding/${id}`;
/** The page on which it is given; and its end. */
export const cardId = (id: PaymentMethodId) => `card/${id}`;
export const forgetCardId = (id: PaymentMethodId) => `card/${id}/forget`;
export const subscriptionId = (id: SubscriptionId) => `subscription/${id}`;
export const orderId = (id: OrderId) => `order/${id}`;
export const rmaId = (id: ReturnId) => `rma/${id}`;
/** The papers of one parcel. */
export const parcelId = (id: ShipmentId) => `parcel/${id}`;
export const lowStockId = (sku: Sku) => `low-stock/${sku}`;
/** Of one company: the reminder of what was left in it. */
export const cartId = (id: CompanyId) => `cart/${id}`;
/** Follows one licence to its end. */
export const licenseFollowingId = (id: LicenseId) => `${LICENSE_FOLLOWING}${id}`;
export const LICENSE_FOLLOWING = 'licence/';
export const absenceProcessId = (id: AbsenceId) => `absence/${id}`;
export const taskMoveProcessId = (id: TaskMoveId) => `task-move/${id}`;
/** One office's open cases are planned anew for one version of its calendar at a time. */
export const calendarChangeId = (id: OfficeId, version: number) => `calendar-change/${id}/${version}`;
/** Of all open cases of a licence type. */
export const policyMoveId = (moveId: string) => `policy-move/${moveId}`;
export const accountLetterId = (letterId: string) => `account-letter/${letterId}`;
export const textMessageId = (sentCodeId: string) => `text-message/${sentCodeId}`;
/** A run for each key: two at once for the same one would only get into each other's way. */
export const personalDataRotationId = (keyId: string) => `personal-data-rotation/${keyId}`;

/** Everything that Alur does by the clock; worker/schedules.ts says what and when. */
export const SCHEDULE_IDS = [
  'audit-seal',
  'account-letters',
  'reconciliation',
  'document-scans',
  'document-retention',
  'onboarding-erasure',
  'calendar-check',
  'license-expiry',
  'license-safety-net',
  'money-watch',
  'overdue-invoices',
  'subscription-watch',
  'people-watch',
  'rma-watch',
  'order-watch',
  'stock-watch',
  'carrier-watch',
  'credit-expiry',
] as const;
