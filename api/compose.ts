/** Puts the parts of the API together from its settings. */
import { Client, Connection } from '@temporalio/client';
import type { Config } from '../config.ts';
import { auditJwkOf } from '../db/audit-hash.ts';
import { connect } from '../db/connection.ts';
import { openFileStore } from '../db/file-stores.ts';
import { createPersonalData } from '../db/personal-data.ts';
import { createAccessChanges } from './access-changes.ts';
import { createApiKeys } from './api-keys.ts';
import type { ApiDeps } from './deps.ts';
import { createDocumentChecks } from './document-checks.ts';
import { createEntitlementsCache } from './entitlements.ts';
import { createIdentityProvider } from './identity-provider.ts';
import { createLogger } from './logging.ts';
import { createNoticeTelling } from './notice-telling.ts';
import { createRateLimits } from './rate-limits.ts';
import { createAccessTokens } from './tokens.ts';
import { createApplicationChanges, createCompanyChanges, createOrderChanges, createReturnChanges } from './waiting.ts';

/** Opens what the API works with; nothing is asked yet. */
export async function depsOf(config: Config): Promise<ApiDeps> {
  const { publicUrl } = config;
  const logger = createLogger(config.logLevel);
  const db = connect(config.database.url, config.database.pool, 'alur-api');
  const production = config.mode === 'production';
  const personalData = createPersonalData(config.personalDataKeys);
  const accessChanges = createAccessChanges(config.database.url, db, logger);
  accessChanges.open();
  const companyChanges = createCompanyChanges(config.database.url, logger);
  const connection = Connection.lazy({ address: config.temporal.address });
  const temporal = new Client({ connection, namespace: config.temporal.namespace });
  const { taskQueue } = config.temporal;
  return {
    db,
    temporal,
    taskQueue,
    files: await openFileStore(config.files),
    documentChecks: createDocumentChecks(),
    scansDocuments: config.clamav !== undefined,
    tokens: await createAccessTokens({ ...config.jwt, publicUrl }),
    publicUrl,
    gateways: config,
    carrier: config.carrier,
    money: config.money,
    personalData,
    auditKey: auditJwkOf(config.auditPrivateKeyPem),
    secretKey: config.secretKey,
    access: config.access,
    smsOffered: config.sms !== undefined,
    accessChanges,
    apiKeys: createApiKeys({ db, accessChanges, logger, production }),
    oidc: config.oidc && createIdentityProvider(providerSettings(config.oidc, publicUrl, production)),
    logger,
    selfRegistration: config.api.selfRegistration,
    trustedProxies: config.api.trustedProxies,
    corsOrigins: config.corsOrigins,
    limits: createRateLimits({ db, logger, personalData, requestsPerMinute: config.access.requestsPerMinute }),
    production,
    changes: createApplicationChanges(config.database.url, logger),
    onboarding: config.onboarding,
    companyChanges,
    orderChanges: createOrderChanges(config.database.url, logger),
    returnChanges: createReturnChanges(config.database.url, logger),
    entitlements: createEntitlementsCache(db, companyChanges),
    notices: createNoticeTelling({ db, temporal, taskQueue, logger }),
  };
}

const providerSettings = (oidc: NonNullable<Config['oidc']>, publicUrl: string, production: boolean) => ({
  ...oidc,
  redirectUri: `${publicUrl}/api/v1/auth/oidc/callback`,
  insecure: !production && oidc.issuer.startsWith('http:'),
});
