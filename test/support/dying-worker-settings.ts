import { z } from 'zod';

export const dyingWorkerSettings = z.object({
  databaseUrl: z.string(),
  filesDir: z.string(),
  midtransServerKey: z.string(),
  midtransUrl: z.string(),
  signerKeyFile: z.string(),
  signerCertificateFile: z.string(),
  smtpUrl: z.string(),
  publicUrl: z.string(),
  secretKey: z.string(),
  auditPrivateKeyPem: z.string(),
  temporalAddress: z.string(),
  taskQueue: z.string(),
  dieAt: z.object({ activity: z.string(), when: z.enum(['before', 'after']), inputContains: z.string() }),
});

export type DyingWorkerSettings = z.infer<typeof dyingWorkerSettings>;
