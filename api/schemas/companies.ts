import { z } from 'zod';
import { COMPANY_SCALES, COMPANY_STATUSES, LEGAL_FORMS } from '../../domain/companies.ts';
import { type ParsedNumber, parseKbli, parseNib, parseNpwp } from '../../domain/identity-numbers.ts';
import { domainIssue } from '../field-problems.ts';
import { pageOf } from '../paging.ts';
import { moneySchema, timeSchema } from '../wire.ts';

/** A number of the state, checked for form and normalised; comes out with its warnings. */
export const identityNumber = (parse: (text: string) => ParsedNumber, example: string) =>
  z
    .string()
    .max(40)
    .transform((text, context) => {
      const parsed = parse(text);
      if (parsed.ok) return parsed;
      context.issues.push(domainIssue(parsed.code, text));
      return z.NEVER;
    })
    .meta({ type: 'string', example });

const numberOf = ({ value }: { value: string }): string => value;

/** Whole rupiah, as a number or as digits; what a JSON number cannot carry back is refused. */
export const wholeRupiah = z
  .union([z.int().min(0), z.string().regex(/^\d{1,16}$/)])
  .transform(BigInt)
  .pipe(z.bigint().max(BigInt(Number.MAX_SAFE_INTEGER)))
  .meta({ type: ['integer', 'string'], pattern: '^\\d{1,16}$', minimum: 0, example: 250000000 });

export const newCompany = z.strictObject({
  name: z.string().trim().min(1).max(200),
  legalForm: z.enum(LEGAL_FORMS),
  npwp: identityNumber(parseNpwp, '01.234.567.8-901.000'),
  nib: identityNumber(parseNib, '1234567890123').transform(numberOf).optional(),
  address: z.string().trim().min(1).max(1000),
  kbli: z.array(identityNumber(parseKbli, '56101').transform(numberOf)).max(50),
  capitalMinor: wholeRupiah.optional(),
  annualSalesMinor: wholeRupiah.optional(),
});

export const company = z
  .object({
    id: z.uuid(),
    name: z.string(),
    legalForm: z.enum(LEGAL_FORMS),
    npwp: z.string().describe('Masked but for the first and last four digits.'),
    nib: z.string().nullable(),
    address: z.string(),
    kbli: z.array(z.string()),
    capital: moneySchema.nullable(),
    annualSales: moneySchema.nullable(),
    scale: z.enum(COMPANY_SCALES).describe('By PP 7/2021, art. 35.'),
    status: z.enum(COMPANY_STATUSES),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Company' });

export const companies = pageOf(company).meta({ id: 'Companies' });
