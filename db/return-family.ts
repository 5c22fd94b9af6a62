/**
 * The units of an order, those that they stand for and those that stand for them: what each is worth to whoever sends it back,
 * and out of which of them the money comes.
 */
import type { Knex } from 'knex';
import type { OrderId, OrderItemId, ReturnId, Sku } from '../domain/ids.ts';
import type { TaxRule } from '../domain/invoicing.ts';
import type { UnitState } from '../domain/orders.ts';
import { lesser } from '../domain/payments.ts';
import {
  asPrice,
  costOf,
  type EarlierUnit,
  eachPart,
  inParts,
  type StatedUnit,
  type UnitCost,
  type UnitName,
} from '../domain/return-money.ts';

export type Digits<T> = { readonly [Key in keyof T]: T[Key] extends bigint ? string : T[Key] };

export const costIn = (unit: Digits<UnitCost>): UnitCost => ({
  netMinor: BigInt(unit.netMinor),
  taxMinor: BigInt(unit.taxMinor),
  shippingNetMinor: BigInt(unit.shippingNetMinor),
  shippingTaxMinor: BigInt(unit.shippingTaxMinor),
});

export interface FamilyUnit extends EarlierUnit {
  readonly orderId: OrderId;
  readonly sku: Sku;
  readonly unitState: UnitState;
  readonly taxRule: TaxRule | null;
  /** It came back for another one. */
  readonly isReplaced: boolean;
  /** All that was to stand for it was called off. */
  readonly isCalledOff: boolean;
  /** Of one that was called off: nothing any more. */
  readonly standsForItem: OrderItemId | null;
  readonly standsForNumber: number | null;
  /** What of the unit that it stands for it was paid for with. */
  readonly inherited: UnitCost;
  /** Its shipping paid for the goods that it was exchanged for: it is part of their price. */
  readonly isShippingPrice: boolean;
  /** In this return; null = it is not. */
  readonly state: StatedUnit['state'] | null;
  readonly reason: StatedUnit['reason'] | null;
  readonly condition: StatedUnit['condition'];
}

const FAMILY = `
  with recursive up as (
    select cast(:orderId as uuid) as id
    union
    select b.order_id from up join order_units u on u.order_id = up.id
      join order_units b on b.order_item_id = u.stands_for_item and b.number = u.stands_for_number
  ), family as (
    select id from up
    union
    select s.order_id from family join order_units b on b.order_id = family.id
      join order_units s on s.stands_for_item = b.order_item_id and s.stands_for_number = b.number
  )
  select u.order_id as "orderId", u.order_item_id as "orderItemId", u.number, i.sku, u.state as "unitState",
    u.net_minor as "netMinor", u.tax_minor as "taxMinor", u.shipping_net_minor as "shippingNetMinor",
    u.shipping_tax_minor as "shippingTaxMinor", u.given_back_minor as "givenBackMinor",
    u.stands_for_item as "standsForItem", u.stands_for_number as "standsForNumber",
    jsonb_build_object('netMinor', u.inherited_net_minor::text, 'taxMinor', u.inherited_tax_minor::text,
      'shippingNetMinor', u.inherited_shipping_net_minor::text, 'shippingTaxMinor', u.inherited_shipping_tax_minor::text) as inherited,
    u.inherited_shipping_is_price as "isShippingPrice",
    r.state, r.reason, r.condition, n.tax_rule as "taxRule",
    exists (select from return_units x join returns e on e.id = x.return_id
      where x.order_item_id = u.order_item_id and x.number = u.number and x.return_id <> :returnId
        and x.state in ('accepted', 'kept') and e.resolution in ('replacement', 'exchange')) as "isReplaced",
    (select bool_and(s.state = 'cancelled') from order_units s
      where s.stands_for_item = u.order_item_id and s.stands_for_number = u.number) is true as "isCalledOff"
  from family f
  join order_units u on u.order_id = f.id
  join order_items i on i.id = u.order_item_id
  left join return_units r on r.order_item_id = u.order_item_id and r.number = u.number and r.return_id = :returnId
  left join invoices n on n.id = u.invoice_id
  order by u.order_id = :orderId desc, u.order_id, i.position, u.number`;

/** The units of the order first. */
export async function familyOf(tx: Knex, returnId: ReturnId, orderId: OrderId): Promise<FamilyUnit[]> {
  type Row = Omit<FamilyUnit, 'inherited'> & { readonly inherited: Digits<UnitCost> };
  const { rows }: { rows: Row[] } = await tx.raw(FAMILY, { returnId, orderId });
  return rows.map((row) => {
    const unit = { ...row, inherited: costIn(row.inherited) };
    if (unit.unitState !== 'cancelled') return unit;
    return {
      ...unit,
      standsForItem: null,
      standsForNumber: null,
      inherited: eachPart(() => 0n),
      isShippingPrice: false,
    };
  });
}

const isSame = (unit: UnitName, orderItemId: OrderItemId | null, number: number | null): boolean =>
  unit.orderItemId === orderItemId && unit.number === number;

export const unitIn = (family: readonly FamilyUnit[], name: UnitName): FamilyUnit | undefined =>
  family.find((one) => isSame(one, name.orderItemId, name.number));

/** Those that it was replaced by, as far as they were not called off. */
export const standInsOf = (family: readonly FamilyUnit[], unit: FamilyUnit): FamilyUnit[] =>
  family.filter((one) => isSame(unit, one.standsForItem, one.standsForNumber));

const sourceOf = (family: readonly FamilyUnit[], unit: FamilyUnit): FamilyUnit | undefined =>
  unit.standsForItem === null ? undefined : family.find((one) => isSame(one, unit.standsForItem, unit.standsForNumber));

/** It, the one that it stands for, and so on to the one that was bought. */
function lineOfSources(family: readonly FamilyUnit[], unit: FamilyUnit): FamilyUnit[] {
  const before = sourceOf(family, unit);
  return before ? [unit, ...lineOfSources(family, before)] : [unit];
}

// ---- what it is worth -----------------------------------------------------------------------------------------------

/** What was paid for it: by itself, and with what the unit had brought that it stands for. */
export const paidFor = (unit: FamilyUnit): UnitCost => eachPart((part) => unit[part] + unit.inherited[part]);

/** As a statement takes it: what the shipping paid for is price, and no more than the units that were paid for still have. */
export function worthOf(family: readonly FamilyUnit[], unit: FamilyUnit): EarlierUnit {
  const { orderItemId, number } = unit;
  const paid = paidFor(unit);
  const left = lineOfSources(family, unit).reduce((sum, one) => sum + costOf(one) - one.givenBackMinor, 0n);
  const givenBackMinor = costOf(paid) - lesser(left, costOf(paid) - unit.givenBackMinor);
  return { orderItemId, number, ...(unit.isShippingPrice ? asPrice(paid) : paid), givenBackMinor };
}

/** What a unit brings, in the parts of what was paid for it. */
export interface Brought {
  readonly unit: FamilyUnit;
  readonly amount: UnitCost;
}

/** @param units as a statement says it */
export const broughtBy = (family: readonly FamilyUnit[], units: readonly (UnitName & UnitCost)[]): Brought[] =>
  units.map((result) => {
    const unit = unitIn(family, result);
    if (!unit) throw new Error(`unit ${result.orderItemId}/${result.number} is not in the orders of its return`);
    return { unit, amount: unit.isShippingPrice ? inParts(result, paidFor(unit)) : result };
  });

/** It was taken back in this return, not the shipping of what came back before. */
export const isTakenBack = ({ unit: { state } }: Brought): boolean => state === 'accepted' || state === 'kept';

// ---- out of which the money comes -----------------------------------------------------------------------------------

export type Source = UnitName & UnitCost & { readonly orderId: OrderId };

/**
 * Of what a unit brings a part is taken: out of the unit itself first, then out of the one that it stands for. The rest stays
 * with those that paid for it longest ago, for the unit that inherits it: so no unit ever gives more than it has cost.
 */
export function sourcesOf(family: readonly FamilyUnit[], { unit, amount }: Brought, taken: UnitCost): Source[] {
  const kept = layersOf(
    family,
    unit,
    eachPart((part) => amount[part] - taken[part]),
  );
  return layersOf(family, unit, amount)
    .map((layer, i) => ({ ...layer, ...eachPart((part) => layer[part] - (kept[i]?.[part] ?? 0n)) }))
    .filter((source) => costOf(source) > 0n);
}

/** The one that was bought first, with as much as the next one inherited of it; the unit itself last. */
function layersOf(family: readonly FamilyUnit[], unit: FamilyUnit, amount: UnitCost): Source[] {
  const { orderId, orderItemId, number, inherited } = unit;
  const before = sourceOf(family, unit);
  const handed = eachPart((part) => lesser(amount[part], inherited[part]));
  const own = before ? eachPart((part) => amount[part] - handed[part]) : eachPart((part) => amount[part]);
  return [...(before ? layersOf(family, before, handed) : []), { orderId, orderItemId, number, ...own }];
}
