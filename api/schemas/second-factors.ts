import { z } from 'zod';
import { FACTOR_KINDS, METHODS, parsePhone, SENT_KINDS } from '../../domain/second-factors.ts';
import { domainIssue } from '../field-problems.ts';
import { timeSchema } from '../wire.ts';
import { deviceToken } from './people.ts';

const mfaToken = z.string().min(1).max(200).describe('From the log-in; good for 5 minutes and 5 wrong codes.');

const code = z
  .string()
  .trim()
  .min(6)
  .max(40)
  .describe('Six digits of an app, an e-mail or a text message; or a backup code.')
  .meta({ example: '492039' });

const method = z.enum(METHODS).optional().describe('Absent = told by the shape of the code.');

const sentMethod = z.strictObject({ method: z.enum(SENT_KINDS) });

export const secondHalf = z.strictObject({
  mfaToken,
  code,
  method,
  rememberDevice: z.boolean().optional().describe('Ask for no second factor on this device for 30 days.'),
  deviceToken: deviceToken.optional(),
});

export const loginCode = sentMethod.extend({ mfaToken });
export const stepUpCode = sentMethod;
export const givenCode = z.strictObject({ code, method });
export const confirmingCode = z.strictObject({ code });

export const phone = z.strictObject({
  phone: z
    .string()
    .max(40)
    .transform((typed, context) => {
      const number = parsePhone(typed);
      if (number !== null) return number;
      context.issues.push(domainIssue('not_a_mobile_number', typed));
      return z.NEVER;
    })
    .meta({ type: 'string', example: '0812-3456-7890' }),
});

export const codeSent = z
  .object({
    expiresInSeconds: z.int(),
    nextInSeconds: z.int().describe('Until another code can be asked for.'),
  })
  .meta({ id: 'CodeSent' });

export const codeSentToPhone = codeSent
  .extend({ phone: z.string().meta({ example: '+62•••••••7890' }) })
  .meta({ id: 'CodeSentToPhone' });

export const totpKey = z
  .object({
    secret: z.string().describe('Base32, for typing into an app.'),
    otpauthUrl: z.string(),
    qrSvg: z.string().describe('The same as a QR code, an SVG image.'),
  })
  .meta({ id: 'TotpKey' });

export const backupCodes = z
  .object({
    backupCodes: z
      .array(z.string().meta({ example: 'K7TMQ-2XB9D' }))
      .describe('Each is good once, and shown now only. Empty where there are unused ones from before.'),
  })
  .meta({ id: 'BackupCodes' });

export const secondFactors = z
  .object({
    factors: z.array(
      z.object({
        kind: z.enum(FACTOR_KINDS),
        since: timeSchema,
        phone: z.string().optional().describe('Of SMS, masked.'),
      }),
    ),
    backupCodesLeft: z.int(),
  })
  .meta({ id: 'SecondFactors' });

export const steppedUp = z.object({ secondFactorUntil: timeSchema }).meta({ id: 'SteppedUp' });
