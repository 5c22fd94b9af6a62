/**
 * The one vocabulary of refusals. A workflow throws them as ApplicationFailure(type = code), a repository or route as
 * `Failure`; the API maps each code to an HTTP status and a sentence in one table (api/errors.ts).
 */
export const FAILURE_CODES = [
  // who and what
  'unauthenticated',
  'invalid_credentials',
  'invalid_code',
  'challenge_ended',
  'second_factor_locked',
  'account_locked',
  'link_not_valid',
  'wrong_password',
  'forbidden',
  'email_not_verified',
  'step_up_required',
  'second_factor_setup_required',
  'second_factor_missing',
  'second_factor_exists',
  'second_factor_needed',
  'code_not_sent',
  'address_not_allowed',
  'https_required',
  'not_found',
  'email_taken',
  'company_taken',
  'number_taken',
  'own_account',
  'last_admin',
  'last_member',
  'already_member',
  'not_invited',
  'key_not_active',
  'key_rotated_before',
  'provider_sign_in_refused',
  'rotation_running',
  'key_missing',
  // the request
  'malformed_request',
  'invalid_request',
  'unsupported_media_type',
  'file_too_large',
  'too_many_files',
  'weak_password',
  'precondition_failed',
  'idempotency_key_reused',
  'request_in_progress',
  'rate_limited',
  // the application
  'incomplete_application',
  'not_a_draft',
  'already_submitted',
  'not_in_review',
  'not_assigned',
  'own_application',
  'already_acted',
  'already_decided',
  'submission_changed',
  'stage_changed',
  'reasons_required',
  'correction_rounds_exhausted',
  'not_awaiting_correction',
  'already_closed',
  'reviewer_not_eligible',
  'conflict_declared',
  'not_your_task',
  'reason_unknown',
  'intent_required',
  'not_awaiting_response',
  'field_not_open',
  'not_reopenable',
  'document_not_clean',
  'license_not_active',
  'license_not_suspended',
  'license_ended',
  // what lives for years
  'onboarding_not_open',
  'step_not_open',
  'step_not_possible',
  'company_not_active',
  'company_onboarded',
  'address_not_verified',
  'already_subscribed',
  'subscription_not_open',
  'plan_not_offered',
  'plan_limit_reached',
  'renewal_not_open',
  'renewal_not_possible',
  'renewal_under_way',
  'card_declined',
  'no_card_on_file',
  // goods
  'product_unknown',
  'out_of_stock',
  'order_not_open',
  'order_held',
  'order_not_shippable',
  'order_too_large',
  'items_not_known',
  'serial_not_valid',
  'shipment_not_known',
  'tracking_taken',
  'stock_not_enough',
  'alert_not_open',
  'not_returnable',
  'unit_claimed',
  'return_not_open',
  'statement_changed',
  'exchange_not_possible',
  'not_your_return',
  'carrier_unavailable',
  'invoice_of_order',
  // the office's rules
  'absence_not_valid',
  'audit_not_open',
  'rules_not_valid',
  'calendar_not_valid',
  'calendar_changed',
  // money
  'invoice_not_open',
  'invoice_of_subscription',
  'gateway_not_available',
  'gateway_refused',
  'gateway_unavailable',
  'payment_unclear',
  'bad_signature',
  'method_not_available',
  'amount_not_payable',
  'invoice_part_paid',
  'payment_not_refundable',
  'refund_exceeds_payment',
  'refund_not_open',
  'refund_channel_not_possible',
  'own_refund',
  'refund_needs_destination',
  'bank_account_not_valid',
  'name_differs',
  'no_store_credit',
  'case_not_open',
  'resolution_not_possible',
  'settlement_not_valid',
  'settlement_known',
  // the house
  'temporarily_unavailable',
  'internal_error',
] as const;

export type FailureCode = (typeof FAILURE_CODES)[number];

export const isFailureCode = (value: string | null | undefined): value is FailureCode =>
  FAILURE_CODES.some((code) => code === value);

/** One wrong place in a request body. `pointer` is a JSON Pointer (RFC 6901). */
export interface FieldProblem {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** Facts that a refusal names, IDs only: the API looks up names for those who may see them. */
export interface FailureFacts {
  readonly decidedBy?: string;
  readonly decidedAt?: string;
  readonly decision?: string;
  readonly stage?: string;
  readonly state?: string;
  /** The case that stands in the way. */
  readonly applicationId?: string;
  /** ISO 8601: from when on it can be asked. */
  readonly opensAt?: string;
  /** Of what is refused for one of several reasons: which, as a code. */
  readonly reason?: string;
  /** ISO 8601: it could have been asked until then. */
  readonly until?: string;
  readonly retryAfterSeconds?: number;
  readonly errors?: readonly FieldProblem[];
}

/** A refusal on its way to the caller: expected, explained, never logged as an error. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly facts: FailureFacts;
  constructor(code: FailureCode, message: string, facts: FailureFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }
}
