import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Knex } from '../db/connection.ts';
import type { FileStore } from '../db/files.ts';
import type { AccessTokens } from './tokens.ts';
import type { ApplicationChanges } from './waiting.ts';

/** Everything that the API is handed; it opens nothing and reads no environment by itself. */
export interface ApiDeps {
  readonly db: Knex;
  readonly temporal: Client;
  readonly taskQueue: string;
  readonly files: FileStore;
  readonly tokens: AccessTokens;
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly midtransServerKey: string;
  /** 32 bytes; encryption and search keys are derived from it. */
  readonly personalDataKey: Buffer;
  readonly logger: Logger;
  readonly selfRegistration: boolean;
  readonly trustedProxies: number;
  readonly production: boolean;
  readonly changes: ApplicationChanges;
}
