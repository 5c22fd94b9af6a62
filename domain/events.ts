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
  'payment.attempted',
  'payment.pending',
  'payment.paid',
  'payment.failed',
  'payment.expired',
  'payment.reversed',
  'payment.case_opened',
  'license.issued',
  'license.certificate_stored',
  'company.created',
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
];

export const isPublic = (type: EventType): boolean => !STAFF_ONLY.includes(type);
