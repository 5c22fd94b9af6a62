/**
 * The environment, read once and typed. Only entry points (api/main, worker/main, db/migrate, local/*) call `loadConfig`;
 * everything else is handed the part it needs.
 */
import { z } from 'zod';
import type { Currency } from './domain/money.ts';
import { GATEWAYS } from './domain/payments.ts';

export type Mode = 'local' | 'test' | 'production';

/** Values that the local mode makes up for itself. Production refuses to start with any of them. */
export const LOCAL_SECRET_PREFIX = 'local-only-';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const port = z.coerce.number().int().min(0).max(65535);
const url = (...protocols: string[]) =>
  z.string().refine(
    (value) => {
      try {
        return protocols.includes(new URL(value).protocol.replace(/:$/, ''));
      } catch {
        return false;
      }
    },
    `a URL starting with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  );
const base64Key = (bytes: number) =>
  z.string().refine((value) => Buffer.from(value, 'base64').length === bytes, `${bytes} bytes in base64`);

const list = <T extends z.ZodType<string, string>>(item: T) =>
  z
    .string()
    .default('')
    .transform((text) => text.split(',').map((part) => part.trim()))
    .transform((parts) => parts.filter((part) => part !== ''))
    .pipe(z.array(item));

/** `IDR:1000000,MYR:30000` */
const amounts = list(z.string().regex(/^(IDR|MYR):\d{1,15}$/, 'a currency and minor units, as IDR:1000000')).transform(
  (parts): Readonly<Partial<Record<Currency, bigint>>> =>
    Object.fromEntries(parts.map((part) => [part.slice(0, 3), BigInt(part.slice(4))])),
);

const environment = z.object({
  ALUR_MODE: z.enum(['local', 'test', 'production']).default('production'),
  ALUR_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** Where browsers and e-mail links reach the API, without a trailing slash. */
  ALUR_PUBLIC_URL: url('http', 'https').default('http://localhost:3000'),
  ALUR_API_PORT: port.default(3000),
  ALUR_API_HOST: z.string().min(1).default('0.0.0.0'),
  /**
   * How many proxies stand in front of the API: what they say of the caller's address and scheme is believed, and nobody
   * else. 0 in production means that no request counts as https.
   */
  ALUR_TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  ALUR_METRICS_PORT: port.default(9464),
  DATABASE_URL: url('postgres', 'postgresql'),
  ALUR_DATABASE_POOL: z.coerce.number().int().min(1).max(200).default(20),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s:]+:\d+$/, 'host:port')
    .default('localhost:7233'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_TASK_QUEUE: z.string().min(1).default('alur'),
  ALUR_MAX_CACHED_WORKFLOWS: z.coerce.number().int().min(1).default(200),
  /** Of this release: with it, workers take cases only once operations have made it the current one. */
  ALUR_WORKER_BUILD: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'letters, digits, dots and hyphens, at most 64')
    .optional(),
  SMTP_URL: url('smtp', 'smtps'),
  ALUR_MAIL_FROM: z.string().min(3).default('Alur <no-reply@alur.local>'),
  /** A directory outside the web root: uploads, certificates, invoices, by content hash. */
  ALUR_FILES_DIR: z.string().min(1).optional(),
  /** Or a bucket, which then takes the directory's place; its credentials come as the AWS SDK finds them. */
  ALUR_FILES: z
    .string()
    .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w!.*'()/-]*)?$/, 's3://bucket or s3://bucket/prefix')
    .optional(),
  ALUR_S3_REGION: z.string().min(1).default('ap-southeast-3'),
  /** Of a server other than AWS; download links lead there, so browsers must reach it. */
  ALUR_S3_ENDPOINT: url('http', 'https').optional(),
  /** ClamAV's daemon: host:port. Absent = uploads are not scanned. */
  ALUR_CLAMAV: z
    .string()
    .regex(/^[^\s:]+:\d{1,5}$/, 'host:port')
    .optional(),
  /** How long the documents of a closed case are kept. */
  ALUR_DOCUMENT_RETENTION_DAYS: z.coerce.number().int().min(30).max(36_500).default(3_650),
  /** Questions to payment gateways, all of them together, that all workers together begin in a second; may be a fraction. */
  ALUR_GATEWAY_CALLS_PER_SECOND: z.coerce.number().min(0.1).max(10_000).default(10),
  MIDTRANS_SERVER_KEY: z.string().min(8),
  MIDTRANS_SNAP_URL: url('http', 'https').default('https://app.midtrans.com'),
  MIDTRANS_API_URL: url('http', 'https').default('https://api.midtrans.com'),
  /** Further gateways: each is offered when all of its secrets are set. */
  XENDIT_SECRET_KEY: z.string().min(8).optional(),
  XENDIT_CALLBACK_TOKEN: z.string().min(8).optional(),
  XENDIT_API_URL: url('http', 'https').default('https://api.xendit.co'),
  STRIPE_SECRET_KEY: z.string().min(8).optional(),
  STRIPE_WEBHOOK_SECRET: z.string().min(8).optional(),
  STRIPE_API_URL: url('http', 'https').default('https://api.stripe.com'),
  BILLPLZ_API_KEY: z.string().min(8).optional(),
  BILLPLZ_X_SIGNATURE_KEY: z.string().min(8).optional(),
  BILLPLZ_COLLECTION_ID: z.string().min(1).optional(),
  BILLPLZ_API_URL: url('http', 'https').default('https://www.billplz.com/api'),
  /** PKCS#8 PEM of an Ed25519 key that signs access tokens. */
  ALUR_JWT_PRIVATE_KEY: z.string().includes('PRIVATE KEY', { message: 'a PKCS#8 PEM' }),
  /** PEMs of earlier signing keys, one after the other: their tokens are believed until they expire. */
  ALUR_JWT_PREVIOUS_KEYS: z.string().default(''),
  /** PKCS#8 PEM of an Ed25519 key that signs the chain of the audit. */
  ALUR_AUDIT_PRIVATE_KEY: z.string().includes('PRIVATE KEY', { message: 'a PKCS#8 PEM' }),
  /** Makes the links and codes in letters, and hashes codes that are short: changing it voids those that are open, and backup codes. */
  ALUR_SECRET_KEY: base64Key(32),
  /** Encrypts tax numbers at rest (AES-256-GCM). */
  ALUR_PERSONAL_DATA_KEY: base64Key(32),
  /** Earlier ones, comma-separated: what they sealed still opens, until the rotation has sealed it anew. */
  ALUR_PERSONAL_DATA_PREVIOUS_KEYS: list(base64Key(32)),
  /** Whether staff must have a second factor. */
  ALUR_STAFF_SECOND_FACTOR: z.enum(['required', 'optional']).default('required'),
  /** Whether an owner has to verify the e-mail address before anything but the own account can be used. */
  ALUR_REQUIRE_VERIFIED_EMAIL: flag.default(true),
  /** Whether a company may apply for licences only once its onboarding is complete. */
  ALUR_ONBOARDING_REQUIRED: flag.default(true),
  /** How long what was entered is kept after an onboarding that expired or was cancelled. */
  ALUR_ONBOARDING_RETENTION_DAYS: z.coerce.number().int().min(1).max(3_650).default(90),
  ALUR_PASSWORD_MIN_LENGTH: z.coerce.number().int().min(8).max(64).default(10),
  /** From this length on a password needs no capitals, digits or symbols. */
  ALUR_PASSPHRASE_LENGTH: z.coerce.number().int().min(12).max(128).default(16),
  /** Requests a minute of one person, where a route has no limit of its own. */
  ALUR_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(100),
  /** Origins whose pages may call the API from a browser, comma-separated. */
  ALUR_CORS_ORIGINS: list(z.url({ protocol: /^https?$/ })),
  /** Staff sign-in by OpenID Connect: issuer, client and secret, all three or none. */
  ALUR_OIDC_ISSUER: url('http', 'https').optional(),
  ALUR_OIDC_CLIENT_ID: z.string().min(1).optional(),
  ALUR_OIDC_CLIENT_SECRET: z.string().min(8).optional(),
  /** The SMS provider's endpoint and token, both or none: without them nobody can choose SMS. */
  ALUR_SMS_URL: url('http', 'https').optional(),
  ALUR_SMS_TOKEN: z.string().min(8).optional(),
  /** Where the state's registries are asked about NIB, NPWP and NIK, and the token for it; both or none. */
  ALUR_REGISTRY_URL: url('http', 'https').optional(),
  ALUR_REGISTRY_TOKEN: z.string().min(8).optional(),
  /** The carrier that parcels' labels are bought from, and what its notices are signed with; all three or none. */
  ALUR_CARRIER_URL: url('http', 'https').optional(),
  ALUR_CARRIER_KEY: z.string().min(8).optional(),
  ALUR_CARRIER_WEBHOOK_SECRET: z.string().min(8).optional(),
  /** PEM files of the key and certificate that sign PDFs. */
  ALUR_SIGNER_KEY_FILE: z.string().min(1),
  ALUR_SIGNER_CERTIFICATE_FILE: z.string().min(1),
  /** Which gateway a payer gets who names none: the first that can take the amount. */
  ALUR_GATEWAY_ORDER: list(z.enum(GATEWAYS)).transform((named) => [...new Set([...named, ...GATEWAYS])]),
  /** Refunds above these amounts need a second person: currency and minor units, comma-separated. */
  ALUR_REFUND_APPROVAL_ABOVE: amounts.default({ IDR: 1_000_000n, MYR: 30_000n }),
  ALUR_SHUTDOWN_GRACE_SECONDS: z.coerce.number().int().min(0).max(600).default(20),
  ALUR_SELF_REGISTRATION: flag.default(true),
});

export type Config = ReturnType<typeof shape>;

function shape(env: z.infer<typeof environment>) {
  return {
    mode: env.ALUR_MODE as Mode,
    logLevel: env.ALUR_LOG_LEVEL,
    shutdownGraceSeconds: env.ALUR_SHUTDOWN_GRACE_SECONDS,
    publicUrl: env.ALUR_PUBLIC_URL.replace(/\/$/, ''),
    api: {
      host: env.ALUR_API_HOST,
      port: env.ALUR_API_PORT,
      trustedProxies: env.ALUR_TRUSTED_PROXIES,
      selfRegistration: env.ALUR_SELF_REGISTRATION,
    },
    metricsPort: env.ALUR_METRICS_PORT,
    database: { url: env.DATABASE_URL, pool: env.ALUR_DATABASE_POOL },
    temporal: {
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      taskQueue: env.TEMPORAL_TASK_QUEUE,
      maxCachedWorkflows: env.ALUR_MAX_CACHED_WORKFLOWS,
    },
    workerBuild: env.ALUR_WORKER_BUILD ?? null,
    mail: { smtpUrl: env.SMTP_URL, from: env.ALUR_MAIL_FROM },
    files: filesOf(env),
    clamav: env.ALUR_CLAMAV === undefined ? undefined : addressOf(env.ALUR_CLAMAV),
    documentRetentionDays: env.ALUR_DOCUMENT_RETENTION_DAYS,
    gatewayCallsPerSecond: env.ALUR_GATEWAY_CALLS_PER_SECOND,
    midtrans: {
      serverKey: env.MIDTRANS_SERVER_KEY,
      snapUrl: env.MIDTRANS_SNAP_URL.replace(/\/$/, ''),
      apiUrl: env.MIDTRANS_API_URL.replace(/\/$/, ''),
    },
    xendit: allOrNone({
      secretKey: env.XENDIT_SECRET_KEY,
      callbackToken: env.XENDIT_CALLBACK_TOKEN,
      apiUrl: env.XENDIT_API_URL.replace(/\/$/, ''),
    }),
    stripe: allOrNone({
      secretKey: env.STRIPE_SECRET_KEY,
      webhookSecret: env.STRIPE_WEBHOOK_SECRET,
      apiUrl: env.STRIPE_API_URL.replace(/\/$/, ''),
    }),
    billplz: allOrNone({
      apiKey: env.BILLPLZ_API_KEY,
      xSignatureKey: env.BILLPLZ_X_SIGNATURE_KEY,
      collectionId: env.BILLPLZ_COLLECTION_ID,
      apiUrl: env.BILLPLZ_API_URL.replace(/\/$/, ''),
      callbackUrl: `${env.ALUR_PUBLIC_URL.replace(/\/$/, '')}/webhooks/billplz`,
    }),
    money: { gatewayOrder: env.ALUR_GATEWAY_ORDER, refundApprovalAbove: env.ALUR_REFUND_APPROVAL_ABOVE },
    jwt: { privateKeyPem: env.ALUR_JWT_PRIVATE_KEY, previousKeysPem: env.ALUR_JWT_PREVIOUS_KEYS },
    auditPrivateKeyPem: env.ALUR_AUDIT_PRIVATE_KEY,
    secretKey: fromBase64(env.ALUR_SECRET_KEY),
    /** The first seals; the others only open. */
    personalDataKeys: [env.ALUR_PERSONAL_DATA_KEY, ...env.ALUR_PERSONAL_DATA_PREVIOUS_KEYS].map(fromBase64),
    access: {
      staffSecondFactor: env.ALUR_STAFF_SECOND_FACTOR,
      requireVerifiedEmail: env.ALUR_REQUIRE_VERIFIED_EMAIL,
      passwords: { minLength: env.ALUR_PASSWORD_MIN_LENGTH, passphraseLength: env.ALUR_PASSPHRASE_LENGTH },
      requestsPerMinute: env.ALUR_REQUESTS_PER_MINUTE,
    },
    onboarding: {
      required: env.ALUR_ONBOARDING_REQUIRED,
      retentionDays: env.ALUR_ONBOARDING_RETENTION_DAYS,
    },
    corsOrigins: env.ALUR_CORS_ORIGINS.map((origin) => new URL(origin).origin),
    oidc: allOrNone({
      issuer: env.ALUR_OIDC_ISSUER,
      clientId: env.ALUR_OIDC_CLIENT_ID,
      clientSecret: env.ALUR_OIDC_CLIENT_SECRET,
    }),
    sms: allOrNone({ url: env.ALUR_SMS_URL, token: env.ALUR_SMS_TOKEN }),
    registries: allOrNone({ url: env.ALUR_REGISTRY_URL?.replace(/\/$/, ''), token: env.ALUR_REGISTRY_TOKEN }),
    carrier: allOrNone({
      url: env.ALUR_CARRIER_URL?.replace(/\/$/, ''),
      key: env.ALUR_CARRIER_KEY,
      webhookSecret: env.ALUR_CARRIER_WEBHOOK_SECRET,
    }),
    signer: { keyFile: env.ALUR_SIGNER_KEY_FILE, certificateFile: env.ALUR_SIGNER_CERTIFICATE_FILE },
  };
}

type FileSettings =
  | { readonly directory: string }
  | {
      readonly bucket: string;
      readonly prefix: string;
      readonly region: string;
      readonly endpoint: string | undefined;
    };

function filesOf(env: z.infer<typeof environment>): FileSettings {
  // That one of the two is set was made sure of before.
  if (env.ALUR_FILES === undefined) return { directory: env.ALUR_FILES_DIR ?? '' };
  const { hostname, pathname } = new URL(env.ALUR_FILES);
  return {
    bucket: hostname,
    prefix: pathname.replaceAll(/^\/+|\/+$/g, ''),
    region: env.ALUR_S3_REGION,
    endpoint: env.ALUR_S3_ENDPOINT,
  };
}

function addressOf(hostAndPort: string): { readonly host: string; readonly port: number } {
  const [host = '', port = ''] = hostAndPort.split(':');
  return { host, port: Number(port) };
}

const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64');

/** undefined when none is set. That some are and others not, `halves` refuses before. */
function allOrNone<Part extends Record<string, string | undefined>>(
  parts: Part,
): { readonly [Name in keyof Part]: string } | undefined {
  return isWhole(parts) ? parts : undefined;
}

const isWhole = <Part extends Record<string, string | undefined>>(
  parts: Part,
): parts is Part & { readonly [Name in keyof Part]: string } =>
  Object.values(parts).every((value) => value !== undefined);

/** Settings that make sense together only. */
const TOGETHER = [
  ['ALUR_OIDC_ISSUER', 'ALUR_OIDC_CLIENT_ID', 'ALUR_OIDC_CLIENT_SECRET'],
  ['ALUR_SMS_URL', 'ALUR_SMS_TOKEN'],
  ['ALUR_REGISTRY_URL', 'ALUR_REGISTRY_TOKEN'],
  ['ALUR_CARRIER_URL', 'ALUR_CARRIER_KEY', 'ALUR_CARRIER_WEBHOOK_SECRET'],
  ['XENDIT_SECRET_KEY', 'XENDIT_CALLBACK_TOKEN'],
  ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
  ['BILLPLZ_API_KEY', 'BILLPLZ_X_SIGNATURE_KEY', 'BILLPLZ_COLLECTION_ID'],
] as const satisfies readonly (readonly (keyof z.infer<typeof environment>)[])[];

function halves(env: z.infer<typeof environment>): string[] {
  return TOGETHER.flatMap((names) => {
    const missing = names.filter((name) => env[name] === undefined);
    if (missing.length === 0 || missing.length === names.length) return [];
    return missing.map(
      (name) => `${name} is not set; it is needed with ${names.filter((n) => n !== name).join(', ')}.`,
    );
  });
}

const noFiles = ({ ALUR_FILES, ALUR_FILES_DIR }: z.infer<typeof environment>): string[] =>
  ALUR_FILES === undefined && ALUR_FILES_DIR === undefined
    ? [`ALUR_FILES_DIR is not set; it must be ${DESCRIPTIONS['ALUR_FILES_DIR']}.`]
    : [];

const SECRET = /KEY|SECRET|PASSWORD|TOKEN|DATABASE_URL|SMTP_URL/;

/**
 * Reads and validates every setting.
 * @throws ConfigError with one sentence per bad setting: variable, value (never a secret's) and what is allowed.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  // An empty variable is how compose files and shells spell "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => sentence(issue, given)));
  }
  const refused = [
    ...noFiles(parsed.data),
    ...halves(parsed.data),
    ...(parsed.data.ALUR_MODE === 'production' ? localValuesIn(parsed.data) : []),
  ];
  if (refused.length > 0) throw new ConfigError(refused);
  return shape(parsed.data);
}

export class ConfigError extends Error {
  override name = 'ConfigError';
  constructor(sentences: string[]) {
    super(sentences.join('\n'));
  }
}

function sentence(issue: z.core.$ZodIssue, env: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0]);
  const value = env[name];
  if (value === undefined) return `${name} is not set; it must be ${allowed(name, issue)}.`;
  const shown = SECRET.test(name) ? 'a value that is not shown here' : JSON.stringify(value);
  return `${name} is ${shown}; it must be ${allowed(name, issue)}.`;
}

function allowed(name: string, issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `one of ${issue.values.join(', ')}`;
    case 'too_small':
      return issue.origin === 'string' ? `at least ${issue.minimum} characters` : `${issue.minimum} or more`;
    case 'too_big':
      return `${issue.maximum} or less`;
    case 'invalid_type':
      return issue.expected === 'string' ? (DESCRIPTIONS[name] ?? 'a text') : `a ${issue.expected}`;
    default:
      return issue.message.replace(/^Invalid (input|string): /, '');
  }
}

const DESCRIPTIONS: Record<string, string> = {
  DATABASE_URL: 'a URL starting with postgres://',
  SMTP_URL: 'a URL starting with smtp:// or smtps://',
  ALUR_FILES_DIR: 'a directory for uploads and documents',
  MIDTRANS_SERVER_KEY: 'the server key from the Midtrans dashboard',
  ALUR_JWT_PRIVATE_KEY: 'an Ed25519 private key as PKCS#8 PEM',
  ALUR_AUDIT_PRIVATE_KEY: 'an Ed25519 private key as PKCS#8 PEM, another than ALUR_JWT_PRIVATE_KEY',
  ALUR_SECRET_KEY: '32 random bytes in base64 (openssl rand -base64 32)',
  ALUR_PERSONAL_DATA_KEY: '32 random bytes in base64 (openssl rand -base64 32)',
  ALUR_SIGNER_KEY_FILE: 'the path of a PEM private key that signs PDFs',
  ALUR_SIGNER_CERTIFICATE_FILE: 'the path of the PEM certificate that belongs to ALUR_SIGNER_KEY_FILE',
};

function localValuesIn(env: z.infer<typeof environment>): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === 'string' && value.includes(LOCAL_SECRET_PREFIX)) {
      found.push(`${name} holds a value of the local mode; production needs one of its own.`);
    }
  }
  if (env.ALUR_PUBLIC_URL.startsWith('http://')) {
    found.push('ALUR_PUBLIC_URL starts with http://; in production it must start with https://.');
  }
  if (env.ALUR_S3_ENDPOINT?.startsWith('http://')) {
    found.push('ALUR_S3_ENDPOINT starts with http://; in production it must start with https://.');
  }
  if (env.ALUR_CARRIER_URL?.startsWith('http://')) {
    found.push('ALUR_CARRIER_URL starts with http://; in production it must start with https://.');
  }
  if (env.ALUR_OIDC_ISSUER?.startsWith('http://')) {
    found.push('ALUR_OIDC_ISSUER starts with http://; in production it must start with https://.');
  }
  return found;
}
