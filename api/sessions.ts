/** A log-in: a short access token that needs no look-up, and a refresh token that is looked up and used once. */
import { hash, randomBytes, randomUUID } from 'node:crypto';
import { recordEvent } from '../db/events.ts';
import { endSessionOfToken, type LoginMethod, openSession, rotateRefreshToken } from '../db/sessions.ts';
import { findUser, type User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { isStaff } from '../domain/roles.ts';
import type { ApiDeps } from './deps.ts';
import { ACCESS_TOKEN_SECONDS } from './tokens.ts';

type SessionDeps = Pick<ApiDeps, 'db' | 'tokens'>;

const HOUR_MS = 3_600_000;
/** Idle and absolute life of a log-in: short where it opens other people's files. */
const STAFF = { idleMs: HOUR_MS / 2, longestMs: 12 * HOUR_MS } as const;
const OTHERS = { idleMs: 7 * 24 * HOUR_MS, longestMs: 90 * 24 * HOUR_MS } as const;
const lifeOf = ({ roles }: Pick<User, 'roles'>) => (isStaff(roles) ? STAFF : OTHERS);

export interface NewLogin {
  readonly method: LoginMethod;
  /** As a person would call it. */
  readonly device: string;
  readonly origin: Origin;
  readonly secondFactorAt: Date | null;
  /** Nothing but setting up a second factor. */
  readonly setupOnly?: boolean;
}

/** Opens a session, the sixth in place of the oldest, and tells the audit. */
export async function startSession(deps: SessionDeps, user: User, login: NewLogin) {
  const token = newToken();
  const at = new Date();
  const { idleMs, longestMs } = lifeOf(user);
  const session = {
    id: randomUUID(),
    userId: user.id,
    method: login.method,
    device: login.device,
    address: login.origin.address ?? 'unknown',
    createdAt: at,
    lastUsedAt: at,
    idleUntil: new Date(at.getTime() + idleMs),
    endsAt: new Date(at.getTime() + longestMs),
    secondFactorAt: login.secondFactorAt,
  };
  await openSession(deps.db, session, hashOf(token));
  await recordEvent(deps.db, {
    key: `session/${session.id}/started`,
    type: 'login.succeeded',
    by: user.id,
    subject: `session/${session.id}`,
    origin: login.origin,
    data: { method: login.method, device: login.device, secondFactor: login.secondFactorAt !== null },
    at: at.toISOString(),
  });
  return answer(await issueFor(deps, user, session.id, login.setupOnly), token);
}

/** Reads the roles anew, so that a changed one counts from the next access token on. */
export async function refreshSession(deps: SessionDeps, token: string, origin: Origin) {
  const next = newToken();
  const rotation = await rotateRefreshToken(deps.db, {
    tokenHash: hashOf(token),
    nextHash: hashOf(next),
    at: new Date(),
    idleMs: async (userId) => lifeOf((await findUser(deps.db, userId)) ?? { roles: [] }).idleMs,
    address: origin.address ?? 'unknown',
  });
  if (rotation.outcome !== 'rotated') throw ended();
  const user = await findUser(deps.db, rotation.session.userId);
  if (user?.status !== 'active') throw ended();
  return answer(await issueFor(deps, user, rotation.session.id), next);
}

const issueFor = ({ tokens }: SessionDeps, user: User, sessionId: string, setupOnly = false) =>
  tokens.issue({
    userId: user.id,
    roles: user.roles,
    sessionId,
    tokenVersion: user.tokenVersion,
    emailVerified: user.emailVerifiedAt !== null,
    setupOnly,
  });

export async function endSession({ db }: SessionDeps, token: string, origin: Origin): Promise<void> {
  const at = new Date();
  const session = await endSessionOfToken(db, hashOf(token), at);
  if (!session) return;
  await recordEvent(db, {
    key: `session/${session.id}/ended`,
    type: 'session.ended',
    by: session.userId,
    subject: `session/${session.id}`,
    origin,
    data: { reason: 'logged_out' },
    at: at.toISOString(),
  });
}

const ended = () =>
  new Failure('invalid_credentials', 'The log-in has ended. Log in again with e-mail address and password.');

const newToken = (): string => randomBytes(32).toString('base64url');
const hashOf = (token: string): string => hash('sha256', token);

const answer = (accessToken: string, refreshToken: string) =>
  ({ accessToken, refreshToken, tokenType: 'Bearer', expiresInSeconds: ACCESS_TOKEN_SECONDS }) as const;
