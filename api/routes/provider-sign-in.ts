import { z } from 'zod';
import { beginSignIn, finishSignIn, SIGN_IN_SECONDS } from '../provider-sign-in.ts';
import { defineRoute, html, json, type Route } from '../route.ts';
import { mfaChallenge, tokens } from '../schemas/people.ts';

const COOKIE = 'alur_sign_in';
const COOKIE_PATH = '/api/v1/auth/oidc';
const common = { method: 'get', tags: ['Auth'], permission: 'public', limit: 'login' } as const;

const begin = defineRoute({
  ...common,
  path: '/auth/oidc/login',
  summary: "Staff: sign in through the office's identity provider",
  description: 'For the address line of a browser. `fresh=true` makes the provider ask once more who it is.',
  query: z.strictObject({ fresh: z.enum(['true', 'false']).default('false') }),
  problems: ['not_found', 'temporarily_unavailable'],
  responses: { 302: { description: 'To the identity provider', contentType: 'text/html' } },
  async handler({ query: { fresh }, deps }) {
    const { url, browserSecret } = await beginSignIn(deps, fresh === 'true');
    const cookie = cookieOf(browserSecret, SIGN_IN_SECONDS, deps.publicUrl);
    return html(302, '', { Location: url, 'Set-Cookie': cookie, 'Cache-Control': 'no-store' });
  },
});

const finish = defineRoute({
  ...common,
  path: '/auth/oidc/callback',
  summary: 'Where the identity provider sends the browser back to',
  description:
    'Answers with tokens; with the challenge for a second factor where the provider asked for none and the account has one.',
  // What else a provider adds is its own affair.
  query: z.looseObject({ state: z.string().min(1).max(500) }),
  problems: ['not_found', 'provider_sign_in_refused', 'temporarily_unavailable'],
  responses: {
    200: { description: 'The tokens of a log-in, or what to do next.', schema: z.union([tokens, mfaChallenge]) },
  },
  async handler({ req, deps, origin, locale }) {
    const answer = await finishSignIn(deps, {
      query: new URL(req.originalUrl, deps.publicUrl).searchParams,
      browserSecret: cookieIn(req.headers.cookie),
      origin,
      userAgent: req.get('user-agent'),
      locale,
    });
    const headers = { 'Cache-Control': 'no-store', 'Set-Cookie': cookieOf('', 0, deps.publicUrl) };
    return json(200, answer, { headers });
  },
});

/** Lax: the way back begins on the provider's page, and Strict would leave the cookie at home. */
const cookieOf = (value: string, seconds: number, publicUrl: string): string =>
  [
    `${COOKIE}=${value}`,
    `Path=${COOKIE_PATH}`,
    `Max-Age=${seconds}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(publicUrl.startsWith('https:') ? ['Secure'] : []),
  ].join('; ');

const cookieIn = (header = ''): string | undefined =>
  header
    .split('; ')
    .find((pair) => pair.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);

export const providerSignInRoutes: readonly Route[] = [begin, finish];
