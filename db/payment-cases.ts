import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type {
  ApplicationId,
  CompanyId,
  InvoiceId,
  PaymentCaseId,
  PaymentId,
  ReconciliationId,
  RefundId,
  SettlementId,
  UserId,
} from '../domain/ids.ts';
import { type Currency, type Money, moneyOrNull } from '../domain/money.ts';
import {
  type CaseResolution,
  type GatewayName,
  type PaymentCaseKind,
  suggestedResolution,
} from '../domain/payments.ts';
import { recordEvent } from './events.ts';

export interface NewPaymentCase {
  /** One case for each key, ever. */
  readonly key: string;
  readonly kind: PaymentCaseKind;
  readonly gateway: GatewayName;
  /** What the gateway calls it, or we do: for people who look it up. */
  readonly reference: string;
  readonly paymentId?: PaymentId | null;
  readonly invoiceId?: InvoiceId | null;
  readonly applicationId?: ApplicationId | null;
  readonly companyId?: CompanyId | null;
  readonly refundId?: RefundId | null;
  readonly settlementId?: SettlementId | null;
  readonly runId?: ReconciliationId | null;
  readonly amount?: Money | null;
  /** What was expected and what was found: codes, amounts as digits, references; no personal data. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/** Which payment a case is about, and whose. */
export const aboutPayment = (
  invoice: { readonly id: InvoiceId; readonly applicationId: ApplicationId | null; readonly companyId: CompanyId },
  payment: { readonly id: PaymentId; readonly gateway: GatewayName; readonly reference: string },
) => ({
  gateway: payment.gateway,
  reference: payment.reference,
  paymentId: payment.id,
  invoiceId: invoice.id,
  applicationId: invoice.applicationId,
  companyId: invoice.companyId,
});

/** Opens a case for finance and tells of it, once for each key. @returns false when it was opened before */
export const openPaymentCase = async (tx: Knex, found: NewPaymentCase): Promise<boolean> =>
  (await openPaymentCases(tx, [found])) === 1;

/**
 * Many in one statement (a wrong settlement has thousands), each with its event, once for its key. They are dealt out among
 * those who work in finance, beginning with whoever has the fewest; where nobody does they have no owner.
 * @returns how many were not there before
 */
export async function openPaymentCases(tx: Knex, cases: readonly NewPaymentCase[]): Promise<number> {
  if (cases.length === 0) return 0;
  const { rows }: { rows: unknown[] } = await tx.raw(OPEN, { cases: JSON.stringify(cases.map(rowOf)) });
  return rows.length;
}

const rowOf = (found: NewPaymentCase, index: number) => ({
  position: index,
  key: found.key,
  kind: found.kind,
  gateway: found.gateway,
  reference: found.reference,
  payment_id: found.paymentId ?? null,
  invoice_id: found.invoiceId ?? null,
  application_id: found.applicationId ?? null,
  company_id: found.companyId ?? null,
  refund_id: found.refundId ?? null,
  settlement_id: found.settlementId ?? null,
  run_id: found.runId ?? null,
  amount_minor: found.amount?.amountMinor.toString() ?? null,
  currency: found.amount?.currency ?? null,
  facts: found.facts ?? {},
  suggested_resolution: suggestedResolution(found.kind),
  opened_at: found.at,
});

// Not for the owner of the case: its event is not public.
const OPEN = `
  with given as (
    select * from jsonb_to_recordset(cast(:cases as jsonb)) as c (position integer, key text, kind text, gateway text, reference text,
      payment_id uuid, invoice_id uuid, application_id uuid, company_id uuid, refund_id uuid, settlement_id uuid,
      run_id uuid, amount_minor bigint, currency text, facts jsonb, suggested_resolution text, opened_at timestamptz)
  ), told as (
    insert into events (key, type, application_id, company_id, actor, data, public, occurred_at)
    select key, 'payment.case_opened', application_id, company_id, 'system',
           jsonb_build_object('kind', kind, 'gateway', gateway, 'reference', reference), false, opened_at
      from given order by position
    on conflict (key) do nothing returning key
  ), finance as (
    select array(
      select u.id from users u left join payment_cases k on k.owner_id = u.id and k.state = 'open'
       where u.status = 'active' and u.roles @> array['finance'] group by u.id order by count(k.id), u.id) as people
  )
  insert into payment_cases (id, key, kind, gateway, reference, payment_id, invoice_id, application_id, refund_id, settlement_id, run_id,
    amount_minor, currency, facts, suggested_resolution, owner_id, opened_at)
  select gen_random_uuid(), g.key, g.kind, g.gateway, g.reference, g.payment_id, g.invoice_id, g.application_id, g.refund_id,
         g.settlement_id, g.run_id, g.amount_minor, g.currency, g.facts, g.suggested_resolution,
         f.people[1 + g.position % nullif(cardinality(f.people), 0)], g.opened_at
    from given g join told on told.key = g.key cross join finance f
  returning key`;

// ---- what becomes of a case -----------------------------------------------------------------------------------------

/** A case under its lock. */
export interface LockedCase {
  readonly id: PaymentCaseId;
  readonly kind: PaymentCaseKind;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly paymentId: PaymentId | null;
  readonly invoiceId: InvoiceId | null;
  readonly applicationId: ApplicationId | null;
  /** Whose invoice it is about. */
  readonly companyId: CompanyId | null;
  readonly settlementId: SettlementId | null;
  readonly amount: Money | null;
  readonly state: 'open' | 'resolved';
  readonly resolution: CaseResolution | null;
  readonly ownerId: UserId | null;
  readonly resolvedBy: UserId | null;
  readonly resolvedAt: Date | null;
}

type LockedRow = Omit<LockedCase, 'amount'> & {
  readonly amountMinor: bigint | null;
  readonly currency: Currency | null;
};

/** Whoever resolves, assigns or closes a case holds this lock: of two one is first. null = there is none. */
export async function lockCase(tx: Knex, id: PaymentCaseId): Promise<LockedCase | null> {
  const row: LockedRow | undefined = await tx('payment_cases')
    .where({ id })
    .forUpdate()
    .first({
      id: 'id',
      kind: 'kind',
      gateway: 'gateway',
      reference: 'reference',
      paymentId: 'payment_id',
      invoiceId: 'invoice_id',
      applicationId: 'application_id',
      companyId: tx.raw('(select i.company_id from invoices i where i.id = payment_cases.invoice_id)'),
      settlementId: 'settlement_id',
      amountMinor: 'amount_minor',
      currency: 'currency',
      state: 'state',
      resolution: 'resolution',
      ownerId: 'owner_id',
      resolvedBy: 'resolved_by',
      resolvedAt: 'resolved_at',
    });
  if (!row) return null;
  const { amountMinor, currency, ...found } = row;
  return { ...found, amount: moneyOrNull(amountMinor, currency) };
}

/** @throws Failure `not_found`, or `case_not_open` that says who closed it and when */
export async function lockOpenCase(tx: Knex, id: PaymentCaseId): Promise<LockedCase> {
  const found = await lockCase(tx, id);
  if (!found) throw new Failure('not_found', 'There is no such case.');
  if (found.state === 'open') return found;
  throw new Failure('case_not_open', '', {
    state: found.state,
    ...(found.resolvedBy ? { decidedBy: found.resolvedBy } : {}),
    ...(found.resolvedAt ? { decidedAt: found.resolvedAt.toISOString() } : {}),
    ...(found.resolution ? { decision: found.resolution } : {}),
  });
}

export interface By {
  /** null = Alur itself. */
  readonly userId: UserId | null;
  readonly origin?: Origin | undefined;
  /** Unique for the request, so that a repeat does nothing more. */
  readonly key: string;
  readonly at: string;
}

export interface CaseStep {
  readonly resolution: CaseResolution;
  /** Whether the case is closed by it; a part of its money, or another look, leaves it open. */
  readonly closes: boolean;
  readonly note?: string | null;
  readonly amount?: Money | null;
  readonly refundId?: RefundId | null;
  readonly targetInvoiceId?: InvoiceId | null;
}

const aboutCase = ({ id, applicationId, companyId }: LockedCase) => ({
  subject: `payment_case/${id}` as const,
  ...(applicationId ? { applicationId } : {}),
  ...(companyId ? { companyId } : {}),
});

/** Tells of a step, before what it does is done. @returns false when it was taken before */
export const tellOfStep = (tx: Knex, found: LockedCase, step: CaseStep, by: By): Promise<boolean> =>
  recordEvent(tx, {
    key: `payment-case/${found.id}/${by.key}`,
    type: 'payment_case.resolved',
    ...aboutCase(found),
    ...(by.userId ? { by: by.userId } : {}),
    origin: by.origin,
    data: {
      kind: found.kind,
      gateway: found.gateway,
      reference: found.reference,
      resolution: step.resolution,
      ...(step.amount ? { amountMinor: step.amount.amountMinor.toString(), currency: step.amount.currency } : {}),
      ...(step.refundId ? { refundId: step.refundId } : {}),
      ...(step.targetInvoiceId ? { targetInvoiceId: step.targetInvoiceId } : {}),
    },
    ...(step.closes ? { before: { state: 'open' }, after: { state: 'resolved' } } : {}),
    at: by.at,
  });

/** Under the case's lock, after `tellOfStep`. */
export async function markStep(tx: Knex, found: LockedCase, step: CaseStep, by: By): Promise<void> {
  const refund = step.refundId ? { refund_id: step.refundId } : {};
  const note = step.note ? { note: step.note } : {};
  const closed = { state: 'resolved', resolution: step.resolution, resolved_by: by.userId, resolved_at: by.at };
  const change = { ...refund, ...note, ...(step.closes ? closed : {}) };
  if (Object.keys(change).length > 0) await tx('payment_cases').where({ id: found.id }).update(change);
}

/** Alur closes a case whose reason is gone. @returns false when somebody had closed it */
export const closeCleared = (db: Knex, id: PaymentCaseId, key: string, at: string): Promise<boolean> =>
  db.transaction((tx) => closeByItself(tx, id, 'nothing_to_do', { key, at }));

/** Money that had been taken back is here again: nobody needs to look at that any more. */
export async function closeReversals(tx: Knex, paymentId: PaymentId, at: string): Promise<void> {
  const open = await tx('payment_cases')
    .where({ payment_id: paymentId, kind: 'reversed', state: 'open' })
    .pluck<PaymentCaseId[]>('id');
  for (const id of open) await closeByItself(tx, id, 'nothing_to_do', { key: 'resolved', at });
}

/** Closes a case that no person has to look at any more: a policy decided, or it has cleared up. @returns false when it is closed */
export async function closeByItself(
  tx: Knex,
  id: PaymentCaseId,
  resolution: CaseResolution,
  how: Pick<By, 'key' | 'at'>,
): Promise<boolean> {
  const found = await lockCase(tx, id);
  if (found?.state !== 'open') return false;
  const step: CaseStep = { resolution, closes: true };
  const by: By = { userId: null, ...how };
  if (!(await tellOfStep(tx, found, step, by))) return false;
  await markStep(tx, found, step, by);
  return true;
}

/** Hands an open case to somebody. The caller has made sure that this person works on such cases. */
export async function assignCase(db: Knex, id: PaymentCaseId, to: UserId, by: By): Promise<void> {
  await db.transaction(async (tx) => {
    const found = await lockOpenCase(tx, id);
    if (found.ownerId === to) return;
    const isNew = await recordEvent(tx, {
      key: `payment-case/${id}/assigned/${by.key}`,
      type: 'payment_case.assigned',
      ...aboutCase(found),
      ...(by.userId ? { by: by.userId } : {}),
      origin: by.origin,
      data: { kind: found.kind },
      before: { ownerId: found.ownerId },
      after: { ownerId: to },
      at: by.at,
    });
    if (isNew) await tx('payment_cases').where({ id }).update({ owner_id: to });
  });
}

// ---- asking the gateway again ---------------------------------------------------------------------------------------

export interface Hint {
  /** `<process>/<id>`: one hint for each. */
  readonly key: string;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly paymentId: PaymentId;
  readonly at: string;
}

/**
 * Leaves a notice of our own in the inbox, so that the payment's process asks its gateway: within a minute by the sweep of
 * the inbox, or at once when the caller tells the process. @returns the row of the inbox
 */
export async function leaveHint(tx: Knex, { key, gateway, reference, paymentId, at }: Hint): Promise<string> {
  const row = { gateway, object_id: key, status: 'look_again' };
  await tx('payment_inbox')
    .insert({ ...row, reference, payment_id: paymentId, body: '{}', received_at: at })
    .onConflict(['gateway', 'object_id', 'status'])
    .ignore();
  const stored: { id: bigint } | undefined = await tx('payment_inbox').where(row).first('id');
  if (!stored) throw new Error(`the hint ${key} was neither stored nor found`);
  return String(stored.id);
}
