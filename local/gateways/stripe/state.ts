/** What the endpoints share: the store of sessions, and how a request is read and a session told. */
import type { Request } from 'express';
import type { Faults } from '../faults.ts';
import type { SessionBook } from './book.ts';
import type { IdempotencyKeys } from './idempotency.ts';
import type { Session } from './sessions.ts';
import { sessionBody } from './wire.ts';

export interface ApiState {
  readonly secretKey: string;
  readonly clock: () => Date;
  readonly faults: Faults;
  readonly keys: IdempotencyKeys;
  /** By the session's ID, as of now. */
  find(id: string): Session | undefined;
  readonly book: SessionBook;
  /** As of now: an expiry that the clock brought is noticed here. */
  current(stored: Session): Session;
  save(session: Session): void;
  /** Stores it and tells the merchant that it has expired. */
  ended(session: Session): void;
  /** Stores it and tells the merchant of its last refund. */
  refunded(session: Session): void;
  url(session: Session): string;
}

export const queryOf = (req: Request): URLSearchParams => new URL(req.originalUrl, 'http://sandbox').searchParams;

/** `expand[0]=payment_intent.latest_charge`, of a query or a body. */
export const expandOf = (req: Request): string[] =>
  [...queryOf(req)].filter(([name]) => /^expand\[\d*\]$/.test(name)).map(([, path]) => path);

export const told = (state: ApiState, session: Session, req: Request) =>
  sessionBody(session, { expand: expandOf(req), url: state.url(session) });
