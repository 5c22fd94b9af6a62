/** A real OpenID Connect provider on a free port, and a browser that signs in there. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type CryptoKey, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import Provider, { type JWK } from 'oidc-provider';
import { z } from 'zod';

export interface ProviderAccount {
  readonly email?: string;
  readonly verified?: boolean;
  /** By what the person proved who they are (RFC 8176). */
  readonly amr?: readonly string[];
  /** When, in seconds; absent = now. */
  readonly provedAt?: number;
}

export interface TestProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Adds a person, or changes one, and returns what the provider calls them. */
  knows(subject: string, account: ProviderAccount): string;
  /** From now on its ID tokens are signed by somebody who does not have its key. */
  forge(on: boolean): void;
  /** The requests that it was sent, by path. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function startOidcProvider(redirectUri: string): Promise<TestProvider> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${portOf(server)}`;
  const accounts = new Map<string, ProviderAccount>();
  const asked: string[] = [];
  const client = { clientId: 'alur', clientSecret: randomBytes(24).toString('hex') };
  const provider = await createProvider(issuer, { ...client, redirectUri }, accounts);
  const impostor = (await generateKeyPair('RS256')).privateKey;
  let forging = false;
  provider.use(async (context, next) => {
    await next();
    if (forging && context.path === '/token') context.body = await forged(context.body, impostor);
  });
  const answer = provider.callback();
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    asked.push(req.url?.split('?', 1)[0] ?? '');
    if (req.url?.startsWith('/interaction/')) void logInPage(provider, accounts, req, res);
    else void answer(req, res);
  });
  return {
    issuer,
    ...client,
    knows: (subject, account) => {
      accounts.set(subject, account);
      return subject;
    },
    forge: (on) => {
      forging = on;
    },
    asked,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function createProvider(
  issuer: string,
  client: { clientId: string; clientSecret: string; redirectUri: string },
  accounts: ReadonlyMap<string, ProviderAccount>,
): Promise<Provider> {
  return new Provider(issuer, {
    clients: [{ client_id: client.clientId, client_secret: client.clientSecret, redirect_uris: [client.redirectUri] }],
    jwks: { keys: [await signingKey()] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    claims: { openid: ['sub', 'amr', 'auth_time'], email: ['email', 'email_verified'] },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: accounts.get(id)?.email, email_verified: accounts.get(id)?.verified ?? false }),
    }),
    // The office's own client: nobody is asked whether it may know who they are.
    loadExistingGrant: async (context) => {
      const { client: asking, session, provider } = context.oidc;
      const ids = { clientId: asking?.clientId, accountId: session?.accountId };
      const grant = new provider.Grant({ clientId: ids.clientId ?? '', accountId: ids.accountId ?? '' });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
}

async function signingKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const { kty = 'RSA', ...key } = await exportJWK(privateKey);
  return { ...key, kty, kid: 'provider-1', use: 'sig', alg: 'RS256' };
}

async function forged(body: unknown, key: CryptoKey): Promise<unknown> {
  const tokens = z.looseObject({ id_token: z.string() }).parse(body);
  const header = decodeProtectedHeader(tokens.id_token);
  const forgery = new SignJWT(decodeJwt(tokens.id_token)).setProtectedHeader({ ...header, alg: 'RS256' });
  return { ...tokens, id_token: await forgery.sign(key) };
}

/** Shows a form; what is typed into it is believed. */
async function logInPage(
  provider: Provider,
  accounts: ReadonlyMap<string, ProviderAccount>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (req.method === 'GET') {
    res.setHeader('content-type', 'text/html').end('<form method="post"><input name="account"></form>');
    return;
  }
  const accountId = new URLSearchParams(await text(req)).get('account') ?? '';
  const { amr = ['pwd'], provedAt } = accounts.get(accountId) ?? {};
  const login = { accountId, amr: [...amr], ...(provedAt === undefined ? {} : { ts: provedAt }) };
  await provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the provider has no TCP port');
  return address.port;
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Browser {
  /** Follows redirects, but never to an address that begins with `before`: then it stands there, unasked. */
  go(url: string, options?: { form?: Record<string, string>; before?: string }): Promise<Page>;
}

/** Keeps cookies apart by server, as browsers do. */
export function newBrowser(): Browser {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string) => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };

  async function visit(url: string, form?: Record<string, string>): Promise<Response> {
    const cookie = [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { cookie, 'accept-language': 'en' };
    const body = form && { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(url, { redirect: 'manual', headers, ...body });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value === '') jarOf(url).delete(name);
      else jarOf(url).set(name, value);
    }
    return response;
  }

  return {
    async go(first, { form, before } = {}) {
      let url = first;
      let response = await visit(url, form);
      for (let hops = 0; hops < 10; hops += 1) {
        const location = response.headers.get('location');
        if (location === null) break;
        url = new URL(location, url).href;
        if (before !== undefined && url.startsWith(before)) {
          return { url, status: response.status, headers: response.headers, text: '' };
        }
        response = await visit(url);
      }
      return { url, status: response.status, headers: response.headers, text: await response.text() };
    },
  };
}
