/** Hashes and signatures of the audit's chain; what exactly is hashed is domain/audit.ts's. */
import { createHash, createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import {
  type AuditedEvent,
  canonicalEvent,
  canonicalHeader,
  canonicalLine,
  type Seal,
  type SealHeader,
  signedText,
} from '../domain/audit.ts';

export const hashOfEvent = (event: AuditedEvent): string => hash('sha256', canonicalEvent(event));

/** Takes a batch event by event, so that a long one need not be in memory. */
export function startBatchHash(header: SealHeader) {
  const sum = createHash('sha256').update(canonicalHeader(header));
  return {
    add: (event: { readonly id: string; readonly hash: string }): void => void sum.update(canonicalLine(event)),
    digest: (): string => sum.digest('hex'),
  };
}

/** A public key as /.well-known/audit-keys.json and exports give it (RFC 8037), under its RFC 7638 thumbprint. */
export interface AuditJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

/** @param pem a public or a private key @throws TypeError for a key of another kind than Ed25519 */
export const auditJwkOf = (pem: string): AuditJwk => jwkOf(createPublicKey(pem));

function jwkOf(key: KeyObject): AuditJwk {
  const { x } = key.export({ format: 'jwk' });
  if (key.asymmetricKeyType !== 'ed25519' || x === undefined)
    throw new TypeError(
      `the audit is signed with Ed25519, and this key is ${key.asymmetricKeyType ?? 'of no known kind'}`,
    );
  const required = { crv: 'Ed25519', kty: 'OKP', x } as const;
  return { ...required, kid: hash('sha256', JSON.stringify(required), 'base64url'), use: 'sig', alg: 'EdDSA' };
}

export interface AuditSigner {
  readonly keyId: string;
  sign(batchHash: string): string;
}

export function createAuditSigner(privateKeyPem: string): AuditSigner {
  const key = createPrivateKey(privateKeyPem);
  return {
    keyId: jwkOf(createPublicKey(key)).kid,
    sign: (batchHash) => sign(null, Buffer.from(signedText(batchHash)), key).toString('base64url'),
  };
}

/** Keys that verify, by their thumbprint. */
export type AuditKeys = ReadonlyMap<string, KeyObject>;

/** The thumbprint is made here and not believed: a key cannot pass for another. */
export function auditKeysOf(keys: readonly KeyObject[]): AuditKeys {
  return new Map(keys.map((key) => [jwkOf(key).kid, key]));
}

export function isSignedBy(key: KeyObject, seal: Pick<Seal, 'hash' | 'signature'>): boolean {
  return verify(null, Buffer.from(signedText(seal.hash)), key, Buffer.from(seal.signature, 'base64url'));
}
