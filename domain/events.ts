/**
 * Everything that can be told of a case. Timeline, audit, live stream, webhooks and reports read these rows;
 * there is no second way to say that something happened.
 */
export const EVENT_TYPES = [
  'application.created',
  'application.submitted',
  'application.completeness_checked',
  'application.correction_requested',
  'application.resubmitted',
  'application.withdrawn',
  'application.rejected',
  'application.approved',
  'application.lapsed_no_response',
  'application.lapsed_unpaid',
  'document.added',
  'document.removed',
  'document.viewed',
  'task.assigned',
  'task.reassigned',
  'task.reminded',
  'task.at_risk',
  'task.breached',
  'decision.recorded',
  'decision.refused',
  'invoice.issued',
  'invoice.paid',
  'invoice.reminded',
  'invoice.lapsed',
  'invoice.voided',
  'invoice.part_paid',
  'invoice.overdue',
  'invoice.reversed',
  'invoice.credited',
  'receipt.issued',
  'store_credit.applied',
  'payment.attempted',
  'payment.pending',
  'payment.paid',
  'payment.failed',
  'payment.expired',
  'payment.reversed',
  'payment.case_opened',
  'payment_case.assigned',
  'payment_case.resolved',
  'refund.requested',
  'refund.approved',
  'refund.rejected',
  'refund.cancelled',
  'refund.destination_asked',
  'refund.destination_given',
  'refund.reserved',
  'refund.submitted',
  'refund.pending',
  'refund.unknown',
  'refund.transfer_due',
  'refund.succeeded',
  'refund.failed',
  'settlement.imported',
  'reconciliation.finished',
  'license.issued',
  'license.certificate_stored',
  'license.suspended',
  'license.reinstated',
  'company.created',
  'company.member_invited',
  'company.invitation_revoked',
  'company.member_joined',
  'company.member_removed',
  'user.registered',
  'user.invited',
  'user.joined',
  'user.changed',
  'user.roles_changed',
  'user.disabled',
  'user.enabled',
  'user.email_verified',
  'user.password_changed',
  'user.password_reset',
  'login.succeeded',
  'login.failed',
  'login.locked',
  'login.unlocked',
  'session.ended',
  'session.reuse_detected',
  'second_factor.added',
  'second_factor.removed',
  'second_factor.failed',
  'backup_codes.created',
  'backup_code.used',
  'step_up.succeeded',
  'device.trusted',
  'device.revoked',
  'api_key.created',
  'api_key.rotated',
  'api_key.revoked',
  'provider.linked',
  'personal_data.read',
  'personal_data.rotation_started',
  'personal_data.rotated',
  'audit.exported',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** What the owner of a case does not see: who works on it inside the office, and what was tried in vain. */
const STAFF_ONLY: readonly EventType[] = [
  'task.assigned',
  'task.reassigned',
  'task.reminded',
  'task.at_risk',
  'task.breached',
  'decision.refused',
  'document.viewed',
  'payment.case_opened',
  'payment_case.assigned',
  'payment_case.resolved',
  'settlement.imported',
  'reconciliation.finished',
  'personal_data.read',
  'personal_data.rotation_started',
  'personal_data.rotated',
  'audit.exported',
];

export const isPublic = (type: EventType): boolean => !STAFF_ONLY.includes(type);

/** What an event is about, when that is neither the case nor the company it names. */
export type Subject =
  `${'user' | 'session' | 'api_key' | 'company' | 'invitation' | 'device' | 'invoice' | 'refund' | 'payment_case' | 'settlement' | 'reconciliation'}/${string}`;

/** An origin on its way through a process, whose history is not for addresses. */
export interface SealedOrigin {
  readonly requestId: string | null;
  /** base64; see PersonalData.seal. */
  readonly sealedAddress: string | null;
}

/** Where a request came from: kept with what it did, for the audit. */
export interface Origin {
  /** IP address; null when nobody's connection was at the beginning, as with a Temporal tool. */
  readonly address: string | null;
  readonly requestId: string | null;
}
