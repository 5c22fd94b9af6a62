/** IDs at the border: checked for form, then marked with their noun. */
import { z } from 'zod';
import {
  type AbsenceId,
  type ApplicationId,
  asId,
  type CompanyId,
  type CreditNoteId,
  type DocumentId,
  type InvoiceId,
  type LicenseId,
  type OrderId,
  type OrderItemId,
  type PaymentCaseId,
  type PaymentId,
  type PaymentMethodId,
  type PostAuditId,
  type ReceiptId,
  type RefundId,
  type SettlementId,
  type ShipmentId,
  type SubscriptionId,
  type TaskMoveId,
  type UserId,
} from '../../domain/ids.ts';

const uuid = z.guid();

export const absenceIdSchema = uuid.transform((id) => asId<AbsenceId>(id));
export const applicationIdSchema = uuid.transform((id) => asId<ApplicationId>(id));
export const cardIdSchema = uuid.transform((id) => asId<PaymentMethodId>(id));
export const companyIdSchema = uuid.transform((id) => asId<CompanyId>(id));
export const creditNoteIdSchema = uuid.transform((id) => asId<CreditNoteId>(id));
export const documentIdSchema = uuid.transform((id) => asId<DocumentId>(id));
export const invoiceIdSchema = uuid.transform((id) => asId<InvoiceId>(id));
export const licenseIdSchema = uuid.transform((id) => asId<LicenseId>(id));
export const paymentCaseIdSchema = uuid.transform((id) => asId<PaymentCaseId>(id));
export const paymentIdSchema = uuid.transform((id) => asId<PaymentId>(id));
export const postAuditIdSchema = uuid.transform((id) => asId<PostAuditId>(id));
export const receiptIdSchema = uuid.transform((id) => asId<ReceiptId>(id));
export const refundIdSchema = uuid.transform((id) => asId<RefundId>(id));
export const settlementIdSchema = uuid.transform((id) => asId<SettlementId>(id));
export const shipmentIdSchema = uuid.transform((id) => asId<ShipmentId>(id));
export const subscriptionIdSchema = uuid.transform((id) => asId<SubscriptionId>(id));
export const orderItemIdSchema = uuid.transform((id) => asId<OrderItemId>(id));
export const orderIdSchema = uuid.transform((id) => asId<OrderId>(id));
export const taskMoveIdSchema = uuid.transform((id) => asId<TaskMoveId>(id));
export const userIdSchema = uuid.transform((id) => asId<UserId>(id));

/** Position of a list that is ordered by time and ID; see readCursor. */
export const positionInTime = z.object({ at: z.iso.datetime().transform((text) => new Date(text)), id: uuid });
