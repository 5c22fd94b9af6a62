/**
 * What Alur writes to people, and what each letter needs to know. Whoever sends a letter names its code and hands over
 * exactly these variables; the words are data (`mail_templates`), so an office changes them without a release.
 */
import type { Stage } from './licensing.ts';
import type { Currency } from './money.ts';

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

export interface MailVariables {
  /** To a person who has just registered. */
  welcome: { readonly recipientName: string; readonly email: string };
  application_submitted: Case & { readonly submittedAt: Instant; readonly dueAt: Instant };
  /** To the reviewer; so are the reminder at 50 % and, with the supervisor, the warning at 80 %. */
  task_assigned: Task;
  task_reminder: Task;
  task_at_risk: Task & { readonly assigneeName: string };
  /** To the supervisor, who has the task from now on. */
  task_breached: Task & { readonly formerAssigneeName: string };
  correction_requested: Case & Reasons & { readonly round: number; readonly respondBy: Instant };
  application_rejected: Case & Reasons & { readonly decidedAt: Instant };
  application_withdrawn: Case & { readonly withdrawnAt: Instant };
  /** The invoice is attached. */
  invoice_issued: OpenBill;
  payment_reminder: OpenBill;
  application_lapsed_unpaid: Bill & { readonly lapsedAt: Instant };
  /** To finance: money arrived for an invoice that had lapsed. */
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
}

export type MailTemplateCode = keyof MailVariables;

const CODES: Record<MailTemplateCode, true> = {
  welcome: true,
  application_submitted: true,
  task_assigned: true,
  task_reminder: true,
  task_at_risk: true,
  task_breached: true,
  correction_requested: true,
  application_rejected: true,
  application_withdrawn: true,
  invoice_issued: true,
  payment_reminder: true,
  application_lapsed_unpaid: true,
  payment_late: true,
  license_issued: true,
};

export const isMailTemplateCode = (value: string): value is MailTemplateCode => Object.hasOwn(CODES, value);

export const MAIL_TEMPLATE_CODES: readonly MailTemplateCode[] = Object.keys(CODES).filter(isMailTemplateCode);
