/**
 * Credit that ends: what was granted, and what is left of it. How much credit there is in all, the books say; a grant says
 * only until when a part of it can be spent. Everything here happens under the company's lock (`lockCredit`), like every
 * spending.
 */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId } from '../domain/ids.ts';
import { creditExpired } from '../domain/ledger.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import { lesser } from '../domain/payments.ts';
import { recordEvent } from './events.ts';
import { postEntry } from './ledger.ts';
import { writeCreditLetter } from './return-letters.ts';
import { lockCredit } from './store-credit.ts';
import { namedUuid } from './uuids.ts';

export interface NewGrant {
  readonly companyId: CompanyId;
  /** Of what gave it: the same one grants once. */
  readonly key: string;
  readonly amount: Money;
  readonly expiresAfterMonths: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Beside the entry that gives the credit, in its transaction. @returns false when it was granted before */
export async function grantCredit(tx: Knex, grant: NewGrant): Promise<boolean> {
  const { companyId, key, amount, expiresAfterMonths, at } = grant;
  if (amount.amountMinor <= 0n) return false;
  await lockCredit(tx, companyId, amount.currency);
  const id = namedUuid(`credit-grant/${key}`);
  const made: { expiresAt: Date }[] = await tx('credit_grants')
    .insert({
      id,
      company_id: companyId,
      key,
      currency: amount.currency,
      amount_minor: amount.amountMinor,
      left_minor: amount.amountMinor,
      expires_at: tx.raw('?::timestamptz + make_interval(months => ?)', [at, expiresAfterMonths]),
      granted_at: at,
    })
    .onConflict('key')
    .ignore()
    .returning('expires_at as expiresAt');
  if (!made[0]) return false;
  await recordEvent(tx, {
    key: `credit-grant/${id}/granted`,
    type: 'store_credit.granted',
    companyId,
    subject: `company/${companyId}`,
    data: { amountMinor: amount.amountMinor.toString(), expiresAt: made[0].expiresAt.toISOString() },
    at,
  });
  return true;
}

interface Grant {
  readonly id: string;
  readonly leftMinor: bigint;
}

/** What ends first is spent first, and what never ends last. The caller holds the company's lock and has posted the entry. */
export async function spendGrants(
  tx: Knex,
  spent: { readonly companyId: CompanyId; readonly amount: Money; readonly key: string; readonly invoiceId: InvoiceId },
): Promise<void> {
  const { companyId, amount, key, invoiceId } = spent;
  const grants: Grant[] = await tx('credit_grants')
    .where({ company_id: companyId, currency: amount.currency })
    .where('left_minor', '>', 0)
    .orderBy(['expires_at', 'id'])
    .select({ id: 'id', leftMinor: 'left_minor' });
  let open = amount.amountMinor;
  for (const { id, leftMinor } of grants) {
    const part = lesser(open, leftMinor);
    if (part <= 0n) return;
    await tx('credit_grants')
      .where({ id })
      .update({ left_minor: tx.raw('left_minor - ?', [part.toString()]) });
    await tx('credit_uses').insert({ key, grant_id: id, invoice_id: invoiceId, amount_minor: part });
    open -= part;
  }
}

const DAYS_AFTER_RETURN = 30;

/**
 * The invoice that credit had paid is closed: each grant gets back what was taken from it. One that would end meanwhile, or has,
 * can be spent for 30 days more.
 */
export async function returnGrants(tx: Knex, invoiceId: InvoiceId, at: string): Promise<void> {
  await tx.raw(
    `with back as (
       update credit_uses set returned_at = :at where invoice_id = :invoiceId and returned_at is null
       returning grant_id, amount_minor)
     update credit_grants g set left_minor = left_minor + b.amount, expired_at = null, warned_at = null,
       expires_at = greatest(expires_at, :at::timestamptz + make_interval(days => :days))
     from (select grant_id, sum(amount_minor) as amount from back group by grant_id) b where g.id = b.grant_id`,
    { invoiceId, at, days: DAYS_AFTER_RETURN },
  );
}

/** How much of what credit paid of an invoice came from credit that ends. */
export async function grantedPartOf(tx: Knex, invoiceId: InvoiceId): Promise<bigint> {
  const row: { amount: bigint } | undefined = await tx('credit_uses')
    .where({ invoice_id: invoiceId })
    .whereNull('returned_at')
    .first({ amount: tx.raw('coalesce(sum(amount_minor), 0)::bigint') });
  return row?.amount ?? 0n;
}

export interface CreditGrant {
  readonly id: string;
  readonly left: Money;
  readonly expiresAt: Date;
}

/** What a company can still spend until when, soonest first. */
export async function grantsOf(db: Knex, companyId: CompanyId): Promise<CreditGrant[]> {
  const rows: { id: string; leftMinor: bigint; currency: Currency; expiresAt: Date }[] = await db('credit_grants')
    .where({ company_id: companyId })
    .where('left_minor', '>', 0)
    .orderBy(['expires_at', 'id'])
    .select({ id: 'id', leftMinor: 'left_minor', currency: 'currency', expiresAt: 'expires_at' });
  return rows.map(({ leftMinor, currency, ...grant }) => ({ ...grant, left: money(leftMinor, currency) }));
}

// ---- its end --------------------------------------------------------------------------------------------------------

const WARNED_BEFORE_DAYS = 30;
const DAY_MS = 86_400_000;

interface EndingGrant {
  readonly id: string;
  readonly companyId: CompanyId;
}

/** Grants whose owner is to be told that they end within 30 days, and was not yet. */
export const grantsToWarnOf = (db: Knex, at: string, limit: number): Promise<EndingGrant[]> =>
  db('credit_grants')
    .where('left_minor', '>', 0)
    .whereNull('warned_at')
    .whereRaw('expires_at <= ?::timestamptz + make_interval(days => ?)', [at, WARNED_BEFORE_DAYS])
    .orderBy(['expires_at', 'id'])
    .limit(limit)
    .select({ id: 'id', companyId: 'company_id' });

/** Nobody loses credit that they were not told of a day before, however long nobody looked. */
export const grantsThatEnd = (db: Knex, at: string, limit: number): Promise<EndingGrant[]> =>
  db('credit_grants')
    .where('left_minor', '>', 0)
    .where('expires_at', '<=', at)
    .whereRaw(`warned_at <= ?::timestamptz - interval '1 day'`, [at])
    .orderBy(['expires_at', 'id'])
    .limit(limit)
    .select({ id: 'id', companyId: 'company_id' });

interface LockedGrant {
  readonly companyId: CompanyId;
  readonly leftMinor: bigint;
  readonly currency: Currency;
  readonly expiresAt: Date;
  readonly warnedAt: Date | null;
}

async function lockGrant(tx: Knex, { id, companyId }: EndingGrant): Promise<LockedGrant | undefined> {
  await tx('companies').where({ id: companyId }).forUpdate().first('id');
  return tx('credit_grants').where({ id }).forUpdate().first({
    companyId: 'company_id',
    leftMinor: 'left_minor',
    currency: 'currency',
    expiresAt: 'expires_at',
    warnedAt: 'warned_at',
  });
}

/** One transaction; a second time, or once it was spent, it does nothing. @returns whether it was written */
export async function warnOfGrant(db: Knex, ending: EndingGrant, at: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const grant = await lockGrant(tx, ending);
    if (!grant || grant.warnedAt || grant.leftMinor <= 0n) return false;
    // Told late, it can still be spent until tomorrow.
    const expiresAt = new Date(Math.max(grant.expiresAt.getTime(), Date.parse(at) + DAY_MS));
    await tx('credit_grants').where({ id: ending.id }).update({ warned_at: at, expires_at: expiresAt });
    await tell(tx, 'credit_expiring', ending.id, { ...grant, expiresAt }, at);
    return true;
  });
}

/** What is left of it leaves the books as income, once. @returns whether there was anything */
export async function expireGrant(db: Knex, ending: EndingGrant, at: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const grant = await lockGrant(tx, ending);
    if (!grant || grant.leftMinor <= 0n || grant.expiresAt.getTime() > Date.parse(at)) return false;
    const { companyId, leftMinor, currency, expiresAt } = grant;
    const key = `credit-grant/${ending.id}/expired/${expiresAt.toISOString()}`;
    const data = { amountMinor: leftMinor.toString(), currency };
    const subject = `company/${companyId}` as const;
    if (!(await recordEvent(tx, { key, type: 'store_credit.expired', companyId, subject, data, at }))) return false;
    await postEntry(tx, { key, kind: 'credit_expired', currency, postings: creditExpired(leftMinor), companyId, at });
    await tx('credit_grants').where({ id: ending.id }).update({ left_minor: 0, expired_at: at });
    await tell(tx, 'credit_expired', ending.id, grant, at);
    return true;
  });
}

async function tell(
  tx: Knex,
  template: 'credit_expiring' | 'credit_expired',
  grantId: string,
  { companyId, leftMinor, currency, expiresAt }: LockedGrant,
  at: string,
): Promise<void> {
  const amount = { amountMinor: leftMinor.toString(), currency };
  // Credit that came back has another end, and its owner is told of that one as well.
  const grant = `${grantId}/${expiresAt.toISOString()}`;
  await writeCreditLetter(tx, template, { companyId, grantId: grant, amount, expiresAt, at });
}
