import { z } from 'zod';
import { ROLES } from '../../domain/roles.ts';
import { METHODS } from '../../domain/second-factors.ts';
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
const opaque = z.string().min(1).max(200);
export const deviceToken = opaque.describe('What an earlier log-in of this device was given.');
export const login = z.strictObject({ email, password, deviceToken: deviceToken.optional() });
export const refreshToken = z.strictObject({ refreshToken: opaque });
/** What a letter's link carries. */
export const linkToken = z.strictObject({ token: opaque });
export const addressOnly = z.strictObject({ email });
export const passwordReset = z.strictObject({ token: opaque, password });
export const passwordChange = z.strictObject({ currentPassword: password, newPassword: password });

export const refreshed = z
  .object({
    accessToken: z.string().describe('A JWT; send it as Authorization: Bearer.'),
    refreshToken: z.string().describe('Opaque; good for one use.'),
    tokenType: z.literal('Bearer'),
    expiresInSeconds: z.int(),
  })
  .meta({ id: 'RefreshedTokens' });

export const tokens = refreshed
  .extend({
    deviceToken: z.string().describe('Keep it on this device and send it with the next log-in.'),
    mfaSetupRequired: z
      .literal(true)
      .optional()
      .describe('Set up a second factor: from the second log-in on the tokens are good for nothing else.'),
  })
  .meta({ id: 'Tokens' });

export const mfaChallenge = z
  .object({
    mfaRequired: z.literal(true),
    mfaToken: z.string().describe('Send it with a code to POST /auth/login/mfa.'),
    methods: z.array(z.enum(METHODS)),
    expiresInSeconds: z.int(),
  })
  .meta({ id: 'SecondFactorChallenge' });

export const registered = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    locale,
    roles: z.array(z.enum(ROLES)),
    emailVerified: z.boolean(),
  })
  .meta({ id: 'RegisteredUser' });

export const profile = registered.extend({ createdAt: timeSchema, updatedAt: timeSchema }).meta({ id: 'Profile' });
export const profileChange = z.strictObject({ name: personName, locale });

export const emailState = z.object({ emailVerified: z.boolean() }).meta({ id: 'EmailState' });
export const said = z.object({ message: z.string() }).meta({ id: 'Message' });
export const unlocked = z
  .object({ deviceToken: z.string().describe('Send it with the log-in: it gets in while others still guess.') })
  .meta({ id: 'Unlocked' });

export const session = z
  .object({
    id: z.uuid(),
    device: z.string().describe('As a person would call it: "Chrome on Android".'),
    address: z.string().describe('The IP address it was last used from.'),
    createdAt: timeSchema,
    lastUsedAt: timeSchema.describe('The last log-in or refresh.'),
    current: z.boolean(),
  })
  .meta({ id: 'Session' });
export const sessionList = z.object({ items: z.array(session) }).meta({ id: 'SessionList' });

export const device = z
  .object({
    id: z.uuid(),
    name: z.string(),
    address: z.string(),
    createdAt: timeSchema,
    lastSeenAt: timeSchema,
    trustedUntil: timeSchema.nullable().describe('Until then no second factor is asked for on this device.'),
  })
  .meta({ id: 'Device' });
export const deviceList = z.object({ items: z.array(device) }).meta({ id: 'DeviceList' });
