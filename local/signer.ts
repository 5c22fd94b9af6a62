/** The key that signs PDFs on one machine: made once, kept, and certified by nobody but itself. */
import { KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

export interface LocalSignerFiles {
  readonly keyFile: string;
  readonly certificateFile: string;
}

const COMMON_NAME = 'Alur Local Signer – not certified';
const VALID_YEARS = 10;
const DAY_MS = 86_400_000;
// RSA, because more PDF readers check it than check elliptic curves.
const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
};

/**
 * The key and certificate under `directory`, made on the first call and reused ever after, by several processes at once
 * too: the pair comes into being as one directory, renamed into place, so nobody ever sees half of it.
 * @throws Error when one of the two files was taken away: signatures must not silently change their signer
 */
export async function ensureLocalSigner(directory: string): Promise<LocalSignerFiles> {
  const home = join(directory, 'signer');
  const files = { keyFile: join(home, 'key.pem'), certificateFile: join(home, 'certificate.pem') };
  if (existsSync(home)) return whole(home, files);
  await mkdir(directory, { recursive: true });
  const half = await mkdtemp(join(directory, 'signer-'));
  const { keyPem, certificatePem } = await makePair(new Date());
  await writeFile(join(half, 'key.pem'), keyPem, { mode: 0o600 });
  await writeFile(join(half, 'certificate.pem'), certificatePem, { mode: 0o600 });
  await rename(half, home).catch(async (error: unknown) => {
    // Another process was first (a directory that is not empty is never replaced): its pair is the one.
    await rm(half, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  });
  return whole(home, files);
}

function whole(home: string, files: LocalSignerFiles): LocalSignerFiles {
  if (existsSync(files.keyFile) && existsSync(files.certificateFile)) return files;
  throw new Error(`${home} must hold key.pem and certificate.pem; remove the directory to have a new pair made.`);
}

async function makePair(now: Date): Promise<{ keyPem: string; certificatePem: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await selfSigned(keys, now);
  return {
    keyPem: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: new X509Certificate(Buffer.from(certificate.toSchema().toBER())).toString(),
  };
}

async function selfSigned(keys: webcrypto.CryptoKeyPair, now: Date): Promise<pkijs.Certificate> {
  const name = new pkijs.RelativeDistinguishedNames({
    typesAndValues: [
      new pkijs.AttributeTypeAndValue({ type: '2.5.4.3', value: new asn1js.Utf8String({ value: COMMON_NAME }) }),
    ],
  });
  const until = new Date(now);
  until.setUTCFullYear(now.getUTCFullYear() + VALID_YEARS);
  const certificate = new pkijs.Certificate({
    version: 2,
    serialNumber: new asn1js.Integer({ valueHex: positive(randomBytes(16)) }),
    issuer: name,
    subject: name,
    // A day early: what signs may run on a clock that is behind this one.
    notBefore: new pkijs.Time({ type: 0, value: new Date(now.getTime() - DAY_MS) }),
    notAfter: new pkijs.Time({ type: 0, value: until }),
    extensions: usage(),
  });
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(keys.privateKey, 'SHA-256');
  return certificate;
}

/** Signs documents (digitalSignature, nonRepudiation) and no other certificates. */
function usage(): pkijs.Extension[] {
  const basicConstraints = new pkijs.BasicConstraints({ cA: false }).toSchema();
  const keyUsage = new asn1js.BitString({ valueHex: new Uint8Array([0b1100_0000]).buffer, unusedBits: 6 });
  return [
    new pkijs.Extension({ extnID: '2.5.29.19', critical: true, extnValue: basicConstraints.toBER() }),
    new pkijs.Extension({ extnID: '2.5.29.15', critical: true, extnValue: keyUsage.toBER() }),
  ];
}

/** X.509 serial numbers are positive and without a leading zero byte. */
function positive(bytes: Buffer): ArrayBuffer {
  const serial = Uint8Array.from(bytes);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial.buffer;
}
