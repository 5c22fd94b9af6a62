/** What letters about orders and letters about returns both say: which parcel, which goods. */
export const ITEMS = [{ title: 'Items:', of: 'items' }] as const;
export const BARANG = [{ title: 'Barang:', of: 'items' }] as const;

export const PARCEL_ROWS = [
  ['Carrier', '{{#if carrier}}{{carrier}}{{else}}–{{/if}}'],
  ['Tracking number', '{{#if trackingNumber}}{{trackingNumber}}{{else}}–{{/if}}'],
] as const;
export const BARIS_PAKET = [
  ['Kurir', '{{#if carrier}}{{carrier}}{{else}}–{{/if}}'],
  ['Nomor resi', '{{#if trackingNumber}}{{trackingNumber}}{{else}}–{{/if}}'],
] as const;
