/**
 * A worker in a process of its own that kills itself, as `kill -9` would, at one point of one activity:
 * `before` it did anything, or `after` its work was committed and before the answer left. Run by crash.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createLocalSigner } from '../../activities/documents/signing.ts';
import { createGateways } from '../../activities/gateways/index.ts';
import { createActivities } from '../../activities/index.ts';
import { createMailTransport } from '../../activities/mail/transport.ts';
import { connect } from '../../db/connection.ts';
import { createFileStore } from '../../db/files.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { dyingWorkerSettings } from './dying-worker-settings.ts';
import { MONEY_POLICY } from './money-policy.ts';

const settings = dyingWorkerSettings.parse(JSON.parse(process.argv[2] ?? '{}'));

const secretKey = Buffer.from(settings.secretKey, 'base64');

const db = connect(settings.databaseUrl, 10);
const activities = createActivities({
  db,
  files: createFileStore(settings.filesDir),
  gateways: createGateways(
    {
      midtrans: { serverKey: settings.midtransServerKey, snapUrl: settings.midtransUrl, apiUrl: settings.midtransUrl },
    },
    db,
  ),
  signer: createLocalSigner({
    keyPem: await readFile(settings.signerKeyFile, 'utf8'),
    certificatePem: await readFile(settings.signerCertificateFile, 'utf8'),
  }),
  mail: createMailTransport({ smtpUrl: settings.smtpUrl, from: 'Alur <no-reply@alur.example>' }),
  sms: null,
  money: MONEY_POLICY,
  publicUrl: settings.publicUrl,
  personalData: createPersonalData([secretKey]),
  secretKey,
  auditPrivateKeyPem: settings.auditPrivateKeyPem,
});

const dying = Object.fromEntries(
  Object.entries(activities).map(([name, run]) => [name, name === settings.dieAt.activity ? killerOf(run) : run]),
);

function killerOf(run: unknown): (input: unknown) => Promise<unknown> {
  return async (input) => {
    const meant = JSON.stringify(input).includes(settings.dieAt.inputContains);
    if (meant && settings.dieAt.when === 'before') die();
    const result: unknown = typeof run === 'function' ? await run(input) : null;
    if (meant) die();
    return result;
  };
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // SIGKILL takes effect before this line; it is here because the compiler cannot know.
  throw new Error('still alive');
}

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: settings.temporalAddress }),
  taskQueue: settings.taskQueue,
  workflowBundle: { code: await bundleWorkflows() },
  activities: dying,
});
await worker.run();
