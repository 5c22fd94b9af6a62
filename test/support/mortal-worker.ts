/**
 * A worker in a process of its own. It works until it is killed, or kills itself, as `kill -9` would, at one point of one
 * activity, which its settings name.
 */
import { readFile } from 'node:fs/promises';
import { NativeConnection } from '@temporalio/worker';
import type { Carrier } from '../../activities/carriers/carrier.ts';
import { createKurir } from '../../activities/carriers/kurir.ts';
import { createLocalSigner } from '../../activities/documents/signing.ts';
import type { PaymentGateway } from '../../activities/gateways/gateway.ts';
import { createGateways } from '../../activities/gateways/index.ts';
import { createActivities } from '../../activities/index.ts';
import { createMailTransport } from '../../activities/mail/transport.ts';
import { createRegistries } from '../../activities/registries/client.ts';
import { connect } from '../../db/connection.ts';
import { createFileStore } from '../../db/files.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { workersOf } from '../../worker/create.ts';
import { carrierSettings, gatewaySettings, registrySettings } from './gateway-settings.ts';
import { MONEY_POLICY } from './money-policy.ts';
import { mortalWorkerSettings } from './mortal-worker-settings.ts';

const settings = mortalWorkerSettings.parse(JSON.parse(process.argv[2] ?? '{}'));

const secretKey = Buffer.from(settings.secretKey, 'base64');

const { dieAt } = settings;
const db = connect(settings.databaseUrl, 10);
const { midtrans, ...gateways } = createGateways(
  gatewaySettings(settings.midtransServerKey, settings.sandboxUrl, settings.publicUrl),
  db,
);
const activities = createActivities({
  db,
  files: createFileStore(settings.filesDir),
  gateways: { ...gateways, ...(midtrans ? { midtrans: answeringOnce(midtrans) } : {}) },
  signer: createLocalSigner({
    keyPem: await readFile(settings.signerKeyFile, 'utf8'),
    certificatePem: await readFile(settings.signerCertificateFile, 'utf8'),
  }),
  mail: createMailTransport({ smtpUrl: settings.smtpUrl, from: 'Alur <no-reply@alur.example>' }),
  sms: null,
  carrier: sellingOnce(createKurir(carrierSettings(settings.midtransServerKey, settings.sandboxUrl))),
  scanner: null,
  documentRetentionDays: 3_650,
  registries: createRegistries(registrySettings(settings.midtransServerKey, settings.sandboxUrl)),
  money: MONEY_POLICY,
  publicUrl: settings.publicUrl,
  personalData: createPersonalData([secretKey]),
  secretKey,
  auditPrivateKeyPem: settings.auditPrivateKeyPem,
});

const dying = Object.fromEntries(
  Object.entries(activities).map(([name, run]) => [name, name === dieAt?.activity ? killerOf(run, dieAt) : run]),
);

/** It never lives to tell what the gateway answered to a refund that it was meant to die at. */
function answeringOnce(gateway: PaymentGateway): PaymentGateway {
  const { refund } = gateway;
  if (!refund || dieAt?.when !== 'gateway_answered') return gateway;
  return {
    ...gateway,
    refund: async (request) => {
      const answer = await refund(request);
      return request.key === dieAt.inputContains ? die() : answer;
    },
  };
}

/** The same of a carrier and the label that it made. */
function sellingOnce(carrier: Carrier): Carrier {
  if (dieAt?.when !== 'carrier_answered') return carrier;
  return {
    ...carrier,
    buyLabel: async (key, parcel) => {
      const label = await carrier.buyLabel(key, parcel);
      return key === dieAt.inputContains ? die() : label;
    },
  };
}

function killerOf(
  run: unknown,
  { when, inputContains }: NonNullable<typeof dieAt>,
): (input: unknown) => Promise<unknown> {
  return async (input) => {
    const meant = JSON.stringify(input).includes(inputContains);
    if (meant && when === 'before') die();
    const result: unknown = typeof run === 'function' ? await run(input) : null;
    if (meant && when === 'after') die();
    return result;
  };
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // SIGKILL takes effect before this line; it is here because the compiler cannot know.
  throw new Error('still alive');
}

const workers = await workersOf(
  {
    connection: await NativeConnection.connect({ address: settings.temporalAddress }),
    namespace: 'default',
    taskQueue: settings.taskQueue,
    workflowBundle: { codePath: settings.bundleFile },
    // Temporal would wait ten seconds for one who remembers the process before it asks another.
    maxCachedWorkflows: dieAt ? 0 : 200,
    gatewayCallsPerSecond: settings.gatewayCallsPerSecond,
    shutdownGraceSeconds: 2,
    build: null,
  },
  dying,
);
await workers.run();
