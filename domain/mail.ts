/**
 * What Alur writes to people, and what each letter needs to know. Whoever sends a letter names its code and hands over
 * exactly these variables; the words are data (`mail_templates`), so an office changes them without a release.
 */
import type { PaymentId, UserId } from './ids.ts';
import type { Stage } from './licensing.ts';
import type { Currency } from './money.ts';
import type { DailyFigures } from './reconciliation.ts';
import type { RefundChannel } from './refunds.ts';
import type { Role } from './roles.ts';
import { SHOP_LETTER_CODES, type ShopLetterData, type ShopMailVariables } from './shop-mail.ts';

export const LOCALES = ['id', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** Money as it passes through JSON (payloads, `jsonb`), where a bigint cannot. */
export interface MailMoney {
  readonly amountMinor: string | number;
  readonly currency: Currency;
}

/** An instant in ISO 8601 with offset; the letter shows it in the office's time zone, with the zone's name. */
type Instant = string;

/** An absolute http(s) URL. */
type Link = string;

interface Case {
  readonly recipientName: string;
  readonly companyName: string;
  /** In the recipient's language. */
  readonly licenseName: string;
  readonly applicationId: string;
}

interface Task extends Case {
  readonly stage: Stage;
  readonly dueAt: Instant;
}

interface Bill extends Case {
  readonly invoiceNumber: string;
  readonly total: MailMoney;
}

interface OpenBill extends Bill {
  readonly dueAt: Instant;
  readonly payUrl: Link;
}

interface Reasons {
  /** At least one; in the recipient's language or as the reviewer wrote them. */
  readonly reasons: readonly { readonly text: string }[];
}

/** What happened to somebody's second factor. */
export const SECOND_FACTOR_CHANGES = [
  'added',
  'removed',
  'backup_code_used',
  'backup_codes_renewed',
  'wrong_codes',
] as const;
export type SecondFactorChange = (typeof SECOND_FACTOR_CHANGES)[number];

interface Person {
  readonly recipientName: string;
}

/** What a letter about a refund tells; the same for all of them, so that each may say as much as it needs. */
export interface RefundNews {
  readonly refundId: string;
  readonly invoiceNumber: string;
  readonly amount: MailMoney;
  /** By which way it goes or went; null while that is open. */
  readonly way: RefundChannel | null;
  /** Whether a second person has yet to agree. */
  readonly needsApproval: boolean;
  /** What finance wrote to the payer; null = nothing. */
  readonly note: string | null;
}

/** To the payer: each step. To finance: what waits for them. */
export const REFUND_LETTERS = [
  'refund_requested',
  'refund_approved',
  'refund_destination_needed',
  'refund_succeeded',
  'refund_delayed',
  'refund_refused',
  'refund_to_approve',
  'refund_to_transfer',
  'refund_without_destination',
] as const;
export type RefundLetter = (typeof REFUND_LETTERS)[number];

/** To the owner: what became of a licence. To supervisors: that an audit proposes to suspend it. */
export const LICENSE_LETTERS = [
  'license_suspended_by_office',
  'license_reinstated_by_office',
  'license_revoked',
  'license_expired',
  'license_superseded',
  'license_suspension_proposed',
] as const;
export type LicenseLetter = (typeof LICENSE_LETTERS)[number];

/** To whoever registered a company: how its onboarding goes on. */
export const ONBOARDING_LETTERS = [
  'onboarding_reminder',
  'onboarding_asked_again',
  'onboarding_completed',
  'onboarding_expired',
] as const;
export type OnboardingLetter = (typeof ONBOARDING_LETTERS)[number];

/** What each of them tells; the same for all, so that each may say as much as it needs. */
interface OnboardingNews {
  readonly companyName: string;
  readonly companyId: string;
  /** Why a step is asked again, in the office's words; null = nothing was said. */
  readonly note: string | null;
  /** When what was entered is erased, unless it is reopened; null = that is not due. */
  readonly eraseAt: Instant | null;
  /** Licences to begin with, in the recipient's language; empty for none. */
  readonly suggested: string;
}

/** What each of them tells; the same for all, so that each may say as much as it needs. */
interface LicenseNews extends Standing {
  /** Why, in the office's words; null = nothing was said. */
  readonly note: string | null;
  /** Number of the licence that has taken its place. */
  readonly successorNumber: string | null;
  /** Because an audit after its approval failed. */
  readonly audited: boolean;
}

/** That a licence can be renewed, or has not been yet. */
interface RenewalDue extends Omit<Standing, 'at'> {
  readonly validUntil: Instant;
  /** Until then, rounded. */
  readonly days: number;
  /** An application for it is there, and has not been paid. */
  readonly isUnderWay: boolean;
  readonly lateDays: number;
  readonly lateFeePercent: number;
}

/** A licence that counts no more, or again, since an instant. */
interface Standing {
  readonly licenseNumber: string;
  /** In the recipient's language. */
  readonly licenseName: string;
  readonly companyName: string;
  readonly at: Instant;
}

/** About a subscription: to whoever looks after it for the company. */
export const SUBSCRIPTION_LETTERS = [
  'subscription_started',
  'subscription_reminder',
  'subscription_invoice',
  'subscription_payment_due',
  'subscription_grace',
  'subscription_suspended',
  'subscription_renewed',
  'subscription_cancelled',
] as const;
export type SubscriptionLetter = (typeof SUBSCRIPTION_LETTERS)[number];

/** What each of them tells; the same for all, so that each may say as much as it needs. */
interface SubscriptionNews {
  readonly companyName: string;
  /** In the recipient's language. */
  readonly planName: string;
  readonly at: Instant;
  /** Up to when it is paid, or lasts. */
  readonly until: Instant;
  /** When the next stage begins; null = nothing threatens. */
  readonly nextAt: Instant | null;
  readonly amount: MailMoney | null;
  readonly invoiceNumber: string | null;
  readonly dueAt: Instant | null;
  /** Leads to a page on which the invoice can be paid for as long as it is open. */
  readonly payUrl: Link;
  readonly isOver: boolean;
  readonly isUpgrade: boolean;
  readonly isTrial: boolean;
}

/** Until when a link or a code is good. */
interface ForAWhile {
  readonly expiresAt: Instant;
}

/** `address` is the IP address that it came from, `device` as a person would call it: "Chrome on Android". */
interface SeenAt {
  readonly at: Instant;
  readonly device: string;
  readonly address: string;
}

export interface MailVariables extends ShopMailVariables {
  /** To a person who has just registered. */
  welcome: { readonly recipientName: string; readonly email: string };
  application_submitted: Case & { readonly submittedAt: Instant; readonly dueAt: Instant };
  /** To the reviewer; so are the reminder at 50 % and, with the supervisor, the warning at 80 %. */
  task_assigned: Task;
  task_reminder: Task;
  task_at_risk: Task & { readonly assigneeName: string };
  /** To the supervisor, who has the task from now on. */
  task_breached: Task & { readonly formerAssigneeName: string };
  /** To the head of office, the supervisors and whoever holds the task: overdue for long, or on the last day of the legal time. */
  task_overdue: Task & { readonly assigneeName: string; readonly lastDay: boolean };
  /** To the supervisors: nobody in the role was free. */
  task_unassigned: Task;
  correction_requested: Case & Reasons & { readonly round: number; readonly respondBy: Instant };
  correction_reminder: Case & { readonly respondBy: Instant };
  rejection_announced: Case & Reasons & { readonly respondBy: Instant };
  application_reopened: Case & { readonly respondBy: Instant };
  application_cancelled: Case & { readonly cancelledAt: Instant };
  application_rejected: Case & Reasons & { readonly decidedAt: Instant };
  application_withdrawn: Case & { readonly withdrawnAt: Instant };
  /** The virus scanner took it off; `documentName` is what the file was called when it was uploaded. */
  document_quarantined: Case & { readonly documentKind: string; readonly documentName: string };
  /** The invoice is attached. */
  invoice_issued: OpenBill & {
    /** The number of the voided one in whose place it is. */ readonly replaces: string | null;
    /** Nobody decided in the legal time: the law has approved it. */
    readonly byLaw: boolean;
  };
  payment_reminder: OpenBill;
  application_lapsed_unpaid: Bill & { readonly lapsedAt: Instant };
  /** The office has voided the invoice and issues no other: the application has come to its end. */
  invoice_voided: Bill & { readonly voidedAt: Instant };
  /** The receipt is attached. `outstanding` is what is still owed of the invoice. */
  payment_received: Bill & {
    readonly paid: MailMoney;
    readonly outstanding: MailMoney;
    readonly receiptNumber: string;
  };
  /** The same for an invoice of a subscription. */
  subscription_payment_received: Person & {
    /** In the recipient's language. */
    readonly planName: string;
    readonly invoiceNumber: string;
    readonly receiptNumber: string;
    readonly paid: MailMoney;
    readonly total: MailMoney;
    readonly outstanding: MailMoney;
  };
  /** To finance: money arrived for an invoice that had lapsed or was voided. */
  payment_late: Case & {
    readonly invoiceNumber: string;
    readonly paid: MailMoney;
    readonly paidAt: Instant;
    readonly gateway: string;
  };
  /** The certificate is attached. `validUntil` null = valid for life. */
  license_issued: Case & {
    readonly licenseNumber: string;
    readonly validFrom: Instant;
    readonly validUntil: Instant | null;
    readonly verifyUrl: Link;
  };
  /** The same of a licence that the law granted because the office's time was used up. */
  license_issued_by_law: MailVariables['license_issued'];
  /** The same of the next term of a licence, which it names. */
  license_renewed: MailVariables['license_issued'] & { readonly renewedNumber: string };
  license_renewal_open: Person & RenewalDue;
  license_renewal_reminder: Person & RenewalDue;
  license_suspended_by_office: Person & LicenseNews;
  license_reinstated_by_office: Person & LicenseNews;
  license_revoked: Person & LicenseNews;
  license_expired: Person & LicenseNews;
  license_superseded: Person & LicenseNews;
  /** To supervisors: one of them decides. */
  license_suspension_proposed: Person & LicenseNews;
  onboarding_reminder: Person & OnboardingNews;
  onboarding_asked_again: Person & OnboardingNews;
  onboarding_completed: Person & OnboardingNews;
  onboarding_expired: Person & OnboardingNews;
  /** Because its money was taken back, or was given back: `refunded`. */
  license_suspended: Person & Standing & { readonly refunded: boolean };
  license_reinstated: Person & Standing;
  subscription_started: Person & SubscriptionNews;
  subscription_reminder: Person & SubscriptionNews;
  /** Of the next term, or of an upgrade. */
  subscription_invoice: Person & SubscriptionNews;
  subscription_payment_due: Person & SubscriptionNews;
  subscription_grace: Person & SubscriptionNews;
  subscription_suspended: Person & SubscriptionNews;
  subscription_renewed: Person & SubscriptionNews;
  /** That it will end, or has ended. */
  subscription_cancelled: Person & SubscriptionNews;
  verify_email: Person & ForAWhile & { readonly email: string; readonly verifyUrl: Link };
  password_reset: Person & ForAWhile & { readonly resetUrl: Link };
  password_changed: Person & Omit<SeenAt, 'device'>;
  /** Somebody used a refresh token that had been replaced: the session is over for both. */
  sign_in_reused: Person & SeenAt;
  account_locked: Person &
    ForAWhile & { readonly lockedUntil: Instant; readonly address: string; readonly unlockUrl: Link };
  new_device: Person & SeenAt;
  second_factor_changed: Person & { readonly at: Instant; readonly change: SecondFactorChange };
  login_code: Person & ForAWhile & { readonly code: string };
  join_staff: Person &
    ForAWhile & { readonly inviterName: string; readonly roles: readonly Role[]; readonly joinUrl: Link };
  /** To finance and supervisors: money that has not moved for a quarter of an hour. Lists of references, `–` for none. */
  money_stuck: Person & {
    readonly count: number;
    readonly paid: string;
    readonly unclear: string;
    readonly at: Instant;
  };
  /** To supervisors and admins: deadlines of that year cannot be right. */
  calendar_incomplete: Person & { readonly calendarOffice: string; readonly year: number };
  /** To whoever got tasks of somebody else, all at once. */
  tasks_moved: Person & { readonly count: number; readonly at: Instant };
  /** To whoever is away from now on, and to their supervisors, who are told who it is. */
  absence_began: Person & Absence;
  absence_of_staff: Person & Absence & { readonly absenteeName: string };
  join_company: Person &
    ForAWhile & { readonly inviterName: string; readonly companyName: string; readonly joinUrl: Link };
  refund_requested: Person & RefundNews;
  refund_approved: Person & RefundNews;
  refund_destination_needed: Person & RefundNews;
  refund_succeeded: Person & RefundNews;
  refund_delayed: Person & RefundNews;
  /** Rejected or cancelled. */
  refund_refused: Person & RefundNews;
  refund_to_approve: Person & RefundNews;
  refund_to_transfer: Person & RefundNews;
  /** To finance: the payer has not said for a month where the money should go. */
  refund_without_destination: Person & RefundNews;
  /** To finance, each night. */
  finance_daily: Person & DailyReport;
  /** To sellers: fewer than the threshold are free. Again each week until somebody answers. */
  stock_low: Person & LowStock & { readonly productName: string };
  /** To whoever filled it last. Advertising: not to who does not want any. */
  cart_reminder: Person & {
    readonly companyName: string;
    /** A line each, in the recipient's language. */
    readonly items: readonly { readonly text: string }[];
    readonly shopUrl: Link;
    readonly stopUrl: Link;
  };
}

interface LowStock {
  readonly sku: string;
  /** Over all stores. */
  readonly free: number;
  readonly threshold: number;
  readonly isRepeat: boolean;
}

/** `moved` counts all that went elsewhere, those in the supervisor's queue (`queued`) among them. */
interface Absence {
  readonly from: Instant;
  readonly to: Instant;
  readonly moved: number;
  readonly queued: number;
  readonly stayed: number;
}

/** `DailyFigures` as a letter shows them. */
interface DailyReport {
  /** The midnight that the day began with. */
  readonly dayStart: Instant;
  readonly walks: DailyFigures['walks'];
  readonly openCases: DailyFigures['openCases'];
  readonly refunds: DailyFigures['refunds'];
  readonly totals: readonly {
    readonly captured: MailMoney;
    readonly refunded: MailMoney;
    readonly settled: MailMoney;
  }[];
}

export type MailTemplateCode = keyof MailVariables;

const CODES: Record<MailTemplateCode, true> = {
  welcome: true,
  application_submitted: true,
  task_assigned: true,
  task_reminder: true,
  task_at_risk: true,
  task_breached: true,
  task_overdue: true,
  task_unassigned: true,
  correction_requested: true,
  correction_reminder: true,
  rejection_announced: true,
  application_reopened: true,
  application_cancelled: true,
  application_rejected: true,
  application_withdrawn: true,
  document_quarantined: true,
  invoice_issued: true,
  payment_reminder: true,
  application_lapsed_unpaid: true,
  invoice_voided: true,
  payment_received: true,
  subscription_payment_received: true,
  payment_late: true,
  license_issued: true,
  license_issued_by_law: true,
  license_renewed: true,
  license_renewal_open: true,
  license_renewal_reminder: true,
  license_suspended_by_office: true,
  license_reinstated_by_office: true,
  license_revoked: true,
  license_expired: true,
  license_superseded: true,
  license_suspension_proposed: true,
  onboarding_reminder: true,
  onboarding_asked_again: true,
  onboarding_completed: true,
  onboarding_expired: true,
  license_suspended: true,
  license_reinstated: true,
  subscription_started: true,
  subscription_reminder: true,
  subscription_invoice: true,
  subscription_payment_due: true,
  subscription_grace: true,
  subscription_suspended: true,
  subscription_renewed: true,
  subscription_cancelled: true,
  verify_email: true,
  password_reset: true,
  password_changed: true,
  sign_in_reused: true,
  account_locked: true,
  new_device: true,
  second_factor_changed: true,
  login_code: true,
  join_staff: true,
  join_company: true,
  calendar_incomplete: true,
  tasks_moved: true,
  absence_began: true,
  absence_of_staff: true,
  refund_requested: true,
  refund_approved: true,
  refund_destination_needed: true,
  refund_succeeded: true,
  refund_delayed: true,
  refund_refused: true,
  refund_to_approve: true,
  refund_to_transfer: true,
  refund_without_destination: true,
  money_stuck: true,
  finance_daily: true,
  stock_low: true,
  cart_reminder: true,
  ...SHOP_LETTER_CODES,
};

export const isMailTemplateCode = (value: string): value is MailTemplateCode => Object.hasOwn(CODES, value);

export const MAIL_TEMPLATE_CODES: readonly MailTemplateCode[] = Object.keys(CODES).filter(isMailTemplateCode);

/**
 * What an account letter is told when it is written; the rest (names, links, the office) is looked up when it is sent.
 * Kept in `account_letters.data`, so no secret is in it. Instants are ISO 8601, `address` is an IP address.
 */
export interface AccountLetterData extends ShopLetterData {
  verify_email: Nothing;
  welcome: Nothing;
  password_reset: Nothing;
  password_changed: Omit<SeenAt, 'device'>;
  sign_in_reused: SeenAt;
  account_locked: { readonly lockedUntil: Instant; readonly address: string };
  new_device: SeenAt;
  second_factor_changed: { readonly at: Instant; readonly change: SecondFactorChange };
  /** The letter's ID is that of the row in `sent_codes`. */
  login_code: Nothing;
  join_staff: { readonly inviterName: string; readonly roles: readonly Role[] };
  join_company: { readonly inviterName: string; readonly companyName: string; readonly invitationId: string };
  refund_requested: RefundNews;
  refund_approved: RefundNews;
  refund_destination_needed: RefundNews;
  refund_succeeded: RefundNews;
  refund_delayed: RefundNews;
  refund_refused: RefundNews;
  refund_to_approve: RefundNews;
  refund_to_transfer: RefundNews;
  refund_without_destination: RefundNews;
  /** Numbers of invoices; references of payments and IDs of refunds. The first of each: `count` counts all. */
  money_stuck: { readonly count: number; readonly paid: readonly string[]; readonly unclear: readonly string[] };
  license_suspended: StandingChanged & { readonly reason: 'payment_reversed' | 'refunded' };
  license_reinstated: StandingChanged;
  subscription_started: SubscriptionNewsData;
  subscription_reminder: SubscriptionNewsData;
  subscription_invoice: SubscriptionNewsData;
  subscription_payment_due: SubscriptionNewsData;
  subscription_grace: SubscriptionNewsData;
  subscription_suspended: SubscriptionNewsData;
  subscription_renewed: SubscriptionNewsData;
  subscription_cancelled: SubscriptionNewsData;
  license_renewal_open: RenewalDueData;
  license_renewal_reminder: RenewalDueData;
  license_suspended_by_office: LicenseNewsData;
  license_reinstated_by_office: LicenseNewsData;
  license_revoked: LicenseNewsData;
  license_expired: LicenseNewsData;
  license_superseded: LicenseNewsData;
  license_suspension_proposed: LicenseNewsData;
  onboarding_reminder: OnboardingNewsData;
  onboarding_asked_again: OnboardingNewsData;
  onboarding_completed: OnboardingNewsData;
  onboarding_expired: OnboardingNewsData;
  finance_daily: DailyFigures;
  subscription_payment_received: { readonly paymentId: PaymentId };
  /** Of which office, and the first year whose holidays are missing. */
  calendar_incomplete: { readonly officeName: string; readonly year: number };
  tasks_moved: { readonly count: number };
  absence_began: Absence;
  absence_of_staff: Absence & { readonly absentee: UserId };
  stock_low: LowStock & { readonly productName: Named };
  cart_reminder: {
    readonly companyName: string;
    readonly items: readonly { readonly name: Named; readonly quantity: number }[];
  };
}

/** In both languages, as on record. */
interface Named {
  readonly id: string;
  readonly en: string;
}

type StandingChanged = Omit<Standing, 'licenseName'> & {
  readonly licenseName: { readonly id: string; readonly en: string };
};

export type OnboardingNewsData = Omit<OnboardingNews, 'suggested'> & {
  readonly suggested: readonly { readonly id: string; readonly en: string }[];
};

export type RenewalDueData = Omit<RenewalDue, 'licenseName'> & Pick<StandingChanged, 'licenseName'>;

export type LicenseNewsData = StandingChanged & Omit<LicenseNews, keyof Standing>;

export type SubscriptionNewsData = Omit<SubscriptionNews, 'planName' | 'payUrl'> & {
  readonly planName: { readonly id: string; readonly en: string };
  /** The one that can be paid; null = there is none. */
  readonly invoiceId: string | null;
};

type Nothing = Readonly<Record<string, never>>;

/** Letters about an account, as opposed to letters about a case. */
export type AccountLetter = keyof AccountLetterData;

/** What a link in a letter is good for. */
export type LinkPurpose = 'verify_email' | 'reset_password' | 'unlock_account' | 'join_staff' | 'join_company';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** How long a link holds, counted from its letter. */
export const LINK_HOLDS_MS: Readonly<Record<LinkPurpose, number>> = {
  verify_email: DAY,
  reset_password: 30 * MINUTE,
  unlock_account: DAY,
  join_staff: 7 * DAY,
  join_company: 7 * DAY,
};

/** How long the code of a `login_code` letter holds. */
export const LOGIN_CODE_HOLDS_MS = 10 * MINUTE;

/** The links that letters carry. */
export const LINK_OF_LETTER: Readonly<Partial<Record<AccountLetter, LinkPurpose>>> = {
  verify_email: 'verify_email',
  password_reset: 'reset_password',
  account_locked: 'unlock_account',
  join_staff: 'join_staff',
  join_company: 'join_company',
};

/** Where each link leads, below the public URL; the token is in its query. */
export const LINK_PAGES = {
  verify_email: '/account/verify-email',
  reset_password: '/account/reset-password',
  unlock_account: '/account/unlock',
  join_staff: '/account/join',
  join_company: '/account/join-company',
} as const satisfies Record<LinkPurpose, string>;
