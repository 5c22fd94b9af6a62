/** What a licence costs: the lines of its invoice, from the policy that the case has pinned. */
import type { InvoiceLineInput } from './invoicing.ts';
import type { LicensePolicy } from './licensing.ts';
import { type Money, money } from './money.ts';

export const FEE_CODES = ['statutory_fee', 'service_fee', 'late_fee'] as const;
export type FeeCode = (typeof FEE_CODES)[number];

const FEES: Record<FeeCode, Pick<InvoiceLineInput, 'description' | 'kind'>> = {
  statutory_fee: { description: { id: 'Retribusi perizinan', en: 'Statutory licence fee' }, kind: 'statutory' },
  service_fee: { description: { id: 'Jasa layanan elektronik', en: 'Electronic service fee' }, kind: 'service' },
  // A fine pays for no service, so it carries no tax.
  late_fee: { description: { id: 'Denda keterlambatan perpanjangan', en: 'Late renewal fee' }, kind: 'statutory' },
};

/** A line of an invoice that takes another's place; the price in minor units, in digits, as it passes through JSON. */
export interface ReplacementLine {
  readonly code: FeeCode;
  readonly amountMinor: string;
}

export const feeLine = (code: FeeCode, net: Money): InvoiceLineInput => ({ code, ...FEES[code], net });

/** Lines of nothing are left out; a licence without a fee has none. */
export function feeLines(fee: LicensePolicy['fee']): InvoiceLineInput[] {
  const lines = [
    feeLine('statutory_fee', money(BigInt(fee.statutoryMinor), fee.currency)),
    feeLine('service_fee', money(BigInt(fee.serviceMinor), fee.currency)),
    feeLine('late_fee', money(BigInt(fee.lateMinor ?? '0'), fee.currency)),
  ];
  return lines.filter((line) => line.net.amountMinor > 0n);
}
