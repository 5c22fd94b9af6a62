import { z } from 'zod';
import { EVENT_TYPES } from '../../domain/events.ts';
import { timeSchema } from '../wire.ts';
import { applicationIdSchema, companyIdSchema, userIdSchema } from './ids.ts';

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** Half-open, by when an event was written down. */
const range = {
  from: instant.optional().describe('Recorded at this time or later'),
  to: instant.optional().describe('Recorded before this time'),
};

export const auditFilter = {
  type: z.enum(EVENT_TYPES).optional(),
  actorId: userIdSchema.optional(),
  subject: z
    .string()
    .regex(/^[a-z_]+\/[\w:.-]{1,100}$/)
    .optional()
    .describe('What it is about: `user/<id>`, `api_key/<id>` …'),
  companyId: companyIdSchema.optional(),
  applicationId: applicationIdSchema.optional(),
  requestId: z.string().min(1).max(100).optional(),
  address: z.string().min(1).max(100).optional().describe('IP address, exactly'),
  ...range,
};

export const auditExportQuery = z.strictObject(range);

export const auditEntrySchema = z
  .object({
    id: z.string(),
    type: z.enum(EVENT_TYPES),
    at: timeSchema,
    recordedAt: timeSchema.describe('When it was written down; the seal covers it.'),
    actor: z.object({
      kind: z.enum(['person', 'system', 'gateway']),
      id: z.string().nullable(),
      name: z.string().nullable(),
    }),
    subject: z.string().nullable(),
    companyId: z.string().nullable(),
    applicationId: z.string().nullable(),
    address: z.string().nullable(),
    requestId: z.string().nullable(),
    data: z
      .record(z.string(), z.unknown())
      .describe('Codes, numbers, IDs; `before` and `after` where something changed.'),
    seal: z
      .object({ batch: z.string() })
      .nullable()
      .describe('The batch of the chain that covers it; null = not sealed yet, which takes about a minute.'),
  })
  .meta({ id: 'AuditEntry' });
