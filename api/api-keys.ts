/** Keys of integrators: what stands behind `X-Api-Key`. */
import type { Logger } from 'pino';
import type { Knex } from '../db/connection.ts';
import { Failure } from '../domain/failures.ts';
import type { AccessChanges } from './access-changes.ts';
import type { Caller } from './request.ts';

export interface ApiKeys {
  /** @throws Failure `unauthenticated`, `address_not_allowed` */
  authenticate(key: string, address: string): Caller | Promise<Caller>;
  /** Whether a key, known by its ID from a token it gave out, has been revoked meanwhile. */
  isRevoked(keyId: string): boolean;
}

export function createApiKeys(_deps: {
  db: Knex;
  accessChanges: AccessChanges;
  logger: Logger;
  production: boolean;
}): ApiKeys {
  return {
    authenticate: () => {
      throw new Failure('unauthenticated', 'API keys are not accepted; send a Bearer token.');
    },
    isRevoked: () => false,
  };
}
