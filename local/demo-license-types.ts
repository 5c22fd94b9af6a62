/**
 * The four licence types of the demonstration office, one for each risk class of PP 28/2025. Fees and legal times are
 * made up; an office enters its own.
 */
import type { ComplianceRule } from '../domain/compliance.ts';
import { DEFAULT_LADDER } from '../domain/escalation.ts';
import type { ChecklistItem, LicensePolicy, Risk, StagePolicy } from '../domain/licensing.ts';
import type { RiskRow } from '../domain/risk-table.ts';

export interface DemoLicenseType {
  readonly code: string;
  readonly name: { readonly id: string; readonly en: string };
  readonly risk: Risk;
  readonly policy: LicensePolicy;
  /** What the second version changes; the first stays for systems that were set up with it. */
  readonly since2: Partial<LicensePolicy>;
  readonly formSchema: Readonly<Record<string, unknown>>;
  readonly exampleForm: Readonly<Record<string, unknown>>;
}

const REVIEW: readonly StagePolicy[] = [
  { stage: 'document_verification', role: 'verifier', sharePercent: 20 },
  { stage: 'compliance_check', role: 'examiner', sharePercent: 50 },
  { stage: 'approval', role: 'approver', sharePercent: 20 },
];

const required = (kind: string): ChecklistItem => ({ kind, required: true });
const optional = (kind: string): ChecklistItem => ({ kind, required: false });

interface Terms {
  readonly stages: readonly StagePolicy[];
  readonly checklist: readonly ChecklistItem[];
  readonly legalWorkingDays: number;
  readonly statutory: number;
  readonly service: number;
  readonly validityMonths: number | null;
}

const policy = (terms: Terms): LicensePolicy => ({
  path: terms.stages.length > 0 ? 'review' : 'automatic',
  stages: terms.stages,
  checklist: terms.checklist,
  legalWorkingDays: terms.legalWorkingDays,
  ladder: DEFAULT_LADDER,
  correction: { maxRounds: 2, answerWithinWorkingDays: 10 },
  fee: { statutoryMinor: String(terms.statutory), serviceMinor: String(terms.service), currency: 'IDR' },
  payment: { remindAfterDays: [3, 6], lapseAfterDays: 7 },
  validityMonths: terms.validityMonths,
});

const CORRECTION: LicensePolicy['correction'] = {
  maxRounds: 2,
  answerWithinWorkingDays: 10,
  remindAtPercent: [50, 80],
  reopenWithinDays: 180,
};

/** Low and medium-low risks: nobody decides, one in ten is looked at afterwards; what cannot be answered goes to an examiner. */
const AUTOMATIC: Partial<LicensePolicy> = {
  correction: CORRECTION,
  automatic: { auditPercent: 10, fallback: { stage: 'compliance_check', role: 'examiner', sharePercent: 90 } },
  deemedApproval: 'issue',
};

const withQuorum = (quorum: NonNullable<StagePolicy['quorum']>): StagePolicy[] =>
  REVIEW.map((stage) => (stage.stage === 'approval' ? { ...stage, quorum } : stage));

const IN_DEPTH: Partial<LicensePolicy> = {
  correction: CORRECTION,
  appeal: { withinDays: 30 },
  deemedApproval: 'escalate_only',
  registries: { ask: ['nib', 'npwp'], giveUpAfterMinutes: 60 },
};

const text = (title: string, maxLength = 200) => ({ type: 'string', title, minLength: 3, maxLength });

/** What every form asks; `more` is the type's own. */
const form = (more: Record<string, unknown>, requiredMore: readonly string[]) => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['businessName', 'businessAddress', 'kbli', ...requiredMore],
  properties: {
    businessName: text('Nama usaha'),
    businessAddress: text('Alamat usaha', 500),
    kbli: { type: 'string', title: 'KBLI', pattern: '^[0-9]{5}$' },
    employees: { type: 'integer', title: 'Jumlah tenaga kerja', minimum: 0, maximum: 1_000_000 },
    ...more,
  },
});

const example = { businessName: 'Warung Kopi Senja', businessAddress: 'Jl. Melati No. 12, Bandung', employees: 4 };

export const DEMO_LICENSE_TYPES: readonly DemoLicenseType[] = [
  {
    code: 'retail_kiosk',
    name: { id: 'Izin Kios Eceran', en: 'Retail kiosk registration' },
    risk: 'low',
    policy: policy({
      stages: [],
      checklist: [optional('business_photo')],
      legalWorkingDays: 1,
      statutory: 0,
      service: 50_000,
      validityMonths: null,
    }),
    since2: AUTOMATIC,
    formSchema: form({}, []),
    exampleForm: { ...example, kbli: '47112' },
  },
  {
    code: 'home_food',
    name: { id: 'Sertifikat Pangan Rumahan', en: 'Home food producer certificate' },
    risk: 'medium_low',
    policy: policy({
      stages: [],
      checklist: [required('standard_declaration')],
      legalWorkingDays: 2,
      statutory: 50_000,
      service: 50_000,
      validityMonths: 60,
    }),
    since2: AUTOMATIC,
    formSchema: form(
      { products: { type: 'array', title: 'Produk', minItems: 1, maxItems: 50, items: text('Produk') } },
      ['products'],
    ),
    exampleForm: { ...example, kbli: '10792', products: ['Keripik singkong'] },
  },
  {
    code: 'restaurant',
    name: { id: 'Izin Usaha Restoran', en: 'Restaurant licence' },
    risk: 'medium_high',
    policy: policy({
      stages: REVIEW,
      checklist: [required('identity_card'), required('premises_photo'), optional('hygiene_certificate')],
      legalWorkingDays: 5,
      statutory: 750_000,
      service: 450_000,
      validityMonths: 36,
    }),
    since2: {
      ...IN_DEPTH,
      stages: withQuorum({ of: 2, needed: 2, rejection: 'one_ends' }),
      intent: { required: false, answerWithinWorkingDays: 5 },
    },
    formSchema: form({ seats: { type: 'integer', title: 'Jumlah kursi', minimum: 1, maximum: 5000 } }, ['seats']),
    exampleForm: { ...example, kbli: '56101', seats: 24 },
  },
  {
    code: 'fuel_storage',
    name: { id: 'Izin Penyimpanan Bahan Bakar', en: 'Fuel storage licence' },
    risk: 'high',
    policy: policy({
      stages: REVIEW,
      checklist: [required('identity_card'), required('site_plan'), required('environmental_permit')],
      legalWorkingDays: 10,
      statutory: 2_500_000,
      service: 1_000_000,
      validityMonths: 24,
    }),
    since2: {
      ...IN_DEPTH,
      stages: withQuorum({ of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' }),
      intent: { required: true, answerWithinWorkingDays: 5 },
    },
    formSchema: form(
      { capacityLitres: { type: 'integer', title: 'Kapasitas (liter)', minimum: 100, maximum: 10_000_000 } },
      ['capacityLitres'],
    ),
    exampleForm: { ...example, businessName: 'Pangkalan Gas Makmur', kbli: '47772', capacityLitres: 8000 },
  },
];

const row = (
  kbli: string,
  scale: RiskRow['scale'],
  risk: Risk,
  typeCode: string,
  more: Partial<RiskRow> = {},
): RiskRow => ({
  ...{ kbli, scale, risk, typeCode, path: null, checklist: null, legalWorkingDays: null },
  ...{ statutoryMinor: null, serviceMinor: null, validityMonths: null, validForLife: false, deemedApproval: null },
  ...more,
});

/** A larger business pays more and takes longer; all else is as its licence type has it. */
export const DEMO_RISK_ROWS: readonly RiskRow[] = [
  row('4711', 'any', 'low', 'retail_kiosk'),
  row('107', 'any', 'medium_low', 'home_food'),
  row('561', 'any', 'medium_high', 'restaurant'),
  row('561', 'medium', 'medium_high', 'restaurant', { legalWorkingDays: 7, statutoryMinor: '1500000' }),
  row('561', 'large', 'high', 'restaurant', { legalWorkingDays: 10, statutoryMinor: '3000000', validityMonths: 24 }),
  row('47772', 'any', 'high', 'fuel_storage'),
];

export const DEMO_COMPLIANCE_RULES: Readonly<Record<string, readonly ComplianceRule[]>> = {
  restaurant: [
    {
      code: 'hygiene_above_50_seats',
      expression: 'form.seats <= 50 or documents.hygiene_certificate.present',
      otherwise: 'fail',
      reason: {
        id: 'Restoran dengan lebih dari 50 kursi memerlukan sertifikat higiene',
        en: 'A restaurant with more than 50 seats needs a hygiene certificate',
      },
    },
    {
      code: 'kbli_registered',
      expression: 'list contains(company.kbli, form.kbli)',
      otherwise: 'warn',
      reason: {
        id: 'KBLI di formulir tidak terdaftar untuk perusahaan ini',
        en: 'The KBLI of the form is not registered for this company',
      },
    },
  ],
};
