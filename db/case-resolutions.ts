/**
 * Finance closes a case: one transaction under the case's lock, in which its money leaves suspense. Of two who do it at once
 * one is told who was first; the same money cannot leave twice, for what is left is counted under the payment's lock.
 */
import type { Knex } from 'knex';
import { Failure } from '../domain/failures.ts';
import type { CompanyId, InvoiceId, PaymentCaseId, PaymentId, RefundId, UserId } from '../domain/ids.ts';
import { creditApplied, suspenseApplied, suspenseReleased } from '../domain/ledger.ts';
import { formatMoney, type Money, money } from '../domain/money.ts';
import { refundReasonFor } from '../domain/payment-cases.ts';
import {
  type CaseResolution,
  type GatewayName,
  isOwed,
  lesser,
  type MoneyPolicy,
  outstandingOf,
} from '../domain/payments.ts';
import { isMember } from './company-members.ts';
import { applyToInvoice } from './invoice-payments.ts';
import { lockInvoice } from './invoices.ts';
import { type NewEntry, postEntry } from './ledger.ts';
import { type By, type LockedCase, leaveHint, lockCase, lockOpenCase, markStep, tellOfStep } from './payment-cases.ts';
import { changeApplied } from './payments.ts';
import { requestRefund } from './refund-requests.ts';
import { lockMoneyOf, suspenseOfCase, waysOf } from './suspense.ts';

export interface Resolve {
  readonly caseId: PaymentCaseId;
  readonly resolution: CaseResolution;
  readonly note: string;
  /** Minor units of what is in suspense; null = all of it. A part leaves the case open for the rest. */
  readonly amountMinor: bigint | null;
  /** Which invoice the money pays; null = the one that it was paid for. */
  readonly targetInvoiceId: InvoiceId | null;
  /** Of a refund, should it become one. */
  readonly refundId: RefundId;
  readonly by: By & { readonly userId: UserId };
  readonly policy: Pick<MoneyPolicy, 'refundApprovalAbove'>;
}

/** What is to be told to which process, once it is committed. */
export interface ResolvedCase {
  readonly refundId: RefundId | null;
  /** An invoice that this money has paid. */
  readonly paidInvoiceId: InvoiceId | null;
  /** The gateway is to be asked about this payment. */
  readonly hint: Hinted | null;
}

export interface Hinted {
  readonly inboxId: string;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly invoiceId: InvoiceId;
}

const NOTHING: ResolvedCase = { refundId: null, paidInvoiceId: null, hint: null };

/** @throws Failure `not_found`, `case_not_open`, `resolution_not_possible`, `invoice_not_open`, or what a refund is refused with */
export async function resolveCase(db: Knex, wish: Resolve): Promise<ResolvedCase> {
  return db.transaction(async (tx) => {
    if (await wasDone(tx, wish)) return NOTHING;
    const found = await lockOpenCase(tx, wish.caseId);
    await lockMoneyOf(tx, found, wish.targetInvoiceId);
    const left = await suspenseOfCase(tx, found);
    refuseImpossible(found, left, wish);
    switch (wish.resolution) {
      case 'nothing_to_do':
        return close(tx, found, wish);
      case 'look_again':
        return lookAgain(tx, found, wish);
      case 'refund':
        return refund(tx, found, wish, left);
      case 'store_credit':
      case 'other_income':
        return release(tx, found, wish, wish.resolution, wantedOf(wish, left));
      case 'apply_to_invoice':
        return applyTo(tx, found, wish, wantedOf(wish, left));
    }
  });
}

/** The answer to the same request was lost. The case's lock makes a repeat wait for the first. */
async function wasDone(tx: Knex, { caseId, by }: Resolve): Promise<boolean> {
  await lockCase(tx, caseId);
  const done: unknown = await tx('events')
    .where({ key: `payment-case/${caseId}/${by.key}` })
    .first('id');
  return done !== undefined;
}

function refuseImpossible(found: LockedCase, left: Money | null, { resolution }: Resolve): void {
  const possible = waysOf(found, left);
  if (possible.includes(resolution)) return;
  throw new Failure(
    'resolution_not_possible',
    `A case of kind ${found.kind} with ${left ? formatMoney(left) : 'no money'} in suspense can be resolved by: ${possible.join(', ')}.`,
  );
}

interface Portion {
  readonly wanted: Money;
  readonly left: Money;
}

/** @throws Failure when more is wanted than is there */
function wantedOf({ amountMinor }: Resolve, left: Money | null): Portion {
  if (!left) throw new Failure('resolution_not_possible', 'This case has no money in suspense.');
  const wanted = money(amountMinor ?? left.amountMinor, left.currency);
  if (wanted.amountMinor > 0n && wanted.amountMinor <= left.amountMinor) return { wanted, left };
  throw new Failure(
    'resolution_not_possible',
    `Of this money ${formatMoney(left)} is left in suspense. Take that much or less.`,
  );
}

async function close(tx: Knex, found: LockedCase, { note, by }: Resolve): Promise<ResolvedCase> {
  const step = { resolution: 'nothing_to_do', closes: true, note } as const;
  await tellOfStep(tx, found, step, by);
  await markStep(tx, found, step, by);
  return NOTHING;
}

async function lookAgain(tx: Knex, found: LockedCase, { note, by }: Resolve): Promise<ResolvedCase> {
  const step = { resolution: 'look_again', closes: false, note } as const;
  await tellOfStep(tx, found, step, by);
  await markStep(tx, found, step, by);
  if (!found.paymentId) return NOTHING;
  const payment = await paymentOf(tx, found.paymentId);
  return { ...NOTHING, hint: await hintAt(tx, payment, `payment-case/${found.id}/${by.key}`, by.at) };
}

interface PaymentOfCase {
  readonly id: PaymentId;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly invoiceId: InvoiceId;
  readonly companyId: CompanyId;
}

const PAYMENT_COLUMNS = {
  id: 'p.id',
  gateway: 'p.gateway',
  reference: 'p.gateway_reference',
  invoiceId: 'p.invoice_id',
  companyId: 'i.company_id',
} as const;

async function paymentOf(tx: Knex, id: PaymentId): Promise<PaymentOfCase> {
  const found: PaymentOfCase | undefined = await tx('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('p.id', id)
    .first(PAYMENT_COLUMNS);
  if (!found) throw new Error(`payment ${id} does not exist`);
  return found;
}

async function hintAt(tx: Knex, payment: PaymentOfCase, key: string, at: string): Promise<Hinted> {
  const { id, gateway, reference, invoiceId } = payment;
  const inboxId = await leaveHint(tx, { key, gateway, reference, paymentId: id, at });
  return { inboxId, gateway, reference, invoiceId };
}

/** Nobody decides where money of their own company goes. */
async function refuseOwn(tx: Knex, companyId: CompanyId, { userId }: Resolve['by']): Promise<void> {
  if (!(await isMember(tx, companyId, userId))) return;
  throw new Failure('own_refund', 'Nobody resolves a case of their own company. Assign it to a colleague in finance.');
}

/** A case with money in suspense gives that back; any other (a refund that failed) asks for what its payment still holds. */
async function refund(tx: Knex, found: LockedCase, wish: Resolve, left: Money | null): Promise<ResolvedCase> {
  const { note, by, refundId, policy } = wish;
  if (!found.paymentId) throw new Failure('resolution_not_possible', 'This case names no payment to give back.');
  const ofSuspense = left !== null && left.amountMinor > 0n;
  const amount = ofSuspense ? wantedOf(wish, left).wanted : amountOf(found, wish);
  const step = {
    resolution: 'refund',
    closes: !ofSuspense || amount?.amountMinor === left.amountMinor,
    note,
    amount,
    refundId,
  } as const;
  await tellOfStep(tx, found, step, by);
  await requestRefund(tx, {
    id: refundId,
    paymentId: found.paymentId,
    amountMinor: amount?.amountMinor ?? null,
    reason: refundReasonFor(found.kind),
    requestedBy: by.userId,
    caseId: ofSuspense ? found.id : null,
    at: by.at,
    policy,
    requestedByPayer: false,
    origin: by.origin,
  });
  await markStep(tx, found, step, by);
  return { ...NOTHING, refundId };
}

const amountOf = ({ amount }: LockedCase, { amountMinor }: Resolve): Money | null =>
  amount && amountMinor !== null ? money(amountMinor, amount.currency) : amount;

async function release(
  tx: Knex,
  found: LockedCase,
  { note, by }: Resolve,
  resolution: 'store_credit' | 'other_income',
  { wanted, left }: Portion,
): Promise<ResolvedCase> {
  const closes = wanted.amountMinor === left.amountMinor;
  const step = { resolution, closes, note, amount: wanted };
  await tellOfStep(tx, found, step, by);
  const payment = found.paymentId ? await paymentOf(tx, found.paymentId) : null;
  if (payment) await refuseOwn(tx, payment.companyId, by);
  await postEntry(tx, {
    ...entryOf(found, wanted, by),
    kind: 'suspense_released',
    postings: suspenseReleased(wanted.amountMinor, resolution),
    companyId: payment?.companyId ?? null,
    invoiceId: payment?.invoiceId ?? null,
  });
  await markStep(tx, found, step, by);
  return NOTHING;
}

const entryOf = (
  { id, gateway, paymentId, settlementId }: LockedCase,
  { currency }: Money,
  by: By,
): Pick<NewEntry, 'key' | 'currency' | 'gateway' | 'paymentId' | 'settlementId' | 'at'> => ({
  key: `payment-case/${id}/${by.key}`,
  currency,
  gateway,
  paymentId,
  settlementId: paymentId ? null : settlementId,
  at: by.at,
});

/** Pays an open invoice of the same company with it: as much as that invoice still takes. */
async function applyTo(tx: Knex, found: LockedCase, wish: Resolve, { wanted, left }: Portion): Promise<ResolvedCase> {
  const { note, by } = wish;
  if (!found.paymentId) throw new Failure('resolution_not_possible', 'This case names no payment.');
  const payment = await paymentOf(tx, found.paymentId);
  await refuseOwn(tx, payment.companyId, by);
  const invoice = await targetOf(tx, payment, wish.targetInvoiceId ?? payment.invoiceId, wanted);
  const amount = money(lesser(wanted.amountMinor, invoice.outstandingMinor), wanted.currency);
  const closes = amount.amountMinor === left.amountMinor;
  const step = { resolution: 'apply_to_invoice', closes, note, amount, targetInvoiceId: invoice.id } as const;
  await tellOfStep(tx, found, step, by);
  if (invoice.id === payment.invoiceId) await applyToOwn(tx, found, payment, amount, by);
  else await applyToOther(tx, found, payment, invoice.id, amount, by);
  await applyToInvoice(tx, {
    invoiceId: invoice.id,
    amountMinor: amount.amountMinor,
    data: { caseId: found.id },
    at: by.at,
  });
  await markStep(tx, found, step, by);
  return { refundId: null, paidInvoiceId: invoice.id, hint: await hintOfInvoice(tx, found, invoice.id, by) };
}

/** The invoice that the payment was made for: from now on the payment counts as having paid that much of it. */
async function applyToOwn(tx: Knex, found: LockedCase, payment: PaymentOfCase, amount: Money, by: By): Promise<void> {
  await postEntry(tx, {
    ...entryOf(found, amount, by),
    kind: 'suspense_applied',
    postings: suspenseApplied(amount.amountMinor),
    companyId: payment.companyId,
    invoiceId: payment.invoiceId,
  });
  await changeApplied(tx, payment.id, amount.amountMinor);
}

/** Another invoice is paid out of the payer's credit, so that a later chargeback or refund of this payment leaves it alone. */
async function applyToOther(
  tx: Knex,
  found: LockedCase,
  payment: PaymentOfCase,
  invoiceId: InvoiceId,
  amount: Money,
  by: By,
): Promise<void> {
  const entry = entryOf(found, amount, by);
  const { companyId } = payment;
  await postEntry(tx, {
    ...entry,
    kind: 'suspense_released',
    postings: suspenseReleased(amount.amountMinor, 'store_credit'),
    companyId,
    invoiceId: payment.invoiceId,
  });
  await postEntry(tx, {
    key: `${entry.key}/applied`,
    kind: 'credit_applied',
    currency: amount.currency,
    postings: creditApplied(amount.amountMinor),
    companyId,
    invoiceId,
    at: by.at,
  });
}

async function targetOf(
  tx: Knex,
  payment: PaymentOfCase,
  id: InvoiceId,
  { currency }: Money,
): Promise<{ readonly id: InvoiceId; readonly outstandingMinor: bigint }> {
  const known: unknown = await tx('invoices').where({ id, company_id: payment.companyId }).first('id');
  if (known === undefined) throw new Failure('not_found', 'The company that paid has no such invoice.');
  const invoice = await lockInvoice(tx, id);
  if (invoice.total.currency !== currency) {
    throw new Failure('resolution_not_possible', `The money is in ${currency}, and that invoice is not.`);
  }
  const outstandingMinor = isOwed(invoice.state) ? outstandingOf(invoice) : 0n;
  if (outstandingMinor > 0n) return { id, outstandingMinor };
  throw new Failure('invoice_not_open', `Invoice ${invoice.number} is ${invoice.state}: there is nothing to pay.`, {
    state: invoice.state,
  });
}

/** So that the invoice's process hears of it also when it cannot be told right after: any attempt leads to it. */
async function hintOfInvoice(tx: Knex, found: LockedCase, id: InvoiceId, by: By): Promise<Hinted | null> {
  const payment: PaymentOfCase | undefined = await tx('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('p.invoice_id', id)
    .orderBy('p.attempt', 'desc')
    .first(PAYMENT_COLUMNS);
  return payment ? hintAt(tx, payment, `payment-case/${found.id}/${by.key}`, by.at) : null;
}
