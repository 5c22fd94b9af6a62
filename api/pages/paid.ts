/** Where a gateway sends the payer back to: what has become of the payment, and what to do next. */
import type { PaymentOutcome } from '../../db/payment-reads.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Locale } from '../request.ts';
import { type Banner, publicPage, type Words } from './layout.ts';

const HEADING: Words = { id: 'Pembayaran izin', en: 'Licence payment' };
const REFRESH_SECONDS = 5;

const WAITING: Banner = {
  tone: 'waiting',
  word: { id: 'MENUNGGU KONFIRMASI', en: 'WAITING FOR CONFIRMATION' },
  meaning: {
    id: 'Konfirmasi dari penyedia pembayaran dapat memakan waktu satu menit. Halaman ini memuat ulang sendiri. Bila Anda belum membayar, kembalilah ke tagihan.',
    en: 'The payment provider may take a minute to confirm. This page loads itself again. If you have not paid yet, go back to the invoice.',
  },
};
const PAID: Banner = {
  tone: 'good',
  word: { id: 'PEMBAYARAN DITERIMA', en: 'PAYMENT RECEIVED' },
  meaning: {
    id: 'Terima kasih. Izin Anda sedang diterbitkan dan dikirim lewat e-mail.',
    en: 'Thank you. Your licence is being issued and sent by e-mail.',
  },
};
const IN_QUESTION: Banner = {
  tone: 'caution',
  word: { id: 'SEDANG DIPERIKSA', en: 'BEING LOOKED INTO' },
  meaning: {
    id: 'Uang Anda sudah masuk, tetapi belum dapat melunasi tagihan ini. Jangan membayar lagi; kantor akan menghubungi Anda.',
    en: 'Your money has arrived, but could not settle this invoice. Do not pay again; the office will contact you.',
  },
};
const FAILED: Banner = {
  tone: 'bad',
  word: { id: 'PEMBAYARAN GAGAL', en: 'PAYMENT FAILED' },
  meaning: {
    id: 'Tidak ada uang yang kami terima. Buka tagihan untuk mencoba lagi, mungkin dengan cara lain.',
    en: 'No money has reached us. Open the invoice to try again, perhaps in another way.',
  },
};
const EXPIRED: Banner = {
  tone: 'neutral',
  word: { id: 'WAKTU PEMBAYARAN HABIS', en: 'PAYMENT EXPIRED' },
  meaning: {
    id: 'Pembayaran ini tidak diselesaikan pada waktunya. Buka tagihan untuk mencoba lagi.',
    en: 'This payment was not completed in time. Open the invoice to try again.',
  },
};
const REVERSED: Banner = {
  tone: 'bad',
  word: { id: 'PEMBAYARAN DITARIK KEMBALI', en: 'PAYMENT TAKEN BACK' },
  meaning: {
    id: 'Bank menarik kembali pembayaran ini. Kantor akan menghubungi Anda; jangan membayar lagi sebelum itu.',
    en: 'The bank has taken this payment back. The office will contact you; do not pay again before that.',
  },
};
const UNKNOWN: Banner = {
  tone: 'bad',
  word: { id: 'TIDAK DIKENAL', en: 'UNKNOWN' },
  meaning: {
    id: 'Tidak ada pembayaran di alamat ini. Buka tautan dari e-mail tagihan Anda untuk melihat keadaannya.',
    en: 'There is no payment at this address. Open the link in the e-mail with your invoice to see where it stands.',
  },
};

const LABELS = {
  number: { id: 'Nomor tagihan', en: 'Invoice number' },
  office: { id: 'Kantor', en: 'Office' },
  amount: { id: 'Jumlah', en: 'Amount' },
  invoice: { id: 'Lihat tagihan', en: 'Go to the invoice' },
} as const;

/** @param invoiceUrl of the invoice's pay page */
export function paidPage(payment: PaymentOutcome, locale: Locale, invoiceUrl: string): string {
  const banner = bannerOf(payment);
  return publicPage(
    {
      heading: HEADING,
      banner,
      facts: [
        [LABELS.number, payment.invoiceNumber],
        [LABELS.office, payment.officeName],
        [LABELS.amount, formatMoney(payment.amount)],
      ],
      link: { href: invoiceUrl, label: LABELS.invoice },
      refreshSeconds: banner === WAITING ? REFRESH_SECONDS : undefined,
    },
    locale,
  );
}

function bannerOf({ state, inQuestion }: PaymentOutcome): Banner {
  switch (state) {
    case 'created':
    case 'unknown':
    case 'pending':
      return WAITING;
    case 'paid':
      return inQuestion ? IN_QUESTION : PAID;
    case 'failed':
      return FAILED;
    case 'expired':
      return EXPIRED;
    case 'reversed':
      return REVERSED;
  }
}

export const unknownPaymentPage = (locale: Locale): string => publicPage({ heading: HEADING, banner: UNKNOWN }, locale);
