/**
 * PAdES B-B signatures (ETSI EN 319 142-1): a detached CMS in the PDF, with the signer's certificate bound by
 * signingCertificateV2. The time of signing stands in the PDF's /M and, as the standard wants, not in the CMS.
 */
import { createHash, createPrivateKey, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { plainAddPlaceholder } from '@signpdf/placeholder-plain';
import { Signer, SignPdf } from '@signpdf/signpdf';
import { SUBFILTER_ETSI_CADES_DETACHED } from '@signpdf/utils';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

export interface SignatureOptions {
  /** Why, where and by whom, as a PDF reader shows it. Plain ASCII; anything else is folded to it. */
  readonly reason: string;
  readonly location: string;
  readonly name: string;
  readonly signedAt: Date;
}

/** Signs a PDF that Alur rendered; an external provider (PSrE) takes the local signer's place in production. */
export interface PdfSigner {
  sign(pdf: Buffer, options: SignatureOptions): Promise<Buffer>;
}

const OID = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;

/**
 * A signer with a key of its own: an RSA or NIST elliptic-curve key as PEM, and its certificate, followed in the same
 * PEM by the rest of its chain, if any.
 * @throws Error when the key does not belong to the (first) certificate
 */
export function createLocalSigner(options: { keyPem: string; certificatePem: string }): PdfSigner {
  const key = createPrivateKey(options.keyPem);
  const chain = certificatesIn(options.certificatePem);
  const [own] = chain;
  if (!own?.checkPrivateKey(key)) {
    throw new Error(
      'The signing key does not belong to the signing certificate: check that both files are of one pair.',
    );
  }
  return {
    async sign(pdf, signature) {
      refuseOutsideValidity(own, signature.signedAt);
      const prepared = plainAddPlaceholder({
        pdfBuffer: pdf,
        reason: ascii(signature.reason),
        location: ascii(signature.location),
        name: ascii(signature.name),
        contactInfo: '',
        signingTime: signature.signedAt,
        subFilter: SUBFILTER_ETSI_CADES_DETACHED,
      });
      return new SignPdf().sign(prepared, new CmsSigner(key, chain));
    },
  };
}

/** A class only because SignPdf asks for an instance of its `Signer`. */
class CmsSigner extends Signer {
  readonly #key: KeyObject;
  readonly #chain: readonly X509Certificate[];
  constructor(key: KeyObject, chain: readonly X509Certificate[]) {
    super();
    this.#key = key;
    this.#chain = chain;
  }
  override sign(signedBytes: Buffer): Promise<Buffer> {
    return detachedCms(signedBytes, this.#key, this.#chain);
  }
}

async function detachedCms(content: Buffer, key: KeyObject, chain: readonly X509Certificate[]): Promise<Buffer> {
  const certificates = chain.map((certificate) => pkijs.Certificate.fromBER(certificate.raw));
  const [own] = certificates;
  const [ownRaw] = chain;
  if (!own || !ownRaw) throw new Error('The signing certificate file holds no certificate.');
  const cms = new pkijs.SignedData({
    version: 1,
    encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: pkijs.id_ContentType_Data }),
    certificates,
    signerInfos: [
      new pkijs.SignerInfo({
        version: 1,
        sid: new pkijs.IssuerAndSerialNumber({ issuer: own.issuer, serialNumber: own.serialNumber }),
        signedAttrs: new pkijs.SignedAndUnsignedAttributes({ type: 0, attributes: signedAttributes(content, ownRaw) }),
      }),
    ],
  });
  await cms.sign(await webCryptoKey(key), 0, 'SHA-256');
  const info = new pkijs.ContentInfo({ contentType: pkijs.id_ContentType_SignedData, content: cms.toSchema(true) });
  return Buffer.from(info.toSchema().toBER());
}

function signedAttributes(content: Buffer, certificate: X509Certificate): pkijs.Attribute[] {
  const attributes = [
    new pkijs.Attribute({
      type: OID.contentType,
      values: [new asn1js.ObjectIdentifier({ value: pkijs.id_ContentType_Data })],
    }),
    new pkijs.Attribute({
      type: OID.messageDigest,
      values: [new asn1js.OctetString({ valueHex: sha256(content) })],
    }),
    new pkijs.Attribute({ type: OID.signingCertificateV2, values: [signingCertificateV2(certificate)] }),
  ];
  // The signature is over the DER of a SET, whose members are in order of their encodings; pkijs writes them as given.
  return attributes.toSorted((a, b) => Buffer.compare(der(a), der(b)));
}

const der = (attribute: pkijs.Attribute): Buffer => Buffer.from(attribute.toSchema().toBER());

/** RFC 5035: SEQUENCE { certs SEQUENCE OF ESSCertIDv2 { certHash } }; SHA-256 is the default and stays unsaid. */
const signingCertificateV2 = (certificate: X509Certificate): asn1js.Sequence => {
  const certId = new asn1js.Sequence({ value: [new asn1js.OctetString({ valueHex: sha256(certificate.raw) })] });
  return new asn1js.Sequence({ value: [new asn1js.Sequence({ value: [certId] })] });
};

const sha256 = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(createHash('sha256').update(bytes).digest());

function webCryptoKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, signingAlgorithm(key), false, ['sign']);
}

function signingAlgorithm(key: KeyObject): webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return { name: 'ECDSA', namedCurve: 'P-256' };
  if (curve === 'secp384r1') return { name: 'ECDSA', namedCurve: 'P-384' };
  throw new Error(`PDFs are signed with an RSA, P-256 or P-384 key, not with ${curve ?? key.asymmetricKeyType}.`);
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function refuseOutsideValidity(certificate: X509Certificate, at: Date): void {
  if (at >= new Date(certificate.validFrom) && at <= new Date(certificate.validTo)) return;
  throw new Error(
    `The signing certificate is valid from ${certificate.validFrom} to ${certificate.validTo}, not at ${at.toISOString()}: install a current one.`,
  );
}

/**
 * The placeholder library writes PDF strings as UTF-8, which garbles the UTF-16 it makes of anything but ASCII, and
 * copies a text that holds `<<` unescaped into the file.
 */
const ascii = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[\u2010-\u2015]/g, '-')
    .replace(/[^\x20-\x7e]|[<>]/g, '?');
