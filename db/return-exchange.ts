/** What goes out for what came back, and what the difference is. */
import type { Knex } from 'knex';
import { localDate } from '../domain/calendar.ts';
import { Failure } from '../domain/failures.ts';
import type { OrderId, ReturnId } from '../domain/ids.ts';
import { taxRuleOn } from '../domain/invoicing.ts';
import { withTax } from '../domain/return-money.ts';
import { cancelUnits } from './order-cancellation.ts';
import { lockOrder } from './order-records.ts';
import { productsBySku } from './products.ts';
import type { ReturnRecord } from './return-records.ts';
import { iso, type Turn } from './return-steps.ts';
import { taxRules } from './tax-rules.ts';

export interface Exchange {
  readonly kind: 'replacement' | 'exchange';
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  /** Without tax. */
  readonly chargeMinor: bigint;
  /** With tax. At most one of the two is more than nothing. */
  readonly refundMinor: bigint;
}

/**
 * The same again costs what is deducted; another product costs the difference. Minor units.
 * @throws Failure `exchange_not_possible`
 */
export async function exchangeOf(tx: Knex, it: ReturnRecord, at: number): Promise<Exchange> {
  const units = it.units.filter(({ state }) => state === 'accepted' || state === 'kept');
  if (units.length === 0) throw new Failure('exchange_not_possible', 'Nothing was accepted that could be replaced.');
  const credit = await creditOf(tx, it);
  if (it.resolution !== 'exchange' || it.exchangeSku === null) {
    const skus = [...new Set(units.map(({ sku }) => sku))];
    const items = skus.map((sku) => ({ sku, quantity: units.filter((unit) => unit.sku === sku).length }));
    return {
      kind: 'replacement',
      items,
      chargeMinor: positive(credit.wholeNetMinor - credit.goodsNetMinor),
      refundMinor: 0n,
    };
  }
  const product = (await productsBySku(tx, [it.exchangeSku])).get(it.exchangeSku);
  if (!product?.isOffered) throw new Failure('exchange_not_possible', 'This product is not offered any more.');
  const netMinor = product.priceMinor * BigInt(units.length);
  const grossMinor = withTax(netMinor, taxRuleOn(await taxRules(tx), localDate(at, 'Asia/Jakarta')));
  return {
    kind: 'exchange',
    items: [{ sku: it.exchangeSku, quantity: units.length }],
    chargeMinor: grossMinor > credit.grossMinor ? positive(netMinor - credit.netMinor) : 0n,
    refundMinor: positive(credit.grossMinor - grossMinor),
  };
}

const positive = (amount: bigint): bigint => (amount > 0n ? amount : 0n);

interface Credit {
  /** What the accepted units cost, without tax. */
  readonly wholeNetMinor: bigint;
  /** What the statement gives for them, without and with the shipping that goes back. */
  readonly goodsNetMinor: bigint;
  readonly netMinor: bigint;
  readonly grossMinor: bigint;
}

async function creditOf(tx: Knex, it: ReturnRecord): Promise<Credit> {
  const { rows }: { rows: { whole: string; goods: string; net: string; gross: string }[] } = await tx.raw(
    `select coalesce(sum(o.net_minor + o.inherited_net_minor), 0)::text as whole, coalesce(sum((s ->> 'netMinor')::bigint), 0)::text as goods,
       coalesce(sum((s ->> 'netMinor')::bigint + (s ->> 'shippingNetMinor')::bigint), 0)::text as net,
       coalesce(sum((s ->> 'netMinor')::bigint + (s ->> 'taxMinor')::bigint
         + (s ->> 'shippingNetMinor')::bigint + (s ->> 'shippingTaxMinor')::bigint), 0)::text as gross
     from return_units u
     join order_units o on o.order_item_id = u.order_item_id and o.number = u.number
     join returns r on r.id = u.return_id
     left join lateral (
       select s from jsonb_array_elements(r.statement -> 'byUnit') s
       where s ->> 'orderItemId' = u.order_item_id::text and (s ->> 'number')::int = u.number
     ) found on true
     where u.return_id = ? and u.state in ('accepted', 'kept')`,
    [it.id],
  );
  const [row] = rows;
  return {
    wholeNetMinor: BigInt(row?.whole ?? 0),
    goodsNetMinor: BigInt(row?.goods ?? 0),
    netMinor: BigInt(row?.net ?? 0),
    grossMinor: BigInt(row?.gross ?? 0),
  };
}

// What a unit brought paid for the one that replaces it. The shipping is given back at most once and only with all of the order:
// the whole of it goes along, unless the unit brought nothing.
const STAND_IN = `
  with olds as (
    select o.*, i.sku, row_number() over (partition by i.sku order by i.position, o.number) as nth,
      s.value as brought
    from return_units r
    join order_units o on o.order_item_id = r.order_item_id and o.number = r.number
    join order_items i on i.id = o.order_item_id
    join returns e on e.id = r.return_id
    join lateral jsonb_array_elements(e.statement -> 'byUnit') s
      on s.value ->> 'orderItemId' = o.order_item_id::text and (s.value ->> 'number')::int = o.number
    where r.return_id = :returnId and r.state in ('accepted', 'kept') and (s.value ->> 'refundMinor')::bigint > 0
  ), news as (
    select n.order_item_id, n.number, i.sku, row_number() over (partition by i.sku order by i.position, n.number) as nth
    from order_units n join order_items i on i.id = n.order_item_id where n.order_id = :orderId
  )
  update order_units u set stands_for_item = o.order_item_id, stands_for_number = o.number,
    inherited_net_minor = (o.brought ->> 'netMinor')::bigint,
    inherited_tax_minor = (o.brought ->> 'taxMinor')::bigint,
    inherited_shipping_net_minor = o.shipping_net_minor + o.inherited_shipping_net_minor,
    inherited_shipping_tax_minor = o.shipping_tax_minor + o.inherited_shipping_tax_minor
  from news n join olds o on o.sku = n.sku and o.nth = n.nth
  where u.order_item_id = n.order_item_id and u.number = n.number`;

/** The units of an order that was just placed to replace what came back stand for those, one for one. */
export async function standIn(tx: Knex, returnId: ReturnId, orderId: OrderId): Promise<void> {
  await tx.raw(STAND_IN, { returnId, orderId });
}

/**
 * Before anything of it has left, with its money: an open invoice is closed, what was paid goes back.
 * @returns false when it has left, or was cancelled before
 */
export async function cancelReplacement(turn: Turn, orderId: OrderId): Promise<boolean> {
  const order = await lockOrder(turn.tx, orderId);
  const units = order.units.filter(({ state }) => state === 'waiting' || state === 'reserved');
  if (units.length === 0 || units.length < order.units.filter(({ state }) => state !== 'cancelled').length)
    return false;
  const { by = null, at } = turn;
  await cancelUnits(turn.tx, turn, order, { units, key: 'return', reason: 'asked', by, byPayer: true, at: iso(at) });
  turn.news.changed.push(orderId);
  return true;
}
