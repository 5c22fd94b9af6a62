import type { Locale } from '../../domain/mail.ts';

export interface ParcelWords {
  readonly packingSlip: string;
  readonly label: string;
  readonly returnLabel: string;
  readonly order: string;
  readonly returned: string;
  readonly packed: string;
  readonly printed: string;
  readonly carrier: string;
  readonly tracking: string;
  readonly noTracking: string;
  readonly from: string;
  readonly to: string;
  readonly phone: (number: string) => string;
  readonly item: string;
  readonly quantity: string;
  readonly serials: (numbers: string) => string;
  readonly batches: (numbers: string) => string;
  readonly count: (units: number) => string;
  readonly weight: (grams: number) => string;
  readonly slipNote: string;
  readonly labelNote: string;
  readonly returnNote: string;
}

const kilograms = (grams: number, comma: string): string => `${(grams / 1000).toFixed(2).replace('.', comma)} kg`;

export const PARCEL_WORDS: Record<Locale, ParcelWords> = {
  id: {
    packingSlip: 'Daftar isi paket',
    label: 'Label pengiriman',
    returnLabel: 'Label pengembalian',
    order: 'Pesanan',
    returned: 'Pengembalian',
    packed: 'Dikemas',
    printed: 'Dicetak',
    carrier: 'Kurir',
    tracking: 'Nomor resi',
    noTracking: 'tanpa nomor resi',
    from: 'Dari',
    to: 'Kepada',
    phone: (number) => `Telepon: ${number}`,
    item: 'Barang',
    quantity: 'Jumlah',
    serials: (numbers) => `Nomor seri: ${numbers}`,
    batches: (numbers) => `Batch: ${numbers}`,
    count: (units) => `${units} barang dalam paket ini`,
    weight: (grams) => `Berat: ${kilograms(grams, ',')}`,
    slipNote:
      'Cocokkan isi paket dengan daftar ini. Jika ada yang kurang atau rusak, hubungi kami lewat halaman pesanan.',
    labelNote: 'Tempelkan di luar paket. Kode QR memuat nomor resi.',
    returnNote:
      'Tempelkan label ini di luar paket dan tutup label lama. Kode QR memuat nomor resi. Simpan bukti serah terima dari kurir.',
  },
  en: {
    packingSlip: 'Packing slip',
    label: 'Shipping label',
    returnLabel: 'Return label',
    order: 'Order',
    returned: 'Return',
    packed: 'Packed on',
    printed: 'Printed on',
    carrier: 'Carrier',
    tracking: 'Tracking number',
    noTracking: 'no tracking number',
    from: 'From',
    to: 'To',
    phone: (number) => `Telephone: ${number}`,
    item: 'Item',
    quantity: 'Quantity',
    serials: (numbers) => `Serial numbers: ${numbers}`,
    batches: (numbers) => `Batch: ${numbers}`,
    count: (units) => `${units} ${units === 1 ? 'item' : 'items'} in this parcel`,
    weight: (grams) => `Weight: ${kilograms(grams, '.')}`,
    slipNote:
      'Compare what is in the parcel with this list. If something is missing or damaged, tell us on the order’s page.',
    labelNote: 'Stick this on the outside of the parcel. The QR code holds the tracking number.',
    returnNote:
      'Stick this label on the outside of the parcel and cover the old one. The QR code holds the tracking number. Keep the carrier’s proof of drop-off.',
  },
};
