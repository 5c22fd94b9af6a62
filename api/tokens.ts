/** Access tokens: JWTs of 15 minutes, signed with Ed25519. What they claim is believed without asking the database. */
import { createPrivateKey, createPublicKey, hash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { JOSEError } from 'jose/errors';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { asId, type UserId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { ROLES } from '../domain/roles.ts';

export const ACCESS_TOKEN_SECONDS = 15 * 60;
/** The only algorithm that is accepted: `none` and HMAC with the public key as secret fail here. */
const ALGORITHM = 'EdDSA';

export interface AccessTokens {
  issue(actor: Actor): Promise<string>;
  /** What was verified a moment ago, without waiting; undefined = ask `verify`. */
  known(token: string): Actor | undefined;
  /** undefined for whatever is not a valid token of this API. */
  verify(token: string): Promise<Actor | undefined>;
  /** Public keys, for /.well-known/jwks.json. */
  readonly jwks: JSONWebKeySet;
}

const claims = z.object({ sub: z.uuid(), roles: z.array(z.enum(ROLES)), exp: z.number() });

/** @param privateKeyPem PKCS#8 PEM of an Ed25519 key @throws TypeError for a key of another kind */
export async function createAccessTokens(options: { privateKeyPem: string; publicUrl: string }): Promise<AccessTokens> {
  const privateKey = createPrivateKey(options.privateKeyPem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('access tokens need an Ed25519 private key');
  const publicKey = createPublicKey(privateKey);
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const [issuer, audience] = [options.publicUrl, `${options.publicUrl}/api/v1`];
  // A signature check costs more than the whole rest of a status read. Keyed by hash, so that no token lies in memory.
  const verified = new LRUCache<string, Actor>({ max: 10_000, ttl: ACCESS_TOKEN_SECONDS * 1000 });

  return {
    issue: ({ userId, roles }) =>
      new SignJWT({ roles: [...roles] })
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${ACCESS_TOKEN_SECONDS}s`)
        .sign(privateKey),
    known: (token) => verified.get(hash('sha256', token)),
    async verify(token) {
      const payload = await payloadOf(token, async (header) => {
        if (header.kid !== kid) throw new JOSEError('unknown kid');
        return publicKey;
      });
      const said = claims.safeParse(payload);
      if (!said.success) return undefined;
      const actor: Actor = { userId: asId<UserId>(said.data.sub), roles: said.data.roles };
      const ttl = said.data.exp * 1000 - Date.now();
      if (ttl > 0) verified.set(hash('sha256', token), actor, { ttl });
      return actor;
    },
    jwks: { keys: [{ ...jwk, kid, alg: ALGORITHM, use: 'sig' }] },
  };

  async function payloadOf(token: string, keyFor: (header: { kid?: string }) => Promise<typeof publicKey>) {
    try {
      const { payload } = await jwtVerify(token, keyFor, { issuer, audience, algorithms: [ALGORITHM], typ: 'JWT' });
      return payload;
    } catch (error) {
      if (error instanceof JOSEError) return undefined;
      throw error;
    }
  }
}
