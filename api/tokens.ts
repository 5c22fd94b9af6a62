/** Access tokens: JWTs of 15 minutes, signed with Ed25519. What they claim is believed without asking the database. */
import { createPrivateKey, createPublicKey, hash, type KeyObject, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { JOSEError } from 'jose/errors';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { asId, type UserId } from '../domain/ids.ts';
import { ROLES, type Role, SCOPES } from '../domain/roles.ts';
import type { Caller, KeyOfCaller } from './request.ts';

export const ACCESS_TOKEN_SECONDS = 15 * 60;
/** The only algorithm that is accepted: `none` and HMAC with the public key as secret fail here. */
const ALGORITHM = 'EdDSA';

/** What a token says of its bearer. */
export interface TokenClaims {
  readonly userId: UserId;
  readonly roles: readonly Role[];
  readonly sessionId?: string;
  /** `users.token_version` when it was given out. */
  readonly tokenVersion?: number;
  readonly emailVerified?: boolean;
  /** Good for setting up a second factor and for nothing else. */
  readonly setupOnly?: boolean;
  /** From an API key, by the client-credentials grant. */
  readonly key?: KeyOfCaller;
}

export interface AccessTokens {
  issue(claims: TokenClaims): Promise<string>;
  /** What was verified a moment ago, without waiting; undefined = ask `verify`. */
  known(token: string): Caller | undefined;
  /** undefined for whatever is not a valid token of this API. */
  verify(token: string): Promise<Caller | undefined>;
  /** Public keys, for /.well-known/jwks.json: the current one first. */
  readonly jwks: JSONWebKeySet;
}

const claims = z.object({
  sub: z.uuid(),
  roles: z.array(z.enum(ROLES)),
  exp: z.number(),
  sid: z.uuid().optional(),
  ver: z.int().default(1),
  unverified: z.literal(true).optional(),
  setup: z.literal(true).optional(),
  key: z
    .object({ id: z.uuid(), scopes: z.array(z.enum(SCOPES)), rpm: z.int(), nets: z.array(z.string()).optional() })
    .optional(),
});

export interface TokenKeys {
  /** PKCS#8 PEM of an Ed25519 key. */
  readonly privateKeyPem: string;
  /** PEMs, private or public, of keys that signed before: their tokens are believed until they expire. */
  readonly previousKeysPem?: string;
  readonly publicUrl: string;
}

/** @throws TypeError for a key of another kind */
export async function createAccessTokens(options: TokenKeys): Promise<AccessTokens> {
  const privateKey = ed25519(createPrivateKey(options.privateKeyPem));
  const current = await published(createPublicKey(privateKey));
  const previous = await Promise.all(
    pemsOf(options.previousKeysPem).map((pem) => published(ed25519(createPublicKey(pem)))),
  );
  const keys = new Map([current, ...previous].map((key) => [key.jwk.kid, key.publicKey]));
  const [issuer, audience] = [options.publicUrl, `${options.publicUrl}/api/v1`];
  // A signature check costs more than the whole rest of a status read. Keyed by hash, so that no token lies in memory.
  const verified = new LRUCache<string, Caller>({ max: 10_000, ttl: ACCESS_TOKEN_SECONDS * 1000 });

  return {
    issue: ({ userId, roles, sessionId, tokenVersion = 1, emailVerified = true, setupOnly, key }) =>
      new SignJWT({
        roles: [...roles],
        ver: tokenVersion,
        ...(sessionId === undefined ? {} : { sid: sessionId }),
        ...(emailVerified ? {} : { unverified: true }),
        ...(setupOnly ? { setup: true } : {}),
        ...(key ? { key: keyClaim(key) } : {}),
      })
        .setProtectedHeader({ alg: ALGORITHM, kid: current.jwk.kid, typ: 'JWT' })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + secondsOf(key))
        .sign(privateKey),
    known: (token) => verified.get(hash('sha256', token)),
    async verify(token) {
      const said = claims.safeParse(await payloadOf(token));
      if (!said.success) return undefined;
      const caller = callerOf(said.data);
      const ttl = said.data.exp * 1000 - Date.now();
      if (ttl > 0) verified.set(hash('sha256', token), caller, { ttl });
      return caller;
    },
    jwks: { keys: [current, ...previous].map(({ jwk }) => jwk) },
  };

  async function payloadOf(token: string): Promise<unknown> {
    try {
      const options = { issuer, audience, algorithms: [ALGORITHM], typ: 'JWT' };
      const { payload } = await jwtVerify(token, async ({ kid = '' }) => keyNamed(kid), options);
      return payload;
    } catch (error) {
      if (error instanceof JOSEError) return undefined;
      throw error;
    }
  }

  function keyNamed(kid: string): KeyObject {
    const key = keys.get(kid);
    if (!key) throw new JOSEError('unknown kid');
    return key;
  }
}

function callerOf({ sub, roles, sid, ver, unverified, setup, key }: z.output<typeof claims>): Caller {
  return {
    userId: asId<UserId>(sub),
    roles,
    sessionId: sid,
    tokenVersion: ver,
    emailVerified: unverified === undefined,
    setupOnly: setup !== undefined,
    key: key && { id: key.id, scopes: key.scopes, requestsPerMinute: key.rpm, networks: key.nets },
  };
}

/** How long a token lives: one that was got with an API key not longer than the key. */
export function secondsOf(key?: Pick<KeyOfCaller, 'endsAt'>): number {
  const left = key?.endsAt ? Math.floor((key.endsAt.getTime() - Date.now()) / 1000) : ACCESS_TOKEN_SECONDS;
  return Math.min(ACCESS_TOKEN_SECONDS, left);
}

const keyClaim = ({ id, scopes, requestsPerMinute, networks = [] }: KeyOfCaller) => ({
  id,
  scopes: [...scopes],
  rpm: requestsPerMinute,
  ...(networks.length > 0 ? { nets: [...networks] } : {}),
});

function ed25519(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('access tokens need an Ed25519 private key');
  return key;
}

async function published(publicKey: KeyObject) {
  const jwk = await exportJWK(publicKey);
  return { publicKey, jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: ALGORITHM, use: 'sig' } };
}

const pemsOf = (text = ''): string[] => text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
