import { z } from 'zod';
import { ROLES } from '../../domain/roles.ts';
import { LOCALES } from '../request.ts';
import { timeSchema } from '../wire.ts';

/** Stored and compared in lower case. */
export const email = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.email().max(254))
  .meta({ type: 'string', format: 'email', example: 'sari@warung-sari.id' });

export const personName = z.string().trim().min(1).max(200);
export const locale = z.enum(LOCALES);

/** What the policy asks of a new password is domain/passwords.ts's; here only what argon2 should be spared. */
export const password = z.string().min(1).max(256);

export const registration = z.strictObject({ email, password, name: personName, locale: locale.optional() });
export const login = z.strictObject({ email, password });
export const refreshToken = z.strictObject({ refreshToken: z.string().min(1).max(200) });

export const tokens = z
  .object({
    accessToken: z.string().describe('A JWT; send it as Authorization: Bearer.'),
    refreshToken: z.string().describe('Opaque; good for one use.'),
    tokenType: z.literal('Bearer'),
    expiresInSeconds: z.int(),
  })
  .meta({ id: 'Tokens' });

export const registered = z
  .object({ id: z.uuid(), email: z.string(), name: z.string(), locale, roles: z.array(z.enum(ROLES)) })
  .meta({ id: 'RegisteredUser' });

export const profile = registered.extend({ createdAt: timeSchema, updatedAt: timeSchema }).meta({ id: 'Profile' });
export const profileChange = z.strictObject({ name: personName, locale });
