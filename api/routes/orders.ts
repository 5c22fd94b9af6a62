/** Orders: placed, read, and everything that can be asked of one. */
import { z } from 'zod';
import { findOwnCompany } from '../../db/companies.ts';
import type { OrderMessage } from '../../db/order-messages.ts';
import { listOrders, type OrderRead } from '../../db/order-reads.ts';
import { sealShipTo } from '../../db/order-records.ts';
import { type NewOrder, orderStanding, placeOrder } from '../../db/orders.ts';
import { orderPolicy } from '../../db/shop-policies.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type CompanyId, type OrderId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { ORDER_STATES } from '../../domain/orders.ts';
import { isStaff } from '../../domain/roles.ts';
import { requireUsableCompany } from '../company-standing.ts';
import type { ApiDeps } from '../deps.ts';
import { orderJson, orderNow, orderSeenBy } from '../order-json.ts';
import { askOrder, startOrder } from '../order-process.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { idFromKey } from '../request-key.ts';
import { type Context, defineRoute, json } from '../route.ts';
import { companyIdSchema, orderIdSchema, positionInTime } from '../schemas/ids.ts';
import {
  cancelOrderSchema,
  deliverOrderSchema,
  editOrderSchema,
  holdOrderSchema,
  newOrderSchema,
  orderEventSchema,
  orderSchema,
  reorderSchema,
  shipOrderSchema,
  type shipToSchema,
  takeBackSchema,
} from '../schemas/orders.ts';
import { tellCart } from '../stock-telling.ts';
import { storyOf } from '../story.ts';
import { onceChanged, WAITS, waitQuery } from '../wait-query.ts';

const tags = ['Orders'];
const params = z.object({ id: orderIdSchema });
const workflow = { gone: 'order_not_open' } as const;
const responses = { 200: { description: 'The order, as it is now', schema: orderSchema } } as const;

const create = defineRoute({
  method: 'post',
  path: '/orders',
  summary: 'Order goods for a company',
  description:
    'What is in stock is reserved until the invoice is paid or its time is over; the rest waits for stock. Pay with ' +
    'POST /invoices/:id/pay.',
  tags,
  permission: 'order.place',
  body: newOrderSchema,
  problems: ['not_found', 'product_unknown', 'order_too_large', 'items_not_known', 'company_not_active'],
  responses: { 201: { description: 'Placed', schema: orderSchema } },
  async handler(asked) {
    const { body } = asked;
    const shipTo = await sealed(asked, body.companyId, body.shipTo);
    return place(asked, { companyId: body.companyId, items: body.items, shipTo });
  },
});

type Placing = Pick<
  Context<unknown, undefined, unknown, undefined, Actor>,
  'actor' | 'origin' | 'deps' | 'locale' | 'requestKey'
>;

/** The record first: should the process not be started here, the minute's watch does it. */
async function place(
  { actor, origin, deps, locale, requestKey }: Placing,
  wanted: Pick<NewOrder, 'companyId' | 'items' | 'shipTo' | 'repeats'>,
) {
  const orderId = asId<OrderId>(idFromKey(requestKey, 'order'));
  // A repeat after a crash meets its own.
  if (!(await orderStanding(deps.db, orderId))) {
    await requireOrderingCompany(deps, actor, wanted.companyId);
    const at = new Date();
    const policy = await orderPolicy(deps.db, at);
    const order = { ...wanted, orderId, by: actor.userId, origin, policy, at: at.toISOString() };
    const { isCartEmptied } = await deps.db.transaction((tx) => placeOrder(tx, order));
    if (isCartEmptied) void tellCart(deps, wanted.companyId);
  }
  await startOrder(deps, orderId);
  const headers = { Location: `/api/v1/orders/${orderId}` };
  return json(201, await orderNow(deps, actor, orderId, locale), { headers });
}

/** Only one that is active: what it orders is sent to it. */
async function requireOrderingCompany(deps: ApiDeps, actor: Actor, id: CompanyId): Promise<void> {
  const strict = { db: deps.db, onboarding: { ...deps.onboarding, required: true } };
  await requireUsableCompany(strict, actor, id, { toSubmit: true });
}

/** What nobody named stands for the company. */
async function sealed(
  { deps, actor }: Pick<Placing, 'deps' | 'actor'>,
  companyId: CompanyId,
  { name, phone = '-', street, city = '', province, postalCode = '' }: z.output<typeof shipToSchema>,
) {
  const to = name ?? (await findOwnCompany(deps.db, companyId, actor.userId))?.name ?? '-';
  const area = { city, postalCode, ...(province === undefined ? {} : { province }) };
  return sealShipTo(deps.personalData, { name: to, phone, street, ...area });
}

const list = defineRoute({
  method: 'get',
  path: '/orders',
  summary: 'Orders that the caller may see, newest first',
  description:
    "An owner's and an integrator's own; the shop, the warehouse, finance, supervisors, ops and admins see all.",
  tags,
  permission: 'order.read',
  query: z.strictObject({
    ...pageQuery,
    state: z.enum(ORDER_STATES).optional(),
    companyId: companyIdSchema.optional(),
  }),
  responses: { 200: { description: 'A page of orders', schema: pageOf(orderSchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps, locale }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listOrders(deps.db, actor, { ...filter, after, limit: limit + 1 });
    const shown = await Promise.all(
      rows.map(async (row) => ({ row, body: await orderJson(deps, actor, row, locale) })),
    );
    return json(
      200,
      page(
        shown,
        limit,
        ({ body }) => body,
        ({ row: { placedAt, id } }) => ({ at: placedAt, id }),
      ),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/orders/:id',
  summary: 'Where an order stands',
  description: WAITS,
  tags,
  permission: 'order.read',
  limit: 'status',
  params,
  query: waitQuery,
  problems: ['not_found'],
  responses,
  async handler({ params: { id }, query: { wait = 0 }, actor, deps, locale, req }) {
    const { body, etag } = await onceChanged(deps.orderChanges, { id, wait, req }, () =>
      orderNow(deps, actor, id, locale),
    );
    return json(200, body, { etag });
  },
});

const story = defineRoute({
  method: 'get',
  path: '/orders/:id/timeline',
  summary: 'What has happened to an order, oldest first',
  tags,
  permission: 'order.read',
  params,
  query: z.strictObject(pageQuery),
  problems: ['not_found'],
  responses: { 200: { description: 'A page of events', schema: pageOf(orderEventSchema) } },
  async handler({ params: { id }, query, actor, deps }) {
    await orderSeenBy(deps, actor, id);
    return storyOf(deps, { subject: `order/${id}` }, { viewer: actor.userId, staff: isStaff(actor.roles) }, query);
  },
});

type Asked = Pick<
  Context<{ id: OrderId }, undefined, unknown, undefined, Actor>,
  'params' | 'actor' | 'origin' | 'deps' | 'requestKey' | 'locale'
>;

/** Whoever does not see it hears that it is not there, before anything is put on record. */
async function answer(
  { params: { id }, actor, origin, deps, requestKey, locale }: Asked,
  contentFor: (order: OrderRead) => OrderMessage | Promise<OrderMessage>,
) {
  const content = await contentFor(await orderSeenBy(deps, actor, id));
  await askOrder(deps, { id, actor, requestKey, origin }, content);
  return json(200, await orderNow(deps, actor, id, locale));
}

const cancel = defineRoute({
  method: 'post',
  path: '/orders/:id/cancel',
  summary: 'Cancel an order, or some of its items',
  description: 'What has not been shipped, and what was lost. What was paid for it goes back the way that it came.',
  tags,
  permission: 'order.cancel',
  params,
  body: cancelOrderSchema,
  problems: ['not_found', 'order_not_open', 'items_not_known'],
  workflow,
  responses,
  async handler(asked) {
    const { items } = asked.body;
    return answer(asked, ({ isOwn }) => ({ kind: 'cancel', byPayer: isOwn, ...(items ? { items } : {}) }));
  },
});

const hold = defineRoute({
  method: 'post',
  path: '/orders/:id/hold',
  summary: 'Hold an order: a person looks at it before it is packed',
  tags,
  permission: 'order.hold',
  params,
  body: holdOrderSchema,
  problems: ['not_found', 'order_not_open'],
  workflow,
  responses,
  async handler(asked) {
    return answer(asked, () => ({ kind: 'hold', note: asked.body.note ?? null }));
  },
});

const pack = defineRoute({
  method: 'post',
  path: '/orders/:id/pack',
  summary: 'Say that somebody packs an order: what is paid and reserved of it',
  description: 'Whoever packs it already is no obstacle: the answer is the order as it is.',
  tags,
  permission: 'order.ship',
  params,
  problems: ['not_found', 'order_not_shippable', 'order_held', 'order_not_open'],
  workflow,
  responses,
  async handler(asked) {
    return answer(asked, () => ({ kind: 'pack' }));
  },
});

const release = defineRoute({
  method: 'post',
  path: '/orders/:id/release',
  summary: 'Release an order that is held',
  tags,
  permission: 'order.hold',
  params,
  problems: ['not_found', 'order_not_open'],
  workflow,
  responses,
  async handler(asked) {
    return answer(asked, () => ({ kind: 'release' }));
  },
});

const ship = defineRoute({
  method: 'post',
  path: '/orders/:id/ship',
  summary: 'Send a parcel with some of an order, or all that is ready',
  tags,
  permission: 'order.ship',
  params,
  body: shipOrderSchema,
  problems: [
    'not_found',
    'order_not_shippable',
    'order_held',
    'order_not_open',
    'items_not_known',
    'serial_not_valid',
    'stock_not_enough',
    'tracking_taken',
  ],
  workflow,
  responses,
  async handler(asked) {
    const { items, carrier, trackingNumber } = asked.body;
    return answer(asked, () => ({ kind: 'ship', carrier, trackingNumber, ...(items ? { items } : {}) }));
  },
});

const deliver = defineRoute({
  method: 'post',
  path: '/orders/:id/deliver',
  summary: 'Say that a parcel has arrived, or all that are on their way',
  tags,
  permission: 'order.ship',
  params,
  body: deliverOrderSchema,
  problems: ['not_found', 'order_not_shippable', 'order_not_open', 'shipment_not_known'],
  workflow,
  responses,
  async handler(asked) {
    return answer(asked, () => ({ kind: 'deliver', shipmentId: asked.body.shipmentId ?? null }));
  },
});

const takeBack = defineRoute({
  method: 'post',
  path: '/orders/:id/returned-to-sender',
  summary: 'Say that a parcel that could not be delivered is here again',
  description:
    'What is in it goes onto the shelf and leaves the order, and what was paid for it goes back. Say it of whole goods only; ' +
    'what is damaged is taken off the stock after that.',
  tags,
  permission: 'order.ship',
  params,
  body: takeBackSchema,
  problems: ['not_found', 'order_not_open', 'shipment_not_known'],
  workflow,
  responses,
  async handler(asked) {
    return answer(asked, () => ({ kind: 'take_back', shipmentId: asked.body.shipmentId }));
  },
});

const edit = defineRoute({
  method: 'post',
  path: '/orders/:id/edit',
  summary: 'Change what is ordered or where it goes, before the first parcel has left',
  description:
    'An order that nobody has paid gets another invoice. Of a paid one, what is added is charged by another invoice, and ' +
    'what is taken off goes back.',
  tags,
  permission: 'order.cancel',
  params,
  body: editOrderSchema,
  problems: ['not_found', 'order_not_open', 'product_unknown', 'order_too_large'],
  workflow,
  responses,
  async handler(asked) {
    const { items, shipTo } = asked.body;
    return answer(asked, async ({ companyId }) => {
      const to = shipTo && (await sealed(asked, companyId, shipTo));
      return {
        kind: 'edit',
        ...(items ? { items } : {}),
        ...(to ? { shipTo: { sealed: to.sealed.toString('base64'), area: to.area } } : {}),
      };
    });
  },
});

const reorder = defineRoute({
  method: 'post',
  path: '/orders/:id/reorder',
  summary: 'Order the same again, at the prices of today',
  tags,
  permission: 'order.place',
  params,
  body: reorderSchema,
  problems: ['not_found', 'product_unknown', 'order_too_large', 'company_not_active', 'items_not_known'],
  responses: { 201: { description: 'Placed', schema: orderSchema } },
  async handler(asked) {
    const {
      params: { id },
      body,
      actor,
      deps,
    } = asked;
    const before = await orderSeenBy(deps, actor, id);
    if (!before.isOwn) throw new Failure('not_found', 'There is no such order of yours.');
    const items = before.items.map(({ sku, quantity }) => ({ sku, quantity }));
    const shipTo = body.shipTo ? await sealed(asked, before.companyId, body.shipTo) : { likeOrder: id };
    return place(asked, { companyId: before.companyId, items, shipTo, repeats: id });
  },
});

export const orderRoutes = [
  create,
  list,
  read,
  story,
  cancel,
  hold,
  release,
  pack,
  ship,
  deliver,
  takeBack,
  edit,
  reorder,
];
