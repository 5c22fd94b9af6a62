import { z } from 'zod';
import { DOCUMENT_FLAGS } from '../../domain/documents.ts';

/** As stored: `filename` and time are in the list of the application. */
export const uploadedSchema = z
  .object({ id: z.string(), kind: z.string(), sha256: z.string(), bytes: z.int(), contentType: z.string() })
  .extend({ flags: z.array(z.enum(DOCUMENT_FLAGS)).describe('What is odd about it; upload another where it matters.') })
  .meta({ id: 'UploadedDocument' });

export const shownAsSchema = z
  .enum(['view', 'download'])
  .default('download')
  .describe('`view` lets a browser show it in place.');

export const uploadSchema = z.strictObject({
  kind: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/)
    .describe('A kind of the checklist of the licence type, or `other`.'),
});
