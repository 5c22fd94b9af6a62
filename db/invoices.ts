import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { localDate, type OfficeZone } from '../domain/calendar.ts';
import type { Subject } from '../domain/events.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type InvoiceId,
  type OrderId,
  type SubscriptionId,
} from '../domain/ids.ts';
import {
  type BuiltInvoice,
  buildInvoice,
  formatInvoiceNumber,
  type InvoiceLineInput,
  instalmentsOf,
  type TaxRule,
  taxRuleOn,
} from '../domain/invoicing.ts';
import { invoiceClosed, invoiceIssued, sharesOf } from '../domain/ledger.ts';
import type { PaymentPolicy } from '../domain/licensing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { InvoiceState, OddMoneyPolicy } from '../domain/payments.ts';
import { nextOfYear } from './counters.ts';
import { recordEvent } from './events.ts';
import { postEntry } from './ledger.ts';
import { issuerOfSubscriptions } from './offices.ts';
import { taxRules as allTaxRules, TAX_RULES } from './tax-rules.ts';

export interface NewInvoice {
  readonly applicationId: ApplicationId;
  readonly lines: readonly InvoiceLineInput[];
  readonly at: string;
  readonly dueAt: string;
}

/**
 * Issues the one invoice of an application, with the next number of the office's year, in the transaction that makes it
 * payable. Repeating it finds the invoice that is there and takes no number.
 */
export async function issueInvoice(tx: Knex, invoice: NewInvoice): Promise<void> {
  const terms = await billingTerms(tx, invoice.applicationId);
  const isNew = await recordEvent(tx, {
    key: `activation/${invoice.applicationId}/invoice/1`,
    type: 'invoice.issued',
    applicationId: invoice.applicationId,
    companyId: terms.companyId,
    at: invoice.at,
  });
  if (isNew) await insertInvoice(tx, invoice, terms, null);
}

export interface NewSubscriptionInvoice {
  readonly subscriptionId: SubscriptionId;
  readonly companyId: CompanyId;
  /** What it charges for: unique among all subscriptions. A repeat under the same key finds the invoice. */
  readonly key: string;
  /** Credits (a negative price) as long as something is left to pay. */
  readonly lines: readonly InvoiceLineInput[];
  /** ISO 8601, both. */
  readonly at: string;
  readonly dueAt: string;
}

export interface IssuedInvoice {
  readonly invoiceId: InvoiceId;
  readonly number: string;
  readonly totalMinor: bigint;
}

/**
 * Issues an invoice of a subscription, with the next number of the issuing office's year, in the caller's transaction. A
 * repeat under the same key finds it, whatever its lines say, and takes no number.
 * @throws RangeError for lines that leave nothing to pay, or a date before the first tax rule
 */
export async function issueSubscriptionInvoice(tx: Knex, invoice: NewSubscriptionInvoice): Promise<IssuedInvoice> {
  const { subscriptionId, ...charged } = invoice;
  return issueUnderKey(tx, charged, { subscriptionId, subject: `subscription/${subscriptionId}` }, {});
}

/** `key`: unique among all orders. `lines`: of domain/order-money.ts. */
export type NewOrderInvoice = Omit<NewSubscriptionInvoice, 'subscriptionId'> & { readonly orderId: OrderId };

/** Nobody has to look at it: what pays no order goes back. */
const ORDER_ODD_MONEY = { late: 'refund', twice: 'refund', over: 'refund' } as const satisfies OddMoneyPolicy;

/**
 * Issues an invoice of an order in the same way; money that comes when it is no longer owed is refunded by itself.
 * @throws RangeError for lines that leave nothing to pay, or a date before the first tax rule
 */
export async function issueOrderInvoice(tx: Knex, invoice: NewOrderInvoice): Promise<IssuedInvoice> {
  const { orderId, ...charged } = invoice;
  return issueUnderKey(tx, charged, { orderId, subject: `order/${orderId}` }, { oddMoney: ORDER_ODD_MONEY });
}

async function issueUnderKey(
  tx: Knex,
  charged: Omit<NewSubscriptionInvoice, 'subscriptionId'>,
  {
    subject,
    ...owner
  }: { readonly subject: Subject } & ({ readonly subscriptionId: SubscriptionId } | { readonly orderId: OrderId }),
  payment: BillingTerms['payment'],
): Promise<IssuedInvoice> {
  const { companyId, key, at } = charged;
  const isNew = await recordEvent(tx, {
    key: `invoice-of/${key}/issued`,
    type: 'invoice.issued',
    companyId,
    subject,
    at,
  });
  if (isNew) {
    const terms = { ...(await termsOfFirstOffice(tx, companyId)), payment };
    await writeInvoice(tx, { ...charged, ...owner, applicationId: null }, terms, null);
  }
  return invoiceFor(tx, key);
}

async function invoiceFor(tx: Knex, key: string): Promise<IssuedInvoice> {
  const found: IssuedInvoice | undefined = await tx('invoices')
    .where({ subject_key: key })
    .first({ invoiceId: 'id', number: 'number', totalMinor: 'total_minor' });
  if (!found) throw new Error(`there is the event of an invoice for ${key}, and no invoice`);
  return found;
}

/** Of an invoice that exists. */
export async function dueAtOf(db: Knex, id: InvoiceId): Promise<Date> {
  const row: { dueAt: Date } | undefined = await db('invoices').where({ id }).first({ dueAt: 'due_at' });
  if (!row) throw new Error(`invoice ${id} does not exist`);
  return row.dueAt;
}

/** The invoice that counts of an application that was approved with a fee; one that was voided counts no more. */
export async function invoiceOf(
  db: Knex,
  applicationId: ApplicationId,
): Promise<{ invoiceId: InvoiceId; number: string; dueAt: Date }> {
  const issued: { invoiceId: InvoiceId; number: string; dueAt: Date } | undefined = await db('invoices')
    .where({ application_id: applicationId })
    .whereNot('state', 'void')
    .first({ invoiceId: 'id', number: 'number', dueAt: 'due_at' });
  if (!issued) throw new Error(`application ${applicationId} is to be paid and has no invoice`);
  return issued;
}

/** Under which rules something is billed; of an application, by the policy that it was submitted under. */
export interface BillingTerms {
  readonly companyId: CompanyId;
  readonly zone: OfficeZone;
  readonly payment: Pick<PaymentPolicy, 'oddMoney' | 'instalments'>;
  readonly taxRules: readonly TaxRule[];
}

// One round trip for all of them: somebody who decides waits for it.
const TERMS = `
  select a.company_id as "companyId", o.zone, p.policy -> 'payment' as payment, ${TAX_RULES} as "taxRules"
  from applications a
  join license_policies p on p.id = a.policy_id
  join license_types t on t.code = a.type_code
  join offices o on o.id = t.office_id
  where a.id = ?`;

export async function billingTerms(
  tx: Knex,
  id: ApplicationId,
): Promise<BillingTerms & { readonly payment: PaymentPolicy }> {
  const { rows }: { rows: (BillingTerms & { readonly payment: PaymentPolicy })[] } = await tx.raw(TERMS, [id]);
  if (!rows[0]) throw new Error(`application ${id} does not exist`);
  return rows[0];
}

/** By the office that issues the papers about what is of no licence; paid all at once. */
async function termsOfFirstOffice(tx: Knex, companyId: CompanyId): Promise<Omit<BillingTerms, 'payment'>> {
  const { zone } = await issuerOfSubscriptions(tx);
  return { companyId, zone, taxRules: await allTaxRules(tx) };
}

// One statement as well; the foreign keys are looked at when it ends.
const INSERT = `
  with invoice as (
    insert into invoices (id, number, company_id, application_id, subscription_id, order_id, subject_key, state, currency, subtotal_minor,
      tax_minor, total_minor, issued_at, due_at, odd_money, tax_rule, replaces_id)
    values (:id, :number, :companyId, :applicationId, :subscriptionId, :orderId, :subjectKey, 'open', :currency, :subtotal, :tax, :total, :at,
      :dueAt, :oddMoney, :taxRule, :replaces)
  ), lines as (
    insert into invoice_lines (invoice_id, position, code, description, kind, net_minor, discount_minor, tax_minor)
    select cast(:id as uuid), l.position, l.code, l.description, l.kind, l.net, l.discount, l.tax
    from jsonb_to_recordset(:lines) as l (position smallint, code text, description jsonb, kind text, net bigint,
      discount bigint, tax bigint)
  ), parts as (
    insert into invoice_instalments (invoice_id, position, amount_minor, due_at)
    select cast(:id as uuid), p.position, p.amount, p.due
    from jsonb_to_recordset(:parts) as p (position smallint, amount bigint, due timestamptz)
  )
  update applications set due_at = :dueAt, updated_at = :at where id = :applicationId`;

/** What an invoice is for: an application, or something of a subscription or an order. */
type Billed = Pick<NewInvoice, 'lines' | 'at' | 'dueAt'> &
  (
    | {
        readonly applicationId: ApplicationId;
        readonly subscriptionId?: never;
        readonly orderId?: never;
        readonly key?: never;
      }
    | {
        readonly applicationId: null;
        readonly subscriptionId?: SubscriptionId;
        readonly orderId?: OrderId;
        readonly key: string;
      }
  );

/**
 * Writes the invoice of an application. The caller's event guards it.
 * @param replaces the voided invoice whose place it takes
 */
export const insertInvoice = (
  tx: Knex,
  invoice: NewInvoice,
  terms: BillingTerms,
  replaces: InvoiceId | null,
): Promise<InvoiceId> => writeInvoice(tx, invoice, terms, replaces);

/** With the next number, and into the books. */
async function writeInvoice(
  tx: Knex,
  invoice: Billed,
  terms: BillingTerms,
  replaces: InvoiceId | null,
): Promise<InvoiceId> {
  const { applicationId, subscriptionId = null, orderId = null, key = null, at, dueAt } = invoice;
  const { companyId, zone, payment, taxRules } = terms;
  const date = localDate(Date.parse(at), zone);
  const taxRule = taxRuleOn(taxRules, date);
  const built = buildInvoice(invoice.lines, taxRule);
  const id = asId<InvoiceId>(randomUUID());
  await tx.raw(INSERT, {
    id,
    number: await nextOfYear(tx, 'invoice', date, formatInvoiceNumber),
    companyId,
    applicationId,
    subscriptionId,
    orderId,
    subjectKey: key,
    currency: built.total.currency,
    subtotal: built.subtotal.amountMinor,
    tax: built.tax.amountMinor,
    total: built.total.amountMinor,
    at,
    dueAt,
    oddMoney: JSON.stringify(payment.oddMoney ?? {}),
    taxRule: JSON.stringify(taxRule),
    replaces,
    lines: JSON.stringify(lineRows(built)),
    parts: JSON.stringify(partRows(built.total, payment, invoice)),
  });
  await postEntry(tx, {
    key: `invoice/${id}/issued`,
    kind: 'invoice_issued',
    currency: built.total.currency,
    postings: invoiceIssued(sharesOf(built)),
    companyId,
    invoiceId: id,
    at,
  });
  return id;
}

// Amounts as digits: JSON has no bigint.
const lineRows = ({ lines }: BuiltInvoice) =>
  lines.map(({ code, description, kind, net, discount, tax }, index) => ({
    position: index + 1,
    code,
    description,
    kind,
    net: net.amountMinor.toString(),
    discount: discount.amountMinor.toString(),
    tax: tax.amountMinor.toString(),
  }));

const partRows = (total: Money, { instalments = [] }: BillingTerms['payment'], invoice: Billed) =>
  instalmentsOf(total, instalments, invoice).map(({ position, amountMinor, dueAt }) => ({
    position,
    amount: amountMinor.toString(),
    due: dueAt,
  }));

export interface InvoiceForPayment {
  readonly id: InvoiceId;
  readonly number: string;
  readonly state: InvoiceState;
  readonly total: Money;
  /** What captures and credit have paid of it. */
  readonly paid: Money;
  readonly dueAt: Date;
  readonly oddMoney: OddMoneyPolicy;
  readonly applicationId: ApplicationId | null;
  readonly subscriptionId: SubscriptionId | null;
  readonly orderId: OrderId | null;
  readonly companyId: CompanyId;
}

interface InvoiceForPaymentRow {
  readonly id: string;
  readonly number: string;
  readonly state: InvoiceState;
  readonly total_minor: bigint;
  readonly paid_minor: bigint;
  readonly currency: Currency;
  readonly due_at: Date;
  readonly odd_money: OddMoneyPolicy;
  readonly application_id: string | null;
  readonly subscription_id: string | null;
  readonly order_id: string | null;
  readonly company_id: string;
}

const toInvoiceForPayment = (row: InvoiceForPaymentRow): InvoiceForPayment => ({
  id: asId<InvoiceId>(row.id),
  number: row.number,
  state: row.state,
  total: money(row.total_minor, row.currency),
  paid: money(row.paid_minor, row.currency),
  dueAt: row.due_at,
  oddMoney: row.odd_money,
  applicationId: row.application_id === null ? null : asId<ApplicationId>(row.application_id),
  subscriptionId: row.subscription_id === null ? null : asId<SubscriptionId>(row.subscription_id),
  orderId: row.order_id === null ? null : asId<OrderId>(row.order_id),
  companyId: asId<CompanyId>(row.company_id),
});

/**
 * The invoice, locked to the end of the transaction: money is judged against a state that cannot change meanwhile.
 * Whoever locks a payment or takes a number as well does it after this.
 */
export async function lockInvoice(tx: Knex, id: InvoiceId): Promise<InvoiceForPayment> {
  const row: InvoiceForPaymentRow | undefined = await tx('invoices')
    .where({ id })
    .forUpdate()
    .first(
      'id',
      'number',
      'state',
      'total_minor',
      'paid_minor',
      'currency',
      'due_at',
      'odd_money',
      'application_id',
      'subscription_id',
      'order_id',
      'company_id',
    );
  if (!row) throw new Error(`invoice ${id} does not exist`);
  return toInvoiceForPayment(row);
}

const STANDING = `
  select p.account, sum(p.amount_minor)::bigint as balance
  from ledger_entries e join ledger_postings p on p.entry_id = e.id
  where e.invoice_id = ? and p.account in ('receivable', 'service_revenue', 'statutory_fees', 'vat')
  group by p.account`;

/** Takes back what the books still say of an invoice that nobody has to pay any more: what was refunded is gone already. */
export async function postClosing(tx: Knex, invoice: InvoiceForPayment, at: string): Promise<void> {
  const { rows }: { rows: { account: string; balance: bigint }[] } = await tx.raw(STANDING, [invoice.id]);
  const balance = (account: string) => rows.find((row) => row.account === account)?.balance ?? 0n;
  const shares = {
    serviceMinor: -balance('service_revenue'),
    statutoryMinor: -balance('statutory_fees'),
    taxMinor: -balance('vat'),
  };
  await postEntry(tx, {
    key: `invoice/${invoice.id}/closed`,
    kind: 'invoice_closed',
    currency: invoice.total.currency,
    postings: invoiceClosed(shares),
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    at,
  });
}
