/** Where the letters' "pay" leads: what is to be paid, by when, and the way to the gateway's own page. */
import type { PayableInvoice } from '../../db/invoice-reads.ts';
import { formatMoney } from '../../domain/money.ts';
import type { InvoiceState } from '../../domain/payments.ts';
import type { Locale } from '../request.ts';
import { type Banner, instantOf, publicPage, type Words } from './layout.ts';

const HEADING: Words = { id: 'Tagihan izin', en: 'Licence invoice' };

const BANNERS: Readonly<Record<InvoiceState, Banner>> = {
  open: {
    tone: 'waiting',
    word: { id: 'BELUM DIBAYAR', en: 'NOT PAID YET' },
    meaning: {
      id: 'Bayar sebelum jatuh tempo; setelah itu izin Anda diterbitkan.',
      en: 'Pay it before it is due; after that your licence is issued.',
    },
  },
  paid: {
    tone: 'good',
    word: { id: 'LUNAS', en: 'PAID' },
    meaning: {
      id: 'Tidak ada yang perlu dibayar lagi. Izin Anda dikirim lewat e-mail.',
      en: 'There is nothing left to pay. Your licence is sent by e-mail.',
    },
  },
  lapsed: {
    tone: 'bad',
    word: { id: 'LEWAT BATAS WAKTU', en: 'LAPSED' },
    meaning: {
      id: 'Batas waktu pembayaran sudah lewat dan permohonannya ditutup. Jangan membayar lagi; bila izin masih diperlukan, ajukan permohonan baru.',
      en: 'The time to pay is over and the application is closed. Do not pay any more; if you still need the licence, apply again.',
    },
  },
  reversed: {
    tone: 'bad',
    word: { id: 'PEMBAYARAN DITARIK KEMBALI', en: 'PAYMENT TAKEN BACK' },
    meaning: {
      id: 'Bank atau penyedia pembayaran menarik kembali pembayarannya, dan izinnya ditangguhkan. Hubungi kantor.',
      en: 'The bank or the payment provider took the payment back, and the licence is suspended. Contact the office.',
    },
  },
  void: {
    tone: 'neutral',
    word: { id: 'DIBATALKAN', en: 'CANCELLED' },
    meaning: {
      id: 'Tagihan ini dibatalkan. Jangan membayarnya; tanyakan kepada kantor bila ragu.',
      en: 'This invoice was cancelled. Do not pay it; ask the office if in doubt.',
    },
  },
};

const UNKNOWN: Banner = {
  tone: 'bad',
  word: { id: 'TIDAK DIKENAL', en: 'UNKNOWN' },
  meaning: {
    id: 'Tidak ada tagihan di alamat ini. Buka tautan dari e-mail tagihan Anda sekali lagi.',
    en: 'There is no invoice at this address. Open the link in the e-mail with your invoice again.',
  },
};

const LABELS = {
  number: { id: 'Nomor tagihan', en: 'Invoice number' },
  office: { id: 'Kantor', en: 'Office' },
  license: { id: 'Izin', en: 'Licence' },
  total: { id: 'Jumlah', en: 'Total' },
  due: { id: 'Jatuh tempo', en: 'Due' },
} as const;

const PAY: Words = { id: 'Bayar sekarang', en: 'Pay now' };
const ELSEWHERE: Words = {
  id: 'Anda akan dibawa ke halaman penyedia pembayaran, lalu kembali ke sini.',
  en: 'You are taken to the page of the payment provider, and then back here.',
};

/** @param trouble why the last attempt to pay led nowhere */
export function payPage(invoice: PayableInvoice, locale: Locale, trouble?: Words): string {
  const open = invoice.state === 'open';
  return publicPage(
    {
      heading: HEADING,
      banner: BANNERS[invoice.state],
      alert: trouble,
      facts: [
        [LABELS.number, invoice.number],
        [LABELS.license, invoice.licenseName[locale]],
        [LABELS.office, invoice.officeName],
        [LABELS.total, formatMoney(invoice.total)],
        [LABELS.due, instantOf(invoice.dueAt, locale, invoice.zone)],
      ],
      ...(open ? { button: PAY, note: ELSEWHERE } : {}),
    },
    locale,
  );
}

export const unknownInvoicePage = (locale: Locale): string => publicPage({ heading: HEADING, banner: UNKNOWN }, locale);
