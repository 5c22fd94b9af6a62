import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureLocalSigner } from '../../local/signer.ts';

describe('the local signer', function () {
  this.timeout(60_000);
  let directory: string;

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'alur-signer-')), 'not', 'there', 'yet');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('makes a key and a certificate that says it is not certified, for ten years', async () => {
    const { keyFile, certificateFile } = await ensureLocalSigner(directory);
    const certificate = new X509Certificate(await readFile(certificateFile));
    assert.equal(certificate.subject, 'CN=Alur Local Signer – not certified');
    assert.equal(certificate.issuer, certificate.subject);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(await readFile(keyFile))));
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.ca, false);
    const years = new Date(certificate.validTo).getUTCFullYear() - new Date().getUTCFullYear();
    assert.equal(years, 10);
    assert.ok(new Date(certificate.validFrom) < new Date());
  });

  it('keeps them from other users of the machine', async () => {
    const { keyFile, certificateFile } = await ensureLocalSigner(directory);
    for (const file of [keyFile, certificateFile]) assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it('reuses them ever after', async () => {
    const first = await ensureLocalSigner(directory);
    const key = await readFile(first.keyFile, 'utf8');
    assert.deepEqual(await ensureLocalSigner(directory), first);
    assert.equal(await readFile(first.keyFile, 'utf8'), key);
  });

  it('makes one pair when several processes start at once, and leaves nothing half-made', async () => {
    const [files] = await Promise.all([1, 2, 3].map(() => ensureLocalSigner(directory)));
    assert.ok(files);
    const certificate = new X509Certificate(await readFile(files.certificateFile));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(await readFile(files.keyFile))));
    assert.deepEqual(await readdir(directory), ['signer']);
  });

  it('does not change the signer when one of its files is gone', async () => {
    const { keyFile } = await ensureLocalSigner(directory);
    await rm(keyFile);
    await assert.rejects(ensureLocalSigner(directory), /must hold key\.pem and certificate\.pem/);
  });
});
