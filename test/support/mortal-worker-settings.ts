import { z } from 'zod';

export const mortalWorkerSettings = z.object({
  databaseUrl: z.string(),
  filesDir: z.string(),
  midtransServerKey: z.string(),
  sandboxUrl: z.string(),
  signerKeyFile: z.string(),
  signerCertificateFile: z.string(),
  smtpUrl: z.string(),
  publicUrl: z.string(),
  secretKey: z.string(),
  auditPrivateKeyPem: z.string(),
  temporalAddress: z.string(),
  taskQueue: z.string(),
  gatewayCallsPerSecond: z.number(),
  /** A file with the bundled workflows. */
  bundleFile: z.string(),
  /**
   * null = it works until somebody kills it. `before` the activity did anything; `after` its work was committed and before
   * the answer left; `gateway_answered`: the gateway has done its part of a refund, and nothing of it is on record;
   * `carrier_answered`: the same of a label.
   */
  dieAt: z
    .object({
      activity: z.string(),
      when: z.enum(['before', 'gateway_answered', 'carrier_answered', 'after']),
      inputContains: z.string(),
    })
    .nullable(),
});

export type MortalWorkerSettings = z.infer<typeof mortalWorkerSettings>;
