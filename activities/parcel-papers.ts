/** The papers of a parcel, and both ends of its way. Names and addresses go onto the papers and to the carrier, nowhere else. */
import { openShipTo, type ShipTo } from '../db/order-records.ts';
import { type ParcelFacts, parcelFacts } from '../db/parcel-papers.ts';
import { packedLines, recordPackingSlip, type ShipmentRecord, weightOf } from '../db/shipments.ts';
import type { Sha256 } from '../domain/ids.ts';
import type { Parcel, Place } from './carriers/carrier.ts';
import type { ActivityDeps } from './deps.ts';
import { renderPackingSlip } from './documents/packing-slip.ts';
import { renderParcelLabel } from './documents/parcel-label.ts';

type PaperDeps = Pick<ActivityDeps, 'db' | 'files' | 'personalData'>;

/** Where it leaves and where it goes, as its carrier is told. */
export async function parcelOf(deps: PaperDeps, shipment: ShipmentRecord): Promise<Parcel> {
  const { from, to } = endsOf(deps, shipment, await parcelFacts(deps.db, shipment));
  return { direction: shipment.direction, from, to, weightGrams: await weightOf(deps.db, shipment) };
}

function endsOf(
  { personalData }: PaperDeps,
  { direction }: ShipmentRecord,
  { shipTo, shop }: ParcelFacts,
): { from: Place; to: Place } {
  const customer = placeOf(openShipTo(personalData, shipTo));
  const ours = { name: shop.name, phone: null, address: shop.address, city: null, postalCode: null };
  return direction === 'out' ? { from: ours, to: customer } : { from: customer, to: ours };
}

/** What was left open is nothing to a carrier: an empty telephone number or town it refuses. */
export const placeOf = ({ name, phone, street, city, province, postalCode }: ShipTo): Place => ({
  name,
  phone: phone === '' || phone === '-' ? null : phone,
  address: [street, [city, province, postalCode].filter(Boolean).join(', ')].filter(Boolean).join('\n'),
  city: city || null,
  postalCode: postalCode || null,
});

/** Printed here, where the carrier prints none. */
export async function printLabel(
  deps: PaperDeps,
  shipment: ShipmentRecord,
  { trackingNumber, at }: { readonly trackingNumber: string; readonly at: string },
): Promise<Buffer> {
  const facts = await parcelFacts(deps.db, shipment);
  return renderParcelLabel({
    direction: shipment.direction,
    number: facts.returnNumber ?? facts.orderNumber,
    locale: facts.locale,
    printedAt: at,
    timeZone: facts.shop.zone,
    carrier: shipment.carrier,
    trackingNumber,
    weightGrams: await weightOf(deps.db, shipment),
    ...endsOf(deps, shipment, facts),
  });
}

/** What lies in a parcel out; one that was printed stays as it is. */
export async function storePackingSlip(deps: PaperDeps, shipment: ShipmentRecord): Promise<Sha256> {
  if (shipment.packingSlipSha256) return shipment.packingSlipSha256;
  const facts = await parcelFacts(deps.db, shipment);
  const pdf = await renderPackingSlip({
    orderNumber: facts.orderNumber,
    locale: facts.locale,
    packedAt: shipment.createdAt.toISOString(),
    timeZone: facts.shop.zone,
    carrier: shipment.carrier,
    trackingNumber: shipment.trackingNumber,
    lines: await packedLines(deps.db, shipment),
    ...endsOf(deps, shipment, facts),
  });
  const { sha256 } = await deps.files.put(pdf);
  await recordPackingSlip(deps.db, { shipmentId: shipment.id, sha256 });
  return sha256;
}
