/** Getting in and out. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Origin } from '../../domain/events.ts';
import type { Whereabouts } from '../devices.ts';
import { unlock } from '../lockout.ts';
import { signInWithPassword } from '../login.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import { linkToken, login, mfaChallenge, refreshed, refreshToken, tokens, unlocked } from '../schemas/people.ts';
import { endSession, refreshSession } from '../sessions.ts';

const tags = ['Auth'];
/** Tokens stay out of caches, and (not idempotent) out of the answers that are kept. */
const secret = { headers: { 'Cache-Control': 'no-store' } };

const whereabouts = (req: Request, origin: Origin, deviceToken?: string): Whereabouts => ({
  origin,
  userAgent: req.get('user-agent'),
  deviceToken,
});

const logIn = defineRoute({
  method: 'post',
  path: '/auth/login',
  summary: 'Log in with e-mail address and password',
  description:
    'Answers with tokens or, where a second factor is set up and the device is not trusted, with a challenge for it. ' +
    'After 5 failures the account waits 15 minutes, twice as long with each time, to 24 hours at most; counted apart for a ' +
    'known device, a known network and everywhere else.',
  tags,
  permission: 'public',
  limit: 'login',
  idempotent: false,
  body: login,
  responses: {
    200: {
      description: 'An access token for 15 minutes and a refresh token; or what to do next.',
      schema: z.union([tokens, mfaChallenge]),
    },
  },
  problems: ['invalid_credentials', 'account_locked', 'rate_limited', 'temporarily_unavailable'],
  handler: async ({ body: { email, password, deviceToken }, deps, origin, locale, req }) =>
    json(
      200,
      await signInWithPassword(deps, { ...whereabouts(req, origin, deviceToken), email, password, locale }),
      secret,
    ),
});

const refresh = defineRoute({
  method: 'post',
  path: '/auth/refresh',
  summary: 'Exchange a refresh token for new tokens',
  description:
    'Each refresh token is good for one use. An old one that turns up again ends the whole log-in, and its owner is told.',
  tags,
  permission: 'public',
  idempotent: false,
  body: refreshToken,
  responses: { 200: { description: 'New tokens; the refresh token sent is used up.', schema: refreshed } },
  problems: ['invalid_credentials'],
  handler: async ({ body, deps, origin }) => json(200, await refreshSession(deps, body.refreshToken, origin), secret),
});

const logOut = defineRoute({
  method: 'post',
  path: '/auth/logout',
  summary: 'End the log-in that a refresh token belongs to',
  tags,
  permission: 'public',
  idempotent: false,
  body: refreshToken,
  responses: { 204: { description: 'Logged out, or there was nothing to end.' } },
  handler: async ({ body, deps, origin }) => {
    await endSession(deps, body.refreshToken, origin);
    return noContent();
  },
});

const liftLock = defineRoute({
  method: 'post',
  path: '/auth/unlock',
  summary: 'Open a locked account by the link in the letter',
  description: 'Gives a device token: with it the log-in gets in, even while somebody goes on guessing from elsewhere.',
  tags,
  permission: 'public',
  limit: 'login',
  idempotent: false,
  body: linkToken,
  responses: { 200: { description: 'The account no longer waits.', schema: unlocked } },
  problems: ['link_not_valid'],
  handler: async ({ body, deps, origin, req }) =>
    json(200, await unlock(deps, body.token, whereabouts(req, origin)), secret),
});

export const authRoutes: readonly Route[] = [logIn, refresh, logOut, liftLock];
