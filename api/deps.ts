import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { AuditJwk } from '../db/audit-hash.ts';
import type { Knex } from '../db/connection.ts';
import type { FileStore } from '../db/files.ts';
import type { PersonalData } from '../db/personal-data.ts';
import type { PasswordPolicy } from '../domain/passwords.ts';
import type { MoneyPolicy } from '../domain/payments.ts';
import type { AccessChanges } from './access-changes.ts';
import type { ApiKeys } from './api-keys.ts';
import type { DocumentChecks } from './document-checks.ts';
import type { EntitlementsCache } from './entitlements.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { NoticeTelling } from './notice-telling.ts';
import type { RateLimits } from './rate-limits.ts';
import type { AccessTokens } from './tokens.ts';
import type { ApplicationChanges, CompanyChanges, OrderChanges, ReturnChanges } from './waiting.ts';
import type { GatewaySecrets } from './webhooks/index.ts';

/** What the office has decided about getting in. */
export interface AccessPolicy {
  readonly staffSecondFactor: 'required' | 'optional';
  readonly requireVerifiedEmail: boolean;
  readonly passwords: PasswordPolicy;
  /** Of one caller, where a route has no limit of its own. */
  readonly requestsPerMinute: number;
}

export interface OnboardingSettings {
  /** Whether a company may apply only once it is active. */
  readonly required: boolean;
  /** How long what was entered is kept after an onboarding that came to nothing. */
  readonly retentionDays: number;
}

/** Everything that the API is handed; it opens nothing and reads no environment by itself. */
export interface ApiDeps {
  readonly db: Knex;
  readonly temporal: Client;
  readonly taskQueue: string;
  readonly files: FileStore;
  readonly documentChecks: DocumentChecks;
  /** Whether the office has a virus scanner: then uploads wait for it. */
  readonly scansDocuments: boolean;
  readonly tokens: AccessTokens;
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly gateways: GatewaySecrets;
  /** What the carrier's notices are signed with; undefined = none is expected. */
  readonly carrier: { readonly webhookSecret: string } | undefined;
  readonly money: MoneyPolicy;
  readonly personalData: PersonalData;
  /** Public part of the key that signs the audit's chain; the worker alone has the other. */
  readonly auditKey: AuditJwk;
  /** 32 bytes, from which a key for each use is derived. */
  readonly secretKey: Buffer;
  readonly access: AccessPolicy;
  /** Whether the office has an SMS provider. */
  readonly smsOffered: boolean;
  readonly accessChanges: AccessChanges;
  readonly apiKeys: ApiKeys;
  /** undefined = staff come by password only. */
  readonly oidc: IdentityProvider | undefined;
  readonly logger: Logger;
  readonly selfRegistration: boolean;
  readonly trustedProxies: number;
  /** Whose pages may call the API from a browser: `https://host`. */
  readonly corsOrigins: readonly string[];
  readonly limits: RateLimits;
  readonly production: boolean;
  readonly changes: ApplicationChanges;
  readonly companyChanges: CompanyChanges;
  readonly orderChanges: OrderChanges;
  readonly returnChanges: ReturnChanges;
  readonly onboarding: OnboardingSettings;
  readonly entitlements: EntitlementsCache;
  readonly notices: NoticeTelling;
}
