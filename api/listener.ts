/** One connection that listens on a channel of PostgreSQL, and comes back when it is lost. */
import pg from 'pg';
import type { Logger } from 'pino';
import { loggable } from './logging.ts';

export interface Listener {
  /** Connects unless it is connected, or about to be. */
  open(): void;
  close(): Promise<void>;
}

export interface Listening {
  readonly channel: string;
  readonly applicationName: string;
  readonly onMessage: (payload: string) => void;
  /** Each time a connection stands: what was said before is not repeated, so look for yourself. */
  readonly onConnect: () => void | Promise<void>;
}

const RECONNECT_AFTER_MS = 1_000;

export function createListener(databaseUrl: string, logger: Logger, listening: Listening): Listener {
  let current: pg.Client | null = null;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  async function listen(): Promise<void> {
    if (current || closed) return;
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: listening.applicationName,
      keepAlive: true,
    });
    current = client;
    client.on('notification', ({ payload }) => listening.onMessage(payload ?? ''));
    client.on('error', (error) => lose(client, error));
    client.on('end', () => lose(client, null));
    try {
      await client.connect();
      await client.query(`listen ${listening.channel}`);
      await listening.onConnect();
    } catch (error) {
      lose(client, error);
    }
  }

  function lose(client: pg.Client, error: unknown): void {
    if (current !== client) return;
    current = null;
    client.end().catch((cause: unknown) => logger.debug({ err: loggable(cause) }, 'closing a lost connection failed'));
    if (closed) return;
    logger.warn(
      { err: loggable(error), channel: listening.channel },
      'a listening connection was lost; connecting again',
    );
    retry = setTimeout(() => {
      retry = undefined;
      void listen();
    }, RECONNECT_AFTER_MS);
  }

  return {
    open: () => {
      // While a new connection is scheduled, it is the schedule's: a crowd must not knock on a closed door.
      if (retry === undefined) void listen();
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      const client = current;
      current = null;
      await client?.end();
    },
  };
}
