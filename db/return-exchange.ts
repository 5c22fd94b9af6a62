/** What goes out for what came back, and what the difference is. */
import type { Knex } from 'knex';
import { localDate } from '../domain/calendar.ts';
import { Failure } from '../domain/failures.ts';
import type { OrderId, ReturnId, Sku } from '../domain/ids.ts';
import { taxRuleOn } from '../domain/invoicing.ts';
import { type UnitName, withTax } from '../domain/return-money.ts';
import { cancelUnits } from './order-cancellation.ts';
import { lockOrder } from './order-records.ts';
import { productsBySku } from './products.ts';
import { handedOn } from './return-money.ts';
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
    `select coalesce(sum(o.net_minor + o.inherited_net_minor
         + case when o.inherited_shipping_is_price then o.inherited_shipping_net_minor else 0 end), 0)::text as whole,
       coalesce(sum((s ->> 'netMinor')::bigint), 0)::text as goods,
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

const STAND_IN = `
  update order_units u set stands_for_item = s.item, stands_for_number = s.of, inherited_net_minor = s.net,
    inherited_tax_minor = s.tax, inherited_shipping_net_minor = s."shippingNet", inherited_shipping_tax_minor = s."shippingTax",
    inherited_shipping_is_price = s."isPrice"
  from jsonb_to_recordset(cast(:units as jsonb)) as s ("orderItemId" uuid, number smallint, item uuid, of smallint, net bigint,
    tax bigint, "shippingNet" bigint, "shippingTax" bigint, "isPrice" boolean)
  where u.order_item_id = s."orderItemId" and u.number = s.number`;

/** The units of an order that was just placed for what came back stand for those, one for one, and inherit what they brought. */
export async function standIn(
  tx: Knex,
  returnId: ReturnId,
  placed: Pick<Exchange, 'kind' | 'refundMinor'> & { readonly orderId: OrderId },
): Promise<void> {
  const free: (UnitName & { sku: Sku })[] = await tx('order_units as u')
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .where('u.order_id', placed.orderId)
    .orderBy(['i.position', 'u.number'])
    .select({ orderItemId: 'u.order_item_id', number: 'u.number', sku: 'i.sku' });
  const units = (await handedOn(tx, returnId, placed)).flatMap(({ unit, cost, isShippingPrice }) => {
    const at = free.findIndex(({ sku }) => placed.kind === 'exchange' || sku === unit.sku);
    return (at < 0 ? [] : free.splice(at, 1)).map(({ orderItemId, number }) => ({
      ...{ orderItemId, number, item: unit.orderItemId, of: unit.number, isPrice: isShippingPrice },
      net: cost.netMinor.toString(),
      tax: cost.taxMinor.toString(),
      shippingNet: cost.shippingNetMinor.toString(),
      shippingTax: cost.shippingTaxMinor.toString(),
    }));
  });
  await tx.raw(STAND_IN, { units: JSON.stringify(units) });
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
