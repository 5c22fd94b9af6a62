/** An order as the API shows it. */
import { findOrder, type OrderItemRead, type OrderRead } from '../db/order-reads.ts';
import { openShipTo } from '../db/order-records.ts';
import { type ShipmentRecord, shipmentsOf } from '../db/shipments.ts';
import { returnPolicy } from '../db/shop-policies.ts';
import { Failure } from '../domain/failures.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { type Money, money } from '../domain/money.ts';
import { UNIT_STATES } from '../domain/orders.ts';
import { refuseUnit } from '../domain/return-eligibility.ts';
import type { ReturnPolicy } from '../domain/returns.ts';
import { isStaff, may } from '../domain/roles.ts';
import type { ApiDeps } from './deps.ts';
import type { Locale } from './request.ts';
import { moneyJson, timeJson, timeOrNull } from './wire.ts';

/** @throws Failure `not_found` */
export async function orderSeenBy(deps: Pick<ApiDeps, 'db'>, viewer: Actor, id: OrderId): Promise<OrderRead> {
  const order = await findOrder(deps.db, viewer, id);
  if (!order) throw new Failure('not_found', 'There is no such order, or none that you may see.');
  return order;
}

type Shown = Pick<ApiDeps, 'db' | 'personalData' | 'publicUrl'>;

export async function orderNow(deps: Shown, viewer: Actor, id: OrderId, locale: Locale) {
  return orderJson(deps, viewer, await orderSeenBy(deps, viewer, id), locale);
}

export async function orderJson(deps: Shown, viewer: Actor, it: OrderRead, locale: Locale) {
  const [shipments, policy] = await Promise.all([shipmentsOf(deps.db, it.id), returnPolicy(deps.db, it.placedAt)]);
  return {
    id: it.id,
    number: it.number,
    kind: it.kind,
    state: it.state,
    stateSince: timeJson(it.stateSince),
    companyId: it.companyId,
    companyName: it.companyName,
    returnId: it.returnId,
    repeatsId: it.repeatsId,
    items: it.items.map((item) => itemJson(it, item, policy, locale)),
    amounts: amountsJson(it),
    invoiceId: (it.invoices.find(({ state }) => state === 'open') ?? it.invoices.at(-1))?.id ?? null,
    invoices: it.invoices.map((invoice) => ({
      id: invoice.id,
      number: invoice.number,
      state: invoice.state,
      total: of(it, invoice.totalMinor),
      paid: of(it, invoice.paidMinor),
      dueAt: timeJson(new Date(invoice.dueMs)),
      payUrl: `${deps.publicUrl}/pay/${invoice.id}`,
    })),
    shipments: shipments.map(shipmentJson),
    hold: holdJson(it, viewer),
    cancelReason: it.cancelReason,
    shipTo: shipToJson(deps, viewer, it),
    expiresAt: timeOrNull(it.expiresAt),
    placedAt: timeJson(it.placedAt),
    paidAt: timeOrNull(it.paidAt),
    shippedAt: timeOrNull(it.shippedAt),
    deliveredAt: timeOrNull(it.deliveredAt),
    endedAt: timeOrNull(it.endedAt),
    updatedAt: timeJson(it.updatedAt),
  };
}

const of = ({ currency }: OrderRead, minor: number) => moneyJson(money(minor, currency));

function itemJson(order: OrderRead, item: OrderItemRead, policy: ReturnPolicy, locale: Locale) {
  const { id, sku, name, quantity, unitPriceMinor, units } = item;
  // What comes back to us is not told as lost.
  const shown = units.map(({ state, isSentBack }) => (state === 'lost' && isSentBack ? 'sent_back' : state));
  const count = (state: string) => shown.filter((one) => one === state).length;
  return {
    id,
    sku,
    name: name[locale],
    quantity,
    unitPrice: of(order, unitPriceMinor),
    units: Object.fromEntries([...UNIT_STATES, 'sent_back'].map((state) => [state, count(state)])),
    returnable: units.filter((unit) => isReturnable(item, unit, policy)).length,
  };
}

const isReturnable = (
  { returnDays, isFinalSale, isHygiene }: OrderItemRead,
  { state, deliveredMs: deliveredAt, isClaimed }: OrderItemRead['units'][number],
  policy: ReturnPolicy,
): boolean => {
  const unit = { state, deliveredAt, returnDays, isFinalSale, isHygiene, isClaimed } as const;
  return refuseUnit({ ...unit, reason: 'no_longer_needed', condition: 'unopened' }, policy, Date.now()) === null;
};

function amountsJson(it: OrderRead) {
  const sum = (amounts: readonly number[]) => amounts.reduce((total, one) => total + one, 0);
  const shown = (amount: Money) => moneyJson(amount);
  return {
    subtotal: shown(it.subtotal),
    discount: shown(it.discount),
    shipping: shown(it.shipping),
    tax: shown(it.tax),
    total: shown(it.total),
    paid: of(it, sum(it.invoices.map(({ paidMinor }) => paidMinor))),
    givenBack: of(it, sum(it.items.flatMap(({ units }) => units.map(({ givenBackMinor }) => givenBackMinor)))),
  };
}

const shipmentJson = (shipment: ShipmentRecord) => ({
  id: shipment.id,
  direction: shipment.direction,
  state: shipment.state,
  carrier: shipment.carrier,
  trackingNumber: shipment.trackingNumber,
  shippedAt: timeOrNull(shipment.shippedAt),
  deliveredAt: timeOrNull(shipment.deliveredAt),
});

/** Why it is looked at is the office's business. */
function holdJson({ state, stateSince, holdNote, riskScore, riskReasons }: OrderRead, { roles }: Actor) {
  if (state !== 'on_hold') return null;
  const staff = isStaff(roles);
  return {
    since: timeJson(stateSince),
    note: staff ? holdNote : null,
    score: staff ? riskScore : null,
    reasons: staff ? [...riskReasons] : [],
  };
}

function shipToJson({ personalData }: Shown, { roles }: Actor, it: OrderRead) {
  const seesAll = it.isOwn || may(roles, 'order.ship');
  return seesAll ? openShipTo(personalData, { sealed: it.sealedShipTo, area: it.shipToArea }) : it.shipToArea;
}
