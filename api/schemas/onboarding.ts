import { z } from 'zod';
import { OFFICE_ZONES } from '../../domain/calendar.ts';
import { COMPANY_STATUSES, LEGAL_FORMS } from '../../domain/companies.ts';
import { parseKbli, parseNib, parseNik, parseNpwp } from '../../domain/identity-numbers.ts';
import { REGISTRIES } from '../../domain/licensing.ts';
import {
  COMPANY_DOCUMENT_KINDS,
  ONBOARDING_STATES,
  ONBOARDING_STEPS,
  OWNER_STEPS,
  REVIEW_REASONS,
  STEP_STATES,
} from '../../domain/onboarding.ts';
import { REGISTRY_STATES } from '../../domain/registries.ts';
import { pageOf } from '../paging.ts';
import { timeSchema } from '../wire.ts';
import { identityNumber, newCompany, wholeRupiah } from './companies.ts';

/** With where the owner lives. */
export const newCompanyToOnboard = newCompany.extend({
  zone: z
    .enum(OFFICE_ZONES)
    .default('Asia/Jakarta')
    .describe('Where the owner lives: reminders come between 08:00 and 20:00 there.'),
});

// ---- what a step takes ----------------------------------------------------------------------------------------------

export const accountStep = z.strictObject({
  code: z.string().min(1).max(200).optional().describe('The token of the link in our letter.'),
});

const numberOf = ({ value }: { value: string }): string => value;
const digits = (parse: Parameters<typeof identityNumber>[0], example: string) =>
  identityNumber(parse, example).transform(numberOf);

export const profileStep = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  legalForm: z.enum(LEGAL_FORMS).optional(),
  address: z.string().trim().min(1).max(1000).optional(),
  kbli: z.array(digits(parseKbli, '56101')).min(1).max(50).optional(),
  capitalMinor: wholeRupiah.optional(),
  annualSalesMinor: wholeRupiah.optional(),
});

export const identityStep = z.strictObject({
  nib: digits(parseNib, '1234567890123').optional(),
  npwp: digits(parseNpwp, '01.234.567.8-901.000').optional(),
  nik: digits(parseNik, '3174031708450001')
    .optional()
    .describe('Of a business that is one person: `perorangan` or `UD`.'),
});

export const documentsStep = z
  .strictObject({
    documentIds: z.array(z.guid()).min(1).max(20).optional(),
    confirm: z.literal(true).optional().describe('All that were uploaded.'),
  })
  .refine(({ documentIds, confirm }) => (documentIds === undefined) !== (confirm === undefined), {
    error: 'exactly one of the fields',
    params: { code: 'one_field' },
  });

export const uploadedKind = z.strictObject({ kind: z.enum(COMPANY_DOCUMENT_KINDS) });

export const onboardingReview = z.strictObject({
  decision: z.enum(['approve', 'ask_again']),
  step: z.enum(OWNER_STEPS).optional().describe('With `ask_again`: what the owner has to do again; else the profile.'),
  reason: z.string().trim().min(3).max(1000).describe('With `ask_again` the owner reads it.'),
});

// ---- what is shown --------------------------------------------------------------------------------------------------

export const onboarding = z
  .object({
    companyId: z.uuid(),
    companyName: z.string(),
    companyStatus: z.enum(COMPANY_STATUSES),
    state: z.enum(ONBOARDING_STATES),
    percent: z.int().min(0).max(100),
    steps: z.array(
      z.object({
        step: z.enum(ONBOARDING_STEPS),
        state: z.enum(STEP_STATES),
        completedAt: timeSchema.nullable(),
        metadata: z.record(z.string(), z.unknown()).describe('What is shown of it; numbers masked.'),
      }),
    ),
    requiredDocuments: z.array(z.enum(COMPANY_DOCUMENT_KINDS)).describe('By legal form.'),
    remindersSent: z.int().describe('Since the last step.'),
    startedAt: timeSchema,
    lastStepAt: timeSchema.nullable(),
    expiresAt: timeSchema.nullable().describe('When it expires, if nothing is heard; null once that is not possible.'),
    eraseAt: timeSchema.nullable().describe('When what was entered is erased, unless it is reopened before.'),
    erasedAt: timeSchema.nullable(),
    suggestedLicenses: z
      .array(z.object({ code: z.string(), name: z.object({ id: z.string(), en: z.string() }) }))
      .describe('Licences to begin with, by KBLI; once it is completed.'),
    review: z
      .object({
        reasons: z.array(z.enum(REVIEW_REASONS)),
        numbers: z.array(
          z.object({
            kind: z.enum(REGISTRIES),
            number: z.string().describe('Masked.'),
            registryState: z.enum(REGISTRY_STATES).nullable(),
          }),
        ),
      })
      .nullable()
      .describe('For people of the office; null for others.'),
  })
  .meta({ id: 'Onboarding' });

export const onboardings = pageOf(
  z.object({
    companyId: z.uuid(),
    companyName: z.string(),
    state: z.enum(ONBOARDING_STATES),
    reasons: z.array(z.enum(REVIEW_REASONS)),
    since: timeSchema,
    startedAt: timeSchema,
  }),
).meta({ id: 'Onboardings' });

export const companyDocument = z
  .object({
    id: z.uuid(),
    kind: z.enum(COMPANY_DOCUMENT_KINDS),
    filename: z.string(),
    bytes: z.int(),
    contentType: z.string(),
    uploadedAt: timeSchema,
    scanState: z.enum(['not_scanned', 'waiting', 'clean', 'infected']),
  })
  .meta({ id: 'CompanyDocument' });

export const companyDocuments = z.object({ items: z.array(companyDocument) }).meta({ id: 'CompanyDocuments' });
