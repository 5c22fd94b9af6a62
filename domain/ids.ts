/** IDs are UUIDs; the brand keeps one noun's ID from being passed where another's is meant. */
declare const brand: unique symbol;
type Id<Noun extends string> = string & { readonly [brand]: Noun };

export type UserId = Id<'user'>;
export type CompanyId = Id<'company'>;
export type OfficeId = Id<'office'>;
export type ApplicationId = Id<'application'>;
export type DocumentId = Id<'document'>;
export type SubmissionId = Id<'submission'>;
export type TaskId = Id<'task'>;
export type InvoiceId = Id<'invoice'>;
export type PaymentId = Id<'payment'>;
export type RefundId = Id<'refund'>;
export type CreditNoteId = Id<'credit_note'>;
export type ReceiptId = Id<'receipt'>;
export type PaymentCaseId = Id<'payment_case'>;
export type SettlementId = Id<'settlement'>;
export type ReconciliationId = Id<'reconciliation'>;
export type LicenseId = Id<'license'>;
export type PolicyId = Id<'policy'>;
export type RiskTableId = Id<'risk_table'>;
export type RuleId = Id<'compliance_rule'>;
export type AbsenceId = Id<'absence'>;
/** Of open tasks, from one person to others. */
export type TaskMoveId = Id<'task_move'>;
export type PostAuditId = Id<'post_audit'>;
export type SubscriptionId = Id<'subscription'>;
export type OrderId = Id<'order'>;
export type OrderItemId = Id<'order_item'>;
/** A parcel, to the customer or back. */
export type ShipmentId = Id<'shipment'>;
/** A return of goods. */
export type ReturnId = Id<'return'>;
/** What somebody said to an order or a return. */
export type ShopMessageId = Id<'shop_message'>;
export type StockAlertId = Id<'stock_alert'>;
/** Of a product, as its label says; upper case. */
export type Sku = Id<'sku'>;
/** A card on file. */
export type PaymentMethodId = Id<'payment_method'>;
export type CalendarVersionId = Id<'calendar_version'>;
/** Of a person to a company. */
export type InvitationId = Id<'invitation'>;
/** SHA-256 of a file's content, 64 hex digits: the name under which it is stored. */
export type Sha256 = Id<'sha256'>;

/** Marks a string that comes from a validated border (a route's schema, a database row) as an ID. */
export const asId = <T extends Id<string>>(value: string): T => value as T;
