/** What a company is to the licensing office. */

export const LEGAL_FORMS = [
  'perorangan',
  'UD',
  'CV',
  'firma',
  'PT',
  'PT_perorangan',
  'koperasi',
  'yayasan',
  'perkumpulan',
] as const;
export type LegalForm = (typeof LEGAL_FORMS)[number];

export const LEGAL_FORM_NAMES: Record<LegalForm, { readonly id: string; readonly en: string }> = {
  perorangan: { id: 'Usaha perorangan', en: 'Sole proprietorship' },
  UD: { id: 'Usaha Dagang (UD)', en: 'Trading business (UD)' },
  CV: { id: 'Persekutuan Komanditer (CV)', en: 'Limited partnership (CV)' },
  firma: { id: 'Firma', en: 'General partnership (firma)' },
  PT: { id: 'Perseroan Terbatas (PT)', en: 'Limited liability company (PT)' },
  PT_perorangan: { id: 'PT Perorangan', en: 'Single-person limited liability company (PT Perorangan)' },
  koperasi: { id: 'Koperasi', en: 'Cooperative' },
  yayasan: { id: 'Yayasan', en: 'Foundation' },
  perkumpulan: { id: 'Perkumpulan', en: 'Association' },
};

export const isLegalForm = (value: string): value is LegalForm => Object.hasOwn(LEGAL_FORM_NAMES, value);

/** `expired` (nobody finished the onboarding) and `cancelled` can be reopened. */
export const COMPANY_STATES = ['onboarding', 'active', 'expired', 'cancelled'] as const;
export type CompanyState = (typeof COMPANY_STATES)[number];

/** All that a company can be; `suspended` and `closed` are the office's word on one that was active. */
export const COMPANY_STATUSES = [...COMPANY_STATES, 'suspended', 'closed'] as const;
export type CompanyStatus = (typeof COMPANY_STATUSES)[number];

export const companyTransitions: Record<CompanyState, readonly CompanyState[]> = {
  onboarding: ['active', 'expired', 'cancelled'],
  active: [],
  expired: ['onboarding', 'cancelled'],
  cancelled: ['onboarding'],
};

export const COMPANY_SCALES = ['micro', 'small', 'medium', 'large', 'unknown'] as const;
export type CompanyScale = (typeof COMPANY_SCALES)[number];

/** Upper bounds, inclusive, in rupiah. */
export interface ScaleLimits {
  readonly micro: bigint;
  readonly small: bigint;
  readonly medium: bigint;
}

const BILLION = 1_000_000_000n;

/** PP 7/2021 art. 35 (3): capital without land and buildings of the place of business. */
export const CAPITAL_LIMITS: ScaleLimits = { micro: 1n * BILLION, small: 5n * BILLION, medium: 10n * BILLION };
/** PP 7/2021 art. 35 (5): sales of a year. */
export const SALES_LIMITS: ScaleLimits = { micro: 2n * BILLION, small: 15n * BILLION, medium: 50n * BILLION };

/**
 * Scale of a business, whole rupiah. PP 7/2021 art. 35 (2), (4): a new business goes by its capital, an existing one by
 * its annual sales; so sales decide when they are given. Sales of zero mean that it has not traded yet: then capital
 * decides, where that is known. Neither known is `unknown`, not `micro`: the scale picks fee and path.
 * @throws RangeError for a negative amount
 */
export function scaleOf(
  { capitalMinor, annualSalesMinor }: { capitalMinor?: bigint | null; annualSalesMinor?: bigint | null },
  limits: { readonly capital: ScaleLimits; readonly sales: ScaleLimits } = {
    capital: CAPITAL_LIMITS,
    sales: SALES_LIMITS,
  },
): CompanyScale {
  const capital = capitalMinor ?? null;
  const sales = annualSalesMinor ?? null;
  if ((capital ?? 0n) < 0n || (sales ?? 0n) < 0n) throw new RangeError('capital and annual sales cannot be negative');
  if (sales !== null && (sales > 0n || capital === null)) return within(sales, limits.sales);
  return capital === null ? 'unknown' : within(capital, limits.capital);
}

function within(amount: bigint, limits: ScaleLimits): CompanyScale {
  if (amount <= limits.micro) return 'micro';
  if (amount <= limits.small) return 'small';
  return amount <= limits.medium ? 'medium' : 'large';
}
