import { z } from 'zod';

export const mortalWalkSettings = z.object({
  databaseUrl: z.string(),
  xenditUrl: z.string(),
  secretKey: z.string(),
  span: z.object({ gateway: z.literal('xendit'), from: z.string(), to: z.string() }),
  at: z.string(),
  /** Dies before it asks for this page, the first being 1. */
  diesBeforePage: z.number(),
});
export type MortalWalkSettings = z.infer<typeof mortalWalkSettings>;
