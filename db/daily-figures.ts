/** What finance is told of a day: the walks, the cases, the refunds that wait for a person, and the money that moved. */
import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { PaymentCaseKind } from '../domain/payments.ts';
import { type DailyFigures, type GatewayWalk, spanOfDay } from '../domain/reconciliation.ts';
import { type ReconciliationRun, RUN_COLUMNS } from './reconciliation.ts';

/** The zone of the first office: the one whose day the books are closed by. */
export async function firstOfficeZone(db: Knex): Promise<OfficeZone> {
  const office: { zone: OfficeZone } | undefined = await db('offices').orderBy(['created_at', 'id']).first('zone');
  if (!office) throw new Error('there is no office yet');
  return office.zone;
}

/** @param day YYYY-MM-DD in `zone` @param at the instant from which the age of the cases is counted */
export async function dailyFigures(
  db: Knex,
  { day, zone, at }: { readonly day: string; readonly zone: OfficeZone; readonly at: Date },
): Promise<DailyFigures> {
  const { from, to } = spanOfDay(day, zone);
  const [walks, openCases, refunds, totals] = await Promise.all([
    walksUpTo(db, to),
    casesByKind(db, at),
    waitingRefunds(db),
    totalsOf(db, from, to),
  ]);
  return { day, walks, openCases, refunds, totals };
}

const walksUpTo = (db: Knex, to: string): Promise<GatewayWalk[]> =>
  db('reconciliation_runs')
    .where({ to_at: to })
    .orderBy('gateway')
    .select('gateway', 'state', 'compared', 'differences', 'failure');

async function casesByKind(db: Knex, at: Date): Promise<DailyFigures['openCases']> {
  const rows: { kind: PaymentCaseKind; count: bigint; oldest: Date }[] = await db('payment_cases')
    .where({ state: 'open' })
    .groupBy('kind')
    .orderBy('kind')
    .select({ kind: 'kind', count: db.raw('count(*)'), oldest: db.raw('min(opened_at)') });
  return rows.map(({ kind, count, oldest }) => ({
    kind,
    count: Number(count),
    oldestHours: hoursBetween(oldest, at),
  }));
}

export const hoursBetween = (from: Date, to: Date): number =>
  Math.max(0, Math.floor((to.getTime() - from.getTime()) / 3_600_000));

async function waitingRefunds(db: Knex): Promise<DailyFigures['refunds']> {
  const [row]: { awaitingApproval: bigint; awaitingTransfer: bigint }[] = await db('refunds')
    .whereIn('state', ['requested', 'transfer_due'])
    .select({
      awaitingApproval: db.raw("count(*) filter (where state = 'requested')"),
      awaitingTransfer: db.raw("count(*) filter (where state = 'transfer_due')"),
    });
  return {
    awaitingApproval: Number(row?.awaitingApproval ?? 0),
    awaitingTransfer: Number(row?.awaitingTransfer ?? 0),
  };
}

const TOTALS = `
  select e.currency,
    cast(coalesce(sum(p.amount_minor) filter (where p.account = 'gateway_clearing' and e.kind in ('captured', 'taken_back')), 0) as text) as "capturedMinor",
    cast(coalesce(sum(p.amount_minor) filter (where p.account = 'refunds' and e.kind in ('refund_paid', 'refund_came_back')), 0)
      - coalesce(sum(p.amount_minor) filter (where p.account = 'gateway_clearing' and e.kind = 'given_back'), 0) as text) as "refundedMinor",
    cast(coalesce(-sum(p.amount_minor) filter (where p.account = 'gateway_clearing' and e.kind = 'settled'), 0) as text) as "settledMinor"
  from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account in ('gateway_clearing', 'refunds')
  where e.occurred_at >= :from and e.occurred_at < :to
    and e.kind in ('captured', 'taken_back', 'refund_paid', 'refund_came_back', 'given_back', 'settled')
  group by e.currency order by e.currency`;

async function totalsOf(db: Knex, from: string, to: string): Promise<DailyFigures['totals']> {
  const { rows }: { rows: DailyFigures['totals'][number][] } = await db.raw(TOTALS, { from, to });
  return rows;
}

/** Walks, the newest first. */
export async function listRuns(
  db: Knex,
  { after, limit }: { readonly after: { readonly at: Date; readonly id: string } | null; readonly limit: number },
): Promise<Omit<ReconciliationRun, 'place'>[]> {
  const { cursor: _, ...columns } = RUN_COLUMNS;
  return db('reconciliation_runs')
    .modify((query) => {
      if (after) query.whereRaw('(started_at, id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'started_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .select(columns);
}
