import type { Locale } from '../../domain/mail.ts';
import type { RefundReason } from '../../domain/refunds.ts';

export interface CreditNoteWords {
  readonly creditNote: string;
  readonly issued: string;
  readonly corrects: string;
  readonly of: string;
  readonly reason: string;
  readonly seller: string;
  readonly buyer: string;
  readonly total: string;
  readonly note: (invoice: string) => string;
  readonly reasons: Record<RefundReason, string>;
}

export const CREDIT_NOTE_WORDS: Record<Locale, CreditNoteWords> = {
  id: {
    creditNote: 'Nota kredit',
    issued: 'Diterbitkan',
    corrects: 'Mengoreksi tagihan',
    of: 'Tanggal tagihan',
    reason: 'Alasan',
    seller: 'Diterbitkan oleh',
    buyer: 'Kepada',
    total: 'Total dikreditkan',
    note: (invoice) => `Jumlah di atas mengurangi tagihan ${invoice}; tagihan itu sendiri tidak diubah.`,
    reasons: {
      requested_by_payer: 'permintaan pembayar',
      duplicate: 'dibayar dua kali',
      paid_late: 'dibayar terlambat',
      overpaid: 'kelebihan bayar',
      wrong_amount: 'jumlah keliru',
      not_issued: 'izin tidak diterbitkan',
      goods_returned: 'barang dikembalikan',
      goods_cancelled: 'barang dibatalkan',
      fraud: 'penyalahgunaan',
      goodwill: 'kebijakan kantor',
      other: 'lainnya',
    },
  },
  en: {
    creditNote: 'Credit note',
    issued: 'Issued',
    corrects: 'Corrects invoice',
    of: 'Date of the invoice',
    reason: 'Reason',
    seller: 'Issued by',
    buyer: 'To',
    total: 'Total credited',
    note: (invoice) => `The amounts above reduce invoice ${invoice}; that invoice itself stays as it is.`,
    reasons: {
      requested_by_payer: 'asked for by the payer',
      duplicate: 'paid twice',
      paid_late: 'paid late',
      overpaid: 'paid too much',
      wrong_amount: 'wrong amount',
      not_issued: 'licence not issued',
      goods_returned: 'goods returned',
      goods_cancelled: 'goods cancelled',
      fraud: 'misuse',
      goodwill: 'goodwill of the office',
      other: 'other',
    },
  },
};
