import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_SECRET_PREFIX } from '../../config.ts';
import { ensureLocalSecrets } from '../../local/secrets.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

describe('the secrets of the local mode', () => {
  let directory = '';
  beforeEach(async () => {
    directory = join(await temporaryDirectory(), 'secrets');
  });
  afterEach(() => removeDirectory(join(directory, '..')));

  it('are made once and stay', async () => {
    const made = await ensureLocalSecrets(directory);
    assert.equal(createPrivateKey(made.jwtPrivateKeyPem).asymmetricKeyType, 'ed25519');
    assert.equal(createPrivateKey(made.auditPrivateKeyPem).asymmetricKeyType, 'ed25519');
    for (const key of [made.secretKey, made.personalDataKey]) assert.equal(Buffer.from(key, 'base64').length, 32);
    assert.ok(made.midtransServerKey.startsWith(LOCAL_SECRET_PREFIX));
    assert.deepEqual(await ensureLocalSecrets(directory), made);
  });

  it('are for their owner only', async () => {
    await ensureLocalSecrets(directory);
    const files = await readdir(directory);
    assert.equal(files.length, 5);
    for (const path of [directory, ...files.map((file) => join(directory, file))]) {
      assert.equal((await stat(path)).mode & 0o077, 0, path);
    }
  });
});
