import { addUser, findCredentials } from '../../db/users.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { type PasswordPolicy, passwordProblems } from '../../domain/passwords.ts';
import { explained } from '../field-problems.ts';
import { hashPassword, passwordMatches } from '../passwords.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, noContent, type Route } from '../route.ts';
import { login, refreshToken, registered, registration, tokens } from '../schemas/people.ts';
import { endSession, refreshSession, startSession } from '../sessions.ts';

const tags = ['Auth'];
/** Tokens stay out of caches, and (not idempotent) out of the answers that are kept. */
const secret = { headers: { 'Cache-Control': 'no-store' } };

const register = defineRoute({
  method: 'post',
  path: '/auth/register',
  summary: 'Open an account as a business owner',
  tags,
  permission: 'public',
  body: registration,
  responses: { 201: { description: 'The account, ready to log in.', schema: registered } },
  problems: ['email_taken', 'weak_password', 'forbidden'],
  handler: async ({ body, deps, locale, requestKey }) => {
    if (!deps.selfRegistration)
      throw new Failure('forbidden', 'Accounts are opened by the office here. Ask it for one.');
    refuseWeak(body.password, body.email, locale, deps.access.passwords);
    const user = await addUser(deps.db, {
      id: asId<UserId>(idFromKey(requestKey, 'user')),
      email: body.email,
      passwordHash: await hashPassword(body.password),
      name: body.name,
      locale: body.locale ?? locale,
      roles: ['owner'],
    });
    if (!user) throw new Failure('email_taken', '');
    const { id, email, name, roles } = user;
    return json(201, { id, email, name, locale: user.locale, roles });
  },
});

function refuseWeak(password: string, email: string, locale: Locale, policy: PasswordPolicy): void {
  const problems = passwordProblems(password, email, policy);
  if (problems.length === 0) return;
  throw new Failure('weak_password', '', { errors: problems.map((code) => explained('/password', code, locale)) });
}

const logIn = defineRoute({
  method: 'post',
  path: '/auth/login',
  summary: 'Log in with e-mail address and password',
  tags,
  permission: 'public',
  idempotent: false,
  body: login,
  responses: { 200: { description: 'An access token for 15 minutes, and a refresh token.', schema: tokens } },
  problems: ['invalid_credentials'],
  handler: async ({ body, deps, origin }) => {
    const user = await findCredentials(deps.db, body.email);
    const matches = await passwordMatches(user?.passwordHash, body.password);
    if (!user || !matches || user.status !== 'active') throw new Failure('invalid_credentials', '');
    return json(
      200,
      await startSession(deps, user, { method: 'password', device: 'unknown', origin, secondFactorAt: null }),
      secret,
    );
  },
});

const refresh = defineRoute({
  method: 'post',
  path: '/auth/refresh',
  summary: 'Exchange a refresh token for new tokens',
  description: 'Each refresh token is good for one use. An old one that turns up again ends the whole log-in.',
  tags,
  permission: 'public',
  idempotent: false,
  body: refreshToken,
  responses: { 200: { description: 'New tokens; the refresh token sent is used up.', schema: tokens } },
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

export const authRoutes: readonly Route[] = [register, logIn, refresh, logOut];
