/** Reading the audit: pages of it for a person, and whole exports that can be verified without this database. */
import type { Knex } from 'knex';
import type { AuditedEvent, ExportLine, Seal } from '../domain/audit.ts';
import type { EventType } from '../domain/events.ts';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';
import { AUDITED_COLUMNS, rows, SEAL_COLUMNS } from './audit.ts';
import type { AuditJwk } from './audit-hash.ts';

export interface AuditFilter {
  readonly type?: EventType | undefined;
  readonly actorId?: UserId | undefined;
  /** `user/<id>`, `api_key/<id>` …; see `Subject`. */
  readonly subject?: string | undefined;
  readonly companyId?: CompanyId | undefined;
  readonly applicationId?: ApplicationId | undefined;
  readonly requestId?: string | undefined;
  readonly address?: string | undefined;
  /** When it was written down: from this instant on, until before that one. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

export interface AuditEntry {
  readonly id: bigint;
  readonly type: EventType;
  readonly actor: 'person' | 'system' | 'gateway';
  readonly by: UserId | null;
  readonly byName: string | null;
  readonly subject: string | null;
  readonly companyId: CompanyId | null;
  readonly applicationId: ApplicationId | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: Date;
  readonly recordedAt: Date;
  /** null = not sealed yet. */
  readonly batch: bigint | null;
}

/** Newest first. `before` = the last ID already read. */
export async function listAudit(
  db: Knex,
  { from, to, ...filter }: AuditFilter,
  page: { readonly before: bigint | null; readonly limit: number },
): Promise<AuditEntry[]> {
  const found: AuditEntry[] = await db('events as e')
    .leftJoin('users as u', 'u.id', 'e.actor_id')
    .leftJoin('sealed_events as m', 'm.event_id', 'e.id')
    .where(columnsOf(filter))
    .modify((query) => {
      if (from) query.where('e.recorded_at', '>=', from);
      if (to) query.where('e.recorded_at', '<', to);
      if (page.before !== null) query.where('e.id', '<', page.before.toString());
    })
    .orderBy('e.id', 'desc')
    .limit(page.limit)
    .select({
      id: 'e.id',
      type: 'e.type',
      actor: 'e.actor',
      by: 'e.actor_id',
      byName: 'u.name',
      subject: 'e.subject',
      companyId: 'e.company_id',
      applicationId: 'e.application_id',
      address: 'e.address',
      requestId: 'e.request_id',
      data: 'e.data',
      at: 'e.occurred_at',
      recordedAt: 'e.recorded_at',
      batch: 'm.batch',
    });
  return found;
}

const COLUMNS = {
  type: 'e.type',
  actorId: 'e.actor_id',
  subject: 'e.subject',
  companyId: 'e.company_id',
  applicationId: 'e.application_id',
  requestId: 'e.request_id',
  address: 'e.address',
} as const satisfies Record<keyof Omit<AuditFilter, 'from' | 'to'>, string>;

function columnsOf(filter: Omit<AuditFilter, 'from' | 'to'>): Record<string, string> {
  const { type, actorId, subject, companyId, applicationId, requestId, address } = filter;
  const given = { type, actorId, subject, companyId, applicationId, requestId, address };
  const wanted: Record<string, string> = {};
  for (const name of FILTERS) if (given[name] !== undefined) wanted[COLUMNS[name]] = given[name];
  return wanted;
}
const FILTERS = ['type', 'actorId', 'subject', 'companyId', 'applicationId', 'requestId', 'address'] as const;

/** Instants; both may be open. */
export interface AuditRange {
  readonly from: Date | null;
  readonly to: Date | null;
}

const PAGE = 1_000;

/**
 * The lines of an export, a page of them at a time: whole batches, since a batch can only be verified whole, from the
 * first to the last that hold an event recorded in the range; then the events of the range that are in no batch.
 * Each page is a query of its own, so a slow reader holds neither a connection nor a transaction. What is sealed does not
 * change meanwhile; what is sealed meanwhile counts as not sealed yet.
 */
export async function* exportLines(
  db: Knex,
  range: AuditRange,
  head: { readonly keys: readonly AuditJwk[]; readonly at: Date },
): AsyncGenerator<ExportLine[]> {
  const { first, last, newest } = await batchesOf(db, range);
  yield [
    {
      kind: 'export',
      form: 'alur-audit-export/1',
      from: range.from?.toISOString() ?? null,
      to: range.to?.toISOString() ?? null,
      exportedAt: head.at.toISOString(),
      keys: head.keys,
    },
  ];
  let events = 0;
  const counted = (lines: ExportLine[]): ExportLine[] => {
    events += lines.filter(({ kind }) => kind === 'event').length;
    return lines;
  };
  if (first !== null && last !== null) for await (const lines of sealedLines(db, first, last)) yield counted(lines);
  for await (const lines of unsealedLines(db, range, newest)) yield counted(lines);
  yield [{ kind: 'end', events: String(events) }];
}

interface Batches {
  readonly first: string | null;
  readonly last: string | null;
  /** Of the whole chain, when the export begins. */
  readonly newest: string;
}

/** By the events and by the seals: a batch whose events have all vanished is covered too. */
async function batchesOf(db: Knex, { from, to }: AuditRange): Promise<Batches> {
  const [found] = await rows<Batches>(
    db,
    `with range as (select coalesce(cast(:from as timestamptz), '-infinity') as since, coalesce(cast(:to as timestamptz), 'infinity') as until),
       covering as (
         select m.batch from range, events e join sealed_events m on m.event_id = e.id where e.recorded_at >= since and e.recorded_at < until
         union all
         select s.batch from range, event_seals s where s.sealed_at >= since and s.sealed_at < until
       )
     select min(batch)::text as first, max(batch)::text as last, (select coalesce(max(batch), 0)::text from event_seals) as newest
     from covering`,
    { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null },
  );
  return found ?? { first: null, last: null, newest: '0' };
}

type SealedRow = AuditedEvent & { readonly eventId: string; readonly batch: string; readonly hash: string };

async function* sealedLines(db: Knex, first: string, last: string): AsyncGenerator<ExportLine[]> {
  let position = { batch: first, eventId: '-1' };
  let sealsFrom = first;
  for (;;) {
    const page = await sealedPage(db, position, last);
    const end = page.at(-1);
    const full = page.length === PAGE && end !== undefined;
    const upTo = full ? end.batch : last;
    yield inOrder(await sealsBetween(db, sealsFrom, upTo), page);
    if (!full) return;
    position = end;
    sealsFrom = String(BigInt(upTo) + 1n);
  }
}

/** Events that are gone come as rows of nothing: their place in the batch tells of them. */
const sealedPage = (db: Knex, after: { batch: string; eventId: string }, last: string): Promise<SealedRow[]> =>
  rows(
    db,
    `select ${AUDITED_COLUMNS}, m.event_id::text as "eventId", m.batch::text as batch, m.hash
     from sealed_events m left join events e on e.id = m.event_id
     where (m.batch, m.event_id) > (cast(? as bigint), cast(? as bigint)) and m.batch <= cast(? as bigint)
     order by m.batch, m.event_id limit ?`,
    [after.batch, after.eventId, last, PAGE],
  );

const sealsBetween = (db: Knex, first: string, last: string): Promise<Seal[]> =>
  rows(
    db,
    `select ${SEAL_COLUMNS} from event_seals s where s.batch between cast(? as bigint) and cast(? as bigint) order by s.batch`,
    [first, last],
  );

/** Each seal stands before the events of its batch. */
function inOrder(seals: readonly Seal[], page: readonly SealedRow[]): ExportLine[] {
  const waiting = [...seals];
  const lines: ExportLine[] = [];
  for (const row of page) {
    while (waiting[0] && BigInt(waiting[0].batch) <= BigInt(row.batch)) lines.push(...sealLine(waiting.shift()));
    lines.push(eventLine(row));
  }
  return [...lines, ...waiting.flatMap(sealLine)];
}

const sealLine = (seal: Seal | undefined): ExportLine[] => (seal ? [{ kind: 'seal', ...seal }] : []);

function eventLine({ eventId, batch, hash, ...event }: SealedRow): ExportLine {
  return event.id === null ? { kind: 'missing', batch, id: eventId, hash } : { kind: 'event', batch, hash, event };
}

async function* unsealedLines(db: Knex, range: AuditRange, newest: string): AsyncGenerator<ExportLine[]> {
  let after = { recordedAt: range.from?.toISOString() ?? '-infinity', id: '-1' };
  for (;;) {
    const page = await unsealedPage(db, after, range.to, newest);
    if (page.length > 0) yield page.map((event) => ({ kind: 'event', batch: null, hash: null, event }));
    const end = page.at(-1);
    if (!end || page.length < PAGE) return;
    after = end;
  }
}

const unsealedPage = (
  db: Knex,
  after: { recordedAt: string; id: string },
  to: Date | null,
  newest: string,
): Promise<AuditedEvent[]> =>
  rows(
    db,
    `select ${AUDITED_COLUMNS} from events e
     where (e.recorded_at, e.id) > (cast(? as timestamptz), cast(? as bigint)) and e.recorded_at < coalesce(cast(? as timestamptz), 'infinity')
       and not exists (select from sealed_events m where m.event_id = e.id and m.batch <= cast(? as bigint))
     order by e.recorded_at, e.id limit ?`,
    [after.recordedAt, after.id, to?.toISOString() ?? null, newest, PAGE],
  );
