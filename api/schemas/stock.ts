/** Products, stock, alerts and carts at the border. */
import { z } from 'zod';
import { asId, type Sku, type StockAlertId } from '../../domain/ids.ts';
import { MAX_LINES, MAX_UNITS } from '../../domain/orders.ts';
import { ALERT_STATES, MAX_SNOOZE_DAYS, MOVEMENT_KINDS, TRACKINGS } from '../../domain/stock.ts';
import { moneySchema, timeSchema } from '../wire.ts';

/** Whatever case it is written in: labels are upper case. */
export const skuSchema = z
  .string()
  .toUpperCase()
  .regex(/^[A-Z0-9][A-Z0-9._-]{1,39}$/, 'letters, digits, dots, dashes and underscores, 2 to 40')
  .transform((sku) => asId<Sku>(sku));
export const stockAlertIdSchema = z.guid().transform((id) => asId<StockAlertId>(id));
export const storeCode = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,39}$/, 'lower case letters, digits and dashes, 2 to 40');

const word = z.string().trim().min(1);
const names = z.strictObject({ id: word.max(200), en: word.max(200) });
const descriptions = z.strictObject({ id: z.string().trim().max(2000), en: z.string().trim().max(2000) });

export const putProductSchema = z.strictObject({
  name: names,
  description: descriptions.partial().default({}),
  category: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/)
    .default('general'),
  priceMinor: z.int().min(1).describe('Of a unit, without tax.'),
  currency: z.enum(['IDR', 'MYR']).default('IDR'),
  weightGrams: z.int().min(0).max(1_000_000).default(0),
  tracking: z.enum(TRACKINGS).default('none').describe('By which numbers it is followed.'),
  isFinalSale: z.boolean().default(false).describe('Cannot be returned.'),
  isHygiene: z.boolean().default(false).describe('Returned only with its seal unbroken.'),
  returnDays: z.int().min(0).max(3650).nullable().default(null).describe('null = as the return policy says.'),
  lowStockBelow: z.int().min(1).max(1_000_000).nullable().default(null).describe('null = no alerts.'),
  isOffered: z.boolean().default(true).describe('False: nobody can order it any more.'),
});

export const productSchema = z
  .object({
    sku: z.string(),
    name: z.string().describe("In the caller's language."),
    names,
    description: z.string(),
    category: z.string(),
    price: moneySchema.describe('Of a unit, without tax.'),
    priceWithTax: moneySchema.describe('By the tax in force today.'),
    available: z.int().describe('How many can be ordered at once, over all stores; more are waited for.'),
    inStock: z.boolean(),
    weightGrams: z.int(),
    tracking: z.enum(TRACKINGS),
    isFinalSale: z.boolean(),
    isHygiene: z.boolean(),
    returnDays: z.int().nullable(),
    isOffered: z.boolean(),
    lowStockBelow: z.int().nullable().optional().describe('For those who look after the stock.'),
    updatedAt: timeSchema,
  })
  .meta({ id: 'Product' });

const level = { onHand: z.int(), reserved: z.int().describe('For orders.'), free: z.int() };
const levels = z.array(z.object({ location: z.string(), ...level }));
const stock = {
  sku: z.string(),
  name: z.string(),
  tracking: z.enum(TRACKINGS),
  lowStockBelow: z.int().nullable(),
  isLow: z.boolean(),
  ...level,
  levels: levels.describe('The preferred store first.'),
};
export const stockSchema = z.object(stock).meta({ id: 'Stock' });

export const movementSchema = z
  .object({
    id: z.string(),
    location: z.string(),
    kind: z.enum(MOVEMENT_KINDS),
    quantity: z.int().describe('Negative = taken out.'),
    batch: z.string().nullable(),
    orderId: z.string().nullable(),
    returnId: z.string().nullable(),
    by: z.string().nullable(),
    note: z.string().nullable(),
    at: timeSchema,
  })
  .meta({ id: 'StockMovement' });

export const stockOfProductSchema = z
  .object({
    ...stock,
    batches: z.array(z.object({ location: z.string(), batch: z.string(), quantity: z.int() })),
    serials: z
      .array(z.object({ location: z.string(), serial: z.string() }))
      .describe('At most 500 of those that lie there.'),
    movements: z.object({ items: z.array(movementSchema), nextCursor: z.string().nullable() }),
  })
  .meta({ id: 'StockOfProduct' });

const number = z.string().trim().min(1).max(100);
const moved = {
  location: storeCode,
  batch: number.optional().describe('Of a product that is followed by batch.'),
  serials: z.array(number).max(MAX_UNITS).optional().describe('One a unit, of a product that has serial numbers.'),
};
const note = z.string().trim().min(3).max(500);
export const receiveSchema = z.strictObject({
  ...moved,
  quantity: z.int().min(1).max(1_000_000),
  note: note.optional(),
});
export const adjustSchema = z.strictObject({
  ...moved,
  quantity: z
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .refine((quantity) => quantity !== 0, 'what does not change needs no correction')
    .describe('The difference: negative for what is not there.'),
  note: note.describe('Why: counted, broken, lost.'),
});

const store = {
  code: storeCode,
  name: word.max(200),
  priority: z.int().min(0).max(30_000).describe('Lower first: where things are taken from.'),
  isActive: z.boolean().describe('False: nothing is reserved there any more.'),
};
export const storeSchema = z.object(store).meta({ id: 'StockLocation' });
export const putStoresSchema = z.strictObject({
  items: z
    .array(z.strictObject({ ...store, priority: store.priority.default(100), isActive: store.isActive.default(true) }))
    .min(1)
    .max(100)
    .refine((all) => new Set(all.map(({ code }) => code)).size === all.length, 'each code once'),
});

export const stockAlertSchema = z
  .object({
    id: z.string(),
    sku: z.string(),
    name: z.string(),
    state: z.enum(ALERT_STATES),
    threshold: z.int(),
    free: z.int().describe('Now, over all stores.'),
    freeThen: z.int().describe('When it was raised.'),
    snoozedUntil: timeSchema.nullable(),
    acknowledgedBy: z.string().nullable(),
    openedAt: timeSchema,
    clearedAt: timeSchema.nullable(),
  })
  .meta({ id: 'StockAlert' });

export const snoozeSchema = z
  .strictObject({
    days: z.int().min(1).max(MAX_SNOOZE_DAYS).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ days, until }) => (days === undefined) !== (until === undefined), 'one of days and until');

export const cartItemsSchema = z
  .array(z.strictObject({ sku: skuSchema, quantity: z.int().min(1).max(MAX_UNITS) }))
  .max(MAX_LINES);
export const putCartSchema = z.strictObject({ items: cartItemsSchema });

export const cartSchema = z
  .object({
    companyId: z.string(),
    items: z.array(
      z.object({
        sku: z.string(),
        name: z.string(),
        quantity: z.int(),
        unitPrice: moneySchema.describe('As of now, without tax: a cart promises no price.'),
        total: moneySchema,
        available: z.int(),
        isOffered: z.boolean(),
      }),
    ),
    subtotal: moneySchema.nullable().describe('Without tax and shipping; null when it is empty, or in two currencies.'),
    updatedAt: timeSchema.nullable().describe('null = nothing was ever put into it.'),
  })
  .meta({ id: 'Cart' });
