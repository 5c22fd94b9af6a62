/** Between the password and the tokens: who has to give a second factor, and how long it is waited for. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Knex } from '../db/connection.ts';
import { addChallenge } from '../db/login-challenges.ts';
import { hashOfSecret } from '../db/one-time-secrets.ts';
import { methodsOf } from '../db/second-factors.ts';
import type { LoginMethod } from '../db/sessions.ts';
import type { User } from '../db/users.ts';
import type { UserId } from '../domain/ids.ts';
import { CHALLENGE_SECONDS, type Method } from '../domain/second-factors.ts';
import type { ApiDeps } from './deps.ts';

/** By what this person can give a code; empty = there is no second factor. */
export const confirmedMethods = (db: Knex, userId: UserId): Promise<Method[]> => methodsOf(db, userId);

export interface Challenge {
  readonly mfaRequired: true;
  /** Opaque, good for one log-in within `expiresInSeconds`. */
  readonly mfaToken: string;
  readonly methods: readonly Method[];
  readonly expiresInSeconds: number;
}

export interface ChallengedLogin {
  readonly method: LoginMethod;
  /** When the proof was begun; absent = now. A password that was changed since then makes the challenge void. */
  readonly provenSince?: Date | undefined;
}

/** The answer to a right password where a second factor is set up. Call it when `confirmedMethods` found some. */
export async function startChallenge(
  { db }: Pick<ApiDeps, 'db'>,
  user: Pick<User, 'id'>,
  login: ChallengedLogin,
): Promise<Challenge> {
  const mfaToken = randomBytes(32).toString('base64url');
  const at = new Date();
  await addChallenge(db, {
    id: randomUUID(),
    userId: user.id,
    tokenHash: hashOfSecret(mfaToken),
    method: login.method,
    createdAt: login.provenSince ?? at,
    expiresAt: new Date(at.getTime() + CHALLENGE_SECONDS * 1000),
  });
  return {
    mfaRequired: true,
    mfaToken,
    methods: await confirmedMethods(db, user.id),
    expiresInSeconds: CHALLENGE_SECONDS,
  };
}
