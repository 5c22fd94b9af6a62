import assert from 'node:assert/strict';
import { ConfigError, LOCAL_SECRET_PREFIX, loadConfig } from '../config.ts';

const COMPLETE = {
  ALUR_MODE: 'production',
  ALUR_PUBLIC_URL: 'https://alur.example',
  DATABASE_URL: 'postgres://alur:geheim@db.example/alur',
  SMTP_URL: 'smtps://mail.example',
  ALUR_FILES_DIR: '/var/lib/alur/files',
  MIDTRANS_SERVER_KEY: 'Mid-server-0123456789',
  ALUR_JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----',
  ALUR_AUDIT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----',
  ALUR_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
  ALUR_PERSONAL_DATA_KEY: Buffer.alloc(32, 7).toString('base64'),
  ALUR_SIGNER_KEY_FILE: '/run/secrets/signer.pem',
  ALUR_SIGNER_CERTIFICATE_FILE: '/run/secrets/signer.crt',
};

function sentencesFor(changes: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig({ ...COMPLETE, ...changes });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n');
  }
  return assert.fail('these settings were accepted');
}

describe('settings', () => {
  it('are accepted when they are complete', () => {
    const config = loadConfig(COMPLETE);
    assert.equal(config.mode, 'production');
    assert.deepEqual(
      config.personalDataKeys.map(({ length }) => length),
      [32],
    );
  });

  it('that are missing are one sentence each, naming the variable and what it must be', () => {
    assert.deepEqual(sentencesFor({ ALUR_FILES_DIR: undefined }), [
      'ALUR_FILES_DIR is not set; it must be a directory for uploads and documents.',
    ]);
    assert.deepEqual(
      sentencesFor({ SMTP_URL: '', ALUR_SIGNER_KEY_FILE: '' }).map((sentence) => sentence.split(' ')[0]),
      ['SMTP_URL', 'ALUR_SIGNER_KEY_FILE'],
    );
  });

  it('that are wrong name the variable, the value and what is allowed', () => {
    for (const [name, value, allowed] of [
      ['ALUR_MODE', 'staging', 'local, test, production'],
      ['ALUR_API_PORT', '70000', '65535 or less'],
      ['ALUR_PUBLIC_URL', 'alur.example', 'https://'],
      ['TEMPORAL_ADDRESS', 'temporal', 'host:port'],
      ['ALUR_DATABASE_POOL', '0', '1 or more'],
    ] as const) {
      const [sentence = '', ...more] = sentencesFor({ [name]: value });
      assert.deepEqual(more, []);
      assert.ok(sentence.startsWith(`${name} is ${JSON.stringify(value)}; it must be `), sentence);
      assert.ok(sentence.includes(allowed), sentence);
    }
  });

  it('that are secret are never shown, not even when they are wrong', () => {
    const secrets = {
      DATABASE_URL: 'mysql://root:hunter2@db',
      ALUR_PERSONAL_DATA_KEY: 'hunter2',
      ALUR_JWT_PRIVATE_KEY: 'hunter2',
      MIDTRANS_SERVER_KEY: 'hunter2',
    };
    const sentences = sentencesFor(secrets);
    assert.equal(sentences.length, Object.keys(secrets).length);
    for (const sentence of sentences) assert.ok(!sentence.includes('hunter2'), sentence);
  });

  it('keep files in a directory, or in a bucket with an address and a prefix of its own', () => {
    assert.deepEqual(loadConfig(COMPLETE).files, { directory: '/var/lib/alur/files' });
    const bucket = { ALUR_FILES_DIR: '', ALUR_FILES: 's3://alur-files/kantor/' };
    assert.deepEqual(loadConfig({ ...COMPLETE, ...bucket }).files, {
      bucket: 'alur-files',
      prefix: 'kantor',
      region: 'ap-southeast-3',
      endpoint: undefined,
    });
    const other = { ALUR_FILES: 's3://alur-files', ALUR_S3_REGION: 'jkt-1', ALUR_S3_ENDPOINT: 'https://s3.example' };
    assert.deepEqual(loadConfig({ ...COMPLETE, ...other }).files, {
      bucket: 'alur-files',
      prefix: '',
      region: 'jkt-1',
      endpoint: 'https://s3.example',
    });
    assert.deepEqual(sentencesFor({ ALUR_FILES: 'https://alur-files' }), [
      'ALUR_FILES is "https://alur-files"; it must be s3://bucket or s3://bucket/prefix.',
    ]);
    // Links lead there: papers would cross the net in clear.
    assert.match(sentencesFor({ ...other, ALUR_S3_ENDPOINT: 'http://s3.example' }).join(), /must start with https:/);
  });

  it('name a virus scanner, or none', () => {
    assert.equal(loadConfig(COMPLETE).clamav, undefined);
    assert.deepEqual(loadConfig({ ...COMPLETE, ALUR_CLAMAV: 'clamav:3310' }).clamav, { host: 'clamav', port: 3310 });
    assert.match(sentencesFor({ ALUR_CLAMAV: 'clamav' }).join(), /^ALUR_CLAMAV is "clamav"; it must be host:port/);
  });

  it('name a carrier with its key and its secret, or none', () => {
    assert.equal(loadConfig(COMPLETE).carrier, undefined);
    const given = {
      ALUR_CARRIER_URL: 'https://kurir.example/',
      ALUR_CARRIER_KEY: 'kunci-kurir',
      ALUR_CARRIER_WEBHOOK_SECRET: 'rahasia-kurir',
    };
    const carrier = { url: 'https://kurir.example', key: 'kunci-kurir', webhookSecret: 'rahasia-kurir' };
    assert.deepEqual(loadConfig({ ...COMPLETE, ...given }).carrier, carrier);
    assert.match(sentencesFor({ ...given, ALUR_CARRIER_KEY: '' }).join(), /^ALUR_CARRIER_KEY is not set/);
    // Addresses of customers would cross the net in clear.
    const inClear = sentencesFor({ ...given, ALUR_CARRIER_URL: 'http://kurir.example' });
    assert.match(inClear.join(), /must start with https:/);
  });

  it('let a company apply once it is onboarded, and say how long one that came to nothing is kept', () => {
    assert.deepEqual(loadConfig(COMPLETE).onboarding, { required: true, retentionDays: 90 });
    const given = { ALUR_ONBOARDING_REQUIRED: 'false', ALUR_ONBOARDING_RETENTION_DAYS: '30' };
    assert.deepEqual(loadConfig({ ...COMPLETE, ...given }).onboarding, { required: false, retentionDays: 30 });
    assert.match(sentencesFor({ ALUR_ONBOARDING_RETENTION_DAYS: '0' }).join(), /must be 1 or more/);
  });

  it('say how long documents are kept, and never less than a month', () => {
    assert.equal(loadConfig(COMPLETE).documentRetentionDays, 3_650);
    assert.match(sentencesFor({ ALUR_DOCUMENT_RETENTION_DAYS: '7' }).join(), /must be 30 or more/);
  });

  it('say how many questions gateways are asked in a second, and never none', () => {
    assert.equal(loadConfig(COMPLETE).gatewayCallsPerSecond, 10);
    assert.equal(loadConfig({ ...COMPLETE, ALUR_GATEWAY_CALLS_PER_SECOND: '0.5' }).gatewayCallsPerSecond, 0.5);
    assert.match(sentencesFor({ ALUR_GATEWAY_CALLS_PER_SECOND: '0' }).join(), /must be 0.1 or more/);
  });

  it('of the local mode are refused in production', () => {
    const local = `${LOCAL_SECRET_PREFIX}0123456789`;
    assert.match(
      sentencesFor({ MIDTRANS_SERVER_KEY: local }).join(),
      /^MIDTRANS_SERVER_KEY holds a value of the local/,
    );
    assert.match(
      sentencesFor({ DATABASE_URL: `postgres://alur:${local}@db/alur` }).join(),
      /^DATABASE_URL holds a value/,
    );
    assert.match(sentencesFor({ ALUR_PUBLIC_URL: 'http://alur.example' }).join(), /^ALUR_PUBLIC_URL .* https:\/\//);
    const provider = { ALUR_OIDC_CLIENT_ID: 'alur', ALUR_OIDC_CLIENT_SECRET: 'a-secret-of-the-provider' };
    assert.match(
      sentencesFor({ ...provider, ALUR_OIDC_ISSUER: 'http://id.example' }).join(),
      /^ALUR_OIDC_ISSUER .* https:\/\//,
    );
    assert.equal(loadConfig({ ...COMPLETE, ALUR_MODE: 'local', MIDTRANS_SERVER_KEY: local }).mode, 'local');
  });
});
