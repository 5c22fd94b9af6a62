/**
 * Proves the books against the records, all of both, in one snapshot. Each proof is one statement over sets that looks for
 * what contradicts it, so a hundred thousand payments take seconds.
 */
import type { Knex } from 'knex';
import { ACCOUNT_CODES } from '../domain/ledger.ts';
import type { Currency } from '../domain/money.ts';
import type { GatewayName } from '../domain/payments.ts';

/** A row that contradicts a proof: what it is, and the amounts and states that do not agree. */
export interface LedgerFinding {
  readonly subject: string;
  readonly facts: Readonly<Record<string, string | null>>;
}

export interface LedgerProof {
  readonly name: string;
  /** What was proved, as a sentence without its counts. */
  readonly claim: string;
  /** How much of each was looked at. */
  readonly counts: Readonly<Record<string, string>>;
  /** How many rows contradict it; `findings` holds the first of them. */
  readonly wrong: number;
  readonly findings: readonly LedgerFinding[];
}

/** What a gateway's captured payments have come to. */
export interface AtGateway {
  readonly gateway: GatewayName;
  readonly currency: Currency;
  readonly captured: number;
  readonly settled: number;
  readonly waiting: number;
  readonly waitingMinor: bigint;
  readonly oldestWaiting: Date | null;
}

export interface LedgerReport {
  readonly proofs: readonly LedgerProof[];
  readonly gateways: readonly AtGateway[];
}

/** At most so many rows of a proof are named. */
const MOST_FINDINGS = 100;

interface Proof {
  readonly name: string;
  readonly claim: string;
  /** One row of counts. */
  readonly counts: string;
  /** `subject` and `facts` of each row that contradicts it. */
  readonly wrong: string;
}

/** Reads only; a writer neither waits for it nor disturbs it. */
export async function checkLedger(db: Knex): Promise<LedgerReport> {
  return db.transaction(
    async (tx) => {
      // Sorted and hashed in memory; compiling a plan that runs once costs more than it saves.
      await tx.raw(`set local work_mem = '64MB'; set local jit = off`);
      const proofs: LedgerProof[] = [];
      for (const proof of PROOFS) proofs.push(await proved(tx, proof));
      const { rows: gateways }: { rows: AtGateway[] } = await tx.raw(AT_GATEWAY);
      return { proofs, gateways };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

async function proved(tx: Knex, { name, claim, counts, wrong }: Proof): Promise<LedgerProof> {
  const { rows: counted }: { rows: Record<string, unknown>[] } = await tx.raw(counts);
  const { rows }: { rows: (LedgerFinding & { total: bigint })[] } = await tx.raw(
    `select subject, facts, count(*) over () as total from (${wrong}) w order by subject limit ${MOST_FINDINGS}`,
  );
  return {
    name,
    claim,
    counts: Object.fromEntries(Object.entries(counted[0] ?? {}).map(([what, value]) => [what, String(value)])),
    wrong: Number(rows[0]?.total ?? 0),
    findings: rows.map(({ subject, facts }) => ({ subject, facts })),
  };
}

/** Of a payment itself; its refunds are lines of a settlement of their own. */
const HELD = `
  select e.payment_id, e.currency, sum(p.amount_minor) as held,
         count(*) filter (where e.kind = 'settled') as settlements,
         min(e.occurred_at) filter (where e.kind in ('captured', 'given_back')) as captured_at
    from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account = 'gateway_clearing'
   where e.payment_id is not null and e.refund_id is null
   group by e.payment_id, e.currency`;

const AT_GATEWAY = `
  select p.gateway, h.currency, count(*)::integer as captured,
         (count(*) filter (where h.held = 0 and h.settlements > 0))::integer as settled,
         (count(*) filter (where h.held > 0))::integer as waiting,
         coalesce(sum(h.held) filter (where h.held > 0), 0)::bigint as "waitingMinor",
         min(h.captured_at) filter (where h.held > 0) as "oldestWaiting"
    from (${HELD}) h join payments p on p.id = h.payment_id
   where h.captured_at is not null
   group by p.gateway, h.currency order by p.gateway, h.currency`;

const NUMBERED = `
  select 'invoice' as series, number from invoices
  union all select 'credit-note', number from credit_notes
  union all select 'receipt', number from receipts
  union all select 'license/' || type_code, number from licenses`;

const PROOFS: readonly Proof[] = [
  {
    name: 'entries',
    claim: 'every entry balances and stands on known accounts',
    counts: `select (select count(*) from ledger_entries) as entries, (select count(*) from ledger_postings) as postings`,
    wrong: `
      select 'entry ' || coalesce(e.key, '#' || p.entry_id) as subject,
             jsonb_build_object('off', p.total::text, 'postings', p.sides::text, 'unknown', p.unknown) as facts
        from ledger_entries e full join (
          select entry_id, sum(amount_minor) as total, count(*) as sides,
                 string_agg(account, ', ') filter (where account <> all('{${ACCOUNT_CODES.join(',')}}')) as unknown
            from ledger_postings group by entry_id) p on p.entry_id = e.id
       where e.id is null or p.entry_id is null or p.total <> 0 or p.sides < 2 or p.unknown is not null`,
  },
  {
    name: 'trial_balance',
    claim: 'debits equal credits in each currency',
    counts: `
      select coalesce(sum(p.amount_minor) filter (where p.amount_minor > 0 and e.currency = 'IDR'), 0)::text as "IDR",
             coalesce(sum(p.amount_minor) filter (where p.amount_minor > 0 and e.currency = 'MYR'), 0)::text as "MYR"
        from ledger_entries e join ledger_postings p on p.entry_id = e.id`,
    wrong: `
      select e.currency as subject, jsonb_build_object('off', sum(p.amount_minor)::text) as facts
        from ledger_entries e join ledger_postings p on p.entry_id = e.id
       group by e.currency having sum(p.amount_minor) <> 0`,
  },
  {
    name: 'payments',
    claim: 'each payment agrees with its entries: what was paid, and what of it paid the invoice',
    counts: `
      select count(*) as payments, count(*) filter (where state in ('paid', 'reversed')) as captured from payments`,
    wrong: `
      select 'payment ' || p.id as subject, jsonb_build_object('state', p.state,
               'paidMinor', coalesce(p.paid_minor, 0)::text, 'bookedMinor', coalesce(b.paid, 0)::text,
               'appliedMinor', p.applied_minor::text, 'bookedAppliedMinor', coalesce(b.applied, 0)::text,
               'currency', coalesce(p.paid_currency, p.currency), 'bookedCurrency', b.currency) as facts
        from payments p left join (
          select e.payment_id, min(e.currency) as currency, max(e.currency) as other,
                 coalesce(sum(l.amount_minor) filter (where l.account = 'gateway_clearing'), 0) as paid,
                 coalesce(-sum(l.amount_minor) filter (where l.account = 'receivable'), 0) as applied
            from ledger_entries e join ledger_postings l on l.entry_id = e.id
           where e.kind in ('captured', 'unapplied', 'taken_back', 'given_back', 'suspense_applied') and e.payment_id is not null
           group by e.payment_id) b on b.payment_id = p.id
       where coalesce(b.paid, 0) <> case when p.state = 'paid' then p.paid_minor else 0 end
          or coalesce(b.applied, 0) <> case when p.state = 'paid' then p.applied_minor else 0 end
          or b.currency <> b.other or b.currency <> coalesce(p.paid_currency, p.currency)`,
  },
  {
    name: 'invoices',
    claim: 'each invoice is claimed once, and what is still owed of it agrees',
    counts: `
      select count(*) as invoices, count(*) filter (where state = 'open') as open, count(*) filter (where state = 'paid') as paid from invoices`,
    wrong: `
      select 'invoice ' || coalesce(i.number || ' ' || i.id, b.invoice_id::text, 'none') as subject,
             jsonb_build_object('state', i.state, 'totalMinor', i.total_minor::text, 'paidMinor', i.paid_minor::text,
               'issuedMinor', coalesce(b.issued, 0)::text, 'receivableMinor', coalesce(b.owed, 0)::text) as facts
        from invoices i full join (
          select e.invoice_id, e.currency, sum(l.amount_minor) as owed,
                 coalesce(sum(l.amount_minor) filter (where e.kind = 'invoice_issued'), 0) as issued
            from ledger_entries e join ledger_postings l on l.entry_id = e.id and l.account = 'receivable'
           group by e.invoice_id, e.currency) b on b.invoice_id = i.id and b.currency = i.currency
       where i.id is null or coalesce(b.issued, 0) <> i.total_minor
          or coalesce(b.owed, 0) <> case when i.state in ('open', 'reversed') then i.total_minor - i.paid_minor else 0 end`,
  },
  {
    name: 'refunds',
    claim: 'each refund agrees with its entries: owed while it is on its way, paid once it has arrived',
    counts: `select count(*) as refunds, count(*) filter (where state = 'succeeded') as succeeded,
               (select coalesce(-sum(amount_minor), 0) from ledger_postings where account = 'refunds') as "owedMinor" from refunds`,
    wrong: `
      select 'refund ' || coalesce(r.id::text, b.refund_id::text, 'none') as subject,
             jsonb_build_object('state', r.state, 'amountMinor', r.amount_minor::text,
               'owedMinor', coalesce(b.owed, 0)::text, 'paidMinor', coalesce(b.paid, 0)::text) as facts
        from refunds r full join (
          select e.refund_id, -sum(l.amount_minor) as owed,
                 coalesce(sum(l.amount_minor) filter (where e.kind in ('refund_paid', 'refund_came_back')), 0) as paid
            from ledger_entries e join ledger_postings l on l.entry_id = e.id and l.account = 'refunds'
           group by e.refund_id) b on b.refund_id = r.id
       where r.id is null
          or coalesce(b.paid, 0) <> case when r.state = 'succeeded' then r.amount_minor else 0 end
          or coalesce(b.owed, 0) <> case
               when r.state in ('reserved', 'submitted', 'pending', 'unknown', 'transfer_due') then r.amount_minor
               -- Before it is booked as owed, or after the gateway could not take it.
               when r.state = 'awaiting_destination' and b.owed <> 0 then r.amount_minor
               else 0 end`,
  },
  {
    name: 'store_credit',
    claim: 'no company has used more credit than it was given',
    counts: `
      select count(distinct e.company_id) as companies, coalesce(-sum(p.amount_minor), 0) as "creditMinor"
        from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account = 'store_credit'`,
    wrong: `
      select 'company ' || coalesce(e.company_id::text, 'none') as subject,
             jsonb_build_object('currency', e.currency, 'creditMinor', (-sum(p.amount_minor))::text) as facts
        from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account = 'store_credit'
       group by e.company_id, e.currency
      having sum(p.amount_minor) > 0 or (e.company_id is null and sum(p.amount_minor) <> 0)`,
  },
  {
    name: 'credit_grants',
    claim: 'no company can be left with more credit that ends than it has credit',
    counts: `
      select count(*) as grants, count(*) filter (where left_minor > 0) as open, coalesce(sum(left_minor), 0) as "leftMinor"
        from credit_grants`,
    wrong: `
      select 'company ' || g.company_id as subject,
             jsonb_build_object('currency', g.currency, 'grantedMinor', g.granted::text,
               'creditMinor', coalesce(b.credit, 0)::text) as facts
        from (select company_id, currency, sum(left_minor) as granted from credit_grants where left_minor > 0 group by 1, 2) g
        left join (
          select e.company_id, e.currency, -sum(p.amount_minor) as credit
            from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account = 'store_credit'
           group by e.company_id, e.currency) b on b.company_id = g.company_id and b.currency = g.currency
       where g.granted > coalesce(b.credit, 0)`,
  },
  {
    name: 'suspense',
    claim: 'what waits in suspense has an open case, or a refund that is to take it',
    counts: `
      select coalesce(-sum(p.amount_minor), 0) as "suspenseMinor",
             (select count(*) from payment_cases where state = 'open') as "openCases"
        from ledger_postings p where p.account = 'suspense'`,
    wrong: `
      select case when s.invoice_id is not null then 'invoice ' || s.invoice_id
                  when s.settlement_id is not null then 'settlement ' || s.settlement_id else 'none' end as subject,
             jsonb_build_object('currency', s.currency, 'suspenseMinor', (-s.amount)::text, 'entries', s.keys) as facts
        from (
          select coalesce(p.invoice_id, e.invoice_id) as invoice_id,
                 case when coalesce(p.invoice_id, e.invoice_id) is null then e.settlement_id end as settlement_id, e.currency,
                 sum(l.amount_minor) as amount, string_agg(e.key, ', ' order by e.id) as keys
            from ledger_entries e join ledger_postings l on l.entry_id = e.id and l.account = 'suspense'
            left join payments p on p.id = e.payment_id
           group by 1, 2, 3 having sum(l.amount_minor) <> 0) s
       where not exists (
               select 1 from payment_cases k left join payments q on q.id = k.payment_id
                where k.state = 'open' and (coalesce(q.invoice_id, k.invoice_id) = s.invoice_id or k.settlement_id = s.settlement_id))
         and not exists (
               select 1 from refunds r where r.invoice_id = s.invoice_id and r.source = 'suspense'
                  and r.state in ('requested', 'approved', 'awaiting_destination'))`,
  },
  {
    name: 'paths',
    claim: 'each captured payment is traced from its invoice to the gateway or the bank',
    counts: `
      select count(*) as captured, count(*) filter (where held = 0 and settlements > 0) as settled,
             count(*) filter (where held > 0) as "atGateway", count(*) filter (where held = 0 and settlements = 0) as "takenBack",
             count(*) filter (where held < 0) as overpaid
        from (${HELD}) h where captured_at is not null`,
    wrong: `
      select 'payment ' || h.payment_id as subject,
             jsonb_build_object('gateway', p.gateway, 'reference', p.gateway_reference, 'currency', h.currency,
               'heldMinor', h.held::text, 'settlements', h.settlements::text,
               'invoiceIssued', (issued.invoice_id is not null)::text) as facts
        from (${HELD}) h join payments p on p.id = h.payment_id
        left join (select distinct invoice_id from ledger_entries where kind = 'invoice_issued') issued on issued.invoice_id = p.invoice_id
       where issued.invoice_id is null
          -- The gateway paid out more of it than it held: somebody has to have been told.
          or (h.held < 0 and not exists (select 1 from payment_cases k where k.payment_id = p.id))`,
  },
  {
    name: 'settlements',
    claim: 'each settlement is in the bank as its report says, and what did not match has a case',
    counts: `
      select (select count(*) from settlements) as settlements, count(*) as lines, count(*) filter (where state = 'matched') as matched from settlement_lines`,
    wrong: `
      select 'settlement ' || s.reference || ' ' || s.id as subject,
             jsonb_build_object('netMinor', s.net_minor::text, 'bankMinor', coalesce(b.bank, 0)::text, 'grossMinor', s.gross_minor::text,
               'linesGrossMinor', coalesce(l.gross, 0)::text, 'linesFeeMinor', coalesce(l.fee, 0)::text,
               'withoutCase', coalesce(l.without_case, 0)::text) as facts
        from settlements s
        left join (
          select e.settlement_id, sum(p.amount_minor) as bank
            from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account = 'bank'
           where e.kind in ('settled', 'settlement_adjusted') group by e.settlement_id) b on b.settlement_id = s.id
        left join (
          select x.settlement_id, sum(x.gross_minor) as gross, sum(x.fee_minor) as fee, count(*) as lines,
                 count(*) filter (where x.state <> 'matched' and k.id is null) as without_case
            from settlement_lines x
            left join payment_cases k on k.key = 'settlement/' || x.settlement_id || '/' || x.position || '/case'
           group by x.settlement_id) l on l.settlement_id = s.id
       where coalesce(b.bank, 0) <> s.net_minor or coalesce(l.gross, 0) <> s.gross_minor or coalesce(l.fee, 0) <> s.fee_minor
          or coalesce(l.lines, 0) <> s.matched + s.differs + s.unmatched or coalesce(l.without_case, 0) > 0`,
  },
  {
    name: 'numbers',
    claim: 'the numbers of invoices, credit notes, receipts and licences have no gaps',
    counts: `select count(*) as numbers, count(distinct series) as series from (${NUMBERED}) n`,
    wrong: `
      select coalesce(n.name, c.name) as subject,
             jsonb_build_object('counter', coalesce(c.value, 0)::text, 'rows', coalesce(n.rows, 0)::text, 'last', n.last::text,
               'missing', (select string_agg(g::text, ', ' order by g) from (
                  select g from generate_series(1, least(coalesce(greatest(c.value, n.last), 0), 1000000)) g
                  except select unnest(n.taken) order by g limit 20) m)) as facts
        from (
          select coalesce(series || '/' || m[1], series) as name, count(*) as rows, max(m[2]::bigint) as last,
                 array_agg(m[2]::bigint) as taken
            from (select series, regexp_match(number, '/(\\d{4})/(\\d{1,12})$') as m from (${NUMBERED}) n offset 0) x
           group by coalesce(series || '/' || m[1], series)) n
        full join (select name, value from counters where name ~ '^(invoice|credit-note|receipt|license)/') c on c.name = n.name
       where n.rows is distinct from c.value or n.last is distinct from c.value`,
  },
];
