/** What the caller may do: the only place that asks the table of rights. Whose case it is, the route asks afterwards. */

import { findSession } from '../../db/sessions.ts';
import { isEmailVerified } from '../../db/users.ts';
import { Failure } from '../../domain/failures.ts';
import { may, type Permission, type Scope } from '../../domain/roles.ts';
import type { ApiDeps } from '../deps.ts';
import type { Caller } from '../request.ts';
import type { Route } from '../route.ts';

type Rule = Pick<Route, 'permission' | 'stepUp' | 'ownAccount'>;
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
  if (!may(caller.roles, rule.permission) || !inScope(caller, rule.permission)) throw lacks(rule.permission);
  if (rule.ownAccount) return undefined;
  if (caller.setupOnly) throw new Failure('second_factor_setup_required', '');
  const verified = caller.emailVerified || !deps.access.requireVerifiedEmail;
  if (verified && !rule.stepUp) return undefined;
  return askDatabase(caller, verified, rule, deps);
}

async function askDatabase(caller: Caller, verified: boolean, rule: Rule, { db }: Deps): Promise<void> {
  if (!verified && !(await isEmailVerified(db, caller.userId))) throw new Failure('email_not_verified', '');
  if (rule.stepUp && !(await hasSteppedUp(db, caller))) throw new Failure('step_up_required', '');
}

async function hasSteppedUp(db: Deps['db'], { sessionId }: Caller): Promise<boolean> {
  const session = sessionId === undefined ? null : await findSession(db, sessionId);
  const at = session?.secondFactorAt?.getTime();
  return at !== undefined && Date.now() - at <= STEP_UP_MS;
}

/** A key does what its scopes say; everybody sees whose key it is. */
function inScope({ key }: Caller, permission: Permission): boolean {
  if (key === undefined || permission === 'profile.use') return true;
  const scopes: readonly Permission[] = key.scopes satisfies readonly Scope[];
  return scopes.includes(permission);
}

const lacks = (permission: Permission) =>
  new Failure('forbidden', `Your role does not have the right ${permission}. Ask an administrator of the office.`);
