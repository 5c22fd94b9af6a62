/** What the caller may do: the only place that asks the table of rights. Whose case it is, the route asks afterwards. */

import { methodsOf } from '../../db/second-factors.ts';
import { findSession } from '../../db/sessions.ts';
import { isEmailVerified } from '../../db/users.ts';
import { keyMay } from '../../domain/api-keys.ts';
import { Failure } from '../../domain/failures.ts';
import { may, type Permission } from '../../domain/roles.ts';
import type { ApiDeps } from '../deps.ts';
import type { Caller } from '../request.ts';
import type { Route } from '../route.ts';

type Rule = Pick<Route, 'method' | 'permission' | 'stepUp' | 'ownAccount'>;
type Deps = Pick<ApiDeps, 'db' | 'access'>;

/** How old a second factor may be where one is wanted at this very moment. */
export const STEP_UP_MS = 10 * 60_000;

/**
 * Answers at once where the token says all that is needed; asks the database for a step-up and for an address that was
 * not verified yet when the token was given out.
 * @throws Failure `unauthenticated` without a caller, `forbidden` when none of the caller's roles has the right,
 *   `second_factor_setup_required`, `email_not_verified`, `step_up_required`.
 */
export function authorise(caller: Caller | undefined, rule: Rule, deps: Deps): undefined | Promise<void> {
  if (rule.permission === 'public') return undefined;
  if (!caller) throw new Failure('unauthenticated', 'Log in and send Authorization: Bearer <access token>.');
  if (!may(caller.roles, rule.permission)) throw lacks(rule.permission);
  if (caller.key && (rule.ownAccount || !keyMay(caller.key.scopes, rule.permission, rule.method))) {
    // Sessions, devices and second factors are a person's: a key that leaked must not read them.
    throw outOfScope(rule.permission);
  }
  if (caller.setupOnly && !rule.ownAccount) throw new Failure('second_factor_setup_required', '');
  const verified = caller.emailVerified || rule.ownAccount === true || !deps.access.requireVerifiedEmail;
  if (verified && !rule.stepUp) return undefined;
  return askDatabase(caller, verified, rule, deps);
}

async function askDatabase(caller: Caller, verified: boolean, rule: Rule, deps: Deps): Promise<void> {
  const { db } = deps;
  if (!verified && !(await isEmailVerified(db, caller.userId))) throw new Failure('email_not_verified', '');
  if (!rule.stepUp || (await hasSteppedUp(db, caller))) return;
  if (rule.stepUp === 'where_there_is_a_factor' && !(await hasFactor(deps, caller))) return;
  throw new Failure('step_up_required', '');
}

/** Where a person has a second factor, or must have one, a stolen session alone does not do. */
const hasFactor = async ({ db, access }: Deps, { userId }: Caller): Promise<boolean> =>
  access.staffSecondFactor === 'required' || (await methodsOf(db, userId)).length > 0;

export async function hasSteppedUp(db: Deps['db'], { sessionId }: Pick<Caller, 'sessionId'>): Promise<boolean> {
  const session = sessionId === undefined ? null : await findSession(db, sessionId);
  const at = session?.secondFactorAt?.getTime();
  return at !== undefined && Date.now() - at <= STEP_UP_MS;
}

const lacks = (permission: Permission) =>
  new Failure('forbidden', `Your role does not have the right ${permission}. Ask an administrator of the office.`);

const outOfScope = (permission: Permission) =>
  new Failure(
    'forbidden',
    `The API key does not have the scope ${permission}. Ask an administrator of the office for one that does.`,
  );
