/** A log-in: a short access token that needs no look-up, and a refresh token that is looked up and used once. */
import { hash, randomBytes, randomUUID } from 'node:crypto';
import { addRefreshToken, revokeSession, rotateRefreshToken } from '../db/sessions.ts';
import { findUser } from '../db/users.ts';
import { Failure } from '../domain/failures.ts';
import type { Actor } from '../domain/licensing.ts';
import type { ApiDeps } from './deps.ts';
import { ACCESS_TOKEN_SECONDS } from './tokens.ts';

type SessionDeps = Pick<ApiDeps, 'db' | 'tokens'>;

/** A log-in that is not used for so long has to be made again. */
const IDLE_MS = 7 * 24 * 3_600_000;

export async function startSession({ db, tokens }: SessionDeps, actor: Actor) {
  const token = newToken();
  const { at, expiresAt } = lifetime();
  await addRefreshToken(db, {
    tokenHash: hashOf(token),
    familyId: randomUUID(),
    userId: actor.userId,
    createdAt: at,
    expiresAt,
  });
  return answer(await tokens.issue(actor), token);
}

/** Reads the roles anew, so that a changed one counts from the next access token on. */
export async function refreshSession({ db, tokens }: SessionDeps, token: string) {
  const next = newToken();
  const rotation = await rotateRefreshToken(db, { tokenHash: hashOf(token), nextHash: hashOf(next), ...lifetime() });
  if (rotation.outcome !== 'rotated') throw ended();
  const user = await findUser(db, rotation.userId);
  if (user?.status !== 'active') throw ended();
  return answer(await tokens.issue({ userId: user.id, roles: user.roles }), next);
}

export const endSession = ({ db }: SessionDeps, token: string): Promise<void> =>
  revokeSession(db, hashOf(token), new Date());

const ended = () =>
  new Failure('invalid_credentials', 'The log-in has ended. Log in again with e-mail address and password.');

function lifetime() {
  const at = new Date();
  return { at, expiresAt: new Date(at.getTime() + IDLE_MS) };
}

const newToken = (): string => randomBytes(32).toString('base64url');
const hashOf = (token: string): string => hash('sha256', token);

const answer = (accessToken: string, refreshToken: string) =>
  ({ accessToken, refreshToken, tokenType: 'Bearer', expiresInSeconds: ACCESS_TOKEN_SECONDS }) as const;
