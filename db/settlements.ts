import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { ApplicationId, CompanyId, InvoiceId, PaymentId, RefundId, SettlementId, UserId } from '../domain/ids.ts';
import { money } from '../domain/money.ts';
import {
  type JudgedLine,
  judgeSettlementLine,
  type SettlementLine,
  type SettlementReport,
  settlementTotals,
} from '../domain/settlements.ts';
import { recordEvent } from './events.ts';
import { type NewEntry, postEntries } from './ledger.ts';
import { type NewPaymentCase, openPaymentCases } from './payment-cases.ts';
import { isUuid } from './uuids.ts';

export interface SettlementImport {
  readonly id: SettlementId;
  /** Without problems; see `settlementProblems`. */
  readonly report: SettlementReport;
  readonly source: 'csv' | 'api';
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: string;
}

/** `known`: imported before with the same content. `conflict`: with other content. Both name the first one. */
export interface ImportedSettlement {
  readonly outcome: 'imported' | 'known' | 'conflict';
  readonly id: SettlementId;
}

/**
 * Enters a settlement in one transaction: its lines, what each means to the books, and a case for each line that does not
 * agree with them. A gateway's payout is imported once, whoever repeats it.
 */
export async function importSettlement(db: Knex, given: SettlementImport): Promise<ImportedSettlement> {
  const content = contentHash(given.report);
  return db.transaction(async (tx) => {
    const isNew = await recordImport(tx, given);
    if (!isNew) return knownSettlement(tx, given.report, content);
    const lines = await judgedLines(tx, given.report);
    await insertSettlement(tx, given, content, lines);
    await insertLines(tx, given.id, lines);
    await postEntries(
      tx,
      lines.map((line) => entryOf(given, line)),
    );
    const odd = lines.filter(({ judged }) => judged.state !== 'matched');
    await openPaymentCases(
      tx,
      odd.map((line) => caseOf(given, line)),
    );
    return { outcome: 'imported', id: given.id };
  });
}

/** The same for the same money, whether it came as a file or as JSON. */
function contentHash({ currency, paidOutAt, lines }: SettlementReport): string {
  const rows = lines.map((line) => [line.kind, line.reference, line.grossMinor.toString(), line.feeMinor.toString()]);
  const text = JSON.stringify([currency, new Date(paidOutAt).toISOString(), rows]);
  return createHash('sha256').update(text).digest('hex');
}

const recordImport = (tx: Knex, { id, report, source, by, origin, at }: SettlementImport): Promise<boolean> =>
  recordEvent(tx, {
    key: `settlement/${report.gateway}/${report.reference}/imported`,
    type: 'settlement.imported',
    subject: `settlement/${id}`,
    by,
    origin,
    data: {
      gateway: report.gateway,
      reference: report.reference,
      currency: report.currency,
      netMinor: settlementTotals(report.lines).netMinor.toString(),
      lines: report.lines.length,
      source,
    },
    at,
  });

async function knownSettlement(
  tx: Knex,
  { gateway, reference }: SettlementReport,
  content: string,
): Promise<ImportedSettlement> {
  const first: { id: SettlementId; content_sha256: string } | undefined = await tx('settlements')
    .where({ gateway, reference })
    .first('id', 'content_sha256');
  if (!first) throw new Error(`the import of settlement ${reference} is told of and not there`);
  return { outcome: first.content_sha256 === content ? 'known' : 'conflict', id: first.id };
}

// ---- matching -------------------------------------------------------------------------------------------------------

/** What a line's reference leads to. */
interface Subject {
  readonly reference: string;
  readonly kind: 'payment' | 'refund';
  /** By our reference; false = by the gateway's, which several may share. */
  readonly ours: boolean;
  readonly paymentId: PaymentId;
  readonly refundId: RefundId | null;
  readonly invoiceId: InvoiceId;
  readonly companyId: CompanyId;
  readonly applicationId: ApplicationId | null;
  readonly heldMinor: bigint;
}

interface Line extends SettlementLine {
  /** 1 first. */
  readonly position: number;
  readonly subject: Subject | null;
  /** By our books, before this line. */
  readonly heldMinor: bigint | null;
  readonly judged: JudgedLine;
}

/** In their order: a payment that stands twice in one report is settled by the first line. */
async function judgedLines(tx: Knex, report: SettlementReport): Promise<Line[]> {
  const subjectOf = await findSubjects(tx, report);
  const held = new Map<string, bigint>();
  return report.lines.map((line, index) => {
    const subject = subjectOf(line);
    const key = subject && (subject.refundId ?? subject.paymentId);
    const heldMinor = key && subject ? (held.get(key) ?? subject.heldMinor) : null;
    if (key && heldMinor !== null) held.set(key, heldMinor - line.grossMinor);
    return { ...line, position: index + 1, subject, heldMinor, judged: judgeSettlementLine(line, heldMinor) };
  });
}

type SubjectOf = (line: SettlementLine) => Subject | null;

async function findSubjects(tx: Knex, { gateway, currency, lines }: SettlementReport): Promise<SubjectOf> {
  // Two reports about the same payment at once would both find it unsettled.
  await tx.raw('select pg_advisory_xact_lock(?, hashtext(?))', [IMPORTING, gateway]);
  const references = [...new Set(lines.map(({ reference }) => reference))];
  const { rows }: { rows: Subject[] } = await tx.raw(SUBJECTS, {
    gateway,
    currency,
    references,
    ids: references.filter(isUuid),
  });
  const found = new Map<string, Subject[]>();
  for (const row of rows) {
    const name = `${row.kind}/${row.reference}`;
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  const only = (kind: Subject['kind'], reference: string): Subject | null => {
    const all = found.get(`${kind}/${reference}`) ?? [];
    // A name that two of ours share at the gateway names neither.
    return all.find(({ ours }) => ours) ?? (all.length === 1 ? (all[0] ?? null) : null);
  };
  return ({ kind, reference }) =>
    kind === 'adjustment' ? (only('refund', reference) ?? only('payment', reference)) : only(kind, reference);
}

/** Any number that nothing else in this database locks with a second one. */
const IMPORTING = 5_417;

/** What stands at the gateway for a payment is counted without its refunds, which are lines of their own. */
const SUBJECTS = `
  with payment as (
    select r.reference, true as ours, p.id from unnest(cast(:references as text[])) as r (reference)
      join payments p on p.gateway_reference = r.reference
      where p.gateway = :gateway and coalesce(p.paid_currency, p.currency) = :currency
    union all
    select r.reference, false, p.id from unnest(cast(:references as text[])) as r (reference)
      join payments p on p.gateway = :gateway and p.transaction_id = r.reference
      where p.gateway_reference <> r.reference and coalesce(p.paid_currency, p.currency) = :currency
  ), refund as (
    select r.reference, true as ours, f.id, f.payment_id from unnest(cast(:ids as text[])) as r (reference)
      join refunds f on f.id = cast(r.reference as uuid) where f.currency = :currency
    union all
    select r.reference, false, f.id, f.payment_id from unnest(cast(:references as text[])) as r (reference)
      join refunds f on f.gateway_refund_id = r.reference where f.currency = :currency
  )
  select s.reference, 'payment' as kind, s.ours, p.id as "paymentId", cast(null as uuid) as "refundId", i.id as "invoiceId",
         i.company_id as "companyId", i.application_id as "applicationId",
         (select cast(coalesce(sum(l.amount_minor), 0) as bigint) from ledger_entries e join ledger_postings l on l.entry_id = e.id
           where e.payment_id = p.id and e.refund_id is null and e.currency = :currency and l.account = 'gateway_clearing') as "heldMinor"
    from payment s join payments p on p.id = s.id join invoices i on i.id = p.invoice_id
  union all
  select s.reference, 'refund', s.ours, p.id, s.id, i.id, i.company_id, i.application_id,
         (select cast(coalesce(sum(l.amount_minor), 0) as bigint) from ledger_entries e join ledger_postings l on l.entry_id = e.id
           where e.refund_id = s.id and e.currency = :currency and l.account = 'gateway_clearing')
    from refund s join payments p on p.id = s.payment_id join invoices i on i.id = p.invoice_id where p.gateway = :gateway`;

// ---- writing --------------------------------------------------------------------------------------------------------

async function insertSettlement(
  tx: Knex,
  { id, report, source, by, at }: SettlementImport,
  content: string,
  lines: readonly Line[],
): Promise<void> {
  const { grossMinor, feeMinor, netMinor } = settlementTotals(lines);
  const count = (state: JudgedLine['state']) => lines.filter(({ judged }) => judged.state === state).length;
  await tx('settlements').insert({
    id,
    gateway: report.gateway,
    reference: report.reference,
    currency: report.currency,
    gross_minor: grossMinor,
    fee_minor: feeMinor,
    net_minor: netMinor,
    paid_out_at: report.paidOutAt,
    source,
    content_sha256: content,
    imported_by: by,
    imported_at: at,
    matched: count('matched'),
    differs: count('differs'),
    unmatched: count('unmatched'),
  });
}

const INSERT_LINES = `
  insert into settlement_lines (settlement_id, position, kind, reference, gross_minor, fee_minor, payment_id, refund_id, state)
  select cast(:id as uuid), l.* from unnest(cast(:positions as integer[]), cast(:kinds as text[]), cast(:references as text[]),
    cast(:gross as bigint[]), cast(:fees as bigint[]), cast(:payments as uuid[]), cast(:refunds as uuid[]),
    cast(:states as text[])) as l`;

async function insertLines(tx: Knex, id: SettlementId, lines: readonly Line[]): Promise<void> {
  await tx.raw(INSERT_LINES, {
    id,
    positions: lines.map(({ position }) => position),
    kinds: lines.map(({ kind }) => kind),
    references: lines.map(({ reference }) => reference),
    gross: lines.map(({ grossMinor }) => grossMinor.toString()),
    fees: lines.map(({ feeMinor }) => feeMinor.toString()),
    payments: lines.map(({ subject }) => subject?.paymentId ?? null),
    refunds: lines.map(({ subject }) => subject?.refundId ?? null),
    states: lines.map(({ judged }) => judged.state),
  });
}

const entryOf = ({ id, report }: SettlementImport, { position, subject, judged }: Line): NewEntry => ({
  key: keyOf(id, position),
  kind: judged.entry,
  currency: report.currency,
  postings: judged.postings,
  companyId: subject?.companyId ?? null,
  invoiceId: subject?.invoiceId ?? null,
  paymentId: subject?.paymentId ?? null,
  refundId: subject?.refundId ?? null,
  settlementId: id,
  gateway: report.gateway,
  at: report.paidOutAt,
});

const keyOf = (id: SettlementId, position: number): string => `settlement/${id}/${position}`;

const caseOf = ({ id, report, at }: SettlementImport, line: Line): NewPaymentCase => ({
  key: `${keyOf(id, line.position)}/case`,
  kind: line.judged.state === 'differs' ? 'settlement_differs' : 'unmatched_settlement',
  gateway: report.gateway,
  reference: line.reference,
  paymentId: line.subject?.paymentId ?? null,
  refundId: line.subject?.refundId ?? null,
  invoiceId: line.subject?.invoiceId ?? null,
  applicationId: line.subject?.applicationId ?? null,
  companyId: line.subject?.companyId ?? null,
  settlementId: id,
  amount: money(amountOf(line), report.currency),
  facts: {
    settlement: report.reference,
    position: line.position,
    kind: line.kind,
    heldMinor: line.heldMinor?.toString() ?? null,
    grossMinor: line.grossMinor.toString(),
    feeMinor: line.feeMinor.toString(),
  },
  at,
});

/** Of what nobody knows: as much as waits in suspense. */
const amountOf = ({ judged, grossMinor, feeMinor }: Line): bigint =>
  judged.state === 'unmatched' ? grossMinor - feeMinor : grossMinor;
