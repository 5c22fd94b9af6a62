/** Where a gateway sends the payer back to: what has become of the payment, and what to do next. */
import type { PaymentOutcome } from '../../db/payment-reads.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Locale } from '../request.ts';
import { type Banner, publicPage, type Words } from './layout.ts';

const HEADING: Words = { id: 'Pembayaran izin', en: 'Licence payment' };
const REFRESH_SECONDS = 5;
/** A transfer may take the payer a day: after the first minutes nobody sits before the page. */
const SOON_MS = 600_000;
const LATER_REFRESH_SECONDS = 60;

const WAITING: Banner = {
  tone: 'waiting',
  word: { id: 'MENUNGGU KONFIRMASI', en: 'WAITING FOR CONFIRMATION' },
  meaning: {
    id: 'Konfirmasi dari penyedia pembayaran dapat memakan waktu satu menit. Halaman ini memuat ulang sendiri. Bila Anda belum membayar, kembalilah ke tagihan.',
    en: 'The payment provider may take a minute to confirm. This page loads itself again. If you have not paid yet, go back to the invoice.',
  },
};
const UNCLEAR: Banner = {
  tone: 'waiting',
  word: { id: 'MENUNGGU KONFIRMASI', en: 'WAITING FOR CONFIRMATION' },
  meaning: {
    id: 'Jawaban penyedia pembayaran belum jelas dan sedang kami tanyakan. Bila Anda sudah membayar, jangan membayar lagi. Halaman ini memuat ulang sendiri.',
    en: 'The answer of the payment provider is unclear, and we are asking. If you have paid, do not pay again. This page loads itself again.',
  },
};
const PART_PAID: Banner = {
  tone: 'good',
  word: { id: 'PEMBAYARAN DITERIMA', en: 'PAYMENT RECEIVED' },
  meaning: {
    id: 'Terima kasih. Tagihan ini belum lunas: izin diterbitkan setelah sisanya dibayar. Buka tagihan untuk membayar berikutnya.',
    en: 'Thank you. The invoice is not paid in full yet: the licence is issued once the rest is paid. Open the invoice to go on.',
  },
};
const REFUND_UNDER_WAY: Banner = {
  tone: 'caution',
  word: { id: 'SEDANG DIKEMBALIKAN', en: 'BEING REFUNDED' },
  meaning: {
    id: 'Dana dari pembayaran ini sedang dikembalikan. Bank dapat memerlukan beberapa hari; kami mengabari lewat e-mail. Jangan membayar lagi.',
    en: 'Money of this payment is on its way back. Banks may take some days; we write to you by e-mail. Do not pay again.',
  },
};
const REFUNDED: Banner = {
  tone: 'neutral',
  word: { id: 'SUDAH DIKEMBALIKAN', en: 'REFUNDED' },
  meaning: {
    id: 'Seluruh dana pembayaran ini sudah dikembalikan. Bila belum terlihat di rekening Anda setelah beberapa hari, hubungi kantor.',
    en: 'All of this payment was given back. If you do not see it on your account after some days, contact the office.',
  },
};
const PARTLY_REFUNDED: Banner = {
  tone: 'good',
  word: { id: 'DIKEMBALIKAN SEBAGIAN', en: 'PARTLY REFUNDED' },
  meaning: {
    id: 'Pembayaran diterima, dan sebagian dananya sudah dikembalikan. Tidak ada yang perlu Anda lakukan.',
    en: 'The payment was received, and a part of it was given back. There is nothing for you to do.',
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
  outstanding: { id: 'Sisa tagihan', en: 'Left to pay' },
  again: { id: 'Periksa sekarang', en: 'Check now' },
} as const;

/** @param invoiceUrl of the invoice's pay page @param now decides how often the page asks */
export function paidPage(payment: PaymentOutcome, locale: Locale, invoiceUrl: string, now: Date): string {
  const banner = bannerOf(payment);
  const waits = banner === WAITING || banner === UNCLEAR;
  return publicPage(
    {
      heading: HEADING,
      banner,
      facts: [
        [LABELS.number, payment.invoiceNumber],
        [LABELS.office, payment.officeName],
        [LABELS.amount, formatMoney(payment.amount)],
        ...(banner === PART_PAID ? [[LABELS.outstanding, formatMoney(payment.outstanding)] as const] : []),
      ],
      link: { href: invoiceUrl, label: LABELS.invoice },
      ...(waits ? { again: LABELS.again, refreshSeconds: refreshAfter(payment, now) } : {}),
    },
    locale,
  );
}

const refreshAfter = ({ createdAt }: PaymentOutcome, now: Date): number =>
  now.getTime() - createdAt.getTime() < SOON_MS ? REFRESH_SECONDS : LATER_REFRESH_SECONDS;

function bannerOf(payment: PaymentOutcome): Banner {
  switch (payment.state) {
    case 'created':
    case 'pending':
      return WAITING;
    case 'unknown':
      return UNCLEAR;
    case 'paid':
      return ofPaid(payment);
    case 'failed':
      return FAILED;
    case 'expired':
      return EXPIRED;
    case 'reversed':
      return REVERSED;
  }
}

function ofPaid({ refund, inQuestion, invoiceState }: PaymentOutcome): Banner {
  switch (refund) {
    case 'all':
      return REFUNDED;
    case 'under_way':
      return REFUND_UNDER_WAY;
    case 'part':
      return inQuestion ? IN_QUESTION : PARTLY_REFUNDED;
    case 'none':
      if (inQuestion) return IN_QUESTION;
      return invoiceState === 'open' ? PART_PAID : PAID;
  }
}

export const unknownPaymentPage = (locale: Locale): string => publicPage({ heading: HEADING, banner: UNKNOWN }, locale);
