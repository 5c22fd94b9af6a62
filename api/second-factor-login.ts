/** The second half of a log-in: a challenge and a code become tokens. */
import { findChallenge, type LoginChallenge, noteWrongCode, useChallenge } from '../db/login-challenges.ts';
import { hashOfSecret } from '../db/one-time-secrets.ts';
import { findUser, type User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { Method, SentKind } from '../domain/second-factors.ts';
import { admit, type LoginDeps, type TokensAnswer } from './login.ts';
import type { Locale } from './request.ts';
import { type CodeSent, sendConfirmed } from './second-factor-channels.ts';
import { type ProofDeps, prove, refuseWaiting } from './second-factor-proof.ts';

export interface SecondHalf {
  readonly mfaToken: string;
  readonly code: string;
  readonly method?: Method | undefined;
  readonly rememberDevice: boolean;
  readonly deviceToken?: string | undefined;
  readonly userAgent: string | undefined;
  readonly origin: Origin;
  readonly locale: Locale;
}

/**
 * Uses the challenge up, then lets the person in.
 * @throws Failure `challenge_ended`, `invalid_code`, `second_factor_locked`
 */
export async function finishLogin(deps: LoginDeps & ProofDeps, half: SecondHalf): Promise<TokensAnswer> {
  const user = await challenged(deps, half.mfaToken);
  const given = { code: half.code, method: half.method, origin: half.origin, purpose: 'login' } as const;
  const { context: challenge, at } = await prove<LoginChallenge>(deps, user, given, {
    // Read anew: the same challenge may have come twice at once.
    begin: (trx, now) => findChallenge(trx, hashOfSecret(half.mfaToken), now),
    wrong: (trx, { id }) => noteWrongCode(trx, id),
    right: (trx, { id }, _method, now) => useChallenge(trx, id, now),
  });
  return admit(deps, user, {
    method: challenge.method,
    origin: half.origin,
    userAgent: half.userAgent,
    deviceToken: half.deviceToken,
    secondFactorAt: at,
    trustDevice: half.rememberDevice,
    locale: half.locale,
    provenSince: challenge.createdAt,
  });
}

/** Sends a code to somebody who has given the password. @throws Failure also `second_factor_missing` */
export async function sendLoginCode(deps: ProofDeps, mfaToken: string, kind: SentKind): Promise<CodeSent> {
  const user = await challenged(deps, mfaToken);
  await refuseWaiting(deps, user);
  return sendConfirmed(deps, user.id, kind);
}

async function challenged({ db }: ProofDeps, mfaToken: string): Promise<User> {
  const challenge = await findChallenge(db, hashOfSecret(mfaToken), new Date());
  const user = challenge && (await findUser(db, challenge.userId));
  if (user?.status !== 'active') throw new Failure('challenge_ended', '');
  return user;
}
