import { z } from 'zod';
import {
  DEFAULT_OVERLAP_SECONDS,
  DEFAULT_SCOPES,
  KEY_ENVIRONMENTS,
  KEY_STATES,
  MAX_OVERLAP_SECONDS,
} from '../../domain/api-keys.ts';
import { SCOPES } from '../../domain/roles.ts';
import { domainIssue } from '../field-problems.ts';
import { readNetwork } from '../networks.ts';
import { timeSchema } from '../wire.ts';
import { companyIdSchema, userIdSchema } from './ids.ts';

/** A block of addresses, written as it is kept. */
const network = z
  .string()
  .max(60)
  .transform((text, context) => {
    const read = readNetwork(text);
    if (read.problem === undefined) return read.network;
    context.issues.push(domainIssue(read.problem, text));
    return z.NEVER;
  })
  .meta({ type: 'string', example: '203.0.113.0/24' });

const unique = <T extends z.ZodType>(item: T, max: number) =>
  z
    .array(item)
    .max(max)
    .transform((items) => [...new Set(items)]);

export const keyName = z.string().trim().min(1).max(100);
const requestsPerMinute = z.int().min(1).max(100_000);

export const newApiKey = z.strictObject({
  name: keyName,
  environment: z.enum(KEY_ENVIRONMENTS).default('live'),
  scopes: unique(z.enum(SCOPES), SCOPES.length)
    .refine((scopes) => scopes.length > 0, 'at least one scope')
    .default([...DEFAULT_SCOPES])
    .describe('What the key may do; by default it reads.'),
  companyIds: unique(companyIdSchema, 100)
    .optional()
    .describe('The companies of the account that is made for the key.'),
  networks: unique(network, 20).default([]).describe('Where it may be used from; none = from anywhere.'),
  expiresAt: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional()
    .meta({ type: 'string', format: 'date-time' }),
  requestsPerMinute: requestsPerMinute.optional(),
  userId: userIdSchema
    .optional()
    .describe("An integrator's account that is there; without one, an account is made for the key."),
});

export const rotation = z.strictObject({
  overlapSeconds: z
    .int()
    .min(0)
    .max(MAX_OVERLAP_SECONDS)
    .default(DEFAULT_OVERLAP_SECONDS)
    .describe('How long the old key goes on.'),
});

export const keyFilter = {
  state: z.enum(KEY_STATES).optional(),
  environment: z.enum(KEY_ENVIRONMENTS).optional(),
};

export const apiKey = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string().describe('What a key begins with: alur_live_Ab3dE6gH'),
    environment: z.enum(KEY_ENVIRONMENTS),
    state: z.enum(KEY_STATES),
    scopes: z.array(z.enum(SCOPES)),
    networks: z.array(z.string()),
    requestsPerMinute: z.int(),
    userId: z.uuid(),
    companyIds: z.array(z.string()),
    createdBy: z.string(),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable(),
    lastUsedAt: timeSchema.nullable().describe('To the minute.'),
    lastUsedFrom: z.string().nullable(),
    revokedAt: timeSchema.nullable(),
    replaces: z.uuid().nullable(),
    replacedBy: z.uuid().nullable(),
  })
  .meta({ id: 'ApiKey' });

export const createdApiKey = apiKey
  .extend({ key: z.string().describe('Shown this once; only its hash is kept.') })
  .meta({ id: 'CreatedApiKey' });
