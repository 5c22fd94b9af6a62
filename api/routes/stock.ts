/** What lies in the stores, and what people do to it by hand. */
import { z } from 'zod';
import type { Knex } from '../../db/connection.ts';
import { productsBySku } from '../../db/products.ts';
import { adjustStock, type MoveByHand, receiveStock } from '../../db/stock-moves.ts';
import {
  batchesOf,
  listStock,
  listStores,
  type Movement,
  movementsOf,
  putStores,
  type StockOfProduct,
  serialsInStock,
  stockOf,
} from '../../db/stock-reads.ts';
import { Failure } from '../../domain/failures.ts';
import type { Sku } from '../../domain/ids.ts';
import { isLow, type Level } from '../../domain/stock.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import {
  adjustSchema,
  type movementSchema,
  putStoresSchema,
  receiveSchema,
  skuSchema,
  stockOfProductSchema,
  stockSchema,
  storeCode,
  storeSchema,
} from '../schemas/stock.ts';
import { tellAfterStock } from '../stock-telling.ts';
import { timeJson } from '../wire.ts';

const tags = ['Shop'];
const params = z.object({ sku: skuSchema });
const problems = ['not_found', 'product_unknown', 'serial_not_valid', 'stock_not_enough'] as const;

const list = defineRoute({
  method: 'get',
  path: '/stock',
  summary: 'What lies where, in the order of the SKUs',
  tags,
  permission: 'stock.read',
  query: z.strictObject({
    ...pageQuery,
    location: storeCode.optional(),
    low: z.enum(['true', 'false']).optional().describe('Only what runs out.'),
  }),
  responses: { 200: { description: 'A page of stock', schema: pageOf(stockSchema) } },
  async handler({ query: { limit, cursor, location, low }, deps, locale }) {
    const after = readCursor(cursor, params)?.sku ?? null;
    const rows = await listStock(deps.db, { location, low: low === 'true', after, limit: limit + 1 });
    const toItem = (row: StockOfProduct) => stockJson(row, locale);
    return json(
      200,
      page(rows, limit, toItem, ({ sku }) => ({ sku })),
    );
  },
});

const movementPosition = z.object({ id: z.string().regex(/^\d{1,18}$/) });

const read = defineRoute({
  method: 'get',
  path: '/stock/:sku',
  summary: 'Where a product lies, and each change of it, the latest first',
  tags,
  permission: 'stock.read',
  params,
  query: z.strictObject(pageQuery),
  problems: ['not_found'],
  responses: { 200: { description: 'Its stock, with a page of movements', schema: stockOfProductSchema } },
  async handler({ params: { sku }, query: { limit, cursor }, deps, locale }) {
    const before = readCursor(cursor, movementPosition)?.id ?? null;
    return json(200, await wholeStock(deps.db, sku, { before, limit }, locale));
  },
});

const receive = defineRoute({
  method: 'post',
  path: '/stock/:sku/receive',
  summary: 'Goods have come',
  description: 'Orders that wait for them are told at once, the oldest first.',
  tags,
  permission: 'stock.manage',
  params,
  body: receiveSchema,
  problems,
  responses: { 201: { description: 'On the shelf', schema: stockOfProductSchema } },
  async handler({ params: { sku }, body, actor, origin, deps, locale, requestKey }) {
    await requireBatch(deps.db, sku, body);
    await moved(deps, receiveStock, { ...body, sku, by: actor.userId, origin, key: requestKey });
    return json(201, await wholeStock(deps.db, sku, FIRST_PAGE, locale));
  },
});

const adjust = defineRoute({
  method: 'post',
  path: '/stock/:sku/adjust',
  summary: 'What was counted differs from what is on record',
  description: 'By the difference. Never below what is reserved for orders.',
  tags,
  permission: 'stock.manage',
  params,
  body: adjustSchema,
  problems,
  responses: { 200: { description: 'Corrected', schema: stockOfProductSchema } },
  async handler({ params: { sku }, body, actor, origin, deps, locale, requestKey }) {
    if (body.quantity > 0) await requireBatch(deps.db, sku, body);
    await moved(deps, adjustStock, { ...body, sku, by: actor.userId, origin, key: requestKey });
    return json(200, await wholeStock(deps.db, sku, FIRST_PAGE, locale));
  },
});

const stores = { 200: { description: 'All, the preferred first', schema: pageOf(storeSchema) } } as const;

const locations = defineRoute({
  method: 'get',
  path: '/stock-locations',
  summary: 'The stores',
  tags,
  permission: 'stock.read',
  responses: stores,
  handler: async ({ deps }) => json(200, { items: await listStores(deps.db), nextCursor: null }),
});

const putLocations = defineRoute({
  method: 'put',
  path: '/stock-locations',
  summary: 'Add stores, or change them',
  description:
    'Those that are not named stay as they are. One that is not active keeps what lies there and is not sold from.',
  tags,
  permission: 'stock.manage',
  body: putStoresSchema,
  responses: stores,
  async handler({ body, deps }) {
    await deps.db.transaction((tx) => putStores(tx, body.items));
    return json(200, { items: await listStores(deps.db), nextCursor: null });
  },
});

export const stockRoutes = [list, read, receive, adjust, locations, putLocations];

const FIRST_PAGE = { before: null, limit: 20 };
const MAX_SERIALS = 500;

async function moved(
  deps: ApiDeps,
  move: (tx: Knex, asked: MoveByHand) => Promise<boolean>,
  asked: Omit<MoveByHand, 'at'>,
): Promise<void> {
  await deps.db.transaction((tx) => move(tx, { ...asked, at: new Date().toISOString() }));
  void tellAfterStock(deps, [asked.sku]);
}

/** What has no batch cannot be called back. */
async function requireBatch(db: Knex, sku: Sku, { batch }: { readonly batch?: string | undefined }): Promise<void> {
  const product = (await productsBySku(db, [sku])).get(sku);
  if (product?.tracking !== 'batch' || batch !== undefined) return;
  throw new Failure('serial_not_valid', `${sku} is followed by batch: name the one on its label.`, {
    errors: [{ pointer: '/batch', code: 'required', detail: 'the batch on its label' }],
  });
}

const levelJson = ({ onHand, reserved }: Level) => ({ onHand, reserved, free: onHand - reserved });

const stockJson = (it: StockOfProduct, locale: Locale) => ({
  sku: it.sku,
  name: it.name[locale],
  tracking: it.tracking,
  lowStockBelow: it.lowStockBelow,
  isLow: isLow(it.onHand - it.reserved, it.lowStockBelow),
  ...levelJson(it),
  levels: it.levels.map(({ location, ...level }) => ({ location, ...levelJson(level) })),
});

const movementJson = ({ id, at, ...movement }: Movement): z.input<typeof movementSchema> => ({
  ...movement,
  id: id.toString(),
  at: timeJson(at),
});

async function wholeStock(
  db: Knex,
  sku: Sku,
  { before, limit }: { readonly before: string | null; readonly limit: number },
  locale: Locale,
) {
  const it = await stockOf(db, sku);
  if (!it) throw new Failure('not_found', 'There is no such product. GET /api/v1/products lists them.');
  const [batches, serials, movements] = await Promise.all([
    batchesOf(db, sku),
    serialsInStock(db, sku, MAX_SERIALS),
    movementsOf(db, sku, { before, limit: limit + 1 }),
  ]);
  const shown = page(movements, limit, movementJson, ({ id }) => ({ id: id.toString() }));
  return { ...stockJson(it, locale), batches, serials, movements: shown };
}
