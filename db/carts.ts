/** What a company means to order: one cart each, which every member sees. */
import type { Knex } from 'knex';
import { Failure } from '../domain/failures.ts';
import type { CompanyId, Sku, UserId } from '../domain/ids.ts';
import { writeLetter } from './account-letters.ts';
import { refusesAdvertising } from './advertising.ts';
import { isMember } from './company-members.ts';
import { recordEvent } from './events.ts';
import { productsBySku } from './products.ts';
import { orderPolicy } from './shop-policies.ts';
import { namedUuid } from './uuids.ts';

export interface CartItem {
  readonly sku: Sku;
  readonly quantity: number;
}

export interface Cart {
  readonly items: readonly CartItem[];
  /** Goes up with each change. */
  readonly version: number;
  readonly updatedAt: Date;
}

const COLUMNS = { items: 'items', version: 'version', updatedAt: 'updated_at' };

/** null = nothing was ever put into it. */
export async function findCart(db: Knex, companyId: CompanyId): Promise<Cart | null> {
  const row: Cart | undefined = await db('carts').where({ company_id: companyId }).first(COLUMNS);
  return row ?? null;
}

export interface PutCart {
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly items: readonly CartItem[];
  /** ISO 8601. */
  readonly at: string;
}

/**
 * What is in it from now on; of a SKU that is named twice the sum. The same again is no change: it does not start the clock of
 * the reminder anew.
 * @throws Failure `product_unknown`: one is not sold (any more)
 */
export async function putCart(tx: Knex, { companyId, by, items, at }: PutCart): Promise<{ readonly changed: boolean }> {
  const wanted = together(items);
  await requireOffered(tx, wanted);
  await tx('carts').insert({ company_id: companyId, user_id: by, version: 0, updated_at: at }).onConflict().ignore();
  const before = await lockCart(tx, companyId);
  if (
    !before ||
    (before.version > 0 && JSON.stringify(before.items.map(pairOf)) === JSON.stringify(wanted.map(pairOf)))
  )
    return { changed: false };
  await tx('carts')
    .where({ company_id: companyId })
    .update({ items: JSON.stringify(wanted), user_id: by, version: before.version + 1, updated_at: at });
  return { changed: true };
}

/** Belongs into the transaction that places the order. An empty one stays as it is. @param at ISO 8601 */
export async function emptyCart(tx: Knex, companyId: CompanyId, at?: string): Promise<boolean> {
  const emptied = await tx('carts')
    .where({ company_id: companyId })
    .whereRaw("items <> '[]'")
    .update({ items: '[]', version: tx.raw('version + 1'), ...(at ? { updated_at: at } : {}) });
  return emptied > 0;
}

function together(items: readonly CartItem[]): CartItem[] {
  const quantities = new Map<Sku, number>();
  for (const { sku, quantity } of items) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}

/** As text the database gives the keys back in an order of its own. */
const pairOf = ({ sku, quantity }: CartItem) => [sku, quantity];

async function requireOffered(db: Knex, items: readonly CartItem[]): Promise<void> {
  const products = await productsBySku(
    db,
    items.map(({ sku }) => sku),
  );
  const errors = items.flatMap(({ sku }, index) =>
    products.get(sku)?.isOffered
      ? []
      : [{ pointer: `/items/${index}/sku`, code: 'product_unknown', detail: `${sku} is not sold` }],
  );
  if (errors.length > 0) throw new Failure('product_unknown', '', { errors });
}

interface LockedCart extends Cart {
  readonly userId: UserId;
  readonly remindedVersion: number | null;
}

async function lockCart(tx: Knex, companyId: CompanyId): Promise<LockedCart | undefined> {
  return tx('carts')
    .where({ company_id: companyId })
    .forUpdate()
    .first({ ...COLUMNS, userId: 'user_id', remindedVersion: 'reminded_version' });
}

export interface CartStanding {
  /** ISO 8601: when the reminder is due; null = there is nothing to remind of. */
  readonly dueAt: string | null;
  readonly reminded: boolean;
}

const HOUR = 3_600_000;
const NOTHING: CartStanding = { dueAt: null, reminded: false };

/** Reminds of a cart that nobody has changed for as long as the policy says; each state of it once. Otherwise tells when. */
export async function advanceCart(
  tx: Knex,
  { companyId, at }: { readonly companyId: CompanyId; readonly at: string },
): Promise<CartStanding> {
  const cart = await lockCart(tx, companyId);
  if (!cart || cart.items.length === 0 || cart.remindedVersion === cart.version) return NOTHING;
  const { cartReminderAfterHours } = await orderPolicy(tx, new Date(at));
  const dueAt = cart.updatedAt.getTime() + cartReminderAfterHours * HOUR;
  if (dueAt > Date.parse(at)) return { dueAt: new Date(dueAt).toISOString(), reminded: false };
  // Also of who wants no reminder: this state of the cart is dealt with.
  await tx('carts').where({ company_id: companyId }).update({ reminded_version: cart.version });
  return { dueAt: null, reminded: await remind(tx, companyId, cart, at) };
}

async function remind(tx: Knex, companyId: CompanyId, { userId, items, version }: LockedCart, at: string) {
  const isTheirs = await isMember(tx, companyId, userId);
  if (!isTheirs || (await refusesAdvertising(tx, userId))) return false;
  const offered = await productsBySku(
    tx,
    items.map(({ sku }) => sku),
  );
  const named = items.flatMap(({ sku, quantity }) => {
    const product = offered.get(sku);
    return product?.isOffered ? [{ name: product.name, quantity }] : [];
  });
  if (named.length === 0) return false;
  const key = `cart/${companyId}/${version}/reminded`;
  const event = { key, type: 'cart.reminded', companyId, subject: `company/${companyId}` } as const;
  if (!(await recordEvent(tx, { ...event, data: { lines: named.length }, at }))) return false;
  const company: { name: string } = await tx('companies').where({ id: companyId }).first('name');
  const data = { companyName: company.name, items: named };
  await writeLetter(tx, {
    id: namedUuid(`${key}/${userId}`),
    template: 'cart_reminder',
    userId,
    data,
    at: new Date(at),
  });
  return true;
}

/** Carts whose reminder has been due since this moment, and whose process has not seen to it; the longest due first. */
export async function cartsToWatch(db: Knex, before: string, limit: number): Promise<CompanyId[]> {
  const { cartReminderAfterHours } = await orderPolicy(db, new Date(before));
  return db('carts')
    .whereRaw("items <> '[]' and reminded_version is distinct from version")
    .whereRaw("updated_at + ? * interval '1 hour' <= ?", [cartReminderAfterHours, before])
    .orderBy('updated_at')
    .limit(limit)
    .pluck<CompanyId[]>('company_id');
}
