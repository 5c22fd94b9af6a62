/** What a licence costs: the lines of its invoice, from the policy that the case has pinned. */
import type { InvoiceLineInput } from './invoicing.ts';
import type { LicensePolicy } from './licensing.ts';
import { money } from './money.ts';

/** Lines of nothing are left out; a licence without a fee has none. */
export function feeLines(fee: LicensePolicy['fee']): InvoiceLineInput[] {
  const lines: InvoiceLineInput[] = [
    {
      code: 'statutory_fee',
      description: { id: 'Retribusi perizinan', en: 'Statutory licence fee' },
      kind: 'statutory',
      net: money(BigInt(fee.statutoryMinor), fee.currency),
    },
    {
      code: 'service_fee',
      description: { id: 'Jasa layanan elektronik', en: 'Electronic service fee' },
      kind: 'service',
      net: money(BigInt(fee.serviceMinor), fee.currency),
    },
  ];
  return lines.filter((line) => line.net.amountMinor > 0n);
}
