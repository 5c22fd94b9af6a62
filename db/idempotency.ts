/** Answers kept for repeated requests. One row a key; whoever inserts it first does the work. */
import type { Knex } from 'knex';

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's text as it was sent. */
  readonly body: string;
}

export type Claim =
  /** Do the work, then `storeAnswer` or `releaseClaim` with this token. */
  | { readonly state: 'claimed'; readonly token: string }
  | { readonly state: 'answered'; readonly answer: StoredAnswer }
  | { readonly state: 'in_progress' }
  /** The key was used with another request. */
  | { readonly state: 'reused' };

interface Row {
  readonly requestHash: string;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
}

/** A claim this old without an answer belongs to a process that died; the next to come takes it over. */
const STALE_AFTER = '60 seconds';

/**
 * Claims the key, or says what became of it. Two at once: exactly one is told `claimed`.
 * @param scope hash of caller, method, path and key @param requestHash keyed hash of the body
 */
export async function claimKey(db: Knex, scope: string, requestHash: string): Promise<Claim> {
  const claimed: { rows: { token: string }[] } = await db.raw(
    `insert into idempotency_keys as k (scope, request_hash, claimed_at) values (?, ?, clock_timestamp())
     on conflict (scope) do update set claimed_at = excluded.claimed_at
       where k.answered_at is null and k.request_hash = excluded.request_hash
         and k.claimed_at < clock_timestamp() - interval '${STALE_AFTER}'
     returning claimed_at::text as token`,
    [scope, requestHash],
  );
  const token = claimed.rows[0]?.token;
  if (token !== undefined) return { state: 'claimed', token };
  const row: Row | undefined = await db('idempotency_keys')
    .where({ scope })
    .first({ requestHash: 'request_hash', status: 'status', headers: 'headers', body: 'body' });
  // Released between the two statements: whoever asks again may claim it.
  if (!row) return { state: 'in_progress' };
  if (row.requestHash !== requestHash) return { state: 'reused' };
  if (row.status === null || row.body === null) return { state: 'in_progress' };
  return { state: 'answered', answer: { status: row.status, headers: row.headers ?? {}, body: row.body } };
}

/** Keeps the answer, unless the claim has been taken over meanwhile: then the other's counts. */
export async function storeAnswer(db: Knex, scope: string, token: string, answer: StoredAnswer): Promise<void> {
  await held(db, scope, token).update({
    status: answer.status,
    headers: JSON.stringify(answer.headers),
    // As one JSON string: jsonb would reorder the keys of an object, and the repeat must be the same text.
    body: JSON.stringify(answer.body),
    answered_at: db.fn.now(),
  });
}

/** Gives the key back: nothing was done, or nobody can say yet. */
export async function releaseClaim(db: Knex, scope: string, token: string): Promise<void> {
  await held(db, scope, token).delete();
}

/** Forgets keys older than this; at least a day must pass, as the API promises. */
export async function purgeIdempotencyKeys(db: Knex, olderThan: Date): Promise<number> {
  return db('idempotency_keys').where('claimed_at', '<', olderThan).delete();
}

// The token is the claim's time to the microsecond, as text: a Date would cut it to milliseconds and match nothing.
const held = (db: Knex, scope: string, token: string) =>
  db('idempotency_keys').where({ scope }).whereRaw('claimed_at = ?::timestamptz', [token]).whereNull('answered_at');
