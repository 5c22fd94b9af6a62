/** What the demonstration's shop sells to small businesses, and what lies in its two stores. */
import type { Knex } from 'knex';
import type { Product } from '../db/products.ts';
import { putToStock } from '../db/stock.ts';
import { asId, type Sku } from '../domain/ids.ts';

export const DEMO_STORES = { main: 'bandung', second: 'surabaya' } as const;

interface DemoProduct extends Omit<Product, 'sku' | 'currency' | 'isOffered' | 'description'> {
  readonly sku: string;
  readonly description: Product['description'];
  /** Units, in the preferred store and in the other. */
  readonly stock: readonly [number, number];
  readonly batch?: string;
}

const plain = {
  category: 'signs',
  tracking: 'none',
  isFinalSale: false,
  isHygiene: false,
  returnDays: null,
} as const;

export const DEMO_PRODUCTS = [
  {
    ...plain,
    sku: 'HALAL-STICKER-100',
    name: { id: 'Stiker halal, 100 lembar', en: 'Halal stickers, 100 sheets' },
    description: { id: 'Tahan air dan minyak, 5 cm.', en: 'Proof against water and oil, 5 cm.' },
    priceMinor: 45_000n,
    weightGrams: 200,
    lowStockBelow: 20,
    stock: [120, 60],
  },
  {
    ...plain,
    sku: 'QR-PLATE',
    name: { id: 'Papan QR pembayaran, akrilik', en: 'QR payment plate, acrylic' },
    description: { id: 'Berdiri di meja kasir, ukuran A6.', en: 'Stands on the counter, size A6.' },
    priceMinor: 85_000n,
    weightGrams: 350,
    lowStockBelow: 10,
    stock: [40, 25],
  },
  {
    ...plain,
    sku: 'LABEL-PRINTER',
    name: { id: 'Printer label termal', en: 'Thermal label printer' },
    description: { id: 'Untuk label 58 mm, dengan kabel USB.', en: 'For labels of 58 mm, with a USB cable.' },
    category: 'devices',
    priceMinor: 1_250_000n,
    weightGrams: 1_800,
    tracking: 'serial',
    returnDays: 30,
    lowStockBelow: 3,
    stock: [8, 4],
  },
  {
    ...plain,
    sku: 'LABEL-ROLL-58',
    name: { id: 'Kertas label 58 mm, 10 gulung', en: 'Label paper 58 mm, 10 rolls' },
    description: { id: 'Cocok untuk printer label termal.', en: 'Fits the thermal label printer.' },
    category: 'supplies',
    priceMinor: 60_000n,
    weightGrams: 900,
    lowStockBelow: 15,
    stock: [80, 40],
  },
  {
    ...plain,
    sku: 'FOOD-BOX-50',
    name: { id: 'Kotak makanan, 50 buah', en: 'Food boxes, 50 pieces' },
    description: { id: 'Aman untuk makanan panas; dikemas steril.', en: 'Safe for hot food; packed sterile.' },
    category: 'packaging',
    priceMinor: 72_500n,
    weightGrams: 1_200,
    tracking: 'batch',
    isHygiene: true,
    lowStockBelow: 20,
    stock: [100, 50],
    batch: 'FB-2026-09',
  },
  {
    ...plain,
    sku: 'HAIRNET-100',
    name: { id: 'Penutup rambut, 100 buah', en: 'Hair nets, 100 pieces' },
    description: { id: 'Untuk dapur dan ruang produksi.', en: 'For kitchens and production rooms.' },
    category: 'hygiene',
    priceMinor: 38_000n,
    weightGrams: 300,
    tracking: 'batch',
    isHygiene: true,
    lowStockBelow: 20,
    stock: [90, 30],
    batch: 'HN-2026-08',
  },
  {
    ...plain,
    sku: 'NAME-STAMP',
    name: { id: 'Stempel usaha dengan nama Anda', en: "Stamp with your business's name" },
    description: { id: 'Dibuat khusus; tidak dapat dikembalikan.', en: 'Made to order; cannot be returned.' },
    category: 'custom',
    priceMinor: 95_000n,
    weightGrams: 120,
    isFinalSale: true,
    lowStockBelow: null,
    stock: [200, 0],
  },
  {
    ...plain,
    sku: 'LICENSE-FRAME-A4',
    name: { id: 'Bingkai izin usaha A4', en: 'Frame for a business licence, A4' },
    description: { id: 'Kayu jati dengan kaca.', en: 'Teak with glass.' },
    priceMinor: 130_000n,
    weightGrams: 1_100,
    lowStockBelow: 5,
    stock: [30, 20],
  },
] as const satisfies readonly DemoProduct[];

export type DemoSku = (typeof DEMO_PRODUCTS)[number]['sku'];

/** `LP-BANDUNG-0001` and so on: the numbers of the things in a store. */
export const demoSerials = (sku: string, store: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${sku}-${store}-${String(index + 1).padStart(4, '0')}`.toUpperCase());

const SINCE = '2026-01-01T00:00:00+07:00';

/** Loads what is missing and leaves alone what is there: a price that was changed stays changed, what was sold stays sold. */
export async function loadDemoProducts(db: Knex): Promise<void> {
  await db('stock_locations')
    .insert([
      { code: DEMO_STORES.main, name: 'Gudang Bandung', priority: 10 },
      { code: DEMO_STORES.second, name: 'Gudang Surabaya', priority: 20 },
    ])
    .onConflict()
    .ignore();
  await db('products').insert(DEMO_PRODUCTS.map(toRow)).onConflict().ignore();
  // The latter is looked at as a repeat: nothing is locked for long when everything is there.
  for (const product of DEMO_PRODUCTS) await loadStock(db, product);
}

const toRow = (product: DemoProduct) => ({
  sku: product.sku,
  name: JSON.stringify(product.name),
  description: JSON.stringify(product.description),
  category: product.category,
  price_minor: product.priceMinor.toString(),
  currency: 'IDR',
  weight_grams: product.weightGrams,
  tracking: product.tracking,
  is_final_sale: product.isFinalSale,
  is_hygiene: product.isHygiene,
  return_days: product.returnDays,
  low_stock_below: product.lowStockBelow,
  created_at: SINCE,
  updated_at: SINCE,
});

async function loadStock(db: Knex, { sku, stock, tracking, batch }: DemoProduct): Promise<void> {
  await db.transaction(async (tx) => {
    for (const [index, location] of [DEMO_STORES.main, DEMO_STORES.second].entries()) {
      const quantity = stock[index] ?? 0;
      if (quantity === 0) continue;
      const serials = tracking === 'serial' ? demoSerials(sku, location, quantity) : undefined;
      const put = { sku: asId<Sku>(sku), location, quantity, serials, batch, kind: 'received', at: SINCE } as const;
      await putToStock(tx, { ...put, key: `demo/${sku}/${location}` });
    }
  });
}
