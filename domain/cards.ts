/**
 * Cards on file: what a bank's refusal means for the next try.
 * Codes are Stripe's, https://docs.stripe.com/declines/codes; which of them another try may change, from the "next steps"
 * given there and from the networks' rule that a lost, stolen or closed card must not be tried again
 * (https://docs.stripe.com/declines/card).
 */

/** - `may_change`: another try later. - `never`: only another card helps. - `needs_payer`: the payer has to be there: a link. */
export type DeclineOutlook = 'may_change' | 'never' | 'needs_payer';

const OUTLOOK: Readonly<Record<string, DeclineOutlook>> = {
  // Money, limits and the bank's own trouble pass.
  insufficient_funds: 'may_change',
  card_velocity_exceeded: 'may_change',
  withdrawal_count_limit_exceeded: 'may_change',
  processing_error: 'may_change',
  reenter_transaction: 'may_change',
  issuer_not_available: 'may_change',
  try_again_later: 'may_change',
  approve_with_id: 'may_change',
  // The bank does not say why.
  card_declined: 'may_change',
  generic_decline: 'may_change',
  do_not_honor: 'may_change',
  no_action_taken: 'may_change',
  call_issuer: 'may_change',
  not_permitted: 'may_change',
  service_not_allowed: 'may_change',
  authentication_required: 'needs_payer',
  authentication_not_handled: 'needs_payer',
  mobile_device_authentication_required: 'needs_payer',
  offline_pin_required: 'needs_payer',
  online_or_offline_pin_required: 'needs_payer',
  expired_card: 'never',
  stolen_card: 'never',
  lost_card: 'never',
  pickup_card: 'never',
  restricted_card: 'never',
  fraudulent: 'never',
  merchant_blacklist: 'never',
  security_violation: 'never',
  invalid_account: 'never',
  new_account_information_available: 'never',
  do_not_try_again: 'never',
  revocation_of_authorization: 'never',
  revocation_of_all_authorizations: 'never',
  stop_payment_order: 'never',
  transaction_not_allowed: 'never',
  card_not_supported: 'never',
  currency_not_supported: 'never',
  incorrect_number: 'never',
  incorrect_cvc: 'never',
  invalid_cvc: 'never',
  invalid_expiry_month: 'never',
  invalid_expiry_year: 'never',
};

/** One that is not listed is a refusal for good: a bank that is asked again and again for nothing blocks the merchant. */
export const outlookOf = (code: string): DeclineOutlook =>
  Object.hasOwn(OUTLOOK, code) ? (OUTLOOK[code] ?? 'never') : 'never';

/** Why a charge brought nothing. */
export interface Declined {
  /** Of the bank, or `no_card_on_file`, `gateway_refused`, `gateway_unavailable`, `payment_under_way`. */
  readonly code: string;
  readonly mayChange: boolean;
}

export const declinedBy = (code: string): Declined => ({ code, mayChange: outlookOf(code) === 'may_change' });

/** As Alur speaks of a card; the number never comes here. */
export interface CardFace {
  /** `visa`, `mastercard`, …: the gateway's word. */
  readonly brand: string;
  readonly last4: string;
  /** 1 to 12. */
  readonly expiresMonth: number;
  readonly expiresYear: number;
}

export const CARD_SETUP_STATES = ['created', 'open', 'completed', 'expired', 'failed'] as const;
export type CardSetupState = (typeof CARD_SETUP_STATES)[number];
