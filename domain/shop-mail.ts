/** What the shop writes to people: which letters there are, and what each tells. See domain/mail.ts. */
import type { MailMoney } from './mail.ts';
import type { OrderState, RiskReason } from './orders.ts';
import type { Resolution, ReturnState } from './returns.ts';

const ORDER_CODES = {
  /** Paid. */
  order_confirmed: true,
  order_on_hold: true,
  order_backordered: true,
  order_shipped: true,
  order_delivered: true,
  /** All of it, or a part. */
  order_cancelled: true,
  order_edited: true,
  order_unpaid_reminder: true,
  /** To sellers. */
  order_hold_reminder: true,
  order_lost: true,
  /** It could not be delivered and is on its way back to us. */
  order_sent_back: true,
  /** To sellers: a parcel was lost or comes back, and somebody decides what becomes of its units. */
  order_parcel_failed: true,
  /** To sellers: a parcel has arrived whose goods were cancelled and paid back. */
  order_arrived_late: true,
  /** Advertising: not to who does not want any. */
  order_review_request: true,
  /** A new link to the page, asked for on the page of the old one. */
  order_link: true,
} as const;
export type OrderLetter = keyof typeof ORDER_CODES;

const RETURN_CODES = {
  return_requested: true,
  return_approved: true,
  /** Refunded, and the goods stay with the customer. */
  return_approved_keep: true,
  return_refused: true,
  return_info_requested: true,
  /** Before the information or the parcel is overdue. */
  return_reminder: true,
  return_expired: true,
  return_received: true,
  /** The statement. */
  return_inspected: true,
  return_disputed: true,
  return_dispute_decided: true,
  return_resolution_reminder: true,
  return_resolution_defaulted: true,
  return_refund_sent: true,
  return_refund_done: true,
  return_store_credit: true,
  return_replacement_sent: true,
  return_lost: true,
  return_cancelled: true,
  return_reopened: true,
  /** A photo of the customer's is not shown to anybody: the virus scanner did not pass it. */
  return_photo_infected: true,
  return_link: true,
  /** To sellers, or to supervisors: what waits for them, as codes. */
  return_to_staff: true,
} as const;
export type ReturnLetter = keyof typeof RETURN_CODES;

const CREDIT_CODES = { credit_expiring: true, credit_expired: true } as const;
export type CreditLetter = keyof typeof CREDIT_CODES;

export type ShopLetter = OrderLetter | ReturnLetter | CreditLetter;
export const SHOP_LETTER_CODES: Readonly<Record<ShopLetter, true>> = {
  ...ORDER_CODES,
  ...RETURN_CODES,
  ...CREDIT_CODES,
};

export const isOrderLetter = (code: string): code is OrderLetter => Object.hasOwn(ORDER_CODES, code);
export const ORDER_LETTERS: readonly OrderLetter[] = Object.keys(ORDER_CODES).filter(isOrderLetter);
export const isReturnLetter = (code: string): code is ReturnLetter => Object.hasOwn(RETURN_CODES, code);
export const RETURN_LETTERS: readonly ReturnLetter[] = Object.keys(RETURN_CODES).filter(isReturnLetter);

/** Why staff is written to about a return. */
export const STAFF_REASONS = [
  'review_due',
  'review_overdue',
  'info_due',
  'info_provided',
  'shipment_due',
  'label_failed',
  'lost_in_transit',
  'lost_for_good',
  'receipt_overdue',
  'inspection_overdue',
  'rest_due',
  'rest_missing',
  'resolution_due',
  'defaulted',
  'disputed',
  'out_of_stock',
  'refund_failed',
  'refund_overdue',
  'replacement_overdue',
  'expired',
  'reopened',
  'photo_infected',
  'undo_failed',
  'carrier_unclear',
  'serial_differs',
  'arrived_after_refund',
  'manual_review',
] as const;
export type StaffReason = (typeof STAFF_REASONS)[number];

type Instant = string;

/** In both languages, as on record. */
interface Named {
  readonly id: string;
  readonly en: string;
}

export interface LetterItem {
  readonly name: Named;
  readonly quantity: number;
}

/** What a letter about an order is told when it is written: `account_letters.data`. No personal data. */
export interface OrderNewsData {
  readonly orderId: string;
  readonly orderNumber: string;
  readonly companyName: string;
  readonly state: OrderState;
  readonly at: Instant;
  readonly total: MailMoney;
  /** Those that it is about, at least one. */
  readonly items: readonly LetterItem[];
  /** Can be paid; null = nothing is to be paid. */
  readonly invoiceId: string | null;
  /** When something happens unless something else does, such as the end of an unpaid order. */
  readonly until: Instant | null;
  /** Charged in addition (`isCharged`), or given back. */
  readonly amount: MailMoney | null;
  readonly isCharged: boolean;
  /** Of a parcel or a cancellation: whether there is more to the order. */
  readonly isPart: boolean;
  readonly reason: CancelReason | null;
  readonly risks: readonly RiskReason[];
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  /** In the seller's words. */
  readonly note: string | null;
}

export const CANCEL_REASONS = ['asked', 'unpaid', 'refused', 'out_of_stock', 'lost'] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** The same as it is shown, in the recipient's language. */
export type OrderNews = Omit<OrderNewsData, 'orderId' | 'state' | 'items' | 'invoiceId' | 'reason' | 'risks'> & {
  readonly items: readonly { readonly text: string }[];
  readonly reason: string | null;
  readonly risks: string;
  readonly pageUrl: string;
  /** To the page of the order when there is no invoice to be paid. */
  readonly payUrl: string;
  /** Where no more advertising is asked for: for letters that nobody needs. */
  readonly stopUrl: string;
};

/** What a letter about a return is told when it is written. No personal data. */
export interface ReturnNewsData {
  readonly returnId: string;
  readonly returnNumber: string;
  readonly orderId: string;
  readonly orderNumber: string;
  readonly companyName: string;
  readonly state: ReturnState;
  readonly at: Instant;
  /** Those that it is about, at least one. */
  readonly items: readonly LetterItem[];
  /** Chosen, or else wanted. */
  readonly resolution: Resolution;
  /** Happens when nobody chooses. */
  readonly defaultResolution: Resolution;
  /** The next deadline; null = none runs. */
  readonly until: Instant | null;
  /** What the customer gets, as far as it is known. */
  readonly amount: MailMoney | null;
  readonly deductions: readonly { readonly name: Named; readonly amount: MailMoney }[];
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly hasLabel: boolean;
  /** Of the order that replaces what came back. */
  readonly replacementNumber: string | null;
  /** Why staff is written to. */
  readonly reasons: readonly StaffReason[];
  readonly note: string | null;
}

export type ReturnNews = Omit<
  ReturnNewsData,
  'orderId' | 'items' | 'resolution' | 'defaultResolution' | 'state' | 'deductions' | 'reasons'
> & {
  readonly items: readonly { readonly text: string }[];
  readonly resolution: string;
  readonly defaultResolution: string;
  /** A sentence each. */
  readonly deductions: readonly { readonly text: string }[];
  readonly reasons: readonly { readonly text: string }[];
  /** Waits for answers of the customer, rather than for a parcel. */
  readonly isForInfo: boolean;
  /** The carrier has the parcel; the customer has done what was asked. */
  readonly isOnItsWay: boolean;
  /** Some of it is here, and was looked at; the rest never came. */
  readonly isRestMissing: boolean;
  readonly pageUrl: string;
};

/** That credit ends, or has ended. */
export interface CreditNews {
  readonly companyName: string;
  readonly amount: MailMoney;
  readonly expiresAt: Instant;
}

interface Person {
  readonly recipientName: string;
}

export type ShopMailVariables = Readonly<
  Record<OrderLetter, Person & OrderNews> &
    Record<ReturnLetter, Person & ReturnNews> &
    Record<CreditLetter, Person & CreditNews>
>;

export type ShopLetterData = Readonly<
  Record<OrderLetter, OrderNewsData> & Record<ReturnLetter, ReturnNewsData> & Record<CreditLetter, CreditNews>
>;
