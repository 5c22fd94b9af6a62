/** Who may pass to a route's body and handler: credential, rate limit, right; in this order. */
import type { Request, Response } from 'express';
import type { ApiDeps } from './deps.ts';
import { authenticate } from './middleware/authentication.ts';
import { authorise } from './middleware/authorisation.ts';
import { guardsAccount } from './rate-limits.ts';
import { addressOf, type Caller } from './request.ts';
import type { Route } from './route.ts';

export interface Admission {
  /** Before the body is read. Answers at once unless the token is new or the database has to be asked. */
  enter(req: Request, res: Response): undefined | Promise<void>;
  /** With the body read, before its schema: for limits of the account that it names. */
  readonly account?: (req: Request, res: Response) => undefined | Promise<void>;
}

/** @throws (from `enter`) Failure `unauthenticated`, `rate_limited`, and what `authorise` refuses with */
export function createAdmission(route: Route, deps: ApiDeps): Admission {
  const { limits } = deps;
  if (route.permission !== 'public') {
    return { enter: (req, res) => enterWithCredential(route, deps, req, res) };
  }
  const limit = route.limit ?? 'public';
  const enter: Admission['enter'] = (req, res) => {
    limits.countAddress(limit, addressOf(req), res);
    return undefined;
  };
  if (!guardsAccount(limit)) return { enter };
  return {
    enter,
    account(req, res) {
      const email = emailOf(req.body);
      return email === undefined ? undefined : limits.countAccount(limit, { email, address: addressOf(req) }, res);
    },
  };
}

function enterWithCredential(route: Route, deps: ApiDeps, req: Request, res: Response): undefined | Promise<void> {
  const caller = callerOf(req, res, deps);
  if (caller instanceof Promise) return enterWhenKnown(caller, route, deps, req, res);
  return admit(caller, route, deps, req, res);
}

async function enterWhenKnown(
  pending: Promise<Caller>,
  route: Route,
  deps: ApiDeps,
  req: Request,
  res: Response,
): Promise<void> {
  let caller: Caller;
  try {
    caller = await pending;
  } catch (error) {
    deps.limits.countAddress('public', addressOf(req), res);
    throw error;
  }
  await admit(caller, route, deps, req, res);
}

/** Whose credential is refused counts by address: nobody tries them out without end. */
function callerOf(req: Request, res: Response, deps: ApiDeps): ReturnType<typeof authenticate> {
  try {
    return authenticate(req, deps);
  } catch (error) {
    deps.limits.countAddress('public', addressOf(req), res);
    throw error;
  }
}

function admit(caller: Caller | undefined, route: Route, deps: ApiDeps, req: Request, res: Response) {
  if (caller === undefined) {
    deps.limits.countAddress('public', addressOf(req), res);
  } else {
    req.actor = caller;
    deps.limits.countCaller(route.limit ?? 'default', caller, res);
  }
  return authorise(caller, route, deps);
}

function emailOf(body: unknown): string | undefined {
  const email = typeof body === 'object' && body !== null && 'email' in body ? body.email : undefined;
  return typeof email === 'string' ? email : undefined;
}
