/** Who is calling: the only place that reads credentials. */
import type { Request } from 'express';
import { Failure } from '../../domain/failures.ts';
import type { Actor } from '../../domain/licensing.ts';
import type { AccessTokens } from '../tokens.ts';

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/**
 * The caller, or undefined when no credential was sent. Answers at once for a token seen before, so that the usual
 * request does not wait.
 * @throws Failure `unauthenticated` for a credential that is wrong, expired or of a kind that is not accepted.
 */
export function authenticate(req: Request, tokens: AccessTokens): Actor | undefined | Promise<Actor> {
  const { authorization } = req.headers;
  if (authorization === undefined) {
    if (req.headers['x-api-key'] !== undefined) throw refused('API keys are not accepted; send a Bearer token.');
    return undefined;
  }
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw refused('Send Authorization: Bearer <access token>.');
  return tokens.known(token) ?? verified(token, tokens);
}

async function verified(token: string, tokens: AccessTokens): Promise<Actor> {
  const actor = await tokens.verify(token);
  if (!actor) throw refused('The access token is not valid or has expired. Refresh it, or log in again.');
  return actor;
}

const refused = (message: string): Failure => new Failure('unauthenticated', message);
