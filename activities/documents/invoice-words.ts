import type { Locale } from '../../domain/mail.ts';
import type { InvoiceState } from '../../domain/payments.ts';

export interface InvoiceWords {
  readonly invoice: string;
  readonly issued: string;
  readonly due: string;
  readonly paid: string;
  readonly seller: string;
  readonly buyer: string;
  readonly columns: {
    readonly description: string;
    readonly net: string;
    readonly tax: string;
    readonly total: string;
  };
  readonly untaxed: string;
  readonly discounted: (price: string, discount: string) => string;
  readonly subtotal: string;
  readonly taxBase: string;
  readonly tax: string;
  readonly total: string;
  readonly status: Record<InvoiceState, string>;
  readonly taxNote: (ratePercent: number, numerator: number, denominator: number, source: string) => string;
  readonly untaxedNote: string;
  readonly openNote: (due: string) => string;
}

/** `11` of 12 % on 11/12; at most two decimals, with the language's decimal sign. */
const effective = (locale: string, ratePercent: number, numerator: number, denominator: number): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format((ratePercent * numerator) / denominator);

export const INVOICE_WORDS: Record<Locale, InvoiceWords> = {
  id: {
    invoice: 'Tagihan',
    issued: 'Diterbitkan',
    due: 'Jatuh tempo',
    paid: 'Dibayar',
    seller: 'Diterbitkan oleh',
    buyer: 'Ditagihkan kepada',
    columns: { description: 'Uraian', net: 'Harga', tax: 'PPN', total: 'Jumlah' },
    untaxed: 'tidak dikenai',
    discounted: (price, discount) => `Harga ${price}, potongan ${discount}`,
    subtotal: 'Jumlah sebelum PPN',
    taxBase: 'DPP Nilai Lain',
    tax: 'PPN',
    total: 'Total tagihan',
    status: {
      open: 'Belum dibayar',
      paid: 'Lunas',
      lapsed: 'Kedaluwarsa',
      void: 'Dibatalkan',
      reversed: 'Ditarik kembali',
    },
    taxNote: (rate, numerator, denominator, source) =>
      `PPN ${rate} % dihitung dari Dasar Pengenaan Pajak (DPP) Nilai Lain sebesar ${numerator}/${denominator} dari harga, ` +
      `sehingga setara dengan ${effective('id-ID', rate, numerator, denominator)} % dari harga (${source}).`,
    untaxedNote: 'Penerimaan negara dan retribusi yang ditetapkan undang-undang tidak dikenai PPN.',
    openNote: (due) => `Mohon dibayar paling lambat ${due}. Tagihan yang lewat jatuh tempo menjadi kedaluwarsa.`,
  },
  en: {
    invoice: 'Invoice',
    issued: 'Issued',
    due: 'Due',
    paid: 'Paid',
    seller: 'Issued by',
    buyer: 'Billed to',
    columns: { description: 'Description', net: 'Price', tax: 'VAT (PPN)', total: 'Amount' },
    untaxed: 'not taxable',
    discounted: (price, discount) => `Price ${price}, discount ${discount}`,
    subtotal: 'Total before VAT',
    taxBase: 'Tax base (DPP Nilai Lain)',
    tax: 'VAT (PPN)',
    total: 'Total due',
    status: { open: 'Unpaid', paid: 'Paid', lapsed: 'Lapsed', void: 'Void', reversed: 'Reversed' },
    taxNote: (rate, numerator, denominator, source) =>
      `VAT (PPN) of ${rate} % is charged on a tax base (DPP Nilai Lain) of ${numerator}/${denominator} of the price, ` +
      `which equals ${effective('en-GB', rate, numerator, denominator)} % of the price (${source}).`,
    untaxedNote: 'State revenue and charges set by law (PNBP, retribusi) carry no VAT.',
    openNote: (due) => `Please pay by ${due}. An invoice that is not paid by then lapses.`,
  },
};
