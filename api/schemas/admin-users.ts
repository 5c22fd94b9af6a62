import { z } from 'zod';
import { ACCOUNT_STATUSES } from '../../db/staff-accounts.ts';
import { asId, type OfficeId } from '../../domain/ids.ts';
import { ROLES } from '../../domain/roles.ts';
import { pageOf, pageQuery } from '../paging.ts';
import { timeSchema } from '../wire.ts';
import { email, locale, password, personName } from './people.ts';

const role = z.enum(ROLES);
const roles = z
  .array(role)
  .min(1)
  .max(ROLES.length)
  .describe('Of the office, any of them together; `owner` or `integrator` only alone.');

export const account = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    locale,
    roles: z.array(role),
    status: z.enum(ACCOUNT_STATUSES).describe('`invited`: nobody has taken the account up yet.'),
    officeId: z.uuid().nullable(),
    createdAt: timeSchema,
    lastLoginAt: timeSchema.nullable(),
    secondFactor: z.boolean().describe('Whether one is set up.'),
  })
  .meta({ id: 'Account' });

export const accounts = pageOf(account).meta({ id: 'Accounts' });

export const accountQuery = z.strictObject({
  ...pageQuery,
  role: role.optional(),
  status: z.enum(ACCOUNT_STATUSES).optional(),
  q: z.string().trim().min(1).max(254).optional().describe('How the name or the address begins.'),
});

export const newAccount = z.strictObject({
  email,
  name: personName,
  roles,
  locale: locale.optional(),
  officeId: z
    .guid()
    .transform((id) => asId<OfficeId>(id))
    .optional()
    .describe('Absent = the office of whoever invites.'),
});

export const accountChange = z.strictObject({
  name: personName.optional(),
  roles: roles.optional(),
  status: z.enum(['active', 'disabled']).optional(),
});

export const joining = z.strictObject({
  token: z.string().min(1).max(200),
  password,
  name: personName.optional(),
});
