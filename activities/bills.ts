import type { NewInvoice } from '../db/invoices.ts';
import { feeLines } from '../domain/fees.ts';
import type { ApplicationId } from '../domain/ids.ts';
import type { LicensePolicy } from '../domain/licensing.ts';

/** What an approval makes payable, and until when (ISO 8601). */
export interface Bill {
  readonly fee: LicensePolicy['fee'];
  readonly dueAt: string;
}

/** The invoice of an approval, however it came about: by a decision, automatically, or by law. */
export const billed = (
  { applicationId, at }: { applicationId: ApplicationId; at: string },
  { fee, dueAt }: Bill,
): NewInvoice => ({ applicationId, at, dueAt, lines: feeLines(fee) });
