/** Staff sign-in through the office's identity provider: whom its word lets in. It opens no accounts. */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { recordEvent } from '../db/events.ts';
import { hashOfSecret } from '../db/one-time-secrets.ts';
import { addSignIn, findLinkedUser, linkIdentity, takeSignIn } from '../db/provider-sign-in.ts';
import { findCredentials, findUser, type User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { isStaff } from '../domain/roles.ts';
import type { ApiDeps } from './deps.ts';
import type { IdentityProvider, ProvenIdentity, SignInSecrets } from './identity-provider.ts';
import { admit, type TokensAnswer } from './login.ts';
import type { Locale } from './request.ts';
import { type Challenge, confirmedMethods, startChallenge } from './second-factors.ts';
import { isSameSecret } from './secrets.ts';

export const SIGN_IN_SECONDS = 600;
const COLUMN = 'oidc_logins.secrets';

export interface BegunSignIn {
  /** Where the browser goes. */
  readonly url: string;
  /** For a cookie: the browser that began is the one that may finish. */
  readonly browserSecret: string;
}

export async function beginSignIn(deps: ApiDeps, fresh: boolean): Promise<BegunSignIn> {
  const { url, ...secrets } = await providerOf(deps).begin(fresh);
  const browserSecret = randomBytes(32).toString('base64url');
  const sealed = JSON.stringify({ ...secrets, browserHash: hashOfSecret(browserSecret) } satisfies Remembered);
  const createdAt = new Date();
  await addSignIn(deps.db, {
    stateHash: hashOfSecret(secrets.state),
    secretsEncrypted: deps.personalData.seal(sealed, COLUMN),
    createdAt,
    expiresAt: new Date(createdAt.getTime() + SIGN_IN_SECONDS * 1000),
  });
  return { url, browserSecret };
}

const remembered = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  browserHash: z.string(),
});
type Remembered = z.output<typeof remembered>;

export interface ReturnedSignIn {
  readonly query: URLSearchParams;
  readonly browserSecret: string | undefined;
  readonly origin: Origin;
  readonly userAgent: string | undefined;
  readonly locale: Locale;
}

/**
 * Tokens, or the challenge for a second factor where the provider did not ask for one and the account has one here.
 * @throws Failure `provider_sign_in_refused`, `temporarily_unavailable`, `not_found` when the office has no provider
 */
export async function finishSignIn(deps: ApiDeps, returned: ReturnedSignIn): Promise<TokensAnswer | Challenge> {
  const provider = providerOf(deps);
  const provenSince = new Date();
  const identity = await provider.finish(returned.query, await secretsOf(deps, returned));
  const user = await accountOf(deps, identity, returned.origin);
  const { secondFactorAt } = identity;
  if (!secondFactorAt && (await confirmedMethods(deps.db, user.id)).length > 0) {
    return startChallenge(deps, user, { method: 'provider' });
  }
  const { origin, userAgent, locale } = returned;
  return admit(deps, user, { method: 'provider', origin, userAgent, locale, secondFactorAt, provenSince });
}

function providerOf({ oidc }: ApiDeps): IdentityProvider {
  if (oidc) return oidc;
  throw new Failure('not_found', 'This office has no identity provider. Log in with e-mail address and password.');
}

/** Uses the sign-in up, whoever brings it: a code that went astray must not be tried twice. */
async function secretsOf(
  { db, personalData }: ApiDeps,
  { query, browserSecret }: ReturnedSignIn,
): Promise<SignInSecrets> {
  const sealed = await takeSignIn(db, hashOfSecret(query.get('state') ?? ''), new Date());
  if (!sealed) throw refused('This sign-in is not known, was used before, or took longer than ten minutes.');
  const { browserHash, ...secrets } = remembered.parse(JSON.parse(personalData.open(sealed, COLUMN)));
  if (isSameSecret(hashOfSecret(browserSecret ?? ''), browserHash)) return secrets;
  throw refused('This sign-in was begun in another browser.');
}

const refused = (why: string): Failure =>
  new Failure('provider_sign_in_refused', `${why} Begin again at GET /api/v1/auth/oidc/login.`);

type Why = 'unverified_address' | 'unknown' | 'disabled' | 'not_staff' | 'linked_to_another';

const SENTENCES: Readonly<Record<Why, string>> = {
  unverified_address: 'The identity provider has not verified your e-mail address, so your account was not looked for.',
  unknown: 'Nobody here has your e-mail address. Ask an administrator of the office for an account.',
  disabled: 'Your account is disabled. Ask an administrator of the office.',
  not_staff: 'Only staff sign in through the identity provider. Log in with e-mail address and password.',
  linked_to_another: 'Your account belongs to another person at the identity provider. Ask an administrator.',
};

async function accountOf(deps: ApiDeps, identity: ProvenIdentity, origin: Origin): Promise<User> {
  const linked = await findLinkedUser(deps.db, identity);
  const user = linked ? await findUser(deps.db, linked) : await byAddress(deps, identity, origin);
  if (!user) throw await turnedAway(deps, 'unknown', undefined, origin);
  if (user.status !== 'active') throw await turnedAway(deps, 'disabled', user, origin);
  if (!isStaff(user.roles)) throw await turnedAway(deps, 'not_staff', user, origin);
  if (linked || (await linkIdentity(deps.db, { ...identity, userId: user.id, at: new Date(), origin }))) return user;
  throw await turnedAway(deps, 'linked_to_another', user, origin);
}

/** The first time. Only a verified address counts: anybody may write somebody else's into their profile. */
async function byAddress(deps: ApiDeps, { verifiedEmail }: ProvenIdentity, origin: Origin): Promise<User | null> {
  if (verifiedEmail === undefined) throw await turnedAway(deps, 'unverified_address', undefined, origin);
  const found = await findCredentials(deps.db, verifiedEmail);
  return found && findUser(deps.db, found.id);
}

async function turnedAway({ db }: ApiDeps, reason: Why, user: User | undefined, origin: Origin): Promise<Failure> {
  await recordEvent(db, {
    key: `provider/refused/${randomUUID()}`,
    type: 'login.failed',
    ...(user ? { subject: `user/${user.id}` as const } : {}),
    origin,
    data: { method: 'provider', reason },
    at: new Date().toISOString(),
  });
  return new Failure('provider_sign_in_refused', SENTENCES[reason]);
}
