/** Log-ins, and the refresh tokens that keep them going. Only hashes of tokens are stored. */
import type { Knex } from 'knex';
import type { UserId } from '../domain/ids.ts';

export type LoginMethod = 'password' | 'provider' | 'invitation';
export type SessionEnd = 'logged_out' | 'revoked' | 'replaced' | 'reused' | 'password_changed' | 'disabled';

export interface Session {
  readonly id: string;
  readonly userId: UserId;
  readonly method: LoginMethod;
  /** "Chrome on Android" */
  readonly device: string;
  readonly address: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly idleUntil: Date;
  /** Nothing keeps it going longer than this. */
  readonly endsAt: Date;
  readonly secondFactorAt: Date | null;
  /** Good for setting up a second factor and for nothing else. */
  readonly setupOnly: boolean;
}

/** At most so many at once; the one that was used longest ago gives way. */
export const MAX_SESSIONS = 5;

/** A client that sends one refresh token twice at once; within this time the second gets a token of its own. */
export const REUSE_GRACE_MS = 10_000;

const columns = {
  id: 'id',
  userId: 'user_id',
  method: 'method',
  device: 'device',
  address: 'address',
  createdAt: 'created_at',
  lastUsedAt: 'last_used_at',
  idleUntil: 'idle_until',
  endsAt: 'ends_at',
  secondFactorAt: 'second_factor_at',
  setupOnly: 'setup_only',
};

/**
 * Opens a session with its first refresh token.
 * @param provenSince when the proof for it was begun
 * @returns the sessions that had to give way; null when the person was disabled, or got another password, since then
 */
export async function openSession(
  db: Knex,
  session: Session,
  tokenHash: string,
  provenSince: Date,
): Promise<string[] | null> {
  return db.transaction(async (trx) => {
    // The person's row is the queue: two log-ins at once must not both find a place free.
    const person = await trx('users')
      .where({ id: session.userId })
      .forNoKeyUpdate()
      .first({ status: 'status', passwordChangedAt: 'password_changed_at' });
    if (person?.status !== 'active' || (person.passwordChangedAt ?? 0) > provenSince) return null;
    await trx('sessions').insert({
      id: session.id,
      user_id: session.userId,
      method: session.method,
      device: session.device,
      address: session.address,
      created_at: session.createdAt,
      last_used_at: session.lastUsedAt,
      idle_until: session.idleUntil,
      ends_at: session.endsAt,
      second_factor_at: session.secondFactorAt,
      setup_only: session.setupOnly,
    });
    await addRefreshToken(trx, {
      tokenHash,
      parentHash: null,
      sessionId: session.id,
      userId: session.userId,
      ...lifeOf(session),
    });
    const surplus = await open(trx, session.userId, session.createdAt)
      .whereNot('id', session.id)
      .orderBy('last_used_at', 'desc')
      .orderBy('created_at', 'desc')
      .offset(MAX_SESSIONS - 1)
      .pluck<string[]>('id');
    await endSessions(trx, surplus, 'replaced', session.createdAt);
    return surplus;
  });
}

const lifeOf = ({ createdAt, idleUntil }: Session) => ({ createdAt, expiresAt: idleUntil });

/** Open at this moment, the one used last first. */
export async function sessionsOf(db: Knex, userId: UserId, at: Date): Promise<Session[]> {
  const found: Session[] = await open(db, userId, at).orderBy('last_used_at', 'desc').select(columns);
  return found;
}

const open = (db: Knex, userId: UserId, at: Date) =>
  db('sessions').where({ user_id: userId, ended_at: null }).where('idle_until', '>', at).where('ends_at', '>', at);

/** null when there is none, or it has ended. */
export async function findSession(db: Knex, id: string): Promise<Session | null> {
  const found: Session | undefined = await db('sessions').where({ id, ended_at: null }).first(columns);
  return found ?? null;
}

/** Ends those that are still open. @returns how many those were */
export async function endSessions(db: Knex, ids: readonly string[], reason: SessionEnd, at: Date): Promise<number> {
  if (ids.length === 0) return 0;
  return db('sessions')
    .whereIn('id', [...ids])
    .whereNull('ended_at')
    .update({ ended_at: at, end_reason: reason });
}

/** Ends every open session of a person, but `except`. @returns their IDs */
export async function endSessionsOf(
  db: Knex,
  userId: UserId,
  end: { readonly reason: SessionEnd; readonly at: Date; readonly except?: string | undefined },
): Promise<string[]> {
  const rows: { id: string }[] = await db('sessions')
    .where({ user_id: userId, ended_at: null })
    .modify((query) => {
      if (end.except !== undefined) query.whereNot('id', end.except);
    })
    .update({ ended_at: end.at, end_reason: end.reason })
    .returning('id');
  return rows.map(({ id }) => id);
}

export async function noteSecondFactor(db: Knex, sessionId: string, at: Date): Promise<void> {
  await db('sessions').where({ id: sessionId }).update({ second_factor_at: at });
}

interface NewRefreshToken {
  readonly tokenHash: string;
  /** The token that was exchanged for this one. */
  readonly parentHash: string | null;
  readonly sessionId: string;
  readonly userId: UserId;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

async function addRefreshToken(db: Knex, token: NewRefreshToken): Promise<void> {
  await db('refresh_tokens').insert({
    token_hash: token.tokenHash,
    parent_hash: token.parentHash,
    family_id: token.sessionId,
    user_id: token.userId,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
  });
}

export type Rotation =
  | { readonly outcome: 'rotated'; readonly session: Session }
  /** Somebody kept an old token: the session is over, for whoever holds the newest one too. */
  | { readonly outcome: 'reused'; readonly session: Session }
  | { readonly outcome: 'unknown' };

export interface RotationRequest {
  readonly tokenHash: string;
  readonly nextHash: string;
  readonly at: Date;
  /** How long a session of this person may lie idle; asks the transaction it is handed. */
  readonly idleMs: (trx: Knex, userId: UserId) => Promise<number>;
  readonly address: string;
}

/** Uses a token up and stores the next of its session, in one transaction. */
export async function rotateRefreshToken(db: Knex, request: RotationRequest): Promise<Rotation> {
  const { at } = request;
  return db.transaction(async (trx) => {
    const token = await lockToken(trx, request.tokenHash);
    const session = token && (await lockSession(trx, token.sessionId));
    if (!token || !session || token.expiresAt <= at || session.endsAt <= at) return { outcome: 'unknown' };
    if (token.usedAt && !(await isTwin(trx, request.tokenHash, token.usedAt, at))) {
      await endSessions(trx, [session.id], 'reused', at);
      return { outcome: 'reused', session };
    }
    const idleMs = await request.idleMs(trx, session.userId);
    const idleUntil = new Date(Math.min(at.getTime() + idleMs, session.endsAt.getTime()));
    await trx('refresh_tokens').where({ token_hash: request.tokenHash }).whereNull('used_at').update({ used_at: at });
    await addRefreshToken(trx, {
      tokenHash: request.nextHash,
      parentHash: request.tokenHash,
      sessionId: session.id,
      userId: session.userId,
      createdAt: at,
      expiresAt: idleUntil,
    });
    const used = { last_used_at: at, idle_until: idleUntil, address: request.address };
    await trx('sessions').where({ id: session.id }).update(used);
    return { outcome: 'rotated', session: { ...session, lastUsedAt: at, idleUntil, address: request.address } };
  });
}

/**
 * Whether a second use is the same client asking twice at once: soon after the first, and before any token that the
 * first use gave was used in turn. A thief who comes later than that is found out.
 */
async function isTwin(trx: Knex, tokenHash: string, usedAt: Date, at: Date): Promise<boolean> {
  if (at.getTime() - usedAt.getTime() > REUSE_GRACE_MS) return false;
  const next = await trx('refresh_tokens')
    .where({ parent_hash: tokenHash })
    .whereNotNull('used_at')
    .first('token_hash');
  return next === undefined;
}

async function lockSession(trx: Knex, id: string): Promise<Session | null> {
  const found: Session | undefined = await trx('sessions').where({ id, ended_at: null }).forUpdate().first(columns);
  return found ?? null;
}

/** Ends the session that this token belongs to; an unknown token ends nothing. */
export async function endSessionOfToken(db: Knex, tokenHash: string, at: Date): Promise<Session | null> {
  const token = await db('refresh_tokens').where({ token_hash: tokenHash }).first({ sessionId: 'family_id' });
  const session = token ? await findSession(db, token.sessionId) : null;
  if (session) await endSessions(db, [session.id], 'logged_out', at);
  return session;
}

interface FoundToken {
  readonly sessionId: string;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

async function lockToken(trx: Knex.Transaction, tokenHash: string): Promise<FoundToken | undefined> {
  return trx('refresh_tokens').where({ token_hash: tokenHash }).forUpdate().first({
    sessionId: 'family_id',
    expiresAt: 'expires_at',
    usedAt: 'used_at',
  });
}
