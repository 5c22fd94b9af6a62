import type { Locale } from '../../domain/mail.ts';

export interface ReceiptWords {
  readonly receipt: string;
  readonly issued: string;
  readonly issuer: string;
  readonly receivedFrom: string;
  readonly amount: string;
  readonly paidAt: string;
  readonly paidThrough: string;
  readonly reference: string;
  readonly invoice: string;
  readonly instalment: string;
  readonly instalmentOf: (position: number, count: number) => string;
  readonly about: string;
  readonly aboutPlan: string;
  readonly outstanding: string;
  readonly settled: string;
  readonly settledNote: string;
  readonly owedNote: string;
}

export const RECEIPT_WORDS: Record<Locale, ReceiptWords> = {
  id: {
    receipt: 'Kuitansi',
    issued: 'Diterbitkan',
    issuer: 'Diterbitkan oleh',
    receivedFrom: 'Diterima dari',
    amount: 'Jumlah diterima',
    paidAt: 'Dibayar pada',
    paidThrough: 'Dibayar melalui',
    reference: 'Nomor transaksi',
    invoice: 'Untuk tagihan',
    instalment: 'Angsuran',
    instalmentOf: (position, count) => `${position} dari ${count}`,
    about: 'Untuk izin',
    aboutPlan: 'Untuk langganan',
    outstanding: 'Sisa tagihan',
    settled: 'Lunas',
    settledNote: 'Tagihan ini sudah lunas. Simpan kuitansi ini sebagai bukti pembayaran.',
    owedNote: 'Tagihan ini belum lunas. Bayarlah sisanya sebelum jatuh tempo.',
  },
  en: {
    receipt: 'Receipt',
    issued: 'Issued',
    issuer: 'Issued by',
    receivedFrom: 'Received from',
    amount: 'Amount received',
    paidAt: 'Paid on',
    paidThrough: 'Paid through',
    reference: 'Transaction',
    invoice: 'For invoice',
    instalment: 'Instalment',
    instalmentOf: (position, count) => `${position} of ${count}`,
    about: 'For the licence',
    aboutPlan: 'For the subscription',
    outstanding: 'Still owed',
    settled: 'Nothing: paid in full',
    settledNote: 'The invoice is paid in full. Keep this receipt as proof of payment.',
    owedNote: 'The invoice is not paid in full yet. Please pay the rest before it is due.',
  },
};
