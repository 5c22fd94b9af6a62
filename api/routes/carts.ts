/** A company's cart: one each, kept until it is ordered or emptied. */
import { z } from 'zod';
import { emptyCart, findCart, putCart } from '../../db/carts.ts';
import { findOwnCompany } from '../../db/companies.ts';
import { productsOnSale } from '../../db/products.ts';
import { Failure } from '../../domain/failures.ts';
import type { CompanyId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { money, sum } from '../../domain/money.ts';
import type { ApiDeps } from '../deps.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json, noContent } from '../route.ts';
import { companyIdSchema } from '../schemas/ids.ts';
import { cartSchema, putCartSchema } from '../schemas/stock.ts';
import { watchCart } from '../stock-telling.ts';
import { moneyJson, timeOrNull } from '../wire.ts';

const tags = ['Shop'];
const permission = 'order.place';
const params = z.object({ companyId: companyIdSchema });
const responses = { 200: { description: 'The cart, as it is now', schema: cartSchema } } as const;

const read = defineRoute({
  method: 'get',
  path: '/carts/:companyId',
  summary: 'What a company means to order',
  tags,
  permission,
  params,
  problems: ['not_found'],
  responses,
  async handler({ params: { companyId }, actor, deps, locale }) {
    await requireOwn(deps, actor, companyId);
    return json(200, await cartJson(deps, companyId, locale));
  },
});

const put = defineRoute({
  method: 'put',
  path: '/carts/:companyId',
  summary: 'What is in the cart from now on',
  description:
    'Nothing is reserved and no price is promised. Who leaves it is reminded once, unless they want no such letters.',
  tags,
  permission,
  params,
  body: putCartSchema,
  problems: ['not_found', 'product_unknown'],
  responses,
  async handler({ params: { companyId }, body: { items }, actor, deps, locale }) {
    await requireOwn(deps, actor, companyId);
    const given = { companyId, by: actor.userId, items, at: new Date().toISOString() };
    const { changed } = await deps.db.transaction((tx) => putCart(tx, given));
    if (changed && items.length > 0) void watchCart(deps, companyId);
    return json(200, await cartJson(deps, companyId, locale));
  },
});

const empty = defineRoute({
  method: 'delete',
  path: '/carts/:companyId',
  summary: 'Empty the cart',
  tags,
  permission,
  params,
  problems: ['not_found'],
  responses: { 204: { description: 'It is empty' } },
  async handler({ params: { companyId }, actor, deps }) {
    await requireOwn(deps, actor, companyId);
    await deps.db.transaction((tx) => emptyCart(tx, companyId, new Date().toISOString()));
    return noContent();
  },
});

export const cartRoutes = [read, put, empty];

async function requireOwn({ db }: Pick<ApiDeps, 'db'>, { userId }: Actor, companyId: CompanyId): Promise<void> {
  if (await findOwnCompany(db, companyId, userId)) return;
  throw new Failure('not_found', 'You have no such company. Look at GET /api/v1/users/companies for yours.');
}

async function cartJson({ db }: Pick<ApiDeps, 'db'>, companyId: CompanyId, locale: Locale) {
  const cart = await findCart(db, companyId);
  const products = await productsOnSale(
    db,
    (cart?.items ?? []).map(({ sku }) => sku),
  );
  const lines = (cart?.items ?? []).flatMap(({ sku, quantity }) => {
    const product = products.get(sku);
    if (!product) return [];
    const [unitPrice, total] = [1n, BigInt(quantity)].map((times) =>
      money(product.priceMinor * times, product.currency),
    );
    return unitPrice && total ? [{ sku, quantity, product, unitPrice, total }] : [];
  });
  const [currency, other] = [...new Set(lines.map(({ total }) => total.currency))];
  const isOneCurrency = currency !== undefined && other === undefined;
  return {
    companyId,
    items: lines.map(({ sku, quantity, product, unitPrice, total }) => ({
      ...{ sku, quantity, name: product.name[locale], available: product.free, isOffered: product.isOffered },
      unitPrice: moneyJson(unitPrice),
      total: moneyJson(total),
    })),
    subtotal: isOneCurrency
      ? moneyJson(
          sum(
            lines.map(({ total }) => total),
            currency,
          ),
        )
      : null,
    updatedAt: timeOrNull(cart?.updatedAt ?? null),
  };
}
