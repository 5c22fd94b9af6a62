/** Who is calling: the only place that reads credentials. */
import type { Request } from 'express';
import { Failure } from '../../domain/failures.ts';
import { notFrom } from '../api-keys.ts';
import type { ApiDeps } from '../deps.ts';
import { inNetworks } from '../networks.ts';
import { addressOf, type Caller } from '../request.ts';

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

type Deps = Pick<ApiDeps, 'tokens' | 'accessChanges' | 'apiKeys'>;

/**
 * The caller, or undefined when no credential was sent. Answers at once for a token seen before, so that the usual
 * request does not wait.
 * @throws Failure `unauthenticated` for a credential that is wrong, expired, revoked or of a kind that is not accepted;
 *   `address_not_allowed` for a key that is used from elsewhere.
 */
export function authenticate(req: Request, deps: Deps): Caller | undefined | Promise<Caller> {
  const { authorization } = req.headers;
  if (authorization === undefined) {
    const key = req.headers['x-api-key'];
    return typeof key === 'string' ? deps.apiKeys.authenticate(key, addressOf(req)) : undefined;
  }
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw refused('Send Authorization: Bearer <access token>.');
  const known = deps.tokens.known(token);
  return known ? current(known, req, deps) : verified(token, req, deps);
}

async function verified(token: string, req: Request, deps: Deps): Promise<Caller> {
  const caller = await deps.tokens.verify(token);
  if (!caller) throw refused('The access token is not valid or has expired. Refresh it, or log in again.');
  return current(caller, req, deps);
}

function current(caller: Caller, req: Request, { accessChanges, apiKeys }: Deps): Caller {
  const { key } = caller;
  if (!accessChanges.stillHolds(caller) || (key && apiKeys.isRevoked(key.id))) {
    throw refused('The log-in was ended, or its rights have changed. Refresh the token, or log in again.');
  }
  if (key) requireNetwork(key.networks, addressOf(req));
  return caller;
}

function requireNetwork(networks: readonly string[] | undefined, address: string): void {
  if (!inNetworks(address, networks)) throw notFrom(address);
}

const refused = (message: string): Failure => new Failure('unauthenticated', message);
