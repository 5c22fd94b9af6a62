import { z } from 'zod';
import { COMPANY_STATUSES } from '../../domain/companies.ts';
import { parseNib, parseNik, parseNpwp } from '../../domain/identity-numbers.ts';
import { ROLES } from '../../domain/roles.ts';
import { timeSchema } from '../wire.ts';
import { identityNumber } from './companies.ts';
import { email, profile, profileChange } from './people.ts';

const masked = z
  .string()
  .describe('Masked but for the first and last four digits.')
  .meta({ example: '3174••••••••0001' });
const nik = identityNumber(parseNik, '3174031708450001');

// ---- the caller's own ---------------------------------------------------------------------------------------------

export const profileWithNik = profile.extend({ nik: masked.nullable() }).meta({ id: 'Profile' });

export const profileWithNikChange = profileChange.extend({
  nik: nik.nullish().meta({
    type: ['string', 'null'],
    description: 'null removes it; absent leaves it as it is.',
    example: '3174031708450001',
  }),
});

export const changedProfile = profileWithNik
  .extend({
    warnings: z
      .array(z.string())
      .optional()
      .describe(
        'What looks odd about the NIK that was sent; it is stored nevertheless. Codes such as nik_region_unknown.',
      ),
  })
  .meta({ id: 'ChangedProfile' });

// ---- searching, in the body: a number in an address would end up in the logs of every proxy on the way ---------------

const name = z.string().trim().min(3).max(200);

/** @throws at the whole body when not exactly one thing is looked for */
const exactlyOne = (search: object): boolean =>
  Object.values(search).filter((value) => value !== undefined).length === 1;
const oneOf = { error: 'exactly one of the fields', params: { code: 'one_field' } };

export const companySearch = z
  .strictObject({
    npwp: identityNumber(parseNpwp, '01.234.567.8-901.000').optional(),
    nib: identityNumber(parseNib, '1234567890123').optional(),
    name: name.optional(),
  })
  .refine(exactlyOne, oneOf);

export const userSearch = z
  .strictObject({ nik: nik.optional(), email: email.optional(), name: name.optional() })
  .refine(exactlyOne, oneOf);

const more = z.boolean().describe('There are others; look for something narrower.');

export const foundCompanies = z
  .object({
    items: z.array(
      z.object({
        id: z.uuid(),
        name: z.string(),
        npwp: masked,
        nib: z.string().nullable(),
        status: z.enum(COMPANY_STATUSES),
        createdAt: timeSchema,
      }),
    ),
    more,
  })
  .meta({ id: 'FoundCompanies' });

export const foundUsers = z
  .object({
    items: z.array(
      z.object({
        id: z.uuid(),
        email: z.string(),
        name: z.string(),
        roles: z.array(z.enum(ROLES)),
        status: z.enum(['active', 'disabled']),
        nik: masked.nullable(),
        createdAt: timeSchema,
      }),
    ),
    more,
  })
  .meta({ id: 'FoundUsers' });

// ---- in clear -----------------------------------------------------------------------------------------------------

export const readingReason = z.strictObject({
  reason: z.string().trim().min(10).max(500).describe('Kept in the audit with who asked and when.'),
});

export const companyInClear = z.object({ id: z.uuid(), npwp: z.string() }).meta({ id: 'CompanyNumbers' });
export const userInClear = z.object({ id: z.uuid(), nik: z.string().nullable() }).meta({ id: 'PersonNumbers' });

// ---- the rotation -------------------------------------------------------------------------------------------------

export const rotation = z
  .object({
    keyId: z.string().describe('Of the current key: 8 hex digits.'),
    total: z.int().describe('Sealed values there are.'),
    done: z.int().describe('Those of them that the current key has sealed.'),
    remaining: z.int(),
    missingKeys: z
      .array(z.object({ keyId: z.string(), count: z.int() }))
      .describe('Keys that values are sealed with and that are not configured: nothing opens those values.'),
    state: z
      .enum(['not_started', 'running', 'completed', 'failed', 'unknown'])
      .describe('Of the last run for this key; unknown while Temporal is away.'),
  })
  .meta({ id: 'PersonalDataRotation' });
