import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { finish, openDocument } from '../../../activities/documents/layout.ts';
import { createLocalSigner, type PdfSigner } from '../../../activities/documents/signing.ts';
import { ensureLocalSigner } from '../../../local/signer.ts';

const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';

const signedAt = new Date();
const options = { reason: 'Penerbitan perizinan', location: 'Kota Contoh', name: 'DPMPTSP Kota Contoh', signedAt };

interface Signature {
  readonly cms: pkijs.SignedData;
  readonly signedBytes: Buffer;
  readonly byteRange: number[];
}

function signatureIn(pdf: Buffer): Signature {
  const found = /\/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]/.exec(pdf.toString('latin1'));
  assert.ok(found, 'a byte range');
  const byteRange = found.slice(1).map(Number);
  const [start = 0, length = 0, next = 0, rest = 0] = byteRange;
  const hex = pdf.subarray(start + length + 1, next - 1).toString('latin1');
  const padded = Buffer.from(hex, 'hex');
  // What follows the DER is the placeholder's zeros; DER says its own length.
  const cmsInfo = pkijs.ContentInfo.fromBER(padded.subarray(0, 4 + padded.readUInt16BE(2)));
  return {
    cms: new pkijs.SignedData({ schema: cmsInfo.content }),
    signedBytes: Buffer.concat([pdf.subarray(start, start + length), pdf.subarray(next, next + rest)]),
    byteRange,
  };
}

async function isValid(pdf: Buffer): Promise<boolean> {
  const { cms, signedBytes } = signatureIn(pdf);
  try {
    return await cms.verify({ signer: 0, data: Uint8Array.from(signedBytes).buffer, checkChain: false });
  } catch (error) {
    assert.ok(error instanceof pkijs.SignedDataVerifyError, String(error));
    return false;
  }
}

function attributesOf({ cms }: Signature): Map<string, asn1js.BaseBlock> {
  const attributes = cms.signerInfos[0]?.signedAttrs?.attributes ?? [];
  return new Map(attributes.map(({ type, values }) => [type, values[0]]));
}

describe('signing a PDF', () => {
  let directory: string;
  let certificate: X509Certificate;
  let certificatePem: string;
  let signer: PdfSigner;
  let pdf: Buffer;
  let signed: Buffer;

  before(async function () {
    this.timeout(30_000);
    directory = await mkdtemp(join(tmpdir(), 'alur-signing-'));
    const files = await ensureLocalSigner(directory);
    certificatePem = await readFile(files.certificateFile, 'utf8');
    certificate = new X509Certificate(certificatePem);
    signer = createLocalSigner({ keyPem: await readFile(files.keyFile, 'utf8'), certificatePem });
    const doc = openDocument({ title: 'Uji', author: 'Alur', subject: 'Uji', createdAt: signedAt, language: 'id' });
    doc.text('Contoh', 50, 50);
    pdf = await finish(doc);
    signed = await signer.sign(pdf, options);
  });

  after(() => rm(directory, { recursive: true, force: true }));

  it('signs every byte but the signature itself, and leaves the document before it untouched', () => {
    const [start, length = 0, next = 0, rest = 0] = signatureIn(signed).byteRange;
    assert.equal(start, 0);
    assert.equal(next + rest, signed.length);
    assert.equal(
      signed
        .subarray(length, next)
        .toString('latin1')
        .replace(/[0-9a-f]/g, ''),
      '<>',
    );
    assert.ok(signed.subarray(0, pdf.length - 1).equals(pdf.subarray(0, -1)));
  });

  it('verifies, and no longer after a change of any one byte', async () => {
    assert.equal(await isValid(signed), true);
    const { byteRange } = signatureIn(signed);
    const [, length = 0, next = 0] = byteRange;
    for (const place of [20, pdf.indexOf('stream') + 20, length - 300, next + 5, signed.length - 2]) {
      const changed = Buffer.from(signed);
      changed[place] = (changed[place] ?? 0) ^ 1;
      assert.equal(await isValid(changed), false, `byte ${place}`);
    }
  });

  it('is a PAdES baseline signature: its attributes, and the time in the PDF only', () => {
    const source = signed.toString('latin1');
    assert.match(source, /\/SubFilter \/ETSI\.CAdES\.detached/);
    const stamp = signedAt.toISOString().replace(/[-:T]|\..*/g, '');
    assert.match(source, new RegExp(`/M \\(D:${stamp}Z\\)`));
    const attributes = attributesOf(signatureIn(signed));
    assert.deepEqual([...attributes.keys()].sort(), [MESSAGE_DIGEST, CONTENT_TYPE, SIGNING_CERTIFICATE_V2].sort());
  });

  it('binds the digest of the document and of the certificate', () => {
    const signature = signatureIn(signed);
    const attributes = attributesOf(signature);
    const digest = attributes.get(MESSAGE_DIGEST);
    assert.ok(digest instanceof asn1js.OctetString);
    assert.deepEqual(Buffer.from(digest.getValue()), createHash('sha256').update(signature.signedBytes).digest());
    const bound = Buffer.from(attributes.get(SIGNING_CERTIFICATE_V2)?.toBER() ?? new ArrayBuffer(0));
    assert.ok(bound.includes(createHash('sha256').update(certificate.raw).digest()));
    assert.equal(signature.cms.encapContentInfo.eContent, undefined);
  });

  it('orders the signed attributes as DER wants a SET', () => {
    const attributes = signatureIn(signed).cms.signerInfos[0]?.signedAttrs?.attributes ?? [];
    const encodings = attributes.map((attribute) => Buffer.from(attribute.toSchema().toBER()));
    assert.deepEqual(encodings, encodings.toSorted(Buffer.compare));
  });

  it('writes names that are not ASCII, or that look like PDF, without harm', async () => {
    const odd = await signer.sign(pdf, {
      ...options,
      name: 'Dinas „Kré“ (1)',
      location: '<< /Evil 1 >>',
      reason: 'a – b',
    });
    assert.equal(await isValid(odd), true);
    const source = odd.toString('latin1');
    assert.match(source, /\/Name \(Dinas \?Kre\? \\\(1\\\)\)/);
    assert.match(source, /\/Location \(\?\? \/Evil 1 \?\?\)/);
    assert.match(source, /\/Reason \(a - b\)/);
  });

  it('refuses a key that is not the certificate’s', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    assert.throws(() => createLocalSigner({ keyPem, certificatePem }), /does not belong to the signing certificate/);
  });

  it('refuses to sign when the certificate has expired', async () => {
    const late = new Date(new Date(certificate.validTo).getTime() + 1000);
    await assert.rejects(signer.sign(pdf, { ...options, signedAt: late }), /install a current one/);
  });

  const pdfsig = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'pdfsig'))
    .find(existsSync);
  if (pdfsig) {
    it('is valid to pdfsig, which finds the total document signed', async () => {
      const file = join(directory, 'signed.pdf');
      await writeFile(file, signed);
      const said = execFileSync(pdfsig, [file]).toString();
      assert.match(said, /Signature is Valid/);
      assert.match(said, /Total document signed/);
      assert.match(said, /ETSI\.CAdES\.detached/);
    });
  }
});
