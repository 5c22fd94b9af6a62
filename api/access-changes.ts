/**
 * Access that was taken away, known to every process within moments: an access token is believed without a look-up, so
 * a revoked session, a changed role and a revoked key are told over LISTEN/NOTIFY (triggers of migration 0005), and
 * read anew whenever the connection was lost.
 */
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { z } from 'zod';
import { accessTakenAwaySince } from '../db/access.ts';
import type { Knex } from '../db/connection.ts';
import type { UserId } from '../domain/ids.ts';
import { createListener } from './listener.ts';
import { loggable } from './logging.ts';
import type { Caller } from './request.ts';
import { ACCESS_TOKEN_SECONDS } from './tokens.ts';

export interface AccessChanges {
  /** Whether what the token claims still holds. */
  stillHolds(caller: Pick<Caller, 'userId' | 'sessionId' | 'tokenVersion'>): boolean;
  /** Called with the ID of an API key that was revoked or got another end, and when that is; null = never. */
  onKeyChange(listener: (keyId: string, endsAt: Date | null) => void): void;
  /** Resolves once it listens for the first time; rejects never. */
  open(): void;
  close(): Promise<void>;
}

const message = z.union([
  z.strictObject({ session: z.uuid() }),
  z.strictObject({ user: z.uuid(), version: z.int() }),
  z.strictObject({ key: z.uuid(), endsAt: z.number().nullable() }),
]);

/** A little longer than a token lives: nothing older can be presented. */
const REMEMBERED_MS = (ACCESS_TOKEN_SECONDS + 60) * 1000;

export function createAccessChanges(databaseUrl: string, db: Knex, logger: Logger): AccessChanges {
  const ended = new LRUCache<string, true>({ max: 100_000, ttl: REMEMBERED_MS });
  const versions = new LRUCache<string, number>({ max: 100_000, ttl: REMEMBERED_MS });
  const keyListeners: ((keyId: string, endsAt: Date | null) => void)[] = [];

  const listener = createListener(databaseUrl, logger, {
    channel: 'access_changed',
    applicationName: 'alur-access',
    onMessage: (payload) => {
      try {
        note(message.parse(JSON.parse(payload)));
      } catch (error) {
        logger.error({ err: loggable(error) }, 'a change of access could not be read; it counts when tokens expire');
      }
    },
    onConnect: async () => {
      const taken = await accessTakenAwaySince(db, new Date(Date.now() - REMEMBERED_MS));
      for (const id of taken.sessions) ended.set(id, true);
      for (const { id, version } of taken.users) versions.set(id, version);
      for (const { id, endsAt } of taken.keys) tellOfKey(id, endsAt);
    },
  });

  function note(change: z.infer<typeof message>): void {
    if ('session' in change) ended.set(change.session, true);
    else if ('user' in change) versions.set(change.user, change.version);
    else tellOfKey(change.key, change.endsAt === null ? null : new Date(change.endsAt * 1000));
  }

  function tellOfKey(id: string, endsAt: Date | null): void {
    for (const tell of keyListeners) tell(id, endsAt);
  }

  return {
    stillHolds: ({ userId, sessionId, tokenVersion }) =>
      !(sessionId !== undefined && ended.has(sessionId)) &&
      tokenVersion >= (versions.get(userId satisfies UserId) ?? 0),
    onKeyChange: (tell) => void keyListeners.push(tell),
    open: () => listener.open(),
    close: () => listener.close(),
  };
}
