/** What the shop sells: seen by everybody, changed by its sellers. */
import { z } from 'zod';
import { findProduct, listProducts, type ProductOnSale, putProduct } from '../../db/products.ts';
import { Failure } from '../../domain/failures.ts';
import { buildInvoice, type TaxRule } from '../../domain/invoicing.ts';
import type { Actor } from '../../domain/licensing.ts';
import { money } from '../../domain/money.ts';
import { may } from '../../domain/roles.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { taxRuleNow } from '../plan-json.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import { productSchema, putProductSchema, skuSchema } from '../schemas/stock.ts';
import { tellAfterStock } from '../stock-telling.ts';
import { moneyJson, timeJson } from '../wire.ts';

const tags = ['Shop'];
const params = z.object({ sku: skuSchema });

const list = defineRoute({
  method: 'get',
  path: '/products',
  summary: 'What is sold, in the order of the SKUs',
  tags,
  permission: 'product.read',
  query: z.strictObject({
    ...pageQuery,
    category: z.string().max(40).optional(),
    all: z.enum(['true', 'false']).optional().describe('Also what is no longer sold; for sellers.'),
  }),
  responses: { 200: { description: 'A page of products', schema: pageOf(productSchema) } },
  async handler({ query: { limit, cursor, category, all }, actor, deps, locale }) {
    const offeredOnly = !(all === 'true' && may(actor.roles, 'product.manage'));
    const after = readCursor(cursor, params)?.sku ?? null;
    const [rows, rule] = await Promise.all([
      listProducts(deps.db, { category, offeredOnly, after, limit: limit + 1 }),
      taxRuleNow(deps.db, new Date()),
    ]);
    const toItem = (row: ProductOnSale) => productJson(row, { rule, locale, actor });
    return json(
      200,
      page(rows, limit, toItem, ({ sku }) => ({ sku })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/products/:sku',
  summary: 'One product',
  tags,
  permission: 'product.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The product', schema: productSchema } },
  async handler({ params: { sku }, actor, deps, locale }) {
    const [found, rule] = await Promise.all([findProduct(deps.db, sku), taxRuleNow(deps.db, new Date())]);
    if (!found) throw new Failure('not_found', 'There is no such product. GET /api/v1/products lists them.');
    return json(200, productJson(found, { rule, locale, actor }));
  },
});

const put = defineRoute({
  method: 'put',
  path: '/products/:sku',
  summary: 'Create a product, or change it',
  description:
    'What is left out is as it is by default. Orders that exist keep the price and the rules they were placed at.',
  tags,
  permission: 'product.manage',
  params,
  body: putProductSchema,
  responses: {
    200: { description: 'Changed', schema: productSchema },
    201: { description: 'Created', schema: productSchema },
  },
  async handler({ params: { sku }, body, actor, origin, deps, locale, requestKey }) {
    const at = new Date();
    const given = { ...body, sku, priceMinor: BigInt(body.priceMinor), key: requestKey, by: actor.userId };
    const { isNew } = await deps.db.transaction((tx) => putProduct(tx, { ...given, origin, at: at.toISOString() }));
    void tellAfterStock(deps, [sku]);
    const [found, rule] = await Promise.all([findProduct(deps.db, sku), taxRuleNow(deps.db, at)]);
    if (!found) throw new Error(`product ${sku} was just written and is not there`);
    return json(isNew ? 201 : 200, productJson(found, { rule, locale, actor }));
  },
});

export const productRoutes = [list, read, put];

function productJson(
  it: ProductOnSale,
  { rule, locale, actor }: { readonly rule: TaxRule; readonly locale: Locale; readonly actor: Actor },
) {
  const net = money(it.priceMinor, it.currency);
  const taxed = buildInvoice([{ code: it.sku, description: it.name, kind: 'service', net }], rule);
  return {
    sku: it.sku,
    name: it.name[locale],
    names: { ...it.name },
    description: it.description[locale] ?? it.description.id ?? '',
    category: it.category,
    price: moneyJson(net),
    priceWithTax: moneyJson(taxed.total),
    available: it.free,
    inStock: it.free > 0,
    weightGrams: it.weightGrams,
    tracking: it.tracking,
    isFinalSale: it.isFinalSale,
    isHygiene: it.isHygiene,
    returnDays: it.returnDays,
    isOffered: it.isOffered,
    ...(may(actor.roles, 'stock.read') ? { lowStockBelow: it.lowStockBelow } : {}),
    updatedAt: timeJson(it.updatedAt),
  };
}
