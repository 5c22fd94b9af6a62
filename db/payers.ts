import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { InvoiceId, UserId } from '../domain/ids.ts';
import { type Currency, type Money, money, sum } from '../domain/money.ts';
import { payerId, withIssuer } from './issuers.ts';

export interface Payer {
  readonly name: string;
  readonly email: string;
  /** One an invoice line, tax included, so that a gateway's sum check meets the invoice's total; with credits one for all. */
  readonly items: readonly { readonly name: string; readonly amount: Money; readonly quantity: number }[];
}

interface ItemRow {
  readonly description: { readonly id: string; readonly en: string };
  readonly net_minor: bigint;
  readonly tax_minor: bigint;
  readonly currency: Currency;
  readonly number: string;
}

/** Who pays an invoice and for what, as a pay page shows it. Gateways write to the payer, so a programme is none. */
export async function payerOf(db: Knex, invoiceId: InvoiceId, userId: UserId): Promise<Payer> {
  const user = (await personBehind(db, invoiceId, userId)) ?? (await personalOf(db, userId));
  if (!user) throw new Error(`user ${userId} does not exist`);
  const items: ItemRow[] = await db('invoice_lines as l')
    .join('invoices as i', 'i.id', 'l.invoice_id')
    .where('l.invoice_id', invoiceId)
    .orderBy('l.position')
    .select('l.description', 'l.net_minor', 'l.tax_minor', 'i.currency', 'i.number');
  return { name: user.name, email: user.email, items: itemsOf(items, user.locale) };
}

/** Gateways take no item of less than nothing. */
function itemsOf(rows: readonly ItemRow[], locale: 'id' | 'en'): Payer['items'] {
  const items = rows.map((row) => ({
    name: row.description[locale],
    amount: money(row.net_minor + row.tax_minor, row.currency),
    quantity: 1,
  }));
  const [first] = rows;
  if (!first || rows.every(({ net_minor }) => net_minor >= 0n)) return items;
  const amounts = items.map(({ amount }) => amount);
  return [{ name: first.number, amount: sum(amounts, first.currency), quantity: 1 }];
}

interface Person {
  readonly name: string;
  readonly email: string;
  readonly locale: 'id' | 'en';
}

async function personalOf(db: Knex, id: UserId): Promise<Person | undefined> {
  return db('users').where({ id }).first('name', 'email', 'locale');
}

/** Where a programme pays for its company: the member of longest standing. */
async function personBehind(db: Knex, invoiceId: InvoiceId, userId: UserId): Promise<Person | undefined> {
  const programmes = `%@${INTEGRATOR_MAIL_DOMAIN}`;
  return db('invoices as i')
    .join('company_members as m', 'm.company_id', 'i.company_id')
    .join('users as u', 'u.id', 'm.user_id')
    .where('i.id', invoiceId)
    .where('u.email', 'not like', programmes)
    .whereExists((payer) => payer.from('users').where('id', userId).whereLike('email', programmes))
    .orderBy(['u.status', 'm.created_at', 'm.user_id'])
    .first('u.name', 'u.email', 'u.locale');
}

/** Who applied for what the invoice is about, or took out its subscription; null for an invoice that is of neither. */
export async function applicantOf(db: Knex, invoiceId: InvoiceId): Promise<UserId | null> {
  const row: { payer: UserId | null } | undefined = await db('invoices as i')
    .modify(withIssuer)
    .where('i.id', invoiceId)
    .first({ payer: payerId(db) });
  return row?.payer ?? null;
}
