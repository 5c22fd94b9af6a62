/** Which servers this start brings up itself, which real ones it uses, and the environment of API and worker. */
import { join } from 'node:path';
import { type Config, LOCAL_SECRET_PREFIX, loadConfig } from '../config.ts';
import type { GatewayName } from '../domain/payments.ts';
import { StartFailure } from './failure.ts';
import { gatewayAccounts } from './gateways/accounts.ts';
import { PATHS } from './paths.ts';
import type { PortName, Ports } from './ports.ts';
import type { LocalSecrets } from './secrets.ts';
import { LOCAL_SMS_TOKEN } from './sms.ts';

/** What is brought up here; the others are real servers that the environment names. */
export type OwnServers = { postgres: boolean; temporal: boolean; mailbox: boolean; gateways: boolean };

const GATEWAY_URLS = ['MIDTRANS_SNAP_URL', 'MIDTRANS_API_URL', 'XENDIT_API_URL', 'STRIPE_API_URL', 'BILLPLZ_API_URL'];

export function ownServers(env: NodeJS.ProcessEnv): OwnServers {
  return {
    postgres: !env.DATABASE_URL,
    temporal: !env.TEMPORAL_ADDRESS,
    mailbox: !env.SMTP_URL,
    gateways: GATEWAY_URLS.every((name) => !env[name]),
  };
}

/** The ports that have to be free. */
export function portsInUse(own: OwnServers): PortName[] {
  return [
    'api',
    'metrics',
    ...(own.postgres ? (['postgres'] as const) : []),
    ...(own.temporal ? (['temporal', 'temporalUi'] as const) : []),
    ...(own.mailbox ? (['mailbox', 'smtp'] as const) : []),
    ...(own.gateways ? (['gateways'] as const) : []),
  ];
}

export type Settings = {
  own: OwnServers;
  ports: Ports;
  /** What API and worker are given; a variable that is already set wins, except mode and ports. */
  childEnv: NodeJS.ProcessEnv;
  config: Config;
};

/**
 * @param databaseUrl of the embedded PostgreSQL, where that is used.
 * @throws StartFailure, ConfigError: sentences naming the variable.
 */
export function settingsOf(env: NodeJS.ProcessEnv, ports: Ports, secrets: LocalSecrets, databaseUrl: string): Settings {
  const own = ownServers(env);
  if (!own.gateways && !env.MIDTRANS_SERVER_KEY) {
    throw new StartFailure('MIDTRANS_SERVER_KEY is not set; with a real Midtrans address it must be that server key.');
  }
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const childEnv = {
    ...madeUp(ports, secrets, databaseUrl),
    ...(own.gateways ? sandboxAccounts(ports, secrets) : {}),
    ...(own.mailbox && !env.ALUR_SMS_URL && !env.ALUR_SMS_TOKEN ? localSms(ports) : {}),
    ...given,
    ...fixed(ports),
  };
  return { own, ports, childEnv, config: loadConfig(childEnv) };
}

function madeUp(ports: Ports, secrets: LocalSecrets, databaseUrl: string): NodeJS.ProcessEnv {
  return {
    ALUR_PUBLIC_URL: `http://localhost:${ports.api}`,
    // Accounts with known passwords: nobody else's machine may reach them.
    ALUR_API_HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    ALUR_FILES_DIR: PATHS.files,
    ALUR_JWT_PRIVATE_KEY: secrets.jwtPrivateKeyPem,
    ALUR_AUDIT_PRIVATE_KEY: secrets.auditPrivateKeyPem,
    ALUR_SECRET_KEY: secrets.secretKey,
    ALUR_PERSONAL_DATA_KEY: secrets.personalDataKey,
    // The demonstration accounts come in with a password alone, and mail stays on this machine.
    ALUR_STAFF_SECOND_FACTOR: 'optional',
    ALUR_REQUIRE_VERIFIED_EMAIL: 'false',
    ALUR_ONBOARDING_REQUIRED: 'false',
    // The demonstration asks faster than people do.
    ALUR_REQUESTS_PER_MINUTE: '1000',
    ALUR_GATEWAY_CALLS_PER_SECOND: '100',
    ALUR_SIGNER_KEY_FILE: join(PATHS.secrets, 'signer', 'key.pem'),
    ALUR_SIGNER_CERTIFICATE_FILE: join(PATHS.secrets, 'signer', 'certificate.pem'),
    ALUR_SHUTDOWN_GRACE_SECONDS: '5',
  };
}

/** Text messages arrive in the mailbox too. */
const localSms = (ports: Ports): NodeJS.ProcessEnv => ({
  ALUR_SMS_URL: `http://127.0.0.1:${ports.mailbox}/sms/messages`,
  ALUR_SMS_TOKEN: LOCAL_SMS_TOKEN,
});

/** Accounts at the sandboxes; where one gateway is real, none of the others is made up. */
function sandboxAccounts(ports: Ports, { midtransServerKey }: LocalSecrets): NodeJS.ProcessEnv {
  const { xendit, stripe, billplz, registries, carrier } = gatewayAccounts(midtransServerKey);
  const at = (name: GatewayName) => `http://127.0.0.1:${ports.gateways}/${name}`;
  return {
    MIDTRANS_SERVER_KEY: midtransServerKey,
    MIDTRANS_SNAP_URL: at('midtrans'),
    MIDTRANS_API_URL: at('midtrans'),
    XENDIT_SECRET_KEY: xendit.secretKey,
    XENDIT_CALLBACK_TOKEN: xendit.callbackToken,
    XENDIT_API_URL: at('xendit'),
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
    STRIPE_API_URL: at('stripe'),
    BILLPLZ_API_KEY: billplz.apiKey,
    BILLPLZ_X_SIGNATURE_KEY: billplz.xSignatureKey,
    BILLPLZ_COLLECTION_ID: billplz.collectionId,
    BILLPLZ_API_URL: `${at('billplz')}/api`,
    ALUR_REGISTRY_URL: `http://127.0.0.1:${ports.gateways}/registries`,
    ALUR_REGISTRY_TOKEN: registries.token,
    ALUR_CARRIER_URL: `http://127.0.0.1:${ports.gateways}/carrier`,
    ALUR_CARRIER_KEY: carrier.key,
    ALUR_CARRIER_WEBHOOK_SECRET: carrier.webhookSecret,
  };
}

function fixed(ports: Ports): NodeJS.ProcessEnv {
  return { ALUR_MODE: 'local', ALUR_API_PORT: String(ports.api), ALUR_METRICS_PORT: String(ports.metrics) };
}

/** Stands for the embedded database while settings are checked before it is there. */
export const DATABASE_TO_COME = `postgres://alur:${LOCAL_SECRET_PREFIX}@127.0.0.1/alur`;
