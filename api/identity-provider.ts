/** The office's OpenID Connect provider: code flow with PKCE, as openid-client speaks it. Asked for nothing before the first sign-in. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientError,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { z } from 'zod';
import { Failure } from '../domain/failures.ts';
import { RETRY_AFTER_SECONDS } from './failures.ts';

export interface IdentityProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the provider sends the browser back to; registered there. */
  readonly redirectUri: string;
  /** Talks to a provider over plain http: on one machine only. */
  readonly insecure: boolean;
}

/** What has to be remembered until the browser comes back. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface ProvenIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** Lower case; absent unless the provider has verified that it is the person's. */
  readonly verifiedEmail: string | undefined;
  /** When the provider was given a second factor; null = it does not say that it was. */
  readonly secondFactorAt: Date | null;
}

export interface IdentityProvider {
  /** @param fresh the person is to prove who they are once more, even if the provider still knows them */
  begin(fresh: boolean): Promise<SignInSecrets & { readonly url: string }>;
  /**
   * @param query as the browser brought it back
   * @throws Failure `provider_sign_in_refused`, `temporarily_unavailable`
   */
  finish(query: URLSearchParams, secrets: SignInSecrets): Promise<ProvenIdentity>;
}

const TIMEOUT_SECONDS = 5;
const METADATA_KEPT_MS = 3_600_000;

export function createIdentityProvider(settings: IdentityProviderSettings): IdentityProvider {
  let known: { readonly configuration: Configuration; readonly until: number } | undefined;

  async function configuration(): Promise<Configuration> {
    if (known && known.until > Date.now()) return known.configuration;
    const found = await discover(settings);
    known = { configuration: found, until: Date.now() + METADATA_KEPT_MS };
    return found;
  }

  return {
    async begin(fresh) {
      const secrets = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier() };
      const url = buildAuthorizationUrl(await configuration(), {
        redirect_uri: settings.redirectUri,
        scope: 'openid email',
        state: secrets.state,
        nonce: secrets.nonce,
        code_challenge: await calculatePKCECodeChallenge(secrets.codeVerifier),
        code_challenge_method: 'S256',
        ...(fresh ? { prompt: 'login' } : {}),
      });
      return { ...secrets, url: url.href };
    },
    async finish(query, secrets) {
      const at = await configuration();
      const url = new URL(settings.redirectUri);
      url.search = query.toString();
      try {
        return await prove(at, url, secrets);
      } catch (error) {
        throw isAway(error) ? away(error) : new Failure('provider_sign_in_refused', REFUSED, {}, { cause: error });
      }
    },
  };
}

const REFUSED =
  "The answer of the office's identity provider is not a proof of who you are. Begin again at GET /api/v1/auth/oidc/login.";

/** Whatever stands in the way of reading what the provider says of itself, nobody can sign in there now. */
async function discover({
  issuer,
  clientId,
  clientSecret,
  insecure,
}: IdentityProviderSettings): Promise<Configuration> {
  const execute = [enableNonRepudiationChecks, ...(insecure ? [allowInsecureRequests] : [])];
  try {
    return await discovery(new URL(issuer), clientId, clientSecret, undefined, { execute, timeout: TIMEOUT_SECONDS });
  } catch (error) {
    throw away(error);
  }
}

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  email: z.string().optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  amr: z.array(z.string()).optional().catch(undefined),
  auth_time: z.number().optional().catch(undefined),
});
type Claims = z.output<typeof claimsSchema>;

async function prove(configuration: Configuration, url: URL, secrets: SignInSecrets): Promise<ProvenIdentity> {
  const tokens = await authorizationCodeGrant(configuration, url, {
    expectedState: secrets.state,
    expectedNonce: secrets.nonce,
    pkceCodeVerifier: secrets.codeVerifier,
    idTokenExpected: true,
  });
  const claims = claimsSchema.parse(tokens.claims());
  const { email, email_verified } = await addressIn(claims, configuration, tokens.access_token);
  return {
    issuer: claims.iss,
    subject: claims.sub,
    verifiedEmail: email_verified === true ? email?.toLowerCase() : undefined,
    secondFactorAt: secondFactorIn(claims, new Date()),
  };
}

/** Many providers tell it at their userinfo endpoint only. */
async function addressIn(claims: Claims, configuration: Configuration, accessToken: string) {
  if (claims.email !== undefined || !configuration.serverMetadata().userinfo_endpoint) return claims;
  const told = await fetchUserInfo(configuration, accessToken, claims.sub);
  return claimsSchema.partial().parse(told);
}

/** RFC 8176: several factors, a one-time code, a key in hardware. */
const SECOND_FACTORS = ['mfa', 'otp', 'hwk'];

/** The provider may have asked for it hours ago and only remembered since: its own word on when is what counts. */
function secondFactorIn({ amr = [], auth_time }: Claims, now: Date): Date | null {
  if (!amr.some((method) => SECOND_FACTORS.includes(method))) return null;
  return auth_time === undefined ? now : new Date(Math.min(auth_time * 1000, now.getTime()));
}

const serverFault = z.object({ status: z.int().min(500) });

/** `fetch` throws a TypeError for what it cannot reach. */
function isAway(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  return error instanceof ClientError && (error.code === 'OAUTH_TIMEOUT' || serverFault.safeParse(error.cause).success);
}

const away = (cause: unknown): Failure =>
  new Failure(
    'temporarily_unavailable',
    "The office's identity provider does not answer. Try again shortly, or log in with e-mail address and password.",
    { retryAfterSeconds: RETRY_AFTER_SECONDS },
    { cause },
  );
