/** Sealing: events become batches of a hash chain. Writers of events never wait for it, and it never waits for them. */
import type { Knex } from 'knex';
import { type AuditedEvent, NO_HASH, type Seal, sealedUpTo } from '../domain/audit.ts';
import { type AuditSigner, hashOfEvent, startBatchHash } from './audit-hash.ts';

/** The columns of `events e` as text, in the form that is hashed. */
export const AUDITED_COLUMNS = `
  e.id::text as id, e.key, e.type, e.application_id::text as "applicationId", e.company_id::text as "companyId",
  e.actor_id::text as "actorId", e.actor, e.subject, e.address, e.request_id as "requestId", e.data::text as data,
  e.public::text as public, ${utc('e.occurred_at')} as "occurredAt", ${utc('e.recorded_at')} as "recordedAt"`;

export const SEAL_COLUMNS = `
  s.batch::text as batch, s.events, s.previous_hash as "previousHash", s.hash, s.key_id as "keyId", s.signature,
  ${utc('s.sealed_at')} as "sealedAt"`;

export function utc(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Any number that nothing else in this database locks. */
const SEALING = 5_417_001;

/** How many events one batch takes at most: a transaction of well under a second. */
export const BATCH_SIZE = 10_000;

export type Sealed = { readonly events: number } | 'nothing' | 'busy';

/**
 * Seals the next batch in one transaction: a crash leaves either all of it or nothing.
 * @returns 'nothing' when every event is sealed, 'busy' when another worker is sealing at this moment
 */
export async function sealNextBatch(db: Knex, signer: AuditSigner, batchSize = BATCH_SIZE): Promise<Sealed> {
  return db.transaction(async (tx) => {
    // Tried and not waited for: who comes second has nothing to add to what the first is doing.
    const [locked] = await rows<{ taken: boolean }>(tx, 'select pg_try_advisory_xact_lock(?) as taken', [SEALING]);
    if (!locked?.taken) return 'busy';
    const previous = await lastSeal(tx);
    const events = await unsealed(tx, previous && sealedUpTo(previous), batchSize);
    if (events.length === 0) return 'nothing';
    await insertBatch(tx, signer, previous, events);
    return { events: events.length };
  });
}

interface LastSeal extends Pick<Seal, 'batch' | 'hash' | 'sealedAt'> {
  readonly newestRecordedAt: string;
}

async function lastSeal(tx: Knex): Promise<LastSeal | null> {
  const [last] = await rows<LastSeal>(
    tx,
    `select s.batch::text as batch, s.hash, ${utc('s.sealed_at')} as "sealedAt",
       (select ${utc('max(e.recorded_at)')} from sealed_events m join events e on e.id = m.event_id where m.batch = s.batch)
         as "newestRecordedAt"
     from event_seals s order by s.batch desc limit 1`,
  );
  return last ?? null;
}

/**
 * Transactions commit out of the order of their IDs, so "not sealed yet" is asked of each event and not of a range of
 * IDs. `from` keeps that cheap: only events recorded since can be unsealed; see `sealedUpTo` for why that is safe.
 */
const unsealed = (tx: Knex, from: string | null, limit: number): Promise<AuditedEvent[]> =>
  rows(
    tx,
    `with picked as (
       select e.* from events e
       where e.recorded_at >= coalesce(cast(? as timestamptz), '-infinity')
         and not exists (select from sealed_events m where m.event_id = e.id)
       order by e.recorded_at, e.id limit ?
     )
     select ${AUDITED_COLUMNS} from picked e order by e.id`,
    [from, limit],
  );

async function insertBatch(
  tx: Knex,
  signer: AuditSigner,
  previous: LastSeal | null,
  events: readonly AuditedEvent[],
): Promise<void> {
  const [clock] = await rows<{ now: string }>(tx, `select ${utc('now()')} as now`);
  const header = {
    batch: String(BigInt(previous?.batch ?? 0) + 1n),
    previousHash: previous?.hash ?? NO_HASH,
    events: events.length,
    sealedAt: clock?.now ?? '',
  };
  const lines = events.map((event) => ({ id: event.id, hash: hashOfEvent(event) }));
  const sum = startBatchHash(header);
  for (const line of lines) sum.add(line);
  const hash = sum.digest();
  await tx('event_seals').insert({
    batch: header.batch,
    events: header.events,
    previous_hash: header.previousHash,
    hash,
    key_id: signer.keyId,
    signature: signer.sign(hash),
    sealed_at: header.sealedAt,
  });
  await tx.raw(
    `insert into sealed_events (event_id, batch, hash)
     select id, cast(? as bigint), hash from unnest(cast(? as bigint[]), cast(? as text[])) as line (id, hash)`,
    [header.batch, lines.map(({ id }) => id), lines.map(({ hash }) => hash)],
  );
}

/** What a statement of raw SQL returned. */
export async function rows<Row>(db: Knex, sql: string, bindings: Bindings = []): Promise<Row[]> {
  const found: { rows: Row[] } = await db.raw(sql, bindings);
  return found.rows;
}

type Bindings = (string | number | null)[] | Record<string, string | null>;
