import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { createKurir } from '../activities/carriers/kurir.ts';
import { createLocalSigner } from '../activities/documents/signing.ts';
import { createGateways } from '../activities/gateways/index.ts';
import { MAIL_TEMPLATES } from '../activities/mail/templates.ts';
import { createMailTransport } from '../activities/mail/transport.ts';
import { createRegistries } from '../activities/registries/client.ts';
import { createSmsSender } from '../activities/sms/sender.ts';
import { createVirusScanner } from '../activities/virus-scanner.ts';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { connect } from '../db/connection.ts';
import { openFileStore } from '../db/file-stores.ts';
import { ensureTemplates } from '../db/mail.ts';
import { createPersonalData } from '../db/personal-data.ts';
import { BUILT_BUNDLE, bundleWorkflows } from './bundle.ts';
import { createWorkers } from './create.ts';
import { serveHealth } from './health.ts';
import { keepSchedules } from './schedules.ts';
import { createLogger, logTo } from './telemetry.ts';

/** Runs until SIGTERM or SIGINT, then drains: no new tasks, time for what is under way, and out. */
async function main(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  Runtime.install({ logger: logTo(logger), shutdownSignals: ['SIGTERM', 'SIGINT'] });
  const db = connect(config.database.url, config.database.pool, 'alur-worker');
  await ensureTemplates(db, MAIL_TEMPLATES);
  const mail = createMailTransport(config.mail);
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const workers = await createWorkers({
    connection,
    ...config.temporal,
    gatewayCallsPerSecond: config.gatewayCallsPerSecond,
    shutdownGraceSeconds: config.shutdownGraceSeconds,
    build: config.workerBuild,
    workflowBundle: existsSync(BUILT_BUNDLE) ? { codePath: BUILT_BUNDLE } : { code: await bundleWorkflows() },
    deps: {
      db,
      mail,
      files: await openFileStore(config.files),
      gateways: createGateways(config, db),
      money: config.money,
      signer: createLocalSigner(await signerFiles(config)),
      sms: config.sms ? createSmsSender(config.sms) : null,
      registries: config.registries ? createRegistries(config.registries) : null,
      carrier: config.carrier ? createKurir(config.carrier) : null,
      scanner: config.clamav ? createVirusScanner(config.clamav) : null,
      documentRetentionDays: config.documentRetentionDays,
      publicUrl: config.publicUrl,
      personalData: createPersonalData(config.personalDataKeys),
      secretKey: config.secretKey,
      auditPrivateKeyPem: config.auditPrivateKeyPem,
    },
  });
  const health = serveHealth(workers, config.metricsPort);
  logger.info({ taskQueue: config.temporal.taskQueue }, 'worker takes tasks');
  const client = new Client({ connection, namespace: config.temporal.namespace });
  const schedules = keepSchedules(client, config.temporal.taskQueue, logger);
  await workers.run();
  health.close();
  await schedules.stop();
  mail.close();
  await connection.close();
  await db.destroy();
  logger.info('worker has drained');
}

async function signerFiles({ signer }: Config): Promise<{ keyPem: string; certificatePem: string }> {
  const [keyPem, certificatePem] = await Promise.all([
    readFile(signer.keyFile, 'utf8'),
    readFile(signer.certificateFile, 'utf8'),
  ]);
  return { keyPem, certificatePem };
}

try {
  await main(loadConfig());
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
