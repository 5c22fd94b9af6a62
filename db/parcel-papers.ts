/** What stands on the papers of a parcel: read once, when they are printed. */
import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { OrderId, ReturnId } from '../domain/ids.ts';
import type { Locale } from '../domain/mail.ts';
import { FIRST_OFFICE } from './offices.ts';
import type { SealedShipTo } from './order-records.ts';

export interface ParcelFacts {
  readonly orderNumber: string;
  /** null = the parcel is none that comes back. */
  readonly returnNumber: string | null;
  readonly locale: Locale;
  readonly shipTo: SealedShipTo;
  /** Whose goods they are, and where they come back to: the office of longest standing keeps the shop. */
  readonly shop: { readonly name: string; readonly address: string; readonly zone: OfficeZone };
}

export async function parcelFacts(
  db: Knex,
  { orderId, returnId }: { readonly orderId: OrderId; readonly returnId: ReturnId | null },
): Promise<ParcelFacts> {
  const row: ParcelRow | undefined = await db('orders as d')
    .join('users as u', 'u.id', 'd.placed_by')
    .joinRaw(`join offices o on o.id = (${FIRST_OFFICE})`)
    .leftJoin('returns as r', (on) => on.on('r.order_id', 'd.id').andOnVal('r.id', returnId ?? orderId))
    .where('d.id', orderId)
    .first({
      orderNumber: 'd.number',
      returnNumber: 'r.number',
      locale: 'u.locale',
      sealed: 'd.ship_to_encrypted',
      area: 'd.ship_to_area',
      shopName: 'o.name',
      shopAddress: 'o.address',
      zone: 'o.zone',
    });
  if (!row) throw new Error(`order ${orderId} does not exist`);
  const { sealed, area, shopName, shopAddress, zone, ...rest } = row;
  return { ...rest, shipTo: { sealed, area }, shop: { name: shopName, address: shopAddress, zone } };
}

interface ParcelRow extends Omit<ParcelFacts, 'shipTo' | 'shop'> {
  readonly sealed: Buffer;
  readonly area: SealedShipTo['area'];
  readonly shopName: string;
  readonly shopAddress: string;
  readonly zone: OfficeZone;
}
