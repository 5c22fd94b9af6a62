/** A log-in: a short access token that needs no look-up, and a refresh token that is looked up and used once. */
import { randomBytes, randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { recordEvent } from '../db/events.ts';
import { hashOfSecret } from '../db/one-time-secrets.ts';
import {
  endSessionOfToken,
  endSessions,
  endSessionsOf,
  findSession,
  type LoginMethod,
  openSession,
  type Rotation,
  rotateRefreshToken,
  type Session,
  type SessionEnd,
} from '../db/sessions.ts';
import { findUser, type User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { UserId } from '../domain/ids.ts';
import { isStaff } from '../domain/roles.ts';
import { dispatchLetter } from './account-letters.ts';
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
  /** When the proof was begun; absent = now. A password that was changed since then opens nothing. */
  readonly provenSince?: Date;
}

/**
 * Opens a session, the sixth in place of the oldest, and tells the audit. Call it with a transaction as `db`.
 * @throws Failure `invalid_credentials` when the account was disabled, or got another password, in between
 */
export async function startSession(deps: SessionDeps, user: User, login: NewLogin) {
  const token = newToken();
  const at = new Date();
  const session = newSession(user, login, at);
  const replaced = await openSession(deps.db, session, hashOfSecret(token), login.provenSince ?? at);
  if (!replaced) throw new Failure('invalid_credentials', '');
  await recordEvent(deps.db, {
    key: `session/${session.id}/started`,
    type: 'login.succeeded',
    by: user.id,
    subject: `session/${session.id}`,
    origin: login.origin,
    data: { method: login.method, device: login.device, secondFactor: login.secondFactorAt !== null },
    at: at.toISOString(),
  });
  for (const id of replaced) await recordEnd(deps.db, { id, userId: user.id }, 'replaced', login.origin, at);
  return answer(await issueFor(deps, user, session), token);
}

function newSession(user: User, login: NewLogin, at: Date): Session {
  const { idleMs, longestMs } = lifeOf(user);
  return {
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
    setupOnly: login.setupOnly ?? false,
  };
}

/**
 * Reads the roles anew, so that a changed one counts from the next access token on.
 * @throws Failure `invalid_credentials` when the log-in has ended; an old token that turns up again ends it
 */
export async function refreshSession(
  deps: SessionDeps & Parameters<typeof dispatchLetter>[0],
  token: string,
  origin: Origin,
) {
  const next = newToken();
  const letter = randomUUID();
  const rotation = await deps.db.transaction(async (trx) => {
    const rotated = await rotate(trx, { tokenHash: hashOfSecret(token), nextHash: hashOfSecret(next), origin });
    if (rotated.outcome === 'reused') await noteReuse(trx, rotated.session, origin, letter);
    return rotated;
  });
  if (rotation.outcome === 'reused') void dispatchLetter(deps, letter);
  if (rotation.outcome !== 'rotated') throw ended();
  const user = await findUser(deps.db, rotation.session.userId);
  if (user?.status !== 'active') throw ended();
  return answer(await issueFor(deps, user, rotation.session), next);
}

const rotate = (trx: Knex, used: { tokenHash: string; nextHash: string; origin: Origin }): Promise<Rotation> =>
  rotateRefreshToken(trx, {
    tokenHash: used.tokenHash,
    nextHash: used.nextHash,
    at: new Date(),
    idleMs: async (db, userId) => lifeOf((await findUser(db, userId)) ?? { roles: [] }).idleMs,
    address: used.origin.address ?? 'unknown',
  });

async function noteReuse(db: Knex, session: Session, origin: Origin, letter: string): Promise<void> {
  const at = new Date();
  await recordEvent(db, {
    key: `session/${session.id}/reused`,
    type: 'session.reuse_detected',
    subject: `session/${session.id}`,
    origin,
    data: { userId: session.userId, device: session.device },
    at: at.toISOString(),
  });
  await writeLetter(db, {
    id: letter,
    template: 'sign_in_reused',
    userId: session.userId,
    data: { at: at.toISOString(), device: session.device, address: origin.address ?? 'unknown' },
    at,
  });
}

const issueFor = ({ tokens }: SessionDeps, user: User, { id, setupOnly }: Pick<Session, 'id' | 'setupOnly'>) =>
  tokens.issue({
    userId: user.id,
    roles: user.roles,
    sessionId: id,
    tokenVersion: user.tokenVersion,
    emailVerified: user.emailVerifiedAt !== null,
    setupOnly,
  });

/** Logs out by refresh token; an unknown one changes nothing. */
export async function endSession({ db }: Pick<ApiDeps, 'db'>, token: string, origin: Origin): Promise<void> {
  const at = new Date();
  await db.transaction(async (trx) => {
    const session = await endSessionOfToken(trx, hashOfSecret(token), at);
    if (session) await recordEnd(trx, session, 'logged_out', origin, at);
  });
}

/**
 * Ends one of a person's own sessions.
 * @throws Failure `not_found` when they have no such session open
 */
export async function revokeSession(
  { db }: Pick<ApiDeps, 'db'>,
  userId: UserId,
  id: string,
  origin: Origin,
): Promise<void> {
  const at = new Date();
  await db.transaction(async (trx) => {
    const session = await findSession(trx, id);
    if (session?.userId !== userId || (await endSessions(trx, [id], 'revoked', at)) === 0) {
      throw new Failure('not_found', '');
    }
    await recordEnd(trx, session, 'revoked', origin, at);
  });
}

/** Logs a person out everywhere. */
export async function revokeAllSessions({ db }: Pick<ApiDeps, 'db'>, userId: UserId, origin: Origin): Promise<void> {
  await db.transaction((trx) => endAllSessions(trx, userId, { reason: 'logged_out', origin, at: new Date() }));
}

/** Ends every session of a person but `except`, each with its event. Call it in the transaction of the change. */
export async function endAllSessions(
  trx: Knex,
  userId: UserId,
  end: {
    readonly reason: SessionEnd;
    readonly origin: Origin;
    readonly at: Date;
    readonly except?: string | undefined;
  },
): Promise<void> {
  const ids = await endSessionsOf(trx, userId, end);
  for (const id of ids) await recordEnd(trx, { id, userId }, end.reason, end.origin, end.at);
}

async function recordEnd(
  db: Knex,
  { id, userId }: Pick<Session, 'id' | 'userId'>,
  reason: SessionEnd,
  origin: Origin,
  at: Date,
): Promise<void> {
  await recordEvent(db, {
    key: `session/${id}/ended`,
    type: 'session.ended',
    by: userId,
    subject: `session/${id}`,
    origin,
    data: { reason },
    at: at.toISOString(),
  });
}

const ended = () =>
  new Failure('invalid_credentials', 'The log-in has ended. Log in again with e-mail address and password.');

const newToken = (): string => randomBytes(32).toString('base64url');

const answer = (accessToken: string, refreshToken: string) =>
  ({ accessToken, refreshToken, tokenType: 'Bearer', expiresInSeconds: ACCESS_TOKEN_SECONDS }) as const;
